package catalog

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/klauspost/compress/zstd"

	"swath/fault"
)

// ExportFile is a file that appears under its name when it is whole: until Commit it has another one beside it. It is packed as
// its name ends: .gz or .zst.
type ExportFile struct {
	io.Writer
	path   string
	file   *renameio.PendingFile
	buffer *bufio.Writer
	packer io.Closer // nil of a plain file
}

// CreateExportFile begins a file. Commit or Abort it.
func CreateExportFile(path string) (*ExportFile, error) {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o644))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%v", err)
	}
	e := &ExportFile{path: path, file: f}
	out := bufio.NewWriterSize(f, 256<<10)
	e.Writer, e.buffer = out, out
	switch {
	case strings.HasSuffix(path, ".gz"):
		z := gzip.NewWriter(out)
		e.Writer, e.packer = z, z
	case strings.HasSuffix(path, ".zst"):
		z, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1))
		if err != nil {
			e.Abort()
			return nil, err
		}
		e.Writer, e.packer = z, z
	}
	return e, nil
}

// Commit ends the file, and gives it its name when all of it is on the disk.
func (e *ExportFile) Commit() error {
	var err error
	if e.packer != nil {
		err = e.packer.Close()
	}
	if err = errors.Join(err, e.buffer.Flush()); err == nil {
		err = e.file.CloseAtomicallyReplace()
	}
	if err == nil {
		err = syncFolder(filepath.Dir(e.path))
	}
	return errors.Join(err, e.file.Cleanup())
}

// Abort removes what was written.
func (e *ExportFile) Abort() {
	e.file.Cleanup() //nolint:errcheck // what went wrong before is told
}

// syncFolder makes a new name survive a crash of the machine.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
