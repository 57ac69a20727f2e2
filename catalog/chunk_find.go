package catalog

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac/cql2"
)

//go:embed sql/chunk_find.sql
var chunkFindSQL string

// numbers is a closed range that a property must lie in.
type numbers struct{ lo, hi float64 }

// rangesOf returns the ranges that numbers of an item lie in when a filter is true of it, by property.
func rangesOf(n cql2.Node) map[string]numbers {
	all := map[string]numbers{}
	narrow(all, n)
	return all
}

func narrow(all map[string]numbers, n cql2.Node) {
	within := func(p cql2.Property, lo, hi float64) {
		if !mayHaveChunks(string(p)) {
			return
		}
		r, ok := all[string(p)]
		if !ok {
			r = numbers{math.Inf(-1), math.Inf(1)}
		}
		all[string(p)] = numbers{max(r.lo, lo), min(r.hi, hi)}
	}
	switch n := n.(type) {
	case cql2.And:
		for _, arg := range n {
			narrow(all, arg)
		}
	case cql2.Compare:
		p, op, value, _ := sides(n)
		v, ok := value.(cql2.Number)
		switch {
		case !ok:
		case op == cql2.Equal:
			within(p, float64(v), float64(v))
		case op == cql2.Less, op == cql2.LessOrEqual:
			within(p, math.Inf(-1), float64(v))
		case op == cql2.Greater, op == cql2.GreaterOrEqual:
			within(p, float64(v), math.Inf(1))
		}
	case cql2.Between:
		p, ok := n.Value.(cql2.Property)
		lo, isNumber := n.Low.(cql2.Number)
		hi, both := n.High.(cql2.Number)
		if ok && isNumber && both {
			within(p, float64(lo), float64(hi))
		}
	case cql2.In:
		p, ok := n.Value.(cql2.Property)
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, one := range n.List {
			v, isNumber := one.(cql2.Number)
			ok = ok && isNumber
			lo, hi = min(lo, float64(v)), max(hi, float64(v))
		}
		if ok {
			within(p, lo, hi)
		}
	}
}

const (
	// mostNamed is how many items chunks may name: where more match, walking finds a page of them as soon.
	mostNamed = 50_000
	// mostUnbuilt is how many items may be too new for a chunk.
	mostUnbuilt = 20_000
)

// chunkPatience is how many bodies a search looks at before it asks the chunks, which takes as long as some thousand bodies
// more: so no search takes much longer than by the better way.
const chunkPatience = 1000

// shorten makes a plan go on with what chunks name, if they know a range of its filter and not too many items lie in it. All
// routes lead to the same rows in the same order, so it may do so on the way.
func (s *Store) shorten(ctx context.Context, conn *pgxpool.Conn, p *plan) error {
	p.shortened = true
	if p.search.Filter == nil || !p.again() {
		return nil
	}
	ranges := rangesOf(p.search.Filter)
	if len(ranges) == 0 {
		return nil
	}
	found, ok, err := s.findByChunks(ctx, conn, ranges)
	if err != nil || !ok {
		return err
	}
	p.args["shortlist"], p.args["unchunked"] = found.pks, found.from
	p.page, p.all, p.rows = chunking, chunking, float64(len(found.pks))
	return nil
}

// shortlist is the items that may match: these, and all from a key on.
type shortlist struct {
	pks  []int64
	from int64
}

// findByChunks returns the items whose numbers lie in ranges. It is not ok where no property has chunks, or more than
// mostNamed are found. Everything is read at one moment; who doesn't see a chunk sees that it is missing.
func (s *Store) findByChunks(ctx context.Context, conn *pgxpool.Conn, ranges map[string]numbers) (found shortlist, ok bool, err error) {
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		state, err := readChunkState(ctx, tx)
		if err != nil {
			return err
		}
		below := int64(math.MaxInt64)
		for name := range ranges {
			upto, known := state.upto[name]
			if !known {
				s.wishes.add(name)
			}
			if upto == 0 || state.last-upto*chunkItems > mostUnbuilt {
				delete(ranges, name)
			} else {
				below = min(below, upto)
			}
		}
		if len(ranges) == 0 {
			return nil
		}
		var blocks map[int64]*bitmap
		left := len(ranges)
		for name, r := range ranges {
			left--
			most := math.MaxInt
			if left == 0 {
				most = mostNamed
			}
			if blocks, err = narrowBlocks(ctx, tx, name, r, below, blocks, most); err == errTooMany {
				return nil
			} else if err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, "select pk from chunk_stale where pk < $1 limit $2", below*chunkItems, mostNamed+1)
		if err != nil {
			return err
		}
		if found.pks, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
			return err
		}
		n := len(found.pks)
		for _, b := range blocks {
			n += b.count()
		}
		if n > mostNamed {
			return nil
		}
		for block, b := range blocks {
			found.pks = b.appendTo(found.pks, block*chunkItems)
		}
		found.from, ok = below*chunkItems, true
		return nil
	})
	return found, ok, err
}

var errTooMany = errors.New("more items lie in a range than chunks are to name")

// narrowBlocks keeps, of some blocks or of all below one (nil), the items whose number of a property lies in a range. More
// than most are errTooMany.
func narrowBlocks(ctx context.Context, tx pgx.Tx, name string, r numbers, below int64, among map[int64]*bitmap, most int) (map[int64]*bitmap, error) {
	var some []int64
	if among != nil && int64(len(among)) < below/4 { // of most blocks, reading all in a row is quicker
		some = make([]int64, 0, len(among))
		for block := range among {
			some = append(some, block)
		}
	}
	lo, hi := float32(r.lo), float32(r.hi)
	rows, err := tx.Query(ctx, chunkFindSQL, name, below, lo, hi, some)
	if err != nil {
		return nil, err
	}
	out := map[int64]*bitmap{}
	var block int64
	var raw pgtype.DriverBytes // read before the next row
	n := 0
	_, err = pgx.ForEachRow(rows, []any{&block, &raw}, func() error {
		before := among[block]
		if among != nil && before == nil {
			return nil
		}
		b := bitmapOf(raw, lo, hi)
		if before != nil {
			for i := range b {
				b[i] &= before[i]
			}
		}
		if here := b.count(); here > 0 {
			out[block] = b
			n += here
		}
		if n > most {
			return errTooMany
		}
		return nil
	})
	return out, err
}

// bitmap is a set of the items of a block.
type bitmap [chunkItems / 64]uint64

// bitmapOf returns those items of a chunk, as it is stored, whose number lies in a range.
func bitmapOf(raw []byte, lo, hi float32) *bitmap {
	var b bitmap
	for i := range min(len(raw)/4, chunkItems) {
		if v := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])); v >= lo && v <= hi {
			b[i/64] |= 1 << (i % 64)
		}
	}
	return &b
}

func (b *bitmap) count() (n int) {
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}

// appendTo appends the keys of the items, the first of which could be first.
func (b *bitmap) appendTo(pks []int64, first int64) []int64 {
	for i, word := range b {
		for ; word != 0; word &= word - 1 {
			pks = append(pks, first+int64(64*i+bits.TrailingZeros64(word)))
		}
	}
	return pks
}
