package fetch

import (
	"archive/zip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"swath/fault"
)

// zipOf makes a zip in a folder of its own.
func zipOf(t *testing.T, entries ...[2]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "product.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e[0], Method: zip.Deflate}
		if e[1] == "-> /etc" {
			h.SetMode(fs.ModeSymlink | 0o777)
		}
		one, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := one.Write([]byte(e[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestUnzip: a zip becomes its one folder or one of its name, and no name in it leads elsewhere.
func TestUnzip(t *testing.T) {
	for name, c := range map[string]struct {
		entries [][2]string
		want    string // name of the folder; empty: it is refused
		files   int
	}{
		"one folder":    {[][2]string{{"A.SAFE/", ""}, {"A.SAFE/manifest.safe", "m"}, {"A.SAFE/b/c.xml", "cc"}}, "A.SAFE", 2},
		"loose files":   {[][2]string{{"a.tif", "a"}, {"b.tif", "b"}}, "product", 2},
		"upwards":       {[][2]string{{"A.SAFE/../../x", "x"}}, "", 0},
		"from the root": {[][2]string{{"/etc/passwd", "x"}}, "", 0},
		"backslashes":   {[][2]string{{`..\..\x`, "x"}}, "", 0},
		"a link":        {[][2]string{{"A.SAFE/l", "-> /etc"}, {"A.SAFE/l/x", "x"}}, "", 0},
		"twice":         {[][2]string{{"A.SAFE/a", "a"}, {"A.SAFE/a", "b"}}, "", 0},
	} {
		path := zipOf(t, c.entries...)
		tree, err := Unzip(t.Context(), path, nil)
		var unsound *Unsound
		if c.want == "" {
			if !errors.As(err, &unsound) {
				t.Errorf("%s: %v", name, err)
			}
		} else if err != nil || tree.Name != c.want || tree.Files != c.files {
			t.Errorf("%s: %+v, %v", name, tree, err)
		} else if again, err := TreeOf(t.Context(), filepath.Join(filepath.Dir(path), c.want)); err != nil || again != tree {
			t.Errorf("%s: on disk %+v, %v; unpacked %+v", name, again, err, tree)
		} else if again, err := Unzip(t.Context(), path, nil); err != nil || again != tree {
			t.Errorf("%s: again %+v, %v", name, again, err)
		} else if err := os.WriteFile(filepath.Join(filepath.Dir(path), c.want, "mine"), nil, 0o644); err != nil {
			t.Fatal(err)
		} else if _, err := Unzip(t.Context(), path, nil); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: a folder of somebody else is replaced: %v", name, err)
		} else if again, err := Unzip(t.Context(), path, &tree); err != nil || again != tree {
			t.Errorf("%s: an older version is not replaced: %+v, %v", name, again, err)
		}
		left, err := os.ReadDir(filepath.Dir(path))
		if want := min(len(c.want), 1) + 1; err != nil || len(left) != want {
			t.Errorf("%s: %d names lie there, %v; want %d", name, len(left), err, want)
		}
	}
}
