package fetch

// #include "md5.h"
import "C"

import (
	"crypto/md5"
	"encoding/binary"
	"hash"
	"runtime"
	"slices"
	"sync"
	"unsafe"
)

// Files whose bytes come at the same time are summed side by side: MD5 of eight takes no longer than of one.
//
//	bytes ─▶ piece ─▶ full ones wait, few of each file ─▶ of one there are too many ─▶ the first of every file that waits, together
//
// A file alone is summed by crypto/md5.
const (
	md5Piece   = 256 << 10 // whole blocks
	md5Waiting = 4         // full pieces of a file
	md5Free    = 32        // pieces that are kept to be filled again
	md5Lanes   = C.SWATH_MD5_LANES
)

// md5Sum is a hash.Hash of one file. Only one goroutine writes it, but others may sum what waits.
type md5Sum struct {
	part []byte // of a piece

	summed hash.Hash // crypto/md5, of whole pieces
	full   [][]byte  // wait, in order
	busy   bool      // the first of them is being summed
}

// sideBySide guards what waits of all files.
var sideBySide = struct {
	sync.Mutex
	ended   *sync.Cond // some were summed
	waiting []*md5Sum  // files with full pieces, the longest first
	free    [][]byte   // pieces to be filled again
}{}

func init() { sideBySide.ended = sync.NewCond(&sideBySide.Mutex) }

func newMD5() hash.Hash { return &md5Sum{summed: md5.New()} }

func (s *md5Sum) Size() int      { return md5.Size }
func (s *md5Sum) BlockSize() int { return md5.BlockSize }

// Reset forgets what was written.
func (s *md5Sum) Reset() {
	s.settle(0)
	s.part = s.part[:0]
	s.summed.Reset()
}

// Write never fails.
func (s *md5Sum) Write(p []byte) (int, error) {
	for n := len(p); ; {
		some := min(len(p), md5Piece-len(s.part))
		s.part = append(s.part, p[:some]...)
		if p = p[some:]; len(s.part) < md5Piece {
			return n, nil
		}
		sideBySide.Lock()
		if s.full = append(s.full, s.part); len(s.full) == 1 {
			sideBySide.waiting = append(sideBySide.waiting, s)
		}
		sideBySide.Unlock()
		runtime.Gosched() // so that the others come as far
		s.settle(md5Waiting - 1)
		s.part = freePiece()
	}
}

// freePiece returns an empty piece.
func freePiece() []byte {
	sideBySide.Lock()
	defer sideBySide.Unlock()
	if n := len(sideBySide.free); n > 0 {
		piece := sideBySide.free[n-1]
		sideBySide.free = sideBySide.free[:n-1]
		return piece
	}
	return make([]byte, 0, md5Piece)
}

// Sum appends the sum of what was written.
func (s *md5Sum) Sum(to []byte) []byte {
	s.settle(0)
	whole := stateOf(s.summed).hash()
	whole.Write(s.part) //nolint:errcheck // a hash never fails
	return whole.Sum(to)
}

// settle sums until no more than so many pieces wait, those of other files beside.
func (s *md5Sum) settle(most int) {
	sideBySide.Lock()
	defer sideBySide.Unlock()
	for len(s.full) > most {
		if s.busy {
			sideBySide.ended.Wait()
			continue
		}
		files, pieces := s.company()
		sideBySide.Unlock()
		sumTogether(files, pieces)
		sideBySide.Lock()
		for i, f := range files {
			f.busy, f.full = false, f.full[1:]
			if len(sideBySide.free) < md5Free {
				sideBySide.free = append(sideBySide.free, pieces[i][:0])
			}
			if len(f.full) == 0 {
				sideBySide.waiting = slices.DeleteFunc(sideBySide.waiting, func(other *md5Sum) bool { return other == f })
			}
		}
		sideBySide.ended.Broadcast()
	}
}

// company takes the first piece of a file, and of others that wait.
func (s *md5Sum) company() (files []*md5Sum, pieces [][]byte) {
	files = append(files, s)
	for _, f := range sideBySide.waiting {
		if f != s && !f.busy && len(files) < md5Lanes {
			files = append(files, f)
		}
	}
	for _, f := range files {
		f.busy = true
		pieces = append(pieces, f.full[0])
	}
	return files, pieces
}

// sumTogether sums a piece of each file.
func sumTogether(files []*md5Sum, pieces [][]byte) {
	if len(files) == 1 {
		files[0].summed.Write(pieces[0]) //nolint:errcheck // a hash never fails
		return
	}
	var words [4][md5Lanes]C.uint32_t
	var data [md5Lanes]*C.uint8_t
	states := make([]md5State, len(files))
	for i := range data {
		from := min(i, len(files)-1) // lanes that are left over sum again what the last does
		data[i] = (*C.uint8_t)(unsafe.SliceData(pieces[from]))
		if i < len(files) {
			states[i] = stateOf(files[i].summed)
			for w := range words {
				words[w][i] = C.uint32_t(states[i].word(w))
			}
		}
	}
	C.swath_md5(&words[0], md5Piece/md5.BlockSize, data[0], data[1], data[2], data[3], data[4], data[5], data[6], data[7])
	for i, f := range files {
		for w := range words {
			states[i].setWord(w, uint32(words[w][i]))
		}
		states[i].grow(md5Piece)
		f.summed = states[i].hash()
	}
}

// md5State is what crypto/md5 says of itself: four bytes of magic, the four words, a block that is not whole, and how many bytes there were; all
// big endian.
type md5State []byte

func stateOf(h hash.Hash) md5State {
	state, err := h.(interface{ MarshalBinary() ([]byte, error) }).MarshalBinary()
	if err != nil || len(state) != 4+4*4+md5.BlockSize+8 {
		panic("crypto/md5 keeps its state otherwise")
	}
	return state
}

func (m md5State) word(i int) uint32       { return binary.BigEndian.Uint32(m[4+4*i:]) }
func (m md5State) setWord(i int, v uint32) { binary.BigEndian.PutUint32(m[4+4*i:], v) }
func (m md5State) bytes() []byte           { return m[len(m)-8:] }
func (m md5State) grow(n uint64) {
	binary.BigEndian.PutUint64(m.bytes(), binary.BigEndian.Uint64(m.bytes())+n)
}

func (m md5State) hash() hash.Hash {
	h := md5.New()
	if err := h.(interface{ UnmarshalBinary([]byte) error }).UnmarshalBinary(m); err != nil {
		panic(err)
	}
	return h
}
