package s1tiling

import (
	"context"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"swath/fault"
	"swath/raster"
)

// sideBySide is how many dates are filtered while the state is read once.
const sideBySide = 4

// looks are the equivalent numbers of a date, before and after, of each band.
type looks struct{ Before, After []float64 }

// pass goes over the tile once, strip by strip: it adds dates to the state, filters dates with it, or does both, which reads them once.
type pass struct {
	Filter
	before  *state // nil: nothing is known yet
	after   *state // to be written, with the dates in it that are fresh; nil: the state stays as it is
	filters bool   // write the dates' filtered images
	dates   []date
	threads int
	tick    func(share float64)

	known   *strips // the state before
	buffer  [][]float32
	planes  [][]float32 // the state now, of a strip
	writer  *raster.COGWriter
	at      []*dateStrips
	scratch []scratch // of dates that are read side by side
	bands   int
	width   int
}

// dateStrips is a date on its way through a pass.
type dateStrips struct {
	date
	in            *strips
	w             *raster.COGWriter // of the filtered image
	out           [][]float32
	before, after [][]int // histograms of looks
}

// scratch is a date's strip in memory, and its means.
type scratch struct {
	buffer  [][]float32
	rows    []rows
	mean    [][]float32
	columns []columns
}

// run returns what became of the looks of filtered dates, in their order.
func (p *pass) run(ctx context.Context) ([]looks, error) {
	defer p.close()
	grid, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	for done := 0; done < grid.Height; {
		count, err := p.strip(ctx)
		if err != nil {
			return nil, err
		}
		done += count / grid.Width
		p.tick(float64(done) / float64(grid.Height))
	}
	group := p.group()
	if p.writer != nil {
		group.Go(p.writer.Close)
	}
	for _, d := range p.at {
		if d.w != nil {
			group.Go(d.w.Close)
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var result []looks
	for _, d := range p.at {
		var l looks
		for b := range d.before {
			l.Before, l.After = append(l.Before, mode(d.before[b])), append(l.After, mode(d.after[b]))
		}
		result = append(result, l)
	}
	return result, nil
}

func (p *pass) group() *errgroup.Group {
	var g errgroup.Group
	g.SetLimit(max(1, p.threads))
	return &g
}

// open opens all files, which must lie on one grid.
func (p *pass) open(ctx context.Context) (grid raster.Grid, err error) {
	for i, d := range p.dates {
		o := &dateStrips{date: d}
		if o.in, err = openStrips(ctx, d.path, p.Reach()); err != nil {
			return grid, err
		}
		p.at = append(p.at, o)
		g := o.in.grid()
		if i == 0 {
			grid, p.bands, p.width = g, len(d.bands()), g.Width
		}
		if g != grid || o.in.cog.Bands != p.bands {
			return grid, fault.New(fault.Invalid, "image: %s and %s do not lie on one grid", filepath.Base(d.path), filepath.Base(p.dates[0].path))
		}
		if !p.filters {
			continue
		}
		tags := d.tags()
		tags.Grid = grid
		tags.Items["FILTERED"], tags.Items["FILTER_DATES"] = "true", itoa(len(p.state().Dates))
		if o.w, err = raster.NewCOGWriter(d.filtered, tags, raster.COGOptions{Fast: true}); err != nil {
			return grid, err
		}
		for range p.bands {
			o.out = append(o.out, make([]float32, (stripRows+p.Reach())*p.width))
			o.before, o.after = append(o.before, make([]int, looksClasses)), append(o.after, make([]int, looksClasses))
		}
	}
	if p.before != nil {
		if p.known, err = openStrips(ctx, p.before.path, p.Reach()); err != nil {
			return grid, err
		}
		if p.known.grid() != grid || p.known.cog.Bands != 2*p.bands {
			return grid, fault.New(fault.Invalid, "state: it is of another grid than the dates")
		}
	}
	if p.after != nil {
		if p.writer, err = p.after.create(grid); err != nil {
			return grid, err
		}
	}
	n := p.threads
	if p.filters {
		n = len(p.dates)
	}
	p.scratch = make([]scratch, max(1, n))
	for i := range p.scratch {
		p.scratch[i].mean, p.scratch[i].columns = make([][]float32, p.bands), make([]columns, p.bands)
		for b := range p.bands {
			p.scratch[i].mean[b] = make([]float32, (stripRows+p.Reach())*p.width)
		}
	}
	p.planes = make([][]float32, 2*p.bands)
	for i := range p.planes {
		p.planes[i] = make([]float32, (stripRows+p.Reach())*p.width)
	}
	return grid, nil
}

// state that dates are filtered with.
func (p *pass) state() *state {
	if p.after != nil {
		return p.after
	}
	return p.before
}

func (p *pass) close() {
	if p.known != nil {
		p.known.close()
	}
	if p.writer != nil {
		p.writer.Discard()
	}
	for _, d := range p.at {
		d.in.close()
		if d.w != nil {
			d.w.Discard()
		}
	}
}

// strip does the next rows, and returns how many pixels they have. Files are read side by side; ratios are added in the order of the dates.
func (p *pass) strip(ctx context.Context) (count int, err error) {
	var state [][]float32
	for first := 0; first < len(p.at); first += len(p.scratch) {
		part := p.at[first:min(first+len(p.scratch), len(p.at))]
		group := p.group()
		if first == 0 {
			group.Go(func() (err error) { state, err = p.read(ctx); return err })
		}
		for i, d := range part {
			group.Go(func() error { return p.scratch[i].read(ctx, p.Filter, d.in) })
		}
		if err := group.Wait(); err != nil {
			return 0, err
		}
		count = p.scratch[0].rows[0].count * p.width
		if first == 0 && state == nil { // nothing is known yet
			for _, plane := range p.planes {
				clear(plane[:count])
				state = append(state, plane[:count])
			}
		}
		if p.after != nil {
			for b := range p.bands {
				group.Go(func() error {
					for i, d := range part {
						if d.fresh {
							p.accumulate(state[2*b], state[2*b+1], p.scratch[i].rows[b].own(), p.scratch[i].mean[b])
						}
					}
					return nil
				})
			}
			if err := group.Wait(); err != nil {
				return 0, err
			}
		}
	}
	group := p.group()
	if p.writer != nil {
		group.Go(func() error { return p.writer.Add(state...) })
	}
	for i, d := range p.at {
		if d.w != nil {
			group.Go(func() error { return d.write(p.Filter, &p.scratch[i], state) })
		}
	}
	return count, group.Wait()
}

// read returns the next rows of the state before; nil when there is none.
func (p *pass) read(ctx context.Context) (state [][]float32, err error) {
	if p.known == nil {
		return nil, nil
	}
	known, err := p.known.read(ctx, &p.buffer)
	for _, r := range known {
		state = append(state, r.own())
	}
	return state, err
}

func (s *scratch) read(ctx context.Context, f Filter, in *strips) (err error) {
	if s.rows, err = in.read(ctx, &s.buffer); err != nil {
		return err
	}
	for b, r := range s.rows {
		f.means(s.mean[b], r, &s.columns[b])
	}
	return nil
}

// write filters the rows of a date.
func (d *dateStrips) write(f Filter, s *scratch, state [][]float32) error {
	part := make([][]float32, len(s.rows))
	for b, r := range s.rows {
		part[b] = d.out[b][:r.count*r.width]
		f.apply(part[b], r.own(), s.mean[b], state[2*b], state[2*b+1])
		looksOf(r.own(), r.width, d.before[b])
		looksOf(part[b], r.width, d.after[b])
	}
	return d.w.Add(part...)
}
