// Package runner runs one chain in a process of its own, within limits.
//
//	parent: task.json ──▶ executor (a child process, or a batch engine) ──▶ child: Main ──▶ chain.Run
//	parent ◀── progress, log, result.json ── files of the task's folder ◀──────────────────────┘
//
// Parent and child speak by files alone, so that they may be on two machines that share a folder. A child that crashes, takes more
// than it may, or whose parent dies, ends alone. A result is there whole or not at all.
package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"swath/fault"
	"swath/processes/cwl"
)

// Task is one run of a chain.
type Task struct {
	Chain     string                     `json:"chain"`
	Package   *Package                   `json:"package,omitempty"` // that the chain is; nil: one of the program's own
	Inputs    map[string]json.RawMessage `json:"inputs"`            // as chains.Chain.Run takes them
	Folder    string                     `json:"folder"`            // of the files below; exists, and belongs to the run alone
	Scratch   string                     `json:"scratch"`
	Out       string                     `json:"out"`
	Threads   int                        `json:"threads"`
	MemoryMiB int                        `json:"memory_mib"`
	Time      time.Duration              `json:"time"` // wall clock
}

// Package is a chain that a user has deployed.
type Package struct {
	Document []byte   `json:"document"` // CWL
	Workflow string   `json:"workflow,omitempty"`
	Tool     cwl.Tool `json:"tool"`
}

// The files of a task's folder.
const (
	taskFile     = "task.json"
	progressFile = "progress.json"
	logFile      = "log"
	resultFile   = "result.json"
)

// Watch is told what a run does. Both may be nil.
type Watch struct {
	Progress func(done, total int64)
	Log      func(text string) // whole lines
}

// Executor runs a task to its end and returns its outputs. When ctx ends, nothing of the run is left when Run returns. What is wrong
// with the inputs is fault.Invalid, what took too long fault.Timeout, what took too much memory fault.TooLarge.
type Executor interface {
	Run(ctx context.Context, t Task, w Watch) (map[string]json.RawMessage, error)
}

// result is what a child leaves.
type result struct {
	Outputs map[string]json.RawMessage `json:"outputs,omitempty"`
	Kind    string                     `json:"kind,omitempty"` // of the fault; empty: it went well
	Public  string                     `json:"public,omitempty"`
	Detail  string                     `json:"detail,omitempty"` // for the log
}

// write stores a JSON file whole.
func write(path string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, body, 0o600, renameio.WithTempDir(filepath.Dir(path)))
}

// read loads a JSON file; it reports false when there is none.
func read(path string, into any) (bool, error) {
	body, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return false, fmt.Errorf("runner: %s: %w", filepath.Base(path), err)
	}
	return true, nil
}

// outcome turns a child's result into what Run returns.
func (r result) outcome() (map[string]json.RawMessage, error) {
	if r.Kind == "" {
		return r.Outputs, nil
	}
	for _, k := range fault.Kinds() {
		if k.String() == r.Kind && k != fault.Internal {
			return nil, fault.New(k, "%s", r.Public)
		}
	}
	return nil, fmt.Errorf("runner: %s", r.Detail)
}

// tail follows the files that a child writes.
type tail struct {
	task   Task
	watch  Watch
	offset int64
	rest   string
	last   [2]int64
}

// look tells what is new.
func (t *tail) look(end bool) {
	var at [2]int64
	if ok, err := read(filepath.Join(t.task.Folder, progressFile), &at); ok && err == nil && at != t.last && t.watch.Progress != nil {
		t.last = at
		t.watch.Progress(at[0], at[1])
	}
	if t.watch.Log == nil {
		return
	}
	text := t.rest + t.unread()
	t.rest = ""
	if !end {
		text, t.rest = wholeLines(text)
	}
	if text != "" {
		t.watch.Log(text)
	}
}

// unread returns what was written to the log since the last look, at most a MiB of it.
func (t *tail) unread() string {
	f, err := os.Open(filepath.Join(t.task.Folder, logFile))
	if err != nil {
		return ""
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	n, _ := f.ReadAt(buf, t.offset) //nolint:errcheck // the end of the file is where it is
	t.offset += int64(n)
	return string(buf[:n])
}

// wholeLines cuts a text behind its last line's end.
func wholeLines(text string) (lines, rest string) {
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == '\n' {
			return text[:i+1], text[i+1:]
		}
	}
	return "", text
}
