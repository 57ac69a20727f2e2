package catalog

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/internal/testdb"
	"swath/stac"
)

// copyOf makes a streaming copy of the cluster that holds a database, with the programs of PostgreSQL itself, and returns the
// address of the database in it.
func copyOf(t *testing.T, primary string) string {
	t.Helper()
	programs := "/usr/lib/postgresql/15/bin/"
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		programs = string(out[:len(out)-1]) + "/"
	}
	if _, err := os.Stat(programs + "pg_basebackup"); err != nil {
		t.Skip("pg_basebackup is not installed")
	}
	dir, err := os.MkdirTemp("", "swath-replica-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Geteuid() == 0 { // PostgreSQL does not run as root
		account, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("there is no user postgres to run the copy as")
		}
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	u, err := url.Parse(primary)
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	backup := exec.Command(programs+"pg_basebackup", "-d", primary, "-D", data, "-R", "-X", "stream", "-c", "fast")
	backup.Dir, backup.SysProcAttr = dir, attributes
	if out, err := backup.CombinedOutput(); err != nil {
		t.Fatalf("the test's cluster can't be copied: %v: %s", err, out)
	}
	server := exec.Command(programs+"postgres", "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "hot_standby=on", "-c", "unix_socket_directories="+dir)
	server.Dir, server.SysProcAttr = dir, attributes
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Signal(syscall.SIGQUIT) //nolint:errcheck // it may have ended
		server.Wait()                          //nolint:errcheck // by a signal
	})
	q := u.Query()
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	for range 200 {
		if conn, err := pgx.Connect(t.Context(), u.String()); err == nil {
			conn.Close(context.Background())
			return u.String()
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the copy does not answer")
	return ""
}

// TestReplica: reads come from a real streaming copy, what was written here is seen at once even when the copy is behind, and when
// the copy is gone the primary answers.
func TestReplica(t *testing.T) {
	primary := testdb.New(t)
	address := copyOf(t, primary)
	s, err := Open(t.Context(), primary, Config{Replica: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.PutCollection(t.Context(), stac.Collection{ID: "c", Body: []byte(`{"type":"Collection","id":"c"}`)}); err != nil {
		t.Fatal(err)
	}
	on := func() (copied bool) {
		t.Helper()
		err := s.reading(t.Context(), "ask", func(conn *pgxpool.Conn) error {
			return conn.QueryRow(t.Context(), "select pg_is_in_recovery()").Scan(&copied)
		})
		if err != nil {
			t.Fatal(err)
		}
		return copied
	}
	await := func(want bool) {
		t.Helper()
		for range 200 {
			if on() == want {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Fatalf("reads never come from the copy = %v", want)
	}
	seen := func(i int) {
		t.Helper()
		id := fmt.Sprint("item-", i)
		put(t, s, itemOf("c", id, square, noon))
		if _, err := s.Item(t.Context(), "c", id); err != nil {
			t.Fatalf("written and not seen: %v", err)
		}
		page, err := s.Search(t.Context(), stac.Search{IDs: []string{id}})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("written and not found: %d, %v", len(page.Items), err)
		}
	}
	await(true)
	for i := range 100 {
		seen(i)
	}
	await(true)
	if page, err := s.Search(t.Context(), stac.Search{Limit: 1000}); err != nil || len(page.Items) != 100 {
		t.Errorf("the copy finds %d, %v", len(page.Items), err)
	}
	standby, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer standby.Close(context.Background())
	if _, err := standby.Exec(t.Context(), "select pg_wal_replay_pause()"); err != nil {
		t.Fatal(err)
	}
	for i := 100; i < 110; i++ {
		seen(i)
	}
	if on() {
		t.Error("a copy that is behind our own writes is read from")
	}
	if _, err := standby.Exec(t.Context(), "select pg_wal_replay_resume()"); err != nil {
		t.Fatal(err)
	}
	await(true)
}
