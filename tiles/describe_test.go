package tiles

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"swath/fault"
	"swath/geo"
)

func TestDescribe(t *testing.T) {
	const tiff = `"type": "image/tiff; application=geotiff; profile=cloud-optimized", "swath:object": "c/i/1/x.tif", "file:checksum": "1220ab"`
	for name, tc := range map[string]struct {
		assets string
		want   []Band // of the one asset "x"
	}{
		"scale of the asset": {`{"x": {` + tiff + `, "data_type": "uint16", "nodata": 0, "raster:scale": 0.0001, "raster:offset": -0.1, "bands": [{"name": "B04", "eo:common_name": "red"}]}}`,
			[]Band{{Name: "B04", CommonName: "red", Number: 1, Scale: 0.0001, Offset: -0.1, NoData: ptr(0)}}},
		"scale of one band over the asset's": {`{"x": {` + tiff + `, "raster:scale": 2, "bands": [{"name": "a"}, {"name": "b", "raster:scale": 3, "nodata": "nan"}]}}`,
			[]Band{{Name: "a", Number: 1, Scale: 2}, {Name: "b", Number: 2, Scale: 3, NoData: ptr(math.NaN())}}},
		"STAC 1.0": {`{"x": {` + tiff + `, "eo:bands": [{"name": "B02", "common_name": "blue"}], "raster:bands": [{"scale": 0.5, "offset": 1, "nodata": -9999, "statistics": {"minimum": 3, "maximum": 9}}]}}`,
			[]Band{{Name: "B02", CommonName: "blue", Number: 1, Scale: 0.5, Offset: 1, NoData: ptr(-9999), Min: ptr(3), Max: ptr(9)}}},
		"no bands, one type":  {`{"x": {` + tiff + `, "data_type": "uint8"}}`, []Band{{Name: "x", Number: 1, Scale: 1}}},
		"nameless bands":      {`{"x": {` + tiff + `, "bands": [{}, {}]}}`, []Band{{Name: "x_b1", Number: 1, Scale: 1}, {Name: "x_b2", Number: 2, Scale: 1}}},
		"nothing said":        {`{"x": {` + tiff + `}}`, nil},
		"not ours, not a map": {`{"x": {` + tiff + `}, "y": {"type": "image/tiff", "href": "https://example.org/y.tif"}, "z": {"type": "image/png", "swath:object": "c/i/1/z.png"}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Describe(json.RawMessage(`{"id": "i", "collection": "c", "bbox": [1, 2, 3, 4], "assets": ` + tc.assets + `}`))
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Assets) != 1 || d.Assets[0].Key != "x" || d.Assets[0].Object != "c/i/1/x.tif" || d.Assets[0].Checksum != "1220ab" {
				t.Fatalf("assets: %+v, want x alone", d.Assets)
			}
			if got := d.Assets[0].Bands; !slices.EqualFunc(got, tc.want, sameBand) {
				t.Errorf("bands: %s, want %s", asJSON(got), asJSON(tc.want))
			}
		})
	}
}

func TestDescribePlace(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		want geo.Box
		fail string
	}{
		"flat":         {body: `{"id": "i", "bbox": [1, 2, 3, 4]}`, want: geo.Box{MinX: 1, MinY: 2, MaxX: 3, MaxY: 4}},
		"with heights": {body: `{"id": "i", "bbox": [1, 2, -50, 3, 4, 900]}`, want: geo.Box{MinX: 1, MinY: 2, MaxX: 3, MaxY: 4}},
		"none":         {body: `{"id": "i"}`, fail: "no bbox"},
		"five":         {body: `{"id": "i", "bbox": [1, 2, 3, 4, 5]}`, fail: "no bbox"},
		"not an item":  {body: `[]`, fail: "not a STAC item"},
		"odd nodata":   {body: `{"id": "i", "bbox": [1, 2, 3, 4], "assets": {"x": {"nodata": "none"}}}`, fail: "not a STAC item"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Describe(json.RawMessage(tc.body))
			switch {
			case tc.fail == "" && (err != nil || d.Bounds != tc.want):
				t.Errorf("%v, %v, want %v", d.Bounds, err, tc.want)
			case tc.fail != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.fail)):
				t.Errorf("%v, want fault.Invalid with %q", err, tc.fail)
			}
		})
	}
}

func TestFind(t *testing.T) {
	d := Description{ID: "i", Assets: []Asset{
		asset("B04", "B04"), asset("VV", "VV"), asset("all", "B02", "B03", "red", "b2"), asset("classes", "scl"), asset("more", "B02", "x"),
	}}
	listed := []ref{{&d.Assets[1], &d.Assets[1].Bands[0]}, {&d.Assets[2], &d.Assets[2].Bands[2]}}
	for name, tc := range map[string]struct{ want, fail string }{
		"B04":     {want: "B04"},
		"b04":     {want: "B04"},
		"vv":      {want: "VV"},
		"all_b3":  {want: "all_b3"},
		"ALL_B3":  {want: "all_b3"},
		"B03":     {want: "all_b2"},
		"red":     {want: "all_b3"},
		"scl":     {want: "classes"},
		"b2":      {want: "all_b4"}, // a band's own name comes before counting
		"b1":      {want: "VV"},     // the first of the listed
		"all":     {fail: `asset "all" has 4 bands: name one of them as all_b1 to all_b4`},
		"B02":     {fail: `"B02" is ambiguous: it may be all_b1, more_b1`},
		"all_b5":  {fail: `no drawable asset or band "all_b5"; it has B04, VV, all, classes, more`},
		"b3":      {fail: `no drawable asset or band "b3"`},
		"b0":      {fail: `no drawable asset or band "b0"`},
		"B99":     {fail: `no drawable asset or band "B99"`},
		"all_b":   {fail: `no drawable asset or band "all_b"`},
		"":        {fail: `no drawable asset or band ""`},
		"all_b-1": {fail: `no drawable asset or band "all_b-1"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := d.find(name, listed)
			switch {
			case tc.fail == "" && (err != nil || got.name() != tc.want):
				t.Errorf("%v, want %s", err, tc.want)
			case tc.fail != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.fail)):
				t.Errorf("%v, want fault.Invalid with %q", err, tc.fail)
			}
		})
	}
	var many Description
	for range 1000 {
		many.Assets = append(many.Assets, asset("quite a long asset key", "x"))
	}
	if _, err := many.find("y", nil); err == nil || len(err.Error()) > 1200 || !strings.Contains(err.Error(), "and 960 more") {
		t.Errorf("the list of 1000 assets is not cut: %v", err)
	}
}

func FuzzDescribe(f *testing.F) {
	f.Add([]byte(`{"id": "i", "collection": "c", "bbox": [1, 2, 3, 4], "assets": {"x": {"type": "image/tiff", "swath:object": "k", "nodata": "nan", "bands": [{"name": "B04"}]}}}`), "x_b1")
	f.Add([]byte(`{"id": "i", "bbox": [179, 2, -179, 4], "assets": {"x": {"type": "image/tiff", "swath:object": "k", "eo:bands": [{}, {}], "raster:bands": [{"scale": 1e308}]}}}`), "X_B2")
	f.Fuzz(func(t *testing.T, body []byte, name string) {
		d, err := Describe(body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is not fault.Invalid", err)
			}
			return
		}
		if r, err := d.find(name, nil); err == nil && (r.asset == nil || r.band == nil) {
			t.Fatalf("find(%q) found nothing and said so to nobody", name)
		}
		for _, a := range d.Assets {
			if refs, err := d.list(a.Key); err != nil || len(refs) != len(a.Bands) {
				t.Fatalf("list(%q) = %d bands, %v; want %d", a.Key, len(refs), err, len(a.Bands))
			}
		}
	})
}

func asset(key string, bands ...string) Asset {
	a := Asset{Key: key}
	for i, name := range bands {
		a.Bands = append(a.Bands, Band{Name: name, Number: i + 1, Scale: 1})
	}
	return a
}

func sameBand(a, b Band) bool {
	same := func(x, y *float64) bool {
		return (x == nil) == (y == nil) && (x == nil || *x == *y || math.IsNaN(*x) && math.IsNaN(*y))
	}
	return a.Name == b.Name && a.CommonName == b.CommonName && a.Number == b.Number && a.Scale == b.Scale && a.Offset == b.Offset &&
		same(a.NoData, b.NoData) && same(a.Min, b.Min) && same(a.Max, b.Max)
}

func asJSON(bands []Band) string {
	var b strings.Builder
	for _, band := range bands {
		b.WriteString(band.Name + " " + text(band.NoData) + " " + text(band.Min) + " " + text(band.Max) + "; ")
	}
	return b.String()
}

func ptr(v float64) *float64 { return &v }
