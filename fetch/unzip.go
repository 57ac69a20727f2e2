package fetch

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"swath/fault"
)

// Tree is a folder with files, as one can tell whether it is still the same.
type Tree struct {
	Name   string `json:"name"`
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of a line a file, by name: its name and SHA-256
}

// Unzip unpacks a zip beside itself: as its one top folder, or as a folder of its own name where it has none. The folder is there whole or
// not at all. It is *Unsound when bytes are wrong or a name leads out of the folder, and fault.Conflict when something else has the
// folder's name, except what an older version of the zip left there.
func Unzip(ctx context.Context, path string, older *Tree) (t Tree, err error) {
	archive, err := zip.OpenReader(path)
	if errors.Is(err, zip.ErrFormat) || errors.Is(err, zip.ErrAlgorithm) || errors.Is(err, zip.ErrChecksum) || errors.Is(err, zip.ErrInsecurePath) {
		return t, unsoundf("not a sound zip: %v", err)
	} else if err != nil {
		return t, err
	}
	defer archive.Close()
	work, err := os.MkdirTemp(filepath.Dir(path), ".unzip-*")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(work)
	for _, entry := range archive.File {
		if err := unpack(ctx, entry, work); err != nil {
			return t, err
		}
	}
	tops, err := os.ReadDir(work)
	if err != nil {
		return t, err
	}
	from, name := work, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if len(tops) == 1 && tops[0].IsDir() {
		from, name = filepath.Join(work, tops[0].Name()), tops[0].Name()
	}
	to := filepath.Join(filepath.Dir(path), name)
	if to == path {
		return t, unsoundf("the zip's folder has the zip's own name %q", name)
	}
	if t, err = TreeOf(ctx, from); err != nil {
		return t, err
	}
	t.Name = name
	if err := os.Chmod(from, 0o755); err != nil {
		return t, err
	}
	if _, err := os.Lstat(to); err == nil {
		there, err := TreeOf(ctx, to)
		switch {
		case err == nil && there == t:
			return t, nil
		case older == nil || older.Name != name:
			return t, errors.Join(fault.New(fault.Conflict, "%s is there already, and is something else", to), err)
		}
		if err := os.RemoveAll(to); err != nil {
			return t, err
		}
	}
	if err := os.Rename(from, to); err != nil {
		return t, err
	}
	return t, SyncDir(filepath.Dir(path))
}

// unpack writes one entry of a zip into a folder. Links and devices are no entries of products.
func unpack(ctx context.Context, entry *zip.File, folder string) error {
	name := filepath.FromSlash(strings.ReplaceAll(entry.Name, `\`, "/"))
	if !filepath.IsLocal(name) || entry.Mode()&fs.ModeType&^fs.ModeDir != 0 {
		return unsoundf("%q in the zip is no name of a file or folder in it", entry.Name)
	}
	to := filepath.Join(folder, name)
	if entry.FileInfo().IsDir() {
		return os.MkdirAll(to, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	r, err := entry.Open()
	if err != nil {
		return unsoundf("%q in the zip: %v", entry.Name, err)
	}
	defer r.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return unsoundf("%q is twice in the zip", entry.Name)
	} else if err != nil {
		return err
	}
	defer f.Close()
	buffer := make([]byte, copyBytes)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, readErr := r.Read(buffer)
		if _, err := f.Write(buffer[:n]); err != nil {
			return err
		}
		if readErr == io.EOF {
			return errors.Join(f.Sync(), f.Close())
		}
		if readErr != nil {
			return unsoundf("%q in the zip: %v", entry.Name, readErr)
		}
	}
}

// TreeOf reads a folder.
func TreeOf(ctx context.Context, folder string) (t Tree, err error) {
	t.Name = filepath.Base(folder)
	all := sha256.New()
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		size, sums, err := Sums(ctx, path, "SHA256")
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		t.Files++
		t.Bytes += size
		fmt.Fprintf(all, "%s %s\n", filepath.ToSlash(name), sums[0].Value)
		return err
	})
	t.SHA256 = hex.EncodeToString(all.Sum(nil))
	return t, err
}
