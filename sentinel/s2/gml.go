package s2

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"

	"swath/fault"
	"swath/geo"
	"swath/sentinel/safe"
)

// VectorMask is a GML mask of the baselines before 04.00.
type VectorMask struct {
	EPSG     geo.EPSG // 0 when the mask is empty
	Polygons []MaskPolygon
}

// MaskPolygon is one area of a mask.
type MaskPolygon struct {
	ID       string
	Type     string         // "OPAQUE", "CIRRUS", "DETECTOR_FOOTPRINT", "QT_DEFECTIVE_PIXELS"…
	Detector int            // 1..12 when the polygon is of one; else 0. Polygons are in no order
	Rings    [][][2]float64 // closed; the outer one first, then holes; map coordinates (x, y), metres
}

type maskXML struct {
	CRS struct {
		Name string `xml:"srsName,attr"`
	} `xml:"boundedBy>Envelope"`
	Features []struct {
		ID       string    `xml:"id,attr"`
		Type     string    `xml:"maskType"`
		Exterior []ringXML `xml:"extentOf>Polygon>exterior>LinearRing>posList"`
		Interior []ringXML `xml:"extentOf>Polygon>interior>LinearRing>posList"`
	} `xml:"maskMembers>MaskFeature"`
}

type ringXML struct {
	Dimension string `xml:"srsDimension,attr"`
	Text      string `xml:",chardata"`
}

var (
	maskCRSPattern  = regexp.MustCompile(`EPSG:[^:]*:(\d{4,5})$`)
	detectorPattern = regexp.MustCompile(`^detector_footprint-B[0-9A]{2}-(\d{2})-|-D(\d{2})\.`) // footprints; defects
)

// ReadMask reads a GML mask.
func ReadMask(fsys fs.FS, name string) (*VectorMask, error) {
	var d maskXML
	if err := safe.DecodeXML(fsys, name, &d); err != nil {
		return nil, err
	}
	r := &reader{}
	mask := &VectorMask{}
	if m := maskCRSPattern.FindStringSubmatch(d.CRS.Name); m != nil {
		mask.EPSG = geo.EPSG(r.int("srsName", m[1], 1, 99999))
	} else if len(d.Features) > 0 {
		r.fail("srsName %.60q has no EPSG code", d.CRS.Name)
	}
	for _, f := range d.Features {
		polygon := MaskPolygon{ID: f.ID, Type: strings.TrimSpace(f.Type)}
		if m := detectorPattern.FindStringSubmatch(f.ID); m != nil {
			polygon.Detector = r.int("detector", m[1]+m[2], 1, 12)
		}
		if len(f.Exterior) != 1 {
			r.fail("%.60q has %d outlines", f.ID, len(f.Exterior))
		}
		for _, ring := range append(f.Exterior, f.Interior...) {
			polygon.Rings = append(polygon.Rings, r.ring(f.ID, ring))
		}
		mask.Polygons = append(mask.Polygons, polygon)
	}
	if r.err != nil {
		return nil, fault.New(fault.Invalid, "%s: %v", name, r.err)
	}
	return mask, nil
}

// ring reads a posList of two or three dimensions, drops heights and closes it.
func (r *reader) ring(id string, d ringXML) [][2]float64 {
	dimension := 2
	if d.Dimension != "" {
		dimension = r.int("srsDimension", d.Dimension, 2, 3)
	}
	words := strings.Fields(d.Text)
	if len(words)%dimension != 0 || len(words) < 3*dimension {
		r.fail("%.60q: %d numbers are not a ring of %d dimensions", id, len(words), dimension)
		return nil
	}
	ring := make([][2]float64, 0, len(words)/dimension+1)
	for i := 0; i < len(words); i += dimension {
		x, errX := strconv.ParseFloat(words[i], 64)
		y, errY := strconv.ParseFloat(words[i+1], 64)
		if errX != nil || errY != nil || math.IsNaN(x+y) || math.IsInf(x+y, 0) {
			r.fail("%.60q: %.40q %.40q is not a position", id, words[i], words[i+1])
			return nil
		}
		ring = append(ring, [2]float64{x, y})
	}
	if ring[0] != ring[len(ring)-1] {
		ring = append(ring, ring[0])
	}
	return ring
}
