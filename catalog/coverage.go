package catalog

import (
	"context"
	_ "embed"
	"maps"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

//go:embed sql/extent.sql
var extentSQL string

//go:embed sql/widen.sql
var widenSQL string

//go:embed sql/properties.sql
var propertiesSQL string

//go:embed sql/widen_property.sql
var widenPropertySQL string

// coverage is what the items of a collection hold: where, when and which properties. In the database it is only ever
// widened, so what was once read holds for ever, and an item that it holds needs no look at it. It never changes.
type coverage struct {
	extent     extent
	properties map[string]*property

	forms sync.Map // *form → *formCoverage
}

// formCoverage is what a coverage has of the items of one form.
type formCoverage struct {
	known      bool        // whether all that the form knows is held
	properties []*property // by their number in the form
}

// holds reports whether an item makes no difference.
func (c *coverage) holds(d document) bool {
	if _, wider := c.extent.with(d); wider {
		return false
	}
	return len(c.news(d)) == 0
}

// news returns the properties of an item that say something new.
func (c *coverage) news(d document) (news []namedValue) {
	f := d.properties.form
	if f == nil {
		return c.appendNews(nil, d.properties.all)
	}
	covered := c.ofForm(f)
	for _, v := range d.properties.all {
		if v.member > 0 && covered.properties[v.member-1].holds(v) {
			continue // nearly all do
		}
		news = c.appendNews(news, []namedValue{v})
	}
	if !covered.known {
		for i, p := range f.shape.properties {
			if p.known != nil && d.properties.known.has(i) {
				news = c.appendNews(news, p.known.all)
			}
		}
	}
	return news
}

func (c *coverage) appendNews(news, values []namedValue) []namedValue {
	for _, v := range values {
		if p := c.properties[v.name]; !p.holds(v) && (p != nil || len(c.properties) < mostProperties) {
			news = append(news, v)
		}
	}
	return news
}

// ofForm returns what there is of a form.
func (c *coverage) ofForm(f *form) *formCoverage {
	if covered, known := c.forms.Load(f); known {
		return covered.(*formCoverage)
	}
	covered := &formCoverage{known: len(c.appendNews(nil, f.shape.known)) == 0}
	for _, p := range f.shape.properties {
		covered.properties = append(covered.properties, c.properties[p.name])
	}
	c.forms.Store(f, covered)
	return covered
}

// copied returns a coverage of the same properties that may learn; what it has of forms may hold less than they do, never more.
func (c *coverage) copied() *coverage {
	own := &coverage{properties: maps.Clone(c.properties)}
	c.forms.Range(func(form, covered any) bool {
		own.forms.Store(form, covered)
		return true
	})
	return own
}

// learn makes a coverage hold more values; nobody else may use it.
func (c *coverage) learn(news []namedValue) {
	for _, v := range news {
		c.properties[v.name] = c.properties[v.name].with(v)
	}
}

// coverage returns what is known of a collection, or reads it.
func (s *Store) coverage(ctx context.Context, q querier, collection int16) (*coverage, error) {
	if known, ok := s.covered.Load(collection); ok {
		return known.(*coverage), nil
	}
	covered, err := readExtent(ctx, q, collection, "")
	if err != nil {
		return nil, err
	}
	properties, err := readProperties(ctx, q, collection)
	c := &coverage{extent: covered, properties: properties}
	if err == nil {
		s.covered.Store(collection, c)
	}
	return c, err
}

// readExtent returns nothing of a collection that is no longer there.
func readExtent(ctx context.Context, q querier, collection int16, lock string) (extent, error) {
	rows, err := q.Query(ctx, extentSQL+lock, collection)
	if err != nil {
		return extent{}, err
	}
	var row extentRow
	_, err = pgx.ForEachRow(rows, row.targets(), func() error { return nil })
	return row.extent(), err
}

// widen makes a collection cover more items, as the last act of a transaction: its row is locked until the end. It returns
// what the collection covers then.
func widen(ctx context.Context, q querier, collection int16, known *coverage, docs []document) (*coverage, error) {
	covered, err := readExtent(ctx, q, collection, "for no key update")
	if err != nil {
		return nil, err
	}
	wider, writes, far := &coverage{extent: covered, properties: known.properties}, &pgx.Batch{}, false
	var news []namedValue
	for _, d := range docs {
		var changed bool
		wider.extent, changed = wider.extent.with(d)
		far = far || changed
		news = append(news, wider.news(d)...)
	}
	if far {
		wider.extent.queue(writes, collection)
	}
	if news != nil {
		if wider.properties, err = readProperties(ctx, q, collection); err != nil {
			return nil, err
		}
		changed := map[string]bool{}
		for _, v := range news {
			if p := wider.properties[v.name]; !p.holds(v) && (p != nil || len(wider.properties) < mostProperties) {
				wider.properties[v.name] = p.with(v)
				changed[v.name] = true
			}
		}
		for name := range maps.Keys(changed) {
			wider.properties[name].queue(writes, collection, name)
		}
	}
	return wider, q.SendBatch(ctx, writes).Close()
}

func (e extent) queue(b *pgx.Batch, collection int16) {
	var west, south, east, north *float64
	if e.box != nil {
		west, south, east, north = &e.box.west, &e.box.south, &e.box.east, &e.box.north
	}
	reach := func(micros int64) pgtype.Interval { return pgtype.Interval{Microseconds: micros, Valid: true} }
	b.Queue(widenSQL, collection, west, south, east, north, e.begins, e.ends, reach(e.reachBefore), reach(e.reachAfter))
}
