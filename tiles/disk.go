package tiles

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cespare/xxhash/v2"

	"swath/fault"
)

// DiskCache keeps drawn pictures in a folder, by the ETags that name their bytes for ever: nothing in it ever becomes wrong, only
// long unused.
//
//	ETag ─SHA-256─▶ folder/ab/abcd… ─▶ head (magic, length, sum over ETag and bytes), bytes
//
// A file appears whole under its name or not at all, and one that is damaged all the same is thrown away, never served. What was
// not asked for longest goes first when the files take more than the bytes they may; the order survives a restart by the times of
// the files. One process has the folder at a time. A nil cache keeps nothing.
type DiskCache struct {
	folder string
	most   int64
	lock   *os.File
	log    *slog.Logger

	mu    sync.Mutex
	index recency

	failing      atomic.Bool // the last write failed: said once, when it begins and when it ends
	hits, misses atomic.Int64
	counted      chan struct{} // closed when what was there before is in the index
}

// digest names a picture by its ETag.
type digest [16]byte

const (
	diskMagic     = "SWTP"
	diskHeadBytes = len(diskMagic) + 4 + 8
	diskUnit      = 4096      // bytes; what a file takes is a multiple of it
	largestShare  = 8         // no picture may take more than this part of the cache
	freshenAfter  = time.Hour // a file's time is renewed when it is older and is asked for
	lockName      = "lock"
	unfinished    = ".tmp-"
)

// OpenDiskCache opens or makes a cache in a folder, of at most so many bytes. A folder that another process has is fault.Conflict.
func OpenDiskCache(folder string, most int64, log *slog.Logger) (*DiskCache, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("tiles: cache: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(folder, lockName), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("tiles: cache: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.New(fault.Conflict, "the tile cache %s is in use by another process", folder)
		}
		return nil, fmt.Errorf("tiles: cache: %w", err)
	}
	d := &DiskCache{folder: folder, most: most, lock: lock, log: log, counted: make(chan struct{})}
	go d.count()
	return d, nil
}

// Close gives the folder up.
func (d *DiskCache) Close() error {
	if d == nil {
		return nil
	}
	<-d.counted
	return d.lock.Close()
}

// count puts what is there already into the index, the latest used first, and removes what an interrupted process left.
func (d *DiskCache) count() {
	defer close(d.counted)
	type found struct {
		key  digest
		size int64
		used time.Time
	}
	var all []found
	err := filepath.WalkDir(d.folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == lockName {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return nil // gone meanwhile
		}
		raw, err := hex.DecodeString(e.Name())
		if err != nil || len(raw) != len(digest{}) {
			if strings.HasPrefix(e.Name(), unfinished) && time.Since(info.ModTime()) > time.Minute {
				os.Remove(path)
			}
			return nil
		}
		all = append(all, found{digest(raw), info.Size(), info.ModTime()})
		return nil
	})
	if err != nil {
		d.log.Warn("tile cache not counted", "folder", d.folder, "err", err)
	}
	slices.SortFunc(all, func(a, b found) int { return b.used.Compare(a.used) })
	d.mu.Lock()
	for _, f := range all {
		d.index.addLast(f.key, f.size)
	}
	gone := d.index.shrink(d.most)
	d.mu.Unlock()
	d.remove(gone)
}

func (d *DiskCache) path(key digest) string {
	name := hex.EncodeToString(key[:])
	return filepath.Join(d.folder, name[:2], name)
}

func digestOf(tag string) digest {
	sum := sha256.Sum256([]byte(tag))
	return digest(sum[:len(digest{})])
}

// Get returns the picture of an ETag, when it is there.
func (d *DiskCache) Get(tag string) ([]byte, bool) {
	if d == nil {
		return nil, false
	}
	key := digestOf(tag)
	path := d.path(key)
	raw, err := os.ReadFile(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			d.log.Warn("tile cache not read", "file", path, "err", err)
		}
		d.misses.Add(1)
		return nil, false
	}
	body, ok := unsealed(tag, raw)
	if !ok {
		d.log.Warn("damaged file in the tile cache thrown away", "file", path)
		d.mu.Lock()
		d.index.drop(key)
		d.mu.Unlock()
		d.remove([]digest{key})
		d.misses.Add(1)
		return nil, false
	}
	d.mu.Lock()
	stale := d.index.use(key, int64(len(raw)), time.Now())
	d.mu.Unlock()
	if stale {
		now := time.Now()
		os.Chtimes(path, now, now) //nolint:errcheck // only the order after a restart suffers
	}
	d.hits.Add(1)
	return body, true
}

// Put keeps the picture of an ETag. A cache that cannot be written is a slow server, not a broken one.
func (d *DiskCache) Put(tag string, body []byte) {
	if d == nil || int64(len(body)) > d.most/largestShare {
		return
	}
	key := digestOf(tag)
	err := d.write(key, sealed(tag, body))
	if failed := err != nil; d.failing.Swap(failed) != failed {
		d.log.Warn("tile cache", "folder", d.folder, "written", !failed, "err", err)
	}
	if err != nil {
		return
	}
	d.mu.Lock()
	d.index.use(key, int64(diskHeadBytes+len(body)), time.Now())
	gone := d.index.shrink(d.most)
	d.mu.Unlock()
	d.remove(gone)
}

// write puts a file in place as a whole. It is not synced: what a crash tears, the sum tells.
func (d *DiskCache) write(key digest, content []byte) error {
	path := d.path(key)
	f, err := os.CreateTemp(filepath.Dir(path), unfinished+"*")
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		f, err = os.CreateTemp(filepath.Dir(path), unfinished+"*")
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func (d *DiskCache) remove(keys []digest) {
	for _, key := range keys {
		if err := os.Remove(d.path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.log.Warn("tile cache not shrunk", "file", d.path(key), "err", err)
		}
	}
}

// sealed is a picture as its file holds it.
func sealed(tag string, body []byte) []byte {
	raw := make([]byte, 0, diskHeadBytes+len(body))
	raw = binary.LittleEndian.AppendUint32(append(raw, diskMagic...), uint32(len(body)))
	return append(binary.LittleEndian.AppendUint64(raw, seal(tag, body)), body...)
}

// unsealed returns the picture of a file, unless it is not the one of the ETag, whole.
func unsealed(tag string, raw []byte) ([]byte, bool) {
	if len(raw) < diskHeadBytes || string(raw[:len(diskMagic)]) != diskMagic {
		return nil, false
	}
	body := raw[diskHeadBytes:]
	ok := int(binary.LittleEndian.Uint32(raw[len(diskMagic):])) == len(body) && binary.LittleEndian.Uint64(raw[diskHeadBytes-8:]) == seal(tag, body)
	return body, ok
}

func seal(tag string, body []byte) uint64 {
	h := xxhash.New()
	h.WriteString(tag) //nolint:errcheck // a hash takes everything
	h.Write(body)      //nolint:errcheck // as above
	return h.Sum64()
}

// DiskStats is the use of a cache of pictures.
type DiskStats struct {
	Hits, Misses int64
	Files, Bytes int64
}

// Stats returns the use since the cache was opened, and what it holds.
func (d *DiskCache) Stats() DiskStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return DiskStats{d.hits.Load(), d.misses.Load(), int64(len(d.index.at)), d.index.bytes}
}
