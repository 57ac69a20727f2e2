package tiles

import (
	"context"
	"fmt"

	"swath/geo"
	"swath/raster"
	"swath/render"
)

// ETag names the bytes of a picture for ever, without drawing it: a quoted string, as HTTP wants it. It is fault.Invalid when
// the view is no picture, fault.TooLarge when the frame asks for more than one request may.
func (v *View) ETag(frame Frame, f render.Format) (string, error) {
	if err := v.affordable(frame); err != nil {
		return "", err
	}
	tag := fmt.Sprintf(`"%s-%s-%d"`, v.key, frame.key(), f)
	if f.Values() { // any can be had
		return tag, nil
	}
	return tag, v.drawable()
}

// Picture draws a frame, once for all who ask for the same at the same time. A frame beside the item is an empty image.
func (v *View) Picture(ctx context.Context, frame Frame, f render.Format) ([]byte, error) {
	key, err := v.ETag(frame, f)
	if err != nil {
		return nil, err
	}
	if v.beside(frame.Grid) && !v.opaque && !f.Values() {
		return render.Empty(frame.Grid.Width, frame.Grid.Height, f)
	}
	return v.renderer.picture(ctx, key, func(ctx context.Context) ([]byte, error) {
		leave, err := v.renderer.gate.enter(ctx)
		if err != nil {
			return nil, err
		}
		defer leave()
		planes, err := v.inside(ctx, frame, nil)
		defer raster.FreePlanes(planes)
		if err != nil {
			return nil, err
		}
		if f.Values() {
			return v.numbers(ctx, planes, frame, f)
		}
		style, err := v.style(ctx)
		if err != nil {
			return nil, err
		}
		if v.opaque {
			fillNaN(planes, style.Rescale)
		}
		return render.Encode(planes, frame.Grid.Width, frame.Grid.Height, style, f)
	})
}

// numbers writes values without drawing them, in a GeoTIFF as kept says.
func (v *View) numbers(ctx context.Context, planes [][]float32, frame Frame, f render.Format) ([]byte, error) {
	if f == render.NPY {
		return render.EncodeNPY(planes, frame.Grid.Width, frame.Grid.Height)
	}
	kind, noData, err := v.kept(ctx)
	if err != nil {
		return nil, err
	}
	return v.image(frame, kind, noData).Encode(planes)
}

// fillNaN gives the lowest value of its stretch to what has none, 0 where nothing is stretched.
func fillNaN(planes [][]float32, limits [][2]float64) {
	if len(limits) == 0 {
		limits = [][2]float64{{}}
	}
	for i, plane := range planes {
		for j, value := range plane {
			if isNaN(value) {
				plane[j] = float32(limits[min(i, len(limits)-1)][0])
			}
		}
	}
}

// inside returns the view's values in a frame: one slice per output, NaN where nothing was measured and outside its area.
func (v *View) inside(ctx context.Context, frame Frame, skip skipping) ([][]float32, error) {
	planes, err := v.planes(ctx, frame.Grid, skip)
	if err == nil && frame.Area != nil {
		frame.Area.cut(planes, frame.Grid)
	}
	return planes, err
}

// touches reports whether a box of degrees meets the item's. The item's is taken a little larger: its corners were computed,
// and the edges between them are curves.
func (v *View) touches(b geo.Box) bool {
	own := v.item.Bounds
	if own.MinX > own.MaxX {
		own.MaxX += 360
	}
	const margin = 0.02 // of the size
	dx, dy := margin*(own.MaxX-own.MinX), margin*(own.MaxY-own.MinY)
	if b.MaxY < own.MinY-dy || b.MinY > own.MaxY+dy {
		return false
	}
	for _, turn := range []float64{-360, 0, 360} {
		if b.MaxX+turn >= own.MinX-dx && b.MinX+turn <= own.MaxX+dx {
			return true
		}
	}
	return false
}
