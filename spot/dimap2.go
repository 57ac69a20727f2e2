package spot

import (
	"cmp"
	"math"
	"path"
	"slices"
	"strings"

	"swath/geo"
	"swath/sentinel/safe"
)

// dimap2 is the part of DIM_*.XML that is read.
type dimap2 struct {
	Name string `xml:"Dataset_Identification>DATASET_NAME"`
	Icon refXML `xml:"Dataset_Identification>DATASET_TN_PATH"`
	Look refXML `xml:"Dataset_Identification>DATASET_QL_PATH"`

	Cloud    string      `xml:"Dataset_Content>CLOUD_COVERAGE"`
	Vertices []vertexXML `xml:"Dataset_Content>Dataset_Extent>Vertex"`
	Center   vertexXML   `xml:"Dataset_Content>Dataset_Extent>Center"`

	Produced string `xml:"Product_Information>Delivery_Identification>PRODUCTION_DATE"`

	Projected string `xml:"Coordinate_Reference_System>Projected_CRS>PROJECTED_CRS_CODE"`
	Geodetic  string `xml:"Coordinate_Reference_System>Geodetic_CRS>GEODETIC_CRS_CODE"`

	Orientation string     `xml:"Geoposition>Raster_CRS>PIXEL_ORIENTATION"`
	CRSType     string     `xml:"Geoposition>Raster_CRS>PIXEL_CRS_TYPE"`
	Insert      *insertXML `xml:"Geoposition>Geoposition_Insert"`
	RPC         refXML     `xml:"Geoposition>Geoposition_Models>Rational_Function_Model>Component>COMPONENT_PATH"`

	Software struct {
		Name    string `xml:",chardata"`
		Version string `xml:"version,attr"`
	} `xml:"Processing_Information>Production_Facility>SOFTWARE"`
	Level     string `xml:"Processing_Information>Product_Settings>PROCESSING_LEVEL"`
	Spectral  string `xml:"Processing_Information>Product_Settings>SPECTRAL_PROCESSING"`
	Radiation string `xml:"Processing_Information>Product_Settings>Radiometric_Settings>RADIOMETRIC_PROCESSING"`
	Spacing   string `xml:"Processing_Information>Product_Settings>Sampling_Settings>RESAMPLING_SPACING"`

	Files []struct {
		Row  string `xml:"tile_R,attr"`
		Col  string `xml:"tile_C,attr"`
		Path refXML `xml:"DATA_FILE_PATH"`
	} `xml:"Raster_Data>Data_Access>Data_Files>Data_File"`
	Columns string `xml:"Raster_Data>Raster_Dimensions>NCOLS"`
	Rows    string `xml:"Raster_Data>Raster_Dimensions>NROWS"`
	NBands  string `xml:"Raster_Data>Raster_Dimensions>NBANDS"`
	Bits    string `xml:"Raster_Data>Raster_Encoding>NBITS"`
	Display struct {
		Red   string `xml:"RED_CHANNEL"`
		Green string `xml:"GREEN_CHANNEL"`
		Blue  string `xml:"BLUE_CHANNEL"`
		Alpha string `xml:"ALPHA_CHANNEL"`
	} `xml:"Raster_Data>Raster_Display>Band_Display_Order"`
	Specials []specialXML `xml:"Raster_Data>Raster_Display>Special_Value"`

	Adjustment string `xml:"Radiometric_Data>Dynamic_Adjustment>ADJUSTMENT_TYPE"`
	Measures   struct {
		Ranges      []measureXML `xml:"Band_Spectral_Range"`
		Radiances   []measureXML `xml:"Band_Radiance"`
		Irradiances []measureXML `xml:"Band_Solar_Irradiance"`
	} `xml:"Radiometric_Data>Radiometric_Calibration>Instrument_Calibration>Band_Measurement_List"`

	Geometry []geometryXML `xml:"Geometric_Data>Use_Area>Located_Geometric_Values"`

	Sources []struct {
		ID    string   `xml:"SOURCE_ID"`
		Strip stripXML `xml:"Strip_Source"`
	} `xml:"Dataset_Sources>Source_Identification"`
}

type measureXML struct {
	Band  string `xml:"BAND_ID"`
	Unit  string `xml:"MEASURE_UNIT"`
	Min   string `xml:"MIN"`
	Max   string `xml:"MAX"`
	Gain  string `xml:"GAIN"`
	Bias  string `xml:"BIAS"`
	Value string `xml:"VALUE"`
}

type geometryXML struct {
	Location     string `xml:"LOCATION_TYPE"`
	Time         string `xml:"TIME"`
	Viewing      string `xml:"Acquisition_Angles>VIEWING_ANGLE"`
	Incidence    string `xml:"Acquisition_Angles>INCIDENCE_ANGLE"`
	SunAzimuth   string `xml:"Solar_Incidences>SUN_AZIMUTH"`
	SunElevation string `xml:"Solar_Incidences>SUN_ELEVATION"`
}

type stripXML struct {
	Mission      string `xml:"MISSION"`
	MissionIndex string `xml:"MISSION_INDEX"`
}

func (d *document) read2(p *Product) {
	var doc dimap2
	if d.err = safe.DecodeXML(d.fsys, d.name, &doc); d.err != nil {
		return
	}
	at := slices.IndexFunc(doc.Geometry, func(g geometryXML) bool { return strings.EqualFold(strings.TrimSpace(g.Location), "Center") })
	if at < 0 {
		d.fail("Located_Geometric_Values", "the Center is not given")
		return
	}
	if len(doc.Sources) == 0 || !strings.EqualFold(strings.TrimSpace(doc.Sources[0].Strip.Mission), "SPOT") {
		d.fail("Strip_Source", "the mission is not SPOT")
		return
	}
	center, strip := doc.Geometry[at], doc.Sources[0].Strip
	p.Name, p.SourceID = strings.TrimSpace(doc.Name), strings.TrimSpace(doc.Sources[0].ID)
	p.Mission = d.int("MISSION_INDEX", strip.MissionIndex)
	p.Instrument = "NAOMI" // the document says SPOT
	p.ID = identifier2(d.name, p.Name)
	p.Mode, p.Level = word(doc.Spectral), word(doc.Level)
	p.TimeUTC = d.time("Located_Geometric_Values TIME", center.Time)
	if doc.Produced != "" {
		p.ProducedUTC = d.time("PRODUCTION_DATE", doc.Produced)
	}
	p.Software, p.SoftwareVer = strings.TrimSpace(doc.Software.Name), doc.Software.Version
	p.IncidenceDeg, p.ViewingDeg = d.optional("INCIDENCE_ANGLE", center.Incidence), d.optional("VIEWING_ANGLE", center.Viewing)
	p.SunAzimuthDeg, p.SunElevationDeg = d.number("SUN_AZIMUTH", center.SunAzimuth), d.number("SUN_ELEVATION", center.SunElevation)
	p.CloudPercent = d.optional("CLOUD_COVERAGE", doc.Cloud)
	p.Columns, p.Rows, p.BitDepth = d.int("NCOLS", doc.Columns), d.int("NROWS", doc.Rows), d.int("NBITS", doc.Bits)
	p.GSDM = d.optional("RESAMPLING_SPACING", doc.Spacing)
	p.Bands = d.bands2(&doc, d.int("NBANDS", doc.NBands))
	d.special(doc.Specials, p)
	d.frame("Dataset_Extent", doc.Vertices, doc.Center, p)
	d.place2(&doc, p)
	for _, file := range doc.Files {
		image := ImageFile{Path: d.path("DATA_FILE_PATH", file.Path.Href), TileRow: d.int("tile_R", file.Row), TileCol: d.int("tile_C", file.Col)}
		p.Images = append(p.Images, image)
	}
	p.RPC = d.optionalPath("COMPONENT_PATH", doc.RPC.Href)
	p.Quicklook, p.Icon = d.optionalPath("DATASET_QL_PATH", doc.Look.Href), d.optionalPath("DATASET_TN_PATH", doc.Icon.Href)
}

// identifier2 is the document's own name, as in every file of the product, without DIM_ and .XML.
func identifier2(file, dataset string) string {
	base := path.Base(file)
	if upper := strings.ToUpper(base); strings.HasPrefix(upper, "DIM_") && strings.HasSuffix(upper, ".XML") {
		return word(base[len("DIM_") : len(base)-len(".XML")])
	}
	return word(dataset)
}

func (d *document) place2(doc *dimap2, p *Product) {
	p.CRS = epsg(cmp.Or(doc.Projected, doc.Geodetic))
	if doc.Insert == nil {
		p.CRS = geo.WGS84
		d.frameGCPs("Dataset_Extent", doc.Vertices, p)
		return
	}
	if p.CRS == 0 {
		d.fail("PROJECTED_CRS_CODE", "%.60q is not an EPSG code", cmp.Or(doc.Projected, doc.Geodetic))
	}
	points := strings.EqualFold(strings.TrimSpace(doc.CRSType), "POINT") || strings.EqualFold(strings.TrimSpace(doc.Orientation), "CENTER")
	p.Transform = d.transform(doc.Insert, points)
	p.GSDM = metres(p.Transform[1], p.CRS, p.GSDM)
}

// bands2 returns the bands in file order, which is that of the display channels: B2, B1, B0, B3 for four bands. Calibration
// is kept while DN are raw counts; after a stretch or a conversion to reflectance it does not hold for the stored values.
func (d *document) bands2(doc *dimap2, count int) []Band {
	var names []string
	for _, name := range []string{doc.Display.Red, doc.Display.Green, doc.Display.Blue, doc.Display.Alpha} {
		if name = word(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if count < 1 || len(names) != count {
		d.fail("Band_Display_Order", "bands %v, and NBANDS is %d", names, count)
		return nil
	}
	adjustment := strings.ToUpper(strings.TrimSpace(doc.Adjustment))
	raw := strings.EqualFold(strings.TrimSpace(doc.Radiation), "BASIC") && (adjustment == "" || adjustment == "NONE")
	nan := math.NaN()
	var bands []Band
	for _, name := range names {
		b := Band{Name: name, Gain: nan, Bias: nan, SolarIrradiance: nan, MinNM: nan, MaxNM: nan}
		if m, ok := measure(doc.Measures.Radiances, name); ok && raw {
			b.Gain, b.Bias = d.number("Band_Radiance GAIN", m.Gain), d.number("Band_Radiance BIAS", m.Bias)
		}
		if m, ok := measure(doc.Measures.Irradiances, name); ok {
			b.SolarIrradiance = d.number("Band_Solar_Irradiance VALUE", m.Value)
		}
		if m, ok := measure(doc.Measures.Ranges, name); ok {
			unit := 1.0
			if strings.EqualFold(strings.TrimSpace(m.Unit), "micrometers") {
				unit = 1000
			}
			b.MinNM, b.MaxNM = unit*d.number("Band_Spectral_Range MIN", m.Min), unit*d.number("Band_Spectral_Range MAX", m.Max)
		}
		bands = append(bands, b)
	}
	return bands
}

func measure(list []measureXML, band string) (measureXML, bool) {
	at := slices.IndexFunc(list, func(m measureXML) bool { return word(m.Band) == band })
	if at < 0 {
		return measureXML{}, false
	}
	return list[at], true
}
