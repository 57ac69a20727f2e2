package catalog

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

var (
	//go:embed sql/deleted.sql
	deletedSQL string
	//go:embed sql/forget.sql
	forgetSQL string
)

var _ stac.Memory = (*Store)(nil)

// forget forgets what left long ago and was no product.
func (s *Store) forget(ctx context.Context) error {
	return s.with(ctx, "forget what left", func(conn *pgxpool.Conn) error {
		_, err := conn.Exec(ctx, forgetSQL, stac.ForgetDays)
		return err
	})
}

// DeletedItems returns items that are gone, also with their collection, by the moment at which they left, or had come or changed last, as
// q.Sort says, products alone where q asks for them; skip passes over those that match before. Matched counts all, unless q is Uncounted. What
// was no product is remembered for stac.ForgetDays.
func (s *Store) DeletedItems(ctx context.Context, q stac.Search, skip int) (page stac.DeletedPage, err error) {
	descending, column := false, columnsOfDeleted[stac.Deleted]
	for _, k := range q.Sort {
		known := false
		if column, known = columnsOfDeleted[k.Property]; !known {
			return page, fault.New(fault.Invalid, "what is gone is sorted by when it left, came or changed last")
		}
		descending = k.Descending
	}
	set, err := s.collections(ctx)
	if err != nil {
		return page, err
	}
	cols, _, err := collectionsOf(set, q)
	if err != nil {
		return page, err
	}
	gone, err := s.goneCollections(ctx)
	if err != nil {
		return page, err
	}
	for number, id := range gone {
		if allowed(q.Filter, id) && (len(q.Collections) == 0 || slices.Contains(q.Collections, id)) {
			cols = append(cols, number)
		}
	}
	if len(cols) == 0 {
		page.Matched = new(int64)
		return page, nil
	}
	err = s.reading(ctx, "deleted items", func(conn *pgxpool.Conn) error {
		c := &compiler{ctx: ctx, conn: conn, words: s.words, args: pgx.NamedArgs{"cols": cols, "limit": largeBatch}, set: set, cols: cols}
		related, atoms := "null::boolean[]", map[string]int{}
		if q.Filter != nil {
			sql, names := c.related(q.Filter)
			if sql != "" {
				related = sql
			}
			for i, a := range names {
				atoms[a] = i
			}
		}
		if c.err != nil {
			return c.err
		}
		c.args["since"], c.args["until"] = between(q.Filter, stac.Deleted)
		direction, than := "", ">"
		if descending {
			direction, than = "desc", "<"
		}
		products := ""
		if q.Products {
			products = "and i.product"
		}
		n := int64(0)
		for place := ""; ; place = "and (" + column + ", i.pk) " + than + " (@at::timestamptz, @pk::bigint)" {
			rows, err := conn.Query(ctx, strings.NewReplacer("{{related}}", related, "{{products}}", products, "{{place}}", place, "{{direction}}", direction, "{{column}}", column).Replace(deletedSQL), c.args)
			if err != nil {
				return err
			}
			read := 0
			var pk int64
			var at time.Time
			var col, dict int16
			var packed []byte
			var truths []*bool
			d := stac.DeletedItem{}
			_, err = pgx.ForEachRow(rows, []any{&pk, &at, &d.Created, &d.Updated, &col, &dict, &packed, &truths}, func() error {
				read++
				c.args["at"], c.args["pk"] = map[string]time.Time{"i.at": at, "i.published": d.Created, "i.updated": d.Updated}[column], pk
				body, err := s.pack.decode(dict, packed)
				if err != nil {
					return fmt.Errorf("tombstone %d: %w", pk, err)
				}
				one := stac.DeletedItem{Deleted: at.UTC(), Item: stac.Item{Collection: nameOf(set, gone, col), ID: idOf(body), Created: d.Created.UTC(), Updated: d.Updated.UTC(), Body: body}}
				if q.Filter != nil && !cql2.Match(q.Filter, envOf(one, truths, atoms)) {
					return nil
				}
				if n++; n > int64(skip) && len(page.Items) < q.Limit {
					page.Items = append(page.Items, one)
				} else if n > int64(skip) {
					page.More = true
				}
				return nil
			})
			if err != nil {
				return err
			}
			if read < largeBatch {
				if !q.Uncounted {
					page.Matched = &n
				}
				return nil
			}
			if page.More && q.Uncounted {
				return nil
			}
		}
	})
	return page, err
}

// columnsOfDeleted are the columns that what is gone is sorted by.
var columnsOfDeleted = map[string]string{stac.Deleted: "i.at", stac.Published: "i.published", stac.Modified: "i.updated"}

// GoneCollections returns the names of collections that were removed, and of which items are remembered that one may know of.
func (s *Store) GoneCollections(ctx context.Context) (ids []string, err error) {
	gone, err := s.goneCollections(ctx)
	for _, id := range gone {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, err
}

// goneCollections returns them by number: one name may have been removed several times.
func (s *Store) goneCollections(ctx context.Context) (gone map[int16]string, err error) {
	gone = map[int16]string{}
	err = s.reading(ctx, "removed collections", func(conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, "select number, id from collection_gone")
		if err != nil {
			return err
		}
		var number int16
		var id string
		_, err = pgx.ForEachRow(rows, []any{&number, &id}, func() error {
			if stac.ScopeOf(ctx).Sees(id) {
				gone[number] = id
			}
			return nil
		})
		return err
	})
	return gone, err
}

func nameOf(set *collectionSet, gone map[int16]string, number int16) string {
	if id, is := gone[number]; is {
		return id
	}
	return set.name(number)
}

// between returns the moments between which a filter lets a property lie.
func between(n cql2.Node, property cql2.Property) (since, until pgtype.Timestamptz) {
	since, until = interval(stac.Interval{})
	args, is := n.(cql2.And)
	if !is {
		args = cql2.And{n}
	}
	for _, arg := range args {
		p, op, value, ok := sides(arg)
		if !ok || p != property {
			continue
		}
		switch value.(type) {
		case cql2.Timestamp, cql2.Date:
		default:
			continue
		}
		first, last := momentsOf(value)
		if op == cql2.Greater || op == cql2.GreaterOrEqual || op == cql2.Equal {
			since = pgtype.Timestamptz{Time: first, Valid: true}
		}
		if op == cql2.Less || op == cql2.LessOrEqual || op == cql2.Equal {
			until = pgtype.Timestamptz{Time: last, Valid: true}
		}
	}
	return since, until
}

// envOf lets a filter be matched with a product that is gone.
func envOf(p stac.DeletedItem, truths []*bool, atoms map[string]int) cql2.Env {
	d := &dated{Item: cql2.Item{Body: p.Body}, published: p.Created, modified: p.Updated, deleted: p.Deleted}
	d.Spatial = func(s cql2.Spatial) (is, known bool) {
		i, ok := atoms[cql2.String(s)]
		if !ok || i >= len(truths) || truths[i] == nil {
			return false, false
		}
		return *truths[i], true
	}
	return d
}
