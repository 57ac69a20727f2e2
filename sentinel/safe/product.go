package safe

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"swath/fault"
)

// Product is an opened product. Its files are read through FS, whose root is the folder that holds the manifest.
type Product struct {
	Name   string // the product folder's name without .SAFE; of a zip without such a folder, the zip's
	Path   string // the folder or zip it was opened from
	Root   string // the product folder inside Path, slash-separated; "." when it is Path itself
	Zipped bool
	FS     fs.FS

	close []io.Closer
}

// Open opens the product at a path: its folder, a zip of it, or a folder or zip that holds this one product some levels down,
// with other files beside it or not. The caller closes it.
func Open(path string) (*Product, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.NotFound, err, "%s: no such file or folder", path)
	} else if err != nil {
		return nil, err
	}
	p := &Product{Path: path, Zipped: !info.IsDir()}
	if err := p.open(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Product) open() error {
	var whole fs.FS
	if p.Zipped {
		archive, err := openZip(p.Path)
		if err != nil {
			return err
		}
		p.close = append(p.close, archive)
		whole = archive
	} else {
		root, err := os.OpenRoot(p.Path)
		if err != nil {
			return err
		}
		p.close = append(p.close, root)
		whole = root.FS()
	}
	var err error
	if p.Root, err = findRoot(whole, filepath.Base(p.Path)); err != nil {
		return err
	}
	if p.FS, err = fs.Sub(whole, p.Root); err != nil {
		return err
	}
	p.Name = p.name()
	return nil
}

// Close releases the folder or zip; FS fails afterwards.
func (p *Product) Close() error {
	var errs []error
	for _, c := range p.close {
		errs = append(errs, c.Close())
	}
	p.close = nil
	return errors.Join(errs...)
}

// GDALPath returns where GDAL finds a file of the product.
func (p *Product) GDALPath(name string) string {
	inside := path.Join(p.Root, name)
	if p.Zipped {
		return "/vsizip/{" + p.Path + "}/" + inside
	}
	return filepath.Join(p.Path, filepath.FromSlash(inside))
}

func (p *Product) name() string {
	base := path.Base(p.Root)
	if p.Root == "." {
		base = filepath.Base(p.Path)
		if absolute, err := filepath.Abs(p.Path); err == nil { // for "swath ingest ."
			base = filepath.Base(absolute)
		}
		if p.Zipped {
			base = trimSuffixFold(base, ".zip")
		}
	}
	return trimSuffixFold(base, ".SAFE")
}

func trimSuffixFold(s, suffix string) string {
	if n := len(s) - len(suffix); n > 0 && strings.EqualFold(s[n:], suffix) {
		return s[:n]
	}
	return s
}
