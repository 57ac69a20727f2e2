package raster

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airbusgeo/godal"
)

// masks writes a scene with a mask, or an alpha band as its last: transparent in a wedge and in specks.
func (s scene) masks(t *testing.T, dir string, alpha bool) (path string, valid []float64) {
	t.Helper()
	hole := s
	hole.noData, hole.hole = 0, true
	valid = hole.values(97)
	for i, v := range valid {
		if v != 0 {
			valid[i] = 255
			if alpha && i%3 == 0 {
				valid[i] = 100
			}
		}
	}
	plain := s.write(t, dir)
	path = filepath.Join(dir, "masked.tif")
	switches := []string{"-q", "--config", "GDAL_TIFF_INTERNAL_MASK", "YES", plain, path}
	if alpha {
		switches = append(switches, "-colorinterp", "red,green,blue,alpha")
	} else {
		switches = append(switches, "-mask", "1")
	}
	program(t, "gdal_translate", switches...)
	ds, err := godal.Open(path, godal.Update())
	if err != nil {
		t.Fatal(err)
	}
	to := ds.Bands()[s.bands-1]
	if !alpha {
		to = ds.Bands()[0].MaskBand()
	}
	if err := to.Write(0, 0, valid, s.width, s.height); err != nil {
		t.Fatal(err)
	}
	if err := ds.Close(); err != nil {
		t.Fatal(err)
	}
	return path, valid
}

// TestMaskedCOGAgainstGDAL: rasters with a mask or an alpha band become COGs that GDAL takes for what its own driver writes: the same
// samples, mask and opacity; overviews are of the valid pixels alone.
func TestMaskedCOGAgainstGDAL(t *testing.T) {
	for name, tc := range map[string]struct {
		bands    int
		dataType godal.DataType
		alpha    bool
		options  COGOptions
	}{
		"mask, byte":      {3, godal.Byte, false, COGOptions{}},
		"mask, int16":     {1, godal.Int16, false, COGOptions{Zstd: true}},
		"mask, float32":   {2, godal.Float32, false, COGOptions{}},
		"mask, classes":   {1, godal.Byte, false, COGOptions{Overviews: Mode}},
		"mask, one of 3":  {3, godal.UInt16, false, COGOptions{Bands: []int{2}}},
		"alpha":           {4, godal.Byte, true, COGOptions{}},
		"alpha, uint16":   {4, godal.UInt16, true, COGOptions{}},
		"alpha left away": {4, godal.Byte, true, COGOptions{Bands: []int{1, 2, 3}}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := small(tc.bands, tc.dataType)
			s.width, s.height, s.noData, s.creation = 601, 131, nan, nil
			src, valid := s.masks(t, dir, tc.alpha)
			dst, theirs := filepath.Join(dir, "out.tif"), filepath.Join(dir, "theirs.tif")
			if err := WriteCOG(context.Background(), src, dst, tc.options); err != nil {
				t.Fatal(err)
			}
			first, _ := os.ReadFile(dst)
			if info := program(t, "gdalinfo", dst); !strings.Contains(info, "LAYOUT=COG") || strings.Contains(info, "ERROR") {
				t.Errorf("GDAL sees no COG: %s", info)
			}
			if c := wellFormed(t, dst); !tc.alpha && (c.Levels[0].mask == nil || c.Levels[1].mask == nil) {
				t.Error("our reader sees no mask")
			}
			args := append([]string{"-q", src, theirs}, cog("COMPRESS=DEFLATE")...)
			kept := tc.options.Bands
			if kept == nil {
				kept = seqBands(tc.bands)
			} else {
				for _, b := range kept {
					args = append(args, "-b", string(rune('0'+b)))
				}
			}
			program(t, "gdal_translate", args...)
			want := readAll(t, theirs)
			for b, plane := range readAll(t, dst) {
				samePlane(t, "a band", plane, want[b], 0)
			}
			hidden := tc.alpha && tc.options.Bands == nil
			if !tc.alpha {
				samePlane(t, "the mask", readMask(t, dst, -1), readMask(t, theirs, -1), 0)
				samePlane(t, "the mask", readMask(t, dst, -1), valid, 0)
			}
			truth := readAll(t, src)
			width, height := s.width, s.height
			for level := 0; max(width, height) > 256; level++ {
				got := readOverview(t, dst, level)
				opacity := halved(valid, width, height, Average, true)
				for i, b := range kept {
					plane := truth[b-1]
					if tc.alpha && b == 4 {
						continue
					}
					if !tc.alpha || hidden {
						for k, v := range valid {
							if v == 0 {
								plane[k] = nan
							}
						}
					}
					truth[b-1] = halved(plane, width, height, tc.options.Overviews, tc.dataType < godal.Float32)
					for k, v := range truth[b-1] {
						if math.Abs(got[i][k]-v) > 1e-6*math.Abs(v) {
							t.Fatalf("overview %d, band %d, pixel %d: %g, want %g", level, b, k, got[i][k], v)
						}
					}
				}
				seen := truth[kept[0]-1]
				for k := range opacity {
					if !tc.alpha {
						opacity[k] = 255
						if isNaN(seen[k]) {
							opacity[k] = 0
						}
					} else if !isNaN(seen[k]) {
						opacity[k] = max(opacity[k], 1)
					}
				}
				if hidden {
					samePlane(t, "an overview's opacity", got[3], opacity, 0)
				} else if !tc.alpha {
					samePlane(t, "an overview's mask", readMask(t, dst, level), opacity, 0)
				}
				valid, width, height = opacity, (width+1)/2, (height+1)/2
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

// readMask reads the mask of the image, or of an overview, through GDAL.
func readMask(t *testing.T, path string, level int) []float64 {
	t.Helper()
	out := filepath.Join(t.TempDir(), "mask.tif")
	args := []string{"-q", "-b", "mask", path, out}
	if level >= 0 {
		args = append(args, "-oo", "OVERVIEW_LEVEL="+string(rune('0'+level)))
	}
	program(t, "gdal_translate", args...)
	return readAll(t, out)[0]
}
