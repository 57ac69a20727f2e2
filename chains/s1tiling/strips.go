package s1tiling

import (
	"context"
	"os"

	"swath/raster"
)

// stripRows are read at a time: a row of a file's blocks, each of which is unpacked once.
const stripRows = 256

// source is a file as raster reads it.
type source struct {
	*os.File
	size int64
}

func (s source) Size() int64 { return s.size }
func (s source) ID() string  { return s.Name() }

func openRaster(ctx context.Context, path string) (*raster.COG, func() error, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	c, err := raster.OpenCOG(ctx, source{f, info.Size()})
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return c, f.Close, nil
}

// strips hands out the rows of an image from the top down, with those around them that a window needs. It keeps those few from one to the next.
type strips struct {
	cog    *raster.COG
	close  func() error
	reader *raster.Reader
	bands  []int
	reach  int
	next   int         // row to be read
	given  int         // rows that were handed out
	carry  [][]float32 // of each band, the rows first … next−1 that are needed again
	first  int
}

func openStrips(ctx context.Context, path string, reach int) (*strips, error) {
	c, closer, err := openRaster(ctx, path)
	if err != nil {
		return nil, err
	}
	s := &strips{cog: c, close: closer, reader: raster.NewReader(0), reach: reach, carry: make([][]float32, c.Bands)}
	for b := range c.Bands {
		s.bands = append(s.bands, b+1)
	}
	return s, nil
}

// grid the image lies on.
func (s *strips) grid() raster.Grid {
	return raster.Grid{CRS: s.cog.CRS, Transform: s.cog.Transform, Width: s.cog.Levels[0].Width, Height: s.cog.Levels[0].Height}
}

// read returns the next rows of each band: of the first call stripRows − reach, so that every later one needs one row of blocks more; none
// when there are none left. They lie in a buffer, which is good until it is used again, by this or any other.
func (s *strips) read(ctx context.Context, buffer *[][]float32) (out []rows, err error) {
	l := s.cog.Levels[0]
	if s.given == l.Height {
		return nil, nil
	}
	high := min(stripRows, l.Height-s.next)
	var got [][]float32
	if high > 0 {
		if got, err = s.reader.Read(ctx, s.cog, 0, raster.Window{Row: s.next, Width: l.Width, Height: high}, s.bands); err != nil {
			return nil, err
		}
		defer raster.FreePlanes(got)
	}
	s.next += high
	until := l.Height
	if s.next < l.Height {
		until = s.next - s.reach
	}
	row := s.given
	if *buffer == nil {
		*buffer = make([][]float32, len(s.bands))
	}
	keep := max(0, until-s.reach)
	for b := range s.bands {
		values := append((*buffer)[b][:0], s.carry[b]...)
		if got != nil {
			values = append(values, got[b]...)
		}
		(*buffer)[b] = values
		out = append(out, rows{values: values, width: l.Width, before: row - s.first, count: until - row})
		s.carry[b] = append(s.carry[b][:0], values[(keep-s.first)*l.Width:]...)
	}
	s.first, s.given = keep, until
	return out, nil
}

// own are the rows themselves.
func (r rows) own() []float32 { return r.values[r.before*r.width : (r.before+r.count)*r.width] }
