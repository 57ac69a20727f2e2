package catalog

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/buger/jsonparser"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

const (
	defaultLimit = 10
	largestLimit = 10_000
	// Bounds of the bodies that one page looks at: in batches that grow, and in all.
	firstBatch = 64
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
	q.Limit, q.Hidden = min(q.Limit, largestLimit), stac.ScopeOf(ctx).Hidden()
	set, err := s.collections(ctx)
	if err != nil {
		return page, err
	}
	err = s.reading(ctx, "search", func(conn *pgxpool.Conn) error {
		began := time.Now()
		p, err := s.newPlan(ctx, conn, set, q)
		if err != nil {
			return err
		}
		page, err = s.page(ctx, conn, p)
		s.logSlow(ctx, conn, p, time.Since(began), err)
		if err = classify(err); fault.Is(err, fault.Timeout) && ctx.Err() == nil && p.asked != "" {
			if _, public := fault.Of(err); !strings.Contains(public, "narrow") {
				err = fault.Wrap(fault.Timeout, err, "the search took longer than allowed: %s", p.advice())
			}
		}
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
	if len(p.order.keys) == 0 { // else most bodies are soon forgotten
		p.room = &bodies{}
		page.Free = p.room.free
	}
	hits, seen, err := s.collect(ctx, conn, p, limit+1)
	if err != nil {
		return page, err
	}
	more := len(hits) > limit
	hits = hits[:min(len(hits), limit)]
	page.Items = make([]stac.Item, len(hits))
	for i, h := range hits {
		page.Items[i] = h.item
	}
	matched := p.from.matched
	switch {
	case p.search.Token != "" || p.search.Uncounted:
	case !more:
		matched = total{n: int64(len(hits))}
	case seen.rows != unknown && !p.again() && p.order.by != byCloud: // which reads those without a cloud cover apart
		matched = total{n: seen.rows}
	default:
		if matched, err = s.count(ctx, conn, p, seen); err != nil {
			return page, err
		}
	}
	if more {
		last := hits[len(hits)-1].at
		last.matched = matched
		page.Next = last.token(p.search)
	}
	if matched.n != unknown {
		page.Matched, page.Estimated = &matched.n, matched.estimated
	}
	return page, nil
}

// sight is what the statement of a page says beside its rows.
type sight struct {
	rows   int64 // that match in all; unknown where the route did not see all of them
	at     snapshot
	looked int // rows that were looked at
	passed int // of them, that matched
}

// collect returns the first hits behind the plan's place.
func (s *Store) collect(ctx context.Context, conn *pgxpool.Conn, p *plan, need int) (hits []hit, seen sight, err error) {
	if len(p.cols) == 0 {
		return nil, seen, nil
	}
	if len(p.order.keys) == 0 {
		first, kind := need, uint64(0)
		if p.again() {
			kind = kindOfFilter(p.filter.vague)
			first = s.passing.first(kind, need, max(2*need, firstBatch/2))
		}
		p.need = need
		seen, err = s.stream(ctx, conn, p, p.from, first, func(h hit) bool {
			hits = append(hits, h)
			return len(hits) < need
		})
		if p.again() {
			s.passing.saw(kind, seen)
		}
		return hits, seen, err
	}
	if p.order.by == byNothing && !p.again() && p.rows > 3*mostGathered {
		return nil, seen, p.tooMany() // as far as can be told; else reading them would tell
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
	seen, err = s.stream(ctx, conn, p, from, firstBatch, func(h hit) bool {
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
		err = p.tooMany()
	}
	settle(need - len(hits))
	return append(hits, group...), seen, err
}

// tooMany is the error of an order that no index has, of more items than can be sorted here.
func (p *plan) tooMany() error {
	return fault.New(fault.Invalid, "more than %d items would have to be sorted by %s: narrow the search by place, time, collection or a filter, or sort by datetime or eo:cloud_cover first",
		mostGathered, p.order.keys[0].Property)
}

// advice says how a search finds sooner what it looks for.
func (p *plan) advice() string {
	var slow []string
	if p.search.Filter != nil {
		for _, name := range cql2.Properties(p.search.Filter) {
			if !quick[name] && !slices.Contains(slow, name) {
				slow = append(slow, name)
			}
		}
	}
	if slow == nil {
		return "narrow it by place, time or collection"
	}
	return fmt.Sprintf("narrow it by place, time or collection, or by properties that are quick to search; %s can't be, but for whether it equals a text or an integer", strings.Join(slow, ", "))
}

// quick are the properties that columns hold.
var quick = map[string]bool{"id": true, "collection": true, "datetime": true, "eo:cloud_cover": true, "sat:relative_orbit": true, "platform": true,
	"grid:code": true, "s2:mgrs_tile": true, "geometry": true}

// stream yields the hits behind a place in the order of the index, until there are no more or yield has enough.
func (s *Store) stream(ctx context.Context, conn *pgxpool.Conn, p *plan, from place, size int, yield func(hit) (more bool)) (seen sight, err error) {
	if err := s.reach(ctx, conn, p, from); err != nil {
		return seen, err
	}
	for {
		b, err := s.batch(ctx, conn, p, from, size, yield)
		if seen.looked == 0 {
			seen.rows, seen.at = b.rows, b.at
		}
		seen.looked, seen.passed = seen.looked+b.looked, seen.passed+b.passed
		if err != nil || b.enough {
			return seen, err
		}
		switch {
		case b.looked == size:
			from = b.last
		case !p.changed.IsZero():
			from = place{micros: p.changed.UnixMicro(), pk: math.MinInt64, clouded: true}
			if err := s.reach(ctx, conn, p, from); err != nil {
				return seen, err
			}
		case p.page.name == cellingSince.name && !p.recent.all:
			from, seen.rows = p.before(from), unknown
		case p.order.by == byCloud && from.clouded: // behind all that have a cloud cover come those that have none
			from = place{first: true, micros: start.micros, pk: start.pk}
			seen.rows = unknown
		default:
			return seen, nil
		}
		if seen.looked >= chunkPatience && !p.shortened {
			if err := s.shorten(ctx, conn, p); err != nil {
				return seen, err
			}
		}
		if seen.looked > mostLooked {
			return seen, fault.New(fault.Timeout, "the search has looked at %d items and found too few: %s", seen.looked, p.advice())
		}
		size = p.next(seen, size)
	}
}

// next returns how many rows are looked at next: about as many as hold what the page still needs, as far as those before tell.
func (p *plan) next(seen sight, size int) int {
	most := min(max(4*size, firstBatch), max(largeBatch, size))
	if p.need == 0 || seen.passed == 0 {
		return most
	}
	return min(max(3*(p.need-seen.passed)*seen.looked/(2*seen.passed), firstBatch/4), most)
}

// stretch is some of the rows of a stream.
type stretch struct {
	sight
	last   place // of the rows
	enough bool  // yield said so
}

// batch yields the hits among the next rows behind a place.
func (s *Store) batch(ctx context.Context, conn *pgxpool.Conn, p *plan, from place, size int, yield func(hit) (more bool)) (b stretch, err error) {
	b.rows = unknown
	sql := p.statement(from)
	p.asked, p.args["limit"] = sql, size
	rows, err := s.query(ctx, conn, sql, p.args)
	if err != nil {
		return b, err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := readRow(rows.RawValues())
		if err != nil {
			return b, err
		}
		if b.looked++; b.looked == 1 {
			b.rows, b.at = r.rows, r.at
		}
		h := hit{at: r.place}
		h.at.clouded = p.order.by != byCloud || r.clouded
		b.last = h.at
		h.item.Collection = p.set.name(r.col)
		if err = s.unpack(p, &r, &h.item); err == errRejected {
			continue
		} else if err != nil {
			return b, fmt.Errorf("item %d of collection %s: %w", h.at.pk, h.item.Collection, err)
		}
		if p.again() && !p.matches(&r, h.item.Body) {
			p.room.forget(h.item.Body)
			continue
		}
		b.passed++
		if h.item.Created, h.item.Updated = r.created, r.updated; h.item.ID == "" {
			h.item.ID = idOf(h.item.Body)
		}
		if !yield(h) {
			b.enough = true
			return b, nil
		}
	}
	return b, rows.Err()
}

// unpack reads the body of a row, from memory as far as it is there. It says errRejected of one that does not match at a glance.
func (s *Store) unpack(p *plan, r *found, it *stac.Item) (err error) {
	p.glance.begin()
	key := hashStored(r.dict, r.packed)
	known, again := s.remembered.get(key, r.dict, r.packed)
	switch {
	case known != nil && known.form != nil && p.glance.rejects(known.form, known.filled, known.ends):
		return errRejected
	case known != nil && known.body != nil:
		known.serve(it)
		return nil
	case known != nil:
		it.Body, err = p.room.add(func(out []byte) ([]byte, error) { return s.pack.appendFilled(out, known.form, known.filled) })
		if err == nil && !p.again() {
			s.remembered.keep(key, &kept{dict: r.dict, packed: r.packed, form: known.form, filled: known.filled, ends: known.ends, body: it.Body, id: idOf(it.Body)}).serve(it)
		}
		return err
	}
	it.Body, err = p.room.add(func(out []byte) ([]byte, error) { return s.pack.appendDecoded(out, r.dict, r.packed, p.glance) })
	switch {
	case err != nil && err != errRejected || !again:
	case !p.again():
		s.remembered.keep(key, &kept{dict: r.dict, packed: r.packed, body: it.Body, id: idOf(it.Body)}).serve(it)
	case p.glance != nil && p.glance.form != nil: // what a filter looks at again is mostly not served
		s.remembered.keep(key, &kept{dict: r.dict, packed: r.packed, form: p.glance.form, filled: p.glance.filled, ends: lineEnds(p.glance.form, p.glance.filled)})
	}
	return err
}

// matches looks at a body again.
func (p *plan) matches(r *found, body []byte) bool {
	if p.search.Filter != nil && !(p.glance != nil && p.glance.sure) {
		it := dated{Item: cql2.Item{Body: body}, published: r.created, modified: r.updated}
		it.Spatial = func(s cql2.Spatial) (is, known bool) {
			i, ok := p.atoms[cql2.String(s)]
			if !ok || i >= len(r.related) {
				return false, false
			}
			return r.related[i], true
		}
		if !cql2.Match(p.search.Filter, &it) {
			return false
		}
	}
	return p.search.Text == nil || stac.MatchText(p.search.Text, textsIn(body))
}

// dated is an item with the moments at which it came and changed, which only columns hold.
type dated struct {
	cql2.Item
	published, modified time.Time
	deleted             time.Time // zero of what is there
}

// Value returns a property.
func (d *dated) Value(p cql2.Property) any {
	switch p {
	case stac.Published:
		return d.published.Format(time.RFC3339Nano)
	case stac.Modified:
		return d.modified.Format(time.RFC3339Nano)
	case stac.Deleted:
		if !d.deleted.IsZero() {
			return d.deleted.Format(time.RFC3339Nano)
		}
		return nil
	case stac.Bytes:
		if n, err := jsonparser.GetFloat(d.Body, "assets", stac.ProductAsset, "file:size"); err == nil {
			return n
		}
		return nil
	}
	return d.Item.Value(p)
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
