package tiles

import (
	"context"
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"strings"

	"swath/fault"
	"swath/raster"
	"swath/render"
)

// Provenance says of every pixel of a scene which item it is from: by numbers that count the items from 1, 0 is none. Where several
// items make a pixel (mean, median, stdev, count) it is the first of them.
type Provenance struct {
	Items     []ProvenanceItem `json:"items"`
	Limited   bool             `json:"limited"` // there are more items than the request's limit
	Width     int              `json:"width"`
	Height    int              `json:"height"`
	CRS       string           `json:"crs"`
	Transform [6]float64       `json:"transform"` // as proj:transform: x = a·column + b·row + c, y = d·column + e·row + f
	Runs      []int32          `json:"runs"`      // number, how many pixels, number, …: row by row from the north-west
}

// ProvenanceItem is an item and what it gives to a scene.
type ProvenanceItem struct {
	Number int `json:"number"`
	SceneItem
	Pixels int    `json:"pixels"`
	Color  string `json:"color"` // in the picture
}

// ProvenanceFormat is how a provenance is handed out.
type ProvenanceFormat string

// The formats. In the picture each item has a colour; the raster has two bands, the item's number and its day.
const (
	ProvenanceJSON ProvenanceFormat = "json"
	ProvenancePNG  ProvenanceFormat = "png"
	ProvenanceTIFF ProvenanceFormat = "tif"
)

// ParseProvenanceFormat reads a format by the extension of its files.
func ParseProvenanceFormat(extension string) (ProvenanceFormat, error) {
	switch f := ProvenanceFormat(strings.ToLower(extension)); f {
	case ProvenanceJSON, ProvenancePNG, ProvenanceTIFF:
		return f, nil
	case "tiff":
		return ProvenanceTIFF, nil
	}
	return "", fault.New(fault.Invalid, "provenance is handed out as json, png or tif, not as %.20q", extension)
}

// ContentType is the format's media type.
func (f ProvenanceFormat) ContentType() string {
	return map[ProvenanceFormat]string{ProvenanceJSON: "application/json", ProvenancePNG: render.PNG.ContentType(), ProvenanceTIFF: render.TIFF.ContentType()}[f]
}

// ProvenanceETag names the bytes of the scene's provenance for ever, without reading a pixel.
func (s *Scene) ProvenanceETag(f ProvenanceFormat) string {
	return fmt.Sprintf(`"%s-from-%s"`, s.key, f)
}

// Provenance tells which item each pixel of the scene is from, once for all who ask for the same at the same time.
func (s *Scene) Provenance(ctx context.Context, f ProvenanceFormat) ([]byte, error) {
	return s.renderer.pictures.do(ctx, s.ProvenanceETag(f), func(ctx context.Context) ([]byte, error) {
		from, err := s.Origins(ctx)
		if err != nil {
			return nil, err
		}
		switch f {
		case ProvenancePNG:
			return s.originsPicture(from)
		case ProvenanceTIFF:
			return s.originsRaster(from)
		}
		return json.Marshal(s.provenance(from))
	})
}

func (s *Scene) provenance(from []int32) Provenance {
	items, limited := s.Items()
	t := s.frame.Grid.Transform
	p := Provenance{Items: make([]ProvenanceItem, len(items)), Limited: limited, Width: s.frame.Grid.Width, Height: s.frame.Grid.Height,
		CRS: s.frame.Grid.CRS.String(), Transform: [6]float64{t[1], t[2], t[0], t[4], t[5], t[3]}, Runs: []int32{}}
	for i, it := range items {
		c := colourOf(i)
		p.Items[i] = ProvenanceItem{Number: i + 1, SceneItem: it, Color: fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)}
	}
	for i, n := range from {
		if n >= 0 {
			p.Items[n].Pixels++
		}
		if i == 0 || n != from[i-1] {
			p.Runs = append(p.Runs, n+1, 0)
		}
		p.Runs[len(p.Runs)-1]++
	}
	return p
}

// mostItemColours is how many items differ in colour; after so many the colours come again.
const mostItemColours = 255

// colourOf is the colour of an item: hues a golden angle apart, so that neighbours in the order differ clearly, at three brightnesses.
func colourOf(item int) color.NRGBA {
	const goldenTurn = 0.618033988749895 // of the circle
	i := item % mostItemColours
	hue := math.Mod(float64(i)*goldenTurn, 1) * 6
	value := 255 * [3]float64{1, 0.8, 0.6}[i%3]
	level := func(shift float64) uint8 { // HSV with a saturation of 0.75
		k := math.Mod(shift+hue, 6)
		return uint8(math.Round(value * (1 - 0.75*math.Max(0, math.Min(1, math.Min(k, 4-k))))))
	}
	return color.NRGBA{level(5), level(3), level(1), 255}
}

// originsPicture draws each item in its colour.
func (s *Scene) originsPicture(from []int32) ([]byte, error) {
	entries := map[string][4]uint8{}
	for i := range min(len(s.views), mostItemColours) {
		c := colourOf(i)
		entries[fmt.Sprint(i)] = [4]uint8{c.R, c.G, c.B, c.A}
	}
	grid := s.frame.Grid
	plane, none := make([]float32, len(from)), 0
	for i, n := range from {
		if plane[i] = float32(n % mostItemColours); n < 0 {
			plane[i] = float32(math.NaN())
			none++
		}
	}
	if none == len(from) {
		return render.Empty(grid.Width, grid.Height, render.PNG)
	}
	text, err := json.Marshal(entries)
	if err != nil {
		return nil, err
	}
	colours, err := render.ParseColormap(string(text))
	if err != nil {
		return nil, err
	}
	return render.Encode([][]float32{plane}, grid.Width, grid.Height, render.Style{Colormap: colours}, render.PNG)
}

// originsRaster writes a GeoTIFF of the items' numbers and days; its metadata say which item a number is.
func (s *Scene) originsRaster(from []int32) ([]byte, error) {
	nothing := 0.0
	image := raster.GeoTIFF{Grid: s.frame.Grid, Type: raster.Uint16, NoData: &nothing, Items: map[string]string{},
		Bands: []raster.GeoTIFFBand{{Name: "item"}, {Name: "day", Unit: "days since 1970-01-01"}}}
	days := make([]float32, len(s.views))
	for i, v := range s.views {
		image.Items[fmt.Sprintf("ITEM_%d", i+1)] = strings.TrimSpace(fmt.Sprintf("%s/%s %s", v.item.Collection, v.item.ID, s.times[i]))
		if at := timeOf(s.times[i]); !at.IsZero() {
			days[i] = float32(math.Floor(float64(at.Unix()) / (24 * 60 * 60)))
		}
	}
	planes := [][]float32{make([]float32, len(from)), make([]float32, len(from))}
	for i, n := range from {
		if n >= 0 {
			planes[0][i], planes[1][i] = float32(n+1), days[n]
		}
	}
	return image.Encode(planes)
}
