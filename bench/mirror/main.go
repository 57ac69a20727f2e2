// Command mirror measures what keeping a mirror costs beside the hub: taking in its lists, fetching its products, and looking for news in
// a ledger of the size of the whole archive.
//
//	go run ./bench/mirror sync            rows of a fast hub into the ledger
//	go run ./bench/mirror fetch           large files over four connections, CPU seconds a GB; -blake3: of a hub that says BLAKE3; -rate 100: at 100 MB/s
//	go run ./bench/mirror ledger -rows N  a cycle with nothing new over N rows
//
// Hubs are other processes on the same machine, so that what is measured is ours alone. The database is a private cluster in -dir.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"swath/catalog/cluster"
	"swath/fetch"
	"swath/ingest/hub/cdse"
	"swath/ingest/hub/wire"
	"swath/ingest/ledger"
	"swath/ingest/mirror"
	"swath/migrations"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("sync, fetch or ledger"))
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	dir := flags.String("dir", filepath.Join(os.TempDir(), "swath-bench-mirror"), "folder of the database and the downloads")
	rows := flags.Int("rows", 17_700_000, "of the ledger")
	products := flags.Int("products", 100_000, "of the hub whose lists are taken in")
	files := flags.Int("files", 24, "that are fetched")
	mib := flags.Int("mib", 256, "of each file")
	rate := flags.Float64("rate", 0, "MB a second of all downloads that are summed; 0: as fast as they come")
	modern := flags.Bool("blake3", false, "the hub says BLAKE3 beside MD5")
	flags.Parse(os.Args[2:]) //nolint:errcheck // it exits
	var err error
	switch ctx := context.Background(); os.Args[1] {
	case "serve":
		err = serve(*products, *files, int64(*mib)<<20, *modern)
	case "sync":
		err = benchSync(ctx, *dir, *products)
	case "fetch":
		err = benchFetch(ctx, *dir, *files, *mib, *modern, *rate*1e6)
	case "ledger":
		err = benchLedger(ctx, *dir, *rows)
	default:
		err = fmt.Errorf("%q is none of sync, fetch, ledger", os.Args[1])
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "mirror:", err)
	os.Exit(1)
}

// quiet is the log of what is measured.
var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// database starts the private cluster and migrates it.
func database(ctx context.Context, dir string) (url string, stop func(), err error) {
	c, err := cluster.Start(ctx, cluster.Config{DataDir: dir, Log: quiet})
	if err != nil {
		return "", nil, err
	}
	stop = func() {
		if err := c.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	return c.URL(), stop, migrations.Up(ctx, c.URL())
}

// hubOf starts the hub as another process.
func hubOf(products, files, mib int, modern bool) (h *cdse.Client, stop func(), err error) {
	c := exec.Command(os.Args[0], "serve", "-products", fmt.Sprint(products), "-files", fmt.Sprint(files), "-mib", fmt.Sprint(mib), fmt.Sprintf("-blake3=%t", modern))
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := c.Start(); err != nil {
		return nil, nil, err
	}
	var address string
	if _, err := fmt.Fscanln(out, &address); err != nil {
		return nil, nil, err
	}
	h, err = cdse.New(cdse.Config{Catalogue: "http://" + address, Collection: "SENTINEL-2", Wire: wire.Config{Tries: 1}})
	return h, func() { c.Process.Kill(); c.Wait() }, err //nolint:errcheck // it has served
}

// use is what a process has used.
type use struct {
	wall time.Time
	cpu  time.Duration
}

func used() use {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		fail(err)
	}
	return use{time.Now(), time.Duration(r.Utime.Nano() + r.Stime.Nano())}
}

func (u use) since() (wall, cpu float64) {
	now := used()
	return now.wall.Sub(u.wall).Seconds(), (now.cpu - u.cpu).Seconds()
}

// peak is the most memory that this process had resident, MiB.
func peak() (mib int) {
	body, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			fmt.Sscan(rest, &mib) //nolint:errcheck // 0 is seen
		}
	}
	return mib / 1024
}

// nothing is an intake that takes everything and keeps nothing.
type nothing struct{}

func (nothing) Add(_ context.Context, path string) (collection, item string, err error) {
	return "bench", filepath.Base(path), os.Remove(path)
}
func (nothing) Collect(context.Context) error                { return nil }
func (nothing) Remove(context.Context, string, string) error { return nil }

// fresh empties the ledger of the bench.
func fresh(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "truncate mirror_product, mirror_cursor, mirror_count, mirror_delay")
	return err
}

// bench opens the mirror of a hub with so many products, and its ledger.
func bench(ctx context.Context, dir, url string, products int) (m *mirror.Mirror, l *ledger.Ledger, end func(), err error) {
	h, endHub, err := hubOf(products, 0, 0, false)
	if err != nil {
		return nil, nil, nil, err
	}
	if l, err = ledger.Open(ctx, url, "bench"); err != nil {
		endHub()
		return nil, nil, nil, err
	}
	m = mirror.New(mirror.Config{Name: "bench", Work: dir, Since: first}, h, l, nothing{}, quiet)
	return m, l, func() { l.Close(); endHub() }, nil
}

func benchSync(ctx context.Context, dir string, products int) error {
	url, stop, err := database(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()
	if err := fresh(ctx, url); err != nil {
		return err
	}
	m, _, end, err := bench(ctx, dir, url, products)
	if err != nil {
		return err
	}
	defer end()
	began := used()
	if err := m.Sync(ctx); err != nil {
		return err
	}
	wall, cpu := began.since()
	fmt.Printf("sync: %d rows in %.1f s: %.0f a second; %.1f s of our CPU, %d MiB at most\n", products, wall, float64(products)/wall, cpu, peak())
	return nil
}

func benchFetch(ctx context.Context, dir string, files, mib int, modern bool, bytesPerS float64) error {
	url, stop, err := database(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()
	if err := fresh(ctx, url); err != nil {
		return err
	}
	h, end, err := hubOf(0, files, mib, modern)
	if err != nil {
		return err
	}
	defer end()
	l, err := ledger.Open(ctx, url, "bench")
	if err != nil {
		return err
	}
	defer l.Close()
	work := filepath.Join(dir, "fetch")
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(work)
	m := mirror.New(mirror.Config{Name: "bench", Work: work, Since: first, BytesPerS: bytesPerS}, h, l, nothing{}, quiet)
	if err := m.Sync(ctx); err != nil {
		return err
	}
	gb := float64(files) * float64(mib) * (1 << 20) / 1e9
	began := used()
	if err := bare(ctx, h, l, work); err != nil {
		return err
	}
	tell := func(what string) {
		wall, cpu := began.since()
		fmt.Printf("%s: %.1f GB in %.1f s: %.0f MB/s; %.2f s of our CPU a GB (%.0f %% of a core at 100 MB/s), %d MiB at most\n", what, gb, wall, 1000*gb/wall, cpu/gb, 10*cpu/gb, peak())
	}
	tell("fetch alone")
	began = used()
	if err := m.Once(ctx); err != nil {
		return err
	}
	tell("fetch, sums and zip")
	status, err := l.Status(ctx)
	if err == nil && status.Held != int64(files) {
		err = fmt.Errorf("%d of %d are held", status.Held, files)
	}
	return err
}

// bare fetches all that waits over four connections, and looks at nothing.
func bare(ctx context.Context, h *cdse.Client, l *ledger.Ledger, work string) error {
	due, err := l.Due(ctx, 1000, nil)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, e := range due {
		group.Go(func() error {
			c, err := h.Contents(ctx, e.Product)
			if err != nil {
				return err
			}
			part := filepath.Join(work, fmt.Sprintf("bare-%d", i))
			if err := fetch.Into(ctx, c.Files[0].Open, part, fetch.Options{Most: e.Bytes, Stall: time.Minute}); err != nil {
				return err
			}
			return fetch.Remove(part)
		})
	}
	return group.Wait()
}
