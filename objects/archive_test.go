package objects

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"swath/fault"
	"swath/internal/s3test"
)

// behind is an archive of one kind, and how the test moves its time.
type behind struct {
	store   Store
	archive Archive
	arrive  func() // what was asked for comes
	leave   func() // what was given up goes
	begun   func() int
}

// TestArchives: every kind of archive keeps, gives up, brings back, and may be told everything twice.
func TestArchives(t *testing.T) {
	for name, open := range map[string]func(*testing.T) behind{"sim": openSim, "s3": openCold, "hsm": openDisk} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			keys, body := []string{"c/i/r/a b+c.tif", "c/i/r/d.tif"}, bytes.Repeat([]byte("0123456789"), 1000)
			for _, key := range keys {
				if _, err := b.store.Put(t.Context(), key, "image/tiff", bytes.NewReader(body)); err != nil {
					t.Fatal(err)
				}
			}
			twice := func(what string, do func() error) {
				t.Helper()
				for range 2 {
					if err := do(); err != nil {
						t.Fatalf("%s: %v", what, err)
					}
				}
			}
			is := func(want Place) {
				t.Helper()
				status, err := b.archive.Status(t.Context(), keys)
				if err != nil || len(status) != 2 || status[0].Place != want || status[1].Place != want || status[0].Key != keys[0] {
					t.Fatalf("status %+v, %v; want %d", status, err, want)
				}
			}
			twice("keep", func() error { return b.archive.Keep(t.Context(), keys) })
			twice("release", func() error { return b.archive.Release(t.Context(), keys) })
			b.leave()
			is(Archived)
			twice("restore", func() error {
				refused, err := b.archive.Restore(t.Context(), keys, 3, "")
				for key, err := range refused {
					t.Errorf("%s: %v", key, err)
				}
				return err
			})
			is(Restoring)
			b.arrive()
			is(Online)
			if n := b.begun(); n != 2 {
				t.Errorf("%d restores of 2", n)
			}
			for _, key := range keys {
				o, err := b.store.Open(t.Context(), key)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(Stream(o, 0, o.Info().Size))
				if err != nil || !bytes.Equal(got, body) || o.Info().ContentType != "image/tiff" {
					t.Errorf("%s: %d bytes, %v, %v", key, len(got), o.Info(), err)
				}
				o.Close()
			}
			twice("release", func() error { return b.archive.Release(t.Context(), keys) })
			b.leave()
			is(Archived)
			twice("cancel", func() error { return b.archive.Cancel(t.Context(), keys) })
			for _, key := range keys {
				if err := b.store.Delete(t.Context(), key); err != nil {
					t.Fatal(err)
				}
			}
			twice("remove", func() error { return b.archive.Remove(t.Context(), keys) })
			is(Lost)
		})
	}
}

func openSim(t *testing.T) behind {
	store, err := OpenFolder(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	now, dir := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), t.TempDir()
	tape, err := OpenTape(dir, store, TapeConfig{Mount: time.Minute, Seek: time.Second, BytesPerS: 1e6, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return behind{store, tape, func() { now = now.Add(time.Hour) }, func() {}, func() int {
		text, err := os.ReadFile(filepath.Join(dir, "log"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "restore ")
	}}
}

func openCold(t *testing.T) behind {
	server, vault := s3test.StartCold(t)
	store, err := OpenS3(t.Context(), S3Config{Endpoint: server.Endpoint, Bucket: server.Bucket, Prefix: "p", AccessKey: server.AccessKey, SecretKey: Secret(server.SecretKey), PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	g, err := OpenGlacier(store, "")
	if err != nil {
		t.Fatal(err)
	}
	return behind{store, g, vault.Finish, vault.Expire, func() int {
		if vault.Days != 3 || vault.Tier != "Standard" {
			t.Errorf("restored for %d days at %q", vault.Days, vault.Tier)
		}
		return vault.Restores
	}}
}

// openDisk plays a file system with tape: programs that move the bytes of files into a folder and back, and print where they are.
func openDisk(t *testing.T) behind {
	dir := t.TempDir()
	store, err := OpenFolder(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	tape := filepath.Join(dir, "tape")
	script := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\nset -e\ntape="+tape+"\nmkdir -p $tape\nat() { echo \"$tape/$(basename \"$1\")\"; }\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keep := script("keep", `for f; do [ -s "$f" ] && cp "$f" "$(at "$f")"; done; true`)
	release := script("release", `for f; do [ -e "$f" ] || continue; [ -e "$(at "$f")" ]; : > "$f"; rm -f "$(at "$f").wanted"; done`)
	restore := script("restore", `[ "$1" = 3 ]; shift; for f; do echo "$f" >> $tape/restores; : > "$(at "$f").wanted"; done`)
	remove := script("remove", `for f; do rm -f "$(at "$f")" "$(at "$f").wanted"; done`)
	state := script("state", `for f; do s=gone
		[ -e "$f" ] && s="exists archived"; [ -e "$f" ] && [ ! -s "$f" ] && s="released exists archived"
		echo "$f: ($s), tape:T07 position:42"; done`)
	arrive := script("arrive", `while read -r f; do cp "$(at "$f")" "$f"; done < $tape/restores`)
	h, err := OpenHSM(filepath.Join(dir, "store"), HSMConfig{Keep: []string{keep, "{paths}"}, Release: []string{release, "{path}"}, Restore: []string{restore, "{days}", "{paths}"},
		Remove: []string{remove, "{paths}"}, Status: []string{state, "{paths}"}, Offline: "released", Lost: "gone", Where: `tape:(?P<volume>\w+) position:(?P<position>\d+)`})
	if err != nil {
		t.Fatal(err)
	}
	return behind{store, h, func() {
		if _, err := h.(*hsm).run(t.Context(), []string{arrive}); err != nil {
			t.Fatal(err)
		}
		if status, err := h.Status(t.Context(), []string{"c/i/r/d.tif"}); err != nil || status[0].Volume != "T07" || status[0].Position != 42 {
			t.Errorf("%+v, %v", status, err)
		}
	}, func() {}, func() int {
		text, err := os.ReadFile(filepath.Join(tape, "restores"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "\n")
	}}
}

// TestColdClass: what the bucket's rules made cold can't be read and says so; what went back while it was read does, too; large objects are
// archived piece by piece.
func TestColdClass(t *testing.T) {
	server, vault := s3test.StartCold(t)
	store, err := OpenS3(t.Context(), S3Config{Endpoint: server.Endpoint, Bucket: server.Bucket, AccessKey: server.AccessKey, SecretKey: Secret(server.SecretKey), PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte("x"), 11<<20)
	for key, body := range map[string][]byte{"rule": []byte("abc"), "large": large} {
		if _, err := store.Put(t.Context(), key, "", bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
	}
	read, err := store.Open(t.Context(), "rule")
	if err != nil {
		t.Fatal(err)
	}
	vault.Archive(server.Bucket, "rule")
	if _, err := store.Open(t.Context(), "rule"); !fault.Is(err, fault.Offline) {
		t.Errorf("a cold object opens: %v", err)
	}
	if info, err := store.Stat(t.Context(), "rule"); err != nil || info.Size != 3 {
		t.Errorf("a cold object: %v, %v", info, err)
	}
	if _, err := read.ReadAt(make([]byte, 3), 0); !fault.Is(err, fault.Offline) {
		t.Errorf("an object that went cold while it was open: %v", err)
	}
	archive, err := OpenGlacier(store, "DEEP_ARCHIVE")
	if err != nil {
		t.Fatal(err)
	}
	archive.(*glacier).piece = 5 << 20
	if err := archive.Keep(t.Context(), []string{"large"}); err != nil {
		t.Fatal(err)
	}
	vault.Refuse = "GlacierExpeditedRetrievalNotAvailable"
	if refused, err := archive.Restore(t.Context(), []string{"large"}, 1, "Expedited"); err != nil || refused["large"] == nil {
		t.Errorf("a refused restore: %v, %v", refused, err)
	}
	vault.Refuse = ""
	if refused, err := archive.Restore(t.Context(), []string{"large"}, 1, "Bulk"); err != nil || len(refused) > 0 {
		t.Errorf("restore: %v, %v", refused, err)
	}
	vault.Finish()
	o, err := store.Open(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	got, err := io.ReadAll(Stream(o, 0, o.Info().Size))
	if err != nil || !bytes.Equal(got, large) || len(o.Info().SHA256) != 64 {
		t.Errorf("%d bytes, %v, %v", len(got), o.Info(), err)
	}
	if _, err := OpenGlacier(nil, ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("an archive in no bucket: %v", err)
	}
}

// TestHSMCommands: no shell reads the arguments, a failure says what the program said, and a command may not run for ever.
func TestHSMCommands(t *testing.T) {
	dir := t.TempDir()
	open := func(c HSMConfig) (*hsm, error) {
		a, err := OpenHSM(dir, c)
		h, _ := a.(*hsm)
		return h, err
	}
	cfg := HSMConfig{Status: []string{"printf", "%s|", "{paths}"}, Restore: []string{"sh", "-c", "echo no tape $0 >&2; exit 3", "{path}"}, Release: []string{"sleep", "60"}, Offline: "never", Timeout: 100 * time.Millisecond}
	h, err := open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	refused, err := h.Restore(t.Context(), []string{"a;rm -rf $HOME `id`"}, 1, "")
	if err != nil || len(refused) != 1 {
		t.Fatal(refused, err)
	}
	for _, err := range refused {
		if !strings.Contains(err.Error(), "no tape "+dir+"/bytes/a;rm -rf $HOME `id`") {
			t.Error(err)
		}
	}
	if err := h.Release(t.Context(), []string{"a"}); err == nil {
		t.Error("a command that hangs does not fail")
	}
	for _, bad := range []HSMConfig{{}, {Status: cfg.Status, Restore: cfg.Restore, Release: cfg.Release, Offline: "("}} {
		if _, err := open(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	many := slices.Repeat([]string{"k"}, mostPaths+1)
	runs := 0
	if err := h.each(t.Context(), []string{"true", "{paths}"}, many, nil, func(some []string, _ string, err error) { runs++ }); err != nil || runs != 2 {
		t.Error(runs, err)
	}
}
