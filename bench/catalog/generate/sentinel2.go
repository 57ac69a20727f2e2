package main

import (
	"fmt"
	"strconv"
)

// bandsL1C and bandsL2A are the images that items carry, with the resolution in metres.
var (
	bandsL1C = []imageS2{{"B02", 10, "B02"}, {"B03", 10, "B03"}, {"B04", 10, "B04"}, {"B08", 10, "B08"}, {"B8A", 20, "B8A"}, {"B11", 20, "B11"}, {"B12", 20, "B12"},
		{"visual", 10, "TCI"}}
	bandsL2A = []imageS2{{"B02", 10, "B02_10m"}, {"B03", 10, "B03_10m"}, {"B04", 10, "B04_10m"}, {"B08", 10, "B08_10m"}, {"B11", 20, "B11_20m"}, {"B12", 20, "B12_20m"},
		{"visual", 10, "TCI_10m"}, {"SCL", 20, "SCL_20m"}}
)

type imageS2 struct {
	asset string
	gsdM  int
	file  string
}

// assetsS2: $1 product, $2 folder and beginning of the images' names, $3 west and $4 north of the square in metres, $5 the offset.
func assetsS2(images []imageS2) []asset {
	var assets []asset
	for _, i := range images {
		pixels := strconv.Itoa(109800 / i.gsdM)
		own := fmt.Sprintf(`"proj:shape":[%s,%s],"proj:transform":[%d,0,$3,0,-%d,$4]`, pixels, pixels, i.gsdM, i.gsdM)
		if i.asset[0] == 'B' {
			own += `,"raster:scale":0.0001,"raster:offset":$5`
		}
		assets = append(assets, asset{i.asset, "$2" + i.file + ".tif", own})
	}
	return append(assets, asset{"granule-metadata", "$1.SAFE/GRANULE/MTD_TL.xml", ""}, asset{"thumbnail", "$1.SAFE/preview.png", ""}, original)
}

// baselines of the ground processor, by the day they came into use.
var baselines = []struct {
	fromUs int64
	number string
}{
	{utc("2015-07-01T00:00:00"), "02.04"}, {utc("2017-10-23T00:00:00"), "02.06"}, {utc("2018-11-06T00:00:00"), "02.07"}, {utc("2019-07-16T00:00:00"), "02.08"},
	{utc("2020-02-04T00:00:00"), "02.09"}, {utc("2021-03-30T00:00:00"), "03.00"}, {utc("2022-01-25T00:00:00"), "04.00"}, {utc("2022-12-06T00:00:00"), "05.09"},
	{utc("2023-12-13T00:00:00"), "05.10"}, {utc("2024-07-23T00:00:00"), "05.11"},
}

func baseline(us int64) string {
	number := baselines[0].number
	for _, b := range baselines {
		if us >= b.fromUs {
			number = b.number
		}
	}
	return number
}

func writeS2(w *writer, st *style, s *scene, rare bool) {
	v, level := s.view, "L1C"
	if s.kind == kindL2A {
		level = "L2A"
	}
	take := s.nodeUs + int64(v.takeS*1e6)
	made := w.produced(s.start)
	if made > clock.beginUs+3900*dayUs {
		made = s.start + 2*3600e6
	}
	base := baseline(made)
	short := base[:2] + base[3:]
	tile, orbit := v.square.name, fmt.Sprintf("%06d", s.absolute)
	takeText, madeText, startText := compact(take), compact(made), compact(s.start)
	id := s.platform.short + "_MSI" + level + "_" + takeText + "_N" + short + "_R" + three(s.relative) + "_T" + tile + "_" + madeText

	w.raw(st.head)
	w.text("id", id)
	shift := 0.0
	if !v.whole {
		shift = 0.0004
	}
	w.footprint(s.footprint, shift)
	w.raw(`"properties":{`)
	w.instant("datetime", s.start, 3)
	w.instant("created", made, 3)
	w.instant("updated", made+int64(w.random.IntN(9000_000))*1e3, 3)
	w.text("platform", s.platform.name)
	w.raw(`"constellation":"sentinel-2","instruments":["msi"],"gsd":10,`)
	w.text("proj:code", v.square.code.String())
	w.text("grid:code", "MGRS-", tile)
	zone := int(tile[0]-'0')*10 + int(tile[1]-'0')
	w.integer("mgrs:utm_zone", zone)
	w.text("mgrs:latitude_band", tile[2:3])
	w.text("mgrs:grid_square", tile[3:])
	w.orbit(s, "descending")
	w.text("processing:level", level)
	w.text("processing:version", base)
	w.facility(rare, "ESA", "ESA", "2BPS", "SGS_", "EPAE", "VGS4")
	w.text("product:type", "S2MSI", level[1:])
	azimuth, elevation := sun(s.start, v.square.lonDeg, v.square.latDeg)
	w.exact("view:sun_azimuth", azimuth+w.random.Float64()/10)
	w.exact("view:sun_elevation", elevation+w.random.Float64()/10)
	w.exact("view:incidence_angle", 1+max(v.rightKm, -v.rightKm)/786/rad*0.95+w.random.Float64()/10)
	w.exact("view:azimuth", 102+180*float64(b2i(v.rightKm < 0))+5*w.random.Float64())
	w.clouds(level, v)
	w.text("s2:product_uri", id, ".SAFE")
	station := [...]string{"2BPS", "SGS_", "EPAE", "VGS2"}[w.random.IntN(4)]
	w.text("s2:tile_id", s.platform.short, "_OPER_MSI_", level, "_TL_", station, "_", madeText, "_A", orbit, "_T", tile, "_N", base)
	w.text("s2:datastrip_id", s.platform.short, "_OPER_MSI_", level, "_DS_", station, "_", madeText, "_S", takeText, "_N", base)
	w.text("s2:datatake_id", "G", s.platform.short, "_", takeText, "_", orbit, "_N", base)
	w.text("s2:processing_baseline", base)
	w.text("s2:datatake_type", "INS-NOBS")
	w.exact("s2:reflectance_conversion_factor", earthSun(s.start))
	w.text("s2:quality", "PASSED")

	offset := "0"
	if base >= "04.00" {
		offset = "-0.1"
	}
	product := folder("sentinel-2", s.start, id)
	images := product + ".SAFE/GRANULE/" + level + "_T" + tile + "_A" + orbit + "_" + startText + "/IMG_DATA/T" + tile + "_" + takeText + "_"
	w.end(st, &[10]string{1: product, 2: images, 3: strconv.Itoa(int(v.square.box.MinX)), 4: strconv.Itoa(int(v.square.box.MaxY)), 5: offset})
}

// clouds writes the shares of the image, which add up to a hundred.
func (w *writer) clouds(level string, v *view) {
	cloud := w.cloud()
	if level == "L1C" {
		w.rounded("eo:cloud_cover", cloud, 4)
		w.rounded("s2:degraded_msi_data_percentage", 0.03*w.random.Float64(), 4)
		return
	}
	w.rounded("eo:cloud_cover", cloud, 6)
	high, thin := cloud*w.random.Float64(), 0.0
	thin = (cloud - high) * w.random.Float64()
	rest := 100 - cloud
	shadow := min(rest, cloud/8) * w.random.Float64()
	rest -= shadow
	snow := 0.0
	if v.square.latDeg > 45 || v.square.latDeg < -45 || w.random.IntN(10) == 0 {
		snow = rest * w.random.Float64() * w.random.Float64()
	}
	rest -= snow
	green := rest * w.random.Float64()
	water := (rest - green) * w.random.Float64() * w.random.Float64()
	bare := rest - green - water
	w.rounded("eo:snow_cover", snow, 6)
	for _, share := range [...]struct {
		name  string
		value float64
	}{
		{"s2:nodata_pixel_percentage", max(0, v.nodata+w.random.Float64()/100)}, {"s2:saturated_defective_pixel_percentage", 0},
		{"s2:dark_features_percentage", bare / 50}, {"s2:cloud_shadow_percentage", shadow}, {"s2:vegetation_percentage", green},
		{"s2:not_vegetated_percentage", bare * 0.96}, {"s2:water_percentage", water}, {"s2:unclassified_percentage", bare / 50},
		{"s2:medium_proba_clouds_percentage", cloud - high - thin}, {"s2:high_proba_clouds_percentage", high}, {"s2:thin_cirrus_percentage", thin},
		{"s2:snow_ice_percentage", snow}, {"s2:degraded_msi_data_percentage", 0.03 * w.random.Float64()},
	} {
		w.rounded(share.name, share.value, 6)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
