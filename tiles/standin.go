package tiles

import (
	"context"
	"slices"

	"swath/fault"
	"swath/raster"
	"swath/stac"
)

// standIn puts COGs in the place of the JPEG 2000 objects of an item of which they were made. Pictures of both differ where they are
// reduced, by the filter of the overviews, and so do their ETags, which name the objects.
func (r *Renderer) standIn(ctx context.Context, d *Description) error {
	if r.standins == nil || !slices.ContainsFunc(d.Assets, func(a Asset) bool { return a.jpeg2000 }) {
		return nil
	}
	when := d.cog
	if when == "" {
		o, err := r.offerOf(ctx, d.Collection)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		when = o.cog
	}
	if when != stac.COGOnDemand {
		return nil
	}
	for i := range d.Assets {
		if a := &d.Assets[i]; a.jpeg2000 {
			a.original = a.Object
			if key := r.standins.COG(a.Object); key != "" {
				a.Object = key
			}
		}
	}
	return nil
}

// lookedAt returns the open raster of an asset that is drawn on a grid, and has its COG made or kept. Of many items it counts only
// in a picture, and seen from near by: a mosaic of a continent or a series of years is no reason to convert all that it touches.
func (v *View) lookedAt(ctx context.Context, a *Asset, grid raster.Grid) (c *raster.COG, release func(), err error) {
	c, release, err = v.renderer.cog(ctx, a.Object)
	if a.original == "" {
		return c, release, err
	}
	if fault.Is(err, fault.NotFound) && a.Object != a.original { // it left, and was described before
		c, release, err = v.renderer.cog(ctx, a.original)
	}
	if err == nil && (!v.ofMany || v.inScene && near(grid, c)) {
		var noData *float64
		if len(a.Bands) > 0 {
			noData = a.Bands[0].NoData
		}
		v.renderer.standins.Use(a.original, a.Checksum, noData)
	}
	return c, release, err
}

// near reports whether a pixel of a grid is no longer than four of a raster, by its middle.
func near(grid raster.Grid, c *raster.COG) bool {
	x, y, err := groundPixelM(grid)
	full := raster.Grid{CRS: c.CRS, Transform: c.Transform, Width: c.Levels[0].Width, Height: c.Levels[0].Height}
	fullX, fullY, err2 := groundPixelM(full)
	return err == nil && err2 == nil && min(x, y) <= 4*max(fullX, fullY)
}
