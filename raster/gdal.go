package raster

/*
#cgo pkg-config: gdal
#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <stdlib.h>

static void swath_config(const char *key, const char *value) { CPLSetConfigOption(key, value); }

// A file in memory whose bytes GDAL then owns.
static int swath_memory_file(const char *path, void *bytes, size_t size)
{
	VSILFILE *f = VSIFileFromMemBuffer(path, bytes, size, 1);
	return f != NULL && VSIFCloseL(f) == 0;
}
*/
import "C"

import (
	"fmt"
	"sync"
	"sync/atomic"
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

// memoryFiles numbers the files of openBytes.
var memoryFiles atomic.Int64

// openBytes opens bytes with one driver as a file of an extension that it knows. The function given back must be called after use.
func openBytes(b []byte, driver, extension string) (*godal.Dataset, func(), error) {
	if err := useGDAL(); err != nil {
		return nil, nil, err
	}
	path := fmt.Sprintf("/vsimem/swath-%d%s", memoryFiles.Add(1), extension)
	name := C.CString(path)
	if C.swath_memory_file(name, C.CBytes(b), C.size_t(len(b))) == 0 {
		C.free(unsafe.Pointer(name))
		return nil, nil, fmt.Errorf("raster: no memory for %d bytes", len(b))
	}
	remove := func() {
		C.VSIUnlink(name)
		C.free(unsafe.Pointer(name))
	}
	ds, err := godal.Open(path, godal.RasterOnly(), godal.Drivers(driver), godal.ErrLogger(failures))
	if err != nil {
		remove()
		return nil, nil, err
	}
	return ds, func() {
		ds.Close()
		remove()
	}, nil
}
