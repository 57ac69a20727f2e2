package spot

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/sentinel/safe"
)

// Product is what a DIMAP document says of one image.
type Product struct {
	ID       string // unique and fit for a file name, e.g. "SPOT5_HRG1_J_20060514T104733_047-262_1A"
	Name     string // DATASET_NAME, e.g. "SCENE 5 047-262 06/05/14 10:47:33 1 J"
	SourceID string // of the scene or strip it was made from, e.g. "50472620605141047331J"; empty when not given

	Version         string // of DIMAP, e.g. "1.1"
	Mission         int    // 1 to 7
	Instrument      string // "HRV", "HRVIR", "HRG" or "NAOMI"
	InstrumentIndex int    // 1 or 2; 0 when not given
	Mode            string // SPOT 1-5: sensor code X, I, J, P, M, A, B or T; SPOT 6-7: P, MS, PMS, PMS-N…
	Level           string // "1A", "2A", "ORTHO", "SENSOR"…
	GridReference   string // column and row of the SPOT grid (K-J), e.g. "047-262" or "157-373/3"; empty for SPOT 6-7

	TimeUTC     time.Time // of the scene's centre
	ProducedUTC time.Time // zero when not given
	Software    string
	SoftwareVer string

	// Angles at the scene's centre; the first two keep the document's sign, and are NaN when not given.
	IncidenceDeg    float64 // of the line of sight on the ellipsoid
	ViewingDeg      float64 // of the line of sight at the satellite
	SunAzimuthDeg   float64 // clockwise from north
	SunElevationDeg float64
	CloudPercent    float64 // NaN when not given

	Columns, Rows int
	BitDepth      int     // NBITS: of a sample, 8, 12 or 16
	GSDM          float64 // nominal pixel size; NaN when the mode has none
	Bands         []Band  // in file order
	NoData        *float64
	Saturated     *float64

	Frame     geo.Ring   // the four vertices, closed; centres of the corner pixels
	CenterDeg [2]float64 // longitude, latitude

	// GCPs place a product in sensor geometry, CRS and Transform one on a map. One of the two is given, or, for a
	// SPOT 6-7 product in sensor geometry, the corners of Frame with the rational model named in RPC beside them.
	GCPs      []geo.GCP
	CRS       geo.EPSG
	Transform *geo.Affine

	Metadata  string      // path of the document itself
	Images    []ImageFile // one, or the tiles of a large product
	RPC       string      // path of the rational polynomial coefficients; empty when there is none
	Quicklook string      // empty when there is none
	Icon      string      // empty when there is none
	Missing   []string    // images that the document names and the product lacks, or holds with no byte
}

// Band is one channel, at its place in the file.
type Band struct {
	Name string // "XS1", "SWIR", "PAN", "B0"…
	// Radiance L = DN/Gain + Bias in W/(m² sr µm), and the Sun's irradiance outside the atmosphere in W/(m² µm).
	// Values that the document does not give, or that do not hold for these DN, are NaN.
	Gain, Bias, SolarIrradiance float64
	MinNM, MaxNM                float64 // spectral range; NaN when not given
}

// ImageFile is one file of pixels.
type ImageFile struct {
	Path             string
	TileRow, TileCol int // from 1
}

// maxEntries bounds the search for documents; the largest real delivery has a few hundred files.
const maxEntries = 100_000

// Read reads the product of a folder: the one that holds METADATA.DIM or DIM_*.XML, in it or in folders below it.
// A delivery of several images is fault.Invalid and lists them: read each by ReadDocument.
func Read(fsys fs.FS) (*Product, error) {
	names, err := Documents(fsys)
	switch {
	case err != nil:
		return nil, err
	case len(names) == 0:
		return nil, fault.New(fault.Invalid, "not a SPOT product: there is no METADATA.DIM and no DIM_*.XML")
	case len(names) > 1:
		return nil, fault.New(fault.Invalid, "%d SPOT images where one is expected: %s", len(names), strings.Join(names[:min(len(names), 8)], ", "))
	}
	return ReadDocument(fsys, names[0])
}

// Documents returns the paths of the DIMAP documents that describe an image, in lexical order: a SPOT 6-7 bundle has one
// for the panchromatic and one for the multispectral image.
func Documents(fsys fs.FS) ([]string, error) {
	var names []string
	left := maxEntries
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if left--; left < 0 {
			return fault.New(fault.Invalid, "more than %d files", maxEntries)
		}
		base := strings.ToUpper(entry.Name())
		if entry.Type().IsRegular() && (base == "METADATA.DIM" || strings.HasPrefix(base, "DIM_") && strings.HasSuffix(base, ".XML")) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// ReadDocument reads the product that one DIMAP document describes.
func ReadDocument(fsys fs.FS, name string) (*Product, error) {
	var head struct {
		Format1 format `xml:"Metadata_Id>METADATA_FORMAT"`
		Format2 format `xml:"Metadata_Identification>METADATA_FORMAT"`
	}
	if err := safe.DecodeXML(fsys, name, &head); err != nil {
		return nil, err
	}
	d := &document{fsys: fsys, name: name}
	p := &Product{Metadata: name, Version: head.Format1.Version + head.Format2.Version}
	switch major, _, _ := strings.Cut(p.Version, "."); major {
	case "1":
		d.read1(p)
	case "2":
		d.read2(p)
	default:
		return nil, fault.New(fault.Invalid, "%s: METADATA_FORMAT: DIMAP version %.20q is neither 1 nor 2", name, p.Version)
	}
	d.check(p)
	if d.err != nil {
		return nil, d.err
	}
	d.missing(p)
	return p, d.err
}

type format struct {
	Version string `xml:"version,attr"`
}

// check holds both versions to what the rest of the program relies on.
func (d *document) check(p *Product) {
	if p.Mission < 1 || p.Mission > 7 {
		d.fail("MISSION_INDEX", "SPOT %d is not a mission", p.Mission)
	}
	const maxSide = 1 << 20 // pixels
	if p.Columns < 1 || p.Rows < 1 || p.Columns > maxSide || p.Rows > maxSide {
		d.fail("Raster_Dimensions", "%d x %d pixels", p.Columns, p.Rows)
	}
	if p.BitDepth != 8 && p.BitDepth != 12 && p.BitDepth != 16 {
		d.fail("NBITS", "%d bits a sample", p.BitDepth)
	}
	if !(p.SunElevationDeg > -90 && p.SunElevationDeg <= 90) {
		d.fail("SUN_ELEVATION", "%g is not an elevation", p.SunElevationDeg)
	}
	if !(p.SunAzimuthDeg >= -360 && p.SunAzimuthDeg <= 360) {
		d.fail("SUN_AZIMUTH", "%g is not an azimuth", p.SunAzimuthDeg)
	}
	if p.ID == "" {
		d.fail("DATASET_NAME", "the product has no name")
	}
	if len(p.Images) == 0 {
		d.fail("DATA_FILE_PATH", "no image is named")
	}
	if p.Transform == nil && len(p.GCPs) < 3 {
		d.fail("Geoposition", "neither a map grid nor three tie points in longitude and latitude")
	}
}

// missing lists the images that are not there.
func (d *document) missing(p *Product) {
	for _, image := range p.Images {
		info, err := fs.Stat(d.fsys, image.Path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && (!info.Mode().IsRegular() || info.Size() == 0) {
			p.Missing = append(p.Missing, image.Path)
		} else if err != nil && d.err == nil {
			d.err = err
		}
	}
}

// path resolves a reference of the document. Archives that went through other systems differ from it in case.
func (d *document) path(element, href string) string {
	name, ok := safe.LocalName(href)
	if !ok || !fs.ValidPath(path.Join(path.Dir(d.name), name)) {
		d.fail(element, "%.200q leads out of the product", href)
		return ""
	}
	name = path.Join(path.Dir(d.name), name)
	if _, err := fs.Stat(d.fsys, name); err == nil {
		return name
	}
	entries, _ := fs.ReadDir(d.fsys, path.Dir(name)) // no folder: the file is missing all the same
	for _, entry := range entries {
		if strings.EqualFold(entry.Name(), path.Base(name)) {
			return path.Join(path.Dir(name), entry.Name())
		}
	}
	return name
}

// optionalPath is the path of a file that a product may lack.
func (d *document) optionalPath(element, href string) string {
	if href == "" {
		return ""
	}
	name := d.path(element, href)
	if info, err := fs.Stat(d.fsys, name); err != nil || info.Size() == 0 {
		return ""
	}
	return name
}
