package s1tiling

import (
	"context"

	"golang.org/x/sync/errgroup"

	"swath/raster"
)

// sideBySide is how many dates are filtered with one reading of the state.
const sideBySide = 4

// looks are the equivalent numbers of a date, before and after, of each band.
type looks struct{ Before, After []float64 }

// write filters dates with a state, and returns what became of their looks.
func (f Filter) write(ctx context.Context, st *state, dates []date, threads int, tick func(int64)) ([]looks, error) {
	out := make([]looks, 0, len(dates))
	for first := 0; first < len(dates); first += sideBySide {
		part := dates[first:min(first+sideBySide, len(dates))]
		l, err := f.writeSome(ctx, st, part, threads, tick)
		if err != nil {
			return nil, err
		}
		out = append(out, l...)
	}
	return out, nil
}

// one is a date while it is filtered.
type one struct {
	in            *strips
	w             *raster.COGWriter
	scratch       scratch
	out           [][]float32
	before, after [][]int // histograms of looks
}

func (f Filter) writeSome(ctx context.Context, st *state, dates []date, threads int, tick func(int64)) (_ []looks, err error) {
	known, err := openStrips(ctx, st.path, f.Reach())
	if err != nil {
		return nil, err
	}
	defer known.close()
	all := make([]*one, len(dates))
	defer func() {
		for _, o := range all {
			if o != nil {
				o.in.close()
				if o.w != nil {
					o.w.Discard()
				}
			}
		}
	}()
	for i, d := range dates {
		o := &one{}
		if o.in, err = openStrips(ctx, d.path, f.Reach()); err != nil {
			return nil, err
		}
		all[i] = o
		g := d.tags()
		g.Items["FILTERED"], g.Items["FILTER_DATES"] = "true", itoa(len(st.Dates))
		l := o.in.cog.Levels[0]
		g.Grid = raster.Grid{CRS: o.in.cog.CRS, Transform: o.in.cog.Transform, Width: l.Width, Height: l.Height}
		if o.w, err = raster.NewCOGWriter(d.filtered, g, raster.COGOptions{Fast: true}); err != nil {
			return nil, err
		}
		const classes = 96
		for range g.Bands {
			o.out = append(o.out, make([]float32, (stripRows+f.Reach())*l.Width))
			o.before, o.after = append(o.before, make([]int, classes)), append(o.after, make([]int, classes))
		}
	}
	var buffer [][]float32
	for {
		have, _, err := known.read(ctx, &buffer)
		if err != nil {
			return nil, err
		}
		if have == nil {
			break
		}
		var group errgroup.Group
		group.SetLimit(max(1, threads))
		for _, o := range all {
			group.Go(func() error { return o.strip(ctx, f, have) })
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		tick(int64(len(all) * have[0].count * have[0].width))
	}
	var result []looks
	for _, o := range all {
		if err := o.w.Close(); err != nil {
			return nil, err
		}
		var l looks
		for b := range o.before {
			l.Before, l.After = append(l.Before, mode(o.before[b])), append(l.After, mode(o.after[b]))
		}
		result = append(result, l)
	}
	return result, nil
}

// strip filters the next rows of a date.
func (o *one) strip(ctx context.Context, f Filter, have []rows) error {
	bands, _, err := o.in.read(ctx, &o.scratch.buffer)
	if err != nil {
		return err
	}
	o.scratch.means(f, bands)
	part := make([][]float32, len(bands))
	for b, r := range bands {
		part[b] = o.out[b][:r.count*r.width]
		f.apply(part[b], r.own(), o.scratch.mean[b], have[2*b].own(), have[2*b+1].own())
		looksOf(r.own(), r.width, o.before[b])
		looksOf(part[b], r.width, o.after[b])
		round(part[b])
	}
	return o.w.Add(part...)
}
