package ingest

import (
	"fmt"
	"strings"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/sentinel/s1"
	"swath/sentinel/safe"
)

var sentinel1Extensions = extensions("sar/v1.0.0", "sat/v1.1.0", "view/v1.0.0", "processing/v1.2.0", "product/v1.0.0")

// International designators of the satellites (UN register of space objects).
var sentinel1Designators = map[string]string{"sentinel-1a": "2014-016A", "sentinel-1b": "2016-025A", "sentinel-1c": "2024-228A"}

// sentinel1Plan makes an item of a GRD product: one COG a polarisation in sensor geometry, the annotation's geolocation grid
// as its ground control points.
func sentinel1Plan(product *safe.Product) (plan, error) {
	d, err := s1.Read(product.FS, product.Name)
	if err != nil {
		return plan{}, err
	}
	if d.SAR.ProductType != "GRD" {
		return plan{}, fault.New(fault.Invalid, "%s: a Sentinel-1 %s product; GRD products are read", product.Path, d.SAR.ProductType)
	}
	if len(d.Missing) > 0 {
		return plan{}, fault.New(fault.Invalid, "%s: incomplete product: missing or empty: %s", product.Path, strings.Join(d.Missing, ", "))
	}
	p := plan{collection: "sentinel-1-grd", id: product.Name, extensions: sentinel1Extensions, properties: sentinel1Properties(d)}
	if p.fingerprint, err = fingerprint(product.FS); err != nil {
		return plan{}, fmt.Errorf("ingest: %s: %w", product.Path, err)
	}
	for i := range d.Measurements {
		m := &d.Measurements[i]
		name := strings.ToLower(m.Polarisation)
		fields := part(m.Polarisation+" amplitude (digital numbers)", "data", "amplitude")
		fields["bands"] = []map[string]any{{"name": name}}
		zero := 0.0
		options := raster.COGOptions{NoData: &zero, GCPs: m.GCPs()}
		p.layers = append(p.layers, layer{asset: name, path: product.GDALPath(m.Path), options: options, fields: fields})
		for _, f := range []struct{ asset, path, title string }{
			{"annotation", m.Annotation, "Annotation"}, {"calibration", m.Calibration, "Calibration vectors"}, {"noise", m.Noise, "Thermal noise vectors"},
		} {
			if f.path != "" {
				p.files = append(p.files, fileOf(product.FS, f.asset+"-"+name, f.path, mediaXML, part(f.title+", "+m.Polarisation, "metadata")))
			}
		}
	}
	p.files = append(p.files, fileOf(product.FS, "safe-manifest", safe.ManifestName, mediaXML, part("SAFE manifest", "metadata")))
	p.addOriginal(product)
	p.sortLayers()
	p.thumbnail = thumbnail{assets: []string{p.layers[len(p.layers)-1].asset}, bands: []int{1}} // VV of VH and VV
	for _, ring := range d.Footprints {
		p.geometry = append(p.geometry, geo.SplitAntimeridian(ring)...)
	}
	// The valid pixels give the footprint, placed by the geolocation grid, without the zeros along the image's borders; the
	// manifest's corners stand where publishers emptied the image, or made it of another size than its annotation says.
	m := &d.Measurements[0]
	image, err := raster.Inspect(product.GDALPath(m.Path))
	if err != nil {
		return plan{}, fmt.Errorf("ingest: %s: %s: %w", product.Path, m.Path, err)
	}
	if image.Width == m.Samples && image.Height == m.Lines {
		p.outline = strings.ToLower(m.Polarisation)
	}
	return p, nil
}

func sentinel1Properties(d *s1.Product) map[string]any {
	m := d.Measurements[0]
	platform := strings.ToLower(d.Platform)
	properties := map[string]any{
		"datetime": d.StartUTC.Format(time.RFC3339Nano), "start_datetime": d.StartUTC.Format(time.RFC3339Nano), "end_datetime": d.StopUTC.Format(time.RFC3339Nano),
		"platform": platform, "constellation": "sentinel-1", "instruments": []string{"c-sar"},
		"sar:instrument_mode": d.SAR.Mode, "sar:frequency_band": "C", "sar:center_frequency": m.RadarHz / 1e9,
		"sar:polarizations": d.SAR.Polarisations, "sar:product_type": d.SAR.ProductType, "sar:observation_direction": "right",
		"sar:pixel_spacing_range": m.RangeSpacingM, "sar:pixel_spacing_azimuth": m.AzimuthSpacingM, "gsd": m.RangeSpacingM,
		"sat:orbit_state": d.Pass, "sat:absolute_orbit": d.AbsoluteOrbit, "sat:relative_orbit": d.RelativeOrbit,
		"view:incidence_angle": m.IncidenceMidSwathDeg, "product:type": d.SAR.ProductType,
		"processing:level": "L1", "processing:software": map[string]string{d.Software: d.SoftwareVersion},
		"created": d.ProcessedUTC.Format(time.RFC3339Nano),
	}
	if id := sentinel1Designators[platform]; id != "" {
		properties["sat:platform_international_designator"] = id
	}
	if !d.AscendingNodeUTC.IsZero() {
		properties["sat:anx_datetime"] = d.AscendingNodeUTC.Format(time.RFC3339Nano)
	}
	if d.Facility != "" {
		properties["processing:facility"] = d.Facility
	}
	if d.SAR.Timeliness != "" {
		properties["product:timeliness_category"] = d.SAR.Timeliness
	}
	if r, ok := d.Resolution(); ok {
		properties["sar:resolution_range"], properties["sar:resolution_azimuth"] = r.RangeM, r.AzimuthM
		properties["sar:looks_range"], properties["sar:looks_azimuth"], properties["sar:looks_equivalent_number"] = r.RangeLooks, r.AzimuthLooks, r.EquivalentLooks
	}
	return properties
}
