package raster

import (
	"fmt"
	"math"
	"strconv"

	"github.com/airbusgeo/godal"

	"swath/fault"
	"swath/geo"
)

// Description is what a raster says about itself.
type Description struct {
	Width, Height int // pixels
	Bands         int
	Alpha         int               // band of opacity, counted from 1; 0 when there is none
	BandNames     []string          // per band; "" where the file gives none
	Items         map[string]string // what is said of the whole image (GDAL's metadata)
	DataType      DataType
	NoData        *float64
	CRS           geo.EPSG // 0 when the system has no code; then WKT describes it
	WKT           string   // version 2; "" when the raster has no coordinate system
	Transform     geo.Affine
	GCPs          []geo.GCP
}

// Georeferenced reports whether the raster's pixels have places.
func (d Description) Georeferenced() bool {
	return len(d.GCPs) > 0 || d.WKT != "" && d.Transform != geo.Affine{}
}

// Inspect describes a GeoTIFF or JPEG 2000 file; the path may be GDAL's into a zip (/vsizip/…).
func Inspect(path string) (Description, error) {
	ds, err := open(path)
	if err != nil {
		return Description{}, err
	}
	defer ds.Close()
	d, err := describe(ds)
	if err != nil {
		return d, fmt.Errorf("raster: inspect %s: %w", path, err)
	}
	return d, nil
}

// open opens a raster with the drivers for files from outside.
func open(path string) (*godal.Dataset, error) {
	if err := useGDAL(); err != nil {
		return nil, err
	}
	if err := checkJP2(path); err != nil {
		return nil, fmt.Errorf("raster: open %s: %w", path, err)
	}
	ds, err := godal.Open(path, godal.RasterOnly(), godal.Drivers("GTiff", "JP2OpenJPEG"), godal.ErrLogger(failures))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file cannot be read as GeoTIFF or JPEG 2000")
	}
	return ds, nil
}

// failures makes an error of GDAL's failures, and lets warnings pass.
func failures(category godal.ErrorCategory, code int, message string) error {
	if category < godal.CE_Failure {
		return nil
	}
	return fmt.Errorf("GDAL %d: %s", code, message)
}

func describe(ds *godal.Dataset) (Description, error) {
	s := ds.Structure()
	d := Description{Width: s.SizeX, Height: s.SizeY, Bands: s.NBands, Items: ds.Metadatas()}
	if s.SizeX > maxSide || s.SizeY > maxSide || s.NBands > maxBands || s.NBands == 0 {
		return d, fault.New(fault.Invalid, "the raster has %d x %d pixels and %d bands", s.SizeX, s.SizeY, s.NBands)
	}
	bands := ds.Bands()
	for _, b := range bands {
		if b.Structure().DataType != s.DataType {
			return d, fault.New(fault.Invalid, "the raster's bands are of several types")
		}
		d.BandNames = append(d.BandNames, b.Description())
		if b.ColorInterp() == godal.CIAlpha && len(bands) > 1 {
			d.Alpha = len(d.BandNames)
		}
	}
	ok := false
	d.DataType, ok = map[godal.DataType]DataType{
		godal.Byte: Uint8, godal.UInt16: Uint16, godal.Int16: Int16, godal.UInt32: Uint32, godal.Int32: Int32, godal.Float32: Float32, godal.Float64: Float64,
	}[s.DataType]
	if !ok || bands[0].Metadata("PIXELTYPE", godal.Domain("IMAGE_STRUCTURE")) == "SIGNEDBYTE" {
		return d, fault.New(fault.Invalid, "the raster's samples are %s, which are not read", s.DataType)
	}
	if v, ok := bands[0].NoData(); ok {
		d.NoData = &v
	}
	if gcps := ds.GCPs(); len(gcps) > 0 {
		return d, d.place(gcps, ds)
	}
	if t, err := ds.GeoTransform(godal.ErrLogger(silent)); err == nil && t != [6]float64{0, 1, 0, 0, 0, 1} {
		d.Transform = t
		if _, ok := d.Transform.Invert(); !ok {
			return d, fault.New(fault.Invalid, "the raster's geotransform %v cannot be inverted", t)
		}
	}
	d.WKT = ds.Projection()
	if d.WKT != "" {
		d.CRS = epsg(ds.SpatialRef())
	}
	return d, nil
}

// silent lets everything pass: for questions that a raster may have no answer to.
func silent(godal.ErrorCategory, int, string) error { return nil }

// epsg returns the code of a coordinate system, 0 when it has none.
func epsg(sr *godal.SpatialRef) geo.EPSG {
	if sr == nil || sr.AuthorityName("") != "EPSG" {
		return 0
	}
	code, err := strconv.Atoi(sr.AuthorityCode(""))
	if err != nil {
		return 0
	}
	return geo.EPSG(code)
}

// place sets the ground control points.
func (d *Description) place(gcps []godal.GCP, ds *godal.Dataset) error {
	system := crs{code: epsg(ds.GCPSpatialRef()), wkt: ds.GCPProjection()}
	toLonLat, release, err := system.projector(true)
	if err != nil {
		return fmt.Errorf("ground control points: %w", err)
	}
	defer release()
	for _, g := range gcps {
		xs, ys := []float64{g.DfGCPX}, []float64{g.DfGCPY}
		if err := toLonLat(xs, ys); err != nil {
			return err
		}
		if math.IsNaN(xs[0]) || math.IsNaN(ys[0]) {
			return fault.New(fault.Invalid, "a ground control point lies at %g, %g", g.DfGCPX, g.DfGCPY)
		}
		d.GCPs = append(d.GCPs, geo.GCP{Column: g.DfGCPPixel, Row: g.DfGCPLine, LonDeg: xs[0], LatDeg: ys[0], HeightM: g.DfGCPZ})
	}
	return nil
}
