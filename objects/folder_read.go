package objects

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
)

// file is an open object of a folder.
type file struct {
	*os.File
	info Info
}

func (f *file) Info() Info { return f.info }

// Stream lets a copy to a socket be the kernel's work.
func (f *file) Stream(off, n int64) io.ReadCloser {
	return fileRange{io.NewSectionReader(f.File, off, n), f.File}
}

func (s *folder) Open(ctx context.Context, key string) (Object, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("objects: open %s: %w", key, err)
	}
	f, info, err := s.look(key)
	if err != nil {
		return nil, fmt.Errorf("objects: open %s: %w", key, err)
	}
	return &file{f, info}, nil
}

func (s *folder) Stat(ctx context.Context, key string) (Info, error) {
	o, err := s.Open(ctx, key)
	if err != nil {
		return Info{}, err
	}
	return o.Info(), o.Close()
}

// look opens the bytes of key and reads the sidecar that belongs to them.
func (s *folder) look(key string) (*os.File, Info, error) {
	for {
		f, info, err := s.lookOnce(key)
		if !errors.Is(err, errReplaced) {
			return f, info, err
		}
	}
}

// errReplaced: the object was deleted, and put again, while its two files were being opened.
var errReplaced = errors.New("replaced meanwhile")

func (s *folder) lookOnce(key string) (_ *os.File, _ Info, err error) {
	name := path.Join(bytesDir, key)
	f, err := s.root.Open(name)
	if absent(err) {
		return nil, Info{}, unknown(key)
	} else if err != nil {
		return nil, Info{}, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	st, err := f.Stat()
	if err != nil {
		return nil, Info{}, err
	} else if !st.Mode().IsRegular() {
		return nil, Info{}, unknown(key)
	}
	side, sideErr := s.sidecar(key)
	if now, err := s.root.Lstat(name); err == nil && !os.SameFile(st, now) {
		return nil, Info{}, errReplaced
	} else if absent(err) {
		return nil, Info{}, unknown(key)
	} else if err != nil {
		return nil, Info{}, err
	}
	if sideErr != nil {
		return nil, Info{}, sideErr
	} else if st.Size() != side.SizeBytes {
		return nil, Info{}, fmt.Errorf("%s is damaged: %d bytes, not %d", name, st.Size(), side.SizeBytes)
	}
	return f, Info{Key: key, Size: side.SizeBytes, SHA256: side.SHA256, ContentType: side.ContentType, Modified: st.ModTime().UTC()}, nil
}

func (s *folder) sidecar(key string) (side sidecar, err error) {
	text, err := s.root.ReadFile(sumsName(key))
	if err == nil {
		err = json.Unmarshal(text, &side)
	}
	if err != nil {
		return side, fmt.Errorf("sidecar %s: %w", sumsName(key), err)
	}
	return side, nil
}

func (s *folder) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		dir, begin, err := splitPrefix(prefix)
		if err != nil {
			yield(Info{}, err)
			return
		}
		s.walk(ctx, dir, begin, yield)
	}
}

// walk lists the keys under dir whose next segment has this beginning; false means that the caller has had enough.
func (s *folder) walk(ctx context.Context, dir, begin string, yield func(Info, error) bool) bool {
	fail := func(err error) bool {
		yield(Info{}, fmt.Errorf("objects: list %s: %w", dir, err))
		return false
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	entries, err := s.entries(path.Join(bytesDir, dir))
	if absent(err) {
		return true
	} else if err != nil {
		return fail(err)
	}
	for _, e := range entries {
		key := path.Join(dir, e.Name())
		switch {
		case !strings.HasPrefix(e.Name(), begin):
		case e.IsDir():
			if !s.walk(ctx, key, "", yield) {
				return false
			}
		case e.Type().IsRegular():
			st, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // deleted meanwhile
			} else if err != nil {
				return fail(err)
			}
			if !yield(Info{Key: key, Size: st.Size(), Modified: st.ModTime().UTC()}, nil) {
				return false
			}
		}
	}
	return true
}

// entries reads a folder in the order of the keys below it: "a.txt" comes before "a/b", because "." comes before "/".
func (s *folder) entries(dir string) ([]fs.DirEntry, error) {
	d, err := s.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	name := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(name(a), name(b)) })
	return entries, err
}
