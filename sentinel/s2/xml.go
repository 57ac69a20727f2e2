package s2

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"time"

	"swath/fault"
	"swath/sentinel/safe"
)

// productXML is the part of MTD_MSIL1C.xml and MTD_MSIL2A.xml that is read.
type productXML struct {
	XMLName xml.Name
	Info    struct {
		Start     string `xml:"PRODUCT_START_TIME"`
		URI       string `xml:"PRODUCT_URI"`
		Type      string `xml:"PRODUCT_TYPE"`
		Baseline  string `xml:"PROCESSING_BASELINE"`
		DOI       string `xml:"PRODUCT_DOI"`
		Generated string `xml:"GENERATION_TIME"`
		Datatake  struct {
			ID         string `xml:"datatakeIdentifier,attr"`
			Spacecraft string `xml:"SPACECRAFT_NAME"`
			Type       string `xml:"DATATAKE_TYPE"`
			Start      string `xml:"DATATAKE_SENSING_START"`
			Orbit      string `xml:"SENSING_ORBIT_NUMBER"`
			Direction  string `xml:"SENSING_ORBIT_DIRECTION"`
		} `xml:"Datatake"`
		Granules []struct {
			Images []string `xml:"IMAGE_FILE"`
		} `xml:"Product_Organisation>Granule_List>Granule"`
	} `xml:"General_Info>Product_Info"`
	Image struct {
		Special []struct {
			Text  string `xml:"SPECIAL_VALUE_TEXT"`
			Index string `xml:"SPECIAL_VALUE_INDEX"`
		} `xml:"Special_Values"`
		Quantification string         `xml:"QUANTIFICATION_VALUE"`
		BOA            string         `xml:"QUANTIFICATION_VALUES_LIST>BOA_QUANTIFICATION_VALUE"`
		AOT            string         `xml:"QUANTIFICATION_VALUES_LIST>AOT_QUANTIFICATION_VALUE"`
		WVP            string         `xml:"QUANTIFICATION_VALUES_LIST>WVP_QUANTIFICATION_VALUE"`
		RadioOffsets   []bandValueXML `xml:"Radiometric_Offset_List>RADIO_ADD_OFFSET"`
		BOAOffsets     []bandValueXML `xml:"BOA_ADD_OFFSET_VALUES_LIST>BOA_ADD_OFFSET"`
		EarthSun       string         `xml:"Reflectance_Conversion>U"`
		Irradiance     []bandValueXML `xml:"Reflectance_Conversion>Solar_Irradiance_List>SOLAR_IRRADIANCE"`
		Spectral       []struct {
			ID      string `xml:"bandId,attr"`
			Central string `xml:"Wavelength>CENTRAL"`
		} `xml:"Spectral_Information_List>Spectral_Information"`
	} `xml:"General_Info>Product_Image_Characteristics"`
	Footprints []string `xml:"Geometric_Info>Product_Footprint>Product_Footprint>Global_Footprint>EXT_POS_LIST"`
	Cloud      string   `xml:"Quality_Indicators_Info>Cloud_Coverage_Assessment"`
}

// bandValueXML is a number for a band; the specification spells its attribute in two ways.
type bandValueXML struct {
	ID    string `xml:"bandId,attr"`
	AltID string `xml:"band_id,attr"`
	Value string `xml:",chardata"`
}

// tileXML is the part of MTD_TL.xml that is read.
type tileXML struct {
	XMLName   xml.Name
	TileID    string `xml:"General_Info>TILE_ID"`
	Datastrip string `xml:"General_Info>DATASTRIP_ID"`
	Sensed    string `xml:"General_Info>SENSING_TIME"`

	CRS   string `xml:"Geometric_Info>Tile_Geocoding>HORIZONTAL_CS_CODE"`
	Sizes []struct {
		Resolution string `xml:"resolution,attr"`
		Rows       string `xml:"NROWS"`
		Columns    string `xml:"NCOLS"`
	} `xml:"Geometric_Info>Tile_Geocoding>Size"`
	Positions []struct {
		Resolution string `xml:"resolution,attr"`
		X          string `xml:"ULX"`
		Y          string `xml:"ULY"`
		DX         string `xml:"XDIM"`
		DY         string `xml:"YDIM"`
	} `xml:"Geometric_Info>Tile_Geocoding>Geoposition"`

	Sun     anglePairXML `xml:"Geometric_Info>Tile_Angles>Sun_Angles_Grid"`
	MeanSun meanXML      `xml:"Geometric_Info>Tile_Angles>Mean_Sun_Angle"`
	Views   []struct {
		Band     string `xml:"bandId,attr"`
		Detector string `xml:"detectorId,attr"`
		anglePairXML
	} `xml:"Geometric_Info>Tile_Angles>Viewing_Incidence_Angles_Grids"`
	MeanViews []struct {
		Band string `xml:"bandId,attr"`
		meanXML
	} `xml:"Geometric_Info>Tile_Angles>Mean_Viewing_Incidence_Angle_List>Mean_Viewing_Incidence_Angle"`

	Content struct {
		Values []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	} `xml:"Quality_Indicators_Info>Image_Content_QI"`
	Masks []struct {
		Type string `xml:"type,attr"`
		Band string `xml:"bandId,attr"`
		Path string `xml:",chardata"`
	} `xml:"Quality_Indicators_Info>Pixel_Level_QI>MASK_FILENAME"`
	Preview string `xml:"Quality_Indicators_Info>PVI_FILENAME"`
}

type anglePairXML struct {
	Zenith  valuesXML `xml:"Zenith"`
	Azimuth valuesXML `xml:"Azimuth"`
}

type valuesXML struct {
	ColumnStep string   `xml:"COL_STEP"`
	RowStep    string   `xml:"ROW_STEP"`
	Rows       []string `xml:"Values_List>VALUES"`
}

type meanXML struct {
	Zenith  string `xml:"ZENITH_ANGLE"`
	Azimuth string `xml:"AZIMUTH_ANGLE"`
}

// reader turns text into values and keeps the first mistake, named by its element.
type reader struct{ err error }

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fault.New(fault.Invalid, format, args...)
	}
}

// float reads a finite number that must be there.
func (r *reader) float(element, text string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		r.fail("%s: %.40q is not a number", element, text)
	}
	return v
}

// optional reads a number, NaN when there is none.
func (r *reader) optional(element, text string) float64 {
	if strings.TrimSpace(text) == "" {
		return math.NaN()
	}
	return r.float(element, text)
}

// positive reads a number above zero that must be there.
func (r *reader) positive(element, text string) float64 {
	v := r.float(element, text)
	if !(v > 0) {
		r.fail("%s: %.40q is not above zero", element, text)
	}
	return v
}

// int reads a whole number within limits.
func (r *reader) int(element, text string, low, high int) int {
	v, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || v < low || v > high {
		r.fail("%s: %.40q is not a whole number from %d to %d", element, text, low, high)
		return low
	}
	return v
}

// time reads a UTC time that must be there.
func (r *reader) time(element, text string) time.Time {
	t, err := safe.ParseTime(text)
	if err != nil {
		r.fail("%s: %v", element, err)
	}
	return t
}
