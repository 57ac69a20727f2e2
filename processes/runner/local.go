package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"swath/fault"
)

// lookEvery is how often a run is looked at.
const lookEvery = 250 * time.Millisecond

// Local runs tasks as child processes of this one.
type Local struct {
	Command []string // begins a command line that calls Main; the task's folder follows it
}

// Run starts a child and waits for its end.
func (l Local) Run(ctx context.Context, t Task, w Watch) (map[string]json.RawMessage, error) {
	if err := write(filepath.Join(t.Folder, taskFile), t); err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	log, err := os.Create(filepath.Join(t.Folder, logFile))
	if err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(l.Command[0], append(l.Command[1:len(l.Command):len(l.Command)], t.Folder)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.Scratch, log, log
	cmd.Env = append(environment(), "TMPDIR="+t.Scratch, "GOMAXPROCS="+strconv.Itoa(max(t.Threads, 1)))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	lifeline, err := cmd.StdinPipe() // closed by the kernel when this process dies
	if err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	defer lifeline.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return follow(ctx, t, w, cmd.Process.Pid, ended)
}

// environment is what a child sees of ours: where programs, libraries and their data are, and no secrets.
func environment() []string {
	var kept []string
	for _, name := range []string{"PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "HOME", "PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH", "SWATH_RUNNER"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}

// follow watches a child until it ends, or ends it.
func follow(ctx context.Context, t Task, w Watch, pid int, ended <-chan error) (map[string]json.RawMessage, error) {
	files := &tail{task: t, watch: w}
	began := time.Now()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var stop error
	for {
		select {
		case err := <-ended:
			_ = syscall.Kill(-pid, syscall.SIGKILL) // what it left running
			files.look(true)
			if stop != nil {
				return nil, stop
			}
			return finished(t, err)
		case <-ctx.Done():
			stop = ctx.Err()
		case <-tick.C:
			files.look(false)
			stop = t.beyond(began, pid)
		}
		if stop != nil {
			_ = syscall.Kill(-pid, syscall.SIGKILL) // it may be gone already
			<-ended
			ended = closedWith(nil)
			tick.Stop()
		}
	}
}

// beyond says which limit of the task its process has passed, if one.
func (t Task) beyond(began time.Time, pid int) error {
	if t.Time > 0 && time.Since(began) > t.Time {
		return fault.New(fault.Timeout, "the process took longer than %s", t.Time)
	}
	if used := residentMiB(pid); t.MemoryMiB > 0 && used > t.MemoryMiB {
		return fault.New(fault.TooLarge, "the process took %d MiB of memory; it may take %d", used, t.MemoryMiB)
	}
	return nil
}

// closedWith returns a channel that has one value.
func closedWith(err error) <-chan error {
	c := make(chan error, 1)
	c <- err
	return c
}

// finished reads what a child has left behind.
func finished(t Task, exit error) (map[string]json.RawMessage, error) {
	var r result
	ok, err := read(filepath.Join(t.Folder, resultFile), &r)
	if err != nil {
		return nil, err
	}
	if ok {
		return r.outcome()
	}
	var status *exec.ExitError
	if errors.As(exit, &status) {
		if ws, ok := status.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGXCPU {
			return nil, fault.New(fault.Timeout, "the process took more processor time than it may")
		}
	}
	return nil, fmt.Errorf("runner: the process ended without a result: %v; %s", exit, lastLine(filepath.Join(t.Folder, logFile)))
}

// lastLine returns the end of a log, for a message.
func lastLine(path string) string {
	body, err := os.ReadFile(path)
	if err != nil || len(body) == 0 {
		return "its log is empty"
	}
	lines := strings.Split(strings.TrimSpace(string(body[max(0, len(body)-4096):])), "\n")
	for _, line := range lines { // what the Go runtime and C say first tells more than the end of a stack
		if strings.HasPrefix(line, "fatal error:") || strings.HasPrefix(line, "panic:") {
			return line
		}
	}
	return lines[len(lines)-1]
}

// residentMiB returns what a process has in memory; 0 when it is gone.
func residentMiB(pid int) int {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(body))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return pages * os.Getpagesize() >> 20
}
