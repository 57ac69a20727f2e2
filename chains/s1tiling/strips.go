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
	planes [][]float32 // rows given−reach … next
	first  int         // row of the first of them
}

func openStrips(ctx context.Context, path string, reach int) (*strips, error) {
	c, closer, err := openRaster(ctx, path)
	if err != nil {
		return nil, err
	}
	s := &strips{cog: c, close: closer, reader: raster.NewReader(0), reach: reach, planes: make([][]float32, c.Bands)}
	for b := range c.Bands {
		s.bands = append(s.bands, b+1)
	}
	return s, nil
}

// read returns the next rows of each band: of the first call stripRows − reach, so that every later one needs one row of blocks more; false
// when there are none left.
func (s *strips) read(ctx context.Context) (out []rows, row int, err error) {
	l := s.cog.Levels[0]
	if s.given == l.Height {
		return nil, 0, nil
	}
	keep := max(0, s.given-s.reach)
	for b := range s.planes {
		n := copy(s.planes[b], s.planes[b][(keep-s.first)*l.Width:])
		s.planes[b] = s.planes[b][:n]
	}
	s.first = keep
	if s.next < l.Height {
		high := min(stripRows, l.Height-s.next)
		got, err := s.reader.Read(ctx, s.cog, 0, raster.Window{Row: s.next, Width: l.Width, Height: high}, s.bands)
		if err != nil {
			return nil, 0, err
		}
		for b := range s.planes {
			s.planes[b] = append(s.planes[b], got[b]...)
		}
		raster.FreePlanes(got)
		s.next += high
	}
	until := l.Height
	if s.next < l.Height {
		until = s.next - s.reach
	}
	row = s.given
	for b := range s.planes {
		out = append(out, rows{values: s.planes[b], width: l.Width, before: row - s.first, count: until - row})
	}
	s.given = until
	return out, row, nil
}

// own are the rows themselves.
func (r rows) own() []float32 { return r.values[r.before*r.width : (r.before+r.count)*r.width] }
