package tiles

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"swath/raster"
)

// Info is what can be drawn of an item, and how finely.
type Info struct {
	Collection string      `json:"collection"`
	ID         string      `json:"id"`
	Bounds     [4]float64  `json:"bounds"` // west, south, east, north in degrees; west > east crosses the antimeridian
	MinZoom    int         `json:"minzoom"`
	MaxZoom    int         `json:"maxzoom"`
	Renders    []string    `json:"renders"` // presets of the collection
	Assets     []AssetInfo `json:"assets"`
}

// MarshalJSON writes the assets under their keys as well, as TiTiler has them; those that are called like another member don't.
func (i Info) MarshalJSON() ([]byte, error) {
	type bare Info
	text, err := json.Marshal(bare(i))
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	for _, a := range i.Assets {
		if _, taken := members[a.Key]; !taken {
			if members[a.Key], err = json.Marshal(a); err != nil {
				return nil, err
			}
		}
	}
	return json.Marshal(members)
}

// AssetInfo describes the raster of one asset.
type AssetInfo struct {
	Key       string      `json:"key"`
	Title     string      `json:"title,omitempty"`
	Width     int         `json:"width"`
	Height    int         `json:"height"`
	DataType  string      `json:"data_type"`
	NoData    any         `json:"nodata"` // a number, "nan", or null
	CRS       string      `json:"crs,omitempty"`
	Transform *[6]float64 `json:"transform,omitempty"` // as proj:transform: x = a·column + b·row + c, y = d·column + e·row + f
	GCPs      int         `json:"gcps,omitempty"`      // ground control points that place it instead
	MinZoom   int         `json:"minzoom"`
	MaxZoom   int         `json:"maxzoom"`
	Overviews [][2]int    `json:"overviews"` // width, height
	Bands     []BandInfo  `json:"bands"`

	// The rest is what TiTiler's info has beside these.
	Bounds           *[4]float64 `json:"bounds,omitempty"` // in the raster's own system: minx, miny, maxx, maxy
	BandMetadata     [][2]any    `json:"band_metadata"`    // b1 and {}, …
	BandDescriptions [][2]string `json:"band_descriptions"`
	DType            string      `json:"dtype"`
	NoDataType       string      `json:"nodata_type"` // Nodata or None
	NoDataValue      any         `json:"nodata_value,omitempty"`
	Scales           []float64   `json:"scales"`
	Offsets          []float64   `json:"offsets"`
	Driver           string      `json:"driver"`
	Count            int         `json:"count"`
}

// BandInfo describes one band.
type BandInfo struct {
	Name       string  `json:"name"` // as expressions call it
	Band       string  `json:"band"`
	CommonName string  `json:"common_name,omitempty"`
	Scale      float64 `json:"scale"`
	Offset     float64 `json:"offset"`
}

// Info describes the drawable assets of an item: all, or the listed ones.
func (r *Renderer) Info(ctx context.Context, collection, id string, assets []string) (Info, error) {
	d, err := r.describe(ctx, collection, id)
	if err != nil {
		return Info{}, err
	}
	offered, err := r.presets(ctx, collection)
	if err != nil {
		return Info{}, err
	}
	chosen := d.Assets
	if len(assets) > 0 {
		chosen = nil
		for _, key := range assets {
			refs, err := d.list(key)
			if err != nil {
				return Info{}, err
			}
			chosen = append(chosen, *refs[0].asset)
		}
	}
	b := d.Bounds
	info := Info{Collection: collection, ID: id, Bounds: [4]float64{b.MinX, b.MinY, b.MaxX, b.MaxY}, Renders: offered.names(), Assets: []AssetInfo{}}
	for i := range chosen {
		a, err := r.assetInfo(ctx, &d, &chosen[i])
		if err != nil {
			return Info{}, err
		}
		info.Assets = append(info.Assets, a)
		info.MaxZoom = max(info.MaxZoom, a.MaxZoom)
		if i == 0 || a.MinZoom < info.MinZoom {
			info.MinZoom = a.MinZoom
		}
	}
	return info, nil
}

func (r *Renderer) assetInfo(ctx context.Context, d *Description, a *Asset) (AssetInfo, error) {
	c, release, err := r.cog(ctx, a.Object)
	if err != nil {
		return AssetInfo{}, fmt.Errorf("tiles: asset %s of %s/%s: %w", a.Key, d.Collection, d.ID, err)
	}
	defer release()
	info := AssetInfo{
		Key: a.Key, Title: a.Title, Width: c.Levels[0].Width, Height: c.Levels[0].Height, DataType: string(c.DataType),
		NoData: noDataJSON(c, a), GCPs: len(c.GCPs), Overviews: [][2]int{}, DType: string(c.DataType), NoDataType: "None", Driver: "GTiff", Count: len(a.Bands),
	}
	if info.NoDataValue = info.NoData; info.NoData != nil {
		info.NoDataType = "Nodata"
	}
	info.MinZoom, info.MaxZoom = d.zooms(d.resolution(c), tileSize)
	if c.CRS != 0 {
		info.CRS = c.CRS.String()
	}
	if t := c.Transform; info.GCPs == 0 {
		info.Transform = &[6]float64{t[1], t[2], t[0], t[4], t[5], t[3]}
		x0, y0 := t.Apply(0, 0)
		x1, y1 := t.Apply(float64(info.Width), float64(info.Height))
		info.Bounds = &[4]float64{min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)}
	}
	for _, l := range c.Levels[1:] {
		info.Overviews = append(info.Overviews, [2]int{l.Width, l.Height})
	}
	for i := range a.Bands {
		b := &a.Bands[i]
		info.Bands = append(info.Bands, BandInfo{ref{a, b}.name(), b.Name, b.CommonName, b.Scale, b.Offset})
		number := fmt.Sprintf("b%d", b.Number)
		info.BandMetadata = append(info.BandMetadata, [2]any{number, struct{}{}})
		info.BandDescriptions = append(info.BandDescriptions, [2]string{number, b.Name})
		info.Scales, info.Offsets = append(info.Scales, b.Scale), append(info.Offsets, b.Offset)
	}
	return info, nil
}

// noDataJSON returns the file's nodata, or the item's where the file has none.
func noDataJSON(c *raster.COG, a *Asset) any {
	v := c.NoData
	if v == nil && len(a.Bands) > 0 {
		v = a.Bands[0].NoData
	}
	switch {
	case v == nil:
		return nil
	case math.IsNaN(*v) || math.IsInf(*v, 0):
		return map[bool]string{true: "nan", false: "inf"}[math.IsNaN(*v)]
	}
	return *v
}
