// Package golden compares what a test made with a file that a human has looked at.
//
//	got ──▶ testdata/golden/NAME ──same──▶ pass
//	              ▲───── go test -update ────┘
//
// For tests only. A missing file fails the test: run with -update, look at the file, commit it.
package golden

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	_ "image/jpeg" // formats that Image compares
	_ "image/png"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata/golden")

// Equal fails the test unless got is, byte for byte, the file testdata/golden/name.
func Equal(t testing.TB, name string, got []byte) {
	t.Helper()
	want := file(t, name, got)
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	t.Errorf("%s: %d bytes, want %d; the first difference is at byte %d:\n got %s\nwant %s",
		name, len(got), len(want), at, around(got, at), around(want, at))
}

// Image fails the test unless the PNG or JPEG in got has the size of the file testdata/golden/name and no 8-bit channel of
// any pixel differs by more than tolerance.
func Image(t testing.TB, name string, got []byte, tolerance int) {
	t.Helper()
	want := file(t, name, got)
	a, _, err := image.Decode(bytes.NewReader(got))
	if err != nil {
		t.Errorf("%s: what was made is not an image: %v", name, err)
		return
	}
	b, _, err := image.Decode(bytes.NewReader(want))
	if err != nil {
		t.Errorf("%s: the golden file is not an image: %v", name, err)
		return
	}
	if err := compare(a, b, tolerance); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// file returns the golden file, after writing got to it when -update asks for that.
func file(t testing.TB, name string, got []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update, look at the file, and commit it)", err)
	}
	return want
}

func compare(got, want image.Image, tolerance int) error {
	if got.Bounds().Size() != want.Bounds().Size() {
		return fmt.Errorf("size %v, want %v", got.Bounds().Size(), want.Bounds().Size())
	}
	size, g0, w0 := got.Bounds().Size(), got.Bounds().Min, want.Bounds().Min
	worst, count, where := 0, 0, image.Point{}
	for y := range size.Y {
		for x := range size.X {
			if d := distance(got, want, g0.Add(image.Pt(x, y)), w0.Add(image.Pt(x, y))); d > tolerance {
				count++
				if d > worst {
					worst, where = d, image.Pt(x, y)
				}
			}
		}
	}
	if count > 0 {
		return fmt.Errorf("%d of %d pixels differ by more than %d, most of all %v by %d", count, size.X*size.Y, tolerance, where, worst)
	}
	return nil
}

// distance is the largest difference of two pixels in any channel, 0..255.
func distance(a, b image.Image, at, bt image.Point) int {
	r1, g1, b1, a1 := a.At(at.X, at.Y).RGBA()
	r2, g2, b2, a2 := b.At(bt.X, bt.Y).RGBA()
	worst := 0
	for _, pair := range [4][2]uint32{{r1, r2}, {g1, g2}, {b1, b2}, {a1, a2}} {
		d := int(pair[0]>>8) - int(pair[1]>>8)
		worst = max(worst, d, -d)
	}
	return worst
}

func around(b []byte, at int) string {
	return fmt.Sprintf("%q", b[max(0, at-30):min(len(b), at+30)])
}
