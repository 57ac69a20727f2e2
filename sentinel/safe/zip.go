package safe

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"swath/fault"
)

// Limits of a zip. Real products have some hundred entries and up to 10 GB; XML compresses 30 times.
const (
	maxEntries    = 20_000
	maxTotalBytes = 20_000_000_000
	maxRatio      = 200
	ratioFrom     = 10_000_000 // bytes above which the ratio counts
)

// openZip opens a zip whose every entry is harmless.
func openZip(name string) (*zip.ReadCloser, error) {
	archive, err := zip.OpenReader(name)
	base := filepath.Base(name)
	if err != nil {
		if archive != nil { // zip.ErrInsecurePath comes with an open reader
			archive.Close()
		}
		if isDamage(err) || errors.Is(err, zip.ErrInsecurePath) {
			return nil, fault.Wrap(fault.Invalid, err, "%s: not a complete zip file", base)
		}
		return nil, err
	}
	if reason := unsafeZip(archive.File); reason != nil {
		archive.Close()
		return nil, fault.New(fault.Invalid, "%s: %v", base, reason)
	}
	return archive, nil
}

// unsafeZip returns the reason why a zip with these entries is refused, or nil. The declared sizes can be trusted: the
// decoder stops at them.
func unsafeZip(files []*zip.File) error {
	if len(files) > maxEntries {
		return fmt.Errorf("%d entries are more than %d", len(files), maxEntries)
	}
	var total uint64
	folders := map[string]bool{}
	seen := map[string]bool{} // files
	for _, f := range files {
		if reason := unsafeEntry(f); reason != "" {
			return fmt.Errorf("entry %.200q %s", f.Name, reason)
		}
		name := strings.TrimSuffix(f.Name, "/")
		if seen[name] || folders[name] && name == f.Name {
			return fmt.Errorf("entry %.200q occurs twice", f.Name)
		}
		if name == f.Name {
			seen[name] = true
		} else {
			folders[name] = true
		}
		for i := range name {
			if name[i] == '/' {
				folders[name[:i]] = true
			}
		}
		if total += f.UncompressedSize64; total > maxTotalBytes {
			return fmt.Errorf("unpacked, it has more than %d bytes", uint64(maxTotalBytes))
		}
	}
	for name := range seen {
		if folders[name] {
			return fmt.Errorf("entry %.200q is both a file and a folder", name)
		}
	}
	return nil
}

// unsafeEntry says what is wrong with an entry, or nothing.
func unsafeEntry(f *zip.File) string {
	name := strings.TrimSuffix(f.Name, "/")
	switch kind := f.Mode().Type(); {
	case !fs.ValidPath(name) || name == "." || strings.ContainsRune(name, '\\'):
		return "has a path that is absolute, leaves the archive or is malformed"
	case len(name) > 1 && name[1] == ':':
		return "has a drive letter"
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "has a control character in its name"
	case kind&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case kind != 0 && kind != fs.ModeDir:
		return "is neither a file nor a folder"
	case f.Flags&1 != 0:
		return "is encrypted"
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return "is compressed in another way than deflate"
	case f.UncompressedSize64 > maxTotalBytes:
		return "is too large"
	case f.UncompressedSize64 > ratioFrom && f.UncompressedSize64/maxRatio >= max(1, f.CompressedSize64):
		return "is compressed more than 200 times, like a decompression bomb"
	}
	return ""
}

// isDamage reports whether an error tells of damaged or cut bytes.
func isDamage(err error) bool {
	var corrupt flate.CorruptInputError
	for _, known := range []error{zip.ErrFormat, zip.ErrChecksum, zip.ErrAlgorithm, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return true
		}
	}
	return errors.As(err, &corrupt)
}
