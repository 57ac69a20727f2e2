package raster

import (
	"context"
	"fmt"

	"github.com/airbusgeo/godal"

	"swath/fault"
	"swath/geo"
)

// Piece is one file of an image that comes in several, and where its first pixel lies.
type Piece struct {
	Path        string
	Column, Row int
}

// Mosaic is an image in several files that do not overlap.
type Mosaic struct {
	Width, Height int
	Pieces        []Piece
	CRS           geo.EPSG
	Transform     *geo.Affine // nil: in sensor geometry
}

// mosaicRows are read at a time: a band of 40,000 columns takes 20 MB.
const mosaicRows = 256

// WriteMosaic puts bands (counted from 1) of the pieces together in one plain GeoTIFF, which WriteCOG can read.
func WriteMosaic(ctx context.Context, dst string, m Mosaic, bands []int) (err error) {
	if err := useGDAL(); err != nil {
		return err
	}
	var out *godal.Dataset
	defer func() {
		if out != nil {
			if closing := out.Close(godal.ErrLogger(failures)); err == nil {
				err = closing
			}
		}
		if err != nil {
			err = fmt.Errorf("raster: mosaic %s: %w", dst, err)
		}
	}()
	for _, piece := range m.Pieces {
		err := func() error {
			ds, err := open(piece.Path)
			if err != nil {
				return err
			}
			defer ds.Close()
			if out == nil {
				if out, err = m.create(dst, ds.Structure().DataType, len(bands)); err != nil {
					return err
				}
			}
			return m.copy(ctx, out, ds, piece, bands)
		}()
		if err != nil {
			return fmt.Errorf("%s: %w", piece.Path, err)
		}
	}
	return nil
}

func (m Mosaic) create(dst string, dataType godal.DataType, bands int) (*godal.Dataset, error) {
	ds, err := godal.Create(godal.GTiff, dst, bands, dataType, m.Width, m.Height, godal.ErrLogger(failures),
		godal.CreationOption("TILED=YES", "INTERLEAVE=BAND", "BIGTIFF=IF_SAFER"))
	if err != nil || m.Transform == nil {
		return ds, err
	}
	ref, err := crs{code: m.CRS}.reference()
	if err != nil {
		return ds, err
	}
	defer ref.Close()
	if err := ds.SetSpatialRef(ref); err != nil {
		return ds, err
	}
	return ds, ds.SetGeoTransform(*m.Transform)
}

// copy writes a piece at its place, some rows at a time.
func (m Mosaic) copy(ctx context.Context, out, piece *godal.Dataset, at Piece, bands []int) error {
	d, err := describe(piece)
	if err != nil {
		return err
	}
	if at.Column < 0 || at.Row < 0 || at.Column+d.Width > m.Width || at.Row+d.Height > m.Height {
		return fault.New(fault.Invalid, "%d x %d pixels at %d, %d leave the image of %d x %d", d.Width, d.Height, at.Column, at.Row, m.Width, m.Height)
	}
	if piece.Structure().DataType != out.Structure().DataType {
		return fault.New(fault.Invalid, "its pixels are %s, those of the others are not", d.DataType)
	}
	rows := make([]float64, d.Width*min(mosaicRows, d.Height)) // holds every type exactly
	for i, b := range bands {
		if b < 1 || b > d.Bands {
			return fault.New(fault.Invalid, "band %d: it has %d", b, d.Bands)
		}
		from, to := piece.Bands()[b-1], out.Bands()[i]
		for row := 0; row < d.Height; row += mosaicRows {
			if err := ctx.Err(); err != nil {
				return err
			}
			height := min(mosaicRows, d.Height-row)
			part := rows[:d.Width*height]
			if err := from.Read(0, row, part, d.Width, height, godal.ErrLogger(failures)); err != nil {
				return fault.Wrap(fault.Invalid, err, "its pixels cannot be read")
			}
			if err := to.Write(at.Column, at.Row+row, part, d.Width, height, godal.ErrLogger(failures)); err != nil {
				return err
			}
		}
	}
	return nil
}
