package s1ortho

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"swath/geo"
	"swath/internal/contract"
	"swath/raster"
)

// turnedDeg is how far the simulated product is turned around the Earth's axis, after it was turned over: its middle comes to the antimeridian.
const turnedDeg = 194.4

// turned is a vector after half a turn around the axis through longitude 0 on the equator, and then one around the Earth's. Nothing of an
// ellipsoid's geometry changes by either, and right stays right.
func turned(x, y, z float64) [3]float64 {
	y, z = -y, -z
	sin, cos := math.Sincos(turnedDeg * math.Pi / 180)
	return [3]float64{x*cos - y*sin, x*sin + y*cos, z}
}

// turnedPlace is where a place comes to.
func turnedPlace(lon, lat float64) (float64, float64) {
	return math.Mod(-lon+turnedDeg+180+360, 360) - 180, -lat
}

var (
	vectorTag = regexp.MustCompile(`<x>([^<]*)</x>\s*<y>([^<]*)</y>\s*<z>([^<]*)</z>`)
	placeTag  = regexp.MustCompile(`<latitude>([^<]*)</latitude>\s*<longitude>([^<]*)</longitude>`)
	cornerTag = regexp.MustCompile(`<gml:coordinates>([^<]*)<`)
)

func number(t *testing.T, b []byte) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// turnedProduct is the simulated product flying north over the antimeridian at 41.6° south, in the mode EW.
func turnedProduct(t *testing.T, from string) string {
	return unpacked(t, from, "S1B_EW_GRDH_1SDV_20211223T051134_20211223T051138_030148_039993_CEB4", func(path string, body []byte) []byte {
		if !strings.HasSuffix(path, ".xml") && path != "manifest.safe" {
			return body
		}
		body = vectorTag.ReplaceAllFunc(body, func(tag []byte) []byte {
			m := vectorTag.FindSubmatch(tag)
			v := turned(number(t, m[1]), number(t, m[2]), number(t, m[3]))
			return fmt.Appendf(nil, "<x>%.15e</x><y>%.15e</y><z>%.15e</z>", v[0], v[1], v[2])
		})
		body = placeTag.ReplaceAllFunc(body, func(tag []byte) []byte {
			m := placeTag.FindSubmatch(tag)
			lon, lat := turnedPlace(number(t, m[2]), number(t, m[1]))
			return fmt.Appendf(nil, "<latitude>%.15e</latitude><longitude>%.15e</longitude>", lat, lon)
		})
		body = cornerTag.ReplaceAllFunc(body, func(tag []byte) []byte {
			var corners []string
			for _, pair := range strings.Fields(string(cornerTag.FindSubmatch(tag)[1])) {
				a, b, _ := strings.Cut(pair, ",")
				lon, lat := turnedPlace(number(t, []byte(b)), number(t, []byte(a)))
				corners = append(corners, fmt.Sprintf("%.6f,%.6f", lat, lon))
			}
			return []byte("<gml:coordinates>" + strings.Join(corners, " ") + "<")
		})
		return []byte(strings.NewReplacer(">IW", ">EW", ">DESCENDING<", ">ASCENDING<", ">Descending<", ">Ascending<").Replace(string(body)))
	})
}

// turnedHeights is its height model, in two files that meet at the antimeridian.
func turnedHeights(t *testing.T, from string) string {
	t.Helper()
	d, err := raster.Inspect(from)
	if err != nil {
		t.Fatal(err)
	}
	was := read(t, from, picture{w: d.Width, h: d.Height})
	slices.Reverse(was.v) // half a turn
	step := d.Transform[1]
	west, north := turnedPlace(d.Transform[0]+float64(d.Width)*step, d.Transform[3]-float64(d.Height)*step)
	dir := t.TempDir()
	split := int(math.Round((180 - west) / step))
	for name, part := range map[string][2]int{"east.tif": {0, split}, "west.tif": {split, d.Width}} {
		p := raster.Planes{CRS: 4326, Transform: geo.Affine{west + float64(part[0])*step, step, 0, north, 0, -step}, Width: part[1] - part[0], Height: d.Height}
		if part[0] > 0 {
			p.Transform[0] -= 360
		}
		values := make([]float32, 0, p.Width*p.Height)
		for y := range d.Height {
			values = append(values, was.v[y*d.Width+part[0]:y*d.Width+part[1]]...)
		}
		p.Values = [][]float32{values}
		if err := raster.WritePlanes(filepath.Join(dir, name), p); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// South of the equator, on both sides of the antimeridian, flying north, in another mode: reflectors lie where they were moved to, in tiles of
// two zones.
func TestTurnedProduct(t *testing.T) {
	product, heights, truth := simulated(t)
	was := geometryOfProduct(t, product)
	outputs, out := ortho(t, map[string]any{"product": []string{turnedProduct(t, product)}, "dem": turnedHeights(t, heights), "heights_above": "ellipsoid", "min_coverage": 0.002,
		"zip": false, "polarisations": []string{"VV"}})
	files, _ := filepath.Glob(filepath.Join(out, "*", "s1b_*_vv_ASC_022_20211223t051134.tif"))
	zones := map[string]int{}
	for _, path := range files {
		zones[strings.Split(filepath.Base(path), "_")[1][:3]]++
	}
	t.Logf("tiles by zone: %v", zones)
	if zones["01G"] == 0 || zones["60G"] == 0 || len(zones) != 2 {
		t.Errorf("%v", files)
	}
	found := map[string]int{}
	for _, r := range truth.Reflectors {
		// Where it is when the model's heights are taken for ellipsoidal, and from there to the other side of the Earth.
		lon, lat := turnedPlace(was.Place(r.Line, r.Pixel, r.OrthoM))
		if r.Kind != "flat" {
			continue // there the ground would be another
		}
		for _, path := range files {
			name := strings.Split(filepath.Base(path), "_")[1]
			g, p, err := gridOf(name)
			if err != nil {
				t.Fatal(err)
			}
			e, n := p.FromLonLat(lon, lat)
			x, y := (e-g.Transform[0])/10-0.5, (g.Transform[3]-n)/10-0.5
			if x < 20 || y < 20 || x > tilePx-20 || y > tilePx-20 {
				continue
			}
			px, py := read(t, path, picture{col: int(x) - 12, row: int(y) - 12, w: 26, h: 26}).peak(x, y)
			t.Logf("%s in %s: %+.3f %+.3f pixels", r.ID, name, px-x, py-y)
			if math.Hypot(px-x, py-y) > 0.1 {
				t.Errorf("%s in %s: %+.3f %+.3f pixels", r.ID, name, px-x, py-y)
			}
			found[name[:2]]++
		}
	}
	if found["01"] == 0 || found["60"] == 0 {
		t.Errorf("reflectors by zone: %v", found)
	}
	var items []string
	if err := json.Unmarshal(outputs["items"], &items); err != nil || len(items) != len(files) {
		t.Fatalf("%s: %v", outputs["items"], err)
	}
	for _, path := range items {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		contract.ValidateItem(t, body)
		var item struct {
			Geometry struct{ Type string }
			BBox     []float64
			P        struct {
				Mode  string `json:"sar:instrument_mode"`
				State string `json:"sat:orbit_state"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(body, &item); err != nil {
			t.Fatal(err)
		}
		if item.P.Mode != "EW" || item.P.State != "ascending" {
			t.Errorf("%+v", item.P)
		}
		if b := item.BBox; b[1] > -41 || b[3] > -41 || b[1] < -43 {
			t.Errorf("%s: the box is %v", filepath.Base(path), b)
		}
		t.Log(filepath.Base(path), item.Geometry.Type, item.BBox)
	}
}
