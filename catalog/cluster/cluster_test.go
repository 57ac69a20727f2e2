package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"swath/fault"
)

var quiet = slog.New(slog.DiscardHandler)

// openDir returns a new folder that other accounts may pass through: tests that run as root lend theirs to postgres.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, at := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func start(t *testing.T, dir string) *Cluster {
	t.Helper()
	begin := time.Now()
	c, err := Start(t.Context(), Config{DataDir: dir, Log: quiet})
	if errors.Is(err, ErrNotInstalled) && os.Getenv("SWATH_TEST_REQUIRE_ALL") != "1" {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %v", time.Since(begin).Round(time.Millisecond))
	t.Cleanup(func() { stop(t, c) })
	return c
}

func stop(t *testing.T, c *Cluster) {
	t.Helper()
	begin := time.Now()
	if err := c.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	t.Logf("stopped in %v", time.Since(begin).Round(time.Millisecond))
}

var seedDir string // set once there is something to remove

var seed = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "swath-cluster-seed-")
	if err != nil {
		return "", err
	}
	seedDir = dir
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	c, err := Start(context.Background(), Config{DataDir: dir, Log: quiet})
	if err != nil {
		return dir, err
	}
	return dir, c.Stop(context.Background())
})

func TestMain(m *testing.M) {
	code := m.Run()
	if seedDir != "" {
		os.RemoveAll(seedDir)
	}
	os.Exit(code)
}

// seeded returns a data folder with a cluster that was stopped in order: a copy of one that is made once.
func seeded(t *testing.T) string {
	t.Helper()
	from, err := seed()
	if errors.Is(err, ErrNotInstalled) && os.Getenv("SWATH_TEST_REQUIRE_ALL") != "1" {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	dir := openDir(t)
	if out, err := exec.Command("cp", "-a", from+"/postgres", dir).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
	return dir
}

// query returns the first column of the first row as text.
func query(t *testing.T, url, sql string) string {
	t.Helper()
	value, err := tryQuery(t.Context(), url, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func tryQuery(ctx context.Context, url, sql string) (value string, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		value = string(rows.RawValues()[0])
	}
	return value, rows.Err()
}

// answersAgain waits until the database answers and returns how long that took since begin.
func answersAgain(t *testing.T, url string, begin time.Time) time.Duration {
	t.Helper()
	for {
		if _, err := tryQuery(t.Context(), url, "select postgis_version()"); err == nil {
			return time.Since(begin)
		} else if time.Since(begin) > 20*time.Second {
			t.Fatalf("no answer after 20 s: %v", err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// postmasterOf returns the process id of the running postgres.
func postmasterOf(t *testing.T, dir string) int {
	t.Helper()
	p, ok := readPIDFile(filepath.Join(dir, "postgres", "data"))
	if !ok {
		t.Fatal("no pid file")
	}
	return p.pid
}

func TestStart(t *testing.T) {
	dir := openDir(t)
	c := start(t, dir)
	if got := query(t, c.URL(), "show listen_addresses"); got != "" {
		t.Errorf("listens on %q, want no TCP", got)
	}
	if info, err := os.Stat(c.run); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("socket folder: %v, %v, want mode 0700", info.Mode(), err)
	}
	if owner, _ := ownerOf(fmt.Sprintf("/proc/%d", postmasterOf(t, dir))); owner.uid == 0 {
		t.Error("postgres runs as root")
	}
	for setting, want := range map[string]string{"jit": "off", "recovery_init_sync_method": "syncfs", "fsync": "on", "data_checksums": "on", "server_encoding": "UTF8"} {
		if got := query(t, c.URL(), "show "+setting); got != want {
			t.Errorf("%s = %s, want %s", setting, got, want)
		}
	}
	query(t, c.URL(), "create table kept as select 42 as n")
	stop(t, c)
	if _, err := tryQuery(t.Context(), c.URL(), "select 1"); err == nil {
		t.Error("answers after Stop")
	}
	c = start(t, dir)
	if got := query(t, c.URL(), "select n from kept"); got != "42" {
		t.Errorf("kept %q over a restart, want 42", got)
	}
}

// TestInterruptedInitialisation: what a killed first start leaves is not taken for a cluster.
func TestInterruptedInitialisation(t *testing.T) {
	dir := openDir(t)
	half := filepath.Join(dir, "postgres", "data.new")
	if err := os.MkdirAll(half, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	query(t, start(t, dir).URL(), "select postgis_version()")
	if drafts, _ := filepath.Glob(half + "*"); len(drafts) != 0 {
		t.Errorf("%v are left", drafts)
	}
}

// TestKilledInitialisation: an initdb that outlives who started it does not disturb the next one.
func TestKilledInitialisation(t *testing.T) {
	dir := os.Getenv("SWATH_CLUSTER_TEST_OWNS")
	if dir != "" {
		start(t, dir)
		return
	}
	for i := range 4 {
		dir := openDir(t)
		first := exec.Command(os.Args[0], "-test.run=^TestKilledInitialisation$")
		first.Env = append(os.Environ(), "SWATH_CLUSTER_TEST_OWNS="+dir)
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(time.Millisecond) {
			if drafts, _ := filepath.Glob(filepath.Join(dir, "postgres", "data.new*", "base")); len(drafts) > 0 {
				break
			}
		}
		time.Sleep(time.Duration(i) * 100 * time.Millisecond)
		if err := first.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		first.Wait() //nolint:errcheck // it was killed
		query(t, start(t, dir).URL(), "select postgis_version()")
	}
}

// TestKilledPostmaster: the supervisor starts postgres again, on the same address, and nothing committed is lost.
func TestKilledPostmaster(t *testing.T) {
	dir := seeded(t)
	c := start(t, dir)
	query(t, c.URL(), "create table sum (n int)")
	best := time.Hour
	for i := range 3 {
		query(t, c.URL(), fmt.Sprintf("insert into sum values (%d)", i))
		idle, err := pgx.Connect(t.Context(), c.URL()) // a backend that has to notice
		if err != nil {
			t.Fatal(err)
		}
		defer idle.Close(context.Background())
		begin := time.Now()
		if err := syscall.Kill(postmasterOf(t, dir), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		took := answersAgain(t, c.URL(), begin)
		t.Logf("answers %v after SIGKILL of the postmaster", took.Round(time.Millisecond))
		best = min(best, took)
	}
	if got := query(t, c.URL(), "select sum(n) from sum"); got != "3" {
		t.Errorf("sum = %s, want 3", got)
	}
	if best > time.Second {
		t.Errorf("best recovery took %v, want at most 1 s", best)
	}
}

// TestOwner is the process that the next test kills.
func TestOwner(t *testing.T) {
	dir := os.Getenv("SWATH_CLUSTER_TEST_OWNS")
	if dir == "" {
		t.Skip("run by TestKilledOwner")
	}
	c := start(t, dir)
	fmt.Printf("url %s\n", c.URL())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent ends
}

// startOwner runs a cluster in a process of its own.
func startOwner(t *testing.T, dir string) (owner *exec.Cmd, url string) {
	t.Helper()
	owner = exec.Command(os.Args[0], "-test.run=^TestOwner$")
	owner.Env = append(os.Environ(), "SWATH_CLUSTER_TEST_OWNS="+dir)
	if _, err := owner.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Process.Kill(); _ = owner.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "url "); ok {
			return owner, url
		}
	}
	t.Fatal("the owner did not start")
	return nil, ""
}

// TestKilledOwner: the kernel takes postgres down with its supervisor, and the next owner recovers.
func TestKilledOwner(t *testing.T) {
	dir := seeded(t)
	best := time.Hour
	for i := range 3 {
		owner, url := startOwner(t, dir)
		if i == 0 {
			query(t, url, "create table sum (n int)")
		}
		query(t, url, fmt.Sprintf("insert into sum values (%d)", i))
		begin := time.Now()
		if err := owner.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = owner.Wait()
		c := start(t, dir)
		took := answersAgain(t, c.URL(), begin)
		t.Logf("answers %v after SIGKILL of the owner", took.Round(time.Millisecond))
		best = min(best, took)
		if got, want := query(t, c.URL(), "select count(*) from sum"), fmt.Sprint(i+1); got != want {
			t.Errorf("%s rows, want %s", got, want)
		}
		stop(t, c)
	}
	if best > time.Second {
		t.Errorf("best recovery took %v, want at most 1 s", best)
	}
}

func TestSecondOwnerAndJoin(t *testing.T) {
	dir := seeded(t)
	if _, ok, err := Join(t.Context(), dir); ok || err != nil {
		t.Errorf("Join before an owner: %v, %v", ok, err)
	}
	if _, ok, err := Join(t.Context(), filepath.Join(dir, "missing")); ok || err != nil {
		t.Errorf("Join of a missing folder: %v, %v", ok, err)
	}
	owner, url := startOwner(t, dir)
	link := filepath.Join(openDir(t), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, link} {
		_, err := Start(t.Context(), Config{DataDir: name, Log: quiet})
		kind, text := fault.Of(err)
		if kind != fault.Conflict || !strings.Contains(text, fmt.Sprintf("in use by process %d", owner.Process.Pid)) {
			t.Errorf("second owner by %s: %v %q", name, kind, text)
		}
		if got, ok, err := Join(t.Context(), name); got != url || !ok || err != nil {
			t.Errorf("Join(%s) = %q, %v, %v, want %q", name, got, ok, err, url)
		}
	}
	query(t, url, "select 1") // the refused owner has not touched it
}
