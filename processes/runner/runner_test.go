package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"swath/chains"
	"swath/fault"
	"swath/processes/runner"
)

// Inputs of the chain "misbehave".
type Inputs struct {
	How   string  `json:"how" doc:"what to do"`
	Floor float64 `json:"floor,omitempty" doc:"a number"`
}

// Outputs of it.
type Outputs struct {
	Said string `json:"said" doc:"what was done"`
}

func misbehave(ctx context.Context, in Inputs, ws chains.Workspace, progress chains.Progress) (Outputs, error) {
	progress(1, 4)
	fmt.Fprintln(os.Stderr, "pid", os.Getpid())
	switch in.How {
	case "well":
		progress(4, 4)
		return Outputs{Said: "well, on " + strconv.Itoa(ws.Threads)}, nil
	case "panic":
		panic("at the disco")
	case "crash":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
	case "exit":
		os.Exit(3)
	case "refuse":
		return Outputs{}, fault.New(fault.Invalid, "input %q: makes no sense", "how")
	case "eat":
		var all [][]byte
		for ctx.Err() == nil {
			block := make([]byte, 4<<20)
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			all = append(all, block)
			time.Sleep(time.Millisecond)
		}
		return Outputs{Said: strconv.Itoa(len(all))}, nil
	}
	time.Sleep(time.Hour)
	return Outputs{}, nil
}

func find(id string) (chains.Chain, bool) {
	return chains.Define(chains.About{ID: "misbehave"}, misbehave), id == "misbehave"
}

func TestMain(m *testing.M) {
	if os.Getenv("SWATH_RUNNER") == "test" && len(os.Args) == 2 {
		os.Exit(runner.Main(context.Background(), os.Args[1], find, os.Stdin))
	} else if os.Getenv("SWATH_RUNNER") == "batch" {
		os.Exit(runner.Main(context.Background(), os.Args[1], find, nil))
	}
	os.Setenv("SWATH_RUNNER", "test")
	os.Exit(m.Run())
}

func task(t *testing.T, how string) runner.Task {
	dir := t.TempDir()
	task := runner.Task{Chain: "misbehave", Inputs: map[string]json.RawMessage{"how": json.RawMessage(strconv.Quote(how))}, Folder: dir,
		Scratch: filepath.Join(dir, "scratch"), Out: filepath.Join(dir, "out"), Threads: 1, MemoryMiB: 300, Time: time.Minute}
	for _, sub := range []string{task.Scratch, task.Out} {
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return task
}

// seen keeps what a run told.
type seen struct {
	progress [][2]int64
	log      strings.Builder
}

func (s *seen) watch() runner.Watch {
	return runner.Watch{
		Progress: func(done, total int64) { s.progress = append(s.progress, [2]int64{done, total}) },
		Log:      func(text string) { s.log.WriteString(text) },
	}
}

// child returns the process that the log names.
func (s *seen) child(t *testing.T) int {
	t.Helper()
	_, rest, ok := strings.Cut(s.log.String(), "pid ")
	pid, err := strconv.Atoi(strings.Fields(rest + " -")[0])
	if !ok || err != nil {
		t.Fatalf("no pid in %q", s.log.String())
	}
	return pid
}

var local = runner.Local{Command: []string{os.Args[0]}}

// ends holds an executor against how runs of "misbehave" end. A crash and an exit tell nothing of themselves: says is what the executor does.
func ends(t *testing.T, e runner.Executor, crash, exit string) {
	for name, tc := range map[string]struct {
		how  string
		kind fault.Kind
		says string
	}{
		"well":                 {"well", -1, ""},
		"a panic":              {"panic", fault.Internal, "at the disco"},
		"a crash":              {"crash", fault.Internal, crash},
		"an exit":              {"exit", fault.Internal, exit},
		"inputs without sense": {"refuse", fault.Invalid, `input "how": makes no sense`},
		"too much memory":      {"eat", fault.TooLarge, "it may take 300"},
		"too much time":        {"sleep", fault.Timeout, "longer than 2s"},
	} {
		t.Run(name, func(t *testing.T) {
			var s seen
			task := task(t, tc.how)
			if tc.how == "sleep" {
				task.Time = 2 * time.Second
			}
			outputs, err := e.Run(t.Context(), task, s.watch())
			if tc.kind < 0 {
				if err != nil || string(outputs["said"]) != `"well, on 1"` || len(s.progress) == 0 || s.progress[len(s.progress)-1] != [2]int64{4, 4} || !strings.Contains(s.log.String(), "pid ") {
					t.Errorf("%s, %v, progress %v, log %q", outputs["said"], err, s.progress, s.log.String())
				}
				return
			}
			if kind, _ := fault.Of(err); err == nil || kind != tc.kind || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v (%v), want %v that says %q; log %q", err, kind, tc.kind, tc.says, s.log.String())
			}
		})
	}
	t.Run("given up", func(t *testing.T) {
		var s seen
		ctx, giveUp := context.WithCancel(t.Context())
		watch := s.watch()
		watch.Progress = func(int64, int64) { giveUp() }
		if _, err := e.Run(ctx, task(t, "sleep"), watch); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		child, gone := s.child(t), false // it is dead, and buried in a moment
		for range 100 {
			if gone = errors.Is(syscall.Kill(child, 0), syscall.ESRCH); gone {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if !gone {
			t.Error("the child is still there")
		}
	})
}

func TestLocal(t *testing.T) { ends(t, local, "without a result", "exit status 3") }
