package ingest

import (
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/sentinel/safe"
	"swath/spot"
)

// planSPOT makes an item of a DIMAP product: one COG a band, in sensor geometry with its tie points or on its map grid.
func planSPOT(location string) (plan, func(), error) {
	product, err := safe.Open(location)
	if err != nil {
		return plan{}, nil, err
	}
	p, err := spotPlan(product)
	if err != nil {
		product.Close()
		return plan{}, nil, err
	}
	return p, func() { product.Close() }, nil
}

func spotPlan(product *safe.Product) (plan, error) {
	d, err := spot.Read(product.FS)
	if err != nil {
		return plan{}, err
	}
	if len(d.Missing) > 0 {
		return plan{}, fault.New(fault.Invalid, "%s: incomplete product: missing or empty: %s", product.Path, strings.Join(d.Missing, ", "))
	}
	mosaic, err := spotMosaic(product, d)
	if err != nil {
		return plan{}, fmt.Errorf("ingest: %s: %w", product.Path, err)
	}
	p := plan{collection: "spot-swh-l1a", id: d.ID, extensions: spotExtensions, properties: spotProperties(d)}
	if d.GridReference != "" {
		p.extensions = append(slices.Clone(p.extensions), extensions("grid/v1.1.0")...)
	}
	if d.Mission >= 6 {
		p.collection = "spot-6-7"
	}
	if p.fingerprint, err = fingerprint(product.FS); err != nil {
		return plan{}, fmt.Errorf("ingest: %s: %w", product.Path, err)
	}
	for i := range d.Bands {
		l := spotLayer(d, i, product.GDALPath(d.Images[0].Path))
		l.pieces = mosaic
		p.layers = append(p.layers, l)
	}
	p.files = append(p.files, fileOf(product.FS, "metadata", d.Metadata, mediaXML, part("DIMAP metadata", "metadata")))
	if d.RPC != "" {
		p.files = append(p.files, fileOf(product.FS, "rpc", d.RPC, mediaXML, part("Rational polynomial coefficients", "metadata")))
	}
	p.addOriginal(product)
	p.thumbnail = spotThumbnail(d)
	p.geometry = geo.SplitAntimeridian(d.Frame)
	if d.Transform != nil {
		p.outline = p.layers[0].asset
	}
	return p, nil
}

// spotMosaic places the files of an image that comes in several (R1C1, R1C2, …): each begins where those before it in its row
// and column of files end. It is nil for an image of one file.
func spotMosaic(product *safe.Product, d *spot.Product) (*raster.Mosaic, error) {
	if len(d.Images) == 1 {
		return nil, nil
	}
	widths, heights := map[int]int{}, map[int]int{} // by column and row of files, from 1
	seen := map[[2]int]bool{}
	for _, image := range d.Images {
		piece, err := raster.Inspect(product.GDALPath(image.Path))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", image.Path, err)
		}
		w, h := widths[image.TileCol], heights[image.TileRow]
		if w != 0 && w != piece.Width || h != 0 && h != piece.Height || seen[[2]int{image.TileRow, image.TileCol}] {
			return nil, fault.New(fault.Invalid, "%s: %d x %d pixels do not fit the files beside it", image.Path, piece.Width, piece.Height)
		}
		widths[image.TileCol], heights[image.TileRow], seen[[2]int{image.TileRow, image.TileCol}] = piece.Width, piece.Height, true
	}
	before := func(sizes map[int]int, number int) (sum int) {
		for n := 1; n < number; n++ {
			sum += sizes[n]
		}
		return sum
	}
	columns, rows := before(widths, len(widths)+1), before(heights, len(heights)+1)
	if len(seen) != len(widths)*len(heights) || columns != d.Columns || rows != d.Rows {
		return nil, fault.New(fault.Invalid, "%d image files make %d x %d pixels; the document says %d x %d", len(d.Images), columns, rows, d.Columns, d.Rows)
	}
	m := &raster.Mosaic{Width: d.Columns, Height: d.Rows, CRS: d.CRS, Transform: d.Transform}
	for _, image := range d.Images {
		m.Pieces = append(m.Pieces, raster.Piece{Path: product.GDALPath(image.Path), Column: before(widths, image.TileCol), Row: before(heights, image.TileRow)})
	}
	return m, nil
}

var spotExtensions = extensions("eo/v2.0.0", "view/v1.0.0", "processing/v1.2.0", "product/v1.0.0")

func spotProperties(d *spot.Product) map[string]any {
	properties := map[string]any{
		"datetime": d.TimeUTC.Format(time.RFC3339Nano), "title": d.Name,
		"platform": fmt.Sprintf("spot-%d", d.Mission), "constellation": "spot", "instruments": []string{strings.ToLower(d.Instrument)},
		"processing:level": "L" + d.Level, "product:type": d.Level, "view:sun_azimuth": d.SunAzimuthDeg, "view:sun_elevation": d.SunElevationDeg,
	}
	number := func(name string, v float64) {
		if !math.IsNaN(v) {
			properties[name] = v
		}
	}
	number("view:incidence_angle", math.Abs(d.IncidenceDeg))
	number("view:off_nadir", math.Abs(d.ViewingDeg))
	number("eo:cloud_cover", d.CloudPercent)
	number("gsd", d.GSDM)
	if d.GridReference != "" {
		properties["grid:code"] = "SPOT-" + strings.ReplaceAll(d.GridReference, "/", "_") // K-J of the SPOT grid reference system
	}
	if d.Software != "" {
		properties["processing:software"] = map[string]string{d.Software: d.SoftwareVer}
	}
	return properties
}

// spotLayer is band i (from 0) of the product's image.
func spotLayer(d *spot.Product, i int, image string) layer {
	b := d.Bands[i]
	band := map[string]any{"name": b.Name}
	if name := spotCommonNames[b.Name]; name != "" {
		band["eo:common_name"] = name
	}
	if !math.IsNaN(b.MinNM) && !math.IsNaN(b.MaxNM) {
		band["eo:center_wavelength"] = (b.MinNM + b.MaxNM) / 2000
		band["eo:full_width_half_max"] = (b.MaxNM - b.MinNM) / 1000
	}
	fields := part(b.Name, "data")
	fields["bands"] = []map[string]any{band}
	if scale, offset, ok := d.Reflectance(i); ok {
		fields["raster:scale"], fields["raster:offset"], fields["roles"] = scale, offset, []string{"data", "reflectance"}
	}
	options := raster.COGOptions{Bands: []int{i + 1}, NoData: d.NoData, GCPs: d.GCPs}
	return layer{asset: b.Name, path: image, options: options, fields: fields}
}

// spotCommonNames are the STAC names of SPOT's bands.
var spotCommonNames = map[string]string{
	"XS1": "green", "XS2": "red", "XS3": "nir", "SWIR": "swir16", "PAN": "pan",
	"B0": "blue", "B1": "green", "B2": "red", "B3": "nir", "P": "pan",
}

// spotThumbnail is the infrared composite, or the only band.
func spotThumbnail(d *spot.Product) thumbnail {
	have := map[string]bool{}
	for _, b := range d.Bands {
		have[b.Name] = true
	}
	for _, rgb := range [][]string{{"XS3", "XS2", "XS1"}, {"B2", "B1", "B0"}} {
		if have[rgb[0]] && have[rgb[1]] && have[rgb[2]] {
			return thumbnail{assets: rgb, bands: []int{1, 1, 1}}
		}
	}
	return thumbnail{assets: []string{d.Bands[0].Name}, bands: []int{1}}
}

// extensions returns the schema addresses of extensions.
func extensions(names ...string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = extensionBase + name + "/schema.json"
	}
	return all
}

// fileOf keeps a file of a product under its asset's name.
func fileOf(fsys fs.FS, asset, name, contentType string, fields map[string]any) file {
	open := func() (io.ReadCloser, error) { return fsys.Open(name) }
	return file{asset, asset + strings.ToLower(path.Ext(name)), contentType, open, fields}
}
