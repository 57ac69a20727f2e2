package raster

/*
#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_vsi.h>
#include <ogr_srs_api.h>
#include <stdlib.h>

// A coordinate system in PROJJSON, or NULL. VSIFree gives it back.
static char *swath_projjson(const char *wkt)
{
	char *text = NULL;
	CPLPushErrorHandler(CPLQuietErrorHandler);
	OGRSpatialReferenceH system = OSRNewSpatialReference(wkt);
	if (system != NULL && OSRExportToPROJJSON(system, &text, NULL) != OGRERR_NONE) {
		CPLFree(text);
		text = NULL;
	}
	OSRDestroySpatialReference(system);
	CPLPopErrorHandler();
	return text;
}
*/
import "C"

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"unsafe"

	"github.com/airbusgeo/godal"

	"swath/fault"
	"swath/geo"
)

// crs is a coordinate system: a code, or where it has none, its WKT.
type crs struct {
	code geo.EPSG
	wkt  string
}

// unknown reports whether there is no system at all.
func (s crs) unknown() bool { return s.code == 0 && s.wkt == "" }

// projector converts from (toLonLat) or to the system. The function given back must be called after use.
func (s crs) projector(toLonLat bool) (project, func(), error) {
	if p, ok := geo.ProjectionOf(s.code); ok {
		if toLonLat {
			return pointwise(p.ToLonLat), func() {}, nil
		}
		return pointwise(p.FromLonLat), func() {}, nil
	}
	return s.foreignProjector(toLonLat)
}

// foreignProjector converts to or from a coordinate system that only PROJ knows.
func (s crs) foreignProjector(toLonLat bool) (project, func(), error) {
	if err := useGDAL(); err != nil {
		return nil, nil, err
	}
	from, err := s.reference()
	if err != nil {
		return nil, nil, err
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
		return nil, nil, fault.Wrap(fault.Invalid, err, "the coordinate system %s has no way to WGS 84", s)
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

// reference is the system as GDAL holds it.
func (s crs) reference() (*godal.SpatialRef, error) {
	read := func() (*godal.SpatialRef, error) { return godal.NewSpatialRefFromWKT(s.wkt) }
	if s.code != 0 {
		read = func() (*godal.SpatialRef, error) { return godal.NewSpatialRefFromEPSG(int(s.code)) }
	}
	r, err := read()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the coordinate system %s is not known", s)
	}
	return r, nil
}

func (s crs) String() string {
	if s.code != 0 || s.wkt == "" {
		return s.code.String()
	}
	return fmt.Sprintf("%.60q", s.wkt)
}

// PROJJSON returns a system that is given in WKT in PROJ's JSON; nil when it cannot be said so.
func PROJJSON(wkt string) json.RawMessage {
	if wkt == "" || useGDAL() != nil {
		return nil
	}
	in := C.CString(wkt)
	defer C.free(unsafe.Pointer(in))
	text := C.swath_projjson(in)
	if text == nil {
		return nil
	}
	defer C.VSIFree(unsafe.Pointer(text))
	body := json.RawMessage(C.GoString(text))
	if !json.Valid(body) {
		return nil
	}
	return body
}

// systemOf returns the WKT of the coordinate system that a TIFF describes by parameters instead of a code; "" when it
// describes none. GDAL reads it from a TIFF of one pixel with the same GeoKeys.
func systemOf(d directory) (string, error) {
	if err := useGDAL(); err != nil {
		return "", err
	}
	head, err := keyFile(d)
	if err != nil {
		return "", err
	}
	ds, release, err := openBytes(head, "GTiff", ".tif")
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the TIFF's coordinate system cannot be read")
	}
	defer release()
	return ds.Projection(), nil
}

// keyFile is a little-endian TIFF of one pixel that has a directory's GeoKeys.
func keyFile(d directory) ([]byte, error) {
	keys, err := d.uints(tagGeoKeys)
	if err != nil {
		return nil, err
	}
	numbers, err := d.doubles(tagGeoDoubles)
	if err != nil {
		return nil, err
	}
	text, err := d.text(tagGeoTexts)
	if err != nil {
		return nil, err
	}
	var shorts []uint16
	for _, k := range keys {
		shorts = append(shorts, uint16(k))
	}
	type field struct {
		tag, kind uint16
		values    any // []uint16, []float64 or []byte
	}
	const short, double, ascii = 3, 12, 2
	fields := []field{
		{tagWidth, short, []uint16{1}}, {tagHeight, short, []uint16{1}}, {tagBits, short, []uint16{8}}, {tagCompression, short, []uint16{1}},
		{tagPhotometric, short, []uint16{1}}, {tagStripOffsets, short, []uint16{0}}, {tagSamples, short, []uint16{1}},
		{tagRowsPerStrip, short, []uint16{1}}, {tagStripBytes, short, []uint16{1}},
		{tagPixelScale, double, []float64{1, 1, 0}}, {tagTiepoints, double, make([]float64, 6)}, {tagGeoKeys, short, shorts},
	}
	if len(numbers) > 0 {
		fields = append(fields, field{tagGeoDoubles, double, numbers})
	}
	if text != "" {
		fields = append(fields, field{tagGeoTexts, ascii, append([]byte(text), 0)})
	}
	order := binary.LittleEndian
	out := order.AppendUint32(append([]byte("II"), 42, 0), 8)
	out = order.AppendUint16(out, uint16(len(fields)))
	var values []byte
	at := len(out) + 12*len(fields) + 4
	for _, f := range fields {
		value, err := binary.Append(nil, order, f.values)
		if err != nil {
			return nil, err
		}
		size := map[uint16]int{short: 2, double: 8, ascii: 1}[f.kind]
		out = order.AppendUint32(order.AppendUint16(order.AppendUint16(out, f.tag), f.kind), uint32(len(value)/size))
		if len(value) > 4 {
			out = order.AppendUint32(out, uint32(at+len(values)))
			values = append(values, value...)
			if len(values)%2 == 1 {
				values = append(values, 0)
			}
			continue
		}
		out = append(out, append(value, make([]byte, 4-len(value))...)...)
	}
	return append(append(out, 0, 0, 0, 0), values...), nil
}
