package catalog

import (
	"cmp"
	"context"
	_ "embed"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac"
)

//go:embed sql/tiles.sql
var tilesSQL string

// tilesAtOnce is of how many items at least one statement counts the tiles: some tenths of a second.
const tilesAtOnce = 500_000

// Tiles counts the items of a collection on each tile; see stac.Analyst. It reads all of the collection's rows in an index, by stretches of days, so
// that each statement is short however many they are.
func (s *Store) Tiles(ctx context.Context, collection string, progress func(counted, of int64)) (tiles []stac.Bucket, elsewhere int64, err error) {
	set, err := s.collections(ctx)
	if err != nil {
		return nil, 0, err
	}
	cols, _, err := collectionsOf(set, stac.Search{Collections: []string{collection}})
	if err != nil {
		return nil, 0, err
	} else if len(cols) == 0 {
		return nil, 0, noCollection(collection)
	}
	counts := map[string]int64{}
	err = s.reading(ctx, "tiles of "+collection, func(conn *pgxpool.Conn) error {
		clear(counts)
		days, of, err := daysOf(ctx, conn, cols[0])
		if err != nil {
			return err
		}
		progress(0, of)
		counted := int64(0)
		for _, some := range stretches(days, tilesAtOnce) {
			if err := countTiles(ctx, conn, counts, cols[0], some[0].day, some[len(some)-1].day.AddDate(0, 0, 1)); err != nil {
				return err
			}
			for _, d := range some {
				counted += d.n
			}
			progress(counted, of)
		}
		return nil
	})
	elsewhere = counts[""]
	delete(counts, "")
	for key, n := range counts {
		tiles = append(tiles, stac.Bucket{Key: key, Count: n})
	}
	slices.SortFunc(tiles, func(a, b stac.Bucket) int { return cmp.Compare(a.Key, b.Key) })
	return tiles, elsewhere, err
}

// dayCount is how many items there are of a day.
type dayCount struct {
	day time.Time // midnight UTC
	n   int64
}

// stretches cuts days into stretches of at least so many items each, but the last.
func stretches(days []dayCount, atLeast int64) (all [][]dayCount) {
	n, first := int64(0), 0
	for i, d := range days {
		if n += d.n; n >= atLeast || i == len(days)-1 {
			all = append(all, days[first:i+1])
			n, first = 0, i+1
		}
	}
	return all
}

// daysOf returns the days that a collection has items of, in order, and how many there are in all.
func daysOf(ctx context.Context, conn *pgxpool.Conn, col int16) (days []dayCount, of int64, err error) {
	rows, err := conn.Query(ctx, "select day, sum(n)::bigint from day_count where col = $1 group by 1 having sum(n) > 0 order by 1", col)
	if err != nil {
		return nil, 0, err
	}
	var one dayCount
	_, err = pgx.ForEachRow(rows, []any{&one.day, &one.n}, func() error {
		days, of = append(days, one), of+one.n
		return nil
	})
	return days, of, err
}

// countTiles adds the items of a stretch of time to the counts.
func countTiles(ctx context.Context, conn *pgxpool.Conn, counts map[string]int64, col int16, first, last time.Time) error {
	rows, err := conn.Query(ctx, tilesSQL, pgx.NamedArgs{"col": col, "first": first, "last": last})
	if err != nil {
		return err
	}
	var tile string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&tile, &n}, func() error {
		counts[tile] += n
		return nil
	})
	return err
}
