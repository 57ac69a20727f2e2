package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pidFile is what postmaster.pid says: line 1 the process id, line 8 its state.
type pidFile struct {
	pid   int
	ready bool
}

// readPIDFile returns false when there is no pid file, or one that says nothing.
func readPIDFile(dataDir string) (pidFile, bool) {
	text, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return pidFile{}, false
	}
	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 0 {
		return pidFile{}, false
	}
	return pidFile{pid: pid, ready: len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"}, true
}

// clearStale makes way for a new postgres. We hold the lock, so a postgres that still runs here has lost its supervisor
// and is ended in order. A pid file whose process is another program of the same user, because the number was given out
// again, is removed: postgres can't tell these two apart and would refuse to start. All else is left to postgres itself,
// which knows that a process of another user is not its predecessor.
func (c *Cluster) clearStale(ctx context.Context) error {
	p, ok := readPIDFile(c.data)
	if !ok {
		return nil
	}
	switch c.whoIs(p.pid) {
	case nobody:
		return nil
	case stranger:
		if conn, err := net.Dial("unix", c.socket()); err == nil {
			conn.Close()
			return fmt.Errorf("a database that is not process %d of its pid file answers on %s", p.pid, c.socket())
		}
		c.log.Warn("removing a stale pid file", "pid", p.pid)
		for _, path := range []string{filepath.Join(c.data, "postmaster.pid"), c.socket() + ".lock"} {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}
	c.log.Warn("ending a database whose owner is gone", "pid", p.pid)
	patience := 10 * time.Second
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		if err := syscall.Kill(p.pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end postgres %d: %w", p.pid, err)
		}
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if c.whoIs(p.pid) != postmaster {
				return nil
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return fmt.Errorf("postgres %d does not end", p.pid)
}

// who is behind a process id.
type who int

const (
	nobody     who = iota // no process, or one of another user, or one that we may not look at
	stranger              // a process of our user that is not this cluster's postgres
	postmaster            // this cluster's postgres: the process of its user that works in its folder
)

// whoIs tells apart what a pid file may point to. A process that has ended and waits to be reaped is a stranger.
func (c *Cluster) whoIs(pid int) who {
	process := fmt.Sprintf("/proc/%d", pid)
	if owner, ok := ownerOf(process); !ok || owner.uid != c.account.uid {
		return nobody
	}
	cwd, err := os.Stat(process + "/cwd")
	switch here, errHere := os.Stat(c.data); {
	case errors.Is(err, fs.ErrPermission) || errHere != nil:
		return nobody
	case err == nil && os.SameFile(here, cwd):
		return postmaster
	}
	return stranger
}
