package spot

import (
	"io/fs"
	"math"
	"strconv"
	"strings"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/sentinel/safe"
)

// document turns the text of elements into values and keeps the first mistake, with the element's name.
type document struct {
	fsys fs.FS
	name string
	err  error
}

func (d *document) fail(element, format string, args ...any) {
	if d.err == nil {
		d.err = fault.New(fault.Invalid, "%s: %s: "+format, append([]any{d.name, element}, args...)...)
	}
}

// number reads a finite number.
func (d *document) number(element, text string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		d.fail(element, "%.40q is not a number", text)
		return math.NaN()
	}
	return v
}

// optional reads a finite number; NaN when the element is absent or empty.
func (d *document) optional(element, text string) float64 {
	if strings.TrimSpace(text) == "" {
		return math.NaN()
	}
	return d.number(element, text)
}

func (d *document) int(element, text string) int {
	v, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		d.fail(element, "%.40q is not a whole number", text)
	}
	return v
}

func (d *document) time(element, text string) time.Time {
	t, err := safe.ParseTime(text)
	if err != nil {
		d.fail(element, "%v", err)
	}
	return t
}

// lonLat reads a place.
func (d *document) lonLat(element, lon, lat string) [2]float64 {
	p := [2]float64{d.number(element, lon), d.number(element, lat)}
	if d.err == nil && !(math.Abs(p[0]) <= 360 && math.Abs(p[1]) <= 90) {
		d.fail(element, "longitude %g and latitude %g are not a place", p[0], p[1])
	}
	return [2]float64{geo.WrapLon(p[0]), p[1]}
}

// epsg reads "epsg:32631" or "urn:ogc:def:crs:EPSG::32749"; 0 when there is no such code.
func epsg(text string) geo.EPSG {
	text = strings.ToLower(strings.TrimSpace(text))
	at := strings.LastIndexByte(text, ':')
	code, err := strconv.Atoi(text[at+1:])
	if err != nil || code < 1 || !strings.Contains(text, "epsg") {
		return 0
	}
	return geo.EPSG(code)
}

// specialXML is a stored value with a meaning; DIMAP 1 says INDEX where DIMAP 2 says COUNT.
type specialXML struct {
	Text  string `xml:"SPECIAL_VALUE_TEXT"`
	Index string `xml:"SPECIAL_VALUE_INDEX"`
	Count string `xml:"SPECIAL_VALUE_COUNT"`
}

func (d *document) special(values []specialXML, p *Product) {
	for _, s := range values {
		switch strings.ToUpper(strings.TrimSpace(s.Text)) {
		case "NODATA":
			v := d.number("Special_Value", s.Index+s.Count)
			p.NoData = &v
		case "SATURATED":
			v := d.number("Special_Value", s.Index+s.Count)
			p.Saturated = &v
		}
	}
}

// vertexXML is a corner of the image; DIMAP 1 puts FRAME_ before each name.
type vertexXML struct {
	Lon1 string `xml:"FRAME_LON"`
	Lat1 string `xml:"FRAME_LAT"`
	Row1 string `xml:"FRAME_ROW"`
	Col1 string `xml:"FRAME_COL"`
	Lon2 string `xml:"LON"`
	Lat2 string `xml:"LAT"`
	Row2 string `xml:"ROW"`
	Col2 string `xml:"COL"`
}

// frame reads the four vertices and the centre.
func (d *document) frame(element string, vertices []vertexXML, center vertexXML, p *Product) {
	if len(vertices) != 4 {
		d.fail(element, "%d vertices; four are expected", len(vertices))
		return
	}
	for _, v := range vertices {
		p.Frame = append(p.Frame, d.lonLat(element, v.Lon1+v.Lon2, v.Lat1+v.Lat2))
	}
	p.Frame = append(p.Frame, p.Frame[0])
	p.CenterDeg = d.lonLat(element, center.Lon1+center.Lon2, center.Lat1+center.Lat2)
}

// frameGCPs makes control points of the vertices, for a document that has no better ones.
func (d *document) frameGCPs(element string, vertices []vertexXML, p *Product) {
	for i, v := range vertices {
		if v.Row1+v.Row2 == "" || v.Col1+v.Col2 == "" || i >= len(p.Frame) {
			continue
		}
		p.GCPs = append(p.GCPs, geo.GCP{
			Column: corner(d.number(element, v.Col1+v.Col2), 1), Row: corner(d.number(element, v.Row1+v.Row2), 1),
			LonDeg: p.Frame[i][0], LatDeg: p.Frame[i][1],
		})
	}
}

// corner turns DIMAP's pixel coordinate, which is whole at a pixel's centre and counts from origin, into ours, which is
// whole at corners and counts from 0: the centre of the first pixel is 1 there and 0.5 here. GDAL's driver does the same.
func corner(coordinate, origin float64) float64 { return coordinate - origin + 0.5 }

// insertXML places a product on a map by the position of its first pixel.
type insertXML struct {
	X    string `xml:"ULXMAP"`
	Y    string `xml:"ULYMAP"`
	XDim string `xml:"XDIM"`
	YDim string `xml:"YDIM"`
}

// transform reads a map grid. The position is that of the first pixel's upper left corner, or of its centre when the raster
// is said to be made of points (DIMAP dictionary, Raster_CS and Geoposition_Insert).
func (d *document) transform(insert *insertXML, points bool) *geo.Affine {
	dx, dy := d.number("XDIM", insert.XDim), d.number("YDIM", insert.YDim)
	if d.err == nil && !(dx > 0 && dy > 0) {
		d.fail("Geoposition_Insert", "pixels of %g x %g", dx, dy)
	}
	a := geo.Affine{d.number("ULXMAP", insert.X), dx, 0, d.number("ULYMAP", insert.Y), 0, -dy}
	if points {
		a[0], a[3] = a[0]-dx/2, a[3]+dy/2
	}
	return &a
}

// refXML names a file.
type refXML struct {
	Href string `xml:"href,attr"`
}
