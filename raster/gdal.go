package raster

/*
#cgo pkg-config: gdal
#include <cpl_conv.h>
#include <stdlib.h>

static void swath_config(const char *key, const char *value) { CPLSetConfigOption(key, value); }
*/
import "C"

import (
	"fmt"
	"math"
	"sync"
	"unsafe"

	"github.com/airbusgeo/godal"

	"swath/fault"
	"swath/geo"
)

// settings of GDAL for the whole process.
var settings = map[string]string{
	"GDAL_DISABLE_READDIR_ON_OPEN":   "EMPTY_DIR", // never look at a file's neighbours
	"GDAL_PAM_ENABLED":               "NO",        // never write or believe .aux.xml files
	"GDAL_NUM_THREADS":               "1",         // bands are already worked on side by side
	"GDAL_CACHEMAX":                  "256",       // MB; blocks are read once
	"GDAL_VRT_ENABLE_PYTHON":         "NO",
	"CPL_VSIL_CURL_ALLOWED_FILENAME": "-", // no network
}

// useGDAL registers the drivers that we need and no other: a user's file that is a VRT, or refers to the network, does not open.
var useGDAL = sync.OnceValue(func() error {
	for key, value := range settings {
		k, v := C.CString(key), C.CString(value)
		C.swath_config(k, v)
		C.free(unsafe.Pointer(k))
		C.free(unsafe.Pointer(v))
	}
	return godal.RegisterRaster(godal.Memory, godal.GTiff, "COG", "JP2OpenJPEG")
})

// Version names the library that converts: part of what makes two conversions equal.
func Version() string {
	v := godal.Version()
	return fmt.Sprintf("GDAL %d.%d.%d", v.Major(), v.Minor(), v.Revision())
}

// foreignProjector converts to or from a coordinate system that only PROJ knows.
func foreignProjector(code geo.EPSG, toLonLat bool) (project, func(), error) {
	if err := useGDAL(); err != nil {
		return nil, nil, err
	}
	from, err := godal.NewSpatialRefFromEPSG(int(code))
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "the coordinate system %s is not known", code)
	}
	defer from.Close()
	to, err := godal.NewSpatialRefFromEPSG(int(geo.WGS84))
	if err != nil {
		return nil, nil, err
	}
	defer to.Close()
	if !toLonLat {
		from, to = to, from
	}
	t, err := godal.NewTransform(from, to)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "the coordinate system %s has no way to WGS 84", code)
	}
	return func(xs, ys []float64) error {
		if len(xs) == 0 {
			return nil
		}
		good := make([]bool, len(xs))
		_ = t.TransformEx(xs, ys, nil, good) // says that some points failed; good says which
		for i, ok := range good {
			if !ok || math.IsInf(xs[i], 0) || math.IsInf(ys[i], 0) {
				xs[i], ys[i] = math.NaN(), math.NaN()
			}
		}
		return nil
	}, t.Close, nil
}
