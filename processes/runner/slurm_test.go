package runner_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"swath/processes/runner"
)

// cluster starts Slurm with this machine as its one node, or skips the test where Slurm is not installed.
func cluster(t *testing.T) {
	t.Helper()
	for _, program := range []string{"munged", "slurmctld", "slurmd", "sbatch"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%v: Debian's packages slurm-wlm and munge have it", err)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("a node of Slurm runs as root")
	}
	dir, err := os.MkdirTemp("/tmp", "slurm-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	in := func(name string) string { return filepath.Join(dir, name) }
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	conf := fmt.Sprintf(`ClusterName=test
SlurmctldHost=%s(127.0.0.1)
SlurmctldPort=%d
SlurmdPort=%d
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=%s
CryptoType=crypto/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
StateSaveLocation=%s
SlurmdSpoolDir=%s
SlurmctldPidFile=%s
SlurmdPidFile=%s
SlurmctldLogFile=%s
SlurmdLogFile=%s
NodeName=%s NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`, host, freePort(t), freePort(t), in("munge.socket"), in("state"), in("spool"), in("ctld.pid"), in("d.pid"), in("ctld.log"), in("d.log"), host)
	for name, body := range map[string]string{"slurm.conf": conf, "munge.key": strings.Repeat("a key for tests. ", 64)} {
		if err := os.WriteFile(in(name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"state", "spool"} {
		if err := os.Mkdir(in(folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SLURM_CONF", in("slurm.conf"))
	daemon(t, "munged", "--foreground", "--force", "--key-file="+in("munge.key"), "--socket="+in("munge.socket"), "--pid-file="+in("munge.pid"),
		"--log-file="+in("munge.log"), "--seed-file="+in("munge.seed"))
	waitFor(t, "munge", func() bool { _, err := os.Stat(in("munge.socket")); return err == nil })
	daemon(t, "slurmctld", "-D", "-i")
	daemon(t, "slurmd", "-D")
	waitFor(t, "a node that is idle", func() bool {
		out, err := exec.Command("sinfo", "--noheader", "--format=%T").Output()
		return err == nil && strings.TrimSpace(string(out)) == "idle"
	})
}

// daemon runs a program until the test ends.
func daemon(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func waitFor(t *testing.T, what string, there func() bool) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
		if there() {
			return
		}
	}
	t.Fatalf("no %s after 30 s", what)
}

func TestSlurm(t *testing.T) {
	cluster(t)
	slurm := runner.Slurm{Command: []string{os.Args[0]}, Every: 200 * time.Millisecond}
	ends(t, slurm, "without a result", "exit status 3")
	t.Run("lost", func(t *testing.T) { // killed by others, as when a node dies
		var s seen
		watch := s.watch()
		watch.Progress = func(int64, int64) { _ = exec.Command("scancel", "--name=swath-misbehave").Run() }
		if _, err := slurm.Run(t.Context(), task(t, "sleep"), watch); err == nil || !strings.Contains(err.Error(), "CANCELLED and left no exit code") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("orphaned", func(t *testing.T) { // the parent is gone and its folder was removed
		var s seen
		task, watch := task(t, "sleep"), s.watch()
		watch.Progress = func(int64, int64) { os.RemoveAll(task.Folder) }
		if _, err := slurm.Run(t.Context(), task, watch); err == nil || !strings.Contains(err.Error(), "left no exit code") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		slurm.Options = []string{"--partition=none"}
		if _, err := slurm.Run(t.Context(), task(t, "well"), runner.Watch{}); err == nil || !strings.Contains(err.Error(), "sbatch: exit status 1") {
			t.Errorf("got %v", err)
		}
	})
}
