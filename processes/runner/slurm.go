package runner

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"swath/fault"
)

const (
	batchFile = "batch.sh"
	exitFile  = "exit" // holds the exit code of a batch script that came to its end

	// patienceLooks is how many looks a job may be ended or unknown before its exit code is there: a shared folder shows a new file late.
	patienceLooks = 5
	// cancelTime is how long the end of a job that was given up is waited for.
	cancelTime = 60 * time.Second
)

// Slurm runs tasks as jobs of a Slurm cluster whose nodes see the tasks' folders, and this program, under the same names. It speaks to
// the cluster by the commands sbatch, scontrol and scancel, and needs no accounting.
//
// That a job is not in the queue any more says nothing about how it ended: only the exit code does that the job's script leaves as its
// last act. A job that outlives its parent ends when the task's folder is removed.
type Slurm struct {
	Command []string      // begins a command line that calls Main; the task's folder follows it
	Options []string      // more options of sbatch, such as --partition=short
	Every   time.Duration // between two looks at a job; 0: 5 seconds
}

// Run submits a job and waits for its end. The task's time counts from the job's start, not from when it was queued.
func (s Slurm) Run(ctx context.Context, t Task, w Watch) (map[string]json.RawMessage, error) {
	if err := write(filepath.Join(t.Folder, taskFile), t); err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	if err := os.WriteFile(filepath.Join(t.Folder, batchFile), s.script(t), 0o755); err != nil { //nolint:gosec // it is run
		return nil, fmt.Errorf("runner: %w", err)
	}
	id, err := s.submit(ctx, t)
	if err != nil {
		return nil, err
	}
	return s.follow(ctx, t, w, id)
}

// script runs the task and leaves its exit code.
func (s Slurm) script(t Task) []byte {
	var b bytes.Buffer
	b.WriteString("#!/bin/sh\n")
	for _, word := range append(s.Command[:len(s.Command):len(s.Command)], t.Folder) {
		b.WriteString(quoted(word) + " ")
	}
	code := quoted(filepath.Join(t.Folder, exitFile))
	fmt.Fprintf(&b, "\nprintf %%s \"$?\" > %s.new && mv %s.new %s\n", code, code, code)
	return b.Bytes()
}

// quoted is a word for the shell.
func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// submit returns the number of the new job.
func (s Slurm) submit(ctx context.Context, t Task) (id string, err error) {
	threads := max(t.Threads, 1)
	args := []string{
		"--parsable", "--no-requeue", "--job-name=swath-" + t.Chain, "--chdir=" + t.Scratch, "--open-mode=append",
		"--output=" + filepath.Join(t.Folder, logFile), "--ntasks=1", "--cpus-per-task=" + strconv.Itoa(threads), "--export=ALL",
	}
	if t.MemoryMiB > 0 {
		args = append(args, "--mem="+strconv.Itoa(t.MemoryMiB+slackMiB)+"M")
	}
	if t.Time > 0 {
		args = append(args, "--time="+strconv.Itoa(int(t.Time.Minutes())+1))
	}
	cmd := exec.CommandContext(ctx, "sbatch", append(append(args, s.Options...), filepath.Join(t.Folder, batchFile))...)
	cmd.Env = append(environment(), "SLURM_CONF="+os.Getenv("SLURM_CONF"), "SWATH_RUNNER=batch", "TMPDIR="+t.Scratch, "GOMAXPROCS="+strconv.Itoa(threads))
	out, err := said(cmd)
	if err != nil {
		return "", err
	}
	id, _, _ = strings.Cut(out, ";") // the cluster's name may follow
	if _, err := strconv.Atoi(id); err != nil {
		return "", fmt.Errorf("runner: sbatch said %q, which is no job number", out)
	}
	return id, nil
}

// said runs a command of Slurm and returns what it printed.
func said(cmd *exec.Cmd) (string, error) {
	var out, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &wrong
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("runner: %s: %w: %s", filepath.Base(cmd.Path), err, strings.TrimSpace(wrong.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// follow looks at a job until it has ended, or ends it.
func (s Slurm) follow(ctx context.Context, t Task, w Watch, id string) (map[string]json.RawMessage, error) {
	files := &tail{task: t, watch: w}
	tick := time.NewTicker(cmp.Or(s.Every, 5*time.Second))
	defer tick.Stop()
	for missed := 0; ; {
		select {
		case <-ctx.Done():
			files.look(true)
			return nil, errors.Join(ctx.Err(), cancel(context.WithoutCancel(ctx), id))
		case <-tick.C:
		}
		files.look(false)
		if code, ok := exitCode(t); ok {
			files.look(true)
			return finished(t, code)
		}
		state, known := stateOf(ctx, id)
		if !known || alive[state] { // of a controller that does not answer nothing is known
			missed = 0
			continue
		}
		if missed++; missed < patienceLooks {
			continue
		}
		files.look(true)
		return nil, endOf(t, id, state)
	}
}

// alive are the states in which a job may still come to its end by itself. Others are ends.
var alive = map[string]bool{
	"PENDING": true, "CONFIGURING": true, "RUNNING": true, "SUSPENDED": true, "STOPPED": true, "COMPLETING": true, "SIGNALING": true,
	"STAGE_OUT": true, "RESIZING": true, "REQUEUED": true, "REQUEUE_HOLD": true, "RESV_DEL_HOLD": true, "SPECIAL_EXIT": true,
}

// gone is the state of a job that the cluster has forgotten.
const gone = "unknown to the cluster"

// stateOf asks for a job's state; it is not known while the controller does not answer.
func stateOf(ctx context.Context, id string) (state string, known bool) {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	out, err := said(exec.CommandContext(ctx, "scontrol", "--oneliner", "show", "job", id))
	if err != nil {
		return gone, strings.Contains(err.Error(), "Invalid job id")
	}
	for _, field := range strings.Fields(out) {
		if state, ok := strings.CutPrefix(field, "JobState="); ok {
			return state, true
		}
	}
	return "", false
}

// exitCode reads what the script has left; nil is success.
func exitCode(t Task) (exit error, ended bool) {
	body, err := os.ReadFile(filepath.Join(t.Folder, exitFile))
	if err != nil {
		return nil, false
	}
	if code := string(body); code != "0" {
		return errors.New("exit status " + code), true
	}
	return nil, true
}

// endOf says why a job ended without its exit code.
func endOf(t Task, id, state string) error {
	var r result
	if ok, err := read(filepath.Join(t.Folder, resultFile), &r); ok && err == nil && r.Kind != "" {
		_, err := r.outcome() // a run that went beyond its limits wrote so before it ended itself
		return err
	}
	switch state {
	case "TIMEOUT", "DEADLINE":
		return fault.New(fault.Timeout, "the process took longer than %s", t.Time)
	case "OUT_OF_MEMORY":
		return fault.New(fault.TooLarge, "the process took more memory than the %d MiB that it may take", t.MemoryMiB)
	}
	return fmt.Errorf("runner: Slurm job %s is %s and left no exit code; %s", id, state, lastLine(filepath.Join(t.Folder, logFile)))
}

// cancel kills a job and waits until nothing of it runs.
func cancel(ctx context.Context, id string) error {
	ctx, stop := context.WithTimeout(ctx, cancelTime)
	defer stop()
	for {
		// A job in the queue has nobody to be killed and is only taken out; one that runs is not given the time to end well.
		_, killed := said(exec.CommandContext(ctx, "scancel", "--full", "--signal=KILL", id))
		_, out := said(exec.CommandContext(ctx, "scancel", id))
		if state, known := stateOf(ctx, id); known && !alive[state] {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("runner: Slurm job %s does not end", id), killed, out)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
