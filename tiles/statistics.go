package tiles

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// StatisticsOptions say what is counted; the names are TiTiler's.
type StatisticsOptions struct {
	Categorical bool        // the histogram counts single values instead of ranges
	Categories  []float64   // which values (c); none: all that occur
	Percentiles []float64   // (p) 2 and 98 when empty
	Bins        int         // of the histogram, of equal width; 10 when 0
	Edges       []float64   // of the histogram's bins, instead of Bins
	Range       *[2]float64 // of the histogram; the values' own when nil
}

// Bounds of what statistics count.
const (
	mostBins        = 4096
	mostPercentiles = 100
)

func (o StatisticsOptions) check() error {
	rising := slices.IsSortedFunc(o.Edges, cmp.Compare[float64])
	switch {
	case o.Bins < 0 || o.Bins > mostBins || len(o.Edges) > mostBins || len(o.Edges) == 1 || !rising:
		return fault.New(fault.Invalid, "histogram_bins: 1 to %d bins, or their edges in rising order", mostBins)
	case o.Range != nil && !(o.Range[0] < o.Range[1] && !math.IsInf(o.Range[1]-o.Range[0], 0)):
		return fault.New(fault.Invalid, "histogram_range %g,%g: it goes from a lower to a higher number", o.Range[0], o.Range[1])
	case len(o.Percentiles) > mostPercentiles || len(o.Categories) > mostBins:
		return fault.New(fault.Invalid, "at most %d percentiles and %d categories are taken", mostPercentiles, mostBins)
	}
	for _, p := range o.Percentiles {
		if !(p >= 0 && p <= 100) {
			return fault.New(fault.Invalid, "percentile %g is not between 0 and 100", p)
		}
	}
	return nil
}

// BandStatistics are those of one plane, with TiTiler's names and rules: count, sum, mean, std, median and percentiles weigh each
// pixel by how much of it is covered, everything else counts it whole.
type BandStatistics struct {
	Min, Max, Mean, Count, Sum, Std, Median, Majority, Minority, Unique float64
	Histogram                                                           [2][]float64 // counts, then edges or values
	ValidPercent, MaskedPixels, ValidPixels                             float64
	Percentiles                                                         map[string]float64 // "percentile_2"
}

// MarshalJSON writes what is not a number as null.
func (b BandStatistics) MarshalJSON() ([]byte, error) {
	out := map[string]any{"histogram": b.Histogram}
	for name, v := range map[string]float64{"min": b.Min, "max": b.Max, "mean": b.Mean, "count": b.Count, "sum": b.Sum, "std": b.Std, "median": b.Median,
		"majority": b.Majority, "minority": b.Minority, "unique": b.Unique, "valid_percent": b.ValidPercent, "masked_pixels": b.MaskedPixels, "valid_pixels": b.ValidPixels} {
		out[name] = orNull(v)
	}
	for name, v := range b.Percentiles {
		out[name] = orNull(v)
	}
	return json.Marshal(out)
}

func orNull(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}

// Statistics returns those of each plane of a frame, by its name.
func (v *View) Statistics(ctx context.Context, frame Frame, o StatisticsOptions) (map[string]BandStatistics, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := v.affordable(frame); err != nil {
		return nil, err
	}
	leave, err := v.renderer.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	planes, err := v.planes(ctx, frame.Grid, nil)
	if err != nil {
		return nil, err
	}
	var share []float32
	if frame.Area != nil {
		share = frame.Area.cover(frame.Grid)
	}
	out := make(map[string]BandStatistics, len(planes))
	for i, plane := range planes {
		out[v.outputs[i]] = statisticsOf(plane, share, o)
	}
	return out, ctx.Err()
}

// statisticsOf counts a plane; share is how much of each pixel counts, nil for all.
func statisticsOf(plane, share []float32, o StatisticsOptions) BandStatistics {
	all, covered := tallied(plane, share)
	pixels := 0
	for _, t := range all {
		pixels += t.pixels
	}
	nan := math.NaN()
	s := BandStatistics{Min: nan, Max: nan, Mean: nan, Std: nan, Median: nan, Majority: nan, Minority: nan,
		ValidPixels: float64(pixels), MaskedPixels: float64(len(plane) - pixels), Unique: float64(len(all)), Percentiles: map[string]float64{}}
	if covered > 0 {
		s.ValidPercent = math.Round(math.Min(s.ValidPixels/float64(covered), 1)*1e4) / 100
	}
	wanted := o.Percentiles
	if len(wanted) == 0 {
		wanted = []float64{2, 98}
	}
	if len(all) > 0 {
		s.weigh(all)
	}
	quantile := quantiles(all)
	s.Median = quantile(0.5)
	for _, p := range wanted {
		s.Percentiles["percentile_"+strconv.Itoa(int(p))] = quantile(p / 100)
	}
	if o.Categorical {
		s.Histogram = categories(all, o.Categories)
	} else {
		s.Histogram = histogram(all, o)
	}
	return s
}

// weigh sets what follows from rising tallies without more being asked: extremes, sums, and the first of the most and least frequent.
func (s *BandStatistics) weigh(all []valueCount) {
	most, least := all[0], all[0]
	for _, t := range all {
		s.Count += t.weight
		s.Sum += t.weight * float64(t.value)
		if t.pixels > most.pixels {
			most = t
		}
		if t.pixels < least.pixels {
			least = t
		}
	}
	s.Min, s.Max, s.Majority, s.Minority = float64(all[0].value), float64(all[len(all)-1].value), float64(most.value), float64(least.value)
	s.Mean = s.Sum / s.Count
	variance := 0.0
	for _, t := range all {
		d := float64(t.value) - s.Mean
		variance += t.weight * d * d
	}
	s.Std = math.Sqrt(variance / s.Count)
}

// quantiles returns the function that finds the first of rising tallies up to which a share of the weight lies.
func quantiles(all []valueCount) func(share float64) float64 {
	sums := make([]float64, len(all))
	total := 0.0
	for i, t := range all {
		total += t.weight
		sums[i] = total
	}
	return func(share float64) float64 {
		if len(all) == 0 {
			return math.NaN()
		}
		i, _ := slices.BinarySearch(sums, share*total)
		return float64(all[min(i, len(all)-1)].value)
	}
}

// categories counts single values.
func categories(all []valueCount, wanted []float64) [2][]float64 {
	counts, values := make([]float64, len(all)), make([]float64, len(all))
	for i, t := range all {
		counts[i], values[i] = float64(t.pixels), float64(t.value)
	}
	if len(wanted) == 0 {
		return [2][]float64{counts, values}
	}
	found := make([]float64, len(wanted))
	for i, w := range wanted {
		if at, ok := slices.BinarySearch(values, w); ok {
			found[i] = counts[at]
		}
	}
	return [2][]float64{found, wanted}
}

// histogram counts rising values in bins that are closed below and open above, the last closed at both ends (numpy's rule).
func histogram(all []valueCount, o StatisticsOptions) [2][]float64 {
	edges := o.Edges
	if len(edges) == 0 {
		low, high := 0.0, 1.0
		if o.Range != nil {
			low, high = o.Range[0], o.Range[1]
		} else if len(all) > 0 {
			low, high = float64(all[0].value), float64(all[len(all)-1].value)
		}
		if low == high {
			low, high = low-0.5, high+0.5
		}
		n := o.Bins
		if n == 0 {
			n = 10
		}
		edges = make([]float64, n+1)
		for i := range edges {
			edges[i] = low + (high-low)*float64(i)/float64(n)
		}
		edges[n] = high
	}
	counts := make([]float64, len(edges)-1)
	bin, last := 0, len(counts)-1
	for _, t := range all {
		value := float64(t.value)
		if value < edges[0] || value > edges[last+1] {
			continue
		}
		for bin < last && value >= edges[bin+1] {
			bin++
		}
		counts[bin] += float64(t.pixels)
	}
	return [2][]float64{counts, edges}
}

// StatisticsFrame is the frame of the whole item on the grid of the view's finest raster, its longer side at most size.MaxPx
// pixels (0: 1024); on the web map where that raster's system has no code.
func (v *View) StatisticsFrame(ctx context.Context, size Size) (Frame, error) {
	frame, err := v.PreviewFrame(ctx, size, 0)
	frame.Grid.Repeats = false // to count a pixel twice says nothing
	return frame, err
}

// inSize is the same place in the number of pixels that a size says; it is never made finer by MaxPx.
func inSize(g raster.Grid, size Size) raster.Grid {
	switch {
	case size.WidthPx > 0 || size.HeightPx > 0:
		scaled := gridOver(geo.Box{MaxX: float64(g.Width), MaxY: float64(g.Height)}, 0, size)
		return resized(g, scaled.Width, scaled.Height)
	case size.MaxPx > 0 && max(g.Width, g.Height) > size.MaxPx:
		shrink := float64(size.MaxPx) / float64(max(g.Width, g.Height))
		return resized(g, int(math.Ceil(float64(g.Width)*shrink)), int(math.Ceil(float64(g.Height)*shrink)))
	}
	return g
}

// resized is the same place in another number of pixels.
func resized(g raster.Grid, width, height int) raster.Grid {
	g.Transform[1] *= float64(g.Width) / float64(width)
	g.Transform[5] *= float64(g.Height) / float64(height)
	g.Width, g.Height = width, height
	return g
}

// wholePixels is the part of a grid, which may go on beyond it, that a box of the same system touches.
func wholePixels(g raster.Grid, b geo.Box) (raster.Grid, error) {
	inverse, _ := g.Transform.Invert()
	c0, r0 := inverse.Apply(b.MinX, b.MaxY)
	c1, r1 := inverse.Apply(b.MaxX, b.MinY)
	left, top := math.Floor(math.Min(c0, c1)), math.Floor(math.Min(r0, r1))
	right, bottom := math.Max(left+1, math.Ceil(math.Max(c0, c1))), math.Max(top+1, math.Ceil(math.Max(r0, r1)))
	if !(right-left <= math.MaxInt32 && bottom-top <= math.MaxInt32) {
		return g, fault.New(fault.TooLarge, "the area spans %.0f x %.0f pixels", right-left, bottom-top)
	}
	g.Transform[0], g.Transform[3] = g.Transform.Apply(left, top)
	g.Width, g.Height = int(right-left), int(bottom-top)
	return g, nil
}

// nativeGrid returns the full resolution grid of the finest raster of the view; false when no code and straight axes place it.
func (v *View) nativeGrid(ctx context.Context) (grid raster.Grid, ok bool, err error) {
	for asset := range v.byAsset() {
		c, release, err := v.renderer.cog(ctx, asset.Object)
		if err != nil {
			return grid, false, err
		}
		if c.CRS != 0 && len(c.GCPs) == 0 && c.Transform[2] == 0 && c.Transform[4] == 0 && (!ok || c.Transform[1] < grid.Transform[1]) {
			grid, ok = raster.Grid{CRS: c.CRS, Transform: c.Transform, Width: c.Levels[0].Width, Height: c.Levels[0].Height}, true
		}
		release()
	}
	return grid, ok, nil
}

// ZonalFrame is the frame of a GeoJSON feature for statistics: whole pixels of the view's finest raster, unless another system
// (not 0) is asked for.
func (v *View) ZonalFrame(ctx context.Context, body []byte, coords, system geo.EPSG, size Size) (Frame, error) {
	area, err := ParseArea(body, coords)
	if err != nil {
		return Frame{}, err
	}
	return v.zonalFrame(ctx, area, coords, system, size)
}

func (v *View) zonalFrame(ctx context.Context, area *Area, coords, system geo.EPSG, size Size) (Frame, error) {
	full, ok, err := v.nativeGrid(ctx)
	if err != nil {
		return Frame{}, err
	}
	if system != 0 && system != full.CRS || !ok {
		if system == 0 {
			system = geo.WebMercator
		}
		return v.areaFrame(ctx, area, coords, system, size)
	}
	if err := size.check(); err != nil {
		return Frame{}, err
	}
	if area, err = area.project(coords, full.CRS); err != nil {
		return Frame{}, err
	}
	grid, err := wholePixels(full, area.bounds())
	if err != nil {
		return Frame{}, err
	}
	frame := Frame{Grid: inSize(grid, size), Area: area}
	if err := v.affordable(frame); err != nil {
		return Frame{}, fmt.Errorf("tiles: zone: %w", err)
	}
	return frame, nil
}
