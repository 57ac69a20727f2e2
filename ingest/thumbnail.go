package ingest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"swath/raster"
	"swath/render"
)

// thumbnailPixels is the longest side of a quicklook.
const thumbnailPixels = 343

// thumbnailFile is what the file of an asset "thumbnail" is called.
const thumbnailFile = "thumbnail.png"

// addThumbnail draws the quicklook from overviews of the COGs that were just made.
func (p *publication) addThumbnail(ctx context.Context) error {
	var planes [][]float32
	var width, height int
	for i, asset := range p.thumbnail.assets {
		where, noData := p.readable(asset)
		o, err := raster.ReadOverview(ctx, where, noData, thumbnailPixels)
		if err != nil {
			return fmt.Errorf("ingest: %s: quicklook: %w", p.id, err)
		}
		if i > 0 && (o.Width != width || o.Height != height) {
			return fmt.Errorf("ingest: %s: quicklook: bands of %dx%d and %dx%d pixels", p.id, width, height, o.Width, o.Height)
		}
		width, height = o.Width, o.Height
		planes = append(planes, o.Planes[p.thumbnail.bands[i]-1])
	}
	if len(planes) == 0 {
		return nil
	}
	style := render.Style{Rescale: [][2]float64{stretch(slices.Concat(planes...))}}
	picture, err := render.Encode(planes, width, height, style, render.PNG)
	if err != nil {
		return fmt.Errorf("ingest: %s: quicklook: %w", p.id, err)
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(picture)), nil }
	return p.addFile(ctx, file{"thumbnail", thumbnailFile, mediaPNG, open, part("Quicklook", "thumbnail")})
}

// stretch returns the limits between which 96 of 100 values lie, the same for all bands so that colours stay true; 0..1 when
// nothing was measured. The values are reordered.
func stretch(values []float32) [2]float64 {
	values = slices.DeleteFunc(values, func(v float32) bool { return math.IsNaN(float64(v)) })
	if len(values) == 0 {
		return [2]float64{0, 1}
	}
	slices.Sort(values)
	low, high := float64(values[len(values)*2/100]), float64(values[len(values)*98/100])
	if low == high {
		high = low + 1
	}
	return [2]float64{low, high}
}
