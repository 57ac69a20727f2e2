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

func TestARunEndsAsItShould(t *testing.T) {
	for name, tc := range map[string]struct {
		how  string
		kind fault.Kind
		says string
	}{
		"well":                 {"well", -1, ""},
		"a panic":              {"panic", fault.Internal, "at the disco"},
		"a crash":              {"crash", fault.Internal, "without a result"},
		"an exit":              {"exit", fault.Internal, "exit status 3"},
		"inputs without sense": {"refuse", fault.Invalid, `input "how": makes no sense`},
		"too much memory":      {"eat", fault.TooLarge, "it may take 300"},
	} {
		t.Run(name, func(t *testing.T) {
			var s seen
			outputs, err := local.Run(t.Context(), task(t, tc.how), s.watch())
			if tc.kind < 0 {
				if err != nil || string(outputs["said"]) != `"well, on 1"` || len(s.progress) == 0 || s.progress[len(s.progress)-1] != [2]int64{4, 4} {
					t.Errorf("%s, %v, progress %v", outputs["said"], err, s.progress)
				}
				return
			}
			kind, _ := fault.Of(err)
			if err == nil || kind != tc.kind || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v (%v), want %v that says %q", err, kind, tc.kind, tc.says)
			}
		})
	}
}

func TestARunThatTakesTooLongIsEnded(t *testing.T) {
	var s seen
	long := task(t, "sleep")
	long.Time = 2 * time.Second
	if _, err := local.Run(t.Context(), long, s.watch()); !fault.Is(err, fault.Timeout) {
		t.Errorf("got %v", err)
	}
	if err := syscall.Kill(s.child(t), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the child is still there: %v", err)
	}
}

func TestARunThatIsGivenUpLeavesNothing(t *testing.T) {
	var s seen
	ctx, cancel := context.WithCancel(t.Context())
	watch := s.watch()
	watch.Progress = func(int64, int64) { cancel() }
	if _, err := local.Run(ctx, task(t, "sleep"), watch); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := syscall.Kill(s.child(t), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the child is still there: %v", err)
	}
}
