package main

import (
	"fmt"
	"strings"
)

// assetsS1: $1 product, $2 and $5 the names of its files before and after the polarisation.
var assetsS1 = []asset{
	{"vv", "$1/measurement/$2-vv-$5-001.tiff", ""}, {"annotation-vv", "$1/annotation/$2-vv-$5-001.xml", ""},
	{"calibration-vv", "$1/annotation/calibration/calibration-$2-vv-$5-001.xml", ""}, {"noise-vv", "$1/annotation/calibration/noise-$2-vv-$5-001.xml", ""},
	{"vh", "$1/measurement/$2-vh-$5-002.tiff", ""}, {"annotation-vh", "$1/annotation/$2-vh-$5-002.xml", ""},
	{"calibration-vh", "$1/annotation/calibration/calibration-$2-vh-$5-002.xml", ""}, {"noise-vh", "$1/annotation/calibration/noise-$2-vh-$5-002.xml", ""},
	{"safe-manifest", "$1/manifest.safe", ""}, {"thumbnail", "$1/preview/quick-look.png", ""}, original,
}

func writeS1(w *writer, st *style, s *scene, rare bool) {
	mode, class, pol, seconds := "IW", "GRDH", "DV", sliceS
	if s.slice.wide {
		mode, class, pol, seconds = "EW", "GRDM", "DH", wideS
	}
	stop := s.start + int64(seconds*1e6) + int64(w.random.IntN(900_000))
	take := fmt.Sprintf("%06X", s.absolute*8+int(s.slice.takeS)%8)
	orbit := fmt.Sprintf("%06d", s.absolute)
	begin, end := compact(s.start), compact(stop)
	id := s.platform.short + "_" + mode + "_" + class + "_1S" + pol + "_" + begin + "_" + end + "_" + orbit + "_" + take + "_" + strings.ToUpper(w.hex(4))
	processed := w.produced(s.start)

	w.raw(st.head)
	w.text("id", id)
	w.footprint(s.footprint, 0.02)
	w.raw(`"properties":{`)
	w.instant("datetime", s.start, 6)
	w.instant("start_datetime", s.start, 6)
	w.instant("end_datetime", stop, 6)
	w.instant("created", processed, 6)
	w.instant("updated", processed+int64(w.random.IntN(9000))*1e6, 3)
	w.text("title", "Sentinel-1 ", mode, " ground range detected, orbit ", orbit)
	w.raw(`"keywords":["radar","C-band","backscatter"],`)
	w.text("platform", s.platform.name)
	w.raw(`"constellation":"sentinel-1","instruments":["c-sar"],"sar:frequency_band":"C","sar:center_frequency":5.405,"sar:observation_direction":"right","sar:product_type":"GRD",`)
	w.text("sar:instrument_mode", mode)
	if s.slice.wide {
		w.raw(`"sar:polarizations":["HH","HV"],"sar:pixel_spacing_range":40,"sar:pixel_spacing_azimuth":40,"gsd":40,"sar:resolution_range":93,"sar:resolution_azimuth":87,"sar:looks_range":6,"sar:looks_azimuth":2,"sar:looks_equivalent_number":10.7,`)
	} else {
		w.raw(`"sar:polarizations":["VV","VH"],"sar:pixel_spacing_range":10,"sar:pixel_spacing_azimuth":10,"gsd":10,"sar:resolution_range":20,"sar:resolution_azimuth":22,"sar:looks_range":5,"sar:looks_azimuth":1,"sar:looks_equivalent_number":4.4,`)
	}
	state := "ascending"
	if period := s.platform.periodS(); s.slice.dtS > period/4 && s.slice.dtS < 3*period/4 {
		state = "descending"
	}
	w.orbit(s, state)
	w.instant("sat:anx_datetime", s.nodeUs+int64(w.random.IntN(1000)), 6)
	w.exact("view:incidence_angle", 38.6+0.6*w.random.Float64())
	w.raw(`"processing:level":"L1","product:type":"GRD",`)
	w.text("product:timeliness_category", [...]string{"NRT-3h", "Fast-24h", "Fast-24h", "Fast-24h"}[w.random.IntN(4)])
	w.facility(rare, "UPA_", "DPA_", "Copernicus S1 Core Ground Segment - DPA", "S1 Production Service-SERCO")
	w.raw(`"processing:software":{"Sentinel-1 IPF":"` + softwareS1(processed) + `"},`)
	w.integer("s1:slice_number", s.slice.number)
	w.integer("s1:total_slices", s.slice.number+w.random.IntN(4))
	w.text("s1:datatake_id", take)
	w.text("s1:orbit_source", [...]string{"PREORB", "RESORB", "RESORB", "RESORB", "POEORB"}[w.random.IntN(5)])
	w.text("s1:product_identifier", id, ".SAFE")

	lower := strings.ToLower(strings.Join([]string{s.platform.short, mode, "grd"}, "-"))
	w.end(st, &[10]string{1: folder("sentinel-1", s.start, id), 2: lower, 5: strings.ToLower(begin + "-" + end + "-" + orbit + "-" + take)})
}

// softwareS1 is the processor's version by the year.
func softwareS1(us int64) string {
	versions := [...]string{"002.53", "002.71", "002.82", "002.91", "003.10", "003.31", "003.40", "003.52", "003.61", "003.71", "004.00"}
	return versions[max(0, min(len(versions)-1, int((us-clock.beginUs)/(365*dayUs))))]
}
