package s2

import (
	"math"
	"time"

	"swath/eo"
	"swath/geo"
)

// Product is what the metadata says of one product of one tile.
type Product struct {
	Name     string // without .SAFE
	Platform eo.Platform
	Level    string // "L1C" or "L2A"
	Type     string // "S2MSI1C" or "S2MSI2A"
	Baseline string // processing baseline, "05.10"
	DOI      string // as a URL; empty before baseline 04.00

	TileID, DatastripID      string // the identifiers of the ground segment
	DatatakeID, DatatakeType string // empty in the bucket layout

	DatatakeUTC  time.Time // start of the datatake, in the product's name
	SensedUTC    time.Time // of the tile itself, up to some minutes later
	GeneratedUTC time.Time // zero in the bucket layout

	RelativeOrbit int // 1..143; 0 when not given
	AbsoluteOrbit int
	OrbitState    string // "ascending" or "descending"; empty in the bucket layout

	Tile  string // MGRS, "31TCJ"
	EPSG  geo.EPSG
	Grids []Grid // 10, 20 and 60 m

	Bands     []Band // in the order of bandId
	NoData    int    // special values of the images
	Saturated int
	Scales    Scales
	// EarthSun is the correction U of the Earth-Sun distance, for turning L1C reflectance back into radiance; it is already
	// applied to reflectance. NaN in the bucket layout.
	EarthSun float64

	CloudPercent float64            // NaN when not given
	Percents     map[string]float64 // the other shares by element, lower case: "nodata_pixel_percentage", "water_percentage"

	MeanSun Angles
	Sun     AngleGrid
	Views   []ViewGrid // one for each band and detector

	// Footprints are closed rings of (longitude, latitude) as the product gives them: within [-180, 180], so that they jump
	// where they cross the antimeridian (geo.SplitAntimeridian divides them).
	Footprints []geo.Ring

	Images   []Image
	Masks    []Mask
	Preview  string // small true colour image, 320 m; empty when there is none
	Metadata []File
	Missing  []string // files that the metadata names and the product lacks
}

// Grid is the pixel grid of one resolution.
type Grid struct {
	ResolutionM   int
	Width, Height int // pixels
	Transform     geo.Affine
}

// Grid returns the grid of a resolution; false when the product has none.
func (p *Product) Grid(resolutionM int) (Grid, bool) {
	for _, g := range p.Grids {
		if g.ResolutionM == resolutionM {
			return g, true
		}
	}
	return Grid{}, false
}

// Band is a spectral band with what turns its numbers into reflectance.
type Band struct {
	eo.Band
	Scale, Offset   float64 // reflectance = DN·Scale + Offset
	SolarIrradiance float64 // W/(m² µm), NaN when not given
	MeanView        Angles  // NaN when not given
}

// Band returns a band by name; false when there is no such band.
func (p *Product) Band(name string) (Band, bool) {
	for _, b := range p.Bands {
		if b.Name == name {
			return b, true
		}
	}
	return Band{}, false
}

// Scales turn the stored numbers of L2A's atmosphere images into values; zero in L1C.
type Scales struct {
	AOT float64 // aerosol optical thickness at 550 nm for a DN of 1
	WVP float64 // water vapour column for a DN of 1, g/cm² (the same as cm of water)
}

// Image is one raster of the product.
type Image struct {
	Band        string // "B04", "TCI", "AOT", "WVP", "SCL"
	ResolutionM int
	Path        string
	Native      bool // the one to use for its band; L2A repeats bands at coarser resolutions
}

// Mask is one quality mask: a raster (JPEG 2000, since baseline 04.00) or polygons (GML, before).
type Mask struct {
	Type        string // "MSK_CLASSI", "MSK_DETFOO", "MSK_QUALIT", "MSK_CLDPRB", "MSK_CLOUDS"…
	Band        string // "" when it holds for all bands
	ResolutionM int    // when there are several; else 0
	Path        string
	Vector      bool // GML, for ReadMask
}

// File is a metadata file; Key names it in items: "product-metadata", "granule-metadata", "datastrip-metadata",
// "safe-manifest", "inspire-metadata", "tile-info".
type File struct{ Key, Path string }

// MeanView returns the mean direction to the instrument over all bands, averaged as directions.
func (p *Product) MeanView() Angles {
	var x, y, n float64
	for _, b := range p.Bands {
		if tx, ty := b.MeanView.tangents(); !math.IsNaN(tx + ty) {
			x, y, n = x+tx, y+ty, n+1
		}
	}
	return fromTangents(x/n, y/n) // NaN without bands
}
