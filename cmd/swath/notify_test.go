package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"swath/ingest"
	"swath/objects/copies"
)

// TestNotices: an address is told of an order when nothing is waited for any more, again when it does not take that, and then no more; one that is no
// public address is told only where that is configured.
func TestNotices(t *testing.T) {
	needsProgram(t)
	var bodies, signatures []string
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what is missing is missed below
		bodies, signatures = append(bodies, string(body)), append(signatures, r.Header.Get("X-Swath-Signature"))
		if len(bodies) == 1 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer hook.Close()
	t.Setenv("TEST_NOTICE_SECRET", "a key")
	cfg, log := defaultConfig(), slog.New(slog.DiscardHandler)
	cfg.Data, cfg.PublicURL = dataFolder(t), "https://swath.example"
	cfg.Archive = ArchiveConfig{Type: "sim", BatchWait: time.Nanosecond, Notify: NotifyConfig{URL: hook.URL, SecretEnv: "TEST_NOTICE_SECRET", Reach: []string{"127.0.0.0/8"}}}
	s, err := openStores(t.Context(), cfg, log, owner)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	in := &ingest.Ingester{Objects: s.objects, Catalog: s.catalog, Work: s.work, Log: log}
	if _, err := in.Ingest(t.Context(), zip56JMM, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	m := migration{Policy: Policy{Collection: "sentinel-2-l1c", AfterDays: 1}, log: log}
	if err := m.run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	keeper, notices := s.archivist(cfg, log), s.notices(cfg, log)
	step := func(do func(context.Context) error) {
		t.Helper()
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	told := func(want, sent int) {
		t.Helper()
		if n, err := notices.Once(t.Context()); err != nil || n != want || len(bodies) != sent {
			t.Fatalf("%d notices are due, %v, and %d were sent; want %d and %d", n, err, len(bodies), want, sent)
		}
	}
	step(keeper.Once)
	files, err := s.archived(t.Context(), "sentinel-2-l1c", []string{filepath.Base(item56JMM)}, []string{"B01", "B02"})
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.desk(cfg).OrderFor(t.Context(), copies.LaneOperator, files)
	if err != nil {
		t.Fatal(err)
	}
	told(0, 0) // both files are waited for
	step(keeper.Once)
	told(1, 1) // and it is not taken
	told(0, 1)
	conn, err := pgx.Connect(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background()) //nolint:errcheck // the test is over
	if _, err := conn.Exec(t.Context(), "update stage_order set notice_next = now() where notice_next is not null"); err != nil {
		t.Fatal(err)
	}
	told(1, 2)
	if _, err := conn.Exec(t.Context(), "update stage_order set notice_next = now() where notice_next is not null"); err != nil {
		t.Fatal(err)
	}
	told(0, 2)
	var got notice
	if err := json.Unmarshal([]byte(bodies[1]), &got); err != nil {
		t.Fatal(err)
	}
	if got.Order != id || got.Status != "succeeded" || got.Files != (noticeFiles{Ordered: 2, Served: 2}) || got.Href != "https://swath.example/orders/"+id || got.Finished == nil || got.Bytes == 0 {
		t.Errorf("told: %s", bodies[1])
	}
	sum := hmac.New(sha256.New, []byte("a key"))
	sum.Write([]byte(bodies[1]))
	if signatures[1] != "sha256="+hex.EncodeToString(sum.Sum(nil)) {
		t.Errorf("signed %q", signatures[1])
	}

	if err := (NotifyConfig{URL: hook.URL}).sender()(t.Context(), []byte("{}")); err == nil || !strings.Contains(err.Error(), "not in the public network") || len(bodies) != 2 {
		t.Errorf("an address of this machine is told: %v", err)
	}
	letter := filepath.Join(t.TempDir(), "letter")
	if err := (NotifyConfig{Command: []string{"tee", letter}}).sender()(t.Context(), []byte("{}")); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(letter); string(text) != "{}" {
		t.Errorf("the program got %q, %v", text, err)
	}
	if err := (NotifyConfig{Command: []string{"false"}}).sender()(t.Context(), nil); err == nil {
		t.Error("a program that fails has taken it")
	}
}
