package s1ortho

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"swath/chains"
	"swath/dem"
	"swath/fault"
	"swath/sar"
)

// Inputs of the chain.
type Inputs struct {
	Product            []chains.Product `json:"product" minItems:"1" maxItems:"12" doc:"a Sentinel-1 GRD product (IW, EW or SM); several are adjacent slices of one pass, which are put together"`
	DEM                chains.Folder    `json:"dem" doc:"height model: a folder of GeoTIFF (Copernicus, or any) or .hgt (SRTM) tiles; where there is none is sea"`
	HeightsAbove       string           `json:"heights_above" default:"geoid" enum:"geoid,ellipsoid" doc:"what the height model's heights are above"`
	Geoid              chains.File      `json:"geoid,omitempty" doc:"undulations, .gtx or GeoTIFF; EGM96 when not given"`
	Orbit              chains.File      `json:"orbit,omitempty" doc:"precise or restituted orbit file (.EOF), or a folder with them; the annotation's state vectors when not given"`
	Calibration        string           `json:"calibration" default:"gamma" enum:"gamma,sigma,beta,gamma-rtc" doc:"backscatter: gamma, sigma or beta nought, or gamma nought flattened by the ground's illuminated area"`
	MinCoverage        float64          `json:"min_coverage" default:"0.10" minimum:"0" maximum:"1" doc:"share of a tile that must have been measured for it to be made"`
	RemoveThermalNoise bool             `json:"remove_thermal_noise" default:"true" doc:"subtract the annotated thermal noise"`
	BorderNoise        string           `json:"border_noise" default:"auto" enum:"auto,none" doc:"auto: mask the fringe of small values at the image's edges"`
	Interp             string           `json:"interp" default:"bilinear" enum:"bilinear,cubic,nearest" doc:"how values between samples are made"`
	Tiles              []string         `json:"tiles,omitempty" pattern:"^[0-9]{2}[C-HJ-NP-X][A-HJ-NP-Z]{2}$" doc:"names of MGRS tiles; all that are covered when not given"`
	Polarisations      []string         `json:"polarisations,omitempty" enum:"VV,VH,HH,HV,vv,vh,hh,hv" doc:"which; all of the product when not given"`
	DB                 bool             `json:"db" default:"false" doc:"decibels instead of linear power"`
	LocalIncidence     bool             `json:"local_incidence" default:"false" doc:"a file of local incidence angles besides, degrees by 0.01"`
	Mask               bool             `json:"mask" default:"false" doc:"a file of layover (1), shadow (2) and places without measurement (4) besides"`
	Zip                bool             `json:"zip" default:"true" doc:"a zip of all GeoTIFFs, items and the report besides"`
	SRGR               string           `json:"srgr" default:"linear" enum:"linear,nearest" doc:"how polynomials from slant to ground range are used between their times"`
}

// Outputs of the chain.
type Outputs struct {
	Items  []chains.Item `json:"items,omitempty" doc:"one item a tile"`
	Report chains.File   `json:"report" media:"application/json" doc:"coverage of each tile, orbits, versions, warnings"`
	Zip    chains.File   `json:"zip,omitempty" media:"application/zip" doc:"all tiles in one file"`
}

// Chain is the process "s1ortho".
func Chain() chains.Chain {
	return chains.Define(chains.About{
		ID: "s1ortho", Version: Version, Title: "Sentinel-1 orthorectification on the Sentinel-2 grid", Keywords: []string{"Sentinel-1", "GRD", "backscatter", "RTC"},
		Description: "Thermal and border noise removal, calibration and terrain geocoding of ground range images onto every MGRS tile that they cover, as cloud-optimized GeoTIFFs.",
		Collection:  "s1-ortho", MemoryMiB: 4096, Minutes: 120,
	}, Run)
}

func (in *Inputs) interpolation() sar.Interpolation {
	return map[string]sar.Interpolation{"nearest": sar.NearestSample, "bilinear": sar.Bilinear, "cubic": sar.Cubic}[in.Interp]
}

// Run makes the tiles.
func Run(ctx context.Context, in Inputs, ws chains.Workspace, progress chains.Progress) (Outputs, error) {
	made, err := Make(ctx, &in, ws, progress)
	if err != nil {
		return Outputs{}, err
	}
	out := Outputs{Report: chains.File(filepath.Join(ws.Out, "report.json"))}
	for _, t := range made.Tiles {
		out.Items = append(out.Items, chains.Item(t.Item))
	}
	if err := writeJSON(string(out.Report), made.Report); err != nil {
		return Outputs{}, err
	}
	if in.Zip && len(made.Tiles) > 0 {
		path := filepath.Join(ws.Out, made.Name+".zip")
		if err := pack(ctx, path, ws.Out, string(out.Report), made.Tiles); err != nil {
			return Outputs{}, err
		}
		out.Zip = chains.File(path)
	}
	return out, nil
}

// Tile is a tile that was made.
type Tile struct {
	Name, Dir, Item string
	Files           map[string]string // by "vv", "vh", "local_incidence", "mask"
}

// Made is what a run made.
type Made struct {
	Name          string // of the pass and the calibration
	Polarisations []string
	Tiles         []Tile
	Report        map[string]any
}

// Make does the work of Run up to the report.
func Make(ctx context.Context, in *Inputs, ws chains.Workspace, progress chains.Progress) (*Made, error) {
	geoid, err := in.geoid(ctx)
	if err != nil {
		return nil, err
	}
	model, err := dem.Open(string(in.DEM), geoid)
	if err != nil {
		return nil, err
	}
	s, err := openScene(ctx, in, ws)
	if err != nil {
		return nil, err
	}
	defer s.close()
	names, err := s.candidates(in.Tiles)
	if err != nil {
		return nil, err
	}
	unit, direction, orbit, stamp := s.pass()
	made := &Made{Name: strings.Join([]string{unit, direction, orbit, stamp, in.Calibration}, "_"), Polarisations: s.polarisations}
	var tiles []object
	const strips = tilePx/blockSide + 1
	for i, name := range names {
		done := int64(i) * strips
		progress(done, int64(len(names))*strips)
		t, coverage, err := s.look(ctx, in, model, name)
		if err != nil {
			return nil, err
		}
		row := object{"tile": name, "coverage": coverage, "made": t != nil}
		tiles = append(tiles, row)
		if t == nil {
			continue
		}
		ws.Log.Info("tile begins", "tile", name, "coverage", coverage)
		result, err := t.make(ctx, ws, row, func() { done++; progress(done, int64(len(names))*strips) })
		if err != nil {
			return nil, fmt.Errorf("tile %s: %w", name, err)
		}
		made.Tiles = append(made.Tiles, result)
	}
	progress(1, 1)
	if len(made.Tiles) == 0 {
		s.warn(ws, "no tile is covered by %.0f %% or more", 100*in.MinCoverage)
	}
	orbits, versions := []string{}, []string{}
	for _, sl := range s.slices {
		orbits, versions = append(orbits, sl.orbit), append(versions, sl.product.SoftwareVersion)
	}
	made.Report = object{"products": s.productNames(), "orbits": orbits, "processor_versions": versions, "tiles": tiles, "warnings": slices.Concat([]string{}, s.warnings),
		"min_coverage": in.MinCoverage, "calibration": in.Calibration, "version": Version}
	return made, nil
}

// make writes the files and the item of a tile.
func (t *tile) make(ctx context.Context, ws chains.Workspace, row object, tick func()) (Tile, error) {
	dir := filepath.Join(ws.Out, t.id())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Tile{}, err
	}
	row["sea_level_share"] = float64(t.relief.Assumed) / float64(len(t.relief.M))
	if share := row["sea_level_share"].(float64); share > 0.01 {
		t.scene.warn(ws, "tile %s: the height model has nothing on %.0f %% of the ground around, which is taken for sea", t.name, 100*share)
	}
	files, err := t.write(ctx, dir, ws, tick)
	if err != nil {
		return Tile{}, err
	}
	for i, pol := range t.scene.polarisations {
		row[strings.ToLower(pol)] = object{"valid_pixels": t.valid[i], "clipped_pixels": t.clipped[i]}
	}
	item, err := t.item(ctx, dir, files, row)
	return Tile{Name: t.name, Dir: dir, Item: item, Files: files}, err
}

// geoid returns what the heights are above; nil: the ellipsoid.
func (in *Inputs) geoid(ctx context.Context) (*dem.Geoid, error) {
	switch {
	case in.HeightsAbove == "ellipsoid" && in.Geoid != "":
		return nil, fault.New(fault.Invalid, "geoid: not needed for heights above the ellipsoid")
	case in.HeightsAbove == "ellipsoid":
		return nil, nil
	case in.Geoid != "":
		return dem.OpenGeoid(ctx, string(in.Geoid))
	}
	return dem.EGM96()
}

// pack stores all files of the tiles, whose pixels are compressed already, in one zip.
func pack(ctx context.Context, path, out, report string, tiles []Tile) (err error) {
	f, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(path + ".part")
		}
	}()
	z := zip.NewWriter(f)
	add := func(file string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := filepath.Rel(out, file)
		if err != nil {
			return err
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: filepath.ToSlash(name), Method: zip.Store})
		if err != nil {
			return err
		}
		r, err := os.Open(file)
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(w, r)
		return err
	}
	for _, t := range tiles {
		var files []string
		for _, file := range t.Files {
			files = append(files, file)
		}
		slices.Sort(files)
		for _, file := range append(files, t.Item) {
			if err := add(file); err != nil {
				return err
			}
		}
	}
	if err := add(report); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
