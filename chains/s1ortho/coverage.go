package s1ortho

import (
	"context"
	"math"
	"slices"

	"swath/dem"
	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/sar"
)

// coverStep is how far the places stand from each other at which coverage is looked at: 15 pixels, so 732 x 732 in a tile.
const coverStep = 15

// gridOf is the grid of a tile.
func gridOf(name string) (raster.Grid, geo.Projection, error) {
	code, box, err := geo.MGRSTile(name)
	if err != nil {
		return raster.Grid{}, nil, fault.New(fault.Invalid, "tiles: %q is no tile of the grid", name)
	}
	p, _ := geo.ProjectionOf(code)
	return raster.Grid{CRS: code, Width: tilePx, Height: tilePx, Transform: geo.Affine{box.MinX, pixelM, 0, box.MaxY, 0, -pixelM}}, p, nil
}

// candidates are the tiles that the pass may cover, or those of them that were asked for.
func (s *scene) candidates(asked []string) ([]string, error) {
	for _, name := range asked {
		if !geo.IsMGRSTile(name) {
			return nil, fault.New(fault.Invalid, "tiles: Sentinel-2 is not imaged on a tile %q", name)
		}
	}
	var names []string
	for _, sl := range s.slices {
		var outline geo.Ring
		g := sl.grd
		heightM := middleHeight(sl)
		corner := func(line, pixel float64) {
			lon, lat := g.Place(line, pixel, heightM)
			outline = append(outline, [2]float64{lon, lat})
		}
		const parts = 8
		last, far := float64(g.Lines-1), float64(g.Samples-1)
		for i := range parts {
			corner(last*float64(i)/parts, 0)
		}
		for i := range parts {
			corner(last, far*float64(i)/parts)
		}
		for i := range parts {
			corner(last*float64(parts-i)/parts, far)
		}
		for i := range parts + 1 {
			corner(0, far*float64(parts-i)/parts)
		}
		for _, name := range geo.MGRSTilesOver(outline) {
			if !slices.Contains(names, name) && (len(asked) == 0 || slices.Contains(asked, name)) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// middleHeight is a height of the ground as the annotation has it.
func middleHeight(sl *slice) float64 {
	grid := sl.product.Measurements[0].Grid
	if len(grid) == 0 {
		return 0
	}
	return grid[len(grid)/2].HeightM
}

// guessMargin is how far a coverage that is computed on one height for the whole tile may be from the true one.
const guessMargin = 0.05

// look decides whether a tile is made: its ground is loaded when it may be covered enough. It is nil when it is not.
func (s *scene) look(ctx context.Context, in *Inputs, model *dem.Model, name string) (*tile, float64, error) {
	g, p, err := gridOf(name)
	if err != nil {
		return nil, 0, err
	}
	t := &tile{in: in, scene: s, name: name, grid: g, projection: p}
	guess := t.cover(func(int, int) float64 { return middleHeight(s.slices[0]) })
	if guess == 0 || guess < in.MinCoverage-guessMargin {
		return nil, guess, nil
	}
	if t.relief, err = loadRelief(ctx, model, g); err != nil {
		return nil, 0, err
	}
	t.coverage = t.cover(func(x, y int) float64 {
		return float64(t.relief.M[(y/reliefStep+reliefMargin)*t.relief.Width+x/reliefStep+reliefMargin])
	})
	if t.coverage < in.MinCoverage || t.coverage == 0 {
		return nil, t.coverage, nil
	}
	return t, t.coverage, nil
}

// cover is the share of a tile on which the first polarisation was measured, over ground of a given height at a pixel.
func (t *tile) cover(height func(x, y int) float64) float64 {
	seen, all := 0, 0
	guesses := make([]float64, len(t.scene.slices))
	const cell = 20 // places between exact solutions
	n := tilePx / coverStep
	nodes := n/cell + 2
	type seenAt struct{ line, pixel, perLine, perPixel float64 }
	lattices := make([][]seenAt, len(t.scene.slices))
	for k, sl := range t.scene.slices {
		lattices[k] = make([]seenAt, nodes*nodes)
		for j := range nodes {
			for i := range nodes {
				x, y := t.grid.Transform.Apply((float64(i*cell)+0.5)*coverStep, (float64(j*cell)+0.5)*coverStep)
				lon, lat := t.projection.ToLonLat(x, y)
				px, py := min(tilePx-1, i*cell*coverStep+coverStep/2), min(tilePx-1, j*cell*coverStep+coverStep/2)
				h := height(px, py)
				v := seenAt{line: math.NaN()}
				if t0, r := sl.grd.Orbit.ZeroDoppler(sar.ToECEF(lon, lat, h), guesses[k]); t0 == t0 {
					v.line, v.pixel = sl.grd.Image(t0, r)
					guesses[k] = t0
					if t1, r := sl.grd.Orbit.ZeroDoppler(sar.ToECEF(lon, lat, h+100), t0); t1 == t1 {
						line, pixel := sl.grd.Image(t1, r)
						v.perLine, v.perPixel = (line-v.line)/100, (pixel-v.pixel)/100
					}
					v.line -= h * v.perLine // at height 0
					v.pixel -= h * v.perPixel
				}
				lattices[k][j*nodes+i] = v
			}
		}
	}
	for j := range n {
		for i := range n {
			all++
			x, y := i*coverStep+coverStep/2, j*coverStep+coverStep/2
			h := height(x, y)
			fx, fy := float64(i%cell)/cell, float64(j%cell)/cell
			for k, sl := range t.scene.slices {
				q := lattices[k][j/cell*nodes+i/cell:]
				mix := func(of func(v *seenAt) float64) float64 {
					top, bottom := of(&q[0])+fx*(of(&q[1])-of(&q[0])), of(&q[nodes])+fx*(of(&q[nodes+1])-of(&q[nodes]))
					return top + fy*(bottom-top)
				}
				line := mix(func(v *seenAt) float64 { return v.line }) + h*mix(func(v *seenAt) float64 { return v.perLine })
				if !(line > -0.5 && line < float64(sl.grd.Lines)) {
					continue
				}
				pixel := mix(func(v *seenAt) float64 { return v.pixel }) + h*mix(func(v *seenAt) float64 { return v.perPixel })
				if sl.bands[0].valid(int(math.Round(line)), int(math.Round(pixel))) {
					seen++
					break
				}
			}
		}
	}
	return float64(seen) / float64(all)
}
