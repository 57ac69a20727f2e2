package ingest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// splitSPOT7 is package spot's DIMAP 2 product of 101 x 101 pixels with its image in the two files that its document names:
// the first has width columns. Every band's value is 100·column + row + 1; the values of the whole are returned.
func splitSPOT7(t *testing.T, width, total int) (dir string, values []float64) {
	const side = 101
	dir = filepath.Join(t.TempDir(), "SPOT7")
	copyTree(t, "../spot/testdata/spot7_ortho", dir)
	for row := range side {
		for column := range side {
			values = append(values, float64(100*column+row+1))
		}
	}
	for i, file := range []struct{ first, width int }{{0, width}, {width, total - width}} {
		p := raster.Planes{CRS: 32749, Width: file.width, Height: side, Transform: geo.Affine{427461 + 1.5*float64(file.first), 1.5, 0, 9178299, 0, -1.5}}
		plane := make([]float32, file.width*side)
		for j := range plane {
			plane[j] = float32(100*(file.first+j%file.width) + j/file.width + 1)
		}
		p.Values = [][]float32{plane, plane, plane, plane}
		plain := filepath.Join(t.TempDir(), "plain.tif")
		if err := raster.WritePlanes(plain, p); err != nil {
			t.Fatal(err)
		}
		name := "IMG_SPOT7_PMS_202011170245179_ORT_1234567101_R1C" + string(rune('1'+i)) + ".JP2"
		command(t, "gdal_translate", "-q", "-of", "JP2OpenJPEG", "-co", "REVERSIBLE=YES", "-co", "QUALITY=100", "-ot", "UInt16", "-a_nodata", "none", plain, filepath.Join(dir, "IMG_SPOT7_PMS_001_A", name))
	}
	return dir, values
}

// TestSPOTInSeveralFiles brings in an image in two files, and holds every band to the pixels of the whole.
func TestSPOTInSeveralFiles(t *testing.T) {
	in := newIngester(t)
	dir, want := splitSPOT7(t, 61, 101)
	r := bring(t, in, dir, Options{})
	it := itemOf(t, in, r.Collection, r.Item)
	checkObjects(t, in, it)
	for _, band := range []string{"B0", "B1", "B2", "B3"} {
		a := it.Assets[band]
		if a.Code == nil || *a.Code != "EPSG:32749" || a.Transform[2] != 427461 || a.Shape[1] != 101 {
			t.Fatalf("%s: %+v", band, a)
		}
		path := filepath.Join(t.TempDir(), band+".tif")
		if err := os.WriteFile(path, readObject(t, in.Objects, a.Key), 0o600); err != nil {
			t.Fatal(err)
		}
		// gdal_translate to text is the truth: one line a row.
		text := filepath.Join(t.TempDir(), band+".xyz")
		command(t, "gdal_translate", "-q", "-of", "XYZ", path, text)
		body, err := os.ReadFile(text)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(body)), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%s: %d pixels, want %d", band, len(lines), len(want))
		}
		for i, line := range lines {
			if got := strings.Fields(line)[2]; got != jsonText(want[i]) {
				t.Fatalf("%s, pixel %d: %s, want %g", band, i, got, want[i])
			}
		}
	}
}

// TestSPOTFilesThatDoNotFit is refused: the files make another image than the document says.
func TestSPOTFilesThatDoNotFit(t *testing.T) {
	in := newIngester(t)
	dir, _ := splitSPOT7(t, 61, 95)
	if r := try(t, in, dir, Options{}); !fault.Is(r.Err, fault.Invalid) || !strings.Contains(r.Err.Error(), "2 image files make 95 x 101 pixels") {
		t.Errorf("%v", r.Err)
	}
}
