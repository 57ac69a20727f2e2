package raster

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
