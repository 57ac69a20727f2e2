package objects

import (
	"io"
	"os"
)

// Stream reads n bytes of o from offset off in their order, for one reader: S3 answers in a single request, and from a folder
// io.Copy to a socket leaves the work to the kernel. Only one Stream of an Object may be in use at a time. Close it before o.
func Stream(o Object, off, n int64) io.ReadCloser {
	if s, ok := o.(interface {
		stream(off, n int64) io.ReadCloser
	}); ok {
		return s.stream(off, n)
	}
	return io.NopCloser(io.NewSectionReader(o, off, n))
}

// fileRange is a piece of a file that belongs to an Object. WriteTo shows its writer a bare *os.File, which sendfile needs.
type fileRange struct{ io.LimitedReader }

func newFileRange(f *os.File, off, n int64) io.ReadCloser {
	if _, err := f.Seek(off, io.SeekStart); err != nil {
		return io.NopCloser(failed{err})
	}
	return &fileRange{io.LimitedReader{R: f, N: n}}
}

func (r *fileRange) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, &r.LimitedReader) }
func (r *fileRange) Close() error                       { return nil }

type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
