package tilehttp

import (
	"math"
	"slices"
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

// assets reads the assets to draw: comma lists, or entries with TiTiler's choice of bands (data|bidx=1,2), and asset_bidx
// (data|1,2), which chooses the bands of an asset.
func (q query) assets() ([]string, error) {
	var all []string
	for _, list := range q["assets"] {
		if key, option, chosen := strings.Cut(list, "|"); chosen {
			digits, ok := strings.CutPrefix(option, "bidx=")
			if !ok {
				return nil, fault.New(fault.Invalid, "assets %.80q: of an asset only bands can be chosen, as in data|bidx=1,2", list)
			}
			bands, err := bandsOf(key, digits)
			if err != nil {
				return nil, err
			}
			all = append(all, bands...)
			continue
		}
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				all = append(all, name)
			}
		}
	}
	for _, choice := range q["asset_bidx"] {
		key, digits, ok := strings.Cut(choice, "|")
		if !ok {
			return nil, fault.New(fault.Invalid, "asset_bidx %.80q is not asset|bands, as in data|1,2", choice)
		}
		bands, err := bandsOf(key, digits)
		if err != nil {
			return nil, err
		}
		if at := slices.Index(all, key); at >= 0 {
			all = slices.Replace(all, at, at+1, bands...)
		} else {
			all = append(all, bands...)
		}
	}
	return all, nil
}

// bandsOf names bands of an asset as expressions do.
func bandsOf(key, digits string) ([]string, error) {
	var names []string
	for n := range strings.SplitSeq(digits, ",") {
		number, err := strconv.ParseUint(strings.TrimSpace(n), 10, 16)
		if err != nil || number == 0 {
			return nil, fault.New(fault.Invalid, "%.60q is not the number of a band of %.60q", n, key)
		}
		names = append(names, key+"_b"+strconv.FormatUint(number, 10))
	}
	return names, nil
}

// percentiles reads a stretch by percentiles, "2%,98%" or "p2,p98"; nil when it is none.
func percentiles(lists []string) *[2]float64 {
	if len(lists) != 1 {
		return nil
	}
	low, high, ok := strings.Cut(lists[0], ",")
	if !ok {
		return nil
	}
	var p [2]float64
	for i, text := range []string{low, high} {
		text = strings.TrimSpace(text)
		digits, percent := strings.CutSuffix(text, "%")
		if !percent {
			if digits, percent = strings.CutPrefix(text, "p"); !percent {
				return nil
			}
		}
		var err error
		if p[i], err = strconv.ParseFloat(digits, 64); err != nil {
			return nil
		}
	}
	return &p
}
