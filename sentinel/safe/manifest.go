package safe

import (
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"swath/fault"
	"swath/geo"
)

// ManifestName is the manifest's place in every SAFE product.
const ManifestName = "manifest.safe"

// Manifest is what manifest.safe says of a product. Fields that a mission leaves out are zero.
type Manifest struct {
	Platform   string // "Sentinel-1A", "Sentinel-2B"
	Instrument string // "SAR", "MSI"

	StartUTC, StopUTC time.Time // Sentinel-2 has no stop

	AbsoluteOrbit, RelativeOrbit int // at the start
	StopAbsoluteOrbit            int
	CycleNumber                  int
	Pass                         string // "ascending" or "descending"
	AscendingNodeUTC             time.Time

	Software, SoftwareVersion string // "Sentinel-1 IPF", "003.20"; Sentinel-2 names none
	Facility                  string
	ProcessedUTC              time.Time // start of the last processing step

	SAR SAR // of Sentinel-1

	// Footprints are closed rings as the manifest gives them: longitudes within [-180, 180] jump where a ring crosses the
	// antimeridian. Sentinel-1 wave mode has one for each vignette.
	Footprints []geo.Ring

	Files []File
}

// SAR is the part that only Sentinel-1 manifests have.
type SAR struct {
	Mode          string   // "IW"
	Swaths        []string // "IW1"…
	Polarisations []string // "VV", "VH"
	ProductType   string   // "GRD", "SLC"
	ProductClass  string   // "S" for standard
	Composition   string   // "Slice", "Assembled", "Individual"
	Timeliness    string   // "Fast-24h"
	DataTakeID    int
	Slice, Slices int
}

// File is one file that the manifest lists. Real products hold a few that it does not list.
type File struct {
	Name      string // inside the product
	ID        string // of the data object, e.g. "IMG_DATA_Band_10m_1_Tile1_Data"
	Schema    string // representation, e.g. "s1Level1MeasurementSchema"; Sentinel-2 names none
	MimeType  string
	SizeBytes int64  // -1 when not given
	Algorithm string // "MD5" or "SHA3-256"; empty when no checksum is given
	Sum       string // lower-case hex
}

// ReadManifest reads manifest.safe. A manifest that leads out of the product is fault.Invalid.
func ReadManifest(fsys fs.FS) (*Manifest, error) {
	var doc manifestXML
	if err := DecodeXML(fsys, ManifestName, &doc); err != nil {
		return nil, err
	}
	m, err := doc.manifest()
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s: %v", ManifestName, err)
	}
	return m, nil
}

func (d *manifestXML) manifest() (*Manifest, error) {
	p := &parser{}
	m := &Manifest{
		Platform:   platformName(d.Family, d.Number),
		Instrument: d.Instrument.Abbreviation,
		StartUTC:   p.time("startTime", d.Start), StopUTC: p.time("stopTime", d.Stop),
		CycleNumber:      p.int("cycleNumber", d.Cycle),
		Pass:             strings.ToLower(strings.TrimSpace(d.Pass)),
		AscendingNodeUTC: p.time("ascendingNodeTime", d.AscendingNode),
		Software:         d.Processing.Facility.Software.Name, SoftwareVersion: d.Processing.Facility.Software.Version,
		Facility:     d.Processing.Facility.Name,
		ProcessedUTC: p.time("processing start", d.Processing.Start),
		SAR: SAR{
			Mode: d.Mode, Swaths: d.Swaths, Polarisations: d.Polarisations, ProductType: d.ProductType,
			ProductClass: d.ProductClass, Composition: d.Composition, Timeliness: d.Timeliness,
			DataTakeID: p.int("missionDataTakeID", d.DataTake), Slice: p.int("sliceNumber", d.Slice), Slices: p.int("totalSlices", d.Slices),
		},
	}
	for _, o := range d.Orbits {
		if o.Type == "stop" {
			m.StopAbsoluteOrbit = p.int("orbitNumber", o.Value)
			continue
		}
		m.AbsoluteOrbit = p.int("orbitNumber", o.Value)
		if o.Direction != "" {
			m.Pass = strings.ToLower(o.Direction)
		}
	}
	for _, o := range d.RelativeOrbits {
		if o.Type != "stop" {
			m.RelativeOrbit = p.int("relativeOrbitNumber", o.Value)
		}
	}
	for _, text := range slices.Concat(d.FramePrints, d.Footprints) {
		m.Footprints = append(m.Footprints, p.ring(text))
	}
	for _, o := range d.Objects {
		m.Files = append(m.Files, p.file(o))
	}
	return m, p.err
}

// platformName joins what the missions write apart: SENTINEL-1 and A, SENTINEL and 2A.
func platformName(family, number string) string {
	family, number = strings.TrimSpace(family), strings.TrimSpace(number)
	switch {
	case family == "":
		return ""
	case strings.EqualFold(family, "SENTINEL"):
		return "Sentinel-" + number
	case len(family) > 9 && strings.EqualFold(family[:9], "SENTINEL-"):
		return "Sentinel-" + family[9:] + number
	}
	return strings.TrimSpace(family + " " + number)
}

// parser turns text into values and keeps the first mistake.
type parser struct{ err error }

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fault.New(fault.Invalid, format, args...)
	}
}

// time reads a UTC time, with or without its Z; empty is the zero time.
func (p *parser) time(what, text string) time.Time {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}
	}
	t, err := ParseTime(text)
	if err != nil {
		p.fail("%s: %v", what, err)
	}
	return t
}

// ParseTime reads the UTC times of SAFE and DIMAP metadata: ISO 8601 with any number of decimals, with or without a Z.
func ParseTime(text string) (time.Time, error) {
	text = strings.TrimPrefix(strings.TrimSuffix(strings.TrimSpace(text), "Z"), "UTC=")
	t, err := time.Parse("2006-01-02T15:04:05", text)
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "%.40q is not a time like 2018-06-29T00:02:41.024Z", text)
	}
	return t, nil
}

func (p *parser) int(what, text string) int {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		p.fail("%s: %.40q is not a whole number", what, text)
	}
	return n
}

func (p *parser) ring(text string) geo.Ring {
	ring, err := ParseLatLonRing(text, 2)
	if err != nil {
		p.fail("footprint: %v", err)
	}
	return ring
}

// ParseLatLonRing reads "lat lon lat lon …", separated by spaces or commas, into a closed ring of (longitude, latitude).
// With three dimensions a height follows each pair and is dropped.
func ParseLatLonRing(text string, dimensions int) (geo.Ring, error) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' || r == '\r' })
	if len(words) == 0 || len(words)%dimensions != 0 {
		return nil, fault.New(fault.Invalid, "%d numbers are not groups of %d", len(words), dimensions)
	}
	var ring geo.Ring
	for i := 0; i < len(words); i += dimensions {
		lat, err1 := strconv.ParseFloat(words[i], 64)
		lon, err2 := strconv.ParseFloat(words[i+1], 64)
		if err1 != nil || err2 != nil || !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) {
			return nil, fault.New(fault.Invalid, "%.40q %.40q is not a latitude and longitude", words[i], words[i+1])
		}
		ring = append(ring, [2]float64{lon, lat})
	}
	if ring[0] != ring[len(ring)-1] {
		ring = append(ring, ring[0])
	}
	if len(ring) < 4 {
		return nil, fault.New(fault.Invalid, "%d points are not a polygon", len(ring)-1)
	}
	return ring, nil
}

func (p *parser) file(o dataObjectXML) File {
	f := File{
		ID: o.ID, Schema: o.Schema, MimeType: o.Stream.MimeType, SizeBytes: -1,
		Algorithm: strings.ToUpper(strings.TrimSpace(o.Stream.Checksum.Name)), Sum: strings.ToLower(strings.TrimSpace(o.Stream.Checksum.Sum)),
	}
	var ok bool
	if f.Name, ok = LocalName(o.Stream.Location.Href); !ok {
		p.fail("file %.200q leads out of the product", o.Stream.Location.Href)
	}
	if o.Stream.Size != "" {
		size, err := strconv.ParseInt(o.Stream.Size, 10, 64)
		if err != nil || size < 0 {
			p.fail("size %.40q of %s is not a number of bytes", o.Stream.Size, f.Name)
		}
		f.SizeBytes = size
	}
	return f
}

// LocalName turns a relative reference of a metadata file ("./GRANULE/…") into a name for an fs.FS; false when it is empty
// or leads out of the product.
func LocalName(href string) (string, bool) {
	name := path.Clean(strings.TrimSpace(href))
	return name, href != "" && name != "." && fs.ValidPath(name) && !strings.ContainsAny(name, "\\\x00")
}
