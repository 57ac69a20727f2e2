// Package raster opens, reads, warps and writes rasters. It is the one room with GDAL in it.
//
//	bytes (io.ReaderAt) ─▶ OpenCOG ─▶ Warp: level ─▶ blocks (cached, decoded once) ─▶ samples on the asked grid
//	any raster GDAL reads ─▶ WriteCOG ─▶ a cloud-optimized GeoTIFF on the native grid
//
// Pixels leave as float32 with NaN where nothing was measured.
package raster

import "swath/geo"

// Grid is where samples are wanted: Width x Height pixels placed by Transform in CRS.
type Grid struct {
	CRS           geo.EPSG
	Transform     geo.Affine
	Width, Height int

	// Repeats lets nearest pixels be those of an overview that is coarser than the grid by up to a fifth, as GDAL's RasterIO does: of six in
	// a row two may be alike then, where of the finer level's two of three would be left out.
	Repeats bool
}

// Resampling says how a sample is made from the pixels around it.
type Resampling uint8

// The resamplings.
const (
	Nearest Resampling = iota
	Bilinear
	Cubic
	Lanczos
	AverageOf // all valid pixels under the sample, by the area that is covered
	ModeOf    // the value that most of them have
)

// Source is the bytes of one immutable raster file.
type Source interface {
	ReadAt(p []byte, off int64) (int, error)
	Size() int64 // bytes
	ID() string  // names the content for ever: the key of caches (object key and checksum)
}
