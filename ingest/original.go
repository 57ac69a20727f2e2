package ingest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"swath/eo"
	"swath/fault"
	"swath/geo"
	"swath/sentinel/safe"
)

// planOriginal makes an item of a zipped Sentinel product whose one file is the product as it came: no pixel is read. What the item says is
// what the product's metadata say, or the manifest alone where nothing else reads the product.
func planOriginal(path string) (plan, func(), error) {
	product, err := safe.Open(path)
	if err != nil {
		return plan{}, nil, err
	}
	p, err := originalPlan(product)
	if err != nil {
		product.Close()
		return plan{}, nil, err
	}
	return p, func() { product.Close() }, nil
}

func originalPlan(product *safe.Product) (plan, error) {
	if !product.Zipped {
		return plan{}, fault.New(fault.Invalid, "%s: a folder can't be kept as it is: only zipped products can", product.Path)
	}
	m, err := safe.ReadManifest(product.FS)
	if err != nil {
		return plan{}, err
	}
	var p plan
	if readable(product.Name, m) {
		p, err = safePlan(product)
	} else {
		p, err = manifestPlan(product, m)
	}
	if err != nil {
		return plan{}, err
	}
	p.layers, p.thumbnail, p.outline, p.files = nil, thumbnail{}, "", nil
	p.fingerprint += " original"
	p.addOriginal(product)
	return p, nil
}

// readable reports whether a product's own metadata can be read for its item: Sentinel-2 with its MTD file, Sentinel-1 GRD.
func readable(name string, m *safe.Manifest) bool {
	if mission, _ := eo.MissionOf(name); mission == eo.Sentinel1 {
		return m.SAR.ProductType == "GRD"
	}
	return slices.ContainsFunc(m.Files, func(f safe.File) bool { return strings.HasPrefix(f.Name, "MTD_MSI") })
}

// manifestPlan makes an item of what the name and the manifest say.
func manifestPlan(product *safe.Product, m *safe.Manifest) (plan, error) {
	name, err := eo.ParseName(product.Name)
	if err != nil {
		return plan{}, fault.Wrap(fault.Invalid, err, "%s", product.Path)
	}
	platform := name.Platform().Name
	p := plan{id: product.Name, extensions: extensions("sat/v1.1.0", "processing/v1.2.0", "product/v1.0.0"), properties: map[string]any{"platform": platform}}
	if p.fingerprint, err = fingerprint(product.FS); err != nil {
		return plan{}, fmt.Errorf("ingest: %s: %w", product.Path, err)
	}
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	begin, orbit := m.StartUTC, m.RelativeOrbit
	switch n := name.(type) {
	case eo.S2Name:
		if begin.IsZero() {
			begin = n.DatatakeUTC
		}
		orbit = n.RelativeOrbit
		p.collection, p.properties["constellation"], p.properties["instruments"] = "sentinel-2-"+strings.ToLower(n.Level), "sentinel-2", []string{"msi"}
		p.properties["grid:code"], p.properties["processing:level"], p.properties["processing:version"] = "MGRS-"+strings.TrimPrefix(n.Tile, "0"), n.Level, n.Baseline[:2]+"."+n.Baseline[2:]
		p.properties["product:type"], p.properties["s2:processing_baseline"] = "S2MSI"+strings.TrimPrefix(n.Level, "L"), n.Baseline[:2]+"."+n.Baseline[2:]
		p.extensions = append(p.extensions, extensions("grid/v1.1.0")...)
	case eo.S2OldName:
		p.collection, p.properties["constellation"], p.properties["instruments"] = "sentinel-2-"+strings.ToLower(n.Level), "sentinel-2", []string{"msi"}
		begin, orbit, p.properties["processing:level"] = n.StartUTC, n.RelativeOrbit, n.Level
	case eo.S1Name:
		begin = n.StartUTC
		p.collection, p.properties["constellation"], p.properties["instruments"] = "sentinel-1-"+strings.ToLower(n.Type), "sentinel-1", []string{"c-sar"}
		p.properties["start_datetime"], p.properties["end_datetime"] = at(n.StartUTC), at(n.StopUTC)
		p.properties["processing:level"], p.properties["product:type"] = fmt.Sprintf("L%d", n.Level), n.Type
		p.properties["sat:absolute_orbit"] = n.AbsoluteOrbit
	}
	p.properties["datetime"] = at(begin)
	if orbit > 0 {
		p.properties["sat:relative_orbit"] = orbit
	}
	if m.Pass != "" {
		p.properties["sat:orbit_state"] = m.Pass
	}
	for _, ring := range m.Footprints {
		p.geometry = append(p.geometry, geo.SplitAntimeridian(ring)...)
	}
	return p, nil
}
