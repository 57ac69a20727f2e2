package tiles

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"swath/fault"
	"swath/raster"
	"swath/stac"
)

// papers is a catalog of one item whose assets are files.
type papers struct {
	stac.Catalog
	assets map[string]map[string]any
}

func (p papers) Item(_ context.Context, collection, id string) (stac.Item, error) {
	if collection != "c" || id != "i" {
		return stac.Item{}, fault.New(fault.NotFound, "item %q is not in collection %q", id, collection)
	}
	body, err := json.Marshal(map[string]any{"type": "Feature", "id": "i", "collection": "c", "assets": p.assets})
	return stac.Item{Collection: collection, ID: id, Body: body}, err
}

// paper is a file or a text as the source of an object.
type paper struct{ *bytes.Reader }

func (p paper) Size() int64 { return p.Reader.Size() }
func (p paper) ID() string  { return "paper" }

// filed is a renderer of one item with one asset: a file's content.
func filed(asset string, content []byte) *Renderer {
	return New(papers{assets: map[string]map[string]any{asset: {"swath:object": "k", "type": "application/xml"}}},
		func(context.Context, string) (raster.Source, error) { return paper{bytes.NewReader(content)}, nil }, Options{})
}

// element is an XML element as it stands: the truth that knows nothing of products.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

func (e *element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// all returns the elements of a name below e, in the document's order.
func (e *element) all(name string) (found []*element) {
	for i := range e.Children {
		if e.Children[i].XMLName.Local == name {
			found = append(found, &e.Children[i])
		}
		found = append(found, e.Children[i].all(name)...)
	}
	return found
}

func (e *element) number(t *testing.T, name string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.TrimSpace(e.all(name)[0].Text), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// sameTable compares a table with the rows of VALUES below an element.
func sameTable(t *testing.T, what string, got [][]*float64, of *element) (numbers int) {
	t.Helper()
	rows := of.all("VALUES")
	if len(got) != len(rows) {
		t.Fatalf("%s: %d rows, want %d", what, len(got), len(rows))
	}
	for i, row := range rows {
		words := strings.Fields(row.Text)
		if len(words) != len(got[i]) {
			t.Fatalf("%s: row %d has %d values, want %d", what, i, len(got[i]), len(words))
		}
		for j, word := range words {
			want, err := strconv.ParseFloat(word, 64)
			if err != nil {
				t.Fatal(err)
			}
			switch v := got[i][j]; {
			case math.IsNaN(want) != (v == nil) || v != nil && *v != want:
				t.Fatalf("%s: row %d, column %d differs from %s", what, i, j, word)
			case v != nil:
				numbers++
			}
		}
	}
	return numbers
}

// TestAnglesAreThoseOfTheMetadata reads every granule that is at hand twice: by the product reader, and as bare XML.
func TestAnglesAreThoseOfTheMetadata(t *testing.T) {
	var paths []string
	for _, pattern := range []string{"../sentinel/s2/testdata/*/GRANULE/*/MTD_TL.xml", "../sentinel/s2/testdata/*/metadata.xml",
		"../../shared/data/s2-safe-metadata/*/GRANULE/*/MTD_TL.xml", "../../shared/data/s2-safe-metadata/*/*.xml"} {
		found, _ := filepath.Glob(pattern)
		for _, path := range found {
			if base := filepath.Base(path); base == "MTD_TL.xml" || base == "metadata.xml" {
				paths = append(paths, path)
			}
		}
	}
	if len(paths) < 2 {
		t.Fatalf("only %d granules", len(paths))
	}
	bands := strings.Fields("B01 B02 B03 B04 B05 B06 B07 B08 B8A B09 B10 B11 B12") // by bandId
	numbers := 0
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var truth element
		if err := xml.Unmarshal(content, &truth); err != nil {
			t.Fatal(err)
		}
		a, err := filed("granule-metadata", content).Angles(t.Context(), "c", "i", nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if want := strings.TrimSpace(truth.all("HORIZONTAL_CS_CODE")[0].Text); a.CRS != want {
			t.Errorf("%s: %s, want %s", path, a.CRS, want)
		}
		mean := truth.all("Mean_Sun_Angle")[0]
		if z, az := mean.number(t, "ZENITH_ANGLE"), mean.number(t, "AZIMUTH_ANGLE"); *a.Sun.Mean != (Direction{z, az}) {
			t.Errorf("%s: mean sun %v, want %g, %g", path, *a.Sun.Mean, z, az)
		}
		if sun := truth.all("Sun_Angles_Grid"); len(sun) > 0 {
			numbers += sameTable(t, path+": sun zenith", a.Sun.Grid.ZenithDeg, sun[0].all("Zenith")[0])
			numbers += sameTable(t, path+": sun azimuth", a.Sun.Grid.AzimuthDeg, sun[0].all("Azimuth")[0])
			if step := sun[0].all("Zenith")[0].number(t, "COL_STEP"); a.Sun.Grid.StepM[0] != step {
				t.Errorf("%s: step %v, want %g", path, a.Sun.Grid.StepM, step)
			}
			if at := truth.all("Geoposition")[0]; a.Sun.Grid.OriginM != [2]float64{at.number(t, "ULX"), at.number(t, "ULY")} {
				t.Errorf("%s: origin %v", path, a.Sun.Grid.OriginM)
			}
		}
		for _, m := range truth.all("Mean_Viewing_Incidence_Angle") {
			id, _ := strconv.Atoi(m.attr("bandId"))
			got := a.View.Bands[id]
			if z := m.all("ZENITH_ANGLE")[0].Text; z == "NaN" && got.Mean == nil {
				continue
			}
			if got.Band != bands[id] || *got.Mean != (Direction{m.number(t, "ZENITH_ANGLE"), m.number(t, "AZIMUTH_ANGLE")}) {
				t.Errorf("%s: mean view of %s: %v", path, bands[id], got)
			}
		}
		grids := truth.all("Viewing_Incidence_Angles_Grids")
		for _, g := range grids {
			id, _ := strconv.Atoi(g.attr("bandId"))
			detector, _ := strconv.Atoi(g.attr("detectorId"))
			found := false
			for _, d := range a.View.Bands[id].Detectors {
				if d.Detector == detector {
					found = true
					what := fmt.Sprintf("%s: view of %s, detector %d", path, bands[id], detector)
					numbers += sameTable(t, what, d.ZenithDeg, g.all("Zenith")[0]) + sameTable(t, what, d.AzimuthDeg, g.all("Azimuth")[0])
				}
			}
			if !found {
				t.Errorf("%s: no view of band %d, detector %d", path, id, detector)
			}
		}
		one, err := filed("granule-metadata", content).Angles(t.Context(), "c", "i", []string{"B8A"})
		if err != nil || len(one.View.Bands) != 1 || one.View.Bands[0].Band != "B8A" {
			t.Errorf("%s: only B8A: %v, %v", path, one.View.Bands, err)
		}
		if body, err := json.Marshal(a); err != nil || bytes.Contains(body, []byte("NaN")) {
			t.Errorf("%s: JSON: %v", path, err)
		}
	}
	if t.Logf("%d numbers of %d granules", numbers, len(paths)); numbers < 1000 {
		t.Errorf("only %d numbers were compared", numbers)
	}
}

// TestOrbitIsThatOfTheAnnotation compares with the annotation's bare XML, and checks that position and velocity belong together.
func TestOrbitIsThatOfTheAnnotation(t *testing.T) {
	paths, _ := filepath.Glob("../sentinel/s1/testdata/*.SAFE/annotation/*.xml")
	if len(paths) == 0 {
		t.Fatal("no annotation")
	}
	content, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	var truth element
	if err := xml.Unmarshal(content, &truth); err != nil {
		t.Fatal(err)
	}
	o, err := filed("annotation-vv", content).Orbit(t.Context(), "c", "i")
	if err != nil {
		t.Fatal(err)
	}
	want := truth.all("orbitList")[0].all("orbit")
	if len(o.Vectors) != len(want) || len(want) < 10 || o.Source != "annotation-vv" || o.Frame != want[0].all("frame")[0].Text {
		t.Fatalf("%d vectors, want %d; %s, %s", len(o.Vectors), len(want), o.Source, o.Frame)
	}
	for i, v := range o.Vectors {
		if at := want[i].all("time")[0].Text; v.TimeUTC.Format("2006-01-02T15:04:05.000000") != at {
			t.Errorf("vector %d: time %v, want %s", i, v.TimeUTC, at)
		}
		for axis, name := range []string{"x", "y", "z"} {
			p, speed := want[i].all("position")[0].number(t, name), want[i].all("velocity")[0].number(t, name)
			if v.PositionM[axis] != p || v.VelocityMPerS[axis] != speed {
				t.Errorf("vector %d, %s: %g and %g, want %g and %g", i, name, v.PositionM[axis], v.VelocityMPerS[axis], p, speed)
			}
			if i == 0 || i == len(o.Vectors)-1 {
				continue
			}
			before, after := o.Vectors[i-1], o.Vectors[i+1]
			slope := (after.PositionM[axis] - before.PositionM[axis]) / after.TimeUTC.Sub(before.TimeUTC).Seconds()
			if math.Abs(slope-v.VelocityMPerS[axis]) > 2 { // the curve's third derivative times 100 s²/6, about 1 m/s
				t.Errorf("vector %d, %s: positions move by %g m/s, the velocity says %g", i, name, slope, v.VelocityMPerS[axis])
			}
		}
	}
	if o.Vectors[1].TimeUTC.Sub(o.Vectors[0].TimeUTC) != 10*time.Second {
		t.Errorf("steps of %v", o.Vectors[1].TimeUTC.Sub(o.Vectors[0].TimeUTC))
	}
}

// TestMetadataThatIsNotThere says why.
func TestMetadataThatIsNotThere(t *testing.T) {
	angles := func(r *Renderer) error { _, err := r.Angles(t.Context(), "c", "i", nil); return err }
	orbit := func(r *Renderer) error { _, err := r.Orbit(t.Context(), "c", "i"); return err }
	foreign := New(papers{assets: map[string]map[string]any{"granule-metadata": {"href": "https://example.com/MTD_TL.xml"}, "annotation-vv": {"href": "x"}}}, nil, Options{})
	for name, tc := range map[string]struct {
		err  error
		says string
	}{
		"no Sentinel-2":      {angles(filed("annotation-vv", nil)), "no asset granule-metadata"},
		"no Sentinel-1":      {orbit(filed("granule-metadata", nil)), "no asset annotation-*"},
		"angles elsewhere":   {angles(foreign), "not held here"},
		"orbit elsewhere":    {orbit(foreign), "not held here"},
		"a damaged granule":  {angles(filed("granule-metadata", []byte("<a><b></a>"))), "granule-metadata, line 1"},
		"an empty granule":   {angles(filed("granule-metadata", nil)), "no XML element"},
		"another document":   {angles(filed("granule-metadata", []byte("<a/>"))), "not the metadata of a Sentinel-2 tile"},
		"a damaged orbit":    {orbit(filed("annotation-vv", []byte("<product><generalAnnotation/></product>"))), "0 state vectors"},
		"another annotation": {orbit(filed("annotation-vv", []byte("<calibration/>"))), "not an annotation"},
		"entities":           {orbit(filed("annotation-vv", []byte(`<!DOCTYPE a [<!ENTITY b "c">]><product/>`))), "DOCTYPE"},
	} {
		if !fault.Is(tc.err, fault.NotFound) || !strings.Contains(tc.err.Error(), tc.says) {
			t.Errorf("%s: %v, want one that says %q", name, tc.err, tc.says)
		}
	}
	if _, err := filed("granule-metadata", nil).Angles(t.Context(), "c", "other", nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("another item: %v", err)
	}
}
