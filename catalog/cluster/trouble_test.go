package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"swath/fault"
)

// TestStalePIDFile: whatever a crash of the machine left in the pid file, the next start gets past it.
func TestStalePIDFile(t *testing.T) {
	dir := seeded(t)
	account, err := chooseAccount(filepath.Join(dir, "postgres", "data"))
	if err != nil {
		t.Fatal(err)
	}
	stranger := account.command(t.Context(), "/bin/sleep", "60") // a live process of the same user: the number was given out again
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	ended := exec.Command("/bin/true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	for name, pid := range map[string]string{
		"a live stranger": strconv.Itoa(stranger.Process.Pid), "an ended process": strconv.Itoa(ended.Process.Pid),
		"process 1": "1", "ourselves": strconv.Itoa(os.Getpid()),
	} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(dir, "postgres", "data")
			text := pid + "\n" + data + "\n1700000000\n5432\n" + filepath.Join(dir, "postgres", "run") + "\n\n  5432001         7\nready   \n"
			writeAs(t, account, filepath.Join(data, "postmaster.pid"), text)
			writeAs(t, account, filepath.Join(dir, "postgres", "run", socketName+".lock"), text)
			begin := time.Now()
			c := start(t, dir)
			took := answersAgain(t, c.URL(), begin)
			t.Logf("answers after %v", took.Round(time.Millisecond))
			if took > time.Second {
				t.Errorf("took %v, want at most 1 s", took)
			}
			stop(t, c)
		})
	}
	if _, there := ownerOf(fmt.Sprintf("/proc/%d/cwd", stranger.Process.Pid)); !there {
		t.Error("the stranger was ended")
	}
	_ = stranger.Process.Kill()
	_ = stranger.Wait()
}

func writeAs(t *testing.T, a account, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Lchown(path, a.uid, a.gid); err != nil {
		t.Fatal(err)
	}
}

// TestOrphan: a postgres that outlived its supervisor is ended in order, then the folder has a new owner.
func TestOrphan(t *testing.T) {
	dir := seeded(t)
	c := &Cluster{log: quiet}
	if err := c.prepare(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	orphan := c.account.command(t.Context(), filepath.Join(c.bin.dir, "postgres"), "-D", c.data)
	orphan.Dir = c.data
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = orphan.Wait() }()
	answersAgain(t, c.URL(), time.Now())
	c.release()

	query(t, start(t, dir).URL(), "select 1")
	if _, there := ownerOf(fmt.Sprintf("/proc/%d/cwd", orphan.Process.Pid)); there {
		t.Error("the orphan is still there")
	}
}

func TestLongPath(t *testing.T) {
	dir := filepath.Join(openDir(t), strings.Repeat("long", 25))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", seeded(t)+"/postgres", dir).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
	c := start(t, dir)
	defer os.RemoveAll(c.run)
	if len(c.socket()) > longestSocket || strings.HasPrefix(c.run, dir) {
		t.Errorf("socket %s", c.socket())
	}
	t.Setenv("TMPDIR", openDir(t)) // a joining process may have another one
	url, ok, err := Join(t.Context(), dir)
	if err != nil || !ok {
		t.Fatalf("Join: %v, %v", ok, err)
	}
	query(t, url, "select postgis_version()")
}

func TestRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, dir string)
		kind  fault.Kind
		text  string
	}{
		"made by an older version": {func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "postgres", "data", "PG_VERSION"), "14\n")
		}, fault.Unavailable, "made by PostgreSQL 14"},
		"made by an ancient version": {func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "postgres", "data", "PG_VERSION"), "9.6\n")
		}, fault.Conflict, `made by PostgreSQL "9.6"`},
		"not a cluster": {func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "postgres", "data", "PG_VERSION")); err != nil {
				t.Fatal(err)
			}
		}, fault.Conflict, "is not a PostgreSQL cluster"},
		"a closed parent": {func(t *testing.T, dir string) {
			if os.Geteuid() != 0 {
				t.Skip("only root lends its folders")
			}
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}, fault.Forbidden, "chmod o+x"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := seeded(t)
			tc.spoil(t, dir)
			_, err := Start(t.Context(), Config{DataDir: dir, Log: quiet})
			if kind, text := fault.Of(err); kind != tc.kind || !strings.Contains(text, tc.text) {
				t.Errorf("got %v, want %v: … %s …", err, tc.kind, tc.text)
			}
			if _, held, _ := holder(filepath.Join(dir, "postgres", "lock")); held {
				t.Error("a refused start keeps the lock")
			}
		})
	}
}

// TestBrokenCluster: a cluster that can't start is reported with postgres' own words, and is not tried for ever.
func TestBrokenCluster(t *testing.T) {
	dir := seeded(t)
	writeFile(t, filepath.Join(dir, "postgres", "data", "postgresql.conf"), "nonsense = 1\n")
	_, err := Start(t.Context(), Config{DataDir: dir, Log: quiet})
	if err == nil || !strings.Contains(err.Error(), `"nonsense"`) {
		t.Errorf("got %v, want postgres' complaint", err)
	}
}

// TestRestoredByRoot: a backup that root unpacked is given to the account that runs postgres.
func TestRestoredByRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := seeded(t)
	if out, err := exec.Command("chown", "-R", "0:0", dir+"/postgres").CombinedOutput(); err != nil {
		t.Fatalf("chown: %v: %s", err, out)
	}
	query(t, start(t, dir).URL(), "select 1")
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
