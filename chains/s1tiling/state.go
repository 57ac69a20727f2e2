package s1tiling

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"swath/fault"
	"swath/raster"
)

// series is what dates must have in common to be filtered together.
type series struct {
	Tile          string `json:"tile"`
	Orbit         string `json:"relative_orbit"` // "139"
	Direction     string `json:"direction"`      // "DES"
	Polarisations string `json:"polarisations"`  // "vvvh"
	Calibration   string `json:"calibration"`    // "sig"
}

func (s series) String() string {
	return strings.Join([]string{s.Calibration, s.Tile, s.Polarisations, s.Direction, s.Orbit}, "_")
}

// bands of one date's files.
func (s series) bands() (names []string) {
	for i := 0; i+2 <= len(s.Polarisations); i += 2 {
		names = append(names, s.Polarisations[i:i+2])
	}
	return names
}

// state is what a series' filter knows: in a file, two bands for each of a date's, and in its words this.
type state struct {
	Series series   `json:"series"`
	Window int      `json:"window"`
	Guard  bool     `json:"guard"`
	Looks  float64  `json:"looks"`
	Dates  []string `json:"dates"` // names of files without extension

	path string
}

// stateItem is where a state's words stand in its file.
const stateItem = "SWATH_S1TILING_STATE"

// readState reads the words of a state's file.
func readState(path string) (*state, error) {
	d, err := raster.Inspect(path)
	if err != nil {
		return nil, err
	}
	s := &state{path: path}
	text, ok := d.Items[stateItem]
	if !ok || json.Unmarshal([]byte(text), s) != nil || len(s.Series.bands())*2 != d.Bands {
		return nil, fault.New(fault.Invalid, "state: %s is not the state of a filter", filepath.Base(path))
	}
	return s, nil
}

// update writes the state with more dates in it, reading nothing but them and the state before (nil: none).
func (f Filter) update(ctx context.Context, to string, before *state, s series, dates []date, threads int, tick func(int64)) (*state, error) {
	after := &state{Series: s, Window: f.Window, Guard: f.Guard, Looks: f.Looks, path: to}
	if before != nil {
		after.Dates = slices.Clone(before.Dates)
	}
	inputs := make([]*strips, len(dates))
	defer func() {
		for _, in := range inputs {
			if in != nil {
				in.close()
			}
		}
	}()
	for i, d := range dates {
		after.Dates = append(after.Dates, d.name())
		var err error
		if inputs[i], err = openStrips(ctx, d.path, f.Reach()); err != nil {
			return nil, err
		}
		if a, b := inputs[i].cog, inputs[0].cog; a.Levels[0].Width != b.Levels[0].Width || a.Levels[0].Height != b.Levels[0].Height || a.Transform != b.Transform || a.CRS != b.CRS || a.Bands != len(s.bands()) {
			return nil, fault.New(fault.Invalid, "image: %s and %s do not lie on one grid", filepath.Base(d.path), filepath.Base(dates[0].path))
		}
	}
	var old *strips
	if before != nil {
		var err error
		if old, err = openStrips(ctx, before.path, f.Reach()); err != nil {
			return nil, err
		}
		defer old.close()
	}
	words, err := json.Marshal(after)
	if err != nil {
		return nil, err
	}
	c := inputs[0].cog
	g := raster.GeoTIFF{Grid: raster.Grid{CRS: c.CRS, Transform: c.Transform, Width: c.Levels[0].Width, Height: c.Levels[0].Height}, Items: map[string]string{stateItem: string(words)}}
	for _, b := range s.bands() {
		g.Bands = append(g.Bands, raster.GeoTIFFBand{Name: b + ": sum of ratios"}, raster.GeoTIFFBand{Name: b + ": number of dates"})
	}
	w, err := raster.NewCOGWriter(to, g, raster.COGOptions{Fast: true})
	if err != nil {
		return nil, err
	}
	defer w.Discard()
	if err := f.sum(ctx, w, inputs, old, g, threads, tick); err != nil {
		return nil, err
	}
	return after, w.Close()
}

// sum adds the dates strip by strip: means are made side by side, ratios are added in the order of the dates.
func (f Filter) sum(ctx context.Context, w *raster.COGWriter, inputs []*strips, old *strips, g raster.GeoTIFF, threads int, tick func(int64)) error {
	threads = max(1, threads)
	scratch := make([]scratch, threads)
	n := (stripRows + f.Reach()) * g.Width
	var known [][]float32
	planes := make([][]float32, len(g.Bands))
	for i := range planes {
		planes[i] = make([]float32, n)
	}
	for done := 0; done < g.Height; {
		count := 0
		for first := 0; first < len(inputs); first += threads {
			side := min(threads, len(inputs)-first)
			var group errgroup.Group
			got := make([][]rows, side)
			for i := range side {
				group.Go(func() (err error) {
					if got[i], _, err = inputs[first+i].read(ctx, &scratch[i].buffer); err != nil {
						return err
					}
					scratch[i].means(f, got[i])
					return nil
				})
			}
			if err := group.Wait(); err != nil {
				return err
			}
			if first == 0 {
				count = got[0][0].count * g.Width
				if err := begin(ctx, planes, old, &known, count); err != nil {
					return err
				}
			}
			for i := range side {
				for b, r := range got[i] {
					f.accumulate(planes[2*b][:count], planes[2*b+1][:count], r.own(), scratch[i].mean[b])
				}
			}
		}
		part := make([][]float32, len(planes))
		for i, p := range planes {
			part[i] = p[:count]
		}
		if err := w.Add(part...); err != nil {
			return err
		}
		done += count / g.Width
		tick(int64(count))
	}
	return nil
}

// begin fills planes with the state before, or zeros.
func begin(ctx context.Context, planes [][]float32, old *strips, buffer *[][]float32, count int) error {
	if old == nil {
		for _, p := range planes {
			clear(p[:count])
		}
		return nil
	}
	known, _, err := old.read(ctx, buffer)
	if err != nil {
		return err
	}
	if len(known) != len(planes) || len(known[0].own()) != count {
		return fault.New(fault.Invalid, "state: it is of another grid than the dates")
	}
	for i, r := range known {
		copy(planes[i], r.own())
	}
	return nil
}

// scratch is what one date needs for its means.
type scratch struct {
	buffer [][]float32 // the date's own rows
	mean   [][]float32
	sums   []float64
	counts []int32
}

func (s *scratch) means(f Filter, bands []rows) {
	if s.mean == nil {
		s.mean = make([][]float32, len(bands))
		s.sums, s.counts = make([]float64, bands[0].width), make([]int32, bands[0].width)
	}
	for b, r := range bands {
		n := r.count * r.width
		if cap(s.mean[b]) < n {
			s.mean[b] = make([]float32, n)
		}
		s.mean[b] = s.mean[b][:n]
		f.means(s.mean[b], r, s.sums, s.counts)
	}
}
