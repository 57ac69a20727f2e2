package catalog

/*
#cgo LDFLAGS: -lzstd
#cgo noescape pack
#cgo nocallback pack
#cgo noescape unpack
#cgo nocallback unpack
#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_createCDict_advanced, which the shared library has since 1.3
#define ZDICT_STATIC_LINKING_ONLY // for ZDICT_trainFromBuffer_fastCover, since 1.3.6
#include <zdict.h>
#include <zstd.h>

// One hash table of 32 KiB: with those of several collections it stays in the cache of a processor. Level 3 for texts of some hundred
// bytes has two, of 384 KiB together, which is worth a percent of the bytes and costs as much time again.
static ZSTD_CDict *compressing(const void *text, size_t size) {
	ZSTD_compressionParameters p = ZSTD_getCParams(3, 600, size);
	ZSTD_customMem memory = {0};
	p.strategy = ZSTD_fast;
	p.hashLog = 13;
	p.minMatch = 5;
	p.targetLength = 0;
	return ZSTD_createCDict_advanced(text, size, ZSTD_dlm_byCopy, ZSTD_dct_auto, p, memory);
}

// Packs a text, by what many have in common or, without, at a level; and unpacks one. One call each: a call from Go costs as much as
// packing twenty bytes.
static size_t pack(ZSTD_CCtx *c, const ZSTD_CDict *common, int level, void *out, size_t room, const void *text, size_t size) {
	ZSTD_CCtx_refCDict(c, common);
	if (common == NULL)
		ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
	return ZSTD_compress2(c, out, room, text, size);
}

static size_t unpack(ZSTD_DCtx *c, const ZSTD_DDict *common, void *out, size_t room, const void *packed, size_t size) {
	return ZSTD_decompress_usingDDict(c, out, room, packed, size, common);
}

// One round of what ZDICT_trainFromBuffer does five times to choose k, with a k that gives dictionaries as good (bodies of the same
// size to half a percent, of four collections) in a quarter of the time.
static size_t train(void *out, size_t room, const void *samples, const size_t *sizes, unsigned n) {
	ZDICT_fastCover_params_t p = {.k = 512, .d = 8, .f = 20, .accel = 1, .zParams = {.compressionLevel = 3}};
	return ZDICT_trainFromBuffer_fastCover(out, room, samples, sizes, n, p);
}
*/
import "C"

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"unsafe"
)

const (
	zstdLevel       = 3        // of what has no dictionary
	dictionaryBytes = 16 << 10 // larger ones gain less than their place in the caches of a processor
	mostBodyBytes   = 64 << 20 // of a body, unpacked: more is damage
	packRoom        = 64       // beside a 256th, at most, for what can't be packed: see ZSTD_compressBound
)

// common is what many texts have in common, made ready for both directions. It lives as long as the process: there are few.
type common struct {
	compress *C.ZSTD_CDict
	expand   *C.ZSTD_DDict
}

// newCommon makes it of its trained bytes.
func newCommon(trained []byte) (*common, error) {
	if len(trained) == 0 {
		return nil, errors.New("a dictionary is empty")
	}
	text, size := unsafe.Pointer(&trained[0]), C.size_t(len(trained))
	c := &common{C.compressing(text, size), C.ZSTD_createDDict(text, size)} // both copy it
	if c.compress == nil || c.expand == nil {
		return nil, errors.New("a dictionary is damaged")
	}
	return c, nil
}

// trainCommon finds what samples have in common. It fails when they are too few or too small.
func trainCommon(samples [][]byte) ([]byte, error) {
	all, sizes := bytes.Join(samples, nil), make([]C.size_t, len(samples))
	for i, s := range samples {
		sizes[i] = C.size_t(len(s))
	}
	if len(all) == 0 {
		return nil, errors.New("no samples")
	}
	out := make([]byte, dictionaryBytes)
	n := C.train(unsafe.Pointer(&out[0]), C.size_t(len(out)), unsafe.Pointer(&all[0]), &sizes[0], C.uint(len(sizes)))
	if C.ZDICT_isError(n) != 0 {
		return nil, errors.New("train dictionary: " + C.GoString(C.ZDICT_getErrorName(n)))
	}
	return out[:n], nil
}

// codec is the workspace of one packing or unpacking at a time.
type codec struct {
	contexts
	scratch
}

type contexts struct {
	compress *C.ZSTD_CCtx
	expand   *C.ZSTD_DCtx
}

func newCodec() *codec {
	c := &codec{contexts: contexts{C.ZSTD_createCCtx(), C.ZSTD_createDCtx()}}
	C.ZSTD_CCtx_setParameter(c.compress, C.ZSTD_c_dictIDFlag, 0) // the row names it
	runtime.AddCleanup(c, func(c contexts) {
		C.ZSTD_freeCCtx(c.compress)
		C.ZSTD_freeDCtx(c.expand)
	}, c.contexts)
	return c
}

// encode packs a text; d may be nil. What it returns is valid until the codec is used again.
func (c *codec) encode(d *common, body []byte) ([]byte, error) {
	var compress *C.ZSTD_CDict
	if d != nil {
		compress = d.compress
	}
	c.frame = slices.Grow(c.frame[:0], len(body)+len(body)/256+packRoom)
	out := c.frame[:cap(c.frame)]
	n := C.pack(c.compress, compress, zstdLevel, unsafe.Pointer(&out[0]), C.size_t(len(out)), unsafe.Pointer(unsafe.SliceData(body)), C.size_t(len(body)))
	runtime.KeepAlive(c)
	if n > C.size_t(len(out)) { // errors are larger than any size
		return nil, errors.New("pack body: " + C.GoString(C.ZSTD_getErrorName(n)))
	}
	return out[:n], nil
}

// decode appends a text that was packed with this dictionary, or with none.
func (c *codec) decode(d *common, out, packed []byte) ([]byte, error) {
	from, size := unsafe.Pointer(unsafe.SliceData(packed)), C.size_t(len(packed))
	whole := C.ZSTD_getFrameContentSize(from, size)
	if whole > mostBodyBytes { // errors are larger still
		return nil, errors.New("unpack body: its size is missing or damaged")
	}
	out = slices.Grow(out, int(whole))
	text := out[len(out) : len(out)+int(whole)]
	var expand *C.ZSTD_DDict
	if d != nil {
		expand = d.expand
	}
	n := C.unpack(c.expand, expand, unsafe.Pointer(unsafe.SliceData(text)), C.size_t(whole), from, size)
	runtime.KeepAlive(c)
	if n != C.size_t(whole) {
		return nil, errors.New("unpack body: " + C.GoString(C.ZSTD_getErrorName(n)))
	}
	return out[:len(out)+int(whole)], nil
}
