package catalog

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
)

//go:embed sql/check_rows.sql
var checkRowsSQL string

//go:embed sql/check_repair.sql
var checkRepairSQL string

//go:embed sql/check_days.sql
var checkDaysSQL string

//go:embed sql/check_cells.sql
var checkCellsSQL string

//go:embed sql/check_indexes.sql
var checkIndexesSQL string

//go:embed sql/recount.sql
var recountSQL string

// A check works everything out again that follows from the bodies, and compares:
//
//	row ─▶ body: can it be unpacked, is it an item? ─▶ columns, terms, shape ─▶ what its collection covers
//	all rows ─▶ counts by day and by cell           indexes: all there, all valid

// CheckOptions say what a check does beside comparing.
type CheckOptions struct {
	Repair   bool                                   // writes what follows from bodies, where it differs
	Problem  func(Problem)                          // is told of everything that is wrong
	Item     func(context.Context, stac.Item) error // is called with every item that can be read
	Progress func(done, about int64)                // items; about is how many there may be
}

// Problem is something that is wrong in the catalog.
type Problem struct {
	Collection string `json:"collection,omitempty"`
	Item       string `json:"id,omitempty"`
	Text       string `json:"problem"`
	Repaired   bool   `json:"repaired"`
}

// Checked counts what a check saw.
type Checked struct{ Items, Problems, Repaired int64 }

const checkPage = 1000 // rows that are read together

// checker is one check.
type checker struct {
	store   *Store
	options CheckOptions
	conn    *pgxpool.Conn
	done    Checked
}

func (c *checker) problem(collection, item string, repaired bool, format string, args ...any) {
	c.done.Problems++
	if repaired {
		c.done.Repaired++
	}
	if c.options.Problem != nil {
		c.options.Problem(Problem{collection, item, fmt.Sprintf(format, args...), repaired})
	}
}

// Check compares all rows, counts and indexes with what the bodies say. It may run while others write. An error says why it could
// not go on.
func (s *Store) Check(ctx context.Context, options CheckOptions) (Checked, error) {
	conn, release, err := connection(ctx, s)
	if err != nil {
		return Checked{}, fmt.Errorf("catalog: check: %w", err)
	}
	defer release()
	c := &checker{store: s, options: options, conn: conn}
	for _, step := range []func(context.Context) error{c.rows, c.counts, c.indexes} {
		if err := step(ctx); err != nil {
			return c.done, fmt.Errorf("catalog: check: %w", classify(err))
		}
	}
	return c.done, nil
}

// checkedRow is a row as it is stored.
type checkedRow struct {
	row
	pk         int64
	number     int16
	collection string
	removed    bool
	updated    time.Time
}

// rows checks every row that there is now.
func (c *checker) rows(ctx context.Context) error {
	var about int64
	if err := c.conn.QueryRow(ctx, "select greatest(reltuples, 0)::bigint from pg_class where oid = 'item'::regclass").Scan(&about); err != nil {
		return err
	}
	for _, kind := range []wordKind{gridWord, platformWord} {
		if _, err := c.store.words.load(ctx, c.conn, kind); err != nil {
			return err
		}
	}
	for after := int64(-1 << 63); ; {
		found, err := c.conn.Query(ctx, checkRowsSQL, after, checkPage)
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(found, func(f pgx.CollectableRow) (r checkedRow, err error) {
			err = f.Scan(&r.pk, &r.number, &r.collection, &r.removed, &r.hash, &r.key, &r.at, &r.begins, &r.ends, &r.cc, &r.cell,
				&r.box.x0, &r.box.x1, &r.box.y0, &r.box.y1, &r.grid, &r.dict, &r.orbit, &r.plat, &r.terms, &r.geom, &r.updated, &r.body, &r.product)
			return r, err
		})
		if err != nil {
			return err
		}
		wider := map[int16][]document{}
		for _, r := range all {
			if r.removed {
				continue // it is being removed
			}
			if err := c.row(ctx, r, wider); err != nil {
				return err
			}
		}
		if err := c.widen(ctx, wider); err != nil {
			return err
		}
		if len(all) < checkPage {
			return nil
		}
		after = all[len(all)-1].pk
		if c.options.Progress != nil {
			c.options.Progress(c.done.Items, max(about, c.done.Items))
		}
	}
}

// row checks one row. Documents that their collection does not cover go to wider.
func (c *checker) row(ctx context.Context, r checkedRow, wider map[int16][]document) error {
	c.done.Items++
	if r.collection == "" {
		c.problem(fmt.Sprint("number ", r.number), "", false, "row %d is of a collection that does not exist", r.pk)
		return nil
	}
	body, err := c.store.pack.decode(r.dict, r.body)
	if err != nil {
		c.problem(r.collection, "", false, "the body of row %d can't be unpacked: %v", r.pk, err)
		return nil
	}
	doc, err := parseItem(stac.Item{Collection: r.collection, Body: body})
	if err == nil && !bytes.Equal(doc.body, body) {
		err = fault.New(fault.Invalid, "it is not in the form that is stored")
	}
	if err != nil {
		c.problem(r.collection, idOf(body), false, "the body of row %d: %s", r.pk, public(err))
		return nil
	}
	geom, err := shapeOf(ctx, c.conn, &doc.where)
	if fault.Is(err, fault.Invalid) {
		c.problem(r.collection, doc.id, false, "%s", public(err))
		return nil
	} else if err != nil {
		return err
	}
	want := doc.row(geom)
	want.grid, want.plat = doc.properties.numbered(c.numbers(doc.properties.words(nil)))
	if wrong := differences(r.row, want); wrong != nil {
		repaired, err := c.repair(ctx, r, want)
		if err != nil {
			return err
		}
		c.problem(r.collection, doc.id, repaired, "columns that do not follow from the body: %s", strings.Join(wrong, ", "))
	}
	known, err := c.store.coverage(ctx, c.conn, r.number)
	if err != nil {
		return err
	}
	if !known.holds(doc) {
		c.problem(r.collection, doc.id, c.options.Repair, "its collection does not cover it")
		wider[r.number] = append(wider[r.number], doc.slim(known.news(doc)))
	}
	if c.options.Item != nil {
		return c.options.Item(ctx, stac.Item{Collection: r.collection, ID: doc.id, Updated: r.updated.UTC(), Body: body})
	}
	return nil
}

// numbers returns the numbers that words have; one without is of no row.
func (c *checker) numbers(keys []word) map[word]int32 {
	numbers := map[word]int32{}
	for _, key := range keys {
		numbers[key], _ = c.store.words.known(key)
	}
	return numbers
}

// differences names the columns that differ.
func differences(got, want row) (names []string) {
	same := func(name string, same bool) {
		if !same {
			names = append(names, name)
		}
	}
	same("idh", got.hash == want.hash)
	same("idk", got.key == want.key)
	same("dt", got.at.Equal(want.at))
	same("begins", sameTime(got.begins, want.begins))
	same("ends", sameTime(got.ends, want.ends))
	same("cc", samePointed(got.cc, want.cc))
	same("cell", got.cell == want.cell)
	same("x0, x1, y0, y1", got.box == want.box)
	same("grid", samePointed(got.grid, want.grid))
	same("orbit", samePointed(got.orbit, want.orbit))
	same("plat", samePointed(got.plat, want.plat))
	same("ph", slices.Equal(got.terms, want.terms))
	same("geom", bytes.Equal(got.geom, want.geom))
	same("product", samePointed(got.product, want.product))
	return names
}

func samePointed[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func sameTime(a, b *time.Time) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

// repair writes the columns of a row, when it is asked to.
func (c *checker) repair(ctx context.Context, r checkedRow, want row) (bool, error) {
	if !c.options.Repair {
		return false, nil
	}
	w := want
	done, err := c.conn.Exec(ctx, checkRepairSQL, r.pk, r.body, w.hash, w.key, w.at, w.begins, w.ends, w.cc, w.cell, w.box.x0, w.box.x1, w.box.y0, w.box.y1,
		w.grid, w.orbit, w.plat, w.terms, w.geom, w.product)
	return err == nil && done.RowsAffected() == 1, err
}

// widen makes collections cover documents.
func (c *checker) widen(ctx context.Context, wider map[int16][]document) error {
	if !c.options.Repair {
		return nil
	}
	for number, docs := range wider {
		err := pgx.BeginFunc(ctx, c.conn, func(tx pgx.Tx) error {
			known, err := c.store.coverage(ctx, tx, number)
			if err == nil {
				_, err = widen(ctx, tx, number, known, docs)
			}
			return err
		})
		if err != nil {
			return err
		}
		c.store.covered.Delete(number)
	}
	return nil
}

// counts checks the counts by day and by cell, and counts anew where one is wrong.
func (c *checker) counts(ctx context.Context) error {
	type wrong struct {
		Collection string
		N          int64
	}
	anew := false
	for _, what := range []struct{ name, sql string }{{"days", checkDaysSQL}, {"cells", checkCellsSQL}} {
		rows, err := c.conn.Query(ctx, what.sql)
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[wrong])
		if err != nil {
			return err
		}
		for _, w := range all {
			c.problem(w.Collection, "", c.options.Repair, "the counts of %d %s are wrong", w.N, what.name)
			anew = true
		}
	}
	if !anew || !c.options.Repair {
		return nil
	}
	return pgx.BeginFunc(ctx, c.conn, func(tx pgx.Tx) error {
		_, err := tx.Conn().PgConn().Exec(ctx, recountSQL).ReadAll() // several statements
		return err
	})
}

// indexes checks that all indexes of items are there and valid. One that was set aside by a load is built when asked to.
func (c *checker) indexes(ctx context.Context) error {
	missing, err := c.missing(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	left := missing
	if c.options.Repair {
		if err := c.store.RestoreIndexes(ctx); err != nil {
			return err
		}
		if left, err = c.missing(ctx); err != nil {
			return err
		}
	}
	for _, name := range missing {
		c.problem("", "", !slices.Contains(left, name), "the index %s is missing or not valid", name)
	}
	return nil
}

func (c *checker) missing(ctx context.Context) (names []string, err error) {
	err = c.conn.QueryRow(ctx, checkIndexesSQL).Scan(&names)
	return names, err
}
