package catalog

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/stac"
	"swath/stac/cql2"
)

// chunkStore is a catalog that builds chunks of v, w and o.v when the test says so.
func chunkStore(t *testing.T) *Store {
	t.Helper()
	s := newStore(t, "plain")
	s.stop() // nothing runs in the background
	s.stop = func() {}
	s.cache.turn(false)
	const body = `{"type":"Collection","id":"c","queryables":{"properties":{"v":{"type":"number"},"o.v":{"type":"integer"},"name":{"type":"string"},` +
		`"eo:cloud_cover":{"type":"number"}}},"summaries":{"w":{"minimum":0,"maximum":5},"platform":["a"],"eo:bands":[{"name":"B1"}]}}`
	if err := s.PutCollection(t.Context(), stac.Collection{ID: "c", Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
	return s
}

func build(t *testing.T, s *Store) {
	t.Helper()
	for range 3 {
		if err := s.buildChunks(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// anyNumbers are properties with numbers as they come, and other things where numbers are expected.
func anyNumbers(r *rand.Rand) string {
	text := `{"datetime":"2024-06-01T12:00:00Z"`
	for _, name := range []string{"v", "w"} {
		switch r.IntN(10) {
		case 0: // none
		case 1:
			text += fmt.Sprintf(`,%q:"%d"`, name, r.IntN(100))
		case 2:
			text += fmt.Sprintf(`,%q:null`, name)
		case 3:
			text += fmt.Sprintf(`,%q:%d`, name, r.IntN(100))
		case 4:
			text += fmt.Sprintf(`,%q:%s`, name, []string{"1e39", "-1e300", "-0", "16777217", "0.1", "1e-50"}[r.IntN(6)])
		default:
			text += fmt.Sprintf(`,%q:%v`, name, r.Float64()*100)
		}
	}
	if r.IntN(2) == 0 {
		text += fmt.Sprintf(`,"o":{"v":%d}`, r.IntN(100))
	}
	return text + "}"
}

// truths reads the numbers of all items by another way: PostgreSQL's rows, and Go's own JSON.
func truths(t *testing.T, s *Store) map[int64]map[string]float64 {
	t.Helper()
	all := map[int64]map[string]float64{}
	rows, err := s.pool.Query(t.Context(), "select pk, dict, body from item")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var pk int64
		var dict int16
		var packed []byte
		if err := rows.Scan(&pk, &dict, &packed); err != nil {
			t.Fatal(err)
		}
		body, err := s.pack.decode(dict, packed)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct{ Properties map[string]any }
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Fatal(err)
		}
		one := map[string]float64{}
		for _, name := range []string{"v", "w"} {
			if v, ok := doc.Properties[name].(float64); ok {
				one[name] = v
			}
		}
		if o, ok := doc.Properties["o"].(map[string]any); ok {
			one["o.v"] = o["v"].(float64)
		}
		all[pk] = one
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return all
}

func shortlistOf(t *testing.T, s *Store, ranges map[string]numbers) (found shortlist, ok bool) {
	t.Helper()
	err := s.with(t.Context(), "test", func(conn *pgxpool.Conn) (err error) {
		found, ok, err = s.findByChunks(t.Context(), conn, ranges)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, ok
}

// checkShortlists compares random ranges with the truth; few says how many items may be named in vain.
func checkShortlists(t *testing.T, s *Store, r *rand.Rand, few int) {
	t.Helper()
	all := truths(t, s)
	matches := 0
	for range 40 {
		ranges := map[string]numbers{}
		for _, name := range []string{"v", "w", "o.v"}[r.IntN(3):] {
			a, b := r.Float64()*100, r.Float64()*100
			switch r.IntN(6) {
			case 0:
				a = math.Inf(-1)
			case 1:
				b = math.Inf(1)
			case 2:
				a, b = math.Round(a), math.Round(a)
			case 3:
				a, b = 16777216.5, 1e300
			}
			ranges[name] = numbers{min(a, b), max(a, b)}
		}
		asked := fmt.Sprint(ranges)
		wanted := map[string]numbers{}
		for name, r := range ranges {
			wanted[name] = r
		}
		found, ok := shortlistOf(t, s, ranges)
		if !ok {
			t.Fatalf("%s: there are no chunks", asked)
		}
		there := map[int64]bool{}
		for _, pk := range found.pks {
			there[pk] = true
		}
		vain := 0
		for pk, values := range all {
			is, near := true, true
			for name, r := range wanted {
				v, has := values[name]
				is = is && has && v >= r.lo && v <= r.hi
				near = near && has && float32(v) >= float32(r.lo) && float32(v) <= float32(r.hi)
			}
			if is {
				matches++
				if !there[pk] && pk < found.from {
					t.Fatalf("%s: item %d with %v is not named", asked, pk, values)
				}
			}
			if there[pk] && !near {
				vain++
			}
		}
		if vain > few {
			t.Errorf("%s: %d items are named in vain, %d may be", asked, vain, few)
		}
	}
	if matches < 1000 {
		t.Errorf("the ranges matched %d items only", matches)
	}
}

// TestChunksNameEveryMatch compares what chunks name with the items, as these come, change and go.
func TestChunksNameEveryMatch(t *testing.T) {
	s := chunkStore(t)
	r := rand.New(rand.NewPCG(4096, 1))
	n := 0
	more := func(collection string, count int) {
		t.Helper()
		batch := make([]stac.Item, count)
		for i := range batch {
			n++
			batch[i] = itemOf(collection, fmt.Sprintf("i%d", n), square, anyNumbers(r))
		}
		if err := s.PutItems(t.Context(), collection, batch, true); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := shortlistOf(t, s, map[string]numbers{"v": {0, 1}}); ok {
		t.Error("there are chunks of nothing")
	}
	for range 5 {
		more("c", 1500)
		more("plain", 500)
	}
	build(t, s)
	state, err := readChunkState(t.Context(), s.pool)
	if err != nil || len(state.upto) != 3 || state.upto["v"] != 2 || state.upto["w"] != 2 || state.upto["o.v"] != 2 {
		t.Fatalf("chunks reach %v, %v", state.upto, err)
	}
	checkShortlists(t, s, r, 0)
	for i := 1; i <= n; i += 1 + r.IntN(40) {
		collection := "c"
		if (i-1)%2000 >= 1500 {
			collection = "plain"
		}
		id := fmt.Sprintf("i%d", i)
		if r.IntN(4) == 0 {
			if err := s.DeleteItem(t.Context(), collection, id); err != nil {
				t.Fatal(err)
			}
		} else {
			put(t, s, itemOf(collection, id, square, anyNumbers(r)))
		}
	}
	checkShortlists(t, s, r, 500) // the replaced ones are looked at whatever they hold
	more("c", 3000)
	checkShortlists(t, s, r, 500)
	build(t, s)
	checkShortlists(t, s, r, 0)
	if state, err := readChunkState(t.Context(), s.pool); err != nil || state.stale || state.upto["v"] != 3 {
		t.Errorf("not all is mended: %+v, %v", state, err)
	}
	if _, ok := shortlistOf(t, s, map[string]numbers{"undeclared": {0, 1}}); ok {
		t.Error("there are chunks that nobody wanted")
	}
}

// TestChunksAreRightWhileItemsChange: some items always have a number in a range while all is replaced, inserted and built.
func TestChunksAreRightWhileItemsChange(t *testing.T) {
	s := chunkStore(t)
	const kept, rounds = 40, 12
	inside := func(r *rand.Rand) string {
		return fmt.Sprintf(`{"datetime":"2024-06-01T12:00:00Z","v":%v}`, 1000+r.Float64()*1000)
	}
	r := rand.New(rand.NewPCG(7, 7))
	var first []stac.Item
	for i := range kept {
		first = append(first, itemOf("c", fmt.Sprint("kept", i), square, inside(r)))
	}
	if err := s.PutItems(t.Context(), "c", first, true); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() { // replaces them
		r := rand.New(rand.NewPCG(7, 8))
		for {
			select {
			case <-done:
				return
			default:
			}
			if _, err := s.PutItem(t.Context(), itemOf("c", fmt.Sprint("kept", r.IntN(kept)), square, inside(r))); err != nil {
				t.Error(err)
				return
			}
		}
	})
	group.Go(func() { // builds
		for {
			select {
			case <-done:
				return
			default:
			}
			if err := s.buildChunks(t.Context()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for round := range rounds {
		batch := make([]stac.Item, 1000)
		for i := range batch {
			batch[i] = itemOf("c", fmt.Sprintf("new%d-%d", round, i), square, `{"datetime":"2024-06-01T12:00:00Z","v":1}`)
		}
		batch[999] = itemOf("c", fmt.Sprint("late", round), square, inside(r))
		if err := s.PutItems(t.Context(), "c", batch, true); err != nil {
			t.Error(err)
		}
		found, ok := shortlistOf(t, s, map[string]numbers{"v": {1000, 2000}})
		if !ok {
			continue
		}
		var missed int
		err := s.pool.QueryRow(t.Context(), `select count(*) from item where pk < $1 and pk <> all($2) and idh = any($3)`,
			found.from, found.pks, wantedHashes(kept, round)).Scan(&missed)
		if err != nil || missed > 0 {
			t.Errorf("round %d: %d items are not named, %v", round, missed, err)
		}
	}
	close(done)
	group.Wait()
	build(t, s)
	found, ok := shortlistOf(t, s, map[string]numbers{"v": {1000, 2000}})
	if !ok || found.from < 2*chunkItems || len(found.pks) < kept || len(found.pks) > kept+rounds {
		t.Errorf("in the end %d items are named, below %d, %v", len(found.pks), found.from, ok)
	}
}

func wantedHashes(kept, round int) (all []int64) {
	for i := range kept {
		hash, _ := hashesOf(fmt.Sprint("kept", i))
		all = append(all, hash)
	}
	for i := range round + 1 {
		hash, _ := hashesOf(fmt.Sprint("late", i))
		all = append(all, hash)
	}
	return all
}

// TestChunksWaitForWriters: no chunk is built of a block into which a transaction may still insert.
func TestChunksWaitForWriters(t *testing.T) {
	s := chunkStore(t)
	fill := func(from int) {
		t.Helper()
		batch := make([]stac.Item, chunkItems)
		for i := range batch {
			batch[i] = itemOf("c", fmt.Sprint("i", from+i), square, `{"datetime":"2024-06-01T12:00:00Z","v":1}`)
		}
		if err := s.PutItems(t.Context(), "c", batch, true); err != nil {
			t.Fatal(err)
		}
	}
	reached := func() int64 {
		t.Helper()
		state, err := readChunkState(t.Context(), s.pool)
		if err != nil {
			t.Fatal(err)
		}
		return state.upto["v"]
	}
	put(t, s, itemOf("c", "one", square, `{"datetime":"2024-06-01T12:00:00Z","v":5}`))
	tx, err := s.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	number, err := s.number(t.Context(), s.pool, "c")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), shareCollection, collectionLocks, int32(number)); err != nil {
		t.Fatal(err)
	}
	const again = `insert into item (idh, idk, dt, cell, x0, x1, y0, y1, col, dict, ph, geom, body)
select idh + 1, idk + 1, dt, cell, x0, x1, y0, y1, col, dict, ph, geom, body from item where pk = 1 returning pk`
	var late int64
	if err := tx.QueryRow(t.Context(), again).Scan(&late); err != nil {
		t.Fatal(err)
	}
	fill(0)
	build(t, s)
	if n := reached(); n != 0 {
		t.Fatalf("%d blocks are built while one is written", n)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	load, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer load.Release()
	if _, err := load.Exec(t.Context(), "select pg_advisory_lock_shared($1)", loadLock); err != nil {
		t.Fatal(err)
	}
	build(t, s)
	if n := reached(); n != 0 {
		t.Errorf("%d blocks are built while a bulk load runs", n)
	}
	if _, err := load.Exec(t.Context(), "select pg_advisory_unlock_shared($1)", loadLock); err != nil {
		t.Fatal(err)
	}
	build(t, s)
	if n := reached(); n != 1 {
		t.Errorf("%d blocks are built, 1 could be", n)
	}
	if found, ok := shortlistOf(t, s, map[string]numbers{"v": {5, 5}}); !ok || !slices.Contains(found.pks, late) || len(found.pks) != 2 {
		t.Errorf("%v are named, %d is to be one of two", found.pks, late)
	}
}

// TestRangesOf: only what every match must obey is a range.
func TestRangesOf(t *testing.T) {
	inf := math.Inf(1)
	for text, want := range map[string]map[string]numbers{
		"v > 5 and v <= 7":                 {"v": {5, 7}},
		"5 < v and w between 1 and 2":      {"v": {5, inf}, "w": {1, 2}},
		"v in (3, 9, 4)":                   {"v": {3, 9}},
		"v = 3 and (w = 1 or w = 2)":       {"v": {3, 3}},
		"not (v > 5)":                      {},
		"v <> 5":                           {},
		"v > 'a' and v in (1, 'a')":        {},
		"\"eo:cloud_cover\" < 5 and v < 3": {"v": {-inf, 3}},
		"v + 1 < 5":                        {},
		"v < w":                            {},
	} {
		n, err := cql2.ParseText(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := rangesOf(n)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s lies in %v, want %v", text, got, want)
		}
	}
}

// TestWishes: what is asked for often gets chunks.
func TestWishes(t *testing.T) {
	s := chunkStore(t)
	for range wishesEnough {
		s.wishes.add("wished")
	}
	s.wishes.add("once")
	build(t, s)
	state, err := readChunkState(t.Context(), s.pool)
	if _, ok := state.upto["wished"]; !ok || len(state.upto) != 4 || err != nil {
		t.Errorf("there are chunks of %v, %v", state.upto, err)
	}
}

// TestChunksOfNothing: where no property has chunks, there is nothing to go on with, however many items there are.
func TestChunksOfNothing(t *testing.T) {
	for _, settled := range []int64{0, 5000, 17_700_000} {
		if names, _, blocks := (chunkState{upto: map[string]int64{}}).next(settled); names != nil || blocks != 0 {
			t.Errorf("%d items: %d blocks of %v", settled, blocks, names)
		}
		if names, first, blocks := (chunkState{upto: map[string]int64{"v": 1}}).next(settled); names == nil || first != 1 || (blocks > 0) != (settled+1 > 2*chunkItems) {
			t.Errorf("%d items: %d blocks of %v from %d", settled, blocks, names, first)
		}
	}
}
