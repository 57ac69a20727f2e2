package ingest

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"swath/fault"
	"swath/geo"
)

const extensionBase = "https://stac-extensions.github.io/"

// The extensions that assets of every mission may use, by the prefix of their fields.
var assetExtensions = []struct{ prefix, schema string }{
	{"proj:", extensionBase + "projection/v2.0.0/schema.json"},
	{"raster:", extensionBase + "raster/v2.0.0/schema.json"},
	{"classification:", extensionBase + "classification/v2.0.0/schema.json"},
	{"file:", extensionBase + "file/v2.1.0/schema.json"},
}

// usedExtensions returns the schemas of the asset extensions whose fields are there.
func usedExtensions(assets map[string]any) []string {
	var used []string
	for _, e := range assetExtensions {
		for _, asset := range assets {
			fields, _ := asset.(map[string]any)
			if slices.ContainsFunc(slices.Collect(maps.Keys(fields)), func(name string) bool { return strings.HasPrefix(name, e.prefix) }) {
				used = append(used, e.schema)
				break
			}
		}
	}
	return used
}

// item returns the STAC item of a publication whose assets are all in place. Fields of a document that existed before stay.
func (p *publication) item() (json.RawMessage, error) {
	document := map[string]any{}
	maps.Copy(document, p.document)
	if document["geometry"] == nil {
		if len(p.geometry) == 0 {
			return nil, fault.New(fault.Invalid, "%s: no footprint: neither the product nor its pixels say where it is", p.id)
		}
		b := p.geometry.Bounds()
		document["geometry"] = geoJSON(p.geometry)
		document["bbox"] = []float64{round(b.MinX), round(b.MinY), round(b.MaxX), round(b.MaxY)}
	}
	p.properties[revisionField] = p.revision
	assets := map[string]any{}
	for key, fields := range p.assets {
		assets[key] = fields
	}
	for key, fields := range p.done {
		assets[key] = fields
	}
	declared, _ := document["stac_extensions"].([]any)
	for _, schema := range slices.Concat(usedExtensions(assets), p.extensions) {
		if !slices.Contains(declared, any(schema)) {
			declared = append(declared, schema)
		}
	}
	maps.Copy(document, map[string]any{
		"type": "Feature", "stac_version": "1.1.0", "stac_extensions": declared,
		"id": p.id, "collection": p.collection, "properties": p.properties, "assets": assets,
	})
	return json.Marshal(document)
}

// geoJSON returns a Polygon or, for several, a MultiPolygon.
func geoJSON(m geo.MultiPolygon) map[string]any {
	coordinates := make([][][][2]float64, len(m))
	for i, polygon := range m {
		for _, ring := range polygon {
			points := make([][2]float64, len(ring))
			for j, at := range ring {
				points[j] = [2]float64{round(at[0]), round(at[1])}
			}
			coordinates[i] = append(coordinates[i], points)
		}
	}
	if len(coordinates) == 1 {
		return map[string]any{"type": "Polygon", "coordinates": coordinates[0]}
	}
	return map[string]any{"type": "MultiPolygon", "coordinates": coordinates}
}

// round keeps seven decimals of a degree: one centimetre.
func round(deg float64) float64 { return math.Round(deg*1e7) / 1e7 }

// stacNumber is v as JSON can hold it: STAC writes NaN and the infinities as texts.
func stacNumber(v float64) any {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	return v
}

// revisionOf returns the revision that the catalog holds of an item; "" when it holds none.
func (in *Ingester) revisionOf(ctx context.Context, collection, id string) (string, error) {
	it, err := in.Catalog.Item(ctx, collection, id)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	var known struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(it.Body, &known); err != nil {
		return "", err
	}
	revision, _ := known.Properties[revisionField].(string)
	return revision, nil
}
