package render

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/hex"
	"fmt"
	"image/color"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"swath/fault"
)

//go:embed colormaps.csv.gz
var colormapsCSV []byte // lines "name,rrggbb…"; written by gen/colormaps.py

// sceneClasses are the colours of ESA's Sentinel-2 scene classification (SCL); 0, no data, stays transparent.
const sceneClasses = `{
	"1": "#ff0000", "2": "#2f2f2f", "3": "#643200", "4": "#00a000", "5": "#ffe65a", "6": "#0000ff",
	"7": "#808080", "8": "#c0c0c0", "9": "#ffffff", "10": "#64c8ff", "11": "#ff96ff"
}`

var named = sync.OnceValue(func() map[string]*Colormap {
	table, err := readNamed(colormapsCSV)
	if err != nil {
		panic(err) // a test reads the embedded file
	}
	return table
})

func readNamed(csv []byte) (map[string]*Colormap, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(csv))
	if err != nil {
		return nil, fmt.Errorf("render: colormaps: %w", err)
	}
	text, err := io.ReadAll(unzipped)
	if err != nil {
		return nil, fmt.Errorf("render: colormaps: %w", err)
	}
	table := map[string]*Colormap{}
	for line := range strings.Lines(string(text)) {
		name, digits, _ := strings.Cut(strings.TrimSpace(line), ",")
		rgb, err := hex.DecodeString(digits)
		if err != nil || len(rgb) != 3*256 {
			return nil, fmt.Errorf("render: colormap %q has %d bytes: %w", name, len(rgb), err)
		}
		colours := make([]color.NRGBA, 256)
		for i := range colours {
			colours[i] = color.NRGBA{R: rgb[3*i], G: rgb[3*i+1], B: rgb[3*i+2], A: 255}
		}
		table[name] = &Colormap{colours: colours}
	}
	table["scl"], err = ParseColormap(sceneClasses)
	return table, err
}

// ColormapByName returns a built-in map: those of matplotlib, cmocean and rio-tiler under TiTiler's names ("viridis",
// "rdylgn_r", "cfastie", in any case), and "scl" for Sentinel-2 scene classes. The error is a fault.Invalid.
func ColormapByName(name string) (*Colormap, error) {
	m, ok := named()[strings.ToLower(name)]
	if !ok {
		return nil, fault.New(fault.Invalid, "colormap: %.40q is not known", name)
	}
	return m, nil
}

// ColormapNames returns the names that ColormapByName knows, sorted.
func ColormapNames() []string { return slices.Sorted(maps.Keys(named())) }
