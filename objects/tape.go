package objects

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"sync"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"swath/fault"
)

// TapeConfig says how a simulated tape library behaves. Its zero value is instant and never fails.
type TapeConfig struct {
	Seed        uint64
	VolumeBytes int64         // of one tape; 0: all on one
	Drives      int           // that read at a time; 0: one
	Mount       time.Duration // to put another tape into a drive
	Seek        time.Duration // to a file
	BytesPerS   float64       // 0: at once
	FailPercent int           // of the restores that fail, by the seed
	Now         func() time.Time
}

// tape is a simulated tape library in a folder, an Archive for tests and demonstrations:
//
//	volumes/V0001/00000012   what is on a tape, by its position
//	index/<hash of key>      which object it is: a tapeFile
//	restores/<hash of key>   a restore under way: when it will be done, and whether it will fail
//	drives                   which tape each drive holds, and until when it is busy
//	log                      a line for each restore that began, and for each that came
//
// Time passes as in a library: drives mount tapes, wind and read. The bytes move when somebody looks after their time has come.
type tape struct {
	root  string
	store Store
	cfg   TapeConfig
	mu    sync.Mutex
}

// tapeFile is an object on a tape.
type tapeFile struct {
	Key, Volume, SHA256, ContentType string
	Position, Bytes                  int64
}

// tapeRestore is a restore under way.
type tapeRestore struct {
	Key     string
	Ready   time.Time
	Fails   bool
	Attempt int
}

// tapeDrive is one drive.
type tapeDrive struct {
	Volume string
	Busy   time.Time
}

// OpenTape returns the simulated tape library in a folder, behind a store.
func OpenTape(root string, store Store, cfg TapeConfig) (Archive, error) {
	for _, dir := range []string{"volumes", "index", "restores"} {
		if err := os.MkdirAll(path.Join(root, dir), 0o755); err != nil {
			return nil, fmt.Errorf("objects: tape: %w", err)
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Drives < 1 {
		cfg.Drives = 1
	}
	return &tape{root: root, store: store, cfg: cfg}, nil
}

// lock keeps the library as it is, in this process and in others.
func (t *tape) lock() (unlock func(), err error) {
	t.mu.Lock()
	f, err := os.OpenFile(path.Join(t.root, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err == nil {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err == nil {
			return func() { f.Close(); t.mu.Unlock() }, nil
		}
		f.Close()
	}
	t.mu.Unlock()
	return nil, fmt.Errorf("objects: tape: lock: %w", err)
}

func (t *tape) file(dir, key string) string { return path.Join(t.root, dir, path.Base(sumsName(key))) }

// load reads a record; false: there is none.
func load(name string, into any) (bool, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return false, fmt.Errorf("objects: tape: %s: %w", name, err)
	}
	return true, nil
}

// save writes a record, all or nothing.
func save(name string, record any) error {
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return whole(name, func(f *os.File) error {
		_, err := f.Write(text)
		return err
	})
}

// whole makes a file that appears when it is complete.
func whole(name string, fill func(*os.File) error) error {
	f, err := renameio.NewPendingFile(name, renameio.WithTempDir(path.Dir(name)))
	if err != nil {
		return err
	}
	if err = fill(f.File); err == nil {
		err = f.CloseAtomicallyReplace()
	}
	return errors.Join(err, f.Cleanup())
}

// Keep writes objects to the end of the last tape.
func (t *tape) Keep(ctx context.Context, keys []string) error {
	unlock, err := t.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, key := range keys {
		if err := t.keep(ctx, key); err != nil {
			return fmt.Errorf("objects: tape: %s: %w", key, err)
		}
	}
	return nil
}

func (t *tape) keep(ctx context.Context, key string) error {
	o, err := t.store.Open(ctx, key)
	if err != nil {
		return err
	}
	defer o.Close()
	info := o.Info()
	var have tapeFile
	if ok, err := load(t.file("index", key), &have); err != nil || ok && have.SHA256 == info.SHA256 {
		return err
	}
	var end struct{ Volume, Position, Used int64 }
	if _, err := load(path.Join(t.root, "end"), &end); err != nil {
		return err
	}
	if t.cfg.VolumeBytes > 0 && end.Used > 0 && end.Used+info.Size > t.cfg.VolumeBytes {
		end.Volume, end.Position, end.Used = end.Volume+1, 0, 0
	}
	f := tapeFile{Key: key, Volume: fmt.Sprintf("V%04d", end.Volume+1), Position: end.Position, SHA256: info.SHA256, ContentType: info.ContentType, Bytes: info.Size}
	if err := os.MkdirAll(path.Dir(t.bytes(f)), 0o755); err != nil {
		return err
	}
	err = whole(t.bytes(f), func(to *os.File) error {
		sum, _, err := drain(ctx, to, Stream(o, 0, info.Size))
		if err == nil && sum != info.SHA256 {
			err = fmt.Errorf("its bytes have the SHA-256 %s, not %s", sum, info.SHA256)
		}
		return err
	})
	if err != nil {
		return err
	}
	end.Position, end.Used = end.Position+1, end.Used+info.Size
	if err := save(path.Join(t.root, "end"), end); err != nil {
		return err
	}
	return save(t.file("index", key), f)
}

func (t *tape) bytes(f tapeFile) string {
	return path.Join(t.root, "volumes", f.Volume, fmt.Sprintf("%08d", f.Position))
}

// Restore queues keys at the drives, in the order given.
func (t *tape) Restore(_ context.Context, keys []string, _ int, _ string) (refused map[string]error, err error) {
	unlock, err := t.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	var drives []tapeDrive
	if _, err := load(path.Join(t.root, "drives"), &drives); err != nil {
		return nil, err
	}
	for len(drives) < t.cfg.Drives {
		drives = append(drives, tapeDrive{})
	}
	refused = map[string]error{}
	for _, key := range keys {
		var f tapeFile
		if ok, err := load(t.file("index", key), &f); err != nil {
			return refused, err
		} else if !ok {
			refused[key] = fault.New(fault.NotFound, "no tape has object %q", key)
			continue
		}
		var r tapeRestore
		under, err := load(t.file("restores", key), &r)
		if err != nil {
			return refused, err
		}
		if under && !(r.Fails && !t.cfg.Now().Before(r.Ready)) {
			continue // on its way
		}
		if info, err := t.store.Stat(context.Background(), key); err == nil && info.SHA256 == f.SHA256 {
			continue // there
		}
		r = tapeRestore{Key: key, Attempt: r.Attempt + 1, Ready: t.schedule(drives, f)}
		r.Fails = int(t.chance(key, r.Attempt)%100) < t.cfg.FailPercent
		if err := save(t.file("restores", key), r); err != nil {
			return refused, err
		}
		if err := t.log(fmt.Sprintf("restore %d %s %d %s\n", r.Attempt, f.Volume, f.Position, key)); err != nil {
			return refused, err
		}
	}
	return refused, save(path.Join(t.root, "drives"), drives)
}

// Status looks, and lets come what is due.
func (t *tape) Status(ctx context.Context, keys []string) ([]Holding, error) {
	unlock, err := t.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	all := make([]Holding, len(keys))
	for i, key := range keys {
		if all[i], err = t.look(ctx, key); err != nil {
			return nil, fmt.Errorf("objects: tape: %s: %w", key, err)
		}
	}
	return all, nil
}

func (t *tape) look(ctx context.Context, key string) (h Holding, err error) {
	h.Key = key
	var f tapeFile
	if ok, err := load(t.file("index", key), &f); err != nil || !ok {
		return h, err
	}
	h.Volume, h.Position = f.Volume, f.Position
	if info, err := t.store.Stat(ctx, key); err == nil && info.SHA256 == f.SHA256 {
		h.Place = Online
		return h, nil
	}
	var r tapeRestore
	under, err := load(t.file("restores", key), &r)
	switch {
	case err != nil:
		return h, err
	case !under:
		h.Place = Archived
		return h, nil
	case t.cfg.Now().Before(r.Ready):
		h.Place = Restoring
		return h, nil
	case r.Fails:
		h.Place, h.Reason = Failed, fmt.Sprintf("read error on tape %s at %d", f.Volume, f.Position)
		return h, nil
	}
	in, err := os.Open(t.bytes(f))
	if err != nil {
		h.Place, h.Reason = Failed, err.Error()
		return h, nil
	}
	defer in.Close()
	if _, err := t.store.Put(ctx, key, f.ContentType, in); err != nil {
		return h, err
	}
	h.Place = Online
	return h, errors.Join(os.Remove(t.file("restores", key)), t.log(fmt.Sprintf("came %d %s %d %s\n", r.Attempt, f.Volume, f.Position, key)))
}

// Cancel takes keys from the drives' queue.
func (t *tape) Cancel(_ context.Context, keys []string) error {
	unlock, err := t.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, key := range keys {
		if err := removeFiles(t.file("restores", key)); err != nil {
			return err
		}
	}
	return nil
}

// Release deletes objects that are on a tape from the store.
func (t *tape) Release(ctx context.Context, keys []string) error {
	unlock, err := t.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, key := range keys {
		var f tapeFile
		ok, err := load(t.file("index", key), &f)
		if err == nil && ok {
			var st os.FileInfo
			if st, err = os.Stat(t.bytes(f)); err == nil && st.Size() != f.Bytes {
				err = fmt.Errorf("tape %s holds %d bytes of it at %d, not %d", f.Volume, st.Size(), f.Position, f.Bytes)
			}
		} else if err == nil {
			err = fault.New(fault.NotFound, "no tape has object %q", key)
		}
		if err == nil {
			err = t.store.Delete(ctx, key)
		}
		if err == nil {
			err = removeFiles(t.file("restores", key))
		}
		if err != nil {
			return fmt.Errorf("objects: tape: release %s: %w", key, err)
		}
	}
	return nil
}

// Remove takes keys from their tapes.
func (t *tape) Remove(_ context.Context, keys []string) error {
	unlock, err := t.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, key := range keys {
		var f tapeFile
		if ok, err := load(t.file("index", key), &f); err != nil {
			return err
		} else if !ok {
			continue
		}
		if err := removeFiles(t.file("restores", key), t.file("index", key), t.bytes(f)); err != nil {
			return err
		}
	}
	return nil
}

// removeFiles removes those that are there, in order.
func removeFiles(names ...string) error {
	for _, name := range names {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
