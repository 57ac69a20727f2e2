//go:build noisal

package raster

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/zlib"
)

// inflate decompresses a zlib stream into dst and returns how much of it was filled.
func inflate(dst, src []byte) (int, error) {
	z, err := zlib.NewReader(bytes.NewReader(src))
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(z, dst)
	if err == io.ErrUnexpectedEOF { // a short block: whether that is enough is decided by the caller
		return n, nil
	} else if err != nil {
		return n, err
	}
	var more [1]byte
	if extra, err := z.Read(more[:]); extra > 0 || err != io.EOF {
		return n, fmt.Errorf("more than %d bytes in a deflate stream, or a damaged end (%v)", len(dst), err)
	}
	return n, nil
}
