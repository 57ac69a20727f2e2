package staging

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"swath/fault"
	"swath/objects"
	"swath/objects/copies"
)

// mortal is what a keeper in a process of its own is told by its environment.
const mortal = "SWATH_TEST_KEEPER" // url, folder and place of death, by spaces

func TestMain(m *testing.M) {
	if told := os.Getenv(mortal); told != "" {
		keepAndDie(strings.Fields(told))
		return
	}
	os.Exit(m.Run())
}

// keepAndDie keeps copies until it gets to a place the nth time: a state that a copy was moved to, or the begin or end of a call of the
// archive. There it kills itself, so that nothing is put away.
func keepAndDie(told []string) {
	url, dir, place := told[0], told[1], told[2]
	left, err := strconv.Atoi(told[3])
	if err != nil {
		panic(err)
	}
	reached := func(at string) {
		if at != place {
			return
		}
		if left--; left <= 0 {
			syscall.Kill(os.Getpid(), syscall.SIGKILL) //nolint:errcheck // it can't fail
			select {}
		}
	}
	c, err := copies.Open(context.Background(), url)
	if err != nil {
		panic(err)
	}
	plain, err := objects.OpenFolder(dir + "/objects")
	if err != nil {
		panic(err)
	}
	tape, err := objects.OpenTape(dir+"/tape", plain, killed)
	if err != nil {
		panic(err)
	}
	cfg := killedKeeper()
	cfg.Log = slog.New(deathNotice{reached})
	NewKeeper(c, watched{tape, reached}, plain, cfg).Run(context.Background()) //nolint:errcheck // it never ends
}

// killed is the library of this test, in which a fifth of the restores fail.
var killed = objects.TapeConfig{VolumeBytes: 5000, Seek: time.Millisecond, FailPercent: 20, Seed: 3}

const killedBuffer = 12_000

func killedKeeper() Config {
	cfg := quick()
	cfg.Keep, cfg.BufferBytes, cfg.LeastLife = 40*time.Millisecond, killedBuffer, 10*time.Millisecond
	return cfg
}

// deathNotice hears of moves, which the keeper logs when they are done.
type deathNotice struct{ reached func(string) }

func (d deathNotice) Enabled(context.Context, slog.Level) bool { return true }
func (d deathNotice) WithAttrs([]slog.Attr) slog.Handler       { return d }
func (d deathNotice) WithGroup(string) slog.Handler            { return d }
func (d deathNotice) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if r.Message == "copy moved" && a.Key == "to" {
			d.reached(a.Value.String())
		}
		return true
	})
	return nil
}

// watched is an archive whose calls are places of death.
type watched struct {
	objects.Archive
	reached func(string)
}

func (w watched) Restore(ctx context.Context, keys []string, days int, tier string) (map[string]error, error) {
	w.reached("before-restore")
	refused, err := w.Archive.Restore(ctx, keys, days, tier)
	w.reached("after-restore")
	return refused, err
}

func (w watched) Release(ctx context.Context, keys []string) error {
	w.reached("before-release")
	err := w.Archive.Release(ctx, keys)
	w.reached("after-release")
	return err
}

// TestKilledKeeper: the keeper is killed twenty times at each state and at each call of the archive, while users order and read. No request
// is lost, no restore is begun while it is under way, the buffer is never overdrawn, and what is read is whole.
func TestKilledKeeper(t *testing.T) {
	if testing.Short() {
		t.Skip("starts hundreds of processes")
	}
	places, times := []string{"restoring", "verifying", "online", "evicting", "cold", "failed", "queued", "before-restore", "after-restore", "before-release", "after-release"}, 20
	const n, size = 24, 1000
	l := newLibrary(t, n, size, killed)
	l.store.pinTime = 200 * time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var orders sync.Map
	var reads, most atomic.Int64
	var users sync.WaitGroup
	for user := range 3 {
		users.Go(func() {
			rng := rand.New(rand.NewPCG(11, uint64(user)))
			for ctx.Err() == nil {
				key := l.keys[rng.IntN(n)]
				switch err := l.read(key); {
				case err == nil:
					reads.Add(1)
				case !fault.Is(err, fault.Offline):
					t.Error(err)
					return
				default:
					id, err := l.copies.Order(context.Background(), copies.Asking{Owner: fmt.Sprint(user), Lane: copies.LaneUser, Files: []copies.File{{Key: key, Asset: "data"}}, Single: true})
					if err != nil {
						t.Error(err)
						return
					}
					orders.Store(id, key)
				}
				pause(ctx, 5*time.Millisecond)
			}
		})
	}
	users.Go(func() {
		for ctx.Err() == nil {
			room, err := l.copies.Room(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			if most.Store(max(most.Load(), room.Used, l.onDisk())); most.Load() > killedBuffer {
				t.Errorf("the buffer of %d holds %d bytes, and the disk %d", killedBuffer, room.Used, l.onDisk())
				return
			}
			pause(ctx, 3*time.Millisecond)
		}
	})
	rng, kills := rand.New(rand.NewPCG(5, 5)), 0
	for range times {
		for _, place := range places {
			if t.Failed() {
				break
			}
			life, end := context.WithTimeout(ctx, 30*time.Second)
			cmd := exec.CommandContext(life, os.Args[0])
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s %d", mortal, l.url, l.dir, place, 1+rng.IntN(3)))
			out, err := cmd.CombinedOutput()
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); err == nil || !ok || status.Signal() != syscall.SIGKILL || life.Err() != nil {
				t.Errorf("killed at %s: %v %v\n%s", place, err, life.Err(), out)
			}
			end()
			kills++
		}
	}
	stop()
	users.Wait()
	cfg := killedKeeper()
	cfg.Log = silent
	k := l.keeper(cfg)
	l.until("nothing waits", func() bool {
		if err := k.Locked(context.Background(), k.Once); err != nil && !fault.Is(err, fault.Conflict) {
			t.Fatal(err)
		}
		f, err := l.copies.Figures(context.Background())
		return err == nil && f.Open == 0 && f.Copies[copies.Cold] == n
	})
	count := 0
	orders.Range(func(id, _ any) bool {
		count++
		if o, err := l.copies.OrderOf(context.Background(), id.(string)); err != nil || o.Served != 1 {
			t.Errorf("a request was lost: %+v, %v", o, err)
		}
		return true
	})
	began, twice := l.restores()
	if twice > 0 {
		t.Errorf("%d of %d restores were begun while they were under way", twice, began)
	}
	t.Logf("%d kills, %d orders, %d restores, %d reads, at most %d bytes in a buffer of %d", kills, count, began, reads.Load(), most.Load(), killedBuffer)
}
