package s1tiling

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"swath/fault"
	"swath/raster"
)

// series is what dates must have in common to be filtered together.
type series struct {
	Tile          string `json:"tile"`
	Orbit         string `json:"relative_orbit"` // "139"
	Direction     string `json:"direction"`      // "DES"
	Polarisations string `json:"polarisations"`  // "vvvh"
	Calibration   string `json:"calibration"`    // "sig"
}

func (s series) String() string {
	return strings.Join([]string{s.Calibration, s.Tile, s.Polarisations, s.Direction, s.Orbit}, "_")
}

// bands of one date's files.
func (s series) bands() (names []string) {
	for i := 0; i+2 <= len(s.Polarisations); i += 2 {
		names = append(names, s.Polarisations[i:i+2])
	}
	return names
}

// state is what a series' filter knows: in a file, two bands for each of a date's, and in its words this.
type state struct {
	Series series   `json:"series"`
	Window int      `json:"window"`
	Guard  bool     `json:"guard"`
	Looks  float64  `json:"looks"`
	Dates  []string `json:"dates"` // names of files without extension

	path string
}

// stateItem is where a state's words stand in its file.
const stateItem = "SWATH_S1TILING_STATE"

// readState reads the words of a state's file.
func readState(path string) (*state, error) {
	d, err := raster.Inspect(path)
	if err != nil {
		return nil, err
	}
	s := &state{path: path}
	text, ok := d.Items[stateItem]
	if !ok || json.Unmarshal([]byte(text), s) != nil || len(s.Series.bands())*2 != d.Bands {
		return nil, fault.New(fault.Invalid, "state: %s is not the state of a filter", filepath.Base(path))
	}
	return s, nil
}

// with is the state with those dates in it that are fresh, to be written to a file of its own; before may be nil.
func (before *state) with(path string, s series, f Filter, dates []date) *state {
	after := &state{Series: s, Window: f.Window, Guard: f.Guard, Looks: f.Looks, path: path}
	if before != nil {
		after.Dates = slices.Clone(before.Dates)
	}
	for _, d := range dates {
		if d.fresh {
			after.Dates = append(after.Dates, d.name())
		}
	}
	return after
}

// create begins the state's file, on the grid of a date's.
func (s *state) create(grid raster.Grid) (*raster.COGWriter, error) {
	words, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	g := raster.GeoTIFF{Grid: grid, Items: map[string]string{stateItem: string(words)}}
	for _, b := range s.Series.bands() {
		g.Bands = append(g.Bands, raster.GeoTIFFBand{Name: b + ": sum of ratios"}, raster.GeoTIFFBand{Name: b + ": number of dates"})
	}
	return raster.NewCOGWriter(s.path, g, raster.COGOptions{Fast: true, Overviews: raster.None})
}
