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
	"sync"
	"unsafe"

	"github.com/airbusgeo/godal"
)

// settings of GDAL for the whole process.
var settings = map[string]string{
	"GDAL_DISABLE_READDIR_ON_OPEN":   "EMPTY_DIR", // never look at a file's neighbours
	"GDAL_PAM_ENABLED":               "NO",        // never write or believe .aux.xml files
	"GDAL_NUM_THREADS":               "1",         // bands are already worked on side by side
	"GDAL_CACHEMAX":                  "256",       // MB; blocks are read once
	"GDAL_VRT_ENABLE_PYTHON":         "NO",
	"OSR_WKT_FORMAT":                 "WKT2_2019", // the older WKT 1 can't say every system
	"CPL_VSIL_CURL_ALLOWED_FILENAME": "-",         // no network
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
