package tiles

import (
	"context"

	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/render"
)

// BoxScene finds the items of a mosaic in a box that is given in one coordinate system and drawn in another, its longer side 1024
// pixels when the size says nothing.
func (r *Renderer) BoxScene(ctx context.Context, q MosaicRequest, b geo.Box, coords, system geo.EPSG, size Size) (*Scene, error) {
	box, err := boxIn(b, coords, system)
	if err != nil {
		return nil, err
	}
	return r.sceneOver(ctx, q, box, nil, system, size)
}

// FeatureScene finds the items of a mosaic in a GeoJSON feature (see ParseArea), like those of the box around it; pixels that it does
// not touch have no value.
func (r *Renderer) FeatureScene(ctx context.Context, q MosaicRequest, body []byte, coords, system geo.EPSG, size Size) (*Scene, error) {
	area, err := ParseArea(body, coords)
	if err == nil {
		area, err = area.project(coords, system)
	}
	if err != nil {
		return nil, err
	}
	return r.sceneOver(ctx, q, area.bounds(), area, system, size)
}

// sceneOver finds the items in a box of its own system.
func (r *Renderer) sceneOver(ctx context.Context, q MosaicRequest, box geo.Box, area *Area, system geo.EPSG, size Size) (*Scene, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	if err := size.check(); err != nil {
		return nil, err
	}
	if !(box.MaxX > box.MinX && box.MaxY > box.MinY) {
		return nil, fault.New(fault.Invalid, "the area has no extent in %s", system)
	}
	if size == (Size{}) {
		size.MaxPx = previewSide
	}
	frame := Frame{Grid: gridOver(box, system, size), Area: area}
	if err := (&View{outputs: make([]string, 2)}).affordable(frame); err != nil { // one plane and its mask at least: of nothing, too
		return nil, err
	}
	degrees, err := raster.ProjectBox(system, geo.WGS84, box)
	if err != nil {
		return nil, err
	}
	return r.scene(ctx, q, frame, degrees)
}

// Statistics returns those of each plane of the scene, by its name; none where no item lies.
func (s *Scene) Statistics(ctx context.Context, o StatisticsOptions) (map[string]BandStatistics, error) {
	out := map[string]BandStatistics{}
	if err := o.check(); err != nil || len(s.views) == 0 {
		return out, err
	}
	if err := s.affordable(); err != nil {
		return nil, err
	}
	planes, _, err := s.selected(ctx)
	if err != nil {
		return nil, err
	}
	var share []float32
	if s.frame.Area != nil {
		share = s.frame.Area.cover(s.frame.Grid)
	}
	for i, plane := range planes {
		name := s.views[0].outputs[i]
		if s.how == render.Count {
			name = s.how.String()
		}
		out[name] = statisticsOf(plane, share, o)
	}
	return out, ctx.Err()
}
