//go:build noisal

package deflate

import (
	"bytes"

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
