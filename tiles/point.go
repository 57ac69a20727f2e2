package tiles

import (
	"context"
	"fmt"
	"math"
	"slices"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// PointValues is what an item holds at one place.
type PointValues struct {
	Coordinates [2]float64 `json:"coordinates"` // longitude, latitude in degrees
	Results
	Bands []BandValue `json:"bands"`
}

// Results are those of the assets or the expression, in their order, as TiTiler writes them. Null means that nothing was measured.
type Results struct {
	Values           []*float32 `json:"values"`
	BandNames        []string   `json:"band_names"`        // b1, b2, …
	BandDescriptions []string   `json:"band_descriptions"` // what they are called
}

func (r *Results) add(name string, value *float32) {
	r.Values = append(r.Values, value)
	r.BandNames = append(r.BandNames, fmt.Sprintf("b%d", len(r.Values)))
	r.BandDescriptions = append(r.BandDescriptions, name)
}

// named are the results, each with its name.
func (r Results) named() []NamedValue {
	out := make([]NamedValue, len(r.Values))
	for i, value := range r.Values {
		out[i] = NamedValue{r.BandDescriptions[i], value}
	}
	return out
}

var noResults = Results{[]*float32{}, []string{}, []string{}}

// BandValue is one band's pixel. Null means that nothing was measured there.
type BandValue struct {
	Name   string   `json:"name"` // as expressions call it
	Asset  string   `json:"asset"`
	Band   string   `json:"band"`
	Stored *float32 `json:"stored"` // as in the file
	Value  *float32 `json:"value"`  // stored·scale + offset
}

// NamedValue is one result.
type NamedValue struct {
	Name  string   `json:"name"`
	Value *float32 `json:"value"`
}

// Point returns the values of the pixel at a place: those of the expression's bands and of the listed assets, and the
// expression's result. A request that names nothing gets every one-band asset.
func (r *Renderer) Point(ctx context.Context, q Request, lonDeg, latDeg float64) (PointValues, error) {
	if err := checkPlace(lonDeg, latDeg); err != nil {
		return PointValues{}, err
	}
	if q.Render == "" && len(q.Assets) == 0 && q.Expression == "" {
		it, err := r.describe(ctx, q.Collection, q.Item)
		if err != nil {
			return PointValues{}, err
		}
		for _, a := range it.Assets {
			if len(a.Bands) == 1 && len(q.Assets) < mostInputs {
				q.Assets = append(q.Assets, a.Key)
			}
		}
	}
	v, err := r.View(ctx, q)
	if err != nil {
		return PointValues{}, err
	}
	leave, err := r.gate.enter(ctx)
	if err != nil {
		return PointValues{}, err
	}
	defer leave()
	return v.point(ctx, lonDeg, latDeg)
}

// Place returns the longitude and latitude in degrees of a place in a coordinate system, x to the east. It is fault.Invalid when the system
// is not known or has no such place.
func Place(system geo.EPSG, x, y float64) (lonDeg, latDeg float64, err error) {
	if system == geo.WGS84 {
		return x, y, nil
	}
	xs, ys := []float64{x}, []float64{y}
	if err := raster.Project(system, geo.WGS84, xs, ys); err != nil {
		return 0, 0, err
	}
	if isNoPlace(xs[0]) || isNoPlace(ys[0]) {
		return 0, 0, fault.New(fault.Invalid, "%g,%g is not a place in %s", x, y, system)
	}
	return geo.WrapLon(xs[0]), ys[0], nil
}

func isNoPlace(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

func checkPlace(lonDeg, latDeg float64) error {
	if !(math.Abs(lonDeg) <= 180 && math.Abs(latDeg) <= 90) { // nor NaN
		return fault.New(fault.Invalid, "%g,%g is not a place: longitude -180 to 180, then latitude -90 to 90", lonDeg, latDeg)
	}
	return nil
}

func (v *View) point(ctx context.Context, lonDeg, latDeg float64) (PointValues, error) {
	out := PointValues{Coordinates: [2]float64{lonDeg, latDeg}, Bands: []BandValue{}, Results: noResults}
	in := make([][]float32, len(v.inputs))
	refs := slices.Clone(v.inputs)
	for _, listed := range v.listed {
		if !slices.Contains(refs, listed) {
			refs = append(refs, listed)
		}
	}
	for i, ref := range refs {
		stored, err := v.pixel(ctx, ref, lonDeg, latDeg)
		if err != nil {
			return PointValues{}, err
		}
		value := v.value(ref.band, stored)
		if i < len(in) {
			in[i] = []float32{value}
		}
		out.Bands = append(out.Bands, BandValue{ref.name(), ref.asset.Key, ref.band.Name, known(stored), known(value)})
	}
	results := in
	switch {
	case v.algorithm != nil: // it may look at the pixels around
		one, err := v.pixelGrid(ctx, lonDeg, latDeg)
		if err != nil {
			return PointValues{}, err
		}
		if results, err = v.planes(ctx, one, nil); err != nil {
			return PointValues{}, err
		}
	case v.expression != nil:
		results = make([][]float32, v.expression.Outputs())
		for i := range results {
			results[i] = make([]float32, 1)
		}
		v.expression.Eval(in, results)
	}
	if v.mask != nil && v.algorithm == nil {
		if err := v.hide(ctx, smallGrid(lonDeg, latDeg), results); err != nil {
			return PointValues{}, err
		}
	}
	for i, result := range results {
		out.add(v.outputs[i], known(result[0]))
	}
	return out, nil
}

// smallGrid is one pixel of 10 m around a place.
func smallGrid(lonDeg, latDeg float64) raster.Grid {
	const side = 10.0 / 111_320 // degrees of latitude
	return raster.Grid{CRS: geo.WGS84, Transform: geo.Affine{lonDeg - side/2, side, 0, latDeg + side/2, 0, -side}, Width: 1, Height: 1}
}

// pixelGrid is the pixel of the view's finest raster that holds a place.
func (v *View) pixelGrid(ctx context.Context, lonDeg, latDeg float64) (raster.Grid, error) {
	full, ok, err := v.nativeGrid(ctx)
	if err != nil || !ok {
		return smallGrid(lonDeg, latDeg), err
	}
	xs, ys := []float64{lonDeg}, []float64{latDeg}
	inverse, invertible := full.Transform.Invert()
	if err := raster.Project(geo.WGS84, full.CRS, xs, ys); err != nil || !invertible {
		return smallGrid(lonDeg, latDeg), err
	}
	column, row := inverse.Apply(xs[0], ys[0])
	if !(math.Abs(column) < math.MaxInt32 && math.Abs(row) < math.MaxInt32) { // it is nowhere in that system
		return smallGrid(lonDeg, latDeg), nil
	}
	full.Transform[0], full.Transform[3] = full.Transform.Apply(math.Floor(column), math.Floor(row))
	full.Width, full.Height = 1, 1
	return full, nil
}

// pixel returns the stored value at a place, NaN where there is none.
func (v *View) pixel(ctx context.Context, in ref, lonDeg, latDeg float64) (float32, error) {
	c, release, err := v.renderer.cog(ctx, in.asset.Object)
	if err != nil {
		return 0, err
	}
	defer release()
	values, err := v.renderer.reader.Point(ctx, v.masked(c, in.asset), lonDeg, latDeg, []int{in.band.Number})
	if err != nil {
		return 0, fmt.Errorf("tiles: asset %s of %s/%s: %w", in.asset.Key, v.item.Collection, v.item.ID, err)
	}
	return values[0], nil
}

// known is nil for what JSON can't write.
func known(v float32) *float32 {
	if isNaN(v) || math.IsInf(float64(v), 0) {
		return nil
	}
	return &v
}
