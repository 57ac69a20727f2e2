package objects

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"swath/fault"
)

// folder keeps objects in a local folder:
//
//	bytes/<key>                    the object itself, as any program can read it
//	sums/<3 hex>/<hash of key>     its sidecar: SHA-256, size, content type
//	staging/<random>               what running Puts have written so far
//	lock                           held by flock while names change
//
// An object exists when bytes/<key> does. Its sidecar is synced to disk before that name appears and goes after the name is
// gone, so a crash leaves at most a sidecar without an object, which nobody reads and the next Put replaces.
type folder struct{ root *os.Root }

const (
	bytesDir   = "bytes"
	sumsDir    = "sums"
	stagingDir = "staging"
	lockFile   = "lock"
)

// sidecar is what a file does not say about itself.
type sidecar struct {
	Key         string `json:"key"`
	SizeBytes   int64  `json:"size"`
	SHA256      string `json:"sha256"`
	ContentType string `json:"content_type"`
}

// OpenFolder returns the store in the folder root, which is made if it is missing. Several processes may use one folder.
func OpenFolder(root string) (Store, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("objects: folder: %w", err)
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("objects: folder: %w", err)
	}
	s := &folder{r}
	for _, dir := range []string{bytesDir, sumsDir, stagingDir} {
		if err := s.mkdirs(dir); err != nil {
			return nil, errors.Join(fmt.Errorf("objects: folder %s: %w", root, err), r.Close())
		}
	}
	return s, nil
}

func (s *folder) Put(ctx context.Context, key, contentType string, r io.Reader) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	info, err := s.put(ctx, key, contentType, r)
	if err != nil {
		return Info{}, fmt.Errorf("objects: put %s: %w", key, err)
	}
	return info, nil
}

func (s *folder) put(ctx context.Context, key, contentType string, r io.Reader) (Info, error) {
	if have, err := s.Stat(ctx, key); err == nil {
		return repeat(ctx, have, r)
	} else if !fault.Is(err, fault.NotFound) {
		return Info{}, err
	}
	staged := path.Join(stagingDir, rand.Text())
	defer s.root.Remove(staged) // published or not, this name goes
	info := Info{Key: key, ContentType: contentType}
	var err error
	if given, ok := r.(Given); ok && s.take(given, staged) {
		if info.SHA256, info.Size, err = drain(ctx, io.Discard, given); err == nil {
			err = given.Sync()
		}
	} else {
		err = s.write(staged, func(f *os.File) (err error) {
			info.SHA256, info.Size, err = drain(ctx, f, r)
			return err
		})
	}
	if err != nil {
		return Info{}, err
	}
	side := path.Join(stagingDir, rand.Text())
	defer s.root.Remove(side) // renamed when all goes well
	err = s.write(side, func(f *os.File) error {
		return json.NewEncoder(f).Encode(sidecar{key, info.Size, info.SHA256, contentType})
	})
	if err != nil {
		return Info{}, err
	}
	if err := ctx.Err(); err != nil {
		return Info{}, err
	}
	return s.publish(info, staged, side)
}

// take gives a file the staged name as well, and reports whether that can be: not across file systems, nor where its own name is a link.
func (s *folder) take(f Given, staged string) bool {
	if os.Link(f.Name(), filepath.Join(s.root.Name(), staged)) != nil {
		return false
	}
	open, err := f.Stat()
	linked, err2 := s.root.Lstat(staged)
	if err == nil && err2 == nil && os.SameFile(open, linked) {
		return true
	}
	s.root.Remove(staged) //nolint:errcheck // written anew, which says what is wrong
	return false
}

// publish gives the staged bytes their name, unless another Put was faster.
func (s *folder) publish(info Info, staged, side string) (Info, error) {
	unlock, err := s.lock()
	if err != nil {
		return Info{}, err
	}
	defer unlock()
	name, sums := path.Join(bytesDir, info.Key), sumsName(info.Key)
	if f, have, err := s.look(info.Key); err == nil {
		f.Close()
		return settle(have, info.SHA256)
	} else if !fault.Is(err, fault.NotFound) {
		return Info{}, err
	}
	if _, err := s.root.Lstat(name); err == nil { // not an object, so a folder
		return Info{}, fault.New(fault.Conflict, "%q is the beginning of other objects' keys", info.Key)
	}
	if err := s.mkdirs(path.Dir(name)); errors.Is(err, syscall.ENOTDIR) {
		return Info{}, fault.New(fault.Conflict, "another object's key is the beginning of %q", info.Key)
	} else if err != nil {
		return Info{}, err
	}
	if err := s.mkdirs(path.Dir(sums)); err != nil {
		return Info{}, err
	}
	if err := s.root.Rename(side, sums); err != nil {
		return Info{}, err
	}
	if err := s.sync(path.Dir(sums)); err != nil {
		return Info{}, err
	}
	if err := s.root.Link(staged, name); err != nil { // never overwrites
		return Info{}, err
	}
	if err := s.sync(path.Dir(name)); err != nil {
		return Info{}, err
	}
	st, err := s.root.Lstat(name)
	if err != nil {
		return Info{}, err
	}
	info.Modified = st.ModTime().UTC()
	return info, nil
}

func (s *folder) Delete(_ context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := s.remove(key); err != nil {
		return fmt.Errorf("objects: delete %s: %w", key, err)
	}
	return nil
}

func (s *folder) remove(key string) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	name := path.Join(bytesDir, key)
	if st, err := s.root.Lstat(name); absent(err) || err == nil && st.IsDir() {
		return nil
	} else if err != nil {
		return err
	}
	if err := s.root.Remove(name); err != nil {
		return err
	}
	if err := s.sync(path.Dir(name)); err != nil {
		return err
	}
	if err := s.root.Remove(sumsName(key)); err != nil && !absent(err) {
		return err
	}
	for dir := path.Dir(name); dir != bytesDir && s.root.Remove(dir) == nil; dir = path.Dir(dir) { // only empty ones go
	}
	return nil
}

func (s *folder) Sweep(ctx context.Context, age time.Duration) error {
	entries, err := s.entries(stagingDir)
	if err != nil {
		return fmt.Errorf("objects: sweep: %w", err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("objects: sweep: %w", err)
		}
		st, err := e.Info()
		if err == nil && time.Since(st.ModTime()) >= age {
			err = s.root.Remove(path.Join(stagingDir, e.Name()))
		}
		if err != nil && !absent(err) { // absent: its Put ended meanwhile
			return fmt.Errorf("objects: sweep: %w", err)
		}
	}
	return nil
}

// lock keeps the names as they are, in this process and in others, until the returned function is called.
func (s *folder) lock() (unlock func() error, err error) {
	f, err := s.root.OpenFile(lockFile, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err == nil {
			return f.Close, nil
		} else if err != syscall.EINTR {
			return nil, errors.Join(fmt.Errorf("lock: %w", err), f.Close())
		}
	}
}

// write makes a new file and returns when its bytes are on disk.
func (s *folder) write(name string, fill func(*os.File) error) error {
	f, err := s.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if err = fill(f); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// mkdirs makes dir and what is above it, each of them on disk.
func (s *folder) mkdirs(dir string) error {
	for i, c := range dir + "/" {
		if c != '/' {
			continue
		}
		err := s.root.Mkdir(dir[:i], 0o755)
		if err == nil {
			err = s.sync(path.Dir(dir[:i]))
		} else if st, statErr := s.root.Lstat(dir[:i]); errors.Is(err, fs.ErrExist) && statErr == nil {
			if err = nil; !st.IsDir() {
				err = syscall.ENOTDIR
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sync writes the names in a folder to disk.
func (s *folder) sync(dir string) error {
	d, err := s.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func sumsName(key string) string {
	h := sha256.Sum256([]byte(key))
	name := hex.EncodeToString(h[:])
	return path.Join(sumsDir, name[:3], name)
}

// absent reports that a name does not exist, or that what would be its folder is a file.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }
