package ingest

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"swath/fault"
	"swath/objects"
	"swath/raster"
)

// defaultCollection takes rasters that come without one.
const defaultCollection = "rasters"

// planRaster makes an item of a single georeferenced raster. Its time is the file's own: a GeoTIFF rarely says when it was taken.
func planRaster(path, collection string) (plan, func(), error) {
	info, err := os.Stat(path)
	if err != nil {
		return plan{}, nil, err
	}
	if info.Size() == 0 {
		return plan{}, nil, fault.New(fault.Invalid, "%s: the file is empty", path)
	}
	d, err := raster.Inspect(path)
	if err != nil {
		return plan{}, nil, err
	}
	if err := placeable(path, d); err != nil {
		return plan{}, nil, err
	}
	sum, err := fingerprint(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	if err != nil {
		return plan{}, nil, fmt.Errorf("ingest: %s: %w", path, err)
	}
	if collection == "" {
		collection = defaultCollection
	}
	name := filepath.Base(path)
	id := strings.TrimSuffix(name, filepath.Ext(name))
	fields := part(name, "data")
	fields["bands"] = bandNames(d)
	return plan{
		collection: collection, id: id, fingerprint: sum,
		properties: map[string]any{"datetime": info.ModTime().UTC().Format(time.RFC3339), "title": id},
		layers:     []layer{{asset: "data", path: path, fields: fields}},
		outline:    "data",
		thumbnail:  thumbnailOf("data", d.Bands),
	}, func() {}, nil
}

// placeable refuses a raster that could not be put on a map.
func placeable(path string, d raster.Description) error {
	if !d.Georeferenced() {
		return fault.New(fault.Invalid, "%s: the raster is not georeferenced", path)
	}
	return nil
}

// bandNames lists a raster's bands by their descriptions, or b1, b2, ….
func bandNames(d raster.Description) []map[string]any {
	bands := make([]map[string]any, d.Bands)
	for i := range bands {
		name := fmt.Sprintf("b%d", i+1)
		if i < len(d.BandNames) && d.BandNames[i] != "" {
			name = d.BandNames[i]
		}
		bands[i] = map[string]any{"name": name}
	}
	return bands
}

// thumbnailOf draws an asset's first three bands as red, green and blue, or its only one in gray.
func thumbnailOf(asset string, bands int) thumbnail {
	if bands >= 3 {
		return thumbnail{assets: []string{asset, asset, asset}, bands: []int{1, 2, 3}}
	}
	return thumbnail{assets: []string{asset}, bands: []int{1}}
}

// openMade returns an opener of a file that was made here, for the store to keep.
func openMade(path string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		return objects.Given{File: f}, err
	}
}

// openFile returns an opener of a file on disk.
func openFile(path string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return os.Open(path) }
}
