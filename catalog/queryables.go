package catalog

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac"
)

// columns are the properties that every search is quick by, at any size.
var columns = map[string]bool{"datetime": true, "eo:cloud_cover": true, "platform": true, "sat:relative_orbit": true, "grid:code": true, "s2:mgrs_tile": true}

// Queryables returns the properties that the items of a collection have, with what they hold of each; for "", those that
// the items of all collections have. What every item has is not among them: id, collection, geometry.
func (s *Store) Queryables(ctx context.Context, id string) (all []stac.Queryable, err error) {
	set, err := s.collections(ctx)
	if err != nil {
		return nil, err
	}
	of := set.byID
	if id != "" {
		one := set.byID[id]
		if one == nil {
			return nil, noCollection(id)
		}
		of = map[string]*collection{id: one}
	}
	var shared map[string]*property
	err = s.reading(ctx, "queryables", func(conn *pgxpool.Conn) error {
		shared = nil
		for _, c := range of {
			known, err := readProperties(ctx, conn, c.number)
			if err != nil {
				return err
			}
			if len(known) > 0 {
				shared = sharedBy(shared, known)
			}
		}
		return nil
	})
	declared := declaredNumbers(&collectionSet{byID: of})
	for _, name := range slices.Sorted(maps.Keys(shared)) {
		one := shared[name].queryable(name)
		one.Declared = one.Declared || slices.Contains(declared, name)
		all = append(all, one)
	}
	return all, err
}

// sharedBy keeps the properties that both have, with what either holds; a nil map is all.
func sharedBy(a, b map[string]*property) map[string]*property {
	if a == nil {
		return b
	}
	out := map[string]*property{}
	for name, x := range a {
		y := b[name]
		if y == nil {
			continue
		}
		both := property{kinds: x.kinds | y.kinds, lo: min(x.lo, y.lo), hi: max(x.hi, y.hi), many: x.many || y.many, words: map[string]bool{}}
		if !both.many {
			maps.Copy(both.words, x.words)
			maps.Copy(both.words, y.words)
			if len(both.words) > mostWords {
				both.many, both.words = true, map[string]bool{}
			}
		}
		out[name] = &both
	}
	return out
}

// queryable describes a property to those who search.
func (p *property) queryable(name string) stac.Queryable {
	q := stac.Queryable{Name: name, Declared: columns[name]}
	switch {
	case p.kinds == kindInteger:
		q.Type = "integer"
	case p.kinds&^(kindInteger|kindNumber) == 0:
		q.Type = "number"
	case p.kinds == kindTime:
		q.Type, q.Format = "string", "date-time"
	case p.kinds&^(kindText|kindTime) == 0:
		q.Type = "string"
	case p.kinds == kindBoolean:
		q.Type = "boolean"
	case p.kinds == kindList:
		q.Type = "array"
	case p.kinds == kindObject:
		q.Type = "object"
	}
	if q.Type == "integer" || q.Type == "number" {
		lo, hi := p.lo, p.hi
		q.Min, q.Max = &lo, &hi
	}
	if p.kinds == kindText && !p.many {
		q.Enum = slices.Sorted(maps.Keys(p.words))
	}
	return q
}
