package tiles

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"swath/fault"
	"swath/raster"
	"swath/sentinel/s1"
	"swath/sentinel/s2"
	"swath/sentinel/safe"
)

// Angles are the directions to the Sun and to the instrument of a Sentinel-2 product, as its metadata gives them.
type Angles struct {
	Collection string    `json:"collection"`
	ID         string    `json:"id"`
	TimeUTC    time.Time `json:"datetime"` // of the tile
	CRS        string    `json:"crs"`      // of the grids
	Sun        SunAngles `json:"sun"`
	View       ViewMeans `json:"view"`
}

// SunAngles are towards the Sun.
type SunAngles struct {
	Mean *Direction `json:"mean"`
	Grid *AngleGrid `json:"grid"`
}

// ViewMeans are towards the instrument.
type ViewMeans struct {
	Mean  *Direction   `json:"mean"` // over all bands, as directions
	Bands []BandAngles `json:"bands"`
}

// BandAngles are those of one band: each detector sees its own strip of the tile.
type BandAngles struct {
	Band      string           `json:"band"`
	Mean      *Direction       `json:"mean"`
	Detectors []DetectorAngles `json:"detectors"`
}

// DetectorAngles are those of one detector.
type DetectorAngles struct {
	Detector int `json:"detector"`
	*AngleGrid
}

// Direction is one direction from the ground.
type Direction struct {
	ZenithDeg  float64 `json:"zenith_deg"`  // from the vertical
	AzimuthDeg float64 `json:"azimuth_deg"` // clockwise from north
}

// AngleGrid is directions at nodes; row by row from the north, each from the west. The first node is at the origin.
type AngleGrid struct {
	OriginM    [2]float64   `json:"origin_m"` // x and y
	StepM      [2]float64   `json:"step_m"`   // eastwards and southwards
	ZenithDeg  [][]*float64 `json:"zenith_deg"`
	AzimuthDeg [][]*float64 `json:"azimuth_deg"` // null where none is given
}

// Orbit is where the satellite of a Sentinel-1 product was, as its annotation gives it.
type Orbit struct {
	Collection string        `json:"collection"`
	ID         string        `json:"id"`
	Frame      string        `json:"frame"`
	Source     string        `json:"source"` // the asset
	Vectors    []StateVector `json:"state_vectors"`
}

// StateVector is position and velocity at a time.
type StateVector struct {
	TimeUTC       time.Time  `json:"time"`
	PositionM     [3]float64 `json:"position_m"`
	VelocityMPerS [3]float64 `json:"velocity_m_per_s"`
}

// tileMetadata is the asset of a Sentinel-2 item that tells the angles; annotations are those of a Sentinel-1 item, by polarisation.
const (
	tileMetadata = "granule-metadata"
	annotations  = "annotation-"
)

// Angles returns the directions of a Sentinel-2 product: of the bands named, or of all. An item that has none is fault.NotFound.
func (r *Renderer) Angles(ctx context.Context, collection, id string, bands []string) (Angles, error) {
	_, body, err := r.metadata(ctx, collection, id, "angles of a Sentinel-2 product", tileMetadata, func(key string) bool { return key == tileMetadata })
	if err != nil {
		return Angles{}, err
	}
	p, err := s2.ParseTile(tileMetadata, body)
	if err != nil {
		return Angles{}, unread(collection, id, "angles", err)
	}
	out := Angles{Collection: collection, ID: id, TimeUTC: p.SensedUTC, CRS: p.EPSG.String(),
		Sun:  SunAngles{direction(p.MeanSun), angleGrid(p.Sun)},
		View: ViewMeans{direction(p.MeanView()), []BandAngles{}}}
	for _, name := range bands {
		if _, ok := p.Band(name); !ok {
			return Angles{}, fault.New(fault.Invalid, "Sentinel-2 has no band %.40q", name)
		}
	}
	for _, b := range p.Bands {
		if len(bands) > 0 && !slices.Contains(bands, b.Name) {
			continue
		}
		of := BandAngles{b.Name, direction(b.MeanView), []DetectorAngles{}}
		for _, v := range p.Views {
			if g := angleGrid(v.AngleGrid); v.Band == b.Name && g != nil {
				of.Detectors = append(of.Detectors, DetectorAngles{v.Detector, g})
			}
		}
		out.View.Bands = append(out.View.Bands, of)
	}
	return out, nil
}

func direction(a s2.Angles) *Direction {
	if a.ZenithDeg != a.ZenithDeg || a.AzimuthDeg != a.AzimuthDeg {
		return nil
	}
	return &Direction{a.ZenithDeg, a.AzimuthDeg}
}

func angleGrid(g s2.AngleGrid) *AngleGrid {
	if len(g.Nodes) == 0 {
		return nil
	}
	out := &AngleGrid{OriginM: [2]float64{g.OriginX, g.OriginY}, StepM: [2]float64{g.StepX, g.StepY}}
	given := func(v float64) *float64 {
		if v != v {
			return nil
		}
		return &v
	}
	for row := range slices.Chunk(g.Nodes, g.Columns) {
		zenith, azimuth := make([]*float64, len(row)), make([]*float64, len(row))
		for i, a := range row {
			zenith[i], azimuth[i] = given(a.ZenithDeg), given(a.AzimuthDeg)
		}
		out.ZenithDeg, out.AzimuthDeg = append(out.ZenithDeg, zenith), append(out.AzimuthDeg, azimuth)
	}
	return out
}

// Orbit returns the state vectors of a Sentinel-1 product. An item that has none is fault.NotFound.
func (r *Renderer) Orbit(ctx context.Context, collection, id string) (Orbit, error) {
	key, body, err := r.metadata(ctx, collection, id, "orbit of a Sentinel-1 product", annotations+"*", func(key string) bool { return strings.HasPrefix(key, annotations) })
	if err != nil {
		return Orbit{}, err
	}
	vectors, err := s1.ParseOrbit(key, body)
	if err != nil {
		return Orbit{}, unread(collection, id, "orbit", err)
	}
	out := Orbit{Collection: collection, ID: id, Frame: s1.EarthFixed, Source: key, Vectors: make([]StateVector, len(vectors))}
	for i, v := range vectors {
		out.Vectors[i] = StateVector(v)
	}
	return out, nil
}

// unread says that an item's own metadata are not what they should be: nothing that another request could mend.
func unread(collection, id, what string, err error) error {
	_, public := fault.Of(err)
	return fault.Wrap(fault.NotFound, err, "the %s of item %q of %q cannot be read: %s", what, id, collection, public)
}

// metadata returns the bytes of the first asset of an item, by key, that is wanted and held here.
func (r *Renderer) metadata(ctx context.Context, collection, id, what, name string, wanted func(key string) bool) (key string, body []byte, err error) {
	it, err := r.catalog.Item(ctx, collection, id)
	if err != nil {
		return "", nil, fmt.Errorf("tiles: item %s/%s: %w", collection, id, err)
	}
	var doc itemJSON
	if err := json.Unmarshal(it.Body, &doc); err != nil {
		return "", nil, fault.Wrap(fault.NotFound, err, "item %q has no assets that can be read", id)
	}
	foreign := ""
	for _, key := range slices.Sorted(maps.Keys(doc.Assets)) {
		switch a := doc.Assets[key]; {
		case !wanted(key):
		case a.Object == "":
			foreign = key
		default:
			body, err := r.bytes(ctx, a.Object)
			return key, body, err
		}
	}
	if foreign != "" {
		return "", nil, fault.New(fault.NotFound, "there is no %s: asset %q of item %q is not held here", what, foreign, id)
	}
	return "", nil, fault.New(fault.NotFound, "there is no %s: item %q has no asset %s", what, id, name)
}

// bytes reads a metadata object whole.
func (r *Renderer) bytes(ctx context.Context, object string) ([]byte, error) {
	src, err := r.open(ctx, object)
	if err != nil {
		return nil, fmt.Errorf("tiles: opening %s: %w", object, err)
	}
	defer closeSource(src)
	if size := src.Size(); size > safe.MaxXMLBytes {
		return nil, fault.New(fault.TooLarge, "the metadata have %d bytes; at most %d are read", size, safe.MaxXMLBytes)
	}
	body := make([]byte, src.Size())
	if n, err := src.ReadAt(body, 0); err != nil && (err != io.EOF || n < len(body)) {
		return nil, fmt.Errorf("tiles: reading %s: %w", object, err)
	}
	return body, nil
}

func closeSource(src raster.Source) {
	if closer, ok := src.(io.Closer); ok {
		closer.Close() // read-only: there is nothing to lose
	}
}
