package ingest

import (
	"fmt"
	"math"
	"strings"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/sentinel/s2"
	"swath/sentinel/safe"
)

var sentinel2Extensions = extensions("eo/v2.0.0", "sat/v1.1.0", "view/v1.0.0", "grid/v1.1.0", "mgrs/v1.0.0", "processing/v1.2.0", "product/v1.0.0")

// International designators of the satellites (UN register of space objects).
var sentinel2Designators = map[string]string{"sentinel-2a": "2015-028A", "sentinel-2b": "2017-013A", "sentinel-2c": "2024-157A"}

// sentinel2Layers are the images beside the bands that become assets; the masks stand in masks.go.
var sentinel2Layers = map[string]struct {
	asset, title string
	roles        []string
	overviews    raster.Overviews
}{
	"TCI": {"visual", "True colour", []string{"visual"}, raster.Average},
	"AOT": {"AOT", "Aerosol optical thickness at 550 nm", []string{"data"}, raster.Average},
	"WVP": {"WVP", "Water vapour column", []string{"data"}, raster.Average},
	"SCL": {"SCL", "Scene classification", []string{"data", "classification"}, raster.Mode},
}

// sentinel2Plan makes an item of an L1C or L2A product: one COG a band at its native resolution, the atmosphere and
// classification images, the cloud masks and the angles.
func sentinel2Plan(product *safe.Product) (plan, error) {
	d, err := s2.Read(product.FS)
	if err != nil {
		return plan{}, err
	}
	if len(d.Missing) > 0 {
		return plan{}, fault.New(fault.Invalid, "%s: incomplete product: missing: %s", product.Path, summary(d.Missing))
	}
	p := plan{
		collection: "sentinel-2-" + strings.ToLower(d.Level), id: d.Name,
		extensions: sentinel2Extensions, properties: sentinel2Properties(d), outline: "B02", thumbnail: thumbnail{[]string{"B04", "B03", "B02"}, []int{1, 1, 1}},
	}
	if p.fingerprint, err = fingerprint(product.FS); err != nil {
		return plan{}, fmt.Errorf("ingest: %s: %w", product.Path, err)
	}
	for _, image := range d.Images {
		if image.Native {
			p.layers = append(p.layers, sentinel2Layer(d, image, product.GDALPath(image.Path)))
		}
	}
	for _, m := range d.Masks {
		if m.Vector {
			f, ok, err := sentinel2VectorMask(product.FS, m)
			if err != nil {
				return plan{}, fmt.Errorf("ingest: %s: %w", product.Path, err)
			}
			if ok {
				p.files = append(p.files, f)
			}
		} else if m.ResolutionM == 0 || m.ResolutionM == 20 {
			l, ok, err := sentinel2Mask(m, product.GDALPath(m.Path))
			if err != nil {
				return plan{}, fmt.Errorf("ingest: %s: %s: %w", product.Path, m.Path, err)
			}
			if ok {
				p.layers = append(p.layers, l)
			}
		}
	}
	if l, ok := angleLayer(d); ok {
		p.layers = append(p.layers, l)
	}
	for _, f := range d.Metadata {
		p.files = append(p.files, fileOf(product.FS, f.Key, f.Path, mediaXML, part(strings.ReplaceAll(f.Key, "-", " "), "metadata")))
	}
	p.addOriginal(product)
	p.sortLayers()
	for _, ring := range d.Footprints {
		p.geometry = append(p.geometry, geo.SplitAntimeridian(ring)...)
	}
	return p, nil
}

// summary lists the first of many names.
func summary(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// sentinel2Layer is one image: a band, or one of sentinel2Layers.
func sentinel2Layer(d *s2.Product, image s2.Image, path string) layer {
	nodata := float64(d.NoData)
	l := layer{asset: image.Band, path: path, options: raster.COGOptions{NoData: &nodata, Overviews: raster.Average}}
	if b, ok := d.Band(image.Band); ok {
		l.fields = part(b.Name, "data", "reflectance")
		band := map[string]any{"name": b.Name, "eo:common_name": b.CommonName, "eo:center_wavelength": b.CenterUm, "eo:full_width_half_max": b.WidthUm}
		if !math.IsNaN(b.SolarIrradiance) {
			band["eo:solar_illumination"] = b.SolarIrradiance
		}
		l.fields["bands"] = []map[string]any{band}
		l.fields["raster:scale"], l.fields["raster:offset"] = b.Scale, b.Offset
	} else {
		other := sentinel2Layers[image.Band]
		l.asset, l.fields, l.options.Overviews = other.asset, part(other.title, other.roles...), other.overviews
		switch image.Band {
		case "TCI":
			l.fields["bands"] = []map[string]any{{"name": "R", "eo:common_name": "red"}, {"name": "G", "eo:common_name": "green"}, {"name": "B", "eo:common_name": "blue"}}
		case "SCL":
			l.fields["classification:classes"] = sceneClasses
		case "AOT":
			l.fields["raster:scale"] = d.Scales.AOT
		case "WVP":
			l.fields["raster:scale"], l.fields["unit"] = d.Scales.WVP, "cm"
		}
	}
	l.fields["gsd"] = image.ResolutionM
	return l
}

func sentinel2Properties(d *s2.Product) map[string]any {
	platform := d.Platform.Name
	zone, band, square := d.Tile[:2], d.Tile[2:3], d.Tile[3:]
	properties := map[string]any{
		"datetime": d.SensedUTC.Format(time.RFC3339Nano), "platform": platform, "constellation": "sentinel-2", "instruments": []string{"msi"}, "gsd": 10,
		"proj:code": d.EPSG.String(), "grid:code": "MGRS-" + strings.TrimPrefix(d.Tile, "0"),
		"mgrs:utm_zone": int(zone[0]-'0')*10 + int(zone[1]-'0'), "mgrs:latitude_band": band, "mgrs:grid_square": square,
		"processing:level": d.Level, "processing:version": d.Baseline, "product:type": d.Type,
		"view:sun_azimuth": d.MeanSun.AzimuthDeg, "view:sun_elevation": 90 - d.MeanSun.ZenithDeg,
		"s2:product_uri": d.Name + ".SAFE", "s2:tile_id": d.TileID, "s2:datastrip_id": d.DatastripID, "s2:processing_baseline": d.Baseline,
	}
	optional := func(name string, v any, given bool) {
		if given {
			properties[name] = v
		}
	}
	view := d.MeanView()
	optional("view:incidence_angle", view.ZenithDeg, !math.IsNaN(view.ZenithDeg))
	optional("view:azimuth", view.AzimuthDeg, !math.IsNaN(view.AzimuthDeg))
	optional("eo:cloud_cover", d.CloudPercent, !math.IsNaN(d.CloudPercent))
	optional("eo:snow_cover", d.Percents["snow_ice_percentage"], has(d.Percents, "snow_ice_percentage"))
	optional("sat:orbit_state", d.OrbitState, d.OrbitState != "")
	optional("sat:relative_orbit", d.RelativeOrbit, d.RelativeOrbit > 0)
	optional("sat:absolute_orbit", d.AbsoluteOrbit, d.AbsoluteOrbit > 0)
	optional("sat:platform_international_designator", sentinel2Designators[platform], sentinel2Designators[platform] != "")
	optional("s2:datatake_id", d.DatatakeID, d.DatatakeID != "")
	optional("created", d.GeneratedUTC.Format(time.RFC3339Nano), !d.GeneratedUTC.IsZero())
	optional("s2:reflectance_conversion_factor", d.EarthSun, !math.IsNaN(d.EarthSun))
	for name, percent := range d.Percents {
		properties["s2:"+name] = percent
	}
	return properties
}

func has(m map[string]float64, key string) bool {
	_, ok := m[key]
	return ok
}
