package main

import (
	"fmt"
	"math"
	"strconv"
)

// assetsSPOT: $1 product, $2 to $6 the gains as reflectance of the five bands.
var assetsSPOT = []asset{
	{"P", "$1/IMG_P_001/IMG_P.tif", `"gsd":1.5,"raster:scale":$2`}, {"B0", "$1/IMG_MS_001/IMG_B0.tif", `"gsd":6,"raster:scale":$3`},
	{"B1", "$1/IMG_MS_001/IMG_B1.tif", `"gsd":6,"raster:scale":$4`}, {"B2", "$1/IMG_MS_001/IMG_B2.tif", `"gsd":6,"raster:scale":$5`},
	{"B3", "$1/IMG_MS_001/IMG_B3.tif", `"gsd":6,"raster:scale":$6`}, {"metadata", "$1/DIM.XML", ""}, {"thumbnail", "$1/PREVIEW.PNG", ""}, original,
}

func writeSPOT(w *writer, st *style, s *scene, rare bool) {
	at := s.footprint[0][0][0]
	stamp := compact(s.start)
	stamp = stamp[:8] + stamp[9:]
	tenth := strconv.Itoa(int(s.start / 1e5 % 10))
	east, north := "E", "N"
	if at[0] < 0 {
		east = "W"
	}
	if at[1] < 0 {
		north = "S"
	}
	id := fmt.Sprintf("DS_%s_%s%s_FR1_FR1_SE1_SE1_%s%03d%s%02d_%05d", s.platform.short, stamp, tenth, east, int(math.Abs(at[0])), north, int(math.Abs(at[1])), w.random.IntN(100000))
	made := w.produced(s.start)

	w.raw(st.head)
	w.text("id", id)
	w.footprint(s.footprint, 0)
	w.raw(`"properties":{`)
	w.instant("datetime", s.start, 1)
	w.instant("created", made, 3)
	w.instant("updated", made+int64(w.random.IntN(9000_000))*1e3, 3)
	w.text("title", "SPOT ", s.platform.short[4:], " bundle, panchromatic and multispectral, primary")
	w.raw(`"keywords":["very high resolution","NAOMI","bundle"],`)
	w.text("platform", s.platform.name)
	w.raw(`"constellation":"spot","instruments":["naomi"],"gsd":1.5,"processing:level":"LPrimary","product:type":"SENSOR",`)
	w.orbit(s, "descending")
	w.facility(rare, "Airbus DS-Toulouse", "Kiruna", "IGN")
	w.raw(`"processing:software":{"DRS-MM V3.0vi":"3.0"},`)
	azimuth, elevation := sun(s.start, at[0], at[1])
	w.exact("view:sun_azimuth", azimuth+w.random.Float64()/10)
	w.exact("view:sun_elevation", elevation+w.random.Float64()/10)
	w.exact("view:off_nadir", math.Abs(s.offNadir))
	w.exact("view:incidence_angle", math.Abs(s.offNadir)*1.125)
	w.rounded("eo:cloud_cover", w.cloud(), 1)
	w.text("spot:spectral_mode", "PMS")
	w.text("spot:job_id", "SO", strconv.Itoa(10_000_000+w.random.IntN(9_000_000)), "-", strconv.Itoa(1+w.random.IntN(9)), "-01")
	w.text("spot:quality", [...]string{"PASSED", "PASSED", "PASSED", "WARNING"}[w.random.IntN(4)])

	values := [10]string{1: folder("spot-6-7", s.start, id)}
	for i := 2; i <= 6; i++ {
		values[i] = strconv.FormatFloat(0.0001+0.00002*w.random.Float64(), 'f', 9, 64)
	}
	w.end(st, &values)
}

// earthSun is the correction of reflectance for the distance of the sun, one value a day.
func earthSun(us int64) float64 {
	d := 1 - 0.01673*math.Cos(0.9856*(float64(us/dayUs%365)-2)*rad)
	return 1 / (d * d)
}
