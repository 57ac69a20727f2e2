package catalog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

// orderBy is the column whose index gives the rows of a search in their order.
type orderBy int

const (
	byTime orderBy = iota
	byCloud
	byPublished // when a product came: of products alone
	byModified  // when it changed
	byNothing   // all that match are gathered, and sorted here
)

// order is the total order of a search: a column that an index walks, the further keys among rows that are equal in it, and
// behind all of them datetime and insertion, newest first.
type order struct {
	by         orderBy
	descending bool
	keys       []stac.SortKey // the further ones; their values are read from the bodies
}

// mostKeys bounds a sort.
const mostKeys = 16

// orderOf reads the keys of a search.
func orderOf(keys []stac.SortKey) (order, error) {
	if len(keys) > mostKeys {
		return order{}, fault.New(fault.Invalid, "sortby has %d keys; at most %d are allowed", len(keys), mostKeys)
	}
	o := order{by: byTime, descending: true}
	if len(keys) == 0 {
		return o, nil
	}
	switch first := keys[0]; first.Property {
	case "datetime":
		o.by, o.descending, o.keys = byTime, first.Descending, keys[1:]
	case "eo:cloud_cover":
		o.by, o.descending, o.keys = byCloud, first.Descending, keys[1:]
	case stac.Published:
		return order{by: byPublished, descending: first.Descending}, nil
	case stac.Modified:
		return order{by: byModified, descending: first.Descending}, nil
	default:
		return order{by: byNothing, descending: true, keys: keys}, nil
	}
	// What comes behind a key again says nothing, nor does newest first, which is the order anyway.
	var rest []stac.SortKey
	for _, k := range o.keys {
		if k.Property == keys[0].Property {
			continue
		}
		rest = append(rest, k)
	}
	if len(rest) == 1 && o.by == byCloud && rest[0] == (stac.SortKey{Property: "datetime", Descending: true}) {
		rest = nil
	}
	o.keys = rest
	return o, nil
}

// dated is the column of the moments that order products; empty where something else does.
func (o order) dated() string {
	switch o.by {
	case byPublished:
		return publishedColumn
	case byModified:
		return modifiedColumn
	}
	return ""
}

const (
	publishedColumn = "coalesce(i.created, i.updated)"
	modifiedColumn  = "i.updated"
)

// sql writes the order of rows that stand under a name.
func (o order) sql(rows string, clouded bool) string {
	newest := rows + ".dt desc, " + rows + ".pk desc"
	if column := o.dated(); column != "" {
		if rows != "i" { // which have the moment in the place of their datetime, see candidates
			column = rows + ".dt"
		}
		direction := map[bool]string{true: " desc", false: ""}[o.descending]
		return column + direction + ", " + rows + ".pk" + direction
	}
	switch {
	case o.by == byTime && !o.descending:
		return rows + ".dt, " + rows + ".pk desc"
	case o.by == byCloud && clouded && o.descending:
		return rows + ".cc desc, " + newest
	case o.by == byCloud && clouded:
		return rows + ".cc, " + newest
	}
	return newest
}

// after is SQL of the rows behind a place; the place's values are bound by bindPlace.
func (o order) after(p place) string {
	if column := o.dated(); column != "" {
		if p.first {
			return ""
		}
		if o.by == byModified && !o.descending { // which summaries of the table understand
			return " and i.updated >= @at::timestamptz and (i.updated, i.pk) > (@at::timestamptz, @pk::bigint)"
		}
		return " and (" + column + ", i.pk) " + map[bool]string{true: "<", false: ">"}[o.descending] + " (@at::timestamptz, @pk::bigint)"
	}
	const behind = " and (i.dt, i.pk) < (@at::timestamptz, @pk::bigint)"
	switch {
	case o.by == byTime && !o.descending:
		if p.first {
			return ""
		}
		return " and i.dt >= @at::timestamptz and (i.dt > @at::timestamptz or i.pk < @pk::bigint)"
	case o.by == byCloud && p.clouded:
		if p.first {
			return " and i.cc is not null"
		}
		than := map[bool]string{true: "<", false: ">"}[o.descending]
		return fmt.Sprintf(" and i.cc is not null and i.cc %s= @cc::float8 and (i.cc %s @cc::float8 or (i.dt, i.pk) < (@at::timestamptz, @pk::bigint))", than, than)
	case o.by == byCloud:
		if p.first {
			return " and i.cc is null"
		}
		return " and i.cc is null and i.dt <= @at::timestamptz" + behind
	}
	if p.first {
		return ""
	}
	return " and i.dt <= @at::timestamptz" + behind
}

// values reads the further keys of an item. Its datetime is the moment that the column has: the begin of a period, where
// there is no other.
func (o order) values(body []byte, micros int64) []any {
	if len(o.keys) == 0 {
		return nil
	}
	it := cql2.Item{Body: body}
	out := make([]any, len(o.keys))
	for i, k := range o.keys {
		if k.Property == "datetime" {
			out[i] = float64(micros) // exact for 285 years about 1970
			continue
		}
		out[i] = sortable(it.Value(cql2.Property(k.Property)))
	}
	return out
}

// sortable keeps what has an order: numbers, texts, booleans; times become texts of equal length, so that offsets do not
// matter. Everything else sorts as if it were missing.
func sortable(v any) any {
	switch v := v.(type) {
	case float64, bool:
		return v
	case string:
		if t, ok := cql2.InstantOf(v); ok {
			return t.Format("2006-01-02T15:04:05.000000Z")
		}
		return v
	}
	return nil
}

// rank orders values of different kinds: numbers, then texts, then booleans.
func rank(v any) int {
	switch v.(type) {
	case float64:
		return 0
	case string:
		return 1
	}
	return 2
}

// compareValues orders two values of a key; what is missing comes last, whatever the direction.
func compareValues(a, b any, descending bool) int {
	if a == nil || b == nil {
		return cmp.Compare(boolInt(a == nil), boolInt(b == nil))
	}
	sign := cmp.Compare(rank(a), rank(b))
	if sign == 0 {
		switch x := a.(type) {
		case float64:
			sign = cmp.Compare(x, b.(float64))
		case string:
			sign = strings.Compare(x, b.(string))
		case bool:
			sign = cmp.Compare(boolInt(x), boolInt(b.(bool)))
		}
	}
	if descending {
		return -sign
	}
	return sign
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compare orders two places by everything behind the column: the further keys, then datetime and insertion.
func (o order) compare(a, b place) int {
	for i, k := range o.keys {
		if sign := compareValues(a.values[i], b.values[i], k.Descending); sign != 0 {
			return sign
		}
	}
	return cmp.Or(cmp.Compare(b.micros, a.micros), cmp.Compare(b.pk, a.pk))
}

// sameGroup reports whether two places are equal in the column.
func (o order) sameGroup(a, b place) bool {
	switch o.by {
	case byTime:
		return a.micros == b.micros
	case byCloud:
		return a.clouded == b.clouded && (!a.clouded || a.cloud == b.cloud)
	}
	return true
}

// groupStart is the place before every row that is equal to one in the column.
func (o order) groupStart(p place) place {
	switch {
	case o.by == byNothing:
		return start
	case o.by == byTime:
		return place{micros: p.micros, pk: start.pk, matched: p.matched}
	}
	p.micros, p.pk, p.first = start.micros, start.pk, !p.clouded
	return p
}

func (p place) valuesJSON() []byte {
	text, _ := json.Marshal(p.values) // numbers, texts, booleans and nil
	return text
}
