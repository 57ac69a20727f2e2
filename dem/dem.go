package dem

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// Model is a height model in files.
type Model struct {
	// Geoid is what heights are above; nil: the ellipsoid itself.
	Geoid *Geoid

	paths []string
}

// Open lists the height model at a path: one file, or a folder with files some levels down (.tif, .tiff, .hgt). It is fault.Invalid when
// there are none.
func Open(path string, geoid *Geoid) (*Model, error) {
	m := &Model{Geoid: geoid}
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch strings.ToLower(filepath.Ext(p)) {
		case ".tif", ".tiff", ".hgt":
			if !d.IsDir() {
				m.paths = append(m.paths, p)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "dem: the folder can't be read")
	}
	if len(m.paths) == 0 {
		return nil, fault.New(fault.Invalid, "dem: %s holds neither .tif nor .hgt files", filepath.Base(path))
	}
	return m, nil
}

// cellName is how tiles of one degree are called: …N41_00_E014_00…, N41E014.
var cellName = regexp.MustCompile(`([NS])(\d{2})(?:_\d{2})?_?([EW])(\d{3})(?:_\d{2})?`)

// cellOf returns the south-western corner of the tile that a name tells of.
func cellOf(path string) (lon, lat float64, ok bool) {
	m := cellName.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		return 0, 0, false
	}
	lat, _ = strconv.ParseFloat(m[2], 64)
	lon, _ = strconv.ParseFloat(m[4], 64)
	if m[1] == "S" {
		lat = -lat
	}
	if m[3] == "W" {
		lon = -lon
	}
	return lon, lat, true
}

// tile is one open file.
type tile struct {
	cog       *raster.COG // nil: heights of an .hgt file
	file      *os.File
	heights   []float32
	transform geo.Affine
	w, h      int
}

func (t *tile) close() {
	if t.file != nil {
		t.file.Close()
	}
}

// source is a file as raster reads it.
type source struct {
	*os.File
	size int64
}

func (s source) Size() int64 { return s.size }
func (s source) ID() string  { return s.Name() }

func openTile(ctx context.Context, path string) (*tile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "dem: %s can't be read", filepath.Base(path))
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if strings.EqualFold(filepath.Ext(path), ".hgt") {
		defer f.Close()
		return openHGT(path, info.Size())
	}
	c, err := raster.OpenCOG(ctx, source{f, info.Size()})
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("dem: %s: %w", filepath.Base(path), err)
	}
	return &tile{cog: c, file: f, transform: c.Transform, w: c.Levels[0].Width, h: c.Levels[0].Height}, nil
}

// openHGT reads a tile of SRTM: rows from the north, samples on the edges, 16 bits big endian, −32768 is void.
func openHGT(path string, size int64) (*tile, error) {
	side := int(math.Round(math.Sqrt(float64(size) / 2)))
	lon, lat, ok := cellOf(path)
	if !ok || side < 2 || side > 20000 || int64(side)*int64(side)*2 != size {
		return nil, fault.New(fault.Invalid, "dem: %s is no tile of SRTM: its name tells a degree, and its rows are as many as its columns", filepath.Base(path))
	}
	body, err := os.ReadFile(path)
	if err != nil || int64(len(body)) != size {
		return nil, fault.New(fault.Invalid, "dem: %s can't be read", filepath.Base(path))
	}
	d := 1 / float64(side-1)
	t := &tile{heights: make([]float32, side*side), w: side, h: side, transform: geo.Affine{lon - d/2, d, 0, lat + 1 + d/2, 0, -d}}
	for i := range t.heights {
		v := int16(binary.BigEndian.Uint16(body[2*i:]))
		t.heights[i] = float32(v)
		if v == math.MinInt16 {
			t.heights[i] = float32(math.NaN())
		}
	}
	return t, nil
}

// Heights are metres above the WGS 84 ellipsoid at the pixel centres of a grid.
type Heights struct {
	raster.Grid
	M       []float32
	Assumed int // pixels without a value of the model, taken for sea
}

// plane holds heights above the model's own surface on a grid in longitude and latitude; longitudes go on past ±180.
type plane struct {
	lon0, lat0, dLon, dLat float64 // centre of the first pixel; dLat is negative
	w, h                   int
	m                      []float32
}

// lonLats are the places of a grid's pixel centres, at every step-th row and column and the ones behind the last.
type lonLats struct {
	step, w, h int
	lon, lat   []float64
}

const nodeStep = 16 // pixels between places that are computed exactly; the straight line between is off by millimetres

func placesOf(g raster.Grid) (lonLats, error) {
	n := lonLats{step: nodeStep, w: (g.Width-1)/nodeStep + 2, h: (g.Height-1)/nodeStep + 2}
	p, ok := geo.ProjectionOf(g.CRS)
	n.lon, n.lat = make([]float64, n.w*n.h), make([]float64, n.w*n.h)
	for j := range n.h {
		for i := range n.w {
			n.lon[j*n.w+i], n.lat[j*n.w+i] = g.Transform.Apply(float64(i*nodeStep)+0.5, float64(j*nodeStep)+0.5)
		}
	}
	if !ok {
		if err := raster.Project(g.CRS, geo.WGS84, n.lon, n.lat); err != nil {
			return n, err
		}
	} else {
		for i := range n.lon {
			n.lon[i], n.lat[i] = p.ToLonLat(n.lon[i], n.lat[i])
		}
	}
	for i := range n.lon { // on one sheet
		n.lon[i] = n.lon[0] + geo.WrapLon(n.lon[i]-n.lon[0])
		if n.lon[i] != n.lon[i] {
			return n, fault.New(fault.Invalid, "dem: the grid leaves the reach of %s", g.CRS)
		}
	}
	return n, nil
}

// Heights returns the model's heights on a grid.
func (m *Model) Heights(ctx context.Context, g raster.Grid) (*Heights, error) {
	nodes, err := placesOf(g)
	if err != nil {
		return nil, err
	}
	const marginDeg = 0.003
	box := geo.Box{MinX: slices.Min(nodes.lon) - marginDeg, MaxX: slices.Max(nodes.lon) + marginDeg, MinY: slices.Min(nodes.lat) - marginDeg, MaxY: slices.Max(nodes.lat) + marginDeg}
	p, err := m.load(ctx, box)
	if err != nil {
		return nil, err
	}
	undulation := make([]float64, len(nodes.lon))
	if m.Geoid != nil {
		for i := range undulation {
			if undulation[i] = m.Geoid.At(nodes.lon[i], nodes.lat[i]); undulation[i] != undulation[i] {
				return nil, fault.New(fault.Invalid, "geoid: %s does not reach %.3f, %.3f", m.Geoid.Name, nodes.lon[i], nodes.lat[i])
			}
		}
	}
	h := &Heights{Grid: g, M: make([]float32, g.Width*g.Height)}
	for y := range g.Height {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h.Assumed += p.row(h.M[y*g.Width:(y+1)*g.Width], &nodes, undulation, y)
	}
	return h, nil
}

// row interpolates a row of the grid, and returns how many pixels are taken for sea.
func (p *plane) row(to []float32, n *lonLats, undulation []float64, y int) (assumed int) {
	j, fy := y/n.step, float64(y%n.step)/float64(n.step)
	at := func(v []float64, i int) float64 { k := j*n.w + i; return v[k] + fy*(v[k+n.w]-v[k]) }
	for i := 0; i*n.step < len(to); i++ {
		lon, lat, und := at(n.lon, i), at(n.lat, i), at(undulation, i)
		s := 1 / float64(n.step)
		dLon, dLat, dUnd := (at(n.lon, i+1)-lon)*s, (at(n.lat, i+1)-lat)*s, (at(undulation, i+1)-und)*s
		for x := i * n.step; x < min(len(to), (i+1)*n.step); x++ {
			h := float32(0)
			if p != nil {
				h = p.cubic((lon-p.lon0)/p.dLon, (lat-p.lat0)/p.dLat)
			}
			if h != h || p == nil {
				h = 0
				assumed++
			}
			to[x] = h + float32(und)
			lon, lat, und = lon+dLon, lat+dLat, und+dUnd
		}
	}
	return assumed
}

// cubic interpolates with Keys' kernel (a = −1/2). Voids around a valid place count as its nearest value.
func (p *plane) cubic(x, y float64) float32 {
	cx, cy := int(math.Floor(x)), int(math.Floor(y))
	if cx < 1 || cy < 1 || cx+2 >= p.w || cy+2 >= p.h {
		return float32(math.NaN())
	}
	wx, wy := keys(float32(x-float64(cx))), keys(float32(y-float64(cy)))
	var sum float32
	for j := range 4 {
		r := p.m[(cy-1+j)*p.w+cx-1:][:4]
		sum += wy[j] * (wx[0]*r[0] + wx[1]*r[1] + wx[2]*r[2] + wx[3]*r[3])
	}
	if sum == sum {
		return sum
	}
	nearest := p.m[int(math.Round(y))*p.w+int(math.Round(x))]
	if nearest != nearest {
		return nearest
	}
	sum = 0
	for j := range 4 {
		r := p.m[(cy-1+j)*p.w+cx-1:][:4]
		for i, v := range r {
			if v != v {
				v = nearest
			}
			sum += wy[j] * wx[i] * v
		}
	}
	return sum
}

// keys are the weights of four samples around a place that is t behind the second (Keys, IEEE TASSP 29(6), 1981).
func keys(t float32) [4]float32 {
	return [4]float32{
		t * (-0.5 + t*(1-0.5*t)), 1 + t*t*(-2.5+1.5*t), t * (0.5 + t*(2-1.5*t)), t * t * (-0.5 + 0.5*t),
	}
}
