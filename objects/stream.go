package objects

import (
	"io"
	"os"
)

// Streamer is an Object that knows a shorter way than ReadAt to bytes that are wanted in their order; see Stream.
type Streamer interface {
	Stream(off, n int64) io.ReadCloser
}

// Stream reads n bytes of o from offset off in their order: S3 answers in a single request, and from a folder io.Copy to a
// socket leaves the work to the kernel. Nothing is asked for before the first byte is wanted. One goroutine at a time may read
// streams of o; close them before o.
func Stream(o Object, off, n int64) io.ReadCloser {
	if s, ok := o.(Streamer); ok {
		return s.Stream(off, n)
	}
	return io.NopCloser(io.NewSectionReader(o, off, n))
}

// fileRange is a piece of a file that belongs to an Object. WriteTo shows its writer a bare *os.File, which sendfile needs.
type fileRange struct {
	*io.SectionReader
	f *os.File
}

func (r fileRange) WriteTo(w io.Writer) (int64, error) {
	at, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	_, off, size := r.Outer()
	if _, err := r.f.Seek(off+at, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.Copy(w, &io.LimitedReader{R: r.f, N: size - at})
	if _, seekErr := r.Seek(at+n, io.SeekStart); err == nil {
		err = seekErr
	}
	return n, err
}

// Close leaves the file to its Object.
func (r fileRange) Close() error { return nil }
