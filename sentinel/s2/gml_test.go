package s2_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"swath/fault"
	"swath/sentinel/s2"
)

const qi = "GRANULE/L1C_T56JMM_A015757_20180629T000241/QI_DATA/"

func TestReadMask(t *testing.T) {
	fsys := os.DirFS("testdata/south_n0206")
	m, err := s2.ReadMask(fsys, qi+"MSK_DETFOO_B10.gml")
	if err != nil {
		t.Fatal(err)
	}
	if m.EPSG != 32756 || len(m.Polygons) != 4 {
		t.Fatalf("EPSG %d, %d polygons", m.EPSG, len(m.Polygons))
	}
	first := m.Polygons[0]
	if first.ID != "detector_footprint-B10-09-0" || first.Type != "DETECTOR_FOOTPRINT" || first.Detector != 9 || len(first.Rings) != 1 || len(first.Rings[0]) != 9 ||
		first.Rings[0][1] != [2]float64{414614.979046890628524, 6699693.869068262167275} {
		t.Errorf("first polygon %+v", first)
	}
	for _, p := range m.Polygons {
		if p.Rings[0][0] != p.Rings[0][len(p.Rings[0])-1] {
			t.Errorf("%s is open", p.ID)
		}
	}
	if m, err := s2.ReadMask(fsys, qi+"MSK_CLOUDS_B00.gml"); err != nil || len(m.Polygons) != 0 {
		t.Errorf("empty mask: %+v, %v", m, err)
	}
}

const maskHead = `<eop:Mask xmlns:eop="e" xmlns:gml="g"><gml:boundedBy><gml:Envelope srsName="urn:ogc:def:crs:EPSG:8.7:32753"/></gml:boundedBy><eop:maskMembers>`

// mask is a GML with one feature.
func mask(feature string) fstest.MapFS {
	return fstest.MapFS{"m.gml": {Data: []byte(maskHead + `<eop:MaskFeature gml:id="CIRRUS.0"><eop:maskType>CIRRUS</eop:maskType><eop:extentOf><gml:Polygon>` + feature +
		`</gml:Polygon></eop:extentOf></eop:MaskFeature></eop:maskMembers></eop:Mask>`)}}
}

func TestReadMaskHoles(t *testing.T) {
	ring := func(kind, text string) string {
		return "<gml:" + kind + "><gml:LinearRing><gml:posList>" + text + "</gml:posList></gml:LinearRing></gml:" + kind + ">"
	}
	outer := ring("exterior", "0 0 9 0 9 9 0 9 0 0")
	m, err := s2.ReadMask(mask(outer+ring("interior", "1 1 2 1 2 2")+ring("interior", "4 4 5 4 5 5 4 4")), "m.gml")
	if err != nil {
		t.Fatal(err)
	}
	if r := m.Polygons[0].Rings; len(r) != 3 || len(r[1]) != 4 || r[1][3] != [2]float64{1, 1} || m.Polygons[0].Type != "CIRRUS" || m.Polygons[0].Detector != 0 {
		t.Errorf("polygon %+v", m.Polygons[0])
	}
	for want, feature := range map[string]string{
		"has 0 outlines": "", "has 2 outlines": outer + outer, "are not a ring": ring("exterior", "0 0 1 1"), "is not a position": ring("exterior", "0 0 1 x 2 2"),
	} {
		if _, err := s2.ReadMask(mask(feature), "m.gml"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "m.gml") {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func FuzzReadMask(f *testing.F) {
	body, err := os.ReadFile("testdata/south_n0206/" + qi + "MSK_DETFOO_B10.gml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := s2.ReadMask(fstest.MapFS{"m.gml": {Data: body}}, "m.gml")
		if err != nil {
			return
		}
		for _, p := range m.Polygons {
			for _, r := range p.Rings {
				if len(r) < 3 || r[0] != r[len(r)-1] {
					t.Fatalf("ring %v", r)
				}
			}
		}
	})
}
