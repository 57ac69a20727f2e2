package s2

import (
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"

	"swath/eo"
	"swath/fault"
	"swath/sentinel/safe"
)

// Read reads a product whose root is the root of fsys. What is wrong with the metadata is fault.Invalid and named; files that
// the metadata names and that are not there are listed in Missing, and the caller decides.
func Read(fsys fs.FS) (*Product, error) {
	for _, level := range []string{"L1C", "L2A"} {
		name := "MTD_MSI" + level + ".xml"
		if _, err := fs.Stat(fsys, name); err == nil {
			return readSAFE(fsys, name, level)
		}
	}
	if _, err := fs.Stat(fsys, "metadata.xml"); err == nil {
		return readBucket(fsys)
	}
	if old, _ := fs.Glob(fsys, "S2?_*_MTD_SAF*.xml"); len(old) > 0 {
		return nil, fault.New(fault.Invalid, "%s: products in the format before December 2016 are not read", old[0])
	}
	return nil, fault.New(fault.Invalid, "not a Sentinel-2 product: neither MTD_MSIL1C.xml nor MTD_MSIL2A.xml nor metadata.xml")
}

// readSAFE reads the layout of the ground segment.
func readSAFE(fsys fs.FS, name, level string) (*Product, error) {
	var d productXML
	if err := safe.DecodeXML(fsys, name, &d); err != nil {
		return nil, err
	}
	r := &reader{}
	p := &Product{Level: level}
	r.product(p, &d)
	if r.err != nil {
		return nil, named(name, r.err)
	}
	granule, err := granuleOf(fsys, &d)
	if err != nil {
		return nil, named(name, err)
	}
	tileName := path.Join(granule, "MTD_TL.xml")
	var t tileXML
	if err := safe.DecodeXML(fsys, tileName, &t); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(t.XMLName.Local, "_Tile_ID") {
		return nil, fault.New(fault.Invalid, "%s: <%.60s> is not the metadata of a Sentinel-2 tile", tileName, t.XMLName.Local)
	}
	r.tile(p, &t)
	if r.err != nil {
		return nil, named(tileName, r.err)
	}
	f := &files{fsys: fsys, product: p, granule: granule}
	f.images(d.Info.Granules[0].Images)
	f.masks(&t)
	f.preview(t.Preview)
	f.metadata(name, tileName)
	return p, nil
}

// named says which file a mistake is in.
func named(file string, err error) error {
	return fault.New(fault.Invalid, "%s: %v", file, err)
}

// granuleOf returns the folder of the one granule.
func granuleOf(fsys fs.FS, d *productXML) (string, error) {
	if n := len(d.Info.Granules); n != 1 {
		return "", fault.New(fault.Invalid, "%d granules; products of one tile are read", n)
	}
	images := d.Info.Granules[0].Images
	if len(images) == 0 {
		return "", fault.New(fault.Invalid, "no IMAGE_FILE")
	}
	if name, ok := safe.LocalName(images[0]); ok {
		if parts := strings.Split(name, "/"); len(parts) > 2 && parts[0] == "GRANULE" {
			return path.Join(parts[:2]...), nil
		}
	}
	return "", fault.New(fault.Invalid, "IMAGE_FILE %.100q is not inside GRANULE", images[0])
}

// product fills in what MTD_MSIL1C.xml or MTD_MSIL2A.xml says.
func (r *reader) product(p *Product, d *productXML) {
	if want := map[string]string{"L1C": "Level-1C_User_Product", "L2A": "Level-2A_User_Product"}[p.Level]; d.XMLName.Local != want {
		r.fail("<%.60s> is not the expected <%s>", d.XMLName.Local, want)
		return
	}
	var known bool
	if p.Platform, known = eo.PlatformByName(d.Info.Datatake.Spacecraft); !known || p.Platform.Mission != eo.Sentinel2 {
		r.fail("SPACECRAFT_NAME %.40q is not a Sentinel-2", d.Info.Datatake.Spacecraft)
		return
	}
	p.Name = strings.TrimSuffix(strings.TrimSpace(d.Info.URI), ".SAFE")
	if _, err := eo.ParseName(p.Name); err != nil {
		r.fail("PRODUCT_URI: %v", err)
	}
	p.Type, p.Baseline = strings.TrimSpace(d.Info.Type), strings.TrimSpace(d.Info.Baseline)
	if p.Baseline == "" {
		r.fail("PROCESSING_BASELINE is missing")
	}
	if doi := strings.TrimSpace(d.Info.DOI); strings.HasPrefix(doi, "https://doi.org/") {
		p.DOI = doi
	}
	p.GeneratedUTC = r.time("GENERATION_TIME", d.Info.Generated)
	p.DatatakeID, p.DatatakeType = d.Info.Datatake.ID, strings.TrimSpace(d.Info.Datatake.Type)
	p.DatatakeUTC = r.time("DATATAKE_SENSING_START", d.Info.Datatake.Start)
	p.RelativeOrbit = r.int("SENSING_ORBIT_NUMBER", d.Info.Datatake.Orbit, 1, 143)
	p.OrbitState = strings.ToLower(strings.TrimSpace(d.Info.Datatake.Direction))
	if p.OrbitState != "ascending" && p.OrbitState != "descending" {
		r.fail("SENSING_ORBIT_DIRECTION %.40q is neither ASCENDING nor DESCENDING", d.Info.Datatake.Direction)
	}
	p.CloudPercent = r.optional("Cloud_Coverage_Assessment", d.Cloud)
	for _, text := range d.Footprints {
		ring, err := safe.ParseLatLonRing(text, 2)
		if err != nil {
			r.fail("EXT_POS_LIST: %v", err)
		}
		p.Footprints = append(p.Footprints, ring)
	}
	r.radiometry(p, d)
}

// radiometry fills in what turns digital numbers into reflectance. An offset counts when its element is there, whatever the
// baseline or date say.
func (r *reader) radiometry(p *Product, d *productXML) {
	im := &d.Image
	p.NoData, p.Saturated = 0, math.MaxUint16 // as every product so far
	for _, s := range im.Special {
		switch strings.TrimSpace(s.Text) {
		case "NODATA":
			p.NoData = r.int("NODATA", s.Index, 0, math.MaxUint16)
		case "SATURATED":
			p.Saturated = r.int("SATURATED", s.Index, 0, math.MaxUint16)
		}
	}
	var quantification float64
	offsets := im.RadioOffsets
	if p.Level == "L1C" {
		quantification = r.positive("QUANTIFICATION_VALUE", im.Quantification)
	} else {
		quantification = r.positive("BOA_QUANTIFICATION_VALUE", im.BOA)
		p.Scales = Scales{AOT: 1 / r.positive("AOT_QUANTIFICATION_VALUE", im.AOT), WVP: 1 / r.positive("WVP_QUANTIFICATION_VALUE", im.WVP)}
		offsets = im.BOAOffsets
	}
	p.EarthSun = r.optional("U", im.EarthSun)
	p.Bands = bands(p.Platform)
	for i := range p.Bands {
		p.Bands[i].Scale = 1 / quantification
	}
	for _, o := range offsets {
		r.band(p, o).Offset = r.float("offset", o.Value) / quantification
	}
	for _, s := range im.Irradiance {
		r.band(p, s).SolarIrradiance = r.positive("SOLAR_IRRADIANCE", s.Value)
	}
	for _, s := range im.Spectral {
		if s.Central != "" {
			r.band(p, bandValueXML{ID: s.ID}).CenterUm = r.positive("CENTRAL", s.Central) / 1000
		}
	}
	if n := len(offsets); n != 0 && n < len(p.Bands) {
		r.fail("%d radiometric offsets for %d bands", n, len(p.Bands))
	}
}

// band returns the band of a bandId.
func (r *reader) band(p *Product, v bandValueXML) *Band {
	id := v.ID
	if id == "" {
		id = v.AltID
	}
	return &p.Bands[r.int("bandId", id, 0, len(p.Bands)-1)]
}

// bandOf returns the name of a bandId that a mask names; empty for none.
func (r *reader) bandOf(p *Product, id string) string {
	if id == "" {
		return ""
	}
	return r.band(p, bandValueXML{ID: id}).Name
}

// nativeResolutionM is the resolution at which a band or layer was measured or computed, metres.
func nativeResolutionM(p *Product, band string) int {
	if b, ok := p.Band(band); ok {
		return int(b.GSDM)
	}
	if slices.Contains([]string{"SCL", "AOT", "WVP"}, band) {
		return 20 // Sen2Cor works at 20 m; its 10 m and 60 m versions are resampled
	}
	return 10
}
