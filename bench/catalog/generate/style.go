package main

import (
	"math"
	"strconv"
)

// style is how the items of one collection are written.
type style struct {
	head   string // the members that are the same for all
	assets template
	write  func(*writer, *style, *scene, bool)
}

func (st *style) item(w *writer, s *scene, rare bool) { st.write(w, st, s, rare) }

func newStyles(docs map[string]document) map[string]*style {
	of := func(kind, extensions string, assets []asset, write func(*writer, *style, *scene, bool)) *style {
		return &style{`{"type":"Feature","stac_version":"1.1.0","stac_extensions":[` + extensions + `],"collection":"` + kind + `",`, docs[kind].assetsTemplate(assets), write}
	}
	return map[string]*style{
		kindS1: of(kindS1, extensions("sar/v1.0.0", "sat/v1.1.0", "view/v1.0.0", "processing/v1.2.0", "product/v1.0.0", "file/v2.1.0"), assetsS1, writeS1),
		kindL1C: of(kindL1C, extensions("eo/v2.0.0", "sat/v1.1.0", "view/v1.0.0", "grid/v1.1.0", "mgrs/v1.0.0", "processing/v1.2.0", "product/v1.0.0",
			"projection/v2.0.0", "raster/v2.0.0", "file/v2.1.0"), assetsS2(bandsL1C), writeS2),
		kindL2A: of(kindL2A, extensions("eo/v2.0.0", "sat/v1.1.0", "view/v1.0.0", "grid/v1.1.0", "mgrs/v1.0.0", "processing/v1.2.0", "product/v1.0.0",
			"projection/v2.0.0", "raster/v2.0.0", "file/v2.1.0"), assetsS2(bandsL2A), writeS2),
		kindDIM: of(kindDIM, extensions("eo/v2.0.0", "view/v1.0.0", "processing/v1.2.0", "product/v1.0.0", "raster/v2.0.0", "file/v2.1.0"), assetsSPOT, writeSPOT),
	}
}

func extensions(names ...string) string {
	list := ""
	for i, name := range names {
		if i > 0 {
			list += ","
		}
		list += `"https://stac-extensions.github.io/` + name + `/schema.json"`
	}
	return list
}

const (
	archiveURL   = "https://archive.example.org/"
	rareEvery    = 100_000
	rareFirst    = 777
	rareFacility = "Airbus DS-Newport"
)

// original is the asset of the product as it was delivered.
var original = asset{"product", "$1.zip", `"type":"application/zip","file:size":$8,"file:checksum":"1220$9"`}

// folder is where a product lies: archive, mission, day.
func folder(mission string, us int64, id string) string {
	day := appendInstant(nil, us, 0, '/', ':')[:10]
	return archiveURL + mission + "/" + string(day) + "/" + id
}

// cloud draws a cloud cover: often next to nothing or nearly all, as skies are.
func (w *writer) cloud() float64 {
	switch u := w.random.Float64(); {
	case u < 0.12:
		return 0
	case u < 0.17:
		return 100
	case u < 0.4:
		return 10 * math.Pow(w.random.Float64(), 2.5)
	case u < 0.65:
		return 100 - 15*math.Pow(w.random.Float64(), 2)
	default:
		return 100 * w.random.Float64()
	}
}

// sun returns the sun's azimuth and elevation in degrees, good to a degree: declination by Cooper's formula.
func sun(us int64, lonDeg, latDeg float64) (azimuthDeg, elevationDeg float64) {
	days := float64(us)/8.64e10 - 16436 // since 2015
	declination := 23.45 * rad * math.Sin(2*math.Pi*(math.Mod(days, 365.25)+284+1)/365.25)
	hourAngle := (math.Mod(float64(us)/3.6e9, 24)*15 - 180 + lonDeg) * rad
	sinD, cosD := math.Sincos(declination)
	sinL, cosL := math.Sincos(latDeg * rad)
	sinE := sinL*sinD + cosL*cosD*math.Cos(hourAngle)
	azimuth := math.Atan2(-cosD*math.Sin(hourAngle), sinD*cosL-cosD*sinL*math.Cos(hourAngle)) / rad
	return math.Mod(azimuth+360, 360), math.Asin(max(-1, min(1, sinE))) / rad
}

func (w *writer) orbit(s *scene, state string) {
	w.text("sat:orbit_state", state)
	w.integer("sat:relative_orbit", s.relative)
	w.integer("sat:absolute_orbit", s.absolute)
	w.text("sat:platform_international_designator", s.platform.designator)
}

// facility writes the processing centre.
func (w *writer) facility(rare bool, names ...string) {
	name := names[w.random.IntN(len(names))]
	if rare {
		name = rareFacility
	}
	w.text("processing:facility", name)
}

// produced draws when a product was made: hours after it was sensed, sometimes years (a campaign of reprocessing).
func (w *writer) produced(start int64) int64 {
	if w.random.IntN(20) == 0 {
		return start + dayUs*int64(200+w.random.IntN(1500)) + int64(w.random.IntN(86400))*1e6
	}
	return start + int64(3600+w.random.IntN(6*3600))*1e6
}

// end writes what follows properties.
func (w *writer) end(st *style, values *[10]string) {
	w.close('}')
	w.raw(",")
	values[8] = strconv.Itoa(300e6 + w.random.IntN(700e6))
	values[9] = w.hex(64)
	w.fill(st.assets, values)
	w.raw("}")
}

func three(n int) string { return string(digits(nil, n, 3)) }
