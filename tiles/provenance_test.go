package tiles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swath/geo"
	"swath/render"
)

// TestProvenance: each quarter of a tile says which layer is on top there, in all forms alike.
func TestProvenance(t *testing.T) {
	tile := geo.Tile{Z: 10, X: 516, Y: 372}
	r, _ := layersAt(t, tile, map[string]string{"a": "2024-03-05T10:00:00Z", "b": "1970-01-02T23:59:59Z"})
	quarters := [][2]int{{60, 60}, {200, 60}, {60, 200}, {200, 200}} // north-west, north-east, south-west, south-east
	for how, want := range map[render.Selection][4]int32{render.First: {1, 3, 2, 0}, render.Highest: {3, 3, 2, 0}, render.Lowest: {1, 3, 2, 0}} {
		s, err := r.Scene(t.Context(), MosaicRequest{Request: Request{Expression: "v"}, Selection: how}, WebMercatorQuad, tile)
		if err != nil {
			t.Fatal(err)
		}
		body, err := s.Provenance(t.Context(), ProvenanceJSON)
		if err != nil {
			t.Fatal(err)
		}
		var p Provenance
		if err := json.Unmarshal(body, &p); err != nil {
			t.Fatal(err)
		}
		var numbers []int32
		for i := 0; i < len(p.Runs); i += 2 {
			for range p.Runs[i+1] {
				numbers = append(numbers, p.Runs[i])
			}
		}
		pixels := map[int32]int{}
		for _, n := range numbers {
			pixels[n]++
		}
		if len(numbers) != 256*256 || p.Width != 256 || p.Height != 256 || p.CRS != "EPSG:3857" || p.Transform[2] != tile.Box().MinX || p.Limited {
			t.Errorf("%v: %d numbers, %+v", how, len(numbers), p)
		}
		for i, it := range p.Items {
			if it.Number != i+1 || it.ID != string(rune('a'+i)) || it.Pixels != pixels[int32(i+1)] {
				t.Errorf("%v: %+v", how, it)
			}
		}
		picture, err := s.Provenance(t.Context(), ProvenancePNG)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			t.Fatal(err)
		}
		tif, err := s.Provenance(t.Context(), ProvenanceTIFF)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "from.tif")
		if err := os.WriteFile(path, tif, 0o600); err != nil {
			t.Fatal(err)
		}
		values := read(t, path)
		days := []float32{0, 19787, 1, 0} // date -d 2024-03-05 +%s is 19787 days
		for q, at := range quarters {
			i := at[1]*256 + at[0]
			c, hex := color.NRGBAModel.Convert(img.At(at[0], at[1])).(color.NRGBA), ""
			if c.A > 0 {
				hex = fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
			}
			if numbers[i] != want[q] || values[i] != float32(want[q]) || values[256*256+i] != days[want[q]] || want[q] > 0 && hex != p.Items[want[q]-1].Color || want[q] == 0 && hex != "" {
				t.Errorf("%v, quarter %d: %d, %g on day %g, %s, want %d", how, q, numbers[i], values[i], values[256*256+i], hex, want[q])
			}
		}
		if said := string(gdal(t, "", "gdalinfo", path)); !strings.Contains(said, "ITEM_1=c/a 2024-03-05T10:00:00Z") || !strings.Contains(said, "ITEM_3=c/c\n") || !strings.Contains(said, "NoData Value=0") {
			t.Error(said)
		}
	}
	for _, f := range []ProvenanceFormat{ProvenanceJSON, ProvenancePNG, ProvenanceTIFF} { // where nothing lies
		s, err := r.Scene(t.Context(), MosaicRequest{Request: Request{Expression: "v"}}, WebMercatorQuad, geo.Tile{Z: 10})
		if err != nil {
			t.Fatal(err)
		}
		if body, err := s.Provenance(t.Context(), f); err != nil || len(body) == 0 {
			t.Errorf("%s of nothing: %d bytes, %v", f, len(body), err)
		}
	}
}

// TestItemColours: the colours of all items differ.
func TestItemColours(t *testing.T) {
	seen := map[color.NRGBA]int{}
	for i := range mostItemColours {
		if before, twice := seen[colourOf(i)]; twice {
			t.Errorf("items %d and %d are both %v", before, i, colourOf(i))
		}
		seen[colourOf(i)] = i
	}
}
