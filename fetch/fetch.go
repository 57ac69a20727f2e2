// Package fetch brings bytes from elsewhere into a file, whatever breaks off on the way.
//
//	open(from, tag) ─▶ body ─▶ part ─▶ … broken ─▶ open(from where it is, tag) ─▶ … ─▶ whole
//	                             └── part.tag: the strong ETag that the part belongs to
//
// A part outlives its process: another run goes on behind it, if the source still has the tag. Sources: RFC 9110 for ranges,
// conditions and Retry-After.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"swath/fault"
)

// Body is what a source answers.
type Body struct {
	io.ReadCloser
	From  int64  // the first byte that comes: what was asked for, or 0 when the source begins anew
	Total int64  // bytes of the whole; -1: not said
	Tag   string // a strong ETag; empty: none
}

// Open asks a source for its bytes from one on, if they still have the tag; else, or without tag, from the first. Fault.Stale says that
// there is no such byte.
type Open func(ctx context.Context, from int64, tag string) (*Body, error)

// Options say how patient a fetch is.
type Options struct {
	Most    int64         // bytes that may come where the source does not say; 0: any number
	Stall   time.Duration // without a byte, after which a body is broken off
	Wait    time.Duration // before a body that broke off is asked for again; doubles while nothing comes
	Resumes int           // bodies that break off without a byte before it is given up
	Rate    *Throttle     // nil: as fast as they come
	Came    func(n int)   // told of bytes as they come; may be nil
	Tally   *Tally        // of the bytes as they come; may be nil
}

const copyBytes = 256 << 10 // at a time, at most

// TooMuch is the error of a body that is longer than anybody said.
type TooMuch struct{ Most int64 }

func (e *TooMuch) Error() string {
	return fmt.Sprintf("more than the %d bytes that were said to be there", e.Most)
}

// Broken is the error of a body that broke off again and again; what came is kept.
type Broken struct{ Err error }

func (b *Broken) Error() string { return "download broke off: " + b.Err.Error() }
func (b *Broken) Unwrap() error { return b.Err }

// Into fetches into a part until it is whole and on disk. An error of open ends it as it is.
func Into(ctx context.Context, open Open, part string, o Options) error {
	for idle := 0; ; {
		got, err := resume(ctx, open, part, o)
		if err == nil {
			return nil
		}
		var broken *Broken
		if !errors.As(err, &broken) || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if idle++; got > 0 {
			idle = 0
		}
		if idle > o.Resumes {
			return err
		}
		if err := Pause(ctx, o.Wait<<idle); err != nil {
			return err
		}
	}
}

// Pause waits, or returns the error of the context.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Remove takes a part away with what is known of it.
func Remove(part string) error {
	err := os.Remove(part)
	if again := os.Remove(part + ".tag"); err == nil || errors.Is(err, os.ErrNotExist) {
		err = again
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// resume makes one request, and returns how many bytes came.
func resume(ctx context.Context, open Open, part string, o Options) (got int64, err error) {
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	from, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	tag, err := os.ReadFile(part + ".tag")
	if err != nil || len(tag) == 0 {
		from = 0
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, err := open(ctx, from, string(tag))
	if fault.Is(err, fault.Stale) { // the part is longer than the whole
		return 0, &Broken{errors.Join(err, Remove(part))}
	} else if err != nil {
		return 0, err
	}
	defer body.Close()
	if err := f.Truncate(body.From); err != nil {
		return 0, err
	}
	if err := os.WriteFile(part+".tag", []byte(body.Tag), 0o644); err != nil {
		return 0, err
	}
	if _, err := f.Seek(body.From, io.SeekStart); err != nil {
		return 0, err
	}
	if err := o.Tally.reach(ctx, f, body.From); err != nil {
		return 0, err
	}
	stall := time.AfterFunc(o.Stall, cancel)
	defer stall.Stop()
	most := max(o.Most, body.Total)
	buffer := make([]byte, copyBytes)
	for {
		stall.Reset(o.Stall)
		n, err := body.Read(buffer[:o.Rate.Piece(copyBytes)])
		stall.Stop() // who waits below does not wait for the source
		if n > 0 {
			if err := o.Rate.Pass(ctx, n); err != nil {
				return got, err
			}
			if _, err := f.Write(buffer[:n]); err != nil {
				return got, err
			}
			o.Tally.came(buffer[:n])
			if o.Came != nil {
				o.Came(n)
			}
			if got += int64(n); most > 0 && body.From+got > most {
				return got, errors.Join(&TooMuch{most}, Remove(part))
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return got, &Broken{err}
		}
	}
	if total := body.From + got; body.Total >= 0 && total < body.Total {
		return got, &Broken{fmt.Errorf("%d bytes of %d", total, body.Total)}
	}
	return got, f.Sync()
}

// SyncDir makes the names in a folder last.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
