package raster

import (
	"fmt"
	"math"

	"swath/fault"
	"swath/geo"
)

// GeoKeys (OGC 19-008r4, GeoTIFF 1.1, annex B) that say where the image lies.
const (
	keyModelType    = 1024
	keyRasterType   = 1025
	keyGeodetic     = 2048
	keyProjected    = 3072
	modelProjected  = 1
	modelGeographic = 2
	pixelIsPoint    = 2
	userDefined     = 32767
)

// readPlace reads the coordinate system and the transform, or the ground control points.
func (c *COG) readPlace(d directory) error {
	keys, err := d.uints(tagGeoKeys)
	if err != nil {
		return err
	}
	value := map[uint64]uint64{}
	for i := 4; i+3 < len(keys); i += 4 {
		if keys[i+1] == 0 { // the value is in the key itself
			value[keys[i]] = keys[i+3]
		}
	}
	code := uint64(0)
	switch value[keyModelType] {
	case modelProjected:
		code = value[keyProjected]
	case modelGeographic:
		code = value[keyGeodetic]
	}
	if code != userDefined {
		c.CRS = geo.EPSG(code)
	}
	if c.CRS == 0 && value[keyModelType] != 0 {
		if c.WKT, err = systemOf(d); err != nil {
			return err
		}
	}
	half := 0.0
	if value[keyRasterType] == pixelIsPoint {
		half = 0.5
	}
	matrix, err := d.doubles(tagModelTransform)
	if err != nil {
		return err
	}
	scale, err := d.doubles(tagPixelScale)
	if err != nil {
		return err
	}
	ties, err := d.doubles(tagTiepoints)
	if err != nil {
		return err
	}
	switch {
	case len(matrix) >= 8:
		c.Transform = geo.Affine{matrix[3], matrix[0], matrix[1], matrix[7], matrix[4], matrix[5]}
	case len(scale) >= 2 && len(ties) >= 6 && (scale[0] != 0 || len(ties) == 6):
		c.Transform = geo.Affine{ties[3] - ties[0]*scale[0], scale[0], 0, ties[4] + ties[1]*scale[1], 0, -scale[1]}
	case len(ties) >= 18:
		return c.readGCPs(ties, half)
	default:
		return nil // no place: pixels can be read, not warped
	}
	c.Transform[0], c.Transform[3] = c.Transform.Apply(-half, -half)
	if _, ok := c.Transform.Invert(); !ok {
		return fault.New(fault.Invalid, "the TIFF's geotransform %v cannot be inverted", c.Transform)
	}
	return nil
}

// system is the raster's coordinate system.
func (c *COG) system() crs { return crs{c.CRS, c.WKT} }

// readGCPs reads tie points of (column, row, 0, x, y, height).
func (c *COG) readGCPs(ties []float64, half float64) error {
	toLonLat, release, err := c.system().projector(true)
	if err != nil {
		return fmt.Errorf("ground control points: %w", err)
	}
	defer release()
	for i := 0; i+5 < len(ties); i += 6 {
		lon, lat := []float64{ties[i+3]}, []float64{ties[i+4]}
		if err := toLonLat(lon, lat); err != nil {
			return err
		}
		if math.IsNaN(lon[0]) || math.IsNaN(lat[0]) {
			return fault.New(fault.Invalid, "a ground control point of the TIFF lies at %g, %g", ties[i+3], ties[i+4])
		}
		c.GCPs = append(c.GCPs, geo.GCP{Column: ties[i] + half, Row: ties[i+1] + half, LonDeg: lon[0], LatDeg: lat[0], HeightM: ties[i+5]})
	}
	c.CRS, c.WKT = 0, ""
	return nil
}
