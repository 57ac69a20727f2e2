package fetch

import (
	"context"
	"crypto/md5"
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
var makers = map[string]func() hash.Hash{"MD5": md5.New, "SHA256": sha256.New, "BLAKE3": func() hash.Hash { return blake3.New(32, nil) }}

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

// Sums reads a file for its size and its sums by these algorithms, the unknown ones aside.
func Sums(ctx context.Context, path string, algorithms ...string) (size int64, sums []Sum, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	hashes := map[string]hash.Hash{}
	for _, algorithm := range algorithms {
		if Knows(algorithm) && hashes[algorithm] == nil {
			hashes[algorithm] = makers[algorithm]()
		}
	}
	buffer := make([]byte, copyBytes)
	for {
		if err := ctx.Err(); err != nil {
			return 0, nil, err
		}
		n, err := f.Read(buffer)
		for _, h := range hashes {
			h.Write(buffer[:n]) //nolint:errcheck // a hash never fails
		}
		size += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, nil, err
		}
	}
	for algorithm, h := range hashes {
		sums = append(sums, Sum{algorithm, hex.EncodeToString(h.Sum(nil))})
	}
	return size, sums, nil
}
