package raster

/*
#include <gdal.h>
#include <ogr_srs_api.h>
#include <stdlib.h>

// A NetCDF file while it is written. The variables are those of the bands.
typedef struct {
	GDALDatasetH file;
	GDALGroupH root;
	GDALDimensionH dims[2];
	GDALMDArrayH *bands;
	int count;
} swath_netcdf;

static int swath_nc_text(GDALMDArrayH array, GDALGroupH group, const char *name, const char *text)
{
	GDALExtendedDataTypeH type = GDALExtendedDataTypeCreateString(0);
	GDALAttributeH attribute = array ? GDALMDArrayCreateAttribute(array, name, 0, NULL, type, NULL) : GDALGroupCreateAttribute(group, name, 0, NULL, type, NULL);
	int ok = attribute != NULL && GDALAttributeWriteString(attribute, text);
	if (attribute) GDALAttributeRelease(attribute);
	GDALExtendedDataTypeRelease(type);
	return ok;
}

static GDALMDArrayH swath_nc_array(swath_netcdf *nc, const char *name, int first, int count, GDALDataType type, const char *blocks)
{
	const char *options[] = {"COMPRESS=DEFLATE", "ZLEVEL=1", blocks, NULL};
	GDALExtendedDataTypeH kind = GDALExtendedDataTypeCreate(type);
	GDALMDArrayH array = GDALGroupCreateMDArray(nc->root, name, count, &nc->dims[first], kind, (char **)options);
	GDALExtendedDataTypeRelease(kind);
	return array;
}

static int swath_nc_write(GDALMDArrayH array, int dims, const GUInt64 *start, const size_t *count, GDALDataType type, const void *values)
{
	GDALExtendedDataTypeH kind = GDALExtendedDataTypeCreate(type);
	int ok = GDALMDArrayWrite(array, start, count, NULL, NULL, kind, values, NULL, 0);
	GDALExtendedDataTypeRelease(kind);
	return ok;
}

// The centres of the pixels along one side.
static int swath_nc_axis(swath_netcdf *nc, int side, const char *name, const char *standard, const char *unit, size_t length, const double *at)
{
	GDALMDArrayH array = swath_nc_array(nc, name, side, 1, GDT_Float64, NULL);
	const GUInt64 start = 0;
	int ok = array != NULL && swath_nc_text(array, NULL, "standard_name", standard) && swath_nc_text(array, NULL, "units", unit) &&
	         swath_nc_write(array, 1, &start, &length, GDT_Float64, at);
	if (array) GDALMDArrayRelease(array);
	return ok;
}

static int swath_nc_open(swath_netcdf *nc, const char *path, const char *y, size_t height, const char *x, size_t width, int bands)
{
	const char *options[] = {"FORMAT=NC4", NULL};
	GDALDriverH driver = GDALGetDriverByName("netCDF");
	nc->count = bands;
	nc->bands = calloc(bands, sizeof *nc->bands);
	nc->file = driver && nc->bands ? GDALCreateMultiDimensional(driver, path, NULL, (char **)options) : NULL;
	nc->root = nc->file ? GDALDatasetGetRootGroup(nc->file) : NULL;
	if (!nc->root) return 0;
	nc->dims[0] = GDALGroupCreateDimension(nc->root, y, "HORIZONTAL_Y", NULL, height, NULL);
	nc->dims[1] = GDALGroupCreateDimension(nc->root, x, "HORIZONTAL_X", NULL, width, NULL);
	return nc->dims[0] != NULL && nc->dims[1] != NULL;
}

static int swath_nc_band(swath_netcdf *nc, int band, const char *name, GDALDataType type, const char *blocks, const char *wkt, const void *nodata)
{
	GDALMDArrayH array = nc->bands[band] = swath_nc_array(nc, name, 0, 2, type, blocks);
	if (!array || !GDALMDArraySetRawNoDataValue(array, nodata)) return 0;
	if (!*wkt) return 1;
	OGRSpatialReferenceH system = OSRNewSpatialReference(wkt);
	OSRSetAxisMappingStrategy(system, OAMS_TRADITIONAL_GIS_ORDER);
	int ok = system != NULL && GDALMDArraySetSpatialRef(array, system);
	OSRDestroySpatialReference(system);
	return ok;
}

static int swath_nc_rows(swath_netcdf *nc, int band, size_t top, size_t rows, size_t width, GDALDataType type, const void *values)
{
	const GUInt64 start[2] = {top, 0};
	const size_t count[2] = {rows, width};
	return swath_nc_write(nc->bands[band], 2, start, count, type, values);
}

static void swath_nc_close(swath_netcdf *nc)
{
	for (int i = 0; i < nc->count; i++)
		if (nc->bands && nc->bands[i]) GDALMDArrayRelease(nc->bands[i]);
	free(nc->bands);
	for (int i = 0; i < 2; i++)
		if (nc->dims[i]) GDALDimensionRelease(nc->dims[i]);
	if (nc->root) GDALGroupRelease(nc->root);
	if (nc->file) GDALClose(nc->file);
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/airbusgeo/godal"

	"swath/fault"
	"swath/geo"
)

// useNetCDF registers the driver. Files from outside are never opened with it: open names those that may read them.
var useNetCDF = sync.OnceValue(func() error {
	if err := useGDAL(); err != nil {
		return err
	}
	return godal.RegisterRaster("netCDF")
})

// NetCDFWriter makes a NetCDF-4 file by the CF conventions from the top down: a deflated variable for each band, coordinates of
// the pixels' centres, and the coordinate system as a grid mapping. It must be closed.
type NetCDFWriter struct {
	g    GeoTIFF
	nc   C.swath_netcdf
	rows int
	raw  []byte
}

var gdalTypes = map[DataType]C.GDALDataType{Uint8: C.GDT_Byte, Uint16: C.GDT_UInt16, Int16: C.GDT_Int16, Uint32: C.GDT_UInt32, Int32: C.GDT_Int32,
	Float32: C.GDT_Float32, Float64: C.GDT_Float64}

// NewNetCDFWriter begins a file. Names of bands must be what NetCDF takes as names of variables, and differ from each other and
// from x, y, lon, lat and crs. The grid's axes must be straight. Values are deflated in blocks of so many rows: rows that are added
// in multiples of it are deflated once.
func NewNetCDFWriter(path string, g GeoTIFF, blockRows int) (*NetCDFWriter, error) {
	if err := useNetCDF(); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "this server's GDAL does not write NetCDF")
	}
	if _, ok := gdalTypes[g.Type]; !ok || g.Width < 1 || g.Height < 1 || len(g.Bands) < 1 || g.Transform[2] != 0 || g.Transform[4] != 0 {
		return nil, fault.New(fault.Invalid, "%d x %d pixels of %d bands of %q, %v, cannot be written as NetCDF", g.Width, g.Height, len(g.Bands), g.Type, g.Transform)
	}
	w := &NetCDFWriter{g: g}
	if err := w.begin(path, blockRows); err != nil {
		w.Close()
		return nil, fmt.Errorf("raster: NetCDF: %w", err)
	}
	return w, nil
}

// begin writes everything but the values.
func (w *NetCDFWriter) begin(path string, blockRows int) error {
	wkt, geographic := "", w.g.CRS == geo.WGS84
	if w.g.CRS != 0 {
		ref, err := crs{code: w.g.CRS}.reference()
		if err != nil {
			return err
		}
		defer ref.Close()
		geographic = ref.Geographic()
		if wkt, err = ref.WKT(); err != nil {
			return err
		}
	}
	axes := [2][3]string{{"y", "projection_y_coordinate", "m"}, {"x", "projection_x_coordinate", "m"}}
	if geographic {
		axes = [2][3]string{{"lat", "latitude", "degrees_north"}, {"lon", "longitude", "degrees_east"}}
	}
	var texts []*C.char
	text := func(s string) *C.char {
		texts = append(texts, C.CString(s))
		return texts[len(texts)-1]
	}
	defer func() {
		for _, t := range texts {
			C.free(unsafe.Pointer(t))
		}
	}()
	if C.swath_nc_open(&w.nc, text(path), text(axes[0][0]), C.size_t(w.g.Height), text(axes[1][0]), C.size_t(w.g.Width), C.int(len(w.g.Bands))) == 0 {
		return lastGDAL("a file")
	}
	if C.swath_nc_text(nil, w.nc.root, text("Conventions"), text("CF-1.8")) == 0 {
		return lastGDAL("conventions")
	}
	for name, value := range w.g.Items {
		if C.swath_nc_text(nil, w.nc.root, text(name), text(value)) == 0 {
			return lastGDAL("attribute " + name)
		}
	}
	for side, length := range [2]int{w.g.Height, w.g.Width} {
		at := make([]float64, length)
		for i := range at {
			x, y := w.g.Transform.Apply(float64(i)+0.5, float64(i)+0.5)
			at[i] = [2]float64{y, x}[side]
		}
		if C.swath_nc_axis(&w.nc, C.int(side), text(axes[side][0]), text(axes[side][1]), text(axes[side][2]), C.size_t(length), (*C.double)(&at[0])) == 0 {
			return lastGDAL("axis " + axes[side][0])
		}
	}
	blocks := text(fmt.Sprintf("BLOCKSIZE=%d,%d", min(blockRows, w.g.Height), min(256, w.g.Width)))
	nan := []float32{0}
	nan[0] = nanPlane(1)[0]
	for i, b := range w.g.Bands {
		none := make([]byte, w.g.Type.Bytes())
		w.g.Type.put(none, nan, w.g.NoData)
		if C.swath_nc_band(&w.nc, C.int(i), text(b.Name), gdalTypes[w.g.Type], blocks, text(wkt), unsafe.Pointer(&none[0])) == 0 {
			return lastGDAL("variable " + b.Name)
		}
		if b.Scale != 0 && (b.Scale != 1 || b.Offset != 0) {
			C.GDALMDArraySetScale(w.variable(i), C.double(b.Scale))
			C.GDALMDArraySetOffset(w.variable(i), C.double(b.Offset))
		}
		if b.Unit != "" {
			C.GDALMDArraySetUnit(w.variable(i), text(b.Unit))
		}
		for name, value := range b.Items {
			if C.swath_nc_text(w.variable(i), nil, text(name), text(value)) == 0 {
				return lastGDAL("attribute " + name)
			}
		}
	}
	return nil
}

// variable is that of a band.
func (w *NetCDFWriter) variable(i int) C.GDALMDArrayH {
	return unsafe.Slice(w.nc.bands, int(w.nc.count))[i]
}

// lastGDAL is what GDAL could not do. Its own words are in its log: they may name folders.
func lastGDAL(what string) error { return fmt.Errorf("GDAL did not write %s", what) }

// Add writes the next rows: a plane for each band.
func (w *NetCDFWriter) Add(planes [][]float32, rows int) error {
	if len(planes) != len(w.g.Bands) || w.rows+rows > w.g.Height {
		return fmt.Errorf("raster: NetCDF: %d planes of %d rows after %d do not fit", len(planes), rows, w.rows)
	}
	if need := rows * w.g.Width * w.g.Type.Bytes(); len(w.raw) < need {
		w.raw = make([]byte, need)
	}
	for i, plane := range planes {
		w.g.Type.put(w.raw, plane[:rows*w.g.Width], w.g.NoData)
		if C.swath_nc_rows(&w.nc, C.int(i), C.size_t(w.rows), C.size_t(rows), C.size_t(w.g.Width), gdalTypes[w.g.Type], unsafe.Pointer(&w.raw[0])) == 0 {
			return fmt.Errorf("raster: NetCDF: %w", lastGDAL(fmt.Sprintf("rows from %d of %s", w.rows, w.g.Bands[i].Name)))
		}
	}
	w.rows += rows
	runtime.KeepAlive(w)
	return nil
}

// Close ends the file, which is whole after it.
func (w *NetCDFWriter) Close() {
	C.swath_nc_close(&w.nc)
	w.nc = C.swath_netcdf{}
}
