package download

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// zipped is a product as it is distributed.
func zipped(t *testing.T, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range names {
		one, err := w.Create(name)
		if err == nil {
			_, err = one.Write([]byte("the bytes of " + name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// products is an archive whose items have a zip, and nothing is said of its size.
func products(t *testing.T, zips map[string][]byte) *archive {
	a := newArchive(t, 0, 0, 0, false)
	for id, body := range zips {
		a.files["/files/"+id+".zip"] = body
		a.items = append(a.items, map[string]any{"type": "Feature", "stac_version": "1.1.0", "id": id, "collection": "c", "geometry": nil, "properties": map[string]any{"datetime": "2024-06-01T00:00:00Z"},
			"assets": map[string]any{"product": map[string]any{"href": a.URL + "/files/" + id + ".zip", "type": "application/zip"}}})
	}
	return a
}

// TestExtract: zips are unpacked and removed, known again, and verified; one that leads out of the folder is refused and kept aside.
func TestExtract(t *testing.T) {
	for _, flat := range []bool{true, false} {
		a := products(t, map[string][]byte{"A": zipped(t, "A.SAFE/manifest.safe", "A.SAFE/data/b.jp2"), "B": zipped(t, "B.SAFE/../../escape"), "C": zipped(t, "C.SAFE/x")})
		folder := t.TempDir()
		at := func(id, name string) string {
			if flat {
				return filepath.Join(folder, name)
			}
			return filepath.Join(folder, "c", id, name)
		}
		o := Options{Folder: folder, Flat: flat, Extract: true}
		if _, report, err := a.run(t.Context(), o); err != nil || report.Fetched != 2 || len(report.Failed) != 1 || report.Failed[0].File.Item != "B" {
			t.Fatalf("%+v, %v", report, err)
		}
		if got, err := os.ReadFile(at("A", "A.SAFE/data/b.jp2")); err != nil || string(got) != "the bytes of A.SAFE/data/b.jp2" {
			t.Errorf("%q, %v", got, err)
		}
		for _, name := range []string{at("A", "A.zip"), filepath.Join(filepath.Dir(folder), "escape"), filepath.Join(folder, "escape")} {
			if _, err := os.Stat(name); err == nil {
				t.Errorf("%s is there", name)
			}
		}
		if _, err := os.Stat(at("B", "B.zip.bad")); err != nil {
			t.Error(err)
		}
		sent := a.sent.Load()
		delete(a.files, "/files/B.zip")
		a.items = append(a.items[:0:0], a.items...)
		if p, report, err := a.run(t.Context(), o); err != nil || p.Have != 2 || report.Fetched != 0 || a.sent.Load() != sent {
			t.Errorf("again: %d are there, %+v, %v", p.Have, report, err)
		}
		if files, failed, err := Verify(t.Context(), folder); err != nil || files != 2 || len(failed) != 0 {
			t.Errorf("verified: %d, %v, %v", files, failed, err)
		}
		if err := os.WriteFile(at("C", "C.SAFE/x"), []byte("the bytes of C.SAFE/y"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, failed, err := Verify(t.Context(), folder); err != nil || len(failed) != 1 {
			t.Errorf("a changed file: %v, %v", failed, err)
		}
	}
}

// TestJournal: what came before a process was killed is known, though its manifest was never written and nobody says sizes.
func TestJournal(t *testing.T) {
	a := products(t, map[string][]byte{"A": zipped(t, "a"), "B": zipped(t, "b")})
	folder := t.TempDir()
	c := a.client()
	run, err := Open(c, Options{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	p, err := run.Plan(t.Context(), func(yield func(Item) error) error { return c.Items(t.Context(), Search{}, yield) })
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Files {
		if err := run.one(t.Context(), &queue{}, p.items["c/"+f.Item], f); err != nil {
			t.Fatal(err)
		}
	}
	run.lock.Close() // as a kill leaves it: no manifest, a lock file that nobody holds, and half a line
	journal, err := os.OpenFile(filepath.Join(folder, journalName), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = journal.WriteString(`{"path":"c/A/A.z`)
	}
	if err != nil {
		t.Fatal(err)
	}
	if p, report, err := a.run(t.Context(), Options{Folder: folder}); err != nil || p.Have != 2 || report.Fetched != 0 {
		t.Errorf("%d are there, %+v, %v", p.Have, report, err)
	}
	if m, err := openManifest(folder); err != nil || len(m.items) != 2 || len(m.files) != 2 {
		t.Errorf("the manifest has %d items and %d files, %v", len(m.items), len(m.files), err)
	}
	if _, err := os.Stat(filepath.Join(folder, journalName)); err == nil {
		t.Error("the journal is still there")
	}
}

// TestManifestOfAnother: a manifest is enough to bring the same files from where they came.
func TestManifestOfAnother(t *testing.T) {
	a := newArchive(t, 3, 2, 2000, false)
	one, two := t.TempDir(), t.TempDir()
	if _, _, err := a.run(t.Context(), Options{Folder: one, Assets: []string{"B00"}}); err != nil {
		t.Fatal(err)
	}
	run, err := Open(a.client(), Options{Folder: two})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	in, err := os.Open(filepath.Join(one, ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	p, err := run.Plan(t.Context(), func(yield func(Item) error) error { return ReadItems(in, yield) })
	if err != nil || len(p.Files) != 3 {
		t.Fatalf("%+v, %v", p, err)
	}
	if report, err := run.Fetch(t.Context(), p); err != nil || report.Fetched != 3 {
		t.Errorf("%+v, %v", report, err)
	}
	if files, failed, err := Verify(t.Context(), two); err != nil || files != 3 || len(failed) > 0 {
		t.Errorf("%d files, %v, %v", files, failed, err)
	}
}

// TestCatalog: every link of the static catalog leads to a document or a file that is there; pystac reads it where it is installed.
func TestCatalog(t *testing.T) {
	a := newArchive(t, 3, 2, 2000, false)
	folder := t.TempDir()
	c := a.client()
	run, err := Open(c, Options{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	p, err := run.Plan(t.Context(), func(yield func(Item) error) error { return c.Items(t.Context(), Search{}, yield) })
	if err == nil {
		_, err = run.Fetch(t.Context(), p)
	}
	if err == nil {
		err = run.WriteCatalog(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	items := 0
	var visit func(path string)
	visit = func(path string) {
		raw, err := os.ReadFile(path)
		var doc struct {
			Type   string
			Links  []struct{ Rel, Href string }
			Assets map[string]struct{ Href string }
		}
		if err == nil {
			err = json.Unmarshal(raw, &doc)
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return
		}
		if doc.Type == "Feature" {
			items++
		}
		for _, asset := range doc.Assets {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), asset.Href)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		for _, l := range doc.Links {
			to := filepath.Join(filepath.Dir(path), l.Href)
			if _, err := os.Stat(to); err != nil || !strings.HasPrefix(l.Href, ".") {
				t.Errorf("%s: %s %s: %v", path, l.Rel, l.Href, err)
			}
			if l.Rel == "child" || l.Rel == "item" {
				visit(to)
			}
		}
	}
	visit(filepath.Join(folder, catalogName))
	if items != 3 {
		t.Errorf("%d items", items)
	}
	python := os.Getenv("SWATH_PYTHON")
	if _, err := exec.LookPath(python); err != nil {
		t.Log("pystac is not installed: SWATH_PYTHON names no Python")
		return
	}
	const script = `
import os, sys, pystac
c = pystac.Catalog.from_file(sys.argv[1])
items = list(c.get_items(recursive=True))
for it in items:
    assert it.get_collection().id == it.collection_id
    for a in it.assets.values():
        assert os.path.exists(a.get_absolute_href()), a.get_absolute_href()
print(len(items), len(pystac.ItemCollection.from_file(sys.argv[2]).items))
`
	out, err := exec.CommandContext(context.WithoutCancel(t.Context()), python, "-c", script, filepath.Join(folder, catalogName), filepath.Join(folder, ManifestName)).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "3 3" {
		t.Errorf("pystac: %v %s", err, out)
	}
}
