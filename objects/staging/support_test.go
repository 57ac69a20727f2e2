package staging

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swath/internal/testdb"
	"swath/objects"
	"swath/objects/copies"
)

// library is a store with a tape library behind it, and all that it holds archived.
type library struct {
	t      *testing.T
	url    string
	dir    string
	copies *copies.Store
	plain  objects.Store
	tape   objects.Archive
	store  *Store
	keys   []string
	bytes  map[string][]byte
}

// quick is a keeper that waits for nothing.
func quick() Config {
	return Config{Keep: time.Hour, LeastLife: time.Nanosecond, BatchWait: time.Nanosecond, Tick: 2 * time.Millisecond, Backoff: time.Millisecond, Tries: 100}
}

func newLibrary(t *testing.T, n, size int, cfg objects.TapeConfig) *library {
	t.Helper()
	l := &library{t: t, url: testdb.New(t), dir: scratch(t), bytes: map[string][]byte{}}
	l.open(cfg)
	rng := rand.New(rand.NewPCG(7, 7))
	var all []Archived
	for i := range n {
		key, body := fmt.Sprintf("c/item%04d/r/data.bin", i), make([]byte, size)
		for j := range body {
			body[j] = byte(rng.Uint32())
		}
		if _, err := l.plain.Put(t.Context(), key, "application/x-test", bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		l.keys, l.bytes[key] = append(l.keys, key), body
		all = append(all, Archived{key, "c", fmt.Sprintf("item%04d", i)})
	}
	if got, err := l.store.Archive(t.Context(), all); err != nil || got != int64(n*size) {
		t.Fatal(got, err)
	}
	if err := l.keeper(quick()).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.states(map[copies.State]int{copies.Cold: n})
	return l
}

// scratch is a folder in memory where there is one: what these tests kill is the program, not the machine, and nothing is gained by waiting
// for a disk ten thousand times.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "swath-staging-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (l *library) open(cfg objects.TapeConfig) {
	var err error
	if l.copies, err = copies.Open(context.Background(), l.url); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(l.copies.Close)
	if err := l.copies.Look(context.Background(), true); err != nil {
		l.t.Fatal(err)
	}
	if l.plain, err = objects.OpenFolder(filepath.Join(l.dir, "objects")); err != nil {
		l.t.Fatal(err)
	}
	if l.tape, err = objects.OpenTape(filepath.Join(l.dir, "tape"), l.plain, cfg); err != nil {
		l.t.Fatal(err)
	}
	l.store = NewStore(l.plain, l.copies, l.tape)
}

func (l *library) keeper(cfg Config) *Keeper { return NewKeeper(l.copies, l.tape, l.plain, cfg) }

// order asks for one file.
func (l *library) order(owner, key string) string {
	l.t.Helper()
	id, err := l.copies.Order(l.t.Context(), copies.Asking{Owner: owner, Lane: copies.LaneUser, Files: []copies.File{{Key: key, Asset: "data"}}, Single: true})
	if err != nil {
		l.t.Fatal(err)
	}
	return id
}

// states checks how many copies are in which state.
func (l *library) states(want map[copies.State]int) {
	l.t.Helper()
	f, err := l.copies.Figures(context.Background())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, s := range copies.States {
		if int(f.Copies[s]) != want[s] {
			l.t.Fatalf("%d copies are %s, want %d: %v", f.Copies[s], s, want[s], f.Copies)
		}
	}
}

// read reads an object through the store, which must have the right bytes.
func (l *library) read(key string) error {
	o, err := l.store.Open(context.Background(), key)
	if err != nil {
		return err
	}
	defer o.Close()
	got, err := io.ReadAll(objects.Stream(o, 0, o.Info().Size))
	if err == nil && !bytes.Equal(got, l.bytes[key]) {
		err = fmt.Errorf("%s: other bytes, %x", key, sha256.Sum256(got))
	}
	return err
}

// restores returns the lines of the tape's log: how often a restore of each object began, and how often one began while another was
// under way.
func (l *library) restores() (began, twice int) {
	l.t.Helper()
	text, err := os.ReadFile(filepath.Join(l.dir, "tape", "log"))
	if err != nil && !os.IsNotExist(err) {
		l.t.Fatal(err)
	}
	attempt := map[string]string{}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		key := f[4]
		if f[0] == "came" {
			delete(attempt, key)
			continue
		}
		began++
		if f[1] == "1" && attempt[key] != "" {
			twice++
		}
		attempt[key] = f[1]
	}
	return began, twice
}

// onDisk returns the bytes that the store holds.
func (l *library) onDisk() (n int64) {
	for info, err := range l.plain.List(context.Background(), "") {
		if err != nil {
			l.t.Fatal(err)
		}
		n += info.Size
	}
	return n
}

// until waits for something, while the keeper of another goroutine or process works.
func (l *library) until(what string, done func() bool) {
	l.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("still not: %s", what)
		}
	}
}

var silent = slog.New(slog.DiscardHandler)
