package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buger/jsonparser"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

const (
	defaultLimit = 10
	largestLimit = 10_000
	// Bounds of the bodies that one page looks at: in batches that grow, and in all.
	firstBatch = 256
	largeBatch = 4096
	mostLooked = 400_000
	// mostGathered bounds what is sorted by a property that no index has.
	mostGathered = 200_000
)

// Search returns one page. The first page counts what matches in all; the later ones repeat it.
func (s *Store) Search(ctx context.Context, q stac.Search) (page stac.Page, err error) {
	if q.Limit < 1 {
		q.Limit = defaultLimit
	}
	q.Limit = min(q.Limit, largestLimit)
	set, err := s.collections(ctx)
	if err != nil {
		return page, err
	}
	err = s.with(ctx, "search", func(conn *pgxpool.Conn) error {
		p, err := s.newPlan(ctx, conn, set, q)
		if err != nil {
			return err
		}
		page, err = s.page(ctx, conn, p)
		return err
	})
	return page, err
}

// hit is a row that matches.
type hit struct {
	item stac.Item
	at   place
}

// page reads one page, and one row more to know whether there is another.
func (s *Store) page(ctx context.Context, conn *pgxpool.Conn, p *plan) (page stac.Page, err error) {
	limit := p.search.Limit
	hits, err := s.collect(ctx, conn, p, limit+1)
	if err != nil {
		return page, err
	}
	more := len(hits) > limit
	hits = hits[:min(len(hits), limit)]
	page.Items = make([]stac.Item, len(hits))
	for i, h := range hits {
		page.Items[i] = h.item
	}
	matched, estimated := p.from.matched, p.from.estimated
	switch {
	case p.search.Token != "":
	case !more:
		matched, estimated = int64(len(hits)), false
	default:
		if matched, estimated, err = s.count(ctx, conn, p); err != nil {
			return page, err
		}
	}
	if more {
		last := hits[len(hits)-1].at
		last.matched, last.estimated = matched, estimated
		page.Next = last.token(p.search)
	}
	if matched != unknown {
		page.Matched, page.Estimated = &matched, estimated
	}
	return page, nil
}

// collect returns the first hits behind the plan's place.
func (s *Store) collect(ctx context.Context, conn *pgxpool.Conn, p *plan, need int) (hits []hit, err error) {
	if len(p.order.keys) == 0 {
		first := need
		if p.again() {
			first = max(need, firstBatch)
		}
		err = s.stream(ctx, conn, p, p.from, first, func(h hit) bool {
			hits = append(hits, h)
			return len(hits) < need
		})
		return hits, err
	}
	// Groups that are equal in the column are sorted here; only the best of a group are kept.
	from := p.from
	if !from.first {
		from = p.order.groupStart(from)
	}
	var group []hit
	gathered := 0
	byOrder := func(a, b hit) int { return p.order.compare(a.at, b.at) }
	settle := func(room int) {
		slices.SortFunc(group, byOrder)
		group = group[:min(len(group), room)]
	}
	err = s.stream(ctx, conn, p, from, firstBatch, func(h hit) bool {
		if len(group) > 0 && !p.order.sameGroup(group[0].at, h.at) {
			settle(need - len(hits))
			hits, group, gathered = append(hits, group...), nil, 0
			if len(hits) >= need {
				return false
			}
		}
		if gathered++; gathered > mostGathered {
			return false
		}
		h.at.values = p.order.values(h.item.Body, h.at.micros)
		if !p.from.first && p.order.sameGroup(p.from, h.at) && p.order.compare(h.at, p.from) <= 0 {
			return true // a page before had it
		}
		if group = append(group, h); len(group) > 2*need+1000 {
			settle(need - len(hits))
		}
		return true
	})
	if err == nil && gathered > mostGathered {
		err = fault.New(fault.Invalid, "more than %d items would have to be sorted by %s: narrow the search, or sort by datetime or eo:cloud_cover first",
			mostGathered, p.order.keys[0].Property)
	}
	settle(need - len(hits))
	return append(hits, group...), err
}

// stream yields the hits behind a place in the order of the index, until there are no more or yield has enough.
func (s *Store) stream(ctx context.Context, conn *pgxpool.Conn, p *plan, from place, batch int, yield func(hit) (more bool)) error {
	looked := 0
	for {
		n, last, enough, err := s.batch(ctx, conn, p, from, batch, yield)
		if err != nil || enough {
			return err
		}
		looked += n
		switch {
		case n == batch:
			from = last
		case p.order.by == byCloud && from.clouded: // behind all that have a cloud cover come those that have none
			from = place{first: true, micros: start.micros, pk: start.pk}
		default:
			return nil
		}
		if looked > mostLooked {
			return fault.New(fault.Timeout, "the search has looked at %d items and found too few: narrow it by place, time or collection, or by a property with exact values", looked)
		}
		batch = min(max(4*batch, firstBatch), largeBatch)
	}
}

// batch yields the hits among the next rows behind a place.
func (s *Store) batch(ctx context.Context, conn *pgxpool.Conn, p *plan, from place, size int, yield func(hit) (more bool)) (n int, last place, enough bool, err error) {
	sql := strings.NewReplacer("{{candidates}}", p.statement(from), "{{order:p}}", p.order.sql("p", from.clouded), "{{related}}", p.related).Replace(pageSQL)
	p.args["limit"] = size
	rows, err := conn.Query(ctx, sql, p.args)
	if err != nil {
		return 0, last, false, err
	}
	defer rows.Close()
	var h hit
	var dict int16
	var packed pgtype.DriverBytes // read before the next row
	var dt time.Time
	var cloud *float64
	var related []bool
	into := []any{&h.item.Collection, &h.item.Updated, &dict, &packed, &dt, &h.at.pk, &cloud}
	if p.related != "" {
		into = append(into, &related)
	}
	for rows.Next() {
		h, related = hit{}, nil
		if err := rows.Scan(into...); err != nil {
			return n, last, false, err
		}
		n++
		h.at.micros, h.at.clouded = dt.UnixMicro(), p.order.by != byCloud || cloud != nil
		if cloud != nil {
			h.at.cloud = *cloud
		}
		last = h.at
		if h.item.Body, err = s.pack.decode(dict, packed); err != nil {
			return n, last, false, fmt.Errorf("item %d of collection %s: %w", h.at.pk, h.item.Collection, err)
		}
		if p.again() && !p.matches(h.item.Body, related) {
			continue
		}
		h.item.ID, h.item.Updated = idOf(h.item.Body), h.item.Updated.UTC()
		if !yield(h) {
			return n, last, true, nil
		}
	}
	return n, last, false, rows.Err()
}

// matches looks at a body again.
func (p *plan) matches(body []byte, related []bool) bool {
	if p.search.Filter != nil {
		it := cql2.Item{Body: body, Spatial: func(s cql2.Spatial) (is, known bool) {
			i, ok := p.atoms[cql2.String(s)]
			if !ok || i >= len(related) {
				return false, false
			}
			return related[i], true
		}}
		if !cql2.Match(p.search.Filter, &it) {
			return false
		}
	}
	return p.search.Text == nil || stac.MatchText(p.search.Text, textsIn(body))
}

// textsIn returns the texts of an item whose words are searched.
func textsIn(body []byte) (all []string) {
	add := func(raw []byte, kind jsonparser.ValueType) {
		if kind == jsonparser.String {
			if text, err := jsonparser.ParseString(raw); err == nil {
				all = append(all, text)
			}
		}
	}
	for _, path := range [][]string{{"properties", "title"}, {"properties", "description"}, {"properties", "keywords"}, {"keywords"}} {
		raw, kind, _, err := jsonparser.Get(body, path...)
		if err != nil {
			continue
		}
		if kind != jsonparser.Array {
			add(raw, kind)
			continue
		}
		_, _ = jsonparser.ArrayEach(raw, func(element []byte, kind jsonparser.ValueType, _ int, _ error) { add(element, kind) })
	}
	return all
}
