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
	archive, err := zip.NewReader(f, info.Size())
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return unsoundf("not a sound zip: %v", err)
	}
	left := int64(math.MaxInt64 - 1)
	if mostRatio > 0 {
		left = mostRatio * info.Size()
	}
	for _, entry := range archive.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := entry.Open()
		if err != nil {
			return unsoundf("%q in the zip: %v", entry.Name, err)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, left+1))
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
