package raster

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

// COGWriter makes a cloud-optimized GeoTIFF of values in memory, from the top down, with all its overviews, without holding it.
type COGWriter struct {
	g    GeoTIFF
	dst  string
	work string
	like directory
	p    *pyramid
	rows int
	line []byte // pixels with all their samples
	one  []byte // samples of one band
}

// memorySource is bytes as a Source.
type memorySource struct{ *bytes.Reader }

func (m memorySource) ID() string { return "" }

// NewCOGWriter begins a file which appears at dst when it is closed. Spools of compressed blocks lie beside it meanwhile.
func NewCOGWriter(dst string, g GeoTIFF, o COGOptions) (*COGWriter, error) {
	if g.Type == "" {
		g.Type = Float32
	}
	// What is said of the samples and the place, in a file of one corner.
	corner := g
	corner.Width, corner.Height = 1, 1
	n := len(g.Bands)
	pixel := make([][]float32, n)
	for i := range pixel {
		pixel[i] = []float32{0}
	}
	body, err := corner.Encode(pixel)
	if err != nil {
		return nil, err
	}
	_, dirs, err := readDirectories(memorySource{bytes.NewReader(body)})
	if err != nil {
		return nil, err
	}
	w := &COGWriter{g: g, dst: dst, like: dirs[0], line: make([]byte, n*g.Width*g.Type.Bytes()), one: make([]byte, g.Width*g.Type.Bytes())}
	if w.work, err = os.MkdirTemp(filepath.Dir(dst), ".cog-*"); err != nil {
		return nil, fmt.Errorf("raster: write %s: %w", dst, err)
	}
	o.Bands = nil
	for i := range n {
		o.Bands = append(o.Bands, i+1)
	}
	d := Description{Width: g.Width, Height: g.Height, Bands: n, DataType: g.Type, NoData: g.NoData}
	wide, high := o.blockSize(d)
	if w.p, err = newPyramid(w.work, d, validity{}, wide, high, o); err != nil {
		os.RemoveAll(w.work)
		return nil, fmt.Errorf("raster: write %s: %w", dst, err)
	}
	return w, nil
}

// Add writes whole rows, a plane for each band, NaN where nothing was measured.
func (w *COGWriter) Add(planes ...[]float32) error {
	n, size := len(w.g.Bands), w.g.Type.Bytes()
	if len(planes) != n {
		return fmt.Errorf("raster: write %s: %d planes for %d bands", w.dst, len(planes), n)
	}
	for row := 0; row*w.g.Width < len(planes[0]); row++ {
		for k, plane := range planes {
			if n > 1 && w.g.Type == Float32 && w.g.NoData == nil {
				to := w.line[k*size:]
				for i, v := range plane[row*w.g.Width : (row+1)*w.g.Width] {
					binary.LittleEndian.PutUint32(to[i*n*size:], math.Float32bits(v))
				}
				continue
			}
			w.g.Type.put(w.one, plane[row*w.g.Width:(row+1)*w.g.Width], w.g.NoData)
			if n == 1 {
				w.line, w.one = w.one, w.line
				continue
			}
			for i := range w.g.Width {
				copy(w.line[(i*n+k)*size:][:size], w.one[i*size:][:size])
			}
		}
		if err := w.p.push(0, w.line); err != nil {
			return fmt.Errorf("raster: write %s: %w", w.dst, err)
		}
		w.rows++
	}
	return nil
}

// Discard gives the file up. After Close it does nothing.
func (w *COGWriter) Discard() {
	if w.p != nil {
		w.p.close()
		w.p = nil
	}
	os.RemoveAll(w.work)
}

// Close puts the file together, and in its place.
func (w *COGWriter) Close() error {
	defer w.Discard()
	if w.rows != w.g.Height {
		return fmt.Errorf("raster: write %s: %d rows of %d", w.dst, w.rows, w.g.Height)
	}
	made := filepath.Join(w.work, filepath.Base(w.dst))
	f, err := os.Create(made)
	if err != nil {
		return fmt.Errorf("raster: write %s: %w", w.dst, err)
	}
	if err = w.p.assemble(f, w.like); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(made, w.dst)
	}
	if err != nil {
		return fmt.Errorf("raster: write %s: %w", w.dst, err)
	}
	return nil
}
