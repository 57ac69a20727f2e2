package s1

import (
	"encoding/xml"
	"io/fs"
	"math"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/sentinel/safe"
)

// Measurement is one image of a product: of one polarisation, and in an SLC of one subswath.
type Measurement struct {
	Polarisation string // "VV"
	Swath        string // "IW" of a GRD, "IW1" of an SLC, "S3" of a stripmap

	// Paths inside the product; Product.Missing tells which are not there. Calibration and Noise are empty when the manifest
	// lists none.
	Path, Annotation, Calibration, Noise string

	Lines, Samples  int
	RangeSpacingM   float64 // on the ground in a GRD, along the line of sight in an SLC
	AzimuthSpacingM float64 // nominal

	FirstLineUTC, LastLineUTC time.Time // zero-Doppler times
	LineIntervalS             float64   // azimuth time between lines; in a TOPS SLC inside a burst
	SlantRangeTimeS           float64   // two-way, of the first sample
	RangeSamplingHz           float64
	RadarHz                   float64 // carrier
	IncidenceMidSwathDeg      float64
	HeadingDeg                float64 // of the platform, clockwise from north

	Orbit       []StateVector
	GroundRange []GroundRange // of a GRD; empty for an SLC
	Grid        []GridPoint
	SwathBounds []SwathBounds // of a GRD of several subswaths: which of them each pixel comes from
}

// EarthFixed is the frame of state vectors, as annotations call it: ITRF axes that turn with the Earth.
const EarthFixed = "Earth Fixed"

// StateVector is where the satellite is, in the Earth-fixed frame.
type StateVector struct {
	TimeUTC       time.Time
	PositionM     [3]float64
	VelocityMPerS [3]float64
}

// GroundRange converts between slant range and ground range at one azimuth time: ground range is the sum of
// ToGround[i]·(slant range − SlantOriginM)^i, slant range that of ToSlant[i]·(ground range − GroundOriginM)^i, in metres.
type GroundRange struct {
	TimeUTC                     time.Time
	SlantRangeTimeS             float64 // two-way, of the first sample
	SlantOriginM, GroundOriginM float64
	ToGround, ToSlant           []float64
}

// GridPoint is one point of the geolocation grid: the place of a sample's centre on the terrain.
type GridPoint struct {
	Line, Pixel     int
	LonDeg, LatDeg  float64
	HeightM         float64 // above the WGS 84 ellipsoid
	IncidenceDeg    float64
	ElevationDeg    float64   // look angle at the antenna
	TimeUTC         time.Time // zero-Doppler time of the place; the line's own time differs by the bistatic delay
	SlantRangeTimeS float64   // two-way
}

// SwathBounds is a block of lines and samples that one subswath fills; both ends belong to it.
type SwathBounds struct {
	Swath                   string
	FirstLine, LastLine     int
	FirstSample, LastSample int
}

// GCPs returns the geolocation grid as ground control points. The product counts sample centres from 0, geo counts corners:
// the first sample's centre is column 0.5, row 0.5. (ESA's GeoTIFF tie points, and with them GDAL, write 0, 0 for it, which
// a reader of corners takes for a shift of half a pixel.)
func (m *Measurement) GCPs() []geo.GCP {
	points := make([]geo.GCP, len(m.Grid))
	for i, g := range m.Grid {
		points[i] = geo.GCP{Column: float64(g.Pixel) + 0.5, Row: float64(g.Line) + 0.5, LonDeg: g.LonDeg, LatDeg: g.LatDeg, HeightM: g.HeightM}
	}
	return points
}

// annotationXML is the part of an annotation that is read.
type annotationXML struct {
	Polarisation string     `xml:"adsHeader>polarisation"`
	Swath        string     `xml:"adsHeader>swath"`
	Heading      number     `xml:"generalAnnotation>productInformation>platformHeading"`
	RangeHz      number     `xml:"generalAnnotation>productInformation>rangeSamplingRate"`
	RadarHz      number     `xml:"generalAnnotation>productInformation>radarFrequency"`
	Orbit        []orbitXML `xml:"generalAnnotation>orbitList>orbit"`
	Image        imageXML   `xml:"imageAnnotation>imageInformation"`
	Grid         []gridXML  `xml:"geolocationGrid>geolocationGridPointList>geolocationGridPoint"`
	GroundRange  []rangeXML `xml:"coordinateConversion>coordinateConversionList>coordinateConversion"`
	Merges       []mergeXML `xml:"swathMerging>swathMergeList>swathMerge"`
}

type imageXML struct {
	First     instant `xml:"productFirstLineUtcTime"`
	Last      instant `xml:"productLastLineUtcTime"`
	Slant     number  `xml:"slantRangeTime"`
	Range     number  `xml:"rangePixelSpacing"`
	Azimuth   number  `xml:"azimuthPixelSpacing"`
	Interval  number  `xml:"azimuthTimeInterval"`
	Samples   integer `xml:"numberOfSamples"`
	Lines     integer `xml:"numberOfLines"`
	Incidence number  `xml:"incidenceAngleMidSwath"`
}

type orbitXML struct {
	Time     instant `xml:"time"`
	Frame    string  `xml:"frame"`
	Position vector  `xml:"position"`
	Velocity vector  `xml:"velocity"`
}

type vector struct {
	X number `xml:"x"`
	Y number `xml:"y"`
	Z number `xml:"z"`
}

func (v vector) array() [3]float64 { return [3]float64{float64(v.X), float64(v.Y), float64(v.Z)} }

type gridXML struct {
	Time      instant `xml:"azimuthTime"`
	Slant     number  `xml:"slantRangeTime"`
	Line      integer `xml:"line"`
	Pixel     integer `xml:"pixel"`
	Lat       number  `xml:"latitude"`
	Lon       number  `xml:"longitude"`
	Height    number  `xml:"height"`
	Incidence number  `xml:"incidenceAngle"`
	Elevation number  `xml:"elevationAngle"`
}

type rangeXML struct {
	Time  instant `xml:"azimuthTime"`
	Slant number  `xml:"slantRangeTime"`
	Sr0   number  `xml:"sr0"`
	Srgr  numbers `xml:"srgrCoefficients"`
	Gr0   number  `xml:"gr0"`
	Grsr  numbers `xml:"grsrCoefficients"`
}

type mergeXML struct {
	Swath  string `xml:"swath"`
	Bounds []struct {
		FirstLine   integer `xml:"firstAzimuthLine"`
		LastLine    integer `xml:"lastAzimuthLine"`
		FirstSample integer `xml:"firstRangeSample"`
		LastSample  integer `xml:"lastRangeSample"`
	} `xml:"swathBoundsList>swathBounds"`
}

// read fills m from its annotation.
func (m *Measurement) read(fsys fs.FS) error {
	var doc annotationXML
	if err := safe.DecodeXML(fsys, m.Annotation, &doc); err != nil {
		return err
	}
	info := doc.Image
	m.Polarisation, m.Swath = doc.Polarisation, doc.Swath
	m.Lines, m.Samples = int(info.Lines), int(info.Samples)
	m.RangeSpacingM, m.AzimuthSpacingM = float64(info.Range), float64(info.Azimuth)
	m.FirstLineUTC, m.LastLineUTC = info.First.Time, info.Last.Time
	m.LineIntervalS, m.SlantRangeTimeS = float64(info.Interval), float64(info.Slant)
	m.RangeSamplingHz, m.RadarHz = float64(doc.RangeHz), float64(doc.RadarHz)
	m.IncidenceMidSwathDeg, m.HeadingDeg = float64(info.Incidence), float64(doc.Heading)
	var err error
	if m.Orbit, err = orbitOf(m.Annotation, doc.Orbit); err != nil {
		return err
	}
	for _, r := range doc.GroundRange {
		if len(r.Srgr) == 0 && len(r.Grsr) == 0 { // an SLC may keep an empty one
			continue
		}
		m.GroundRange = append(m.GroundRange, GroundRange{r.Time.Time, float64(r.Slant), float64(r.Sr0), float64(r.Gr0), r.Srgr, r.Grsr})
	}
	for _, g := range doc.Grid {
		m.Grid = append(m.Grid, GridPoint{
			Line: int(g.Line), Pixel: int(g.Pixel), LonDeg: float64(g.Lon), LatDeg: float64(g.Lat), HeightM: float64(g.Height),
			IncidenceDeg: float64(g.Incidence), ElevationDeg: float64(g.Elevation), TimeUTC: g.Time.Time, SlantRangeTimeS: float64(g.Slant),
		})
	}
	for _, merge := range doc.Merges {
		for _, b := range merge.Bounds {
			m.SwathBounds = append(m.SwathBounds, SwathBounds{merge.Swath, int(b.FirstLine), int(b.LastLine), int(b.FirstSample), int(b.LastSample)})
		}
	}
	return m.check()
}

// check holds an annotation to what the rest of the program relies on.
func (m *Measurement) check() error {
	invalid := func(element, format string, args ...any) error {
		return fault.New(fault.Invalid, "%s: %s: "+format, append([]any{m.Annotation, element}, args...)...)
	}
	for _, positive := range []struct {
		element    string
		value, max float64
	}{
		{"numberOfLines", float64(m.Lines), 1 << 20}, {"numberOfSamples", float64(m.Samples), 1 << 20},
		{"rangePixelSpacing", m.RangeSpacingM, 1000}, {"azimuthPixelSpacing", m.AzimuthSpacingM, 1000},
		{"azimuthTimeInterval", m.LineIntervalS, 1}, {"slantRangeTime", m.SlantRangeTimeS, 0.1},
		{"rangeSamplingRate", m.RangeSamplingHz, 1e12}, {"radarFrequency", m.RadarHz, 1e12},
		{"incidenceAngleMidSwath", m.IncidenceMidSwathDeg, 90},
	} {
		if !(positive.value > 0 && positive.value <= positive.max) {
			return invalid(positive.element, "%g is not in (0, %g]", positive.value, positive.max)
		}
	}
	if len(m.Polarisation) != 2 || m.Swath == "" {
		return invalid("adsHeader", "polarisation %.40q, swath %.40q", m.Polarisation, m.Swath)
	}
	if m.FirstLineUTC.IsZero() || !m.LastLineUTC.After(m.FirstLineUTC) {
		return invalid("productLastLineUtcTime", "%v is not after %v", m.LastLineUTC, m.FirstLineUTC)
	}
	for _, r := range m.GroundRange {
		if len(r.ToGround) == 0 || len(r.ToSlant) == 0 {
			return invalid("coordinateConversion", "%d and %d coefficients", len(r.ToGround), len(r.ToSlant))
		}
	}
	if len(m.Grid) < 4 {
		return invalid("geolocationGrid", "%d points are too few", len(m.Grid))
	}
	for _, g := range m.Grid {
		// Lines of the last row lie one line outside the image in products of IPF 2.36.
		if g.Line < 0 || g.Line > m.Lines || g.Pixel < 0 || g.Pixel > m.Samples || !(math.Abs(g.LatDeg) <= 90 && math.Abs(g.LonDeg) <= 360) {
			return invalid("geolocationGridPoint", "line %d, pixel %d at latitude %g, longitude %g", g.Line, g.Pixel, g.LatDeg, g.LonDeg)
		}
	}
	for _, b := range m.SwathBounds {
		if b.FirstLine < 0 || b.LastLine < b.FirstLine || b.FirstSample < 0 || b.LastSample < b.FirstSample {
			return invalid("swathBounds", "%s from line %d to %d, sample %d to %d", b.Swath, b.FirstLine, b.LastLine, b.FirstSample, b.LastSample)
		}
	}
	return nil
}

// orbitOf holds the state vectors of an annotation to what the rest of the program relies on.
func orbitOf(annotation string, list []orbitXML) ([]StateVector, error) {
	invalid := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "%s: orbit: "+format, append([]any{annotation}, args...)...)
	}
	if len(list) < 4 {
		return nil, fault.New(fault.Invalid, "%s: orbitList: %d state vectors are too few", annotation, len(list))
	}
	orbit := make([]StateVector, len(list))
	for i, o := range list {
		orbit[i] = StateVector{o.Time.Time, o.Position.array(), o.Velocity.array()}
		switch r := norm(orbit[i].PositionM); {
		case o.Frame != EarthFixed:
			return nil, invalid("frame %.40q is not %s", o.Frame, EarthFixed)
		case i > 0 && !o.Time.After(orbit[i-1].TimeUTC):
			return nil, invalid("time %v does not follow %v", o.Time, orbit[i-1].TimeUTC)
		case !(r > 6.4e6 && r < 8e6):
			return nil, invalid("%g m from the Earth's centre", r)
		}
	}
	return orbit, nil
}

// ParseOrbit reads the state vectors of an annotation. Errors call it by name.
func ParseOrbit(name string, body []byte) ([]StateVector, error) {
	var doc struct {
		XMLName xml.Name
		Orbit   []orbitXML `xml:"generalAnnotation>orbitList>orbit"`
	}
	if err := safe.UnmarshalXML(name, body, &doc); err != nil {
		return nil, err
	}
	if doc.XMLName.Local != "product" {
		return nil, fault.New(fault.Invalid, "%s: <%.60s> is not an annotation of Sentinel-1", name, doc.XMLName.Local)
	}
	return orbitOf(name, doc.Orbit)
}

func norm(v [3]float64) float64 { return math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2]) }
