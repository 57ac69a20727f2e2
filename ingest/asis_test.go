package ingest

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"swath/stac"
)

// TestAsIs: a product whose images stay JPEG 2000 has the item of one that was converted, but for the files; its objects are the
// zip's members; and taking it in again in the usual way makes COGs of it.
func TestAsIs(t *testing.T) {
	if testing.Short() {
		t.Skip("converts products")
	}
	in := newIngester(t)
	r := bring(t, in, jmm, Options{COG: stac.COGNone})
	if r.Err != nil || !r.Changed {
		t.Fatalf("%+v", r)
	}
	if again := bring(t, in, jmm, Options{COG: stac.COGNone}); again.Changed {
		t.Error("the same product again changed something")
	}
	raw := itemOf(t, in, r.Collection, r.Item)
	checkObjects(t, in, raw)
	z, err := zip.OpenReader(jmm)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, "_B04.jp2")
		if !ok || !strings.Contains(name, "/IMG_DATA/") {
			continue
		}
		m, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		member, err := io.ReadAll(m)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(member, readObject(t, in.Objects, raw.Assets["B04"].Key)) {
			t.Error("the object of B04 is not the zip's member")
		}
	}
	if r := bring(t, in, jmm, Options{}); r.Err != nil || !r.Changed {
		t.Fatalf("%+v", r)
	}
	made := itemOf(t, in, r.Collection, r.Item)
	checkObjects(t, in, made)
	if len(made.Assets) != len(raw.Assets) || raw.Assets["thumbnail"].Key == "" {
		t.Errorf("%d assets, converted %d", len(raw.Assets), len(made.Assets))
	}
	for key, a := range made.Assets {
		b := raw.Assets[key]
		if a.Type == mediaCOG && b.Type != mediaJP2 && key != "angles" {
			t.Errorf("asset %s is %s", key, b.Type)
		}
		if jsonText(a.Shape) != jsonText(b.Shape) || jsonText(a.Transform) != jsonText(b.Transform) || jsonText(a.NoData) != jsonText(b.NoData) ||
			a.DataType != b.DataType || jsonText(a.Bands) != jsonText(b.Bands) || jsonText(a.Code) != jsonText(b.Code) {
			t.Errorf("asset %s: %+v, converted %+v", key, b, a)
		}
	}
	for i, v := range made.BBox {
		if !near(v, raw.BBox[i], 0.01) {
			t.Errorf("bbox %v, converted %v", raw.BBox, made.BBox)
		}
	}
}
