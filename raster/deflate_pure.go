//go:build noisal

package raster

import (
	"bytes"

	"github.com/klauspost/compress/zlib"
)

// deflater makes zlib streams, one after another.
type deflater struct {
	fast bool // level 1
	out  bytes.Buffer
	z    *zlib.Writer
}

// deflate returns src as a zlib stream, good until the next call.
func (d *deflater) deflate(src []byte) ([]byte, error) {
	d.out.Reset()
	if d.z == nil {
		level := 3
		if d.fast {
			level = 1
		}
		d.z, _ = zlib.NewWriterLevel(&d.out, level) // the level is a valid one
	} else {
		d.z.Reset(&d.out)
	}
	if _, err := d.z.Write(src); err != nil {
		return nil, err
	}
	err := d.z.Close()
	return d.out.Bytes(), err
}
