package s1tiling

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"swath/chains"
	"swath/chains/s1ortho"
	"swath/fault"
)

// Version of the method.
const Version = "1.0.0"

// Fewer dates than these are worth a warning, or are not filtered at all.
const (
	fewDates     = 15
	tooFewDates  = 5
	defaultLooks = 4.4 // of an IW GRD in high resolution, where neither a product nor an image tells
)

// Inputs of the chain.
type Inputs struct {
	Product            []chains.Product `json:"product,omitempty" maxItems:"400" doc:"Sentinel-1 GRD products of the dates to be added; slices of one pass are put together"`
	Image              []chains.File    `json:"image,omitempty" maxItems:"2000" doc:"calibrated tiles of an earlier run, by their names: added when the state does not have them, else filtered again with what it knows now"`
	State              []chains.File    `json:"state,omitempty" maxItems:"400" doc:"states of the filter of an earlier run"`
	DEM                chains.Folder    `json:"dem,omitempty" doc:"height model, needed for products: see s1ortho"`
	HeightsAbove       string           `json:"heights_above" default:"geoid" enum:"geoid,ellipsoid" doc:"what the height model's heights are above"`
	Geoid              chains.File      `json:"geoid,omitempty" doc:"undulations, .gtx or GeoTIFF; EGM96 when not given"`
	Orbit              chains.File      `json:"orbit,omitempty" doc:"orbit file (.EOF), or a folder with them; the annotation's state vectors when not given"`
	Calibration        string           `json:"calibration" default:"sigma" enum:"gamma,sigma,beta,gamma-rtc" doc:"backscatter"`
	MinCoverage        float64          `json:"min_coverage" default:"0.10" minimum:"0" maximum:"1" doc:"share of a tile that a pass must have measured"`
	RemoveThermalNoise bool             `json:"remove_thermal_noise" default:"true" doc:"subtract the annotated thermal noise"`
	BorderNoise        string           `json:"border_noise" default:"auto" enum:"auto,none" doc:"auto: mask the fringe of small values at the image's edges"`
	Interp             string           `json:"interp" default:"bilinear" enum:"bilinear,cubic,nearest" doc:"how values between samples are made"`
	Tiles              []string         `json:"tiles,omitempty" pattern:"^[0-9]{2}[C-HJ-NP-X][A-HJ-NP-Z]{2}$" doc:"names of MGRS tiles; all that are covered when not given"`
	Polarisations      []string         `json:"polarisations,omitempty" enum:"VV,VH,HH,HV,vv,vh,hh,hv" doc:"which; all of the products when not given"`
	Window             int              `json:"window" default:"7" minimum:"3" maximum:"31" doc:"side of the filter's window, pixels, odd"`
	Guard              bool             `json:"guard" default:"true" doc:"keep points of one date out of the others"`
}

// Outputs of the chain.
type Outputs struct {
	Items  []chains.Item `json:"items,omitempty" doc:"one item a tile and date"`
	State  []chains.File `json:"state,omitempty" media:"image/tiff" doc:"what the filter knows of each series now: an input of the next run"`
	Report chains.File   `json:"report" media:"application/json" doc:"dates, looks before and after, warnings"`
}

// Chain is the process "s1tiling".
func Chain() chains.Chain {
	return chains.Define(chains.About{
		ID: "s1tiling", Version: Version, Title: "Sentinel-1 series on Sentinel-2 tiles, with a multitemporal speckle filter", Keywords: []string{"Sentinel-1", "time series", "speckle"},
		Description: "Calibrated tiles of all passes of an orbit, and the same with the speckle taken out over time (Quegan), keeping the resolution; a new date needs only the state of the filter, not the dates before.",
		Collection:  "s1-tiling", MemoryMiB: 4096, Minutes: 600,
	}, Run)
}

// run is what one call works with.
type run struct {
	in       *Inputs
	ws       chains.Workspace
	progress chains.Progress
	dates    []date
	warnings []string
	rows     []map[string]any // of the report
	out      Outputs
}

func (r *run) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.warnings = append(r.warnings, text)
	r.ws.Log.Warn(text)
}

// Run makes the tiles of the products, adds all new dates to the states, and filters.
func Run(ctx context.Context, in Inputs, ws chains.Workspace, progress chains.Progress) (Outputs, error) {
	if in.Window%2 == 0 {
		return Outputs{}, fault.New(fault.Invalid, "window: %d is not odd", in.Window)
	}
	if len(in.Product)+len(in.Image) == 0 {
		return Outputs{}, fault.New(fault.Invalid, "product: neither products nor images are given")
	}
	if len(in.Product) > 0 && in.DEM == "" {
		return Outputs{}, fault.New(fault.Invalid, "dem: products need a height model")
	}
	r := &run{in: &in, ws: ws, progress: progress}
	states := map[series]*state{}
	for _, path := range in.State {
		s, err := readState(string(path))
		if err != nil {
			return Outputs{}, err
		}
		if s.Window != in.Window || s.Guard != in.Guard {
			return Outputs{}, fault.New(fault.Invalid, "state: %s was made with window %d, guard %v", filepath.Base(string(path)), s.Window, s.Guard)
		}
		states[s.Series] = s
	}
	for _, path := range in.Image {
		d, err := parseImage(string(path))
		if err != nil {
			return Outputs{}, err
		}
		r.dates = append(r.dates, d)
	}
	if err := r.tile(ctx); err != nil {
		return Outputs{}, err
	}
	if err := r.filter(ctx, states); err != nil {
		return Outputs{}, err
	}
	r.out.Report = chains.File(filepath.Join(ws.Out, "report.json"))
	if err := writeJSON(string(r.out.Report), map[string]any{"version": Version, "series": r.rows, "warnings": append([]string{}, r.warnings...)}); err != nil {
		return Outputs{}, err
	}
	progress(1, 1)
	return r.out, nil
}

// tile makes the calibrated tiles of the products, one pass after another.
func (r *run) tile(ctx context.Context) error {
	passes := map[string][]chains.Product{}
	starts := map[string]string{}
	var order []string
	for _, path := range r.in.Product {
		pass, start, err := passOf(string(path))
		if err != nil {
			return err
		}
		if passes[pass] == nil {
			order = append(order, pass)
			starts[pass] = start
		}
		passes[pass] = append(passes[pass], path)
	}
	slices.SortFunc(order, func(a, b string) int { return strings.Compare(starts[a], starts[b]) })
	for i, pass := range order {
		ws := r.ws
		ws.Out, ws.Scratch = filepath.Join(r.ws.Scratch, pass), filepath.Join(r.ws.Scratch, pass+"-scratch")
		for _, dir := range []string{ws.Out, ws.Scratch} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		in := s1ortho.Inputs{Product: passes[pass], DEM: r.in.DEM, HeightsAbove: r.in.HeightsAbove, Geoid: r.in.Geoid, Orbit: r.in.Orbit, Calibration: r.in.Calibration,
			MinCoverage: r.in.MinCoverage, RemoveThermalNoise: r.in.RemoveThermalNoise, BorderNoise: r.in.BorderNoise, Interp: r.in.Interp, Tiles: r.in.Tiles,
			Polarisations: r.in.Polarisations, SRGR: "linear"}
		made, err := s1ortho.Make(ctx, &in, ws, func(done, total int64) { r.progress(int64(i)*total+done, int64(len(order))*total*2) })
		if err != nil {
			return err
		}
		for _, t := range made.Tiles {
			d, err := r.take(ctx, made, t)
			if err != nil {
				return err
			}
			r.dates = append(r.dates, d)
		}
		for _, dir := range []string{ws.Out, ws.Scratch} {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

var short = map[string]string{"sigma": "sig", "gamma": "gam", "beta": "bet", "gamma-rtc": "rtc"}

// take puts the polarisations of a tile together in one file of the date.
func (r *run) take(ctx context.Context, made *s1ortho.Made, t s1ortho.Tile) (date, error) {
	body, err := os.ReadFile(t.Item)
	if err != nil {
		return date{}, err
	}
	d := date{series: series{Tile: t.Name, Calibration: short[r.in.Calibration], Polarisations: strings.ToLower(strings.Join(made.Polarisations, ""))}}
	if err := json.Unmarshal(body, &d.item); err != nil {
		return date{}, err
	}
	p, _ := d.item["properties"].(map[string]any)
	when, _ := p["datetime"].(string)
	orbit, _ := p["sat:relative_orbit"].(float64)
	platform, _ := p["platform"].(string)
	d.version, _ = p["s1ortho:processor_version"].(string)
	d.unit, d.day, d.Orbit, d.Direction = "s"+platform[len(platform)-2:], strings.ReplaceAll(when[:10], "-", ""), fmt.Sprintf("%03.0f", orbit), "ASC"
	if p["sat:orbit_state"] == "descending" {
		d.Direction = "DES"
	}
	dir := filepath.Join(r.ws.Out, d.folder())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return date{}, err
	}
	d.path = filepath.Join(dir, d.name()+".tif")
	var files []string
	for _, pol := range made.Polarisations {
		files = append(files, t.Files[strings.ToLower(pol)])
	}
	return d, join(ctx, d, files)
}

func writeJSON(path string, v any) error {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(body, '\n'), 0o644) //nolint:gosec // results are for everyone who reads the folder
}
