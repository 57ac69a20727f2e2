package spot

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"swath/geo"
	"swath/sentinel/safe"
)

// dimap1 is the part of METADATA.DIM that is read.
type dimap1 struct {
	Name string `xml:"Dataset_Id>DATASET_NAME"`
	Icon refXML `xml:"Dataset_Id>DATASET_TN_PATH"`
	Look refXML `xml:"Dataset_Id>DATASET_QL_PATH"`

	Vertices []vertexXML `xml:"Dataset_Frame>Vertex"`
	Center   vertexXML   `xml:"Dataset_Frame>Scene_Center"`

	CRS    string     `xml:"Coordinate_Reference_System>Horizontal_CS>HORIZONTAL_CS_CODE"`
	CSType string     `xml:"Raster_CS>RASTER_CS_TYPE"`
	Origin string     `xml:"Raster_CS>PIXEL_ORIGIN"`
	Insert *insertXML `xml:"Geoposition>Geoposition_Insert"`
	Ties   []tieXML   `xml:"Geoposition>Geoposition_Points>Tie_Point"`

	Produced string    `xml:"Production>DATASET_PRODUCTION_DATE"`
	Facility xmlVendor `xml:"Production>Production_Facility"`
	Level    string    `xml:"Data_Processing>PROCESSING_LEVEL"`

	Columns string `xml:"Raster_Dimensions>NCOLS"`
	Rows    string `xml:"Raster_Dimensions>NROWS"`
	NBands  string `xml:"Raster_Dimensions>NBANDS"`
	Bits    string `xml:"Raster_Encoding>NBITS"`

	Files    []refXML     `xml:"Data_Access>Data_File>DATA_FILE_PATH"`
	Specials []specialXML `xml:"Image_Display>Special_Value"`
	Bands    []band1XML   `xml:"Image_Interpretation>Spectral_Band_Info"`

	Sources []struct {
		ID    string   `xml:"SOURCE_ID"`
		Scene sceneXML `xml:"Scene_Source"`
	} `xml:"Dataset_Sources>Source_Information"`

	Irradiances []irradianceXML `xml:"Data_Strip>Sensor_Calibration>Solar_Irradiance>Band_Solar_Irradiance"`
}

type xmlVendor struct {
	Software string `xml:"SOFTWARE_NAME"`
	Version  string `xml:"SOFTWARE_VERSION"`
}

type tieXML struct {
	X    string `xml:"TIE_POINT_CRS_X"`
	Y    string `xml:"TIE_POINT_CRS_Y"`
	Z    string `xml:"TIE_POINT_CRS_Z"`
	Col  string `xml:"TIE_POINT_DATA_X"`
	Line string `xml:"TIE_POINT_DATA_Y"`
}

type band1XML struct {
	Index string `xml:"BAND_INDEX"`
	Name  string `xml:"BAND_DESCRIPTION"`
	Gain  string `xml:"PHYSICAL_GAIN"`
	Bias  string `xml:"PHYSICAL_BIAS"`
}

type irradianceXML struct {
	Index string `xml:"BAND_INDEX"`
	Value string `xml:"SOLAR_IRRADIANCE_VALUE"`
}

type sceneXML struct {
	Date            string `xml:"IMAGING_DATE"`
	Time            string `xml:"IMAGING_TIME"`
	Mission         string `xml:"MISSION"`
	MissionIndex    string `xml:"MISSION_INDEX"`
	Instrument      string `xml:"INSTRUMENT"`
	InstrumentIndex string `xml:"INSTRUMENT_INDEX"`
	Sensor          string `xml:"SENSOR_CODE"`
	Grid            string `xml:"GRID_REFERENCE"`
	Level           string `xml:"SCENE_PROCESSING_LEVEL"`
	Incidence       string `xml:"INCIDENCE_ANGLE"`
	Viewing         string `xml:"VIEWING_ANGLE"`
	SunAzimuth      string `xml:"SUN_AZIMUTH"`
	SunElevation    string `xml:"SUN_ELEVATION"`
}

func (d *document) read1(p *Product) {
	var doc dimap1
	if d.err = safe.DecodeXML(d.fsys, d.name, &doc); d.err != nil {
		return
	}
	if len(doc.Sources) == 0 {
		d.fail("Dataset_Sources", "no source scene is given")
		return
	}
	scene := doc.Sources[0].Scene
	if !strings.EqualFold(strings.TrimSpace(scene.Mission), "SPOT") {
		d.fail("MISSION", "%.40q is not SPOT", scene.Mission)
		return
	}
	p.Name, p.SourceID = strings.TrimSpace(doc.Name), strings.TrimSpace(doc.Sources[0].ID)
	p.Mission = d.int("MISSION_INDEX", scene.MissionIndex)
	p.Instrument, p.Mode = word(scene.Instrument), word(scene.Sensor)
	if scene.InstrumentIndex != "" {
		p.InstrumentIndex = d.int("INSTRUMENT_INDEX", scene.InstrumentIndex)
	}
	p.Level = word(cmp.Or(doc.Level, scene.Level))
	p.GridReference = gridReference(p.Name, scene.Grid)
	p.TimeUTC = d.time("IMAGING_DATE, IMAGING_TIME", strings.TrimSpace(scene.Date)+"T"+strings.TrimSpace(scene.Time))
	p.Software, p.SoftwareVer = strings.TrimSpace(doc.Facility.Software), strings.TrimSpace(doc.Facility.Version)
	if t, err := safe.ParseTime(strings.Replace(strings.TrimSpace(doc.Produced), " ", "T", 1)); err == nil {
		p.ProducedUTC = t // some producers write a local form here, which tells nothing
	}
	p.IncidenceDeg, p.ViewingDeg = d.optional("INCIDENCE_ANGLE", scene.Incidence), d.optional("VIEWING_ANGLE", scene.Viewing)
	p.SunAzimuthDeg, p.SunElevationDeg = d.number("SUN_AZIMUTH", scene.SunAzimuth), d.number("SUN_ELEVATION", scene.SunElevation)
	p.CloudPercent = math.NaN()
	p.Columns, p.Rows, p.BitDepth = d.int("NCOLS", doc.Columns), d.int("NROWS", doc.Rows), d.int("NBITS", doc.Bits)
	p.Bands = d.bands1(doc.Bands, doc.Irradiances, d.int("NBANDS", doc.NBands))
	p.GSDM = gsd1(p.Mode)
	d.special(doc.Specials, p)
	d.frame("Dataset_Frame", doc.Vertices, doc.Center, p)
	d.place1(&doc, p)
	for _, file := range doc.Files {
		p.Images = append(p.Images, ImageFile{Path: d.path("DATA_FILE_PATH", file.Href), TileRow: 1, TileCol: 1})
	}
	p.Quicklook, p.Icon = d.optionalPath("DATASET_QL_PATH", doc.Look.Href), d.optionalPath("DATASET_TN_PATH", doc.Icon.Href)
	p.ID = strings.Join(slices.DeleteFunc([]string{
		fmt.Sprintf("SPOT%d", p.Mission), p.Instrument + word(scene.InstrumentIndex), p.Mode, p.TimeUTC.Format("20060102T150405"),
		strings.ReplaceAll(p.GridReference, "/", "-"), p.Level,
	}, func(s string) bool { return s == "" }), "_")
}

// place1 reads the map grid, the tie points, or, for want of both, the frame.
func (d *document) place1(doc *dimap1, p *Product) {
	p.CRS = epsg(doc.CRS)
	if doc.Insert != nil {
		if p.CRS == 0 {
			d.fail("HORIZONTAL_CS_CODE", "%.40q is not an EPSG code", doc.CRS)
		}
		p.Transform = d.transform(doc.Insert, strings.EqualFold(strings.TrimSpace(doc.CSType), "POINT"))
		p.GSDM = metres(p.Transform[1], p.CRS, p.GSDM)
		return
	}
	if p.CRS != 0 && p.CRS != geo.WGS84 {
		d.fail("HORIZONTAL_CS_CODE", "tie points in %v, not in longitude and latitude", p.CRS)
	}
	p.CRS = geo.WGS84
	origin := 1.0
	if doc.Origin != "" {
		origin = d.number("PIXEL_ORIGIN", doc.Origin)
	}
	for _, t := range doc.Ties {
		at := d.lonLat("Tie_Point", t.X, t.Y)
		point := geo.GCP{
			Column: corner(d.number("TIE_POINT_DATA_X", t.Col), origin), Row: corner(d.number("TIE_POINT_DATA_Y", t.Line), origin),
			LonDeg: at[0], LatDeg: at[1],
		}
		if t.Z != "" {
			point.HeightM = d.number("TIE_POINT_CRS_Z", t.Z)
		}
		p.GCPs = append(p.GCPs, point)
	}
	if len(doc.Ties) == 0 {
		d.frameGCPs("Dataset_Frame", doc.Vertices, p)
	}
}

// bands1 returns the bands in file order: BAND_INDEX is the place in the file (DIMAP dictionary, Spectral_Band_Info), which
// in SPOT products is XS3, XS2, XS1, SWIR.
func (d *document) bands1(infos []band1XML, irradiances []irradianceXML, count int) []Band {
	if count < 1 || len(infos) != count {
		d.fail("Spectral_Band_Info", "%d bands are described, and NBANDS is %d", len(infos), count)
		return nil
	}
	bands := make([]Band, count)
	for _, info := range infos {
		i := d.int("BAND_INDEX", info.Index)
		if i < 1 || i > count || bands[i-1].Name != "" || word(info.Name) == "" {
			d.fail("Spectral_Band_Info", "band %.20q has index %.20q of %d", info.Name, info.Index, count)
			return nil
		}
		bands[i-1] = Band{
			Name: bandName1(info.Name), Gain: d.optional("PHYSICAL_GAIN", info.Gain), Bias: d.optional("PHYSICAL_BIAS", info.Bias),
			SolarIrradiance: math.NaN(), MinNM: math.NaN(), MaxNM: math.NaN(),
		}
	}
	d.irradiate(bands, irradiances)
	return bands
}

// bandName1 is the document's name of a band, with one for panchromatic, which is P on SPOT 1-3 and M on SPOT 4.
func bandName1(text string) string {
	if name := word(text); name != "P" && name != "M" {
		return name
	}
	return "PAN"
}

// irradiate gives each band the Sun's irradiance. Its BAND_INDEX counts the bands of the sensor (XS1, XS2, XS3, SWIR) in
// some products, which is how Orfeo ToolBox reads it, and those of the file in others; sunlight decides, because it only
// gets weaker from green to short-wave infrared, wherever the irradiances came from.
func (d *document) irradiate(bands []Band, irradiances []irradianceXML) {
	if len(irradiances) != len(bands) {
		return
	}
	values := make([]float64, len(bands))
	for i, irr := range irradiances {
		values[i] = d.number("SOLAR_IRRADIANCE_VALUE", irr.Value)
	}
	slices.SortFunc(values, func(a, b float64) int { return cmp.Compare(b, a) })
	order := make([]int, len(bands)) // of the bands, from short to long wavelengths: XS1, XS2, XS3, SWIR
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(spectralRank(bands[i].Name), spectralRank(bands[j].Name)) })
	for rank, i := range order {
		bands[i].SolarIrradiance = values[rank]
	}
}

// spectralRank orders the names of DIMAP 1 bands by wavelength: those with a number by it (B0 is blue), the rest behind.
func spectralRank(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, "XS"), "B")
}

var gridPattern = regexp.MustCompile(`\b(\d{3})-(\d{3})(/\d)?\b`)

// gridReference returns K-J, with the along-track shift in tenths when there is one, out of the product's name or of six
// digits.
func gridReference(name, digits string) string {
	if found := gridPattern.FindString(name); found != "" {
		return found
	}
	if digits = strings.TrimSpace(digits); len(digits) == 6 && strings.Trim(digits, "0123456789") == "" {
		return digits[:3] + "-" + digits[3:]
	}
	return ""
}

// gsd1 is the nominal pixel of a sensor code, in metres (USGS, SPOT data dictionary; CNES, SPOT World Heritage).
func gsd1(code string) float64 {
	if m, ok := map[string]float64{"X": 20, "I": 20, "J": 10, "P": 10, "M": 10, "A": 5, "B": 5, "T": 2.5}[code]; ok {
		return m
	}
	return math.NaN()
}

// metres is the size of a map pixel in metres; on a grid of degrees, what is known otherwise.
func metres(size float64, crs geo.EPSG, otherwise float64) float64 {
	if crs == geo.WGS84 {
		return otherwise
	}
	return size
}

// word is a short name: the letters, digits, dots, hyphens and underscores of a text that will be part of an identifier.
func word(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.TrimSpace(text))
}
