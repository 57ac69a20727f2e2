package catalog

import "sync"

// bodies is the memory of the bodies of one page: side by side in large pieces, which the next page takes over. A body of its own
// each would be most of what there is to collect as garbage.
type bodies struct {
	piece  []byte
	pieces []*[bodiesBytes]byte
}

const bodiesBytes = 256 << 10 // of a piece

var pieces = sync.Pool{New: func() any { return new([bodiesBytes]byte) }}

// add puts a body into the memory of the page, or, where there is no page, into its own.
func (b *bodies) add(unpack func(out []byte) ([]byte, error)) ([]byte, error) {
	if b == nil {
		return unpack(nil)
	}
	if cap(b.piece)-len(b.piece) < usualBody {
		whole := pieces.Get().(*[bodiesBytes]byte)
		b.piece, b.pieces = whole[:0], append(b.pieces, whole)
	}
	from := len(b.piece)
	out, err := unpack(b.piece)
	if err != nil {
		return nil, err
	}
	if cap(out) == cap(b.piece) {
		b.piece = out
	} else {
		out = out[from:] // it was too large for the piece, and has its own
		from = 0
	}
	return out[from:len(out):len(out)], nil
}

// forget takes back what add returned last.
func (b *bodies) forget(last []byte) {
	if b == nil || len(last) == 0 || len(b.piece) < len(last) || &b.piece[len(b.piece)-1] != &last[len(last)-1] {
		return
	}
	b.piece = b.piece[:len(b.piece)-len(last)]
}

func (b *bodies) free() {
	for _, piece := range b.pieces {
		pieces.Put(piece)
	}
	b.piece, b.pieces = nil, nil
}
