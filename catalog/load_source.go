package catalog

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"swath/fault"
)

// LoadSource is a text of lines to be loaded: a file or a stream, plain or packed by gzip or zstd, which its first bytes tell.
type LoadSource struct {
	Name string // for messages

	file     *os.File // nil of a stream
	size     int64    // bytes as they lie in the file; -1 of a stream
	taken    atomic.Int64
	identity string // "" of a stream: it can't be gone on with
	text     io.Reader
	mapped   []byte // of a plain file, all of it, instead of text; nil where it can't be
	plain    bool
	close    func()
}

// OpenLoadFile opens a file of lines. Close it.
func OpenLoadFile(path string) (*LoadSource, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%v", err)
	}
	s := &LoadSource{Name: path, file: f, size: -1, close: func() { f.Close() }}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fault.New(fault.Invalid, "%s is a folder: name the files", path)
	}
	if err == nil && info.Mode().IsRegular() {
		s.size = info.Size()
		s.identity, err = identify(f, info)
	}
	if err == nil {
		err = s.unpack(f)
	}
	if err == nil && s.plain {
		if s.mapped = mapFile(f, s.size); s.mapped != nil {
			s.taken.Store(0)
			s.close = func() {
				_ = unix.Munmap(s.mapped) // as it was mapped
				f.Close()
			}
		}
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// NewLoadStream reads lines from a stream, such as standard input.
func NewLoadStream(name string, r io.Reader) (*LoadSource, error) {
	s := &LoadSource{Name: name, size: -1, close: func() {}}
	return s, s.unpack(r)
}

// Close releases the file.
func (s *LoadSource) Close() { s.close() }

// Progress returns how many bytes were taken from the source as it lies, and how many there are; -1 when nobody knows.
func (s *LoadSource) Progress() (taken, size int64) { return s.taken.Load(), s.size }

// identify sums up what a file is known by when its load goes on: size, time, and both ends.
func identify(f *os.File, info os.FileInfo) (string, error) {
	const end = 64 << 10
	sum := sha256.New()
	fmt.Fprintf(sum, "%d %d\n", info.Size(), info.ModTime().UnixNano())
	for _, from := range []int64{0, max(info.Size()-end, 0)} {
		if _, err := io.Copy(sum, io.NewSectionReader(f, from, end)); err != nil {
			return "", fault.Wrap(fault.Invalid, err, "%s: %v", f.Name(), err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// counted counts what is taken from a source.
type counted struct {
	io.Reader
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// unpack finds out how the source is packed.
func (s *LoadSource) unpack(r io.Reader) error {
	in := bufio.NewReaderSize(counted{r, &s.taken}, 256<<10)
	head, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return fault.Wrap(fault.Invalid, err, "%s: %v", s.Name, err)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return s.damaged(err)
		}
		s.text = z
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return s.damaged(err)
		}
		file := s.close
		s.text, s.close = z, func() { z.Close(); file() }
	default:
		s.text, s.plain = in, true
	}
	return nil
}

// damaged says in words what is wrong with a source that can't be read on.
func (s *LoadSource) damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Wrap(fault.Invalid, err, "the file is cut: it ends in the middle of what was packed")
	}
	return fault.Wrap(fault.Invalid, err, "the file can't be unpacked: %v", err)
}

// lines returns a reader of what is left; the first line is that after another, at an offset.
func (s *LoadSource) lines(after, offset int64) *lineReader {
	if s.mapped != nil {
		return newMappedReader(s.mapped, after, offset)
	}
	return newLineReader(s.text, after, offset)
}

// reached notes how far a mapped file was read.
func (s *LoadSource) reached(offset int64) {
	if s.mapped != nil && offset/mappedAtOnce > s.taken.Swap(offset)/mappedAtOnce {
		forget(s.mapped, offset-mappedAtOnce)
	}
}

// skip goes on behind the first n bytes of the unpacked text.
func (s *LoadSource) skip(n int64) error {
	if s.mapped != nil && n <= s.size {
		s.taken.Store(n)
		return nil
	}
	if s.plain && s.file != nil {
		if _, err := s.file.Seek(n, io.SeekStart); err != nil {
			return s.damaged(err)
		}
		s.taken.Store(n)
		s.text = bufio.NewReaderSize(counted{s.file, &s.taken}, 256<<10)
		return nil
	}
	if got, err := io.CopyN(io.Discard, s.text, n); err != nil && !errors.Is(err, io.EOF) || got < n {
		return s.damaged(errors.Join(err, io.ErrUnexpectedEOF))
	}
	return nil
}
