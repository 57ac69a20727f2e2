package dem

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// Geoid is a grid of undulations: heights of the geoid above the ellipsoid, metres.
type Geoid struct {
	Name                   string
	lon0, lat0, dLon, dLat float64 // of the first value; latitudes may grow or fall
	columns, rows          int
	values                 []float32
}

// egm96 holds second differences, across and down, of centimetres from 90° south and 180° west: low bytes, then high bytes, gzipped.
//
//go:embed egm96.gz
var egm96 []byte

const egm96Columns, egm96Rows = 1440, 721

// EGM96 is the built-in geoid.
var EGM96 = sync.OnceValues(func() (*Geoid, error) {
	z, err := gzip.NewReader(bytes.NewReader(egm96))
	if err != nil {
		return nil, fmt.Errorf("dem: EGM96: %w", err)
	}
	n := egm96Columns * egm96Rows
	raw := make([]byte, 2*n)
	if _, err := io.ReadFull(z, raw); err != nil {
		return nil, fmt.Errorf("dem: EGM96: %w", err)
	}
	g := &Geoid{Name: "EGM96", lon0: -180, lat0: -90, dLon: 0.25, dLat: 0.25, columns: egm96Columns, rows: egm96Rows, values: make([]float32, n)}
	across := make([]int16, n)
	for i := range n {
		across[i] = int16(uint16(raw[i]) | uint16(raw[n+i])<<8)
		if i >= egm96Columns {
			across[i] += across[i-egm96Columns]
		}
		sum := across[i]
		if i%egm96Columns > 0 {
			sum += int16(math.Round(float64(g.values[i-1]) * 100))
		} else if i > 0 {
			sum += int16(math.Round(float64(g.values[i-egm96Columns]) * 100))
		}
		g.values[i] = float32(sum) / 100
	}
	return g, nil
})

// OpenGeoid reads a grid of undulations: NOAA's .gtx, or a GeoTIFF in longitude and latitude.
func OpenGeoid(ctx context.Context, path string) (*Geoid, error) {
	if strings.EqualFold(filepath.Ext(path), ".gtx") {
		return openGTX(path)
	}
	t, err := openTile(ctx, path)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if t.cog == nil || t.cog.CRS != geo.WGS84 {
		return nil, fault.New(fault.Invalid, "geoid: %s is not in longitude and latitude (EPSG:4326)", filepath.Base(path))
	}
	l := t.cog.Levels[0]
	reader := raster.NewReader(0)
	planes, err := reader.Read(ctx, t.cog, 0, raster.Window{Width: l.Width, Height: l.Height}, []int{1})
	if err != nil {
		return nil, err
	}
	a := t.cog.Transform
	return &Geoid{Name: filepath.Base(path), lon0: a[0] + a[1]/2, lat0: a[3] + a[5]/2, dLon: a[1], dLat: a[5], columns: l.Width, rows: l.Height, values: planes[0]}, nil
}

// openGTX reads NOAA's format: south and west edge, steps, rows, columns, then rows from the south, all big endian.
func openGTX(path string) (*Geoid, error) {
	bad := func(why string) error { return fault.New(fault.Invalid, "geoid: %s: %s", filepath.Base(path), why) }
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, bad("can't be read")
	}
	const headBytes = 40
	if len(body) < headBytes {
		return nil, bad("is too short")
	}
	float := func(at int) float64 { return math.Float64frombits(binary.BigEndian.Uint64(body[at:])) }
	g := &Geoid{Name: filepath.Base(path), lat0: float(0), lon0: float(8), dLat: float(16), dLon: float(24),
		rows: int(int32(binary.BigEndian.Uint32(body[32:]))), columns: int(int32(binary.BigEndian.Uint32(body[36:])))}
	if g.rows < 2 || g.columns < 2 || len(body) != headBytes+4*g.rows*g.columns || !(g.dLat > 0) || !(g.dLon > 0) {
		return nil, bad("its head and length do not agree")
	}
	g.values = make([]float32, g.rows*g.columns)
	for i := range g.values {
		g.values[i] = math.Float32frombits(binary.BigEndian.Uint32(body[headBytes+4*i:]))
	}
	return g, nil
}

// At returns the undulation at a place, bilinearly; NaN outside of the grid.
func (g *Geoid) At(lonDeg, latDeg float64) float64 {
	y := (latDeg - g.lat0) / g.dLat
	x := (lonDeg - g.lon0) / g.dLon
	if around := 360 / g.dLon; math.Abs(around-float64(g.columns)) < 0.01 || math.Abs(around-float64(g.columns-1)) < 0.01 {
		x = math.Mod(math.Mod(x, around)+around, around)
	}
	row := max(0, min(int(math.Floor(y)), g.rows-2))
	fy := y - float64(row)
	if fy < -0.5 || fy > 1.5 || x < -0.5 || x > float64(g.columns)+0.5 || x != x || y != y {
		return math.NaN()
	}
	column := min(int(math.Floor(math.Max(x, 0))), g.columns-1)
	fx := x - float64(column)
	next := column + 1
	if next == g.columns {
		next = 0
		if math.Abs(360/g.dLon-float64(g.columns)) > 0.01 {
			next = column
		}
	}
	v := func(r, c int) float64 { return float64(g.values[r*g.columns+c]) }
	return (v(row, column)*(1-fx)+v(row, next)*fx)*(1-fy) + (v(row+1, column)*(1-fx)+v(row+1, next)*fx)*fy
}
