package s1ortho

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"swath/geo"
	"swath/raster"
)

// Version of the method: it changes when the same inputs give other pixels.
const Version = "1.0.0"

// pass names a product's part of every file name: "s1b", "DES", "022", "20211223t051122".
func (s *scene) pass() (unit, direction, orbit, stamp string) {
	p := s.first()
	direction = "ASC"
	if p.Pass == "descending" {
		direction = "DES"
	}
	stamp = strings.ToLower(p.StartUTC.Format("20060102T150405"))
	if len(s.slices) > 1 {
		stamp = p.StartUTC.Format("20060102") + "txxxxxx"
	}
	return strings.ToLower(p.Name[:3]), direction, fmt.Sprintf("%03d", p.RelativeOrbit), stamp
}

// suffix tells kinds of backscatter apart, as S1Tiling does.
var suffix = map[string]string{"gamma": "", "sigma": "_sigma", "beta": "_beta", "gamma-rtc": "_GammaNaughtRTC"}

func (t *tile) baseName(what string) string {
	unit, direction, orbit, stamp := t.scene.pass()
	name := strings.Join([]string{unit, t.name, what, direction, orbit, stamp}, "_")
	return name + suffix[t.in.Calibration]
}

func (t *tile) fileName(pol string) string {
	if t.in.DB {
		return t.baseName(strings.ToLower(pol)) + "_dB.tif"
	}
	return t.baseName(strings.ToLower(pol)) + ".tif"
}

// id of a tile's item.
func (t *tile) id() string {
	id := strings.TrimSuffix(t.fileName(strings.Join(t.scene.polarisations, "")), ".tif")
	if t.in.Calibration == "gamma" {
		id += "_gamma"
	}
	return id
}

// tags are what the files say of themselves, in the words of S1Tiling.
func (t *tile) tags(pol string) raster.GeoTIFF {
	s, p := t.scene, t.scene.first()
	unit, direction, orbit, _ := s.pass()
	unitOfValue := ""
	if t.in.DB {
		unitOfValue = "dB"
	}
	var names []string
	items := map[string]string{
		"CALIBRATION": t.in.Calibration, "FLYING_UNIT_CODE": unit, "IMAGE_TYPE": "BACKSCATTERING", "ORBIT_DIRECTION": direction,
		"ORBIT_NUMBER": fmt.Sprintf("%06d", p.AbsoluteOrbit), "RELATIVE_ORBIT_NUMBER": orbit, "ORTHORECTIFIED": "true", "POLARIZATION": strings.ToLower(pol),
		"SPATIAL_RESOLUTION": fmt.Sprint(pixelM), "NOISE_REMOVED": fmt.Sprint(t.in.RemoveThermalNoise), "S2_TILE_CORRESPONDING_CODE": t.name,
		"DEM_INFO": filepath.Base(string(t.in.DEM)), "ACQUISITION_DATETIME": p.StartUTC.Format("2006:01:02T15:04:05Z"), "TIFFTAG_SOFTWARE": "swath s1ortho " + Version,
		"TIFFTAG_DATETIME": p.StartUTC.Format("2006:01:02 15:04:05"),
	}
	for i, sl := range s.slices {
		names = append(names, sl.product.Name)
		if len(s.slices) > 1 {
			items[fmt.Sprintf("ACQUISITION_DATETIME_%d", i+1)] = sl.product.StartUTC.Format("2006:01:02T15:04:05Z")
		}
	}
	items["INPUT_S1_IMAGES"] = strings.Join(names, ", ")
	return raster.GeoTIFF{Type: raster.Float32, Items: items, Bands: []raster.GeoTIFFBand{{Name: strings.ToLower(pol), Unit: unitOfValue}}}
}

// designators are the international ones of the satellites.
var designators = map[string]string{"Sentinel-1A": "2014-016A", "Sentinel-1B": "2016-025A", "Sentinel-1C": "2024-235A"}

type object = map[string]any

// item writes the STAC item of a tile beside its files, and returns its path.
func (t *tile) item(ctx context.Context, dir string, files map[string]string, report object) (string, error) {
	p := t.scene.first()
	rings, err := raster.ValidFootprint(ctx, files[strings.ToLower(t.scene.polarisations[0])], nil)
	if err != nil {
		return "", err
	}
	var shape geo.MultiPolygon
	for _, r := range rings {
		shape = append(shape, geo.SplitAntimeridian(r)...)
	}
	geometry, bbox := geometryOf(shape)
	last := t.scene.slices[len(t.scene.slices)-1].product
	box := []float64{t.grid.Transform[0], t.grid.Transform[3] - tilePx*pixelM, t.grid.Transform[0] + tilePx*pixelM, t.grid.Transform[3]}
	properties := object{
		"datetime": stamp(p.StartUTC), "start_datetime": stamp(p.StartUTC), "end_datetime": stamp(last.StopUTC),
		"platform": strings.ToLower(p.Platform), "constellation": "sentinel-1", "instruments": []string{"c-sar"}, "gsd": pixelM, "raster:spatial_resolution": pixelM,
		"sar:instrument_mode": p.SAR.Mode, "sar:frequency_band": "C", "sar:center_frequency": 5.405, "sar:polarizations": t.scene.polarisations,
		"sar:product_type": "GRD", "sar:observation_direction": "right",
		"sar:pixel_spacing_range": pixelM, "sar:pixel_spacing_azimuth": pixelM,
		"sat:orbit_state": p.Pass, "sat:relative_orbit": p.RelativeOrbit, "sat:absolute_orbit": p.AbsoluteOrbit,
		"proj:code": t.grid.CRS.String(), "proj:shape": []int{tilePx, tilePx}, "proj:bbox": box,
		"proj:transform": []float64{pixelM, 0, box[0], 0, -pixelM, box[3], 0, 0, 1},
		"grid:code":      "MGRS-" + t.name, "view:incidence_angle": round2(p.Measurements[0].IncidenceMidSwathDeg),
		"processing:level": "L1", "processing:software": object{"swath s1ortho": Version}, "processing:facility": "swath",
		"processing:lineage":  fmt.Sprintf("%s of %s: thermal noise removed: %v, orbit: %s", t.in.Calibration, p.SoftwareVersion, t.in.RemoveThermalNoise, t.scene.slices[0].orbit),
		"s1ortho:calibration": t.in.Calibration, "s1ortho:coverage": t.coverage, "s1ortho:processor_version": p.SoftwareVersion,
		"s1ortho:sea_level_share": report["sea_level_share"],
	}
	if r, ok := p.Resolution(); ok {
		properties["sar:resolution_range"], properties["sar:resolution_azimuth"] = r.RangeM, r.AzimuthM
		properties["sar:looks_range"], properties["sar:looks_azimuth"], properties["sar:looks_equivalent_number"] = r.RangeLooks, r.AzimuthLooks, r.EquivalentLooks
	}
	if !p.AscendingNodeUTC.IsZero() {
		properties["sat:anx_datetime"] = stamp(p.AscendingNodeUTC)
	}
	if d := designators[p.Platform]; d != "" {
		properties["sat:platform_international_designator"] = d
	}
	assets := object{}
	for key, path := range files {
		asset := t.asset(key, filepath.Base(path))
		if t.in.DB && asset["sar:polarizations"] != nil {
			key += "_db" // what draws backscatter takes a logarithm of "vv"
		}
		assets[key] = asset
	}
	item := object{
		"type": "Feature", "stac_version": "1.1.0", "id": t.id(), "collection": "s1-ortho", "geometry": geometry, "bbox": bbox, "properties": properties,
		"assets": assets, "links": t.scene.links(),
		"stac_extensions": []string{
			"https://stac-extensions.github.io/sar/v1.0.0/schema.json", "https://stac-extensions.github.io/sat/v1.0.0/schema.json",
			"https://stac-extensions.github.io/projection/v2.0.0/schema.json", "https://stac-extensions.github.io/grid/v1.1.0/schema.json",
			"https://stac-extensions.github.io/view/v1.0.0/schema.json", "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
			"https://stac-extensions.github.io/raster/v2.0.0/schema.json",
		},
	}
	path := filepath.Join(dir, t.id()+".json")
	return path, writeJSON(path, item)
}

func (t *tile) asset(key, href string) object {
	a := object{"href": href, "type": "image/tiff; application=geotiff; profile=cloud-optimized", "roles": []string{"data"}}
	switch key {
	case "mask":
		a["roles"], a["title"] = []string{"metadata", "mask", "classification"}, "Layover (1), shadow (2), nothing measured (4)"
		a["bands"] = []object{{"name": "mask", "data_type": "uint8"}}
	case "local_incidence":
		a["roles"], a["title"] = []string{"metadata", "local-incidence-angle"}, "Local incidence angle"
		a["bands"] = []object{{"name": "local_incidence", "data_type": "uint16", "unit": "deg", "raster:scale": 0.01, "nodata": 0}}
	default:
		band := object{"name": key, "data_type": "float32", "nodata": "nan", "unit": "1"}
		if t.in.DB {
			band["unit"] = "dB"
		}
		a["title"], a["bands"] = strings.ToUpper(key)+" "+t.in.Calibration, []object{band}
		a["sar:polarizations"] = []string{strings.ToUpper(key)}
	}
	return a
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z") }

func round2(v float64) float64 { return float64(int(v*100+0.5)) / 100 }

// geometryOf is a shape and its box in GeoJSON's words.
func geometryOf(shape geo.MultiPolygon) (geometry object, bbox []float64) {
	b := shape.Bounds()
	if len(shape) == 1 {
		return object{"type": "Polygon", "coordinates": shape[0]}, []float64{b.MinX, b.MinY, b.MaxX, b.MaxY}
	}
	return object{"type": "MultiPolygon", "coordinates": shape}, []float64{b.MinX, b.MinY, b.MaxX, b.MaxY}
}

func writeJSON(path string, v any) error {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(body, '\n'), 0o644) //nolint:gosec // results are for everyone who reads the folder
}

// links of an item: to its collection and to the products it was made of, as they lie to each other in a catalog with one of each.
func (s *scene) links() []object {
	links := []object{{"rel": "collection", "href": "../../s1-ortho", "type": "application/json"}}
	for _, name := range s.productNames() {
		links = append(links, object{"rel": "derived_from", "href": "../../sentinel-1-grd/items/" + name, "type": "application/geo+json", "title": name})
	}
	return links
}

// productNames of a scene.
func (s *scene) productNames() (names []string) {
	for _, sl := range s.slices {
		names = append(names, sl.product.Name)
	}
	return names
}
