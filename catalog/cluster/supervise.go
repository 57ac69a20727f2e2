package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"swath/fault"
)

// Waits between two runs of postgres: none after one that lasted, growing ones while it keeps dying.
const (
	firstDelay  = 50 * time.Millisecond
	longestWait = 5 * time.Second
	lasted      = 10 * time.Second
	// startPatience is how long a start may keep failing for a passing reason, such as the backends of a killed
	// predecessor that have not ended yet.
	startPatience = 10 * time.Second
)

// passing are the reasons for not starting that go away by themselves.
var passing = []string{"pre-existing shared memory block", `lock file "postmaster.pid" already exists`}

// supervise runs postgres until Stop, and again whenever it dies. A postgres that was never ready is not tried again,
// unless the reason passes.
func (c *Cluster) supervise() {
	// The kernel ties the death signal to the thread that forked, so this one lives exactly as long as postgres should.
	runtime.LockOSThread()
	defer close(c.gone)
	delay, first := time.Duration(0), time.Now()
	for {
		began := time.Now()
		err := c.runOnce()
		c.mu.Lock()
		stopped, ready := c.stopped, c.ready
		c.mu.Unlock()
		if stopped {
			return
		}
		why := c.output.tail()
		if !ready && (!passes(why) || time.Since(first) > startPatience) {
			c.failed = fmt.Errorf("postgres did not start: %w: %s", err, why)
			return
		}
		if time.Since(began) > lasted {
			delay = 0
		}
		c.log.Error("postgres died, starting it again", "err", err, "wait", delay, "output", why)
		select {
		case <-c.stopping:
			return
		case <-time.After(delay):
		}
		delay = min(max(2*delay, firstDelay), longestWait)
		if err := c.clearStale(context.Background()); err != nil {
			c.log.Error("old postgres is in the way", "err", err)
		}
	}
}

// runOnce starts postgres and returns when it has ended, and, for half a second, when its backends have.
func (c *Cluster) runOnce() error {
	c.output.begin()
	cmd := c.account.command(context.Background(), filepath.Join(c.bin.dir, "postgres"), "-D", c.data)
	cmd.Dir = c.data
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.WaitDelay = 500 * time.Millisecond
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT

	c.mu.Lock()
	if c.stopped {
		c.mu.Unlock()
		return nil
	}
	err := cmd.Start()
	if err == nil {
		c.process = cmd.Process
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	err = cmd.Wait()
	c.mu.Lock()
	c.process = nil
	c.mu.Unlock()
	if err == nil {
		return fault.New(fault.Unavailable, "postgres was stopped by somebody else")
	}
	return err
}

func passes(why string) bool {
	for _, reason := range passing {
		if strings.Contains(why, reason) {
			return true
		}
	}
	return false
}

// awaitReady returns when postgres accepts connections, which it says in its pid file.
func (c *Cluster) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		c.mu.Lock()
		if p, ok := readPIDFile(c.data); ok && p.ready && c.process != nil && p.pid == c.process.Pid {
			c.ready = true
		}
		ready := c.ready
		c.mu.Unlock()
		if ready {
			return nil
		}
		select {
		case <-tick.C:
		case <-c.gone:
			return c.failed
		case <-ctx.Done():
			return fault.Wrap(fault.Timeout, context.Cause(ctx), "the database did not become ready in time")
		}
	}
}
