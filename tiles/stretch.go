package tiles

import (
	"context"
	"strings"

	"swath/render"
)

// reflectanceTo is the brightest reflectance of a default stretch: vegetation, soil and towns lie below, clouds above.
const reflectanceTo = 0.3

// stretch returns the limits of each plane. Where the request gives none: 0..255 for bytes, 0..0.3 for reflectances, the
// item's own statistics, also of what an algorithm picks between such bands; else the 2 % to 98 % range of the whole item, taken once from its overviews, so that all tiles of
// an item are stretched alike.
func (v *View) stretch(ctx context.Context) ([][2]float64, error) {
	limits := make([][2]float64, len(v.outputs))
	if v.shares != nil {
		return v.measured(ctx)
	}
	if len(v.rescale) > 0 {
		for i := range limits {
			limits[i] = v.rescale[min(i, len(v.rescale)-1)]
		}
		return limits, nil
	}
	if v.expression != nil || v.algorithm != nil && !v.algorithm.Between() {
		return v.measured(ctx)
	}
	for i, in := range v.inputs {
		own, known := v.expected(in)
		switch at := min(i, len(limits)-1); {
		case !known:
			return v.measured(ctx)
		case at < i: // of an algorithm that makes one plane of several
			limits[at] = [2]float64{min(limits[at][0], own[0]), max(limits[at][1], own[1])}
		default:
			limits[at] = own
		}
	}
	return limits, nil
}

// expected returns the limits of a band that follow from what the item says of it.
func (v *View) expected(in ref) ([2]float64, bool) {
	b := in.band
	scaled := !v.stored && (b.Scale != 1 || b.Offset != 0)
	switch {
	case in.asset.DataType == "uint8" && !scaled:
		return [2]float64{0, 255}, true
	case in.asset.reflectance() && scaled:
		return [2]float64{0, reflectanceTo}, true
	case b.Min != nil && *b.Min < *b.Max:
		lo, hi := float64(v.value(b, float32(*b.Min))), float64(v.value(b, float32(*b.Max)))
		return [2]float64{min(lo, hi), max(lo, hi)}, true
	}
	return [2]float64{}, false
}

// reflectance reports whether the asset says that its values are reflectances.
func (a *Asset) reflectance() bool {
	for _, role := range a.Roles {
		if strings.EqualFold(role, "reflectance") {
			return true
		}
	}
	for _, b := range a.Bands {
		if b.CommonName != "" {
			return true
		}
	}
	return false
}

// measured takes the limits from a small picture of the whole item.
func (v *View) measured(ctx context.Context) ([][2]float64, error) {
	limits, release, err := v.renderer.stretches.get(ctx, v.key, func(ctx context.Context) ([][2]float64, error) {
		planes, err := v.planes(ctx, v.overview(stretchSide), nil)
		if err != nil {
			return nil, err
		}
		limits := make([][2]float64, len(planes))
		shares := [2]float64{0.02, 0.98}
		if v.shares != nil {
			shares = *v.shares
		}
		for i, plane := range planes {
			limits[i] = [2]float64{0, 1}
			if p, ok := percentiles(plane, shares[0], shares[1]); ok && p[0] < p[1] {
				limits[i] = [2]float64{p[0], p[1]}
			} else if ok {
				limits[i] = [2]float64{p[0] - 0.5, p[0] + 0.5}
			}
		}
		return limits, nil
	})
	if err != nil {
		return nil, err
	}
	release()
	return limits, nil
}

// unstretched reports that colours are asked for by value, and not of the levels of a stretch.
func (v *View) unstretched() bool {
	return v.colormap.Classed() && v.shares == nil && len(v.rescale) == 0 && v.formula == nil
}

func (v *View) style(ctx context.Context) (render.Style, error) {
	if v.unstretched() {
		return render.Style{Formula: v.formula, Colormap: v.colormap}, nil
	}
	limits, err := v.stretch(ctx)
	return render.Style{Rescale: limits, Formula: v.formula, Colormap: v.colormap}, err
}
