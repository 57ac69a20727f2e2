package safe

import (
	"context"
	"crypto/md5"
	"crypto/sha3"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"

	"swath/fault"
)

// Mismatch is one file that is not as the manifest says.
type Mismatch struct {
	Name    string
	Missing bool   // false: size or checksum differ, or the bytes can't be read
	Reason  string // "missing", "12 bytes instead of 444", "MD5 … instead of …"
}

// String returns the file and what is wrong with it.
func (m Mismatch) String() string { return m.Name + ": " + m.Reason }

// hashes are the checksums that manifests use: MD5, and SHA3-256 since processing baseline 04.00 of Sentinel-2.
var hashes = map[string]func() hash.Hash{
	"MD5":      md5.New,
	"SHA3-256": func() hash.Hash { return sha3.New256() },
}

// Verify compares every listed file's size and checksum, and returns those that differ. It reads the whole product; a caller
// that wants to be quick, or whose products were cut on purpose, leaves it out.
func (m *Manifest) Verify(ctx context.Context, fsys fs.FS) ([]Mismatch, error) {
	var wrong []Mismatch
	for _, f := range m.Files {
		mismatch, err := f.verify(ctx, fsys)
		if err != nil {
			return nil, err
		}
		if mismatch.Reason != "" {
			wrong = append(wrong, mismatch)
		}
	}
	return wrong, nil
}

// verify returns an empty Reason when the file is as listed.
func (f File) verify(ctx context.Context, fsys fs.FS) (Mismatch, error) {
	if err := ctx.Err(); err != nil {
		return Mismatch{}, err
	}
	info, err := fs.Stat(fsys, f.Name)
	if err != nil {
		if err = readFault(err, f.Name); !fault.Is(err, fault.Invalid) {
			return Mismatch{}, err
		}
		return Mismatch{Name: f.Name, Missing: true, Reason: "missing"}, nil
	}
	if f.SizeBytes >= 0 && info.Size() != f.SizeBytes {
		return Mismatch{Name: f.Name, Reason: fmt.Sprintf("%d bytes instead of %d", info.Size(), f.SizeBytes)}, nil
	}
	if f.Algorithm == "" {
		return Mismatch{}, nil
	}
	newHash, known := hashes[f.Algorithm]
	if !known {
		return Mismatch{Name: f.Name, Reason: fmt.Sprintf("checksum algorithm %.40q is unknown", f.Algorithm)}, nil
	}
	sum, err := sumOf(ctx, fsys, f.Name, newHash())
	if fault.Is(err, fault.Invalid) {
		return Mismatch{Name: f.Name, Reason: "damaged"}, nil
	} else if err != nil {
		return Mismatch{}, err
	}
	if sum != f.Sum {
		return Mismatch{Name: f.Name, Reason: fmt.Sprintf("%s %s instead of %.128s", f.Algorithm, sum, f.Sum)}, nil
	}
	return Mismatch{}, nil
}

// sumOf returns a file's checksum in hex.
func sumOf(ctx context.Context, fsys fs.FS, name string, h hash.Hash) (string, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return "", readFault(err, name)
	}
	defer file.Close()
	buffer := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := file.Read(buffer)
		h.Write(buffer[:n])
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)), nil
		} else if err != nil {
			return "", readFault(err, name)
		}
	}
}
