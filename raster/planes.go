package raster

import (
	"fmt"
	"math"

	"github.com/airbusgeo/godal"

	"swath/geo"
)

// Planes are values in memory that are to become a raster: of metadata, or of a computation.
type Planes struct {
	CRS           geo.EPSG
	Transform     geo.Affine
	Width, Height int
	Values        [][]float32 // per band, row by row; NaN where there is none
}

// WritePlanes writes a plain float32 GeoTIFF, with NaN as nodata, which WriteCOG can read.
func WritePlanes(dst string, p Planes) error {
	if err := useGDAL(); err != nil {
		return err
	}
	ds, err := godal.Create(godal.GTiff, dst, len(p.Values), godal.Float32, p.Width, p.Height, godal.ErrLogger(failures))
	if err != nil {
		return fmt.Errorf("raster: write %s: %w", dst, err)
	}
	if err := p.fill(ds); err != nil {
		ds.Close()
		return fmt.Errorf("raster: write %s: %w", dst, err)
	}
	return ds.Close(godal.ErrLogger(failures))
}

func (p Planes) fill(ds *godal.Dataset) error {
	ref, err := godal.NewSpatialRefFromEPSG(int(p.CRS))
	if err != nil {
		return err
	}
	defer ref.Close()
	if err := ds.SetSpatialRef(ref); err != nil {
		return err
	}
	if err := ds.SetGeoTransform(p.Transform); err != nil {
		return err
	}
	if err := ds.SetNoData(math.NaN()); err != nil {
		return err
	}
	for i, band := range ds.Bands() {
		if err := band.Write(0, 0, p.Values[i], p.Width, p.Height, godal.ErrLogger(failures)); err != nil {
			return err
		}
	}
	return nil
}
