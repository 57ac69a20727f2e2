//go:build noisal

package render

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/zlib"
)

// deflater compresses in pure Go, where ISA-L is not wanted.
type deflater struct {
	writer *zlib.Writer
}

// deflate returns data as a zlib stream, in the memory of out if it suffices.
func (d *deflater) deflate(out, data []byte, _ bool) ([]byte, error) {
	buffer := bytes.NewBuffer(out[:0])
	if d.writer == nil {
		d.writer, _ = zlib.NewWriterLevel(buffer, zlib.BestSpeed) // fails for unknown levels only
	}
	d.writer.Reset(buffer)
	if _, err := d.writer.Write(data); err != nil {
		return out, fmt.Errorf("render: deflate: %w", err)
	}
	if err := d.writer.Close(); err != nil {
		return out, fmt.Errorf("render: deflate: %w", err)
	}
	return buffer.Bytes(), nil
}
