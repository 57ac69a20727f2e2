package tiles

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// DataFormat is how values are handed on.
type DataFormat string

// The formats.
const (
	TIFF   DataFormat = "tif"
	CSV    DataFormat = "csv"
	NetCDF DataFormat = "nc"
)

// mostRows is how many lines a table of values may have.
const mostRows = 4_000_000

// ParseDataFormat reads a format by the extension of its files.
func ParseDataFormat(extension string) (DataFormat, error) {
	switch f := DataFormat(strings.ToLower(extension)); f {
	case TIFF, CSV, NetCDF:
		return f, nil
	case "tiff":
		return TIFF, nil
	}
	return "", fault.New(fault.Invalid, "data are handed on as tif, csv or nc, not as %.20q", extension)
}

// ContentType is the format's media type.
func (f DataFormat) ContentType() string {
	return map[DataFormat]string{TIFF: "image/tiff; application=geotiff", CSV: "text/csv; charset=utf-8; header=present", NetCDF: "application/x-netcdf"}[f]
}

// Data are values in a file that is gone when they are closed.
type Data struct {
	io.Reader
	Size  int64 // bytes
	close func()
}

// Close gives up the file.
func (d *Data) Close() error {
	d.close()
	return nil
}

// DataETag names the bytes of an extraction for ever, without reading a pixel.
func (v *View) DataETag(frame Frame, f DataFormat) string {
	return fmt.Sprintf(`"%s-%s-%s"`, v.key, frame.key(), f)
}

// Data extracts a frame's values: every pixel as it is, without stretch or colour.
//
//	rows of blocks ─▶ values ─▶ strips in a file without a name ─▶ head + strips
//
// Not more than some rows are held at once, and nothing is handed on before all is there. An extraction that is larger than one
// may be is fault.TooLarge before anything is read.
func (v *View) Data(ctx context.Context, frame Frame, f DataFormat) (*Data, error) {
	kind, noData, err := v.kept(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.holdable(frame, kind, f); err != nil {
		return nil, err
	}
	leave, err := v.renderer.extracting.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	work, err := os.MkdirTemp(v.renderer.work, "data-")
	if err != nil {
		return nil, fmt.Errorf("tiles: extraction: %w", err)
	}
	defer os.RemoveAll(work) // what is open stays readable
	spool, err := os.Create(filepath.Join(work, "spool"))
	if err != nil {
		return nil, fmt.Errorf("tiles: extraction: %w", err)
	}
	var head []byte
	switch f {
	case CSV:
		err = v.table(ctx, frame, spool)
	case NetCDF:
		err = v.netCDF(ctx, frame, kind, noData, spool.Name())
	default:
		head, err = v.geoTIFF(ctx, frame, kind, noData, spool)
	}
	if err != nil {
		spool.Close()
		return nil, fmt.Errorf("tiles: extraction of %s/%s: %w", v.item.Collection, v.item.ID, err)
	}
	return spooled(head, spool)
}

// spooled are the bytes of a file behind a head.
func spooled(head []byte, spool *os.File) (*Data, error) {
	size, err := spool.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = spool.Seek(0, io.SeekStart)
	}
	if err != nil {
		spool.Close()
		return nil, fmt.Errorf("tiles: extraction: %w", err)
	}
	return &Data{io.MultiReader(bytes.NewReader(head), spool), int64(len(head)) + size, func() { spool.Close() }}, nil
}

// rowsHeld is how many rows of a frame may be in memory at once.
func (v *View) rowsHeld(frame Frame) int {
	const most = 64 << 20 // bytes of values
	return max(1, min(1024, most/(frame.Grid.Width*4*(len(v.inputs)+len(v.outputs)))))
}

// byRows hands on a frame's values some rows at a time, a multiple of step but for the last.
func (v *View) byRows(ctx context.Context, frame Frame, step int, take func(grid raster.Grid, planes [][]float32) error) error {
	rows := max(1, v.rowsHeld(frame)/step) * step
	for top := 0; top < frame.Grid.Height; top += rows {
		part := frame
		part.Grid.Height = min(rows, frame.Grid.Height-top)
		part.Grid.Transform[0], part.Grid.Transform[3] = frame.Grid.Transform.Apply(0, float64(top))
		err := func() error {
			leave, err := v.renderer.gate.enter(ctx)
			if err != nil {
				return err
			}
			defer leave()
			planes, err := v.inside(ctx, part, nil)
			defer raster.FreePlanes(planes)
			if err != nil {
				return err
			}
			return take(part.Grid, planes)
		}()
		if err != nil {
			return err
		}
	}
	return nil
}

// image describes what is handed on as a raster.
func (v *View) image(frame Frame, kind raster.DataType, noData *float64) raster.GeoTIFF {
	g := raster.GeoTIFF{Grid: frame.Grid, Type: kind, NoData: noData, Bands: make([]raster.GeoTIFFBand, len(v.outputs))}
	for i, name := range v.outputs {
		g.Bands[i].Name = name
		if v.stored && v.expression == nil && v.algorithm == nil {
			g.Bands[i].Scale, g.Bands[i].Offset = v.inputs[i].band.Scale, v.inputs[i].band.Offset
		}
	}
	return g
}

// geoTIFF writes the strips of a GeoTIFF and returns its head.
func (v *View) geoTIFF(ctx context.Context, frame Frame, kind raster.DataType, noData *float64, to io.Writer) ([]byte, error) {
	w, err := raster.NewGeoTIFFWriter(v.image(frame, kind, noData), to)
	if err != nil {
		return nil, err
	}
	if err := v.byRows(ctx, frame, w.StripRows(), func(part raster.Grid, planes [][]float32) error { return w.Add(planes, part.Height) }); err != nil {
		return nil, err
	}
	return w.Head()
}

// netCDF writes a file of that kind at a path.
func (v *View) netCDF(ctx context.Context, frame Frame, kind raster.DataType, noData *float64, path string) error {
	g := v.image(frame, kind, noData)
	g.Items = map[string]string{"title": v.item.ID, "source": v.item.Collection}
	for i, variable := range variables(v.outputs) {
		g.Bands[i].Name, g.Bands[i].Items = variable, map[string]string{"long_name": v.outputs[i]}
	}
	blockRows := min(256, v.rowsHeld(frame))
	w, err := raster.NewNetCDFWriter(path, g, blockRows)
	if err != nil {
		return err
	}
	defer w.Close()
	return v.byRows(ctx, frame, blockRows, func(part raster.Grid, planes [][]float32) error { return w.Add(planes, part.Height) })
}

// variables are names as NetCDF's conventions have them: a letter, then letters, digits and underscores, each once.
func variables(names []string) []string {
	out, taken := make([]string, len(names)), map[string]bool{"x": true, "y": true, "lon": true, "lat": true, "crs": true, "transverse_mercator": true}
	for i, name := range names {
		name = strings.Map(func(c rune) rune {
			if c < 128 && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
				return c
			}
			return '_'
		}, name)
		if name == "" || name[0] == '_' || name[0] >= '0' && name[0] <= '9' {
			name = "b" + name
		}
		name = name[:min(len(name), 100)]
		out[i] = name
		for n := 2; taken[out[i]]; n++ {
			out[i] = name + "_" + strconv.Itoa(n)
		}
		taken[out[i]] = true
	}
	return out
}

// table writes a line for each pixel that has a value: its centre in the grid's system and in degrees, then the values.
func (v *View) table(ctx context.Context, frame Frame, to io.Writer) error {
	degrees := frame.Grid.CRS == geo.WGS84
	var out []byte
	if !degrees {
		out = append(out, "x,y,"...)
	}
	out = append(out, "longitude,latitude"...)
	for _, name := range v.outputs {
		out = append(append(out, ','), csvText(name)...)
	}
	out = append(out, "\r\n"...)
	err := v.byRows(ctx, frame, 1, func(g raster.Grid, planes [][]float32) error {
		lons, lats := make([]float64, g.Width), make([]float64, g.Width)
		for row := range g.Height {
			for column := range g.Width {
				lons[column], lats[column] = g.Transform.Apply(float64(column)+0.5, float64(row)+0.5)
			}
			if err := raster.Project(g.CRS, geo.WGS84, lons, lats); err != nil {
				return err
			}
			for column := range g.Width {
				at := row*g.Width + column
				if !valued(planes, at) {
					continue
				}
				if !degrees {
					x, y := g.Transform.Apply(float64(column)+0.5, float64(row)+0.5)
					out = append(strconv.AppendFloat(append(strconv.AppendFloat(out, x, 'f', -1, 64), ','), y, 'f', -1, 64), ',')
				}
				out = strconv.AppendFloat(append(strconv.AppendFloat(out, lons[column], 'f', 8, 64), ','), lats[column], 'f', 8, 64)
				for _, plane := range planes {
					if out = append(out, ','); !isNaN(plane[at]) {
						out = strconv.AppendFloat(out, float64(plane[at]), 'g', -1, 32)
					}
				}
				out = append(out, "\r\n"...)
			}
			if len(out) > 1<<18 {
				if _, err := to.Write(out); err != nil {
					return err
				}
				out = out[:0]
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = to.Write(out)
	return err
}

// valued reports whether a pixel has any value.
func valued(planes [][]float32, at int) bool {
	for _, plane := range planes {
		if !isNaN(plane[at]) && !math.IsInf(float64(plane[at]), 0) {
			return true
		}
	}
	return false
}
