package tiles

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"swath/fault"
	"swath/raster"
	"swath/render"
)

// Scene is a mosaic in one frame: the items that lie in it are known, and none of their pixels was read.
type Scene struct {
	renderer *Renderer
	how      render.Selection
	frame    Frame
	views    []*View // in order
	times    []string
	limited  bool   // there are more items than the request's limit
	next     string // token of the page where they are
	only     string // collection
	key      string
}

// Collection returns the collection that alone is searched, "" when there are several.
func (s *Scene) Collection() string { return s.only }

// SceneItem is an item of a scene.
type SceneItem struct {
	Collection string      `json:"collection"`
	ID         string      `json:"id"`
	Datetime   string      `json:"datetime,omitempty"` // as the item says it
	BBox       *[4]float64 `json:"bbox,omitempty"`
}

// Items returns the items of the scene in their order, the first on top, and whether there are more than the request's limit.
func (s *Scene) Items() (items []SceneItem, limited bool) {
	items = make([]SceneItem, len(s.views))
	for i, v := range s.views {
		b := v.item.Bounds
		items[i] = SceneItem{v.item.Collection, v.item.ID, s.times[i], &[4]float64{b.MinX, b.MinY, b.MaxX, b.MaxY}}
	}
	return items, s.limited
}

// ETag names the bytes of the picture for ever, without drawing it.
func (s *Scene) ETag(f render.Format) (string, error) {
	if len(s.views) > 0 {
		if _, err := s.style(); err != nil && !f.Values() {
			return "", err
		}
		if err := s.affordable(); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf(`"%s-%d"`, s.key, f), nil
}

// affordable refuses pictures that one request may not ask for.
func (s *Scene) affordable() error {
	if err := s.views[0].affordable(s.frame); err != nil {
		return err
	}
	cost := int64(s.frame.Grid.Width) * int64(s.frame.Grid.Height) * int64(len(s.views[0].outputs)) * int64(len(s.views)) * 4
	if s.how == render.Median && cost > mostMedianBytes {
		return fault.New(fault.TooLarge, "a median of %d items takes %d bytes; one request may take %d: ask for fewer items (items_limit) or pixels", len(s.views), cost, int64(mostMedianBytes))
	}
	return nil
}

// style says how the selected values become colours: alike in every tile, so that what is measured of one item does not do.
func (s *Scene) style() (render.Style, error) {
	v := s.views[0]
	planes := s.how.Planes(len(v.outputs))
	style := render.Style{Colormap: v.colormap, Formula: v.formula, Rescale: v.rescale}
	if v.shares != nil {
		return style, fault.New(fault.Invalid, "rescale by percentiles is that of one item: pictures of many are stretched alike, so say it with numbers")
	}
	if err := v.pictureOf(planes, fmt.Sprintf("%s of %s", s.how, some(v.outputs))); err != nil || len(style.Rescale) > 0 {
		return style, err
	}
	if v.unstretched() {
		return style, nil
	}
	if s.how == render.Count || s.how == render.StDev || v.expression != nil || v.algorithm != nil {
		return style, fault.New(fault.Invalid, "say with rescale how %s of %s becomes colours: pictures of many items are stretched alike", s.how, some(v.outputs))
	}
	for i := range planes {
		limits, known := v.expected(v.inputs[i])
		if !known {
			return style, fault.New(fault.Invalid, "say with rescale how %s becomes colours: pictures of many items are stretched alike", v.outputs[i])
		}
		style.Rescale = append(style.Rescale, limits)
	}
	return style, nil
}

// Picture draws the scene, once for all who ask for the same at the same time. Where no item lies it is empty.
func (s *Scene) Picture(ctx context.Context, f render.Format) ([]byte, error) {
	key, err := s.ETag(f)
	if err != nil {
		return nil, err
	}
	grid := s.frame.Grid
	switch {
	case len(s.views) == 0 && f.Values():
		return s.numbers([][]float32{slices.Repeat([]float32{float32(math.NaN())}, grid.Width*grid.Height)}, f)
	case len(s.views) == 0:
		return render.Empty(grid.Width, grid.Height, f)
	}
	style, err := s.style()
	if err != nil && !f.Values() {
		return nil, err
	}
	return s.renderer.picture(ctx, key, func(ctx context.Context) ([]byte, error) {
		planes, _, err := s.selected(ctx)
		if err != nil {
			return nil, err
		}
		defer raster.FreePlanes(planes)
		if f.Values() {
			return s.numbers(planes, f)
		}
		return render.Encode(planes, grid.Width, grid.Height, style, f)
	})
}

// numbers writes values without drawing them.
func (s *Scene) numbers(planes [][]float32, f render.Format) ([]byte, error) {
	grid := s.frame.Grid
	if f == render.NPY {
		return render.EncodeNPY(planes, grid.Width, grid.Height)
	}
	image := raster.GeoTIFF{Grid: grid, Bands: make([]raster.GeoTIFFBand, len(planes))}
	for i := range image.Bands {
		if len(s.views) > 0 && s.how != render.Count {
			image.Bands[i].Name = s.views[0].outputs[i]
		}
	}
	return image.Encode(planes)
}

// Origins returns of every pixel of the frame, row by row from the north-west, which of the items it is from; -1 is none.
func (s *Scene) Origins(ctx context.Context) ([]int32, error) {
	if len(s.views) == 0 {
		from := make([]int32, s.frame.Grid.Width*s.frame.Grid.Height)
		for i := range from {
			from[i] = -1
		}
		return from, nil
	}
	if err := s.affordable(); err != nil {
		return nil, err
	}
	_, from, err := s.selected(ctx)
	return from, err
}

// selected reads item after item until the picture is full. One that can't be read is an error, for the picture would be
// another one, and would stay in caches.
func (s *Scene) selected(ctx context.Context) (planes [][]float32, from []int32, err error) {
	leave, err := s.renderer.gate.enter(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, mosaicTimeout, errTooSlow)
	defer cancel()
	grid := s.frame.Grid
	selector, err := render.NewSelector(s.how, len(s.views[0].outputs), grid.Width, grid.Height, raster.NewPlane)
	if err != nil {
		return nil, nil, err
	}
	order := make([]int32, 0, len(s.views)) // of those that went in
	for i, v := range s.views {
		if len(v.outputs) != len(s.views[0].outputs) {
			return nil, nil, fault.New(fault.Invalid, "%s/%s gives %d planes and %s/%s %d: name the assets or an expression", v.item.Collection, v.item.ID,
				len(v.outputs), s.views[0].item.Collection, s.views[0].item.ID, len(s.views[0].outputs))
		}
		if v.beside(grid) {
			continue
		}
		v.inScene = true
		in, err := v.inside(ctx, s.frame, selector.Full)
		if err != nil {
			if errors.Is(context.Cause(ctx), errTooSlow) {
				err = errTooSlow
			}
			return nil, nil, err
		}
		order = append(order, int32(i))
		filled := selector.Add(in)
		raster.FreePlanes(in)
		if filled {
			break
		}
	}
	planes, from = selector.Result()
	if n := len(order); n > 0 && int(order[n-1]) >= n { // some were left out
		for i, n := range from {
			if n >= 0 {
				from[i] = order[n]
			}
		}
	}
	return planes, from, nil
}

var errTooSlow = fault.New(fault.Timeout, "drawing took longer than %s: ask for fewer items (items_limit)", mosaicTimeout)
