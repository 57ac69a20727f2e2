package eo

import "slices"

// Band is one spectral band of an instrument.
type Band struct {
	Name       string  // as the mission writes it: "B04", "XS1"
	CommonName string  // STAC's eo:common_name
	CenterUm   float64 // centre wavelength, micrometres
	WidthUm    float64 // full width at half maximum, micrometres
	GSDM       float64 // ground sample distance of the native image, metres
}

// Bands returns the bands of an optical platform in the mission's order (Sentinel-2: the bandId of its metadata), or nil.
func Bands(p Platform) []Band {
	switch {
	case p.Mission == Sentinel2:
		return msi(p.Name)
	case p.Name == "spot-4":
		return slices.Concat(spotXS, spotSWIR, []Band{{"PAN", "pan", 0.645, 0.07, 10}})
	case p.Name == "spot-5":
		bands := slices.Concat(spotXS, spotSWIR, []Band{{"PAN", "pan", 0.595, 0.23, 5}})
		for i := range 3 {
			bands[i].GSDM = 10
		}
		return bands
	case p.Name == "spot-6", p.Name == "spot-7":
		return slices.Clone(naomi)
	case p.Mission == SPOT:
		return slices.Concat(spotXS, []Band{{"PAN", "pan", 0.62, 0.22, 10}})
	}
	return nil
}

// BandByName finds a band of a platform.
func BandByName(p Platform, name string) (Band, bool) {
	bands := Bands(p)
	if i := slices.IndexFunc(bands, func(b Band) bool { return b.Name == name }); i >= 0 {
		return bands[i], true
	}
	return Band{}, false
}

// The multispectral bands of SPOT, from their limits in the SPOT user's handbook: 0.50-0.59, 0.61-0.68, 0.78-0.89 and
// 1.58-1.75 µm. Panchromatic: 0.51-0.73 (SPOT 1-3), 0.61-0.68 (SPOT 4), 0.48-0.71 µm (SPOT 5).
var (
	spotXS   = []Band{{"XS1", "green", 0.545, 0.09, 20}, {"XS2", "red", 0.645, 0.07, 20}, {"XS3", "nir", 0.835, 0.11, 20}}
	spotSWIR = []Band{{"SWIR", "swir16", 1.665, 0.17, 20}}
	// naomi is SPOT 6 and 7: 0.455-0.525, 0.530-0.590, 0.625-0.695, 0.760-0.890 and 0.450-0.745 µm.
	naomi = []Band{
		{"B0", "blue", 0.49, 0.07, 6}, {"B1", "green", 0.56, 0.06, 6}, {"B2", "red", 0.66, 0.07, 6}, {"B3", "nir", 0.825, 0.13, 6},
		{"P", "pan", 0.5975, 0.295, 1.5},
	}
)

// msi returns the bands of one Sentinel-2 instrument. 2A and 2B as measured (Sentinel-2 spectral response functions 3.0; the
// same as in product metadata); 2C and 2D have the design values of the mission, their products give the measured ones.
func msi(platform string) []Band {
	bands := slices.Clone(msiNominal)
	measured, known := msiNm[platform]
	for i := range bands {
		if known {
			bands[i].CenterUm, bands[i].WidthUm = measured[i][0]/1000, measured[i][1]/1000
		}
	}
	return bands
}

var msiNominal = []Band{
	{"B01", "coastal", 0.443, 0.020, 60}, {"B02", "blue", 0.490, 0.065, 10}, {"B03", "green", 0.560, 0.035, 10},
	{"B04", "red", 0.665, 0.030, 10}, {"B05", "rededge071", 0.705, 0.015, 20}, {"B06", "rededge075", 0.740, 0.015, 20},
	{"B07", "rededge078", 0.783, 0.020, 20}, {"B08", "nir", 0.842, 0.115, 10}, {"B8A", "nir08", 0.865, 0.020, 20},
	{"B09", "nir09", 0.945, 0.020, 60}, {"B10", "cirrus", 1.375, 0.030, 60}, {"B11", "swir16", 1.610, 0.090, 20},
	{"B12", "swir22", 2.190, 0.180, 20},
}

// msiNm is centre and width in nanometres, in the order of msiNominal.
var msiNm = map[string][13][2]float64{
	"sentinel-2a": {
		{442.7, 20}, {492.7, 65}, {559.8, 35}, {664.6, 30}, {704.1, 14}, {740.5, 14}, {782.8, 19}, {832.8, 105}, {864.7, 21},
		{945.1, 19}, {1373.5, 29}, {1613.7, 90}, {2202.4, 174},
	},
	"sentinel-2b": {
		{442.3, 20}, {492.3, 65}, {559.0, 35}, {665.0, 31}, {703.8, 15}, {739.1, 13}, {779.7, 19}, {833.0, 104}, {864.0, 21},
		{943.2, 20}, {1376.9, 29}, {1610.4, 94}, {2185.7, 184},
	},
}
