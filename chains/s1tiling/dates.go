package s1tiling

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"swath/fault"
	"swath/raster"
)

// date is the image of a tile on one date.
type date struct {
	series
	unit     string         // "s1b"
	day      string         // "20180720"
	path     string         // of the calibrated image
	filtered string         // where the filtered one goes; "" when there will be none
	fresh    bool           // not in the state yet
	item     map[string]any // of the orthorectified tile; nil of images that were made before
	version  string         // of the agency's processor; "" when it is not known
}

// name of a date's file, without extension, as PEPS gives it.
func (d date) name() string {
	return strings.Join([]string{d.unit, d.Calibration, d.Tile, d.Polarisations, d.Direction, d.Orbit, d.day + "txxxxxx"}, "_")
}

// folder of a date under the root of results.
func (d date) folder() string {
	return filepath.Join("S1-L1-ORTHO", d.Tile, d.day[:4], d.day[4:6], d.day[6:])
}

var imageName = regexp.MustCompile(`^(s1[a-d])_(sig|gam|bet|rtc)_(\d{2}[A-Z]{3})_((?:vv|vh|hh|hv)+)_(ASC|DES)_(\d{3})_(\d{8})txxxxxx\.tif$`)

// parseImage reads the name of an image that was made before.
func parseImage(path string) (date, error) {
	m := imageName.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		return date{}, fault.New(fault.Invalid, "image: %s has no name like s1b_sig_31TGL_vvvh_DES_139_20180720txxxxxx.tif", filepath.Base(path))
	}
	return date{series: series{Tile: m[3], Orbit: m[6], Direction: m[5], Polarisations: m[4], Calibration: m[2]}, unit: m[1], day: m[7], path: path}, nil
}

// modeTag names the acquisition mode in a file: its name does not.
const modeTag = "ACQUISITION_MODE"

// tags are what its files say of themselves.
func (d date) tags() raster.GeoTIFF {
	g := raster.GeoTIFF{Type: raster.Float32, Items: map[string]string{
		"CALIBRATION": d.Calibration, "FLYING_UNIT_CODE": d.unit, "IMAGE_TYPE": "BACKSCATTERING", "ORBIT_DIRECTION": d.Direction, "RELATIVE_ORBIT_NUMBER": d.Orbit,
		"ORTHORECTIFIED": "true", "POLARIZATION": d.Polarisations, "S2_TILE_CORRESPONDING_CODE": d.Tile, "ACQUISITION_DATE": d.day, "TIFFTAG_SOFTWARE": "swath s1tiling " + Version,
	}}
	if p, _ := d.item["properties"].(map[string]any); p["sar:instrument_mode"] != nil {
		g.Items[modeTag], _ = p["sar:instrument_mode"].(string)
	}
	for _, b := range d.bands() {
		g.Bands = append(g.Bands, raster.GeoTIFFBand{Name: b})
	}
	return g
}

// passOf names the pass of a product, from its name: satellite and data take.
var productName = regexp.MustCompile(`^(S1[A-D])_[A-Z0-9]{2}_GRD[FHM]_1S[SDHV]{2}_(\d{8}T\d{6})_\d{8}T\d{6}_\d{6}_([0-9A-F]{6})_`)

func passOf(path string) (pass, start string, err error) {
	m := productName.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		return "", "", fault.New(fault.Invalid, "product: %s is not named as a Sentinel-1 GRD product is", filepath.Base(path))
	}
	return m[1] + "_" + m[3], m[2], nil
}

func itoa(n int) string { return strconv.Itoa(n) }

func (d date) String() string { return fmt.Sprintf("%s of %s", d.Tile, d.day) }
