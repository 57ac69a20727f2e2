package raster

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airbusgeo/godal"
)

// TestWriteCOGAgainstGDAL: for every type, GDAL finds a COG, the pixels of the source, and overviews that are the means, or
// the modes, of the areas that they cover; and the file is the same when it is made again.
func TestWriteCOGAgainstGDAL(t *testing.T) {
	for i, tc := range []struct {
		dataType      godal.DataType
		width, height int
		bands         int
		noData        float64
		options       COGOptions
		big           bool
	}{
		{godal.UInt16, 1024, 768, 1, 0, COGOptions{}, false},
		{godal.UInt16, 1201, 777, 2, 0, COGOptions{Zstd: true}, false},
		{godal.UInt16, 700, 2100, 1, 0, COGOptions{}, true},
		{godal.Byte, 901, 600, 3, 0, COGOptions{}, false},
		{godal.Byte, 900, 600, 3, 255, COGOptions{}, false},
		{godal.Byte, 641, 643, 1, 7, COGOptions{Overviews: Mode}, false},
		{godal.Int16, 515, 1030, 1, -9999, COGOptions{}, false},
		{godal.Int32, 600, 513, 1, nan, COGOptions{}, false},
		{godal.UInt32, 257, 256, 1, 0, COGOptions{}, false},
		{godal.Float32, 1111, 701, 2, -1, COGOptions{}, false},
		{godal.Float64, 530, 300, 1, nan, COGOptions{Zstd: true}, true},
		{godal.UInt16, 1, 300, 1, 0, COGOptions{}, false},
		{godal.Byte, 20, 9, 1, nan, COGOptions{}, false},
	} {
		t.Run(fmt.Sprint(i, tc.dataType), func(t *testing.T) {
			dir := t.TempDir()
			s := small(tc.bands, tc.dataType)
			s.width, s.height, s.noData, s.hole, s.creation = tc.width, tc.height, tc.noData, true, nil
			src, dst := s.write(t, dir), filepath.Join(dir, "out.tif")
			if tc.big {
				defer func(n int64) { classicBytes = n }(classicBytes)
				classicBytes = 0
			}
			if err := WriteCOG(context.Background(), src, dst, tc.options); err != nil {
				t.Fatal(err)
			}
			first, err := os.ReadFile(dst)
			if err != nil {
				t.Fatal(err)
			}
			if first[2] != map[bool]byte{false: 42, true: 43}[tc.big] {
				t.Errorf("the version of the TIFF is %d", first[2])
			}
			if info := program(t, "gdalinfo", dst); !strings.Contains(info, "LAYOUT=COG") {
				t.Errorf("GDAL sees no COG: %s", info)
			}
			wellFormed(t, dst)
			want := readAll(t, src)
			for b, v := range readAll(t, dst) {
				samePlane(t, fmt.Sprint("band ", b+1), v, want[b], 0)
			}
			width, height := tc.width, tc.height
			for level := 0; max(width, height) > 256; level++ {
				got := readOverview(t, dst, level)
				for b := range want {
					want[b] = halved(want[b], width, height, tc.options.Overviews, tc.dataType < godal.Float32)
					samePlane(t, fmt.Sprint("overview ", level, " band ", b+1), got[b], want[b], 1e-6)
				}
				width, height = (width+1)/2, (height+1)/2
			}
			if err := WriteCOG(context.Background(), src, dst, tc.options); err != nil {
				t.Fatal(err)
			}
			if second, _ := os.ReadFile(dst); !bytes.Equal(first, second) {
				t.Error("the second run made other bytes")
			}
		})
	}
}

func samePlane(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, v := range got {
		if !(math.Abs(v-want[i]) <= tolerance*math.Abs(want[i])) && !(isNaN(v) && isNaN(want[i])) {
			t.Fatalf("%s, pixel %d: %g, want %g", what, i, v, want[i])
		}
	}
}

// readOverview reads an overview of all bands through GDAL, nodata as NaN.
func readOverview(t *testing.T, path string, level int) [][]float64 {
	t.Helper()
	out := filepath.Join(t.TempDir(), "overview.tif")
	program(t, "gdal_translate", "-q", "-oo", fmt.Sprint("OVERVIEW_LEVEL=", level), path, out)
	return readAll(t, out)
}

// halved makes an overview the slow way: each pixel from all the pixels that it overlaps on the ground.
func halved(from []float64, width, height int, o Overviews, whole bool) []float64 {
	wide, high := (width+1)/2, (height+1)/2
	stepX, stepY := float64(width)/float64(wide), float64(height)/float64(high)
	overlap := func(p int, from, to float64) float64 {
		return math.Min(to, float64(p+1)) - math.Max(from, float64(p))
	}
	to := make([]float64, 0, wide*high)
	for y := range high {
		for x := range wide {
			x0, y0 := float64(x)*stepX, float64(y)*stepY
			sum, weight, votes, order := 0.0, 0.0, map[float64]float64{}, []float64(nil)
			for q := int(y0); q < height && float64(q) < y0+stepY; q++ {
				for p := int(x0); p < width && float64(p) < x0+stepX; p++ {
					v, w := from[q*width+p], overlap(p, x0, x0+stepX)*overlap(q, y0, y0+stepY)
					if isNaN(v) || w < 1e-9 {
						continue
					}
					sum, weight = sum+w*v, weight+w
					if votes[v] == 0 {
						order = append(order, v)
					}
					votes[v] += w
				}
			}
			v, most := nan, 0.0
			for _, candidate := range order {
				if votes[candidate] > most+1e-9 {
					v, most = candidate, votes[candidate]
				}
			}
			if o == Average {
				v = sum / weight // 0/0 is NaN
				if whole {
					v = math.Floor(v + 0.5 + 1e-9)
				}
			}
			to = append(to, v)
		}
	}
	return to
}
