package raster

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"swath/geo"
)

// What is written line by line is what comes back, with its place, its words and overviews; nothing is left beside it.
func TestCOGWriter(t *testing.T) {
	for name, bands := range map[string][]GeoTIFFBand{"one": {{Name: "vv", Unit: "dB"}}, "two": {{Name: "vv"}, {Name: "vh"}}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "made.tif")
			const w, h = 700, 530
			g := GeoTIFF{Grid: Grid{CRS: 32631, Transform: geo.Affine{300000, 10, 0, 4900020, 0, -10}, Width: w, Height: h}, Bands: bands, Items: map[string]string{"CALIBRATION": "gamma"}}
			writer, err := NewCOGWriter(path, g, COGOptions{})
			if err != nil {
				t.Fatal(err)
			}
			planes := make([][]float32, len(bands))
			for k := range planes {
				planes[k] = make([]float32, w*h)
				for i := range planes[k] {
					planes[k][i] = float32(i%w)/7 + float32(i/w)*float32(k+1)
				}
				planes[k][5] = float32(math.NaN())
			}
			for row := 0; row < h; row += 100 {
				var part [][]float32
				for _, p := range planes {
					part = append(part, p[row*w:min(h, row+100)*w])
				}
				if err := writer.Add(part...); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := os.Stat(path); err == nil {
				t.Error("the file is there before it is closed")
			}
			if err := writer.Close(); err != nil {
				t.Fatal(err)
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Errorf("%d things are left in the folder", len(left))
			}
			c, closer, err := openPath(t.Context(), path, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer closer()
			if c.CRS != 32631 || c.Transform != g.Transform || c.Bands != len(bands) || len(c.Levels) != 3 {
				t.Errorf("%+v", c)
			}
			for k := range planes {
				got, err := NewReader(0).Read(t.Context(), c, 0, Window{Width: w, Height: h}, []int{k + 1})
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range got[0] {
					if v != planes[k][i] && (v == v || planes[k][i] == planes[k][i]) {
						t.Fatalf("band %d, pixel %d: %g, not %g", k+1, i, v, planes[k][i])
					}
				}
			}
			if text := program(t, "gdalinfo", path); !strings.Contains(text, "CALIBRATION=gamma") || !strings.Contains(text, "Description = vv") || !strings.Contains(text, "LAYOUT=COG") {
				t.Error(text)
			}
		})
	}
}

func TestCOGWriterGivenUp(t *testing.T) {
	dir := t.TempDir()
	w, err := NewCOGWriter(filepath.Join(dir, "made.tif"), GeoTIFF{Grid: Grid{CRS: 32631, Transform: geo.Affine{0, 1, 0, 0, 0, -1}, Width: 8, Height: 8}, Bands: make([]GeoTIFFBand, 1)}, COGOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(make([]float32, 8)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil {
		t.Error("a file of one row in eight was closed")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d things are left in the folder", len(left))
	}
}

// A file without overviews has one level, and all its pixels.
func TestCOGWriterWithoutOverviews(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made.tif")
	const w, h = 700, 530
	writer, err := NewCOGWriter(path, GeoTIFF{Grid: Grid{CRS: 32631, Transform: geo.Affine{300000, 10, 0, 4900020, 0, -10}, Width: w, Height: h}, Bands: make([]GeoTIFFBand, 1)},
		COGOptions{Fast: true, Overviews: None})
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, w*h)
	for i := range values {
		values[i] = float32(i)
	}
	if err := writer.Add(values); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	c, closer, err := openPath(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer closer()
	got, err := NewReader(0).Read(t.Context(), c, 0, Window{Width: w, Height: h}, []int{1})
	if err != nil || len(c.Levels) != 1 || !slices.Equal(got[0], values) {
		t.Errorf("%d levels, %v", len(c.Levels), err)
	}
}

// Lines of floats that halve evenly have a kernel of their own, which says what the general rule says.
func TestHalvesOfFloats(t *testing.T) {
	const w = 2 * 133
	for samples := 1; samples <= 3; samples++ {
		lines := [2][]float32{make([]float32, w*samples), make([]float32, w*samples)}
		for j := range lines {
			for i := range lines[j] {
				lines[j][i] = float32((i*7919+j*104729)%1000)/7 - 20
				if (i/5+j)%3 == 0 || i < 8*samples {
					lines[j][i] = float32(math.NaN())
				}
			}
		}
		across, down := spans(w), spans(2)[0]
		want, got := make([]float32, w/2*samples), make([]byte, w/2*samples*4)
		shrinkAverage(want, lines[:], down, across, samples, float32(math.NaN()), false, false)
		newShrinker(Float32, Average, samples, validity{}, nil)(got, [][]byte{bytesOf(lines[0]), bytesOf(lines[1])}, down, across)
		for i, v := range values[float32](got) {
			if v != want[i] && (v == v || want[i] == want[i]) {
				t.Fatalf("%d samples, value %d: %g, not %g", samples, i, v, want[i])
			}
		}
	}
}

// bytesOf sees floats as bytes.
func bytesOf(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}
