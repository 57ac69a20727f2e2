package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/buger/jsonparser"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"swath/fault"
	"swath/stac"
)

// A bulk load:
//
//	source ─lines─▶ chunks ─▶ workers: parse, pack ─▶ in order again ─▶ batch ─one transaction─▶ rows, counts, extent, mark
//	   └── collections ─▶ put at once            └── wrong lines ─▶ rejected
//
// A batch is written whole or not at all, and the mark with it; so a load that was killed goes on where it was. What is
// stored already is compared: the same line again changes nothing.

// LoadOptions say how lines are loaded.
type LoadOptions struct {
	Collection       string                                     // that all items go to; empty: each item's own
	EnsureCollection func(ctx context.Context, id string) error // makes a collection that is missing; nil: its items are rejected
	Rejected         func(Rejection)                            // is told of every line that is, in their order
	Progress         func(Loaded)                               // is told what is done after every batch
}

// Rejection is a line that was not loaded.
type Rejection struct {
	Line   int64  `json:"line"`         // from 1
	Item   string `json:"id,omitempty"` // its id, where it could be read
	Reason string `json:"reason"`
}

// Loaded counts the lines of a load, those before it went on included.
type Loaded struct {
	Lines     int64 // read
	From      int64 // the line that this run went on behind; 0: it began anew
	Loaded    int64 // new items
	Unchanged int64 // items that were there with the same body
	Replaced  int64 // items that were there with another
	Rejected  int64
	Put       int64 // collections, by this run
}

func (d Loaded) plus(o Loaded) Loaded {
	d.Loaded, d.Unchanged, d.Replaced, d.Rejected = d.Loaded+o.Loaded, d.Unchanged+o.Unchanged, d.Replaced+o.Replaced, d.Rejected+o.Rejected
	return d
}

func (d *Loaded) add(replaced bool) {
	if replaced {
		d.Replaced++
	} else {
		d.Unchanged++
	}
}

// loader is one load.
type loader struct {
	store    *Store
	options  LoadOptions
	source   *LoadSource
	identity string
	conn     *pgxpool.Conn
	blind    bool                // nothing was stored when it began: what comes is new, unless the database says otherwise
	names    map[uint64]struct{} // of all that is stored, while their index is set aside; nil when it is there
	done     Loaded
	put      int64 // by the reader
}

// Load brings lines into the catalog: each is an item, or a collection, which must come before its items unless it is there.
// The end of ctx ends a load between two batches. What is wrong with a line is its rejection; an error says why the load
// could not go on, and the same call goes on there.
func (s *Store) Load(ctx context.Context, source *LoadSource, options LoadOptions) (Loaded, error) {
	conn, release, err := connection(ctx, s)
	if err != nil {
		return Loaded{}, fmt.Errorf("catalog: load %s: %w", source.Name, err)
	}
	defer release()
	l := &loader{store: s, options: options, source: source, conn: conn}
	if source.identity != "" {
		l.identity = source.identity + " " + options.Collection
	}
	if err = l.begin(ctx); err == nil {
		defer l.end(ctx)
		err = l.run(ctx)
	}
	if err != nil {
		return l.done, fmt.Errorf("catalog: load %s: %w", source.Name, classify(err))
	}
	return l.done, nil
}

// job is a chunk on its way through a worker.
type job struct {
	chunk  chunk
	parsed chan parsed
}

func (l *loader) run(ctx context.Context) error {
	offset, err := l.goOn(ctx)
	if err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	group, work := errgroup.WithContext(context.WithoutCancel(ctx))
	todo, inOrder, batches := make(chan job), make(chan job, 2*workers), make(chan *batch, 1)
	var damage error
	group.Go(func() error {
		defer close(todo)
		defer close(inOrder)
		lines := l.source.lines(l.done.Lines, offset)
		damage = l.source.guarded(func() error { return l.read(ctx, work, lines, todo, inOrder) })
		return nil
	})
	p := &parser{store: l.store, options: l.options, training: make(chan struct{}, 2)}
	for range workers {
		group.Go(func() error {
			for j := range todo {
				var result parsed
				err := l.source.guarded(func() (err error) {
					result, err = p.parse(work, j.chunk)
					return err
				})
				if err != nil {
					return err
				}
				j.chunk.free()
				j.parsed <- result
			}
			return nil
		})
	}
	group.Go(func() error { return l.gather(work, inOrder, batches) })
	group.Go(func() error { return l.writeAll(work, batches) })
	if err := group.Wait(); err != nil {
		return err
	}
	l.done.Put = l.put
	if damage != nil {
		return damage
	}
	return l.finish(context.WithoutCancel(ctx))
}

// read cuts the source into jobs. It returns what is wrong with the source, or that it was told to end.
func (l *loader) read(ctx, work context.Context, lines *lineReader, todo, inOrder chan<- job) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c, err := lines.chunk(isCollection)
		l.source.reached(lines.offset)
		if err != nil && !errors.Is(err, io.EOF) {
			err = fault.Wrap(fault.Invalid, err, "behind line %d: %s", lines.line, public(l.source.damaged(err)))
		}
		j := job{c, make(chan parsed, 1)}
		if len(c.lines) == 1 && isCollection(c.lines[0].text) {
			result := parsed{endLine: c.endLine, endBytes: c.endOffset}
			if err := l.putCollection(work, c.lines[0].text); fault.Is(err, fault.Invalid) {
				result.rejected = []Rejection{{Line: c.lines[0].number, Reason: public(err)}}
			} else if err != nil {
				return err
			}
			j.parsed <- result
			if !send(work, inOrder, j) {
				return nil
			}
		} else if !send(work, inOrder, j) || !send(work, todo, j) {
			return nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		}
	}
}

func send[T any](ctx context.Context, to chan<- T, what T) bool {
	select {
	case to <- what:
		return true
	case <-ctx.Done():
		return false
	}
}

// isCollection tells a collection from an item.
func isCollection(text []byte) bool {
	if bytes.HasPrefix(text, []byte(`{"type":"Feature"`)) || !bytes.Contains(text, []byte(`"Collection"`)) {
		return false
	}
	kind, err := jsonparser.GetString(text, "type")
	return err == nil && kind == "Collection"
}

func (l *loader) putCollection(ctx context.Context, text []byte) error {
	id, err := jsonparser.GetString(text, "id")
	if err != nil {
		return fault.New(fault.Invalid, "the collection has no id")
	}
	if err := l.store.PutCollection(ctx, stac.Collection{ID: id, Body: bytes.Clone(text)}); err != nil { // the text is the source's
		return err
	}
	l.put++
	return nil
}

// gather joins what the workers made to batches, in the order of the lines, so that one is parsed while another is written.
func (l *loader) gather(ctx context.Context, inOrder <-chan job, batches chan<- *batch) error {
	defer close(batches)
	b := newBatch()
	pass := func() error {
		if err := b.number(ctx, l.store); err != nil {
			return err
		}
		if !send(ctx, batches, b) {
			return ctx.Err()
		}
		b = newBatch()
		return nil
	}
	for j := range inOrder {
		select {
		case result := <-j.parsed:
			b.add(result)
		case <-ctx.Done():
			return ctx.Err()
		}
		if b.full() {
			if err := pass(); err != nil {
				return err
			}
		}
	}
	if b.endLine > 0 {
		return pass()
	}
	return ctx.Err()
}

// writeAll writes batches until there are no more.
func (l *loader) writeAll(ctx context.Context, batches <-chan *batch) error {
	for b := range batches {
		if err := b.pack(l.store.pack); err != nil {
			return err
		}
		if err := l.remember(ctx, b); err != nil {
			return err
		}
		after, rejected, err := l.write(ctx, b)
		if err != nil {
			return err
		}
		l.done = after
		for _, r := range rejected {
			if l.options.Rejected != nil {
				l.options.Rejected(r)
			}
		}
		if l.options.Progress != nil {
			l.options.Progress(l.done)
		}
	}
	return ctx.Err()
}

// goOn finds the mark of a load that did not end, and goes there.
func (l *loader) goOn(ctx context.Context) (offset int64, err error) {
	if l.identity == "" {
		return 0, nil
	}
	d := &l.done
	err = l.conn.QueryRow(ctx, "select line, bytes, loaded, unchanged, replaced, rejected from load_mark where source = $1", l.identity).
		Scan(&d.Lines, &offset, &d.Loaded, &d.Unchanged, &d.Replaced, &d.Rejected)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	d.From = d.Lines
	return offset, l.source.skip(offset)
}

// finish forgets the mark of a load that is done, and marks of files that were never seen again.
func (l *loader) finish(ctx context.Context) error {
	_, err := l.conn.Exec(ctx, "delete from load_mark where source = $1 or at < now() - interval '30 days'", l.identity)
	return err
}

// Settle brings the catalog into the form that searches are quick on, after bulk loads: what all can see is marked as such, what the
// planner knows of it is new, indexes that were set aside are built, and indexes are as small as they can be.
func (s *Store) Settle(ctx context.Context) error {
	var expressions bool // of an index that is not there yet, which hold something
	err := s.settling(ctx, func(conn *pgx.Conn) error {
		// It comes before indexes are built, which it would look through.
		if _, err := conn.Exec(ctx, "vacuum (analyze) item, day_total, cell_total, count_delta"); err != nil {
			return err
		}
		return conn.QueryRow(ctx, withExpressions).Scan(&expressions)
	})
	if err == nil {
		err = s.RestoreIndexes(ctx)
	}
	if err != nil {
		return err
	}
	return s.settling(ctx, func(conn *pgx.Conn) error {
		if expressions {
			if _, err := conn.Exec(ctx, "analyze item"); err != nil {
				return err
			}
		}
		return s.tighten(ctx, conn)
	})
}

// withExpressions tells whether an index is still to be built that orders products by when they came, and there are some.
const withExpressions = `select exists (select from set_aside where name = 'item_published')
and exists (select from pg_stats where schemaname = current_schema() and tablename = 'item' and attname = 'product' and null_frac < 1)`

// settling does a part of Settle. It holds no connection while indexes are built, which take two.
func (s *Store) settling(ctx context.Context, do func(conn *pgx.Conn) error) error {
	conn, release, err := connection(ctx, s)
	if err == nil {
		defer release()
		err = classify(do(conn.Conn()))
	}
	if err != nil {
		return fmt.Errorf("catalog: settle: %w", err)
	}
	return nil
}
