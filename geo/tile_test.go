package geo

import (
	"compress/gzip"
	"encoding/csv"
	"io"
	"math"
	"os"
	"strconv"
	"testing"
)

func TestTile(t *testing.T) {
	for _, tc := range []struct {
		tile  Tile
		valid bool
	}{
		{Tile{0, 0, 0}, true}, {Tile{24, 1<<24 - 1, 0}, true}, {Tile{25, 0, 0}, false}, {Tile{-1, 0, 0}, false},
		{Tile{3, 8, 0}, false}, {Tile{3, 0, 8}, false}, {Tile{3, -1, 0}, false},
	} {
		if got := tc.tile.Valid(); got != tc.valid {
			t.Errorf("%v valid = %v", tc.tile, got)
		}
	}
	// x = 8192·(1.4442+180)/360, y = 8192·(1 - ln(tan 43.6047° + sec 43.6047°)/π)/2
	tile := TileAt(13, 1.4442, 43.6047)
	if tile != (Tile{13, 4128, 2991}) {
		t.Fatalf("tile %v", tile)
	}
	b, ll := tile.Box(), tile.LonLatBox()
	if ll.MinX > 1.4442 || ll.MaxX < 1.4442 || ll.MinY > 43.6047 || ll.MaxY < 43.6047 {
		t.Errorf("%v does not hold its place", ll)
	}
	if math.Abs(b.MinX-32*4891.96981025128) > 1e-6 || math.Abs(b.MaxX-b.MinX-4891.96981025128) > 1e-6 {
		t.Errorf("box %v", b)
	}
	a := tile.Transform(256)
	if x, y := a.Apply(256, 256); math.Abs(x-b.MaxX) > 1e-6 || math.Abs(y-b.MinY) > 1e-6 {
		t.Errorf("transform ends at %f %f, box %v", x, y, b)
	}
	if r := TileResolutionM(0, 256); math.Abs(r-156543.03392804097) > 1e-6 {
		t.Errorf("resolution %f", r)
	}
	for _, corner := range [][2]float64{{-180, 90}, {180, -90}, {540, 89}} {
		if got := TileAt(24, corner[0], corner[1]); !got.Valid() {
			t.Errorf("TileAt(%v) = %v is not a tile", corner, got)
		}
	}
}

func TestMGRSTile(t *testing.T) {
	code, box, err := MGRSTile("31TCJ") // its MTD_TL says ULX 300000, ULY 4900020
	if err != nil || code != 32631 || box != (Box{300000, 4790220, 409800, 4900020}) {
		t.Errorf("31TCJ: %v %v %v", code, box, err)
	}
	for _, name := range []string{"", "31TCJ ", "61TCJ", "00TCJ", "31ICJ", "31TJJ", "31TCW", "ééé", "3ATCJ"} {
		if _, _, err := MGRSTile(name); err == nil {
			t.Errorf("%q is a tile", name)
		}
	}
}

func TestMGRSTileAgainstPublishedGrid(t *testing.T) {
	f, err := os.Open("../../shared/data/mgrs-grid/s2_tiling_grid.csv.gz")
	if err != nil {
		t.Skip("the published Sentinel-2 grid is not here: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(z)
	if _, err := r.Read(); err != nil {
		t.Fatal(err)
	}
	count := 0
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		var want [5]float64
		for i := range want {
			if want[i], err = strconv.ParseFloat(row[i+1], 64); err != nil {
				t.Fatal(err)
			}
		}
		code, box, err := MGRSTile(row[0])
		if err != nil || float64(code) != want[0] || box != (Box{want[1], want[2], want[3], want[4]}) {
			t.Errorf("%s: %v %v %v, want %v", row[0], code, box, err, want)
		}
		count++
	}
	if count != 56686 {
		t.Errorf("%d tiles compared", count)
	}
}

func FuzzMGRSTile(f *testing.F) {
	f.Add("31TCJ")
	f.Add("60XXX")
	f.Fuzz(func(t *testing.T, name string) {
		if _, box, err := MGRSTile(name); err == nil && (box.MaxX-box.MinX != 109800 || box.MaxY-box.MinY != 109800) {
			t.Errorf("%q: %v", name, box)
		}
	})
}
