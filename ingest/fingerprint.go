package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"

	"swath/fault"
)

// converter is part of every revision: change it when the same product would become other bytes.
const converter = "cog5"

// fingerprint sums a product's content: names, sizes and CRC-32 of its files, the same for a zip and for the folder it was
// made of. Reading everything once also finds the damaged members of a zip before anything is converted.
// Without names, every file counts.
func fingerprint(fsys fs.FS, names ...string) (string, error) {
	if len(names) == 0 {
		err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				names = append(names, name)
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	slices.Sort(names)
	h := sha256.New()
	for _, name := range names {
		size, sum, err := crcOf(fsys, name)
		if err != nil {
			return "", fault.Wrap(fault.Invalid, err, "%s can't be read", name)
		}
		fmt.Fprintf(h, "%s %d %08x\n", name, size, sum)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// crcOf returns the size and CRC-32 (IEEE) of a file by reading it.
func crcOf(fsys fs.FS, name string) (int64, uint32, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	h := crc32.NewIEEE()
	n, err := io.Copy(h, f)
	return n, h.Sum32(), err
}
