package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/cespare/xxhash/v2"

	"swath/fault"
)

// row is an item as the columns hold it.
type row struct {
	id           string
	hash, key    int64
	at           time.Time
	begins, ends *time.Time
	cc           *float64
	cell         int32
	box          grid
	grid         *int32
	dict         int16 // or notPacked
	orbit, plat  *int16
	product      *int64 // bytes of it
	terms        []int32
	geom         []byte // see shapeOf
	body         []byte // packed
}

// itemColumns are the columns that a writer gives, in the order of values; pk and updated are given by the database.
var itemColumns = []string{"idh", "idk", "dt", "begins", "ends", "cc", "cell", "x0", "x1", "y0", "y1", "grid", "col", "dict", "orbit", "plat", "ph", "geom", "body", "product"}

func (r row) values(collection int16) []any {
	return []any{r.hash, r.key, r.at, r.begins, r.ends, r.cc, r.cell, r.box.x0, r.box.x1, r.box.y0, r.box.y1, r.grid, collection, r.dict, r.orbit, r.plat, r.terms, r.geom, r.body, r.product}
}

// hashesOf returns what a row knows its item by instead of a long id: the hash that the index holds, and a second one that is
// independent of it.
func hashesOf(id string) (hash, key int64) {
	sum := sha256.Sum256([]byte(id))
	return int64(xxhash.Sum64String(id)), int64(binary.BigEndian.Uint64(sum[:]))
}

// rows makes rows of documents of one collection. It must not run inside of a transaction, see words.number. An error names
// the document.
func (s *Store) rows(ctx context.Context, q querier, collection int16, docs []document) ([]row, error) {
	rows := make([]row, len(docs))
	var keys []word
	for i, d := range docs {
		keys = d.properties.words(keys)
		geom, err := shapeOf(ctx, q, &d.where)
		if err != nil {
			return nil, ofItem(d.id, err)
		}
		rows[i] = d.row(geom)
		if rows[i].dict, rows[i].body, err = s.pack.encode(collection, d.body); err != nil {
			return nil, ofItem(d.id, err)
		}
	}
	numbers, err := s.words.number(ctx, q, keys)
	if err != nil {
		return nil, err
	}
	for i, d := range docs {
		rows[i].grid, rows[i].plat = d.properties.numbered(numbers)
	}
	return rows, nil
}

// size returns about how many bytes COPY takes for a row.
func (r row) size() int {
	size := 200 + 8*len(r.terms) + len(r.geom)
	if r.dict == notPacked {
		return size + len(r.body)/4
	}
	return size + len(r.body)
}

// row returns what the columns say of a document, but for words and the packed body.
func (d document) row(geom []byte) row {
	r := row{id: d.id, at: d.when.at, cc: d.properties.cloud, cell: noCell, box: nowhere, orbit: d.properties.orbit, terms: d.properties.terms, geom: geom, product: d.ownProduct()}
	r.hash, r.key = hashesOf(d.id)
	if !d.where.empty() {
		r.box, r.cell = d.where.box.outward(), cellOf(d.where.box)
	}
	if d.when.begins != d.when.ends {
		when := d.when // the row must not hold all of the document in memory
		r.begins, r.ends = &when.begins, &when.ends
	}
	return r
}

// worded are the properties whose columns hold numbers of words.
type worded struct {
	grid     *string // grid:code, or the MGRS tile in its form
	platform *string
}

// words appends the words of the columns.
func (w worded) words(keys []word) []word {
	if w.grid != nil {
		keys = append(keys, word{gridWord, *w.grid})
	}
	if w.platform != nil {
		keys = append(keys, word{platformWord, *w.platform})
	}
	return keys
}

// numbered returns the two columns of words.
func (w worded) numbered(numbers map[word]int32) (grid *int32, platform *int16) {
	if w.grid != nil {
		n := numbers[word{gridWord, *w.grid}]
		grid = &n
	}
	if w.platform != nil {
		n := int16(numbers[word{platformWord, *w.platform}])
		platform = &n
	}
	return grid, platform
}

// ofItem says which of many items an error is about.
func ofItem(id string, err error) error {
	kind, public := fault.Of(err)
	if kind == fault.Internal {
		return err
	}
	return fault.Wrap(kind, err, "item %q: %s", id, public)
}
