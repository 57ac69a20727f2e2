package ingest

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"swath/fault"
	"swath/internal/testdb"
)

// TestDamaged refuses what is broken, says why, records it, and leaves nothing behind; the mended product is taken.
func TestDamaged(t *testing.T) {
	if testing.Short() {
		t.Skip("converts products")
	}
	root := strings.TrimSuffix(filepath.Base(jmm), ".zip") + ".SAFE"
	for name, tc := range map[string]struct {
		damage func(t *testing.T, safe string) // of the unpacked product
		says   string
	}{
		"truncated JP2": {func(t *testing.T, safe string) { truncate(t, one(t, safe, "*_B04.jp2"), 0.6) }, "B04"},
		"empty JP2":     {func(t *testing.T, safe string) { truncate(t, one(t, safe, "*_B08.jp2"), 0) }, "B08"},
		"missing band":  {func(t *testing.T, safe string) { os.Remove(one(t, safe, "*_B03.jp2")) }, "B03"},
		"missing MTD":   {func(t *testing.T, safe string) { os.Remove(filepath.Join(safe, "MTD_MSIL1C.xml")) }, "MTD"},
		"empty MTD":     {func(t *testing.T, safe string) { truncate(t, filepath.Join(safe, "MTD_MSIL1C.xml"), 0) }, "MTD_MSIL1C.xml"},
		"truncated XML": {func(t *testing.T, safe string) { truncate(t, one(t, safe, "MTD_TL.xml"), 0.5) }, "MTD_TL.xml"},
		"external entity": {func(t *testing.T, safe string) {
			rewrite(t, filepath.Join(safe, "MTD_MSIL1C.xml"), func(b []byte) []byte {
				_, rest, _ := bytes.Cut(b, []byte("?>"))
				return append([]byte(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>`), rest...)
			})
		}, "DOCTYPE"},
	} {
		t.Run(name, func(t *testing.T) {
			in := newIngester(t)
			safe := filepath.Join(unpack(t, jmm), root)
			tc.damage(t, safe)
			r := try(t, in, safe, Options{})
			if !fault.Is(r.Err, fault.Invalid) || !strings.Contains(r.Err.Error(), tc.says) {
				t.Fatalf("%v, want a refusal that names %s", r.Err, tc.says)
			}
			if items(t, in) != 0 {
				t.Error("an item is visible")
			}
			record := readObject(t, in.Objects, quarantineKey(safe))
			if !bytes.Contains(record, []byte(tc.says)) {
				t.Errorf("the record does not say why: %s", record)
			}
			if err := os.RemoveAll(safe); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(unpack(t, jmm), root), safe); err != nil {
				t.Fatal(err)
			}
			bring(t, in, safe, Options{})
			for key := range keys(t, in) {
				if strings.HasPrefix(key, "quarantine/") {
					t.Errorf("%s is still there", key)
				}
			}
		})
	}
}

// TestHostileZips refuses archives that lead out of themselves or hold nothing we know.
func TestHostileZips(t *testing.T) {
	in := newIngester(t)
	whole, err := os.ReadFile(jmm)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		body []byte
		says string
	}{
		"S2A_MSIL1C_traversal.zip": {zipOf(t, "S2A_X.SAFE/manifest.safe", "../../etc/cron.d/evil"), "evil"},
		"S2A_MSIL1C_absolute.zip":  {zipOf(t, "S2A_X.SAFE/manifest.safe", "/etc/passwd"), "passwd"},
		"S9X_unknown.zip":          {zipOf(t, "S9X_MSIL1C_1.SAFE/manifest.safe"), "unknown mission"},
		"cut.zip":                  {whole[:len(whole)/2], "zip"},
		"other.zip":                {zipOf(t, "letter.txt"), "neither a SAFE nor a DIMAP"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, tc.body, 0o600); err != nil {
			t.Fatal(err)
		}
		results, err := in.Ingest(t.Context(), path, Options{})
		if err == nil && len(results) == 1 {
			err = results[0].Err
		}
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want a refusal that says %q", name, err, tc.says)
		}
	}
	if items(t, in) != 0 {
		t.Error("an item is visible")
	}
}

// TestAtOnce: two ingests of one product at the same time both succeed and make one item.
func TestAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("converts products")
	}
	database, dir := testdb.New(t), t.TempDir()
	var all sync.WaitGroup
	for range 2 {
		in := ingesterAt(t, database, dir)
		all.Go(func() {
			results, err := in.Ingest(t.Context(), jmm, Options{})
			if err != nil || len(results) != 1 || results[0].Err != nil {
				t.Errorf("%v, %v", results, err)
			}
		})
	}
	all.Wait()
	in := ingesterAt(t, database, dir)
	checkObjects(t, in, itemOf(t, in, "sentinel-2-l1c", strings.TrimSuffix(filepath.Base(jmm), ".zip")))
}

func zipOf(t *testing.T, names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range names {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("<xfdu/>")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func truncate(t *testing.T, path string, share float64) {
	t.Helper()
	rewrite(t, path, func(b []byte) []byte { return b[:int(float64(len(b))*share)] })
}

func rewrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, change(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
