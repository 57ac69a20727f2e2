package download

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"swath/fault"
	"swath/fetch"
)

// Options of a run.
type Options struct {
	Folder       string
	Assets       []string // keys or roles; empty: all
	Parallel     int      // files at a time; 4. Fewer when the server says that these are too many
	BytesPerS    float64  // of all together; 0: as fast as they come
	MostBytes    int64    // of the plan; 0: any number
	NewestPer    []string // of items that agree in these (tile, day, …) the newest alone; see NewestOf
	Flat         bool     // files lie side by side under their items' names
	Rehash       bool     // read files that are there, instead of trusting size and time of change
	Deep         bool     // also read zips against their CRCs
	Extract      bool     // unpack zips, and remove them
	NoStage      bool     // a file on cold storage is a failure
	SplitFrom    int64    // bytes from which a file is fetched in pieces by workers that have nothing else to do; 1 GiB
	StageTimeout time.Duration
	PollLeast    time.Duration           // of a file that is being staged; 5 s
	PollMost     time.Duration           // 5 min
	Began        func(f File, had int64) // told of a file that is asked for, of which so many bytes are there; may be nil
	Left         func(f File)            // told of a file that comes again later; may be nil
	Came         func(f File, n int)     // told of bytes as they come; may be nil
	Done         func(f File, err error) // told of a file that is whole or given up; may be nil
}

// Plan is what a run would do.
type Plan struct {
	Items    int    `json:"items"`
	Files    []File `json:"files"`
	Have     int    `json:"have"`                // of them are there already
	Bytes    int64  `json:"bytes"`               // to fetch, as far as they are said
	Unknown  int    `json:"unknown"`             // files whose size nobody says
	Cold     int    `json:"cold"`                // files to fetch that have to be ordered first
	Cut      bool   `json:"cut"`                 // more was found than MostBytes allows
	StagingS int    `json:"staging_s,omitempty"` // seconds until files on cold storage may be there, as the server estimates; see Estimate
	items    map[string]Item
	staged   time.Duration // when what was ordered may have come
}

// Failure is a file that could not be brought.
type Failure struct {
	File File
	Err  error
}

// Report is what a run did.
type Report struct {
	Fetched, Had int
	Failed       []Failure
}

// Failures of a run as a whole.
var (
	ErrInUse    = fault.New(fault.Conflict, "another download uses the folder")
	ErrStaging  = errors.New("the files were not brought from cold storage in time")
	wrongTries  = 3
	resumeTries = 10
)

// manifestEvery is how often the manifest is written during a run.
const manifestEvery = 30 * time.Second

// Run is a folder that is being filled. It has one user.
type Run struct {
	client   *Client
	o        Options
	manifest *manifest
	lock     *os.File
	rate     *fetch.Throttle
}

// Open takes a folder: ErrInUse when another process fills it.
func Open(c *Client, o Options) (*Run, error) {
	c.defaults()
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&o.StageTimeout, 24*time.Hour)
	set(&o.PollLeast, 5*time.Second)
	set(&o.PollMost, 5*time.Minute)
	if o.Parallel == 0 {
		o.Parallel = 4
	}
	if o.SplitFrom == 0 {
		o.SplitFrom = 1 << 30
	}
	if err := os.MkdirAll(o.Folder, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(o.Folder, ".swath-download.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	ours, statErr := lock.Stat()
	there, thereErr := os.Stat(lock.Name())
	if err != nil || statErr != nil || thereErr != nil || !os.SameFile(ours, there) { // whoever had it may just have taken it away
		lock.Close()
		return nil, ErrInUse
	}
	r := &Run{client: c, o: o, lock: lock, rate: fetch.Steady(o.BytesPerS)}
	if r.manifest, err = openManifest(o.Folder); err != nil {
		return nil, errors.Join(err, os.Remove(lock.Name()), lock.Close())
	}
	return r, nil
}

// Close writes the manifest, lets the folder go, and takes its lock file away.
func (r *Run) Close() error {
	return errors.Join(r.manifest.write(), os.Remove(r.lock.Name()), r.lock.Close())
}

// Plan looks at what is there of the files of items.
func (r *Run) Plan(ctx context.Context, each func(yield func(Item) error) error) (*Plan, error) {
	p := &Plan{items: map[string]Item{}, Files: []File{}}
	if len(r.o.NewestPer) > 0 {
		all := each
		each = func(yield func(Item) error) error { return NewestOf(all, r.o.NewestPer, yield) }
	}
	err := each(func(it Item) error {
		files, err := filesOf(it, r.o.Assets, r.o.Flat)
		if err != nil {
			return err
		}
		p.Items++
		p.items[it.key()] = it
		for _, f := range files {
			if f.Have, err = r.have(ctx, it, f); err != nil {
				return err
			}
			switch {
			case f.Have:
				p.Have++
			case r.o.MostBytes > 0 && p.Bytes+max(f.Bytes, 0) > r.o.MostBytes:
				p.Cut = true
				continue
			default:
				p.Bytes += max(f.Bytes, 0)
				if f.Bytes < 0 {
					p.Unknown++
				}
				if f.Cold {
					p.Cold++
				}
			}
			p.Files = append(p.Files, f)
		}
		return nil
	})
	return p, err
}

// have reports whether a file is there as it should be.
func (r *Run) have(ctx context.Context, it Item, f File) (bool, error) {
	if !r.o.Rehash && r.manifest.holds(r.o.Folder, f) {
		return r.kept(it, f), nil
	}
	path := local(r.o.Folder, f)
	if r.o.Flat && r.o.Extract { // a product that peps_download.py unpacked
		if info, err := os.Stat(strings.TrimSuffix(path, filepath.Ext(path)) + ".SAFE"); err == nil && info.IsDir() && r.manifest.unpacked(f) == nil {
			return true, nil
		}
	}
	info, err := os.Stat(path)
	if err != nil || f.Bytes >= 0 && info.Size() != f.Bytes || len(f.Sums) == 0 && f.Bytes < 0 {
		return false, nil
	}
	sum, err := r.check(ctx, f, path)
	if err != nil {
		var bad *wrong
		if errors.As(err, &bad) {
			return false, nil
		}
		return false, err
	}
	if isZip(f) && r.o.Extract { // before it could be unpacked the run was killed
		return false, nil
	}
	return true, r.note(it, f, sum, nil)
}

// kept makes sure that a file which the manifest holds stands in its item, and is unpacked if it is to be.
func (r *Run) kept(it Item, f File) bool {
	r.manifest.mu.Lock()
	defer r.manifest.mu.Unlock()
	known := r.manifest.files[f.Path]
	if isZip(f) && r.o.Extract && known.Unpacked == nil {
		return false
	}
	if !r.manifest.lists(it, f) {
		r.manifest.describe(it, f, known)
	}
	return true
}

func isZip(f File) bool { return strings.EqualFold(filepath.Ext(f.Path), ".zip") }

// wrong is a fault of the bytes.
type wrong struct{ reason string }

func (w *wrong) Error() string { return w.reason }

// check compares a file with what is known of it, and returns its size and SHA-256.
func (r *Run) check(ctx context.Context, f File, path string) (known record, err error) {
	return r.checkTallied(ctx, f, path, tallyOf(f))
}

// tallyOf sums what is compared of a file, and its SHA-256.
func tallyOf(f File) *fetch.Tally {
	algorithms := []string{"SHA256"}
	for _, sum := range f.Sums {
		algorithms = append(algorithms, sum.Algorithm)
	}
	return fetch.NewTally(algorithms...)
}

// checkTallied does so with what was summed as it came.
func (r *Run) checkTallied(ctx context.Context, f File, path string, tally *fetch.Tally) (known record, err error) {
	size, sums, err := tally.Of(ctx, path)
	if err != nil {
		return known, err
	}
	if f.Bytes >= 0 && size != f.Bytes {
		return known, &wrong{fmt.Sprintf("%d bytes instead of %d", size, f.Bytes)}
	}
	for _, got := range sums {
		for _, want := range f.Sums {
			if got.Algorithm == want.Algorithm && got.Value != want.Value {
				return known, &wrong{fmt.Sprintf("%s %s instead of %s", got.Algorithm, got.Value, want.Value)}
			}
		}
		if got.Algorithm == "SHA256" {
			known = record{Bytes: size, SHA256: got.Value}
		}
	}
	if r.o.Deep && isZip(f) {
		err = wrongZip(fetch.CheckZip(ctx, path, 0))
	}
	return known, err
}

// wrongZip is a fault of the bytes where a zip is unsound.
func wrongZip(err error) error {
	var unsound *fetch.Unsound
	if errors.As(err, &unsound) {
		return &wrong{unsound.Error()}
	}
	return err
}

// note puts a whole file into the manifest, or what was unpacked of it.
func (r *Run) note(it Item, f File, known record, tree *fetch.Tree) error {
	known.Source, known.Fetched, known.Unpacked = f.URL, time.Now().UTC().Truncate(time.Second), tree
	if tree == nil {
		info, err := os.Stat(local(r.o.Folder, f))
		if err != nil {
			return err
		}
		known.Changed = info.ModTime().UnixNano()
	}
	return r.manifest.add(it, f, known)
}

// work is a file that waits.
type work struct {
	file  File
	at    time.Time // not before
	polls int
	wrong int
}

// queue hands files to workers, each when it is due, and no more at once than the server bears.
type queue struct {
	mu      sync.Mutex
	waiting []work
	flying  int
	open    int // of them, those whose bytes come
	limit   int
	came    time.Time // when the last byte of any file came
}

// moved notes that bytes came.
func (q *queue) moved() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.came = time.Now()
}

// still reports whether no byte of any file came since a moment.
func (q *queue) still(since time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.came.Before(since)
}

// lower learns from a 429 that so many are too many; those whose bytes come were not.
func (q *queue) lower() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limit = max(1, q.open, q.limit-1)
}

// spare takes the places of workers that have nothing to do, for the pieces of one file.
func (q *queue) spare() (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = max(0, q.limit-q.flying-len(q.waiting))
	q.flying += n
	return n
}

func (q *queue) giveBack(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flying -= n
}

// opened counts a body while its bytes come.
func (q *queue) opened(open fetch.Open) fetch.Open {
	return func(ctx context.Context, from int64, tag string) (*fetch.Body, error) {
		body, err := open(ctx, from, tag)
		if err == nil {
			q.count(1)
			body.ReadCloser = &counted{ReadCloser: body.ReadCloser, closed: func() { q.count(-1) }}
		}
		return body, err
	}
}

func (q *queue) count(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open += n
}

// counted tells when it is closed.
type counted struct {
	io.ReadCloser
	once   sync.Once
	closed func()
}

func (c *counted) Close() error {
	c.once.Do(c.closed)
	return c.ReadCloser.Close()
}

// next returns a file that is due, or how long to wait; over is true when none is left.
func (q *queue) next() (w work, wait time.Duration, over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 || q.flying >= q.limit {
		return w, 50 * time.Millisecond, len(q.waiting) == 0 && q.flying == 0
	}
	first := 0
	for i := range q.waiting {
		if q.waiting[i].at.Before(q.waiting[first].at) {
			first = i
		}
	}
	if wait := time.Until(q.waiting[first].at); wait > 0 {
		return w, min(wait, time.Second), false
	}
	w = q.waiting[first]
	q.waiting = append(q.waiting[:first], q.waiting[first+1:]...)
	q.flying++
	return w, 0, false
}

// done says that a file is no longer worked on, and puts it back when it is to come again.
func (q *queue) done(w work, again bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flying--
	if again {
		q.waiting = append(q.waiting, w)
	}
}

// Fetch does what a plan says. The error is for what stops everything: a refused log-in, a full disk, a cancelled context. The manifest is
// written in any case.
func (r *Run) Fetch(ctx context.Context, p *Plan) (report Report, err error) {
	began := time.Now()
	q := &queue{limit: r.o.Parallel}
	r.client.busy = q.lower
	for _, f := range p.Files {
		if f.Have {
			report.Had++
			continue
		}
		if f.Cold && r.o.NoStage {
			report.Failed = append(report.Failed, Failure{f, unordered})
			continue
		}
		q.waiting = append(q.waiting, work{file: f, at: r.first(p, f)})
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex // of the report
	finish := func(f File, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			report.Fetched++
		} else {
			report.Failed = append(report.Failed, Failure{f, err})
		}
		if r.o.Done != nil {
			r.o.Done(f, err)
		}
	}
	var group sync.WaitGroup
	for range r.o.Parallel {
		group.Go(func() {
			for ctx.Err() == nil {
				w, wait, over := q.next()
				if over {
					return
				}
				if wait > 0 {
					fetch.Pause(ctx, wait) //nolint:errcheck // the loop sees it
					continue
				}
				started := time.Now()
				err := r.one(ctx, q, p.items[w.file.Collection+"/"+w.file.Item], w.file)
				again, stop := r.again(&w, err, began)
				if nobody := (*noAnswer)(nil); errors.As(err, &nobody) && q.still(started) && r.client.ownsAddress(w.file.URL) { // not this file's fault
					stop = err
				}
				if stop != nil && ctx.Err() == nil {
					cancel(stop)
				}
				if !again && ctx.Err() == nil {
					finish(w.file, err)
				}
				if again && r.o.Left != nil {
					r.o.Left(w.file)
				}
				q.done(w, again)
			}
		})
	}
	saved := make(chan struct{})
	go func() {
		defer close(saved)
		for fetch.Pause(ctx, manifestEvery) == nil { // the journal has what came since
			if err := r.manifest.write(); err != nil {
				cancel(err)
			}
		}
	}()
	group.Wait()
	cause := context.Cause(ctx)
	cancel(nil)
	<-saved
	return report, errors.Join(cause, r.manifest.write())
}

// again decides what becomes of a file after an error: whether it comes again, and what stops everything.
func (r *Run) again(w *work, err error, began time.Time) (again bool, stop error) {
	var bad *wrong
	var later *fetch.Retry
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, syscall.ENOSPC), fault.Is(err, fault.Unauthenticated), fault.Is(err, fault.OverQuota):
		return false, err
	case errors.As(err, &bad):
		w.wrong++
		return w.wrong < wrongTries, nil
	case errors.As(err, &later) && fault.Is(err, fault.Offline) && !r.o.NoStage:
		if time.Since(began) > r.o.StageTimeout {
			return false, nil
		}
		w.polls++
		wait := min(max(later.After, r.o.PollLeast), r.o.PollMost)
		w.at = time.Now().Add(wait + rand.N(wait/5+1))
		return true, nil
	}
	return false, nil
}

// one brings one file.
func (r *Run) one(ctx context.Context, q *queue, it Item, f File) error {
	path := local(r.o.Folder, f)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if isZip(f) && r.o.Extract { // it may be there, not yet unpacked
		if known, err := r.check(ctx, f, path); err == nil && (len(f.Sums) > 0 || r.manifest.holds(r.o.Folder, f)) {
			return r.unpack(ctx, it, f, known)
		}
	}
	part := path + ".part"
	if r.o.Began != nil {
		r.o.Began(f, fetch.Here(part))
	}
	came := func(n int) {
		q.moved()
		if r.o.Came != nil {
			r.o.Came(f, n)
		}
	}
	how := fetch.Options{Most: max(f.Bytes, 0), Stall: time.Minute, Wait: r.client.Wait / 2, Resumes: resumeTries, Rate: r.rate, Came: came, Tally: tallyOf(f)}
	var err error
	if f.Bytes >= r.o.SplitFrom {
		more := q.spare()
		err = fetch.Split(ctx, q.opened(r.client.open(f.URL)), part, f.Bytes, 1+more, how)
		q.giveBack(more)
	} else {
		err = fetch.Into(ctx, q.opened(r.client.open(f.URL)), part, how)
	}
	var much *fetch.TooMuch
	if errors.As(err, &much) {
		return &wrong{much.Error()}
	} else if err != nil {
		return err
	}
	known, err := r.checkTallied(ctx, f, part, how.Tally)
	if err != nil {
		var bad *wrong
		if errors.As(err, &bad) {
			return errors.Join(err, os.Rename(part, path+".bad"), fetch.Remove(part))
		}
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	if err := errors.Join(fetch.Remove(part), fetch.SyncDir(filepath.Dir(path))); err != nil {
		return err
	}
	os.Remove(path + ".bad") //nolint:errcheck // mostly there is none
	if isZip(f) && r.o.Extract {
		return r.unpack(ctx, it, f, known)
	}
	return r.note(it, f, known, nil)
}

// unpack puts what is in a zip in its place.
func (r *Run) unpack(ctx context.Context, it Item, f File, known record) error {
	path := local(r.o.Folder, f)
	tree, err := fetch.Unzip(ctx, path, r.manifest.unpacked(f))
	if err = wrongZip(err); err != nil {
		var bad *wrong
		if errors.As(err, &bad) {
			err = errors.Join(err, os.Rename(path, path+".bad"))
		}
		return err
	}
	if err := r.note(it, f, known, &tree); err != nil {
		return err
	}
	return os.Remove(path)
}

// Verify reads every file of a folder's manifest, and returns those that are not as it says.
func Verify(ctx context.Context, folder string) (files int, failed []Failure, err error) {
	m, err := openManifest(folder)
	if err != nil {
		return 0, nil, err
	}
	for path, r := range m.files {
		f := File{Path: path, URL: r.Source}
		files++
		if r.Unpacked != nil {
			tree, err := fetch.TreeOf(ctx, filepath.Join(filepath.Dir(local(folder, f)), r.Unpacked.Name))
			if err == nil && tree != *r.Unpacked {
				err = &wrong{fmt.Sprintf("%d files of %d bytes instead of %d of %d, or others", tree.Files, tree.Bytes, r.Unpacked.Files, r.Unpacked.Bytes)}
			}
			if err != nil {
				failed = append(failed, Failure{f, err})
			}
			continue
		}
		size, sums, err := fetch.Sums(ctx, local(folder, f), "SHA256")
		switch {
		case ctx.Err() != nil:
			return files, failed, ctx.Err()
		case err != nil:
			failed = append(failed, Failure{f, err})
		case size != r.Bytes || sums[0].Value != r.SHA256:
			failed = append(failed, Failure{f, &wrong{fmt.Sprintf("%d bytes with SHA-256 %s instead of %d with %s", size, sums[0].Value, r.Bytes, r.SHA256)}})
		}
	}
	return files, failed, nil
}
