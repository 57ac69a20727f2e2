package catalog

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// BenchmarkFindByChunks reads the chunks of two properties at the size of an archive, 17.7 million items, whose numbers lie
// anywhere, so that no chunk can be left out.
func BenchmarkFindByChunks(b *testing.B) {
	const blocks = 4321
	s := newStore(b, "c")
	s.stop()
	s.stop = func() {}
	r := rand.New(rand.NewPCG(1, 1))
	raw := make([]byte, 4*chunkItems)
	var rows [][]any
	for block := range int64(blocks) {
		for _, name := range []string{"v", "w"} {
			for i := range chunkItems {
				binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(float32(r.Float64()*1e6)))
			}
			rows = append(rows, []any{name, block, int32(chunkItems), float32(0), float32(1e6), append([]byte(nil), raw...)})
		}
		if len(rows) > 500 || block == blocks-1 {
			if _, err := s.pool.CopyFrom(b.Context(), pgx.Identifier{"chunk"}, []string{"name", "block", "n", "lo", "hi", "vals"}, pgx.CopyFromRows(rows)); err != nil {
				b.Fatal(err)
			}
			rows = nil
		}
	}
	for _, sql := range []string{
		"insert into chunk_property values ('v', 4321), ('w', 4321)", "select setval(pg_get_serial_sequence('item', 'pk'), 4321 * 4096)", "analyze chunk",
	} {
		if _, err := s.pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		ranges map[string]numbers
		ok     bool
	}{
		"one range, 180 items":   {map[string]numbers{"v": {500, 510}}, true},
		"two ranges, 1800 items": {map[string]numbers{"v": {0, 10_000}, "w": {0, 10_000}}, true},
		"too many":               {map[string]numbers{"v": {0, 500_000}}, false},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				err := s.with(b.Context(), "benchmark", func(conn *pgxpool.Conn) error {
					ranges := map[string]numbers{}
					for name, r := range tc.ranges {
						ranges[name] = r
					}
					_, ok, err := s.findByChunks(b.Context(), conn, ranges)
					if ok != tc.ok {
						b.Errorf("found: %v", ok)
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
