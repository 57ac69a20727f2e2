package download

import (
	"context"
	"errors"
	"fmt"
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
	Parallel     int      // files at a time; 4
	BytesPerS    float64  // of all together; 0: as fast as they come
	MostBytes    int64    // of the plan; 0: any number
	Rehash       bool     // read files that are there, instead of trusting size and time of change
	Deep         bool     // also read zips against their CRCs
	NoStage      bool     // a file on cold storage is a failure
	StageTimeout time.Duration
	PollLeast    time.Duration // of a file that is being staged; 5 s
	PollMost     time.Duration // 5 min
	Came         func(n int)   // told of bytes as they come; may be nil
	Done         func(f File, err error)
}

// Plan is what a run would do.
type Plan struct {
	Items   int    `json:"items"`
	Files   []File `json:"files"`
	Have    int    `json:"have"`    // of them are there already
	Bytes   int64  `json:"bytes"`   // to fetch, as far as they are said
	Unknown int    `json:"unknown"` // files whose size nobody says
	Cut     bool   `json:"cut"`     // more was found than MostBytes allows
	items   map[string]Item
	staged  time.Duration // when what was ordered may have come
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
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close lets the folder go, and takes its lock file away.
func (r *Run) Close() error {
	return errors.Join(os.Remove(r.lock.Name()), r.lock.Close())
}

// Plan looks at what is there of the files of items.
func (r *Run) Plan(ctx context.Context, each func(yield func(Item) error) error) (*Plan, error) {
	p := &Plan{items: map[string]Item{}, Files: []File{}}
	err := each(func(it Item) error {
		files, err := filesOf(it, r.o.Assets)
		if err != nil {
			return fault.New(fault.Invalid, "%v", err)
		}
		p.Items++
		p.items[it.Collection+"/"+it.ID] = it
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
			case f.Bytes < 0:
				p.Unknown++
			default:
				p.Bytes += f.Bytes
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
		return true, nil
	}
	info, err := os.Stat(local(r.o.Folder, f))
	if err != nil || f.Bytes >= 0 && info.Size() != f.Bytes || len(f.Sums) == 0 && f.Bytes < 0 {
		return false, nil
	}
	if err := r.check(ctx, f, local(r.o.Folder, f)); err != nil {
		var bad *wrong
		if errors.As(err, &bad) {
			return false, nil
		}
		return false, err
	}
	return true, r.note(ctx, it, f)
}

// wrong is a fault of the bytes.
type wrong struct{ reason string }

func (w *wrong) Error() string { return w.reason }

// check compares a file with what is known of it.
func (r *Run) check(ctx context.Context, f File, path string) error {
	var algorithms []string
	for _, sum := range f.Sums {
		algorithms = append(algorithms, sum.Algorithm)
	}
	size, sums, err := fetch.Sums(ctx, path, algorithms...)
	if err != nil {
		return err
	}
	if f.Bytes >= 0 && size != f.Bytes {
		return &wrong{fmt.Sprintf("%d bytes instead of %d", size, f.Bytes)}
	}
	for _, want := range f.Sums {
		for _, got := range sums {
			if got.Algorithm == want.Algorithm && got.Value != want.Value {
				return &wrong{fmt.Sprintf("%s %s instead of %s", got.Algorithm, got.Value, want.Value)}
			}
		}
	}
	if !r.o.Deep || !strings.HasSuffix(strings.ToLower(f.Path), ".zip") {
		return nil
	}
	err = fetch.CheckZip(ctx, path, 0)
	var unsound *fetch.Unsound
	if errors.As(err, &unsound) {
		return &wrong{unsound.Error()}
	}
	return err
}

// note puts a whole file into the manifest.
func (r *Run) note(ctx context.Context, it Item, f File) error {
	path := local(r.o.Folder, f)
	size, sums, err := fetch.Sums(ctx, path, "SHA256")
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return r.manifest.add(it, f, record{Bytes: size, SHA256: sums[0].Value, Changed: info.ModTime().UnixNano(), Source: f.URL, Fetched: time.Now().UTC().Truncate(time.Second)})
}

// work is a file that waits.
type work struct {
	file  File
	at    time.Time // not before
	polls int
	wrong int
}

// queue hands files to workers, each when it is due.
type queue struct {
	mu      sync.Mutex
	waiting []work
	flying  int
}

// next returns a file that is due, or how long to wait; over is true when none is left.
func (q *queue) next() (w work, wait time.Duration, over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return w, 50 * time.Millisecond, q.flying == 0
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
	q := &queue{}
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
				err := r.one(ctx, p.items[w.file.Collection+"/"+w.file.Item], w.file)
				again, stop := r.again(&w, err, began)
				if stop != nil && ctx.Err() == nil {
					cancel(stop)
				}
				if !again && ctx.Err() == nil {
					finish(w.file, err)
				}
				q.done(w, again)
			}
		})
	}
	saved := make(chan struct{})
	go func() {
		defer close(saved)
		for fetch.Pause(ctx, 2*time.Second) == nil {
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
	case errors.Is(err, syscall.ENOSPC), fault.Is(err, fault.Forbidden):
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
func (r *Run) one(ctx context.Context, it Item, f File) error {
	path := local(r.o.Folder, f)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	part := path + ".part"
	err := fetch.Into(ctx, r.client.open(f.URL), part, fetch.Options{Most: max(f.Bytes, 0), Stall: time.Minute, Wait: r.client.Wait / 2, Resumes: resumeTries, Rate: r.rate, Came: r.o.Came})
	var much *fetch.TooMuch
	if errors.As(err, &much) {
		return &wrong{much.Error()}
	} else if err != nil {
		return err
	}
	if err := r.check(ctx, f, part); err != nil {
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
	return r.note(ctx, it, f)
}

// Verify reads every file of a folder's manifest, and returns those that are not as it says.
func Verify(ctx context.Context, folder string) (files int, failed []Failure, err error) {
	m, err := openManifest(folder)
	if err != nil {
		return 0, nil, err
	}
	for path, r := range m.files {
		f := File{Path: path, URL: r.Source}
		size, sums, err := fetch.Sums(ctx, local(folder, f), "SHA256")
		switch {
		case ctx.Err() != nil:
			return files, failed, ctx.Err()
		case err != nil:
			failed = append(failed, Failure{f, err})
		case size != r.Bytes || sums[0].Value != r.SHA256:
			failed = append(failed, Failure{f, &wrong{fmt.Sprintf("%d bytes with SHA-256 %s instead of %d with %s", size, sums[0].Value, r.Bytes, r.SHA256)}})
		}
		files++
	}
	return files, failed, nil
}
