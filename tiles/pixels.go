package tiles

import (
	"context"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"swath/raster"
	"swath/render"
)

// skipping says of which rectangles of pixels nobody needs the values; nil of none. An algorithm, which looks around, needs all.
type skipping func(x, y, width, height int) bool

// planes returns what the view shows on a grid, NaN where there is nothing: one slice per output.
func (v *View) planes(ctx context.Context, grid raster.Grid, skip skipping) ([][]float32, error) {
	if v.algorithm == nil {
		return v.values(ctx, grid, skip)
	}
	around, wide := v.algorithm.BufferPx(), grid
	wide.Width, wide.Height = grid.Width+2*around, grid.Height+2*around
	wide.Transform[0], wide.Transform[3] = grid.Transform.Apply(float64(-around), float64(-around))
	values, err := v.values(ctx, wide, nil)
	if err != nil {
		return nil, err
	}
	t := grid.Transform
	return v.algorithm.Apply(values, wide.Width, wide.Height, math.Hypot(t[1], t[4]), math.Hypot(t[2], t[5]))
}

// values returns the bands or the expression's results on a grid, NaN where nothing was measured or what was measured is hidden.
func (v *View) values(ctx context.Context, grid raster.Grid, skip skipping) ([][]float32, error) {
	in := make([][]float32, len(v.inputs))
	group, reading := errgroup.WithContext(ctx)
	for asset, at := range v.byAsset() {
		group.Go(func() error { return v.read(reading, asset, at, grid, skip, in) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if v.expression == nil {
		return in, v.hide(ctx, grid, in)
	}
	out := make([][]float32, v.expression.Outputs())
	for i := range out {
		out[i] = raster.NewPlane(grid.Width * grid.Height)
	}
	v.expression.Eval(in, out)
	raster.FreePlanes(in)
	return out, v.hide(ctx, grid, out)
}

// byAsset returns the places of the inputs in v.inputs, by the asset that they are read from.
func (v *View) byAsset() map[*Asset][]int {
	at := map[*Asset][]int{}
	for i, in := range v.inputs {
		at[in.asset] = append(at[in.asset], i)
	}
	return at
}

// read fills the inputs of one asset.
func (v *View) read(ctx context.Context, asset *Asset, at []int, grid raster.Grid, skip skipping, in [][]float32) error {
	c, release, err := v.lookedAt(ctx, asset, grid)
	if err != nil {
		return err
	}
	defer release()
	bands := make([]int, len(at))
	for i, j := range at {
		bands[i] = v.inputs[j].band.Number
	}
	values, err := v.renderer.reader.WarpBut(ctx, v.masked(c, asset), grid, bands, v.resampling, skip)
	if err != nil {
		return fmt.Errorf("tiles: asset %s of %s/%s: %w", asset.Key, v.item.Collection, v.item.ID, err)
	}
	for i, j := range at {
		in[j] = values[i]
		v.physical(v.inputs[j].band, in[j])
	}
	return nil
}

// masked is the raster with the nodata value that counts: the request's, else the file's, else the item's.
func (v *View) masked(c *raster.COG, asset *Asset) *raster.COG {
	noData := v.noData
	if noData == nil && c.NoData == nil && len(asset.Bands) > 0 {
		noData = asset.Bands[0].NoData
	}
	if noData == nil {
		return c
	}
	own := *c
	own.NoData = noData
	return &own
}

// physical turns stored values into measured ones, in place.
func (v *View) physical(b *Band, values []float32) {
	if v.stored || b.Scale == 1 && b.Offset == 0 {
		return
	}
	render.Scale(values, b.Scale, b.Offset)
}

// value is physical for one value.
func (v *View) value(b *Band, stored float32) float32 {
	one := []float32{stored}
	v.physical(b, one)
	return one[0]
}

func isNaN(v float32) bool { return v != v }

// percentiles returns the values below which the given shares (0..1) of the valid values lie; false when there are none.
func percentiles(values []float32, shares ...float64) ([]float64, bool) {
	valid := slices.DeleteFunc(slices.Clone(values), func(v float32) bool { return isNaN(v) || math.IsInf(float64(v), 0) })
	if len(valid) == 0 {
		return nil, false
	}
	slices.Sort(valid)
	out := make([]float64, len(shares))
	for i, share := range shares {
		out[i] = float64(valid[int(math.Round(share*float64(len(valid)-1)))])
	}
	return out, true
}
