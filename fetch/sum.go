package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"strings"

	"lukechampine.com/blake3"
)

// Sum is a checksum of bytes.
type Sum struct{ Algorithm, Value string } // MD5, SHA256 or BLAKE3, and hexadecimal digits in lower case

// makers are the algorithms.
var makers = map[string]func() hash.Hash{"MD5": newMD5, "SHA256": sha256.New, "BLAKE3": func() hash.Hash { return blake3.New(32, nil) }}

// Knows reports whether sums of an algorithm can be computed.
func Knows(algorithm string) bool { return makers[algorithm] != nil }

// multihashes are how the algorithms begin as multihashes (https://github.com/multiformats/multicodec): code and length.
var multihashes = map[string]string{"1220": "SHA256", "d50110": "MD5", "1e20": "BLAKE3"}

// SumOfMultihash reads a multihash in hexadecimal digits, as file:checksum has it.
func SumOfMultihash(text string) (s Sum, known bool) {
	text = strings.ToLower(text)
	for prefix, algorithm := range multihashes {
		if rest, ok := strings.CutPrefix(text, prefix); ok && len(rest) == 2*makers[algorithm]().Size() {
			return Sum{algorithm, rest}, true
		}
	}
	return s, false
}

// Multihash writes a sum as one.
func (s Sum) Multihash() string {
	for prefix, algorithm := range multihashes {
		if algorithm == s.Algorithm {
			return prefix + s.Value
		}
	}
	return ""
}

// Tally sums the bytes of a file as they come, so that they need not be read again. What it has not seen, because it came before a process
// died or in another order, it reads from the file.
type Tally struct {
	hashes map[string]hash.Hash
	at     int64 // bytes that are summed
}

// NewTally sums by these algorithms, the unknown ones aside.
func NewTally(algorithms ...string) *Tally {
	t := &Tally{hashes: map[string]hash.Hash{}}
	for _, algorithm := range algorithms {
		if Knows(algorithm) && t.hashes[algorithm] == nil {
			t.hashes[algorithm] = makers[algorithm]()
		}
	}
	return t
}

// came takes in the bytes behind those that are summed. A nil tally takes in nothing.
func (t *Tally) came(p []byte) {
	if t == nil {
		return
	}
	for _, h := range t.hashes {
		h.Write(p) //nolint:errcheck // a hash never fails
	}
	t.at += int64(len(p))
}

// reach sums what a file has up to a byte: from where it is, or anew when the file begins again before that.
func (t *Tally) reach(ctx context.Context, f io.ReaderAt, to int64) error {
	if t == nil {
		return nil
	}
	if to < t.at {
		for _, h := range t.hashes {
			h.Reset()
		}
		t.at = 0
	}
	for buffer := make([]byte, min(copyBytes, to-t.at)); t.at < to; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.ReadAt(buffer[:min(int64(len(buffer)), to-t.at)], t.at)
		if t.came(buffer[:n]); err != nil && t.at < to {
			return err
		}
	}
	return nil
}

// Of returns the size and the sums of the file whose bytes came.
func (t *Tally) Of(ctx context.Context, path string) (size int64, sums []Sum, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, nil, err
	}
	if err := t.reach(ctx, f, info.Size()); err != nil {
		return 0, nil, err
	}
	for algorithm, h := range t.hashes {
		sums = append(sums, Sum{algorithm, hex.EncodeToString(h.Sum(nil))})
	}
	return info.Size(), sums, nil
}

// Sums reads a file for its size and its sums by these algorithms, the unknown ones aside.
func Sums(ctx context.Context, path string, algorithms ...string) (size int64, sums []Sum, err error) {
	return NewTally(algorithms...).Of(ctx, path)
}
