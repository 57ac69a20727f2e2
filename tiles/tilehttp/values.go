package tilehttp

import (
	"math"
	"strconv"
	"strings"

	"swath/fault"
	"swath/geo"
	"swath/tiles"
)

// system reads a coordinate system: EPSG:32631, a number, or OGC's address of one.
func (q query) system(name string, otherwise geo.EPSG) (geo.EPSG, error) {
	text := q.one(name)
	if text == "" {
		return otherwise, nil
	}
	upper := strings.ToUpper(text)
	if strings.HasSuffix(upper, "CRS84") && len(upper) < 60 {
		return geo.WGS84, nil
	}
	digits := upper[strings.LastIndexAny(upper, ":/")+1:]
	code, err := strconv.ParseUint(digits, 10, 24)
	if err != nil || code == 0 || digits != upper && !strings.Contains(upper, "EPSG") {
		return 0, fault.New(fault.Invalid, "%s %.60q is not a coordinate system such as EPSG:32631", name, text)
	}
	return geo.EPSG(code), nil
}

// size reads width, height and max_size.
func (q query) size() (s tiles.Size, err error) {
	for name, to := range map[string]*int{"width": &s.WidthPx, "height": &s.HeightPx, "max_size": &s.MaxPx} {
		if *to, err = q.whole(name); err != nil {
			return s, err
		}
	}
	if s.WidthPx > 0 || s.HeightPx > 0 {
		s.MaxPx = 0
	}
	return s, nil
}

// statistics reads what is to be counted.
func (q query) statistics() (o tiles.StatisticsOptions, err error) {
	if o.Categorical, err = q.flag("categorical", false); err != nil {
		return o, err
	}
	for name, to := range map[string]*[]float64{"c": &o.Categories, "p": &o.Percentiles} {
		if *to, err = q.numbers(name); err != nil {
			return o, err
		}
	}
	bins, err := q.numbers("histogram_bins")
	if err != nil {
		return o, err
	}
	if len(bins) == 1 {
		if o.Bins = int(bins[0]); o.Bins < 1 || float64(o.Bins) != bins[0] {
			return o, fault.New(fault.Invalid, "histogram_bins %g is not a whole number from 1", bins[0])
		}
	} else {
		o.Edges = bins
	}
	limits, err := q.numbers("histogram_range")
	if err == nil && len(limits) != 0 && len(limits) != 2 {
		err = fault.New(fault.Invalid, "histogram_range is min,max")
	}
	if len(limits) == 2 {
		o.Range = &[2]float64{limits[0], limits[1]}
	}
	return o, err
}

// numbers reads a list, in one value with commas or repeated.
func (q query) numbers(name string) ([]float64, error) {
	var list []float64
	for _, values := range q[name] {
		for text := range strings.SplitSeq(values, ",") {
			v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fault.New(fault.Invalid, "%s: %.60q is not a number", name, text)
			}
			list = append(list, v)
		}
	}
	return list, nil
}
