package s2

import (
	"encoding/json"
	"io/fs"
	"math"
	"path"
	"strings"

	"swath/eo"
	"swath/fault"
	"swath/geo"
	"swath/sentinel/safe"
)

// tileInfo is the part of tileInfo.json that is read.
type tileInfo struct {
	ProductName string `json:"productName"`
	Data        struct {
		Coordinates json.RawMessage `json:"coordinates"` // rings in the tile's UTM zone; deeper for a MultiPolygon
	} `json:"tileDataGeometry"`
}

// readBucket reads a tile folder of the public buckets: metadata.xml (the MTD_TL.xml), tileInfo.json, rasters with short names.
// The product's own metadata is not there, so scale and offset follow from the processing baseline in the tile's name.
func readBucket(fsys fs.FS) (*Product, error) {
	const name = "metadata.xml"
	var t tileXML
	if err := safe.DecodeXML(fsys, name, &t); err != nil {
		return nil, err
	}
	p, err := tileAlone(name, &t)
	if err != nil {
		return nil, err
	}
	if err := p.tileInfo(fsys); err != nil {
		return nil, err
	}
	f := &files{fsys: fsys, product: p}
	f.bucketImages()
	f.bucketMasks(&t)
	return p, nil
}

// tileAlone reads a product of which only the MTD_TL.xml is there.
func tileAlone(name string, t *tileXML) (*Product, error) {
	p := &Product{Saturated: math.MaxUint16, EarthSun: math.NaN(), CloudPercent: math.NaN()}
	switch t.XMLName.Local {
	case "Level-1C_Tile_ID":
		p.Level, p.Type = "L1C", "S2MSI1C"
	case "Level-2A_Tile_ID":
		p.Level, p.Type = "L2A", "S2MSI2A"
		p.Scales = Scales{AOT: 0.001, WVP: 0.001}
	default:
		return nil, fault.New(fault.Invalid, "%s: <%.60s> is not the metadata of a Sentinel-2 tile", name, t.XMLName.Local)
	}
	id := tileIDPattern.FindStringSubmatch(strings.TrimSpace(t.TileID))
	if id == nil {
		return nil, fault.New(fault.Invalid, "%s: TILE_ID %.80q is not one of Sentinel-2", name, t.TileID)
	}
	p.Platform, _ = eo.PlatformByName(id[1])
	p.Baseline = id[4]
	p.Bands = bands(p.Platform)
	for i := range p.Bands {
		p.Bands[i].Scale = 1e-4
		if p.Baseline >= "04.00" { // the baseline that brought the offset
			p.Bands[i].Offset = -0.1
		}
	}
	r := &reader{}
	r.tile(p, t)
	if r.err != nil {
		return nil, named(name, r.err)
	}
	return p, nil
}

// ParseTile reads what an MTD_TL.xml alone says: place, grids, directions, percentages. Errors call it by name.
func ParseTile(name string, body []byte) (*Product, error) {
	var t tileXML
	if err := safe.UnmarshalXML(name, body, &t); err != nil {
		return nil, err
	}
	return tileAlone(name, &t)
}

// tileInfo takes name, orbit and footprint from tileInfo.json; without it the tile's name and its square.
func (p *Product) tileInfo(fsys fs.FS) error {
	const name = "tileInfo.json"
	p.Name, p.DatatakeUTC = p.TileID, p.SensedUTC
	p.Metadata = []File{{"granule-metadata", "metadata.xml"}}
	projection, ok := geo.ProjectionOf(p.EPSG)
	if !ok {
		return fault.New(fault.Invalid, "metadata.xml: %v is not a UTM zone", p.EPSG)
	}
	g := p.Grids[0]
	square := geo.GridRing(projection, g.Transform, g.Width, g.Height, 1)
	for i := range square {
		square[i][0] = geo.WrapLon(square[i][0])
	}
	p.Footprints = []geo.Ring{square}
	if _, err := fs.Stat(fsys, name); err != nil {
		return nil
	}
	body, err := safe.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	var info tileInfo
	if err := json.Unmarshal(body, &info); err != nil {
		return fault.New(fault.Invalid, "%s: %v", name, err)
	}
	p.Metadata = append(p.Metadata, File{"tile-info", name})
	if parsed, err := eo.ParseName(info.ProductName); err == nil {
		if n, ok := parsed.(eo.S2Name); ok {
			p.Name, p.DatatakeUTC, p.RelativeOrbit = info.ProductName, n.DatatakeUTC, n.RelativeOrbit
		}
	}
	var rings []geo.Ring
	if json.Unmarshal(info.Data.Coordinates, &rings) == nil && len(rings) > 0 && len(rings[0]) >= 4 {
		ring := make(geo.Ring, len(rings[0]))
		for i, xy := range rings[0] {
			ring[i][0], ring[i][1] = projection.ToLonLat(xy[0], xy[1])
			if math.IsNaN(ring[i][0]) || math.IsNaN(ring[i][1]) {
				return fault.New(fault.Invalid, "%s: tileDataGeometry leaves the UTM zone", name)
			}
		}
		p.Footprints = []geo.Ring{ring}
	}
	return nil
}

// bucketImages finds B04.jp2 (L1C) or R10m/B04.jp2 (L2A), and notes the native ones that are not there.
func (f *files) bucketImages() {
	p := f.product
	expected := []string{"TCI"}
	if p.Level == "L2A" {
		expected = append(expected, "SCL", "AOT", "WVP")
	}
	for _, b := range p.Bands {
		if p.Level == "L1C" || b.Name != "B10" {
			expected = append(expected, b.Name)
		}
	}
	for _, band := range expected {
		native := nativeResolutionM(p, band)
		for _, resolution := range []int{10, 20, 60} {
			name := band
			if p.Level == "L2A" {
				name = path.Join(map[int]string{10: "R10m", 20: "R20m", 60: "R60m"}[resolution], band)
			} else if resolution != native {
				continue
			}
			if file, ok := f.folder(path.Dir(name))[path.Base(name)]; ok {
				p.Images = append(p.Images, Image{Band: band, ResolutionM: resolution, Path: path.Join(path.Dir(name), file)})
			} else if resolution == native {
				p.Missing = append(p.Missing, name+".jp2")
			}
		}
	}
	markNative(p)
}

// bucketMasks finds the masks under qi, where the probability masks have other names.
func (f *files) bucketMasks(t *tileXML) {
	rename := strings.NewReplacer("MSK_CLDPRB", "CLD", "MSK_SNWPRB", "SNW")
	r := &reader{}
	for _, m := range t.Masks {
		band := r.bandOf(f.product, m.Band)
		if name, ok := f.find("qi/" + rename.Replace(path.Base(strings.TrimSpace(m.Path)))); ok && r.err == nil {
			f.addMask(m.Type, band, name)
		}
		r.err = nil
	}
	for _, name := range []string{"qi/L2A_PVI.jp2", "preview.jp2", "preview.jpg"} {
		if _, err := fs.Stat(f.fsys, name); err == nil {
			f.product.Preview = name
			return
		}
	}
}
