package s1tiling

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"swath/chains"
	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// join writes files of one band each as one of several.
func join(ctx context.Context, d date, files []string) error {
	var in []*strips
	defer func() {
		for _, s := range in {
			s.close()
		}
	}()
	for _, f := range files {
		s, err := openStrips(ctx, f, 0)
		if err != nil {
			return err
		}
		in = append(in, s)
	}
	g := d.tags()
	g.Grid = in[0].grid()
	w, err := raster.NewCOGWriter(d.path, g, raster.COGOptions{Fast: true})
	if err != nil {
		return err
	}
	defer w.Discard()
	buffers := make([][][]float32, len(in))
	for row := 0; row < g.Height; {
		var planes [][]float32
		for i, s := range in {
			bands, err := s.read(ctx, &buffers[i])
			if err != nil {
				return err
			}
			planes = append(planes, bands[0].own())
		}
		if err := w.Add(planes...); err != nil {
			return err
		}
		row += len(planes[0]) / g.Width
	}
	return w.Close()
}

// filter adds new dates to the state of their series, and filters the dates of this run.
func (r *run) filter(ctx context.Context, states map[series]*state) error {
	bySeries := map[series][]date{}
	for _, d := range r.dates {
		bySeries[d.series] = append(bySeries[d.series], d)
	}
	keys := slices.SortedFunc(maps.Keys(bySeries), func(a, b series) int { return strings.Compare(a.String(), b.String()) })
	for st := range states {
		if bySeries[st] == nil {
			r.warn("state of %s: no date of this run belongs to it", st)
		}
	}
	for i, key := range keys {
		dates := bySeries[key]
		slices.SortFunc(dates, func(a, b date) int { return strings.Compare(a.day+a.unit, b.day+b.unit) })
		for k := 1; k < len(dates); k++ {
			if dates[k].name() == dates[k-1].name() {
				return fault.New(fault.Invalid, "image: %s is given twice", dates[k].name())
			}
		}
		if err := r.one(ctx, key, states[key], dates, func(share float64) {
			r.progress(int64(1000*(1+(float64(i)+share)/float64(len(keys)))), 2000)
		}); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// one filters one series.
func (r *run) one(ctx context.Context, key series, before *state, dates []date, tell func(share float64)) error {
	looks, from, err := looksFor(ctx, before, dates)
	if err != nil {
		return err
	}
	f := Filter{Window: r.in.Window, Looks: looks, Guard: r.in.Guard}
	fresh := 0
	versions := map[string]bool{}
	for i, d := range dates {
		if d.version != "" {
			versions[d.version] = true
		}
		if before == nil || !slices.Contains(before.Dates, d.name()) {
			dates[i].fresh = true
			fresh++
		} else if d.item != nil {
			r.warn("%s is in the state already, and is not added twice", d.name())
		}
	}
	if len(versions) > 1 {
		r.warn("%s: dates of processor versions %s: values may step between them", key, strings.Join(slices.Sorted(maps.Keys(versions)), ", "))
	}
	st, result, err := r.passes(ctx, f, key, before, dates, fresh, tell)
	if err != nil {
		return err
	}
	row := map[string]any{"series": key, "dates": st.Dates, "added": fresh, "window": f.Window, "looks": looks, "looks_from": from}
	r.rows = append(r.rows, row)
	switch n := len(st.Dates); {
	case n < tooFewDates:
		r.warn("%s: %d dates are too few to be filtered", key, n)
	case n < fewDates:
		r.warn("%s: %d dates; the filter wants %d or more", key, n, fewDates)
	}
	var list []map[string]any
	for i, d := range dates {
		about := map[string]any{"name": d.name()}
		if result != nil {
			about["looks_before"], about["looks_after"] = result[i].Before, result[i].After
		}
		list = append(list, about)
		if d.item == nil && d.filtered == "" {
			continue // an image of before, and nothing was made of it
		}
		item, err := r.item(ctx, d, about, len(st.Dates))
		if err != nil {
			return err
		}
		r.out.Items = append(r.out.Items, chains.Item(item))
	}
	row["filtered"] = list
	return nil
}

// looksFor returns the equivalent number of looks of single dates that the guard goes by, and where it comes from: what the state was made with,
// else the least of the products', else an estimate of the first image.
func looksFor(ctx context.Context, before *state, dates []date) (looks float64, from string, err error) {
	if before != nil && before.Looks > 0 {
		return before.Looks, "state", nil
	}
	looks = math.Inf(1)
	for _, d := range dates {
		properties, _ := d.item["properties"].(map[string]any)
		if v, ok := properties["sar:looks_equivalent_number"].(float64); ok && v > 0 {
			looks = min(looks, v)
		}
	}
	if !math.IsInf(looks, 1) {
		return looks, "product", nil
	}
	s, err := openStrips(ctx, dates[0].path, 0)
	if err != nil {
		return 0, "", err
	}
	defer s.close()
	histogram := make([]int, looksClasses)
	var buffer [][]float32
	for {
		bands, err := s.read(ctx, &buffer)
		if err != nil {
			return 0, "", err
		}
		if bands == nil {
			break
		}
		looksOf(bands[0].own(), bands[0].width, histogram)
	}
	if looks = mode(histogram); looks < 1 { // nothing flat was measured
		return defaultLooks, "assumed", nil
	}
	return looks, "estimated from " + dates[0].name(), nil
}

// passes adds the dates that are fresh to the state, and filters all of them when there are enough. Few are read once for both, many twice.
func (r *run) passes(ctx context.Context, f Filter, key series, before *state, dates []date, fresh int, tell func(share float64)) (st *state, result []looks, err error) {
	st = before
	if fresh > 0 {
		dir := filepath.Join(r.ws.Out, "S1-L1-ORTHO", key.Tile)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, nil, err
		}
		st = before.with(filepath.Join(dir, "state_"+key.String()+".tif"), key, f, dates)
		r.out.State = append(r.out.State, chains.File(st.path))
	}
	enough := len(st.Dates) >= tooFewDates
	for i := range dates {
		if !enough {
			break
		}
		dir := filepath.Join(r.ws.Out, dates[i].folder())
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, nil, err
		}
		dates[i].filtered = filepath.Join(dir, dates[i].name()+"_filtered.tif")
	}
	p := pass{Filter: f, threads: r.ws.Threads}
	var list []pass
	if fresh > 0 && (len(dates) > sideBySide || !enough) {
		adds := p
		adds.before, adds.after, adds.dates = before, st, slices.DeleteFunc(slices.Clone(dates), func(d date) bool { return !d.fresh })
		list = append(list, adds)
		before, fresh = st, 0
	}
	for part := range slices.Chunk(dates, sideBySide) {
		if !enough {
			break
		}
		filters := p
		filters.before, filters.dates, filters.filters = before, part, true
		if fresh > 0 {
			filters.after = st
		}
		list = append(list, filters)
	}
	for i := range list {
		list[i].tick = func(share float64) { tell((float64(i) + share) / float64(len(list))) }
		more, err := list[i].run(ctx)
		if err != nil {
			return nil, nil, err
		}
		if list[i].filters {
			result = append(result, more...)
		}
	}
	return st, result, nil
}

// item writes the STAC item of a date beside its files.
func (r *run) item(ctx context.Context, d date, about map[string]any, dates int) (string, error) {
	item := d.item
	id := d.name()
	if item == nil {
		id += "_filtered"
		var err error
		if item, err = d.plain(ctx); err != nil {
			return "", err
		}
	}
	properties, _ := item["properties"].(map[string]any)
	maps.DeleteFunc(properties, func(k string, _ any) bool { return strings.HasPrefix(k, "s1ortho:") })
	properties["processing:software"] = map[string]any{"swath s1tiling": Version}
	properties["s1tiling:dates"], properties["s1tiling:window"] = dates, r.in.Window
	if v, ok := about["looks_after"]; ok {
		properties["s1tiling:looks_before"], properties["s1tiling:looks_after"] = about["looks_before"], v
	}
	assets := map[string]any{}
	add := func(key, path, title string) {
		var bands []map[string]any
		for _, b := range d.bands() {
			bands = append(bands, map[string]any{"name": b, "data_type": "float32", "nodata": "nan", "unit": "1"})
		}
		assets[key] = map[string]any{"href": filepath.Base(path), "type": "image/tiff; application=geotiff; profile=cloud-optimized", "roles": []string{"data"}, "title": title, "bands": bands}
	}
	if d.item != nil {
		add("data", d.path, "Calibrated")
	}
	if d.filtered != "" {
		add("filtered", d.filtered, "Speckle filtered over time")
	}
	links := []any{map[string]any{"rel": "collection", "href": "../../s1-tiling", "type": "application/json"}}
	if before, ok := item["links"].([]any); ok { // of the orthorectified tile
		links = append(links, before[1:]...)
	}
	item["id"], item["collection"], item["assets"], item["links"] = id, "s1-tiling", assets, links
	path := filepath.Join(r.ws.Out, d.folder(), id+".json")
	return path, writeJSON(path, item)
}

// plain is the item of an image of which nothing is known but itself.
func (d date) plain(ctx context.Context) (map[string]any, error) {
	rings, err := raster.ValidFootprint(ctx, d.path, nil)
	if err != nil {
		return nil, err
	}
	var shape geo.MultiPolygon
	for _, ring := range rings {
		shape = append(shape, geo.SplitAntimeridian(ring)...)
	}
	b := shape.Bounds()
	day, err := time.Parse("20060102", d.day)
	if err != nil {
		return nil, fault.New(fault.Invalid, "image: %s: %q is no date", filepath.Base(d.path), d.day)
	}
	state := "ascending"
	if d.Direction == "DES" {
		state = "descending"
	}
	var orbit int
	_, _ = fmt.Sscan(strings.TrimLeft(d.Orbit, "0"), &orbit)
	about, err := raster.Inspect(d.path)
	if err != nil {
		return nil, err
	}
	t := about.Transform
	return map[string]any{
		"type": "Feature", "stac_version": "1.1.0", "geometry": map[string]any{"type": "MultiPolygon", "coordinates": shape}, "bbox": []float64{b.MinX, b.MinY, b.MaxX, b.MaxY},
		"properties": map[string]any{
			"datetime": nil, "start_datetime": day.Format(time.RFC3339), "end_datetime": day.AddDate(0, 0, 1).Add(-time.Second).Format(time.RFC3339),
			"platform": "sentinel-1" + d.unit[2:], "constellation": "sentinel-1", "instruments": []string{"c-sar"}, "sat:orbit_state": state, "sat:relative_orbit": orbit,
			"sar:product_type": "GRD", "sar:instrument_mode": cmp.Or(about.Items[modeTag], "IW"), "sar:polarizations": strings.Split(strings.ToUpper(strings.Join(d.bands(), " ")), " "),
			"grid:code": "MGRS-" + d.Tile, "proj:code": about.CRS.String(), "proj:shape": []int{about.Height, about.Width},
			"proj:transform": []float64{t[1], t[2], t[0], t[4], t[5], t[3], 0, 0, 1},
			"proj:bbox":      []float64{t[0], t[3] + float64(about.Height)*t[5], t[0] + float64(about.Width)*t[1], t[3]}, "gsd": t[1],
			"sar:frequency_band": "C", "sar:center_frequency": 5.405, "sar:observation_direction": "right", "processing:level": "L1",
		},
		"stac_extensions": []string{
			"https://stac-extensions.github.io/sar/v1.0.0/schema.json", "https://stac-extensions.github.io/sat/v1.0.0/schema.json",
			"https://stac-extensions.github.io/projection/v2.0.0/schema.json", "https://stac-extensions.github.io/grid/v1.1.0/schema.json",
			"https://stac-extensions.github.io/processing/v1.2.0/schema.json",
		},
	}, nil
}
