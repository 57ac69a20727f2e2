package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"swath/chains"
	"swath/fault"
	"swath/processes/cwl"
)

// tellEvery is how often progress is written.
const tellEvery = 200 * time.Millisecond

// slackMiB is what a child may map beyond its memory before the kernel refuses it more: thread stacks, the Go runtime's reserve.
const slackMiB = 1024

// Main is the child: it runs the task of a folder and returns the exit code. A parent that holds the other end of lifeline takes the
// child with it when it dies. Without one (nil: a batch engine has started the child) the child looks after its limits by itself, and
// ends when its folder is taken away.
func Main(ctx context.Context, folder string, find func(id string) (chains.Chain, bool), lifeline io.Reader) int {
	var t Task
	if ok, err := read(filepath.Join(folder, taskFile), &t); err != nil || !ok {
		fmt.Fprintf(os.Stderr, "no task in %s: %v\n", folder, err)
		return 2
	}
	if lifeline != nil {
		go func() {
			_, _ = io.Copy(io.Discard, lifeline) // it ends when the parent does
			killGroup()
		}()
	} else {
		go watchOneself(t)
	}
	if err := limit(t); err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		return 1
	}
	r := run(ctx, t, find)
	if err := write(filepath.Join(t.Folder, resultFile), r); err != nil {
		fmt.Fprintln(os.Stderr, "result:", err)
		return 1
	}
	if r.Kind != "" {
		return 1
	}
	return 0
}

// killGroup ends this process with all that it has started.
func killGroup() {
	_ = syscall.Kill(-syscall.Getpgrp(), syscall.SIGKILL)
	os.Exit(1)
}

// watchOneself does what a parent beside the run would do.
func watchOneself(t Task) {
	began := time.Now()
	for range time.Tick(lookEvery) {
		if _, err := os.Stat(filepath.Join(t.Folder, taskFile)); errors.Is(err, os.ErrNotExist) {
			killGroup()
		}
		if err := t.beyond(began, os.Getpid()); err != nil {
			kind, public := fault.Of(err)
			_ = write(filepath.Join(t.Folder, resultFile), result{Kind: kind.String(), Public: public}) // else the parent sees no result
			killGroup()
		}
	}
}

// run calls the chain; a panic is a failure like others.
func run(ctx context.Context, t Task, find func(id string) (chains.Chain, bool)) (r result) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic", "reason", p, "stack", string(debug.Stack()))
			r = result{Kind: fault.Internal.String(), Detail: fmt.Sprint("panic: ", p)}
		}
	}()
	chain, err := t.find(find)
	if err != nil {
		return failure(err)
	}
	p := progress{path: filepath.Join(t.Folder, progressFile)}
	outputs, err := chain.Run(ctx, t.Inputs, chains.Workspace{Scratch: t.Scratch, Out: t.Out, Threads: max(t.Threads, 1), Log: log}, p.tell)
	if err != nil {
		log.Error("failed", "err", err)
		return failure(err)
	}
	return result{Outputs: outputs}
}

// failure is the result of a run that did not go well.
func failure(err error) result {
	kind, public := fault.Of(err)
	return result{Kind: kind.String(), Public: public, Detail: err.Error()}
}

// find returns the task's chain: its package, or one of the program's own.
func (t Task) find(own func(id string) (chains.Chain, bool)) (chains.Chain, error) {
	if t.Package != nil {
		p, err := cwl.Parse(t.Package.Document, t.Package.Workflow)
		if err != nil {
			return chains.Chain{}, err
		}
		return p.Chain(t.Package.Tool)
	}
	chain, ok := own(t.Chain)
	if !ok {
		return chain, fault.New(fault.NotFound, "no process %q on this machine", t.Chain)
	}
	return chain, nil
}

// progress writes how much is done, not too often and never backwards.
type progress struct {
	path string
	mu   sync.Mutex
	last time.Time
	best float64
}

func (p *progress) tell(done, total int64) {
	if total <= 0 || done < 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	share := float64(min(done, total)) / float64(total)
	if share < p.best || time.Since(p.last) < tellEvery && done < total {
		return
	}
	p.best, p.last = share, time.Now()
	_ = write(p.path, [2]int64{min(done, total), total}) // the next one is written again
}

// limit bounds this process. The soft limit of the Go heap is below the one at which the parent ends the run.
func limit(t Task) error {
	memory := int64(t.MemoryMiB) << 20
	if memory > 0 {
		debug.SetMemoryLimit(memory * 8 / 10)
	}
	cpu := uint64(t.Time.Seconds()*float64(max(t.Threads, 1))*1.5) + 60
	var errs []error
	set := func(what int, value uint64) {
		errs = append(errs, syscall.Setrlimit(what, &syscall.Rlimit{Cur: value, Max: value}))
	}
	set(syscall.RLIMIT_CORE, 0)
	if t.Time > 0 {
		set(syscall.RLIMIT_CPU, cpu)
	}
	if memory > 0 {
		set(syscall.RLIMIT_DATA, uint64(memory)+slackMiB<<20)
	}
	// When memory is short, the run goes before the server does.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(600)), 0o644) //nolint:gosec // not a file
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 5)                            // requests come before jobs
	return errors.Join(errs...)
}
