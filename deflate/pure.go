//go:build noisal

package deflate

import (
	"bytes"
	"fmt"
	"hash/adler32"

	"github.com/klauspost/compress/zlib"
)

// matcher packs in pure Go, where ISA-L is not wanted.
type matcher struct {
	writers [4]*zlib.Writer // by level
}

// pack returns src as a zlib stream, in the memory of out if it suffices.
func (m *matcher) pack(out, src []byte, level int) ([]byte, error) {
	buffer := bytes.NewBuffer(out[:0])
	if m.writers[level] == nil {
		m.writers[level], _ = zlib.NewWriterLevel(buffer, level) // the level is a valid one
	}
	return through(m.writers[level], buffer, src)
}

// through writes src through a compressor into a buffer, and returns what is there then.
func through(z *zlib.Writer, to *bytes.Buffer, src []byte) ([]byte, error) {
	z.Reset(to)
	if _, err := z.Write(src); err != nil {
		return to.Bytes(), fmt.Errorf("deflate: %w", err)
	}
	if err := z.Close(); err != nil {
		return to.Bytes(), fmt.Errorf("deflate: %w", err)
	}
	return to.Bytes(), nil
}

// checksum is Adler-32.
func checksum(b []byte) uint32 { return adler32.Checksum(b) }
