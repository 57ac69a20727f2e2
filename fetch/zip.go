package fetch

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// Unsound is the error of a zip whose bytes are wrong.
type Unsound struct{ reason string }

func (e *Unsound) Error() string { return e.reason }

func unsoundf(format string, args ...any) error { return &Unsound{fmt.Sprintf(format, args...)} }

// CheckZip reads every file of a zip against its CRC. It is *Unsound when one differs, or when all together are more than so many times as
// large as the zip; 0 is any number of times.
func CheckZip(ctx context.Context, path string, mostRatio int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(&chunks{of: f, buffer: make([]byte, chunkBytes)}, info.Size())
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return unsoundf("not a sound zip: %v", err)
	}
	left := int64(math.MaxInt64 - 1)
	if mostRatio > 0 {
		left = mostRatio * info.Size()
	}
	buffer := make([]byte, chunkBytes)
	for _, entry := range archive.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := entry.Open()
		if err != nil {
			return unsoundf("%q in the zip: %v", entry.Name, err)
		}
		n, err := io.CopyBuffer(nowhere{}, io.LimitReader(r, left+1), buffer)
		r.Close()
		if err != nil {
			return unsoundf("%q in the zip: %v", entry.Name, err)
		}
		if left -= n; left < 0 {
			return unsoundf("the zip's files are more than %d times as large as the zip", mostRatio)
		}
	}
	return nil
}

// chunkBytes are read of a zip at a time.
const chunkBytes = 256 << 10

// nowhere takes what is written in the pieces that its writer has: io.Discard reads small ones.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// chunks reads a file that is mostly read onwards, in larger pieces than are asked for. It is for one reader at a time.
type chunks struct {
	of     io.ReaderAt
	buffer []byte
	from   int64 // of what the buffer holds
	n      int   // bytes of it
}

// ReadAt reads as io.ReaderAt.
func (c *chunks) ReadAt(p []byte, at int64) (n int, err error) {
	if len(p) >= len(c.buffer) {
		return c.of.ReadAt(p, at)
	}
	for n < len(p) {
		if at < c.from || at >= c.from+int64(c.n) {
			if c.n, err = c.of.ReadAt(c.buffer, at); c.n == 0 {
				return n, err
			}
			c.from = at
		}
		some := copy(p[n:], c.buffer[at-c.from:c.n])
		n, at = n+some, at+int64(some)
	}
	return n, nil
}
