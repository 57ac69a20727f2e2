package tiles

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// maskable says, by the asset that classifies pixels, what can be hidden and how it is found: values of its one band, or the
// bands that flag it.
var maskable = []struct {
	asset  string
	values map[string][]float32 // of band 1
	flags  map[string][]int     // bands
}{
	{asset: "SCL", values: map[string][]float32{"clouds": {8, 9, 10}, "shadows": {3}, "snow": {11}, "water": {6}}}, // Sentinel-2 L2A scene classes
	{asset: "CLASSI", flags: map[string][]int{"clouds": {1, 2}, "snow": {3}}},                                      // Sentinel-2 L1C: opaque, cirrus, snow
}

// mostMaskBufferM is the widest surrounding that can be hidden too, in metres.
const mostMaskBufferM = 5000

// masking is what a view hides.
type masking struct {
	asset   *Asset
	bands   []int
	values  []float32 // of the one band; nil: any band that is not 0
	bufferM float64   // of ground around what is hidden
}

// masking finds how the item tells what is to be hidden; nil when nothing is.
func (d *Description) masking(classes []string, bufferM float64) (*masking, error) {
	if len(classes) == 0 {
		if bufferM != 0 {
			return nil, fault.New(fault.Invalid, "mask_buffer widens a mask: say which, as in mask=clouds,shadows")
		}
		return nil, nil
	}
	if !(bufferM >= 0 && bufferM <= mostMaskBufferM) {
		return nil, fault.New(fault.Invalid, "mask_buffer %g: 0 to %d metres", bufferM, mostMaskBufferM)
	}
	for i := range maskable {
		kind := &maskable[i]
		at := slices.IndexFunc(d.Assets, func(a Asset) bool { return strings.EqualFold(a.Key, kind.asset) })
		if at < 0 {
			continue
		}
		m := &masking{asset: &d.Assets[at], bufferM: bufferM}
		for _, class := range classes {
			values, bands := kind.values[class], kind.flags[class]
			if values == nil && bands == nil {
				return nil, fault.New(fault.Invalid, "mask %.60q: asset %s of item %q does not tell it", class, m.asset.Key, d.ID)
			}
			m.values, m.bands = append(m.values, values...), append(m.bands, bands...)
		}
		if kind.values != nil {
			m.bands = []int{1}
		}
		slices.Sort(m.bands)
		m.bands = slices.Compact(m.bands)
		if last := m.bands[len(m.bands)-1]; last > len(m.asset.Bands) {
			return nil, fault.New(fault.Invalid, "mask: asset %s of item %q has %d bands, band %d is needed", m.asset.Key, d.ID, len(m.asset.Bands), last)
		}
		return m, nil
	}
	return nil, fault.New(fault.Invalid, "mask: item %q has neither scene classes (SCL) nor a cloud mask (CLASSI)", d.ID)
}

// digest names all that decides what is hidden.
func (m *masking) digest() string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%q %q %v %v %g", m.asset.Object, m.asset.Checksum, m.bands, m.values, m.bufferM)
}

// hide takes away the values of a grid that the view's mask covers.
func (v *View) hide(ctx context.Context, grid raster.Grid, planes [][]float32) error {
	if v.mask == nil {
		return nil
	}
	hidden, err := v.hidden(ctx, grid)
	if err != nil {
		return err
	}
	nan := float32(math.NaN())
	for i, h := range hidden {
		if h {
			for _, plane := range planes {
				plane[i] = nan
			}
		}
	}
	return nil
}

// hidden returns which pixels of a grid the mask covers.
func (v *View) hidden(ctx context.Context, grid raster.Grid) ([]bool, error) {
	if v.mask.bufferM == 0 {
		return v.classified(ctx, grid)
	}
	xM, yM, err := groundPixelM(grid)
	if err != nil || math.IsNaN(xM) || math.IsNaN(yM) {
		return make([]bool, grid.Width*grid.Height), err
	}
	// Where pixels are finer than any classification, the surroundings are found on coarser ones. Their side is a power of two
	// of pixels, so that those of neighbouring tiles fit together.
	const finestM = 10
	coarse := 1
	for coarse < 256 && math.Min(xM, yM)*float64(2*coarse) <= finestM {
		coarse *= 2
	}
	xM, yM = xM*float64(coarse), yM*float64(coarse)
	beyond := int(math.Ceil(v.mask.bufferM/math.Min(xM, yM))) + 1
	wide := grid
	c := float64(coarse)
	wide.Width, wide.Height = (grid.Width+coarse-1)/coarse+2*beyond, (grid.Height+coarse-1)/coarse+2*beyond
	wide.Transform[0], wide.Transform[3] = grid.Transform.Apply(-c*float64(beyond), -c*float64(beyond))
	for _, i := range []int{1, 2, 4, 5} {
		wide.Transform[i] *= c
	}
	found, err := v.classified(ctx, wide)
	if err != nil {
		return nil, err
	}
	near := grow(found, wide.Width, wide.Height, xM, yM, v.mask.bufferM)
	out := make([]bool, grid.Width*grid.Height)
	for y := range grid.Height {
		row := near[(y/coarse+beyond)*wide.Width+beyond:]
		for x := range grid.Width {
			out[y*grid.Width+x] = row[x/coarse]
		}
	}
	return out, nil
}

// classified returns which pixels the classification itself says are to be hidden.
func (v *View) classified(ctx context.Context, grid raster.Grid) ([]bool, error) {
	c, release, err := v.renderer.cog(ctx, v.mask.asset.Object)
	if err != nil {
		return nil, err
	}
	defer release()
	bands, err := v.renderer.reader.Warp(ctx, c, grid, v.mask.bands, raster.Nearest)
	if err != nil {
		return nil, fmt.Errorf("tiles: mask %s of %s/%s: %w", v.mask.asset.Key, v.item.Collection, v.item.ID, err)
	}
	out := make([]bool, grid.Width*grid.Height)
	for _, band := range bands {
		for i, value := range band {
			if v.mask.values == nil {
				out[i] = out[i] || value > 0
			} else {
				out[i] = slices.Contains(v.mask.values, value)
			}
		}
	}
	return out, nil
}

// groundPixelM returns the width and height on the ground of the pixel in the middle of a grid; NaN where it has no place.
func groundPixelM(g raster.Grid) (xM, yM float64, err error) {
	column, row := float64(g.Width)/2, float64(g.Height)/2
	var xs, ys [3]float64
	for i, at := range [3][2]float64{{column, row}, {column + 1, row}, {column, row + 1}} {
		xs[i], ys[i] = g.Transform.Apply(at[0], at[1])
	}
	if err := raster.Project(g.CRS, geo.WGS84, xs[:], ys[:]); err != nil {
		return 0, 0, err
	}
	const degreeM = 111_320
	length := func(i int) float64 {
		return degreeM * math.Hypot(geo.WrapLon(xs[i]-xs[0])*math.Cos(ys[0]*math.Pi/180), ys[i]-ys[0])
	}
	return length(1), length(2), nil
}

// grow returns the pixels whose centres lie within a distance of one that is set: the exact distance transform of Felzenszwalb
// and Huttenlocher (2012), first down the columns, then along the rows as the lower envelope of parabolas.
func grow(set []bool, width, height int, xM, yM, reachM float64) []bool {
	far := math.Inf(1)
	down := make([]float64, width*height) // squared distance in the column, in columns' width
	for x := range width {
		for _, upwards := range []bool{false, true} {
			distance := far
			for i := range height {
				y := i
				if upwards {
					y = height - 1 - i
				}
				at := y*width + x
				if distance += yM; set[at] {
					distance = 0
				}
				if squared := distance * distance / (xM * xM); !upwards || squared < down[at] {
					down[at] = squared
				}
			}
		}
	}
	out := make([]bool, width*height)
	apex, from := make([]int, width), make([]float64, width+1)
	most := reachM * reachM / (xM * xM)
	for y := range height {
		f := down[y*width : (y+1)*width]
		n := 0
		for q := range width {
			if math.IsInf(f[q], 1) {
				continue
			}
			start := math.Inf(-1)
			for n > 0 {
				p := apex[n-1]
				start = (f[q] + float64(q*q) - f[p] - float64(p*p)) / float64(2*(q-p))
				if start > from[n-1] {
					break
				}
				n--
				start = math.Inf(-1)
			}
			apex[n], from[n] = q, start
			n++
		}
		for x, k := 0, 0; x < width && n > 0; x++ {
			for k+1 < n && from[k+1] < float64(x) {
				k++
			}
			d := float64(x - apex[k])
			out[y*width+x] = d*d+f[apex[k]] <= most
		}
	}
	return out
}
