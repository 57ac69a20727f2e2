package raster

/*
#define _LARGEFILE64_SOURCE // GDAL was built with the 64-bit names of stat
#include <sys/stat.h>
#include <cpl_vsi.h>
#include <stdlib.h>

// The size of a file, -1 when there is none.
static long long swath_size(const char *path)
{
	VSIStatBufL stat;
	return VSIStatL(path, &stat) == 0 ? (long long)stat.st_size : -1;
}

static VSILFILE *swath_open(const char *path) { return VSIFOpenL(path, "rb"); }
*/
import "C"

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"unsafe"

	"swath/fault"
)

// vsiFile reads a file where GDAL would: on disk, or inside a zip.
type vsiFile struct {
	mu     sync.Mutex // a read is a seek and a read
	handle *C.VSILFILE
	size   int64
}

// OpenFile opens a file where GDAL reads it: a path; into a zip as /vsizip/….
func OpenFile(path string) (io.ReadCloser, error) {
	f, err := openVSI(path)
	if err != nil {
		return nil, fmt.Errorf("raster: open %s: %w", path, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(f, 0, f.size), f}, nil
}

// FileBytes is the size of a file where GDAL reads it (into a zip as /vsizip/…); 0 when there is none.
func FileBytes(path string) int64 {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	return max(0, int64(C.swath_size(name)))
}

func openVSI(path string) (*vsiFile, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	size := int64(C.swath_size(name))
	if size < 0 {
		return nil, fault.New(fault.Invalid, "there is no such file")
	}
	f := C.swath_open(name)
	if f == nil {
		return nil, fault.New(fault.Invalid, "the file cannot be opened")
	}
	return &vsiFile{handle: f, size: size}, nil
}

// Size is the file's length in bytes.
func (f *vsiFile) Size() int64 { return f.size }

// ID is nothing: what is read through GDAL is not kept.
func (f *vsiFile) ID() string { return "" }

// Close closes the file.
func (f *vsiFile) Close() error {
	C.VSIFCloseL(f.handle)
	return nil
}

func (f *vsiFile) ReadAt(p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if C.VSIFSeekL(f.handle, C.vsi_l_offset(off), io.SeekStart) != 0 {
		return 0, io.ErrUnexpectedEOF
	}
	if n := int(C.VSIFReadL(unsafe.Pointer(&p[0]), 1, C.size_t(len(p)), f.handle)); n < len(p) {
		return n, io.ErrUnexpectedEOF
	}
	return len(p), nil
}

// checkJP2 refuses an empty file, and a JPEG 2000 file that ends before its codestream does: the decoder may fill what is
// missing with zeros and only warn. Other files pass.
func checkJP2(path string) error {
	f, err := openVSI(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.size == 0 {
		return fault.New(fault.Invalid, "the file is empty")
	}
	return checkBoxes(f, f.size)
}

var (
	jp2Signature = []byte("\x00\x00\x00\x0cjP  \r\n\x87\n") // ISO/IEC 15444-1, I.5.1
	codeStart    = []byte{0xFF, 0x4F, 0xFF, 0x51}
	codeEnd      = []byte{0xFF, 0xD9}
)

// checkBoxes walks the boxes of a JP2 file to the codestream, which must end inside the file.
func checkBoxes(f io.ReaderAt, size int64) error {
	head := make([]byte, 12)
	if _, err := f.ReadAt(head[:min(size, 12)], 0); err != nil {
		return errCutOff
	}
	if bytes.HasPrefix(head, codeStart) {
		return checkEnd(f, size)
	}
	if !bytes.HasPrefix(head, jp2Signature) {
		return nil // not JPEG 2000
	}
	for at := int64(0); at < size; {
		b, err := nextBox(f, size, at)
		if err != nil {
			return err
		}
		if b.kind == "jp2c" {
			return checkEnd(f, b.end)
		}
		at = b.end
	}
	return errCutOff
}

var errCutOff = fault.New(fault.Invalid, "the JPEG 2000 file is cut off: it ends before its codestream")

// box is one box of a JP2 file (ISO/IEC 15444-1, I.4): what it holds lies at body..end.
type box struct {
	kind      string
	body, end int64
}

// nextBox reads the head of the box at a place in a file.
func nextBox(f io.ReaderAt, size, at int64) (box, error) {
	var head [16]byte
	n := min(16, size-at)
	if _, err := f.ReadAt(head[:n], at); err != nil || n < 8 {
		return box{}, errCutOff
	}
	length, body := int64(binary.BigEndian.Uint32(head[:])), int64(8)
	switch length {
	case 0: // to the end of the file
		length = size - at
	case 1:
		if n < 16 {
			return box{}, errCutOff
		}
		length, body = int64(binary.BigEndian.Uint64(head[8:])), 16
	}
	if length < body || length > size-at {
		return box{}, errCutOff
	}
	return box{string(head[4:8]), at + body, at + length}, nil
}

// checkEnd looks for the marker at the end of a codestream.
func checkEnd(f io.ReaderAt, end int64) error {
	tail := make([]byte, 2)
	if _, err := f.ReadAt(tail, end-2); err != nil || !bytes.Equal(tail, codeEnd) {
		return errCutOff
	}
	return nil
}
