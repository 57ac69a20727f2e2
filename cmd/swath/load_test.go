package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"swath/catalog"
	"swath/fault"
	"swath/internal/testdb"
)

// itemLines are items of one collection with some noise, as a file of lines.
func itemLines(t *testing.T, n int) (path string) {
	t.Helper()
	var text bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		lon, lat := random.Float64()*300-150, random.Float64()*120-60
		fmt.Fprintf(&text, `{"type":"Feature","stac_version":"1.1.0","id":"item-%d","collection":"bulk","geometry":{"type":"Polygon","coordinates":[[[%.5f,%.5f],[%.5f,%.5f],[%.5f,%.5f],[%.5f,%.5f]]]},`+
			`"properties":{"datetime":"20%02d-0%d-11T10:00:00Z","eo:cloud_cover":%.2f,"noise":"%0800x"},"assets":{}}`+"\n",
			i, lon, lat, lon+1, lat, lon+1, lat+1, lon, lat, i%24, i%9+1, random.Float64()*100, random.Uint64())
	}
	path = filepath.Join(t.TempDir(), "items.ndjson")
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadCommand(t *testing.T) {
	needsProgram(t)
	data, dir := dataFolder(t), t.TempDir()
	base, _ := serveData(t, data)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	item := `{"type":"Feature","id":"%s","collection":"c","geometry":null,"properties":{"datetime":"2024-06-01T12:00:00Z"}}` + "\n"
	good, bad := write("good.ndjson", fmt.Sprintf(item, "a")+fmt.Sprintf(item, "b")), write("bad.ndjson", "[]\n{\n")
	mixed, rejects := write("mixed.ndjson", fmt.Sprintf(item, "c")+"{\"id\":\"x\"}\n"), filepath.Join(dir, "rejects.ndjson")
	cut := write("cut.ndjson.gz", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xaa\x56")
	for _, tc := range []struct {
		name string
		args []string
		want int
		says string
	}{
		{"no file", nil, exitWrongUse, "at least one"},
		{"no such file", []string{filepath.Join(dir, "none")}, exitFailed, "no such file"},
		{"a folder", []string{dir}, exitFailed, "folder"},
		{"good", []string{good}, exitDone, "loaded 2, unchanged 0, replaced 0, rejected 0"},
		{"again", []string{good}, exitDone, "loaded 0, unchanged 2"},
		{"some are rejected", []string{mixed, "--rejects", rejects}, exitPartlyDone, "mixed.ndjson:2: "},
		{"all are rejected", []string{bad}, exitFailed, "nothing was loaded"},
		{"cut", []string{cut}, exitFailed, "cut"},
		{"rejects into a folder", []string{good, "--rejects", dir}, exitWrongUse, "--rejects"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, out, errs := swath(t, append([]string{"load", "--data", data}, tc.args...)...)
			if code != tc.want || !strings.Contains(out+errs, tc.says) {
				t.Errorf("exit code %d, want %d and %q in:\n%s%s", code, tc.want, tc.says, out, errs)
			}
		})
	}
	var kept struct {
		File   string
		Line   int
		ID     string
		Reason string
	}
	if text, err := os.ReadFile(rejects); err != nil || json.Unmarshal(text, &kept) != nil || kept.Line != 2 || kept.ID != "x" || kept.File != mixed || kept.Reason == "" {
		t.Errorf("rejects: %s, %v", text, err)
	}
	if _, page := getJSON(t, base+"/search?collections=c"); len(page["features"].([]any)) != 3 {
		t.Errorf("the server beside the load shows %v", page["features"])
	}
}

// TestKilledLoad: a load that is killed at random moments, and its private database with it, goes on each time; in the end
// nothing is lost or doubled, and all indexes are there.
func TestKilledLoad(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	const items = 60_000
	path := itemLines(t, items)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	kills := 0
	for ; kills < 12; kills++ {
		load := program(t, "load", "--data", data, path)
		var out bytes.Buffer
		load.Stdout, load.Stderr = &out, &out
		if err := load.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(500*time.Millisecond+time.Duration(random.Int64N(int64(3*time.Second))), func() { load.Process.Signal(syscall.SIGKILL) })
		err := load.Wait()
		timer.Stop()
		if err == nil {
			break
		} else if code := load.ProcessState.ExitCode(); code != -1 {
			t.Fatalf("exit code %d:\n%s", code, out.String())
		}
	}
	code, out, errs := swath(t, "load", "--data", data, path)
	if code != exitDone || !strings.Contains(out, "rejected 0") {
		t.Fatalf("after %d kills: exit code %d\n%s%s", kills, code, out, errs)
	}
	t.Logf("%d kills; then: %s", kills, out)
	if kills == 0 {
		t.Error("the load was never killed")
	}
	base, _ := serveData(t, data)
	ids := map[string]int{}
	for next := base + "/search?collections=bulk&limit=1000"; next != ""; {
		status, page := getJSON(t, next)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %v", next, status, page)
		}
		next = ""
		for _, f := range page["features"].([]any) {
			ids[f.(map[string]any)["id"].(string)]++
		}
		for _, l := range page["links"].([]any) {
			if link := l.(map[string]any); link["rel"] == "next" {
				next = link["href"].(string)
			}
		}
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("%s comes %d times", id, n)
		}
	}
	if len(ids) != items {
		t.Errorf("%d items, want %d", len(ids), items)
	}
	code, out, _ = swath(t, "load", "--data", data, path)
	if want := fmt.Sprintf("loaded 0, unchanged %d, replaced 0", items); code != exitDone || !strings.Contains(out, want) {
		t.Errorf("again: %d %s, want %s", code, out, want)
	}
}

// TestInterruptedLoad: SIGINT ends a load after a batch, with a word on how to go on.
func TestInterruptedLoad(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	serveData(t, data)
	path := itemLines(t, 200_000) // some ten seconds
	load := program(t, "load", "--data", data, path)
	var out bytes.Buffer
	load.Stdout, load.Stderr = &out, &out
	if err := load.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond)
	load.Process.Signal(os.Interrupt)
	load.Wait()
	if code := load.ProcessState.ExitCode(); code == exitDone {
		t.Skip("it was done before the signal came")
	} else if code != exitFailed || !strings.Contains(out.String(), "the same command goes on") {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
	code, stdout, errs := swath(t, "load", "--data", data, path)
	if code != exitDone || !strings.Contains(stdout, "loaded 200000, unchanged 0") {
		t.Errorf("the next one: %d\n%s%s", code, stdout, errs)
	}
}

// TestLoadInterruptedAtTheEnd: who interrupts a load that has all items, and builds indexes, is told so.
func TestLoadInterruptedAtTheEnd(t *testing.T) {
	store, err := catalog.Open(t.Context(), testdb.New(t), catalog.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	c := loadCommand()
	c.SetOut(io.Discard)
	c.SetErr(io.Discard)
	l := &loading{c: c, store: store, bar: newProgress(io.Discard, slog.New(slog.DiscardHandler))}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.all(ctx, nil); err == nil || !strings.Contains(err.Error(), "all items are in") {
		t.Errorf("it ends with %v", err)
	}
}

// TestRoomFor: a database that is gone is told of as a full disk where there is no room for its log, and nothing else is.
func TestRoomFor(t *testing.T) {
	const noRoom = "/proc" // has none at all
	gone := fault.New(fault.Unavailable, "the catalog does not answer")
	if err := roomFor(noRoom, gone); !errors.Is(err, gone) || !strings.Contains(err.Error(), "full") {
		t.Errorf("on a full disk: %v", err)
	}
	for _, tc := range []struct {
		data string
		err  error
	}{{t.TempDir(), gone}, {noRoom, nil}, {noRoom, fault.New(fault.Invalid, "the file is cut")}} {
		if err := roomFor(tc.data, tc.err); err != tc.err {
			t.Errorf("%s, %v: %v", tc.data, tc.err, err)
		}
	}
}

// TestExportAndLoad: what is exported, packed in any way, and loaded into another catalog is the same, byte for byte.
func TestExportAndLoad(t *testing.T) {
	needsProgram(t)
	first, second, dir := dataFolder(t), dataFolder(t), t.TempDir()
	serveData(t, first)
	serveData(t, second)
	if code, out, errs := swath(t, "load", "--data", first, itemLines(t, 2500)); code != exitDone {
		t.Fatalf("load: %d\n%s%s", code, out, errs)
	}
	export := func(data, path string, more ...string) string {
		t.Helper()
		if code, out, errs := swath(t, append([]string{"export", "--data", data, "-o", path}, more...)...); code != exitDone {
			t.Fatalf("export: %d\n%s%s", code, out, errs)
		}
		return path
	}
	sorted := func(data string) string {
		t.Helper()
		text, err := os.ReadFile(export(data, filepath.Join(dir, "plain.ndjson"), "--with-collections"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	want := sorted(first)
	for _, name := range []string{"items.ndjson.zst", "items.ndjson.gz"} {
		path := export(first, filepath.Join(dir, name), "--with-collections")
		if code, out, errs := swath(t, "load", "--data", second, path); code != exitDone || !strings.Contains(out, "rejected 0") {
			t.Fatalf("load %s: %d\n%s%s", name, code, out, errs)
		}
		if got := sorted(second); got != want {
			t.Errorf("%s: what is loaded differs from what was exported", name)
		}
	}
	parquet, err := os.ReadFile(export(first, filepath.Join(dir, "items.parquet"), "--public-url", "https://swath.example.org"))
	if err != nil || !bytes.HasPrefix(parquet, []byte("PAR1")) || !bytes.Contains(parquet, []byte(`"version":"1.1.0"`)) || !bytes.Contains(parquet, []byte(`{"bulk":{`)) {
		t.Errorf("parquet: %d bytes, %v", len(parquet), err)
	}
	few, err := os.ReadFile(export(first, filepath.Join(dir, "few.ndjson"), "-c", "bulk", "--bbox", "-150,-60,0,60", "--datetime", "2005-01-01T00:00:00Z/.."))
	if n := bytes.Count(few, []byte("\n")); err != nil || n < 500 || n > 1500 {
		t.Errorf("half of the globe and most of the time: %d items, %v", n, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 5 {
		t.Errorf("files: %v, %v", left, err)
	}
	for name, args := range map[string][]string{
		"no output": nil, "bad bbox": {"-o", "-", "--bbox", "1,2"}, "bad filter": {"-o", "-", "--filter", "a <"}, "bad time": {"-o", "-", "--datetime", "yesterday"},
	} {
		if code, _, errs := swath(t, append([]string{"export", "--data", first}, args...)...); code != exitWrongUse {
			t.Errorf("%s: exit code %d\n%s", name, code, errs)
		}
	}
	if code, _, errs := swath(t, "export", "--data", first, "-c", "none", "-o", "-"); code != exitFailed || !strings.Contains(errs, "none") {
		t.Errorf("a collection that is missing: %d %s", code, errs)
	}
}
