package tiles

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"swath/fault"
	"swath/geo"
	"swath/raster"
)

// TimeSeries is what is counted of each item of a search in one area, in the search's order.
//
//	search, limited to the area ─▶ View of each ─▶ Frame: whole pixels of its raster ─▶ values, masked ─▶ SeriesStatistics
type TimeSeries struct {
	Items   []TimeSeriesItem `json:"items"`
	Limited bool             `json:"limited"`        // more items lie there than the request's limit
	Next    string           `json:"next,omitempty"` // token for those
}

// TimeSeriesItem is one item's statistics, by the names of its planes.
type TimeSeriesItem struct {
	SceneItem
	Statistics map[string]SeriesStatistics `json:"statistics"`
	planes     []string                    // the names in their order
}

// SeriesStatistics are those of BandStatistics that make a line of a table. Without a valid pixel all but the last two are NaN.
type SeriesStatistics struct{ Mean, Median, Min, Max, Std, Count, ValidPercent float64 }

var seriesNames = []string{"mean", "median", "min", "max", "std", "count", "valid_percent"}

func (s SeriesStatistics) values() []float64 {
	return []float64{s.Mean, s.Median, s.Min, s.Max, s.Std, s.Count, s.ValidPercent}
}

// MarshalJSON writes what is not a number as null.
func (s SeriesStatistics) MarshalJSON() ([]byte, error) {
	out := map[string]any{}
	for i, v := range s.values() {
		out[seriesNames[i]] = orNull(v)
	}
	return json.Marshal(out)
}

// Zone is where a time series is counted: within a radius around a place, or in a polygon.
type Zone struct {
	area    *Area
	coords  geo.EPSG // of the area
	system  geo.EPSG // in which it is counted; 0 is the raster's own
	size    Size
	place   *[2]float64 // longitude, latitude: the pixel there, instead of an area
	degrees geo.Box
}

// Bounds of a time series.
const (
	mostRadiusM      = 10_000
	mostSeriesValues = 500_000_000 // pixels of all bands of all items
	poleDeg          = 89          // beyond it a circle is no circle of degrees
)

// AroundPlace is the pixel at a place, or with a radius in metres a circle around it.
func AroundPlace(lonDeg, latDeg, radiusM float64) (Zone, error) {
	if err := checkPlace(lonDeg, latDeg); err != nil {
		return Zone{}, err
	}
	const hair = 1e-9
	if radiusM == 0 {
		return Zone{place: &[2]float64{lonDeg, latDeg}, degrees: geo.Box{MinX: lonDeg - hair, MinY: max(latDeg-hair, -90), MaxX: lonDeg + hair, MaxY: min(latDeg+hair, 90)}}, nil
	}
	if !(radiusM > 0 && radiusM <= mostRadiusM) {
		return Zone{}, fault.New(fault.Invalid, "radius %g: 0 to %d metres", radiusM, mostRadiusM)
	}
	if math.Abs(latDeg) > poleDeg {
		return Zone{}, fault.New(fault.Invalid, "a radius is for places up to %d degrees north or south", poleDeg)
	}
	const corners, degreeM = 64, 111_320 // of latitude, within half a percent
	circle := make(geo.Ring, corners+1)
	for i := range circle {
		sin, cos := math.Sincos(2 * math.Pi * float64(i%corners) / corners)
		circle[i] = [2]float64{lonDeg + radiusM/degreeM*cos/math.Cos(latDeg*math.Pi/180), latDeg + radiusM/degreeM*sin}
	}
	z := Zone{area: &Area{rings: []geo.Ring{circle}}, coords: geo.WGS84}
	z.degrees = z.area.bounds()
	return z, nil
}

// InFeature is a GeoJSON feature (see ParseArea) with coordinates of a system, counted in another (0: the raster's own) and, when
// the size says so, on fewer pixels than the raster has there.
func InFeature(body []byte, coords, system geo.EPSG, size Size) (Zone, error) {
	if err := size.check(); err != nil {
		return Zone{}, err
	}
	area, err := ParseArea(body, coords)
	if err != nil {
		return Zone{}, err
	}
	z := Zone{area: area, coords: coords, system: system, size: size}
	if coords == geo.WGS84 {
		own := &Area{}
		for _, r := range area.rings {
			own.rings = append(own.rings, geo.Unwrap(r))
		}
		z.degrees = own.bounds()
	} else if z.degrees, err = raster.ProjectBox(coords, geo.WGS84, area.bounds()); err != nil {
		return Zone{}, err
	}
	if !(z.degrees.MinX < z.degrees.MaxX && z.degrees.MinY < z.degrees.MaxY) {
		return Zone{}, fault.New(fault.Invalid, "the area has no extent in degrees")
	}
	return z, nil
}

// TimeSeries counts each item of a search in a zone. What it takes is computed before anything is read.
func (r *Renderer) TimeSeries(ctx context.Context, q MosaicRequest, z Zone) (TimeSeries, error) {
	if err := q.check(); err != nil {
		return TimeSeries{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, mosaicTimeout, errTooSlow)
	defer cancel()
	nowhere := Frame{Grid: raster.Grid{CRS: geo.WGS84, Width: 1, Height: 1}}
	s, err := r.scene(ctx, q, nowhere, z.degrees)
	if err != nil {
		return TimeSeries{}, err
	}
	frames := make([]Frame, len(s.views))
	values := int64(0)
	for i, v := range s.views {
		if z.place != nil {
			continue
		}
		if frames[i], err = v.zonalFrame(ctx, z.area, z.coords, z.system, z.size); err != nil {
			return TimeSeries{}, err
		}
		values += int64(frames[i].Grid.Width) * int64(frames[i].Grid.Height) * int64(len(v.inputs))
	}
	if values > mostSeriesValues {
		return TimeSeries{}, fault.New(fault.TooLarge, "%d values of all bands and items lie in the area; one request may take %d: ask for fewer items (items_limit), a smaller area or fewer pixels (max_size)",
			values, int64(mostSeriesValues))
	}
	items, limited := s.Items()
	out := TimeSeries{Items: make([]TimeSeriesItem, len(items)), Limited: limited, Next: s.next}
	group, counting := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, v := range s.views {
		group.Go(func() (err error) {
			items[i].BBox = nil
			out.Items[i] = TimeSeriesItem{SceneItem: items[i], planes: v.outputs}
			out.Items[i].Statistics, err = v.zonalSeries(counting, z, frames[i])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		if errors.Is(context.Cause(ctx), errTooSlow) {
			err = errTooSlow
		}
		return TimeSeries{}, err
	}
	return out, nil
}

// zonalSeries counts one item.
func (v *View) zonalSeries(ctx context.Context, z Zone, frame Frame) (map[string]SeriesStatistics, error) {
	all := map[string]BandStatistics{}
	if z.place != nil {
		leave, err := v.renderer.gate.enter(ctx)
		if err != nil {
			return nil, err
		}
		defer leave()
		at, err := v.point(ctx, z.place[0], z.place[1])
		if err != nil {
			return nil, err
		}
		for i, value := range at.Values {
			one := float32(math.NaN())
			if value != nil {
				one = *value
			}
			all[v.outputs[i]] = statisticsOf([]float32{one}, nil, StatisticsOptions{})
		}
	} else {
		var err error
		if all, err = v.Statistics(ctx, frame, StatisticsOptions{}); err != nil {
			return nil, err
		}
	}
	out := make(map[string]SeriesStatistics, len(all))
	for name, b := range all {
		out[name] = SeriesStatistics{b.Mean, b.Median, b.Min, b.Max, b.Std, b.Count, b.ValidPercent}
	}
	return out, nil
}

// CSV writes a line for each plane of each item.
func (s TimeSeries) CSV() []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "collection,id,datetime,name,%s\r\n", strings.Join(seriesNames, ","))
	for _, it := range s.Items {
		for _, name := range it.planes {
			fmt.Fprintf(&out, "%s,%s,%s,%s", csvText(it.Collection), csvText(it.ID), csvText(it.Datetime), csvText(name))
			for _, v := range it.Statistics[name].values() {
				out.WriteByte(',')
				if !math.IsNaN(v) && !math.IsInf(v, 0) {
					fmt.Fprintf(&out, "%g", v)
				}
			}
			out.WriteString("\r\n")
		}
	}
	return []byte(out.String())
}
