package raster

import (
	"bytes"
	"fmt"
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
	line []byte
}

// memorySource is bytes as a Source.
type memorySource struct{ *bytes.Reader }

func (m memorySource) ID() string { return "" }

// NewCOGWriter begins a file of one band, which appears at dst when it is closed. Spools of compressed blocks lie beside it meanwhile.
func NewCOGWriter(dst string, g GeoTIFF, o COGOptions) (*COGWriter, error) {
	if g.Type == "" {
		g.Type = Float32
	}
	if len(g.Bands) != 1 {
		return nil, fmt.Errorf("raster: a COG of %d bands is not written line by line", len(g.Bands))
	}
	// What is said of the samples and the place, in a file of one corner.
	corner := g
	corner.Width, corner.Height = 1, 1
	body, err := corner.Encode([][]float32{{0}})
	if err != nil {
		return nil, err
	}
	_, dirs, err := readDirectories(memorySource{bytes.NewReader(body)})
	if err != nil {
		return nil, err
	}
	w := &COGWriter{g: g, dst: dst, like: dirs[0], line: make([]byte, g.Width*g.Type.Bytes())}
	if w.work, err = os.MkdirTemp(filepath.Dir(dst), ".cog-*"); err != nil {
		return nil, fmt.Errorf("raster: write %s: %w", dst, err)
	}
	o.Bands = []int{1}
	d := Description{Width: g.Width, Height: g.Height, Bands: 1, DataType: g.Type, NoData: g.NoData}
	if w.p, err = newPyramid(w.work, d, validity{}, o.blockSide(d), o); err != nil {
		os.RemoveAll(w.work)
		return nil, fmt.Errorf("raster: write %s: %w", dst, err)
	}
	return w, nil
}

// Add writes whole rows, NaN where nothing was measured.
func (w *COGWriter) Add(values []float32) error {
	for ; len(values) >= w.g.Width; values = values[w.g.Width:] {
		w.g.Type.put(w.line, values[:w.g.Width], w.g.NoData)
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
