package catalog

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
)

//go:embed sql/walk.sql
var walkSQL string

//go:embed sql/cells.sql
var cellsSQL string

//go:embed sql/ids.sql
var idsSQL string

//go:embed sql/time.sql
var timeSQL string

//go:embed sql/space.sql
var spaceSQL string

//go:embed sql/page.sql
var pageSQL string

//go:embed sql/count.sql
var countSQL string

const (
	defaultLimit = 10
	largestLimit = 10_000
	// countUpTo and countFor bound what a first page spends on counting; what is more is not counted.
	countUpTo = 10_000
	countFor  = 300 * time.Millisecond
	// smallAreaDeg is the width and height up to which an area meets few enough cells: ~70 of all levels.
	smallAreaDeg = 5
)

// Search returns one page, newest first. The first page counts what matches in all, up to 10,000; the later ones repeat it.
func (s *Store) Search(ctx context.Context, q stac.Search) (page stac.Page, err error) {
	err = s.with(ctx, "search", func(conn *pgxpool.Conn) error {
		p, err := newPlan(ctx, conn, q)
		if err != nil {
			return err
		}
		page, err = s.page(ctx, conn, p)
		return err
	})
	return page, err
}

// plan is a search as SQL: the statement that yields candidates, and its arguments.
type plan struct {
	search     stac.Search
	from       place
	candidates string
	args       pgx.NamedArgs
}

// newPlan checks a search and chooses how to find its rows: by name, by the cells of a small area, or by walking time.
func newPlan(ctx context.Context, conn *pgxpool.Conn, q stac.Search) (plan, error) {
	if q.BBox != nil && q.Intersects != nil {
		return plan{}, fault.New(fault.Invalid, "a search has either bbox or intersects, not both")
	}
	place, where, err := areaOf(ctx, conn, q)
	if err != nil {
		return plan{}, err
	}
	p := plan{search: q, candidates: walkSQL, args: pgx.NamedArgs{"collections": nil}}
	if len(q.Collections) > 0 {
		p.args["collections"] = q.Collections
	}
	if p.from, err = parseToken(q); err != nil {
		return plan{}, err
	}
	p.args["token_dt"], p.args["token_pk"] = p.from.datetime(), p.from.pk
	p.args["since"], p.args["until"] = interval(q.Datetime)
	space := ""
	if place {
		space = spaceSQL
		where.bind(p.args)
		if where.box.east-where.box.west < smallAreaDeg && where.box.north-where.box.south < smallAreaDeg {
			p.candidates, p.args["cells"] = cellsSQL, cellsMeeting(where.box)
		}
	}
	if len(q.IDs) > 0 {
		hashes, keys := make([]int64, len(q.IDs)), make([]int64, len(q.IDs))
		for i, id := range q.IDs {
			hashes[i], keys[i] = hashesOf(id)
		}
		p.candidates, p.args["hashes"], p.args["keys"] = idsSQL, hashes, keys
	}
	p.candidates = strings.NewReplacer("{{time}}", timeSQL, "{{space}}", space).Replace(p.candidates)
	return p, nil
}

// interval returns both ends, infinite where they are open.
func interval(asked *stac.Interval) (since, until pgtype.Timestamptz) {
	since = pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	until = pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	if asked != nil && asked.Start != nil {
		since = pgtype.Timestamptz{Time: asked.Start.Truncate(time.Microsecond), Valid: true}
	}
	if asked != nil && asked.End != nil {
		until = pgtype.Timestamptz{Time: *asked.End, Valid: true}
	}
	return since, until
}

// page reads one page, and one row more to know whether there is another.
func (s *Store) page(ctx context.Context, conn *pgxpool.Conn, p plan) (page stac.Page, err error) {
	limit := p.search.Limit
	if limit < 1 {
		limit = defaultLimit
	}
	limit = min(limit, largestLimit)
	p.args["limit"] = limit + 1
	rows, err := conn.Query(ctx, strings.Replace(pageSQL, "{{candidates}}", p.candidates, 1), p.args)
	if err != nil {
		return page, err
	}
	defer rows.Close()
	page.Items = make([]stac.Item, 0, min(limit, 1000))
	last, more := place{}, false
	for rows.Next() {
		if len(page.Items) == limit {
			more = true
			continue
		}
		var it stac.Item
		var dict int16
		var packed pgtype.DriverBytes // read before the next row
		var dt time.Time
		if err := rows.Scan(&it.Collection, &it.Updated, &dict, &packed, &dt, &last.pk); err != nil {
			return page, err
		}
		if it.Body, err = s.pack.decode(dict, packed); err != nil {
			return page, fmt.Errorf("item %d of collection %s: %w", last.pk, it.Collection, err)
		}
		it.ID = idOf(it.Body)
		it.Updated, last.micros = it.Updated.UTC(), dt.UnixMicro()
		page.Items = append(page.Items, it)
	}
	if err := rows.Err(); err != nil {
		return page, err
	}
	switch {
	case p.search.Token != "":
		last.matched = p.from.matched
	case !more:
		last.matched = int64(len(page.Items))
	default:
		if last.matched, err = count(ctx, conn, p); err != nil {
			return page, err
		}
	}
	if more {
		page.Next = last.token(p.search)
	}
	if last.matched != unknown {
		page.Matched = &last.matched
	}
	return page, nil
}

// count returns how many rows match, or unknown when they are too many, or too slow to count.
func count(ctx context.Context, conn *pgxpool.Conn, p plan) (n int64, err error) {
	quick, cancel := context.WithTimeout(ctx, countFor)
	defer cancel()
	p.args["limit"] = countUpTo + 1
	err = conn.QueryRow(quick, strings.Replace(countSQL, "{{candidates}}", p.candidates, 1), p.args).Scan(&n)
	if ctx.Err() == nil && quick.Err() != nil && err != nil {
		return unknown, nil
	}
	if n > countUpTo {
		n = unknown
	}
	return n, err
}
