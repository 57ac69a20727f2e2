package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"swath/compat"
	"swath/download"
	"swath/fault"
)

// searchFlags are what a command line says of the items that are wanted.
type searchFlags struct {
	collections, ids                                     []string
	bbox, point, geometry, tile, datetime, from, to      string
	platform, level, productType, mode, location, filter string
	lon, lat, lonMin, lonMax, latMin, latMax             float64
	orbit, limit                                         int
	cloud                                                float64
	peps                                                 bool // the line is in peps_download.py's words
}

func (f *searchFlags) add(flags *pflag.FlagSet) {
	flags.StringSliceVarP(&f.collections, "collection", "c", nil, "collections, or a mission as PEPS named it (S1, S2, S2ST, S3, SpotWorldHeritage); all without")
	flags.StringSliceVar(&f.ids, "ids", nil, "ids of items")
	flags.StringVar(&f.bbox, "bbox", "", "west,south,east,north in degrees")
	flags.StringVar(&f.point, "point", "", "longitude,latitude in degrees")
	flags.StringVar(&f.geometry, "geom", "", "file with a GeoJSON geometry or feature")
	flags.StringVarP(&f.tile, "tile", "t", "", "MGRS tile, such as 31TCJ")
	flags.StringVarP(&f.location, "location", "l", "", "words in title, description or keywords, such as a town")
	flags.StringVar(&f.datetime, "datetime", "", "an instant, or start/end where one may be ..")
	flags.StringVarP(&f.from, "from", "d", "", "first day or moment of acquisition")
	flags.StringVarP(&f.to, "to", "f", "", "day or moment before which it was acquired")
	flags.StringVar(&f.platform, "platform", "", "such as sentinel-2a or S2A")
	flags.StringVar(&f.level, "level", "", "processing level, such as L2A")
	flags.StringVarP(&f.productType, "product-type", "p", "", "such as GRD, SLC or S2MSI1C")
	flags.StringVarP(&f.mode, "sensor-mode", "m", "", "such as IW")
	flags.IntVar(&f.orbit, "orbit", 0, "relative orbit")
	flags.Float64Var(&f.cloud, "max-cloud", -1, "percentage of clouds at most")
	flags.StringVar(&f.filter, "filter", "", "CQL2 text beside")
	flags.IntVar(&f.limit, "limit", 0, "items at most")
	for _, one := range []struct {
		name  string
		value *float64
	}{{"lon", &f.lon}, {"lat", &f.lat}, {"lonmin", &f.lonMin}, {"lonmax", &f.lonMax}, {"latmin", &f.latMin}, {"latmax", &f.latMax}} {
		flags.Float64Var(one.value, one.name, 0, "degrees")
	}
}

// search makes the search that the flags say.
func (f *searchFlags) search(flags *pflag.FlagSet) (s download.Search, err error) {
	s = download.Search{Collections: f.collections, IDs: f.ids, Filter: f.filter, Limit: f.limit}
	if f.limit < 0 {
		return s, fault.New(fault.Invalid, "--limit: %d is less than nothing", f.limit)
	}
	if f.location != "" {
		s.Words = `"` + strings.ReplaceAll(f.location, `"`, " ") + `"`
	}
	if err := f.place(flags, &s); err != nil {
		return s, err
	}
	if s.Datetime, err = f.times(); err != nil {
		return s, err
	}
	s.Where = f.conditions()
	return s, nil
}

// place is the one area or point that is asked for.
func (f *searchFlags) place(flags *pflag.FlagSet, s *download.Search) (err error) {
	var ways []string
	given := func(name string, all ...string) bool {
		n := 0
		for _, one := range all {
			if flags.Changed(one) {
				n++
			}
		}
		if n > 0 {
			ways = append(ways, name)
		}
		if n > 0 && n < len(all) {
			err = fault.New(fault.Invalid, "--%s come together", strings.Join(all, ", --"))
		}
		return n > 0
	}
	point := func(at []float64) {
		s.Intersects, _ = json.Marshal(map[string]any{"type": "Point", "coordinates": at}) // numbers always can
	}
	if given("--bbox", "bbox") {
		if s.BBox, err = numbers("bbox", f.bbox, 4); err != nil {
			return err
		}
	}
	if given("--point", "point") {
		at, err := numbers("point", f.point, 2)
		if err != nil {
			return err
		}
		point(at)
	}
	if given("--geom", "geom") {
		if s.Intersects, err = geometryOf(f.geometry); err != nil {
			return err
		}
	}
	if given("--lon and --lat", "lon", "lat") {
		point([]float64{f.lon, f.lat})
	}
	if given("--lonmin … --latmax", "lonmin", "lonmax", "latmin", "latmax") {
		s.BBox = []float64{f.lonMin, f.latMin, f.lonMax, f.latMax}
	}
	if err == nil && len(ways) > 1 {
		return fault.New(fault.Invalid, "%s are one place: give one of them", strings.Join(ways, ", "))
	}
	return err
}

func numbers(name, text string, n int) (out []float64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return nil, fault.New(fault.Invalid, "--%s: %q is not a number", name, part)
		}
		out = append(out, v)
	}
	if len(out) != n {
		return nil, fault.New(fault.Invalid, "--%s: %d numbers instead of %d", name, len(out), n)
	}
	return out, nil
}

// geometryOf reads a file with a geometry, or a feature with one.
func geometryOf(path string) (json.RawMessage, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "--geom: %v", err)
	}
	var feature struct {
		Geometry json.RawMessage
		Features []struct{ Geometry json.RawMessage }
	}
	if err := json.Unmarshal(body, &feature); err != nil {
		return nil, fault.New(fault.Invalid, "--geom: %s: %v", path, err)
	}
	switch {
	case len(feature.Features) == 1:
		return feature.Features[0].Geometry, nil
	case len(feature.Features) > 1:
		return nil, fault.New(fault.Invalid, "--geom: %s has %d features: one is wanted", path, len(feature.Features))
	case feature.Geometry != nil:
		return feature.Geometry, nil
	}
	return body, nil
}

// times is the interval that is asked for.
func (f *searchFlags) times() (string, error) {
	if f.from == "" && f.to == "" {
		return f.datetime, nil
	}
	if f.datetime != "" {
		return "", fault.New(fault.Invalid, "--datetime says what --from and --to say")
	}
	from, err := moment("from", f.from, 0)
	if err != nil {
		return "", err
	}
	to, err := moment("to", f.to, -time.Millisecond)
	return from + "/" + to, err
}

// moment reads a day or a moment; an empty one is open.
func moment(flag, text string, shift time.Duration) (string, error) {
	if text == "" {
		return "..", nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Add(shift).UTC().Format("2006-01-02T15:04:05.000Z"), nil
		}
	}
	return "", fault.New(fault.Invalid, "--%s: %q is neither a day such as 2024-06-01 nor a moment such as 2024-06-01T12:00:00Z", flag, text)
}

// conditions are what the flags ask of properties.
func (f *searchFlags) conditions() (all []download.Condition) {
	equals := func(property string, value any) {
		all = append(all, download.Condition{Property: property, Op: "=", Value: value})
	}
	if f.tile != "" {
		equals("grid:code", "MGRS-"+strings.TrimPrefix(strings.TrimPrefix(strings.ToUpper(f.tile), "MGRS-"), "T"))
	}
	if f.platform != "" {
		equals("platform", compat.PlatformID(f.platform))
	}
	if f.level != "" {
		equals("processing:level", compat.Level(f.level))
	}
	if f.productType != "" {
		equals("product:type", f.productType)
	}
	if strings.HasPrefix(strings.ToUpper(f.mode), "INS-") { // the modes of optical instruments
		equals("constellation", "sentinel-2")
	} else if f.mode != "" {
		equals("sar:instrument_mode", strings.ToUpper(f.mode))
	}
	if f.orbit != 0 {
		equals("sat:relative_orbit", f.orbit)
	}
	if f.cloud >= 0 && !(f.peps && f.cloud >= 100) {
		all = append(all, download.Condition{Property: "eo:cloud_cover", Op: "<=", Value: f.cloud, OrMissing: f.peps})
	}
	return all
}
