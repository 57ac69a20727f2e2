package mirror

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"swath/ingest/hub"
	"swath/ingest/hub/cdse"
	"swath/ingest/hub/wire"
	"swath/ingest/ledger"
	"swath/internal/hubtest"
	"swath/internal/testdb"
)

// shelf is an intake that keeps the MD5 of what it is given, as a catalog keeps items: it outlives the mirrors of a test.
type shelf struct {
	mu    sync.Mutex
	items map[string]string
	adds  int
}

func (s *shelf) Add(ctx context.Context, path string) (collection, item string, err error) {
	body, err := os.ReadFile(path)
	if info, isDir := os.Stat(path); isDir == nil && info.IsDir() {
		body, err = hubtest.Repack(path)
	} else if z, isZip := zip.NewReader(bytes.NewReader(body), int64(len(body))); isZip == nil {
		path = z.File[0].Name // as ingest does, it goes by what is inside
	}
	if err != nil {
		return "", "", err
	}
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	sum := md5.Sum(body)
	item = hubtest.Proper(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items[item] = hex.EncodeToString(sum[:])
	s.adds++
	return "sentinel-2-l1c", item, nil
}

func (s *shelf) Remove(_ context.Context, _, item string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.items, item)
	return nil
}

func (s *shelf) Collect(context.Context) error { return nil }

// names is an intake that keeps what a product's METADATA.DIM says.
type names struct {
	mu    sync.Mutex
	items map[string]string
}

func (n *names) Add(_ context.Context, path string) (collection, item string, err error) {
	body, err := os.ReadFile(filepath.Join(path, "METADATA.DIM"))
	n.mu.Lock()
	defer n.mu.Unlock()
	n.items[filepath.Base(path)] = string(body)
	return "spot", filepath.Base(path), err
}

func (n *names) Remove(_ context.Context, _, item string) error {
	delete(n.items, item)
	return nil
}

func (n *names) Collect(context.Context) error { return nil }

func (n *names) list() string { return strings.Join(slices.Sorted(maps.Keys(n.items)), " ") }

// open makes a mirror of a served archive, as a process that starts does.
func open(t *testing.T, s *hubtest.Server, database, work string, in Intake) (*Mirror, *ledger.Ledger) {
	t.Helper()
	return openAs(t, hubtest.Password, s, database, work, in)
}

func openAs(t *testing.T, password string, s *hubtest.Server, database, work string, in Intake) (*Mirror, *ledger.Ledger) {
	t.Helper()
	return openWith(t, func(w *wire.Config) { w.Login.Password = password }, s, database, work, in)
}

// quota says what a hub allows.
func quota(requestsPerMinute float64, connections int) func(*wire.Config) {
	return func(w *wire.Config) { w.Quota = wire.NewQuota(requestsPerMinute, connections, nil) }
}

// openWith changes how the hub is reached.
func openWith(t *testing.T, change func(*wire.Config), s *hubtest.Server, database, work string, in Intake) (*Mirror, *ledger.Ledger) {
	t.Helper()
	w := quick(s)
	change(&w)
	h, err := cdse.New(cdse.Config{Catalogue: s.Catalogue, Collection: "SENTINEL-2", Page: 100, Wire: w})
	if err != nil {
		t.Fatal(err)
	}
	return keep(t, h, database, work, in)
}

// keep makes the mirror of a hub.
func keep(t *testing.T, h hub.Hub, database, work string, in Intake) (*Mirror, *ledger.Ledger) {
	t.Helper()
	l, err := ledger.Open(t.Context(), database, "test")
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Name: "test", Work: work, Since: time.Now().Add(-60 * 24 * time.Hour), Backoff: 5 * time.Millisecond, MostBackoff: 50 * time.Millisecond,
		Quarantine: time.Hour, Stall: 300 * time.Millisecond, SweepDays: 35, KeepFree: 1}, h, l, in, slog.New(slog.NewTextHandler(io.Discard, nil))), l
}

// equals compares the shelf with what the hub has.
func (s *shelf) equals(t *testing.T, a *hubtest.Archive) {
	t.Helper()
	s.equalsBut(t, a, "")
}

// equalsBut takes the products of a kind for sound.
func (s *shelf) equalsBut(t *testing.T, a *hubtest.Archive, sound string) {
	t.Helper()
	truth, _ := a.TruthBut(sound)
	s.mu.Lock()
	defer s.mu.Unlock()
	missing, wrong, spare := 0, 0, 0
	for name, sum := range truth {
		switch s.items[name] {
		case "":
			missing++
		case sum:
		default:
			wrong++
		}
	}
	for name := range s.items {
		if truth[name] == "" {
			spare++
		}
	}
	if missing+wrong+spare > 0 || len(truth) == 0 {
		t.Errorf("of %d products %d are missing, %d have other bytes, and %d are there that should not be", len(truth), missing, wrong, spare)
	}
}

// TestMirror: the products of a hub that fails in every way end as the hub has them, before and after it changed, in few bytes and
// requests; also when the mirror is killed again and again. With SWATH_TEST_LONG=1 these are 1,000 products and 50 kills.
func TestMirror(t *testing.T) {
	products, most := 100, 10
	if os.Getenv("SWATH_TEST_LONG") == "1" {
		products, most = 1000, 50
	}
	run := func(t *testing.T, profile hubtest.Profile, kills int) (bytes, requests, days int64, rows int) {
		archive := hubtest.NewArchive(7, products, hubtest.Nasty)
		s := hubtest.Serve(t, archive, hubtest.Options{Seed: 11, Profile: profile})
		database, work, in := testdb.New(t), t.TempDir(), &shelf{items: map[string]string{}}
		random := rand.New(rand.NewPCG(3, 3))
		once := func() {
			for {
				m, l := open(t, s, database, work, in)
				ctx, kill := context.WithCancel(t.Context())
				if kills > 0 {
					kills--
					time.AfterFunc(time.Duration(random.Int64N(int64(150*time.Millisecond))), kill)
				}
				err := m.Once(ctx)
				kill()
				l.Close()
				if err == nil {
					return
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			}
		}
		once()
		in.equals(t, archive)
		archive.Live()
		kills /= 2
		once()
		in.equals(t, archive)
		m, l := open(t, s, database, work, in)
		defer l.Close()
		status, err := l.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := int64(archive.Unsafe()); status.Quarantined != want || status.Wanted != 0 {
			t.Errorf("%+v, want %d in quarantine", status, want)
		}
		before := s.Requests.Load()
		if err := m.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if spent := s.Requests.Load() - before; spent > 3*10 {
			t.Errorf("looking again cost %d requests", spent)
		}
		left, err := os.ReadDir(work)
		if err != nil || len(left) > 0 {
			t.Errorf("%d folders of parts stay, %v", len(left), err)
		}
		return s.Bytes.Load(), s.Requests.Load() - s.Days.Load(), s.Days.Load(), archive.Rows()
	}
	var clean int64
	t.Run("clean", func(t *testing.T) {
		clean, _, _, _ = run(t, hubtest.None, 0)
	})
	t.Run("nasty", func(t *testing.T) {
		bytes, requests, days, rows := run(t, hubtest.Nasty, 0)
		t.Logf("%d rows: %d bytes, %.2f times the clean run's; %.2f requests a row beside %d for days", rows, bytes, float64(bytes)/float64(clean), float64(requests)/float64(rows), days)
		if float64(requests) > 2.8*float64(rows)+100 { // and three lists, however often and whatever is in them
			t.Errorf("%d requests", requests)
		}
		if float64(bytes) > 1.6*float64(clean) {
			t.Errorf("%d bytes, of a clean run %d", bytes, clean)
		}
	})
	t.Run("killed", func(t *testing.T) {
		run(t, hubtest.Nasty, most)
	})
}

// TestOneKeeper: a mirror is kept by one process.
func TestOneKeeper(t *testing.T) {
	s := hubtest.Serve(t, hubtest.NewArchive(1, 5, hubtest.Nasty), hubtest.Options{Seed: 1})
	database := testdb.New(t)
	_, l := open(t, s, database, t.TempDir(), &shelf{})
	if _, err := ledger.Open(t.Context(), database, "test"); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second keeper: %v", err)
	}
	l.Close()
	again, err := ledger.Open(t.Context(), database, "test")
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// TestClock: a hub whose clock jumps is not believed, and loses nothing.
func TestClock(t *testing.T) {
	archive := hubtest.NewArchive(2, 50, hubtest.Nasty)
	s := hubtest.Serve(t, archive, hubtest.Options{Seed: 2})
	in := &shelf{items: map[string]string{}}
	m, l := open(t, s, testdb.New(t), t.TempDir(), in)
	defer l.Close()
	if err := m.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	archive.Live()
	s.Skew = 5 * time.Hour
	if err := m.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), "clock jumped") {
		t.Errorf("a jump of the clock: %v", err)
	}
	s.Skew = 0
	kept := maps.Clone(in.items)
	if err := m.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if in.equals(t, archive); maps.Equal(kept, in.items) {
		t.Error("nothing has changed")
	}
}

// TestLogin: an account that is refused stops the mirror, and puts no product into quarantine.
func TestLogin(t *testing.T) {
	archive := hubtest.NewArchive(3, 20, hubtest.Nasty)
	s := hubtest.Serve(t, archive, hubtest.Options{Seed: 3})
	database, work, in := testdb.New(t), t.TempDir(), &shelf{items: map[string]string{}}
	m, l := openAs(t, "wrong", s, database, work, in)
	if err := m.Once(t.Context()); !errors.Is(err, hub.ErrLogin) {
		t.Errorf("a wrong password: %v", err)
	}
	if status, err := l.Status(t.Context()); err != nil || status.Wanted == 0 || status.Quarantined != 0 {
		t.Errorf("%+v, %v", status, err)
	}
	l.Close()
	m, l = open(t, s, database, work, in)
	defer l.Close()
	if err := m.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.equals(t, archive)
}

// TestGone: a product that leaves the hub between its listing and its download leaves nothing here.
func TestGone(t *testing.T) {
	archive := hubtest.NewArchive(4, 0, hubtest.Nasty)
	archive.Put("brief", "brief", []byte("soon gone"), time.Now().UTC())
	s := hubtest.Serve(t, archive, hubtest.Options{Seed: 4})
	work := t.TempDir()
	m, l := open(t, s, testdb.New(t), work, &shelf{items: map[string]string{}})
	defer l.Close()
	if err := m.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	archive.Delete("brief")
	if err := m.work(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if status, err := l.Status(t.Context()); err != nil || status.Gone != 1 {
		t.Errorf("%+v, %v", status, err)
	}
	if left, err := os.ReadDir(work); err != nil || len(left) > 0 {
		t.Errorf("%d folders stay, %v", len(left), err)
	}
}
