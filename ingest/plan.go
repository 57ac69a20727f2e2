package ingest

import (
	"io"
	"slices"
	"strings"

	"swath/geo"
	"swath/raster"
	"swath/sentinel/safe"
)

// plan says what a product becomes.
type plan struct {
	collection  string         // id of its collection
	id          string         // of the item: the product's name without its extension
	fingerprint string         // sum over the product's content, the same for a folder and a zip of it
	extensions  []string       // schemas of the fields used in properties
	properties  map[string]any // of the item
	geometry    geo.MultiPolygon
	outline     string // asset whose valid pixels give the geometry; empty: geometry as given
	layers      []layer
	files       []file
	thumbnail   thumbnail
	cog         string // when the layers become COGs: see stac.COGField

	document map[string]any            // of an item that existed before: fields that are kept
	assets   map[string]map[string]any // of the same: assets that stay where they are
}

// sortLayers puts layers and files in the order of their assets, whatever the order they were found in.
func (p *plan) sortLayers() {
	slices.SortFunc(p.layers, func(a, b layer) int { return strings.Compare(a.asset, b.asset) })
	slices.SortFunc(p.files, func(a, b file) int { return strings.Compare(a.asset, b.asset) })
}

// layer is a raster that becomes a COG.
type layer struct {
	asset   string         // key of the asset
	name    string         // of the file, without extension; empty: that of the asset
	path    string         // where GDAL reads it, e.g. /vsizip/{product.SAFE.zip/…/B04.jp2}
	made    *raster.Planes // instead of path: values that come from metadata
	pieces  *raster.Mosaic // instead of path: an image in several files
	options raster.COGOptions
	fields  map[string]any // of the asset
}

// file is kept as it is.
type file struct {
	asset, name, contentType string
	open                     func() (io.ReadCloser, error)
	fields                   map[string]any // of the asset
}

// thumbnail says which bands of which layers make the quicklook: one, gray, or three, red, green and blue. None: no quicklook.
type thumbnail struct {
	assets []string
	bands  []int // 1-based, in the asset of the same place
}

// addOriginal keeps a zipped product as it came. Of a folder, the metadata files and the COGs hold all there is.
func (p *plan) addOriginal(product *safe.Product) {
	if product.Zipped {
		p.files = append(p.files, file{"product", "product.zip", mediaZip, openFile(product.Path), part("Original product", "source")})
	}
}

// part returns an asset's fields with a title and roles.
func part(title string, roles ...string) map[string]any {
	return map[string]any{"title": title, "roles": roles}
}

// fields returns a with b's fields added.
func with(a map[string]any, b map[string]any) map[string]any {
	for k, v := range b {
		a[k] = v
	}
	return a
}
