package geo

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"
)

// TestTileMatrixSetsAgainstMorecantile compares grids and tiles with those of the library that TiTiler uses; the numbers are
// written by testdata/tilematrixsets.py.
func TestTileMatrixSetsAgainstMorecantile(t *testing.T) {
	f, err := os.Open("testdata/tilematrixsets.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string]int{}
	for _, row := range rows[1:] {
		var n [14]float64
		for i := 1; i < len(row); i++ {
			if n[i], err = strconv.ParseFloat(row[i], 64); err != nil {
				t.Fatal(err)
			}
		}
		set, ok := TileMatrixSetByID(row[0])
		if !ok {
			t.Errorf("there is no tile matrix set %q", row[0])
			continue
		}
		sets[row[0]]++
		tile := Tile{int(n[1]), int(n[8]), int(n[9])}
		m, ok := set.Matrix(tile.Z)
		if !ok || !set.Valid(tile) {
			t.Errorf("%s has no tile %v", row[0], tile)
			continue
		}
		scale := set.ScaleDenominator(m)
		if row[0] == "CanadianNAD83_LCC" || row[0] == "LINZAntarticaMapTilegrid" {
			scale = n[2] // published for another size of a pixel
		}
		if m.TileWidth != int(n[4]) || m.TileHeight != int(n[5]) || m.Width != int(n[6]) || m.Height != int(n[7]) || !close(m.CellSize, n[3]) || !close(scale, n[2]) {
			t.Errorf("%s %d: %+v with scale %g, want %v", row[0], tile.Z, *m, scale, row)
		}
		b, side := set.Box(tile), n[12]-n[10]
		for i, got := range []float64{b.MinX, b.MinY, b.MaxX, b.MaxY} {
			// the rounding of the published size of a cell adds up over the tiles before this one
			rounding := math.Abs(m.CellSize-n[3]) * n[4] * (math.Max(n[8], n[9]) + side/(n[3]*n[4]))
			if off := math.Abs(got - n[10+i]); off > 1e-6*side+rounding {
				t.Errorf("%s %v: edge %d is at %.10g, want %.10g", row[0], tile, i, got, n[10+i])
			}
		}
	}
	if len(sets) < 13 {
		t.Errorf("only %d sets were compared", len(sets))
	}
}

func close(a, b float64) bool { return math.Abs(a-b) <= 1e-4*math.Abs(b) }

func TestTileMatrixSets(t *testing.T) {
	all := TileMatrixSets()
	if len(all) != 12+120 {
		t.Errorf("%d tile matrix sets", len(all))
	}
	for _, s := range all {
		if again, ok := TileMatrixSetByID(s.ID); !ok || again != s || s.Axes[1] == "" || s.CRSURI == "" || s.Title == "" {
			t.Errorf("%+v is not found or lacks a word", s)
		}
		for i := range s.Matrices {
			m := &s.Matrices[i]
			covered := 0
			for _, c := range m.Coalesced {
				if covered > c.MinRow || c.MinRow > c.MaxRow || m.Width%c.Factor != 0 {
					t.Errorf("%s %d: %+v", s.ID, m.Z, c)
				}
				covered = c.MaxRow + 1
			}
			last := Tile{m.Z, m.Width - 1, m.Height - 1}
			b := s.Box(last)
			center := Box{(b.MinX + b.MaxX) / 2, (b.MinY + b.MaxY) / 2, (b.MinX + b.MaxX) / 2, (b.MinY + b.MaxY) / 2}
			first, _, ok := s.Within(m.Z, center)
			if !ok || s.Box(first) != b {
				t.Errorf("%s: the middle of tile %v lies in %v", s.ID, last, first)
			}
			if z := s.Zoom(m.CellSize); z != m.Z {
				t.Errorf("%s: level %d for its own cells, want %d", s.ID, z, m.Z)
			}
		}
		first, finest := s.Levels()
		if s.Valid(Tile{Z: first - 1}) || s.Valid(Tile{Z: finest + 1}) || s.Valid(Tile{Z: first, X: -1}) || s.Valid(Tile{Z: first, Y: s.Matrices[0].Height}) {
			t.Errorf("%s: tiles beyond the edge are valid", s.ID)
		}
	}
	web, _ := TileMatrixSetByID("WebMercatorQuad")
	for _, tile := range []Tile{{0, 0, 0}, {13, 4128, 2991}, {24, 1<<24 - 1, 5}} {
		if web.Box(tile) != tile.Box() || web.Valid(tile) != tile.Valid() {
			t.Errorf("%v: %v, want %v", tile, web.Box(tile), tile.Box())
		}
	}
	// The same ground in a zone's northern and southern codes.
	north, _ := TileMatrixSetByID("UTM56WGS84Quad")
	south, _ := TileMatrixSetByID("UTM56SWGS84Quad")
	a, b := north.Box(Tile{12, 1000, 3000}), south.Box(Tile{12, 1000, 3000})
	pn, _ := ProjectionOf(north.CRS)
	ps, _ := ProjectionOf(south.CRS)
	lon, lat := pn.ToLonLat(a.MinX, a.MinY)
	lon2, lat2 := ps.ToLonLat(b.MinX, b.MinY)
	if math.Abs(lon-lon2) > 1e-9 || math.Abs(lat-lat2) > 1e-9 || north.CRS != 32656 || south.CRS != 32756 {
		t.Errorf("%g,%g and %g,%g", lon, lat, lon2, lat2)
	}
}
