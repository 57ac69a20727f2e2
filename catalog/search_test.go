package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/geo"
	"swath/stac"
)

// convex is a convex polygon on an unwrapped plane: the truth that PostGIS is compared with.
type convex []position

func (c convex) shifted(deg float64) convex {
	out := slices.Clone(c)
	for i := range out {
		out[i][0] += deg
	}
	return out
}

// apart reports whether an edge of a separates a from b (the separating axis theorem).
func apart(a, b convex) bool {
	for i := range a {
		p, q := a[i], a[(i+1)%len(a)]
		normal := position{q[1] - p[1], p[0] - q[0]}
		reach := func(c convex) (low, high float64) {
			low, high = math.Inf(1), math.Inf(-1)
			for _, v := range c {
				d := v[0]*normal[0] + v[1]*normal[1]
				low, high = min(low, d), max(high, d)
			}
			return low, high
		}
		aLow, aHigh := reach(a)
		if bLow, bHigh := reach(b); aHigh < bLow || bHigh < aLow {
			return true
		}
	}
	return false
}

// meets compares two shapes wherever their longitudes are written.
func (c convex) meets(other convex) bool {
	for turn := -720.0; turn <= 720; turn += 360 {
		if moved := other.shifted(turn); !apart(c, moved) && !apart(moved, c) {
			return true
		}
	}
	return false
}

// wrapped writes the ring with longitudes in [-180, 180), as agencies do: it jumps at the antimeridian.
func (c convex) wrapped() string {
	ring := append(slices.Clone(c), c[0])
	for i := range ring {
		ring[i][0] -= 360 * math.Floor((ring[i][0]+180)/360)
	}
	text, _ := json.Marshal([][]position{ring})
	return fmt.Sprintf(`{"type":"Polygon","coordinates":%s}`, text)
}

// cut writes the polygon as RFC 7946 wants it: split at the antimeridian.
func (c convex) cut() string {
	var parts [][][]position
	for turn := -360.0; turn <= 360; turn += 360 {
		piece := c.shifted(turn)
		for _, side := range []float64{1, -1} { // keep x >= -180, then x <= 180
			var kept convex
			for i, p := range piece {
				q := piece[(i+1)%len(piece)]
				in := func(v position) bool { return side*v[0] >= -180 }
				if in(p) {
					kept = append(kept, p)
				}
				if in(p) != in(q) {
					x := -180 * side
					kept = append(kept, position{x, p[1] + (q[1]-p[1])*(x-p[0])/(q[0]-p[0])})
				}
			}
			piece = kept
		}
		if len(piece) >= 3 {
			parts = append(parts, [][]position{append(piece, piece[0])})
		}
	}
	text, _ := json.Marshal(parts)
	return fmt.Sprintf(`{"type":"MultiPolygon","coordinates":%s}`, text)
}

// sample is a generated item with what is true of it.
type sample struct {
	collection, id   string
	at, begins, ends time.Time
	shape            convex
	pole             int     // ±1: a footprint around a pole instead
	rimDeg           float64 // down to this latitude
	nowhere          bool
}

func (s sample) meets(area convex) bool {
	if s.nowhere {
		return false
	}
	if s.pole != 0 {
		for _, p := range area {
			if float64(s.pole)*p[1] >= float64(s.pole)*s.rimDeg {
				return true
			}
		}
		return false
	}
	return s.shape.meets(area)
}

func randomShape(r *rand.Rand, largestDeg float64) convex {
	lon := r.Float64()*360 - 180
	if r.IntN(3) == 0 {
		lon = 180 + r.NormFloat64()*2
	}
	size := math.Min(largestDeg, 0.02*math.Exp(r.Float64()*6))
	lat := (r.Float64()*2 - 1) * (89 - size)
	turn, corners := r.Float64()*math.Pi, 3+r.IntN(3)
	var c convex
	for i := range corners {
		angle := turn + 2*math.Pi*float64(i)/float64(corners)
		c = append(c, position{lon + size*math.Cos(angle), lat + size*math.Sin(angle)})
	}
	return c
}

var epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func randomSample(r *rand.Rand, i int) (sample, stac.Item) {
	s := sample{collection: fmt.Sprintf("c%d", r.IntN(4)), id: fmt.Sprintf("item-%05d", i)}
	s.at = epoch.Add(time.Duration(r.IntN(200)) * 12 * time.Hour) // many have the same
	s.begins, s.ends = s.at, s.at
	properties := fmt.Sprintf(`{"datetime":%q,"eo:cloud_cover":%d}`, s.at.Format(time.RFC3339Nano), r.IntN(100))
	if s.collection == "c3" && r.IntN(2) == 0 { // one collection has periods
		s.begins, s.ends = s.at.Add(-time.Duration(r.IntN(100))*time.Hour), s.at.Add(time.Duration(r.IntN(100))*time.Hour)
		properties = fmt.Sprintf(`{"datetime":%q,"start_datetime":%q,"end_datetime":%q}`, s.at.Format(time.RFC3339), s.begins.Format(time.RFC3339), s.ends.Format(time.RFC3339))
		if r.IntN(2) == 0 {
			s.at = s.begins
			properties = fmt.Sprintf(`{"datetime":null,"start_datetime":%q,"end_datetime":%q}`, s.begins.Format(time.RFC3339), s.ends.Format(time.RFC3339))
		}
	}
	var geometry string
	switch kind := r.IntN(40); {
	case kind == 0:
		s.nowhere, geometry = true, "null"
	case kind == 1: // around a pole, in twelve steps from anywhere, one way or the other
		s.pole = 1 - 2*r.IntN(2)
		s.rimDeg = float64(s.pole) * (60 + 29*r.Float64())
		begin, way, ring := r.Float64()*360-180, float64(1-2*r.IntN(2)), []position{}
		for step := range 13 {
			lon := begin + way*30*float64(step%12)
			ring = append(ring, position{lon - 360*math.Floor((lon+180)/360), s.rimDeg})
		}
		text, _ := json.Marshal([][]position{ring})
		geometry = fmt.Sprintf(`{"type":"Polygon","coordinates":%s}`, text)
	case kind < 20:
		s.shape = randomShape(r, 8)
		geometry = s.shape.wrapped()
	default:
		s.shape = randomShape(r, 8)
		geometry = s.shape.cut()
	}
	return s, itemOf(s.collection, s.id, geometry, properties)
}

func randomBox(r *rand.Rand) geo.Box {
	size := func() float64 { return 0.05 * math.Exp(r.Float64()*7) }
	west, south := r.Float64()*360-180, r.Float64()*190-95
	if r.IntN(3) == 0 {
		west = 180 - r.Float64()*4
	}
	b := geo.Box{MinX: west, MinY: max(south, -90), MaxX: west + min(size(), 359), MaxY: min(south+size(), 90)}
	if b.MaxY <= b.MinY {
		b.MinY, b.MaxY = 80, 90
	}
	if b.MaxX > 180 && r.IntN(4) > 0 { // else as a panned map writes it
		b.MaxX -= 360
	}
	if r.IntN(30) == 0 {
		return geo.Box{MinX: -180, MinY: -90, MaxX: 180, MaxY: 90}
	}
	return b
}

// rectangle is a box as a convex polygon.
func rectangle(b geo.Box) convex {
	if b.MinX > b.MaxX {
		b.MaxX += 360
	}
	return convex{{b.MinX, b.MinY}, {b.MaxX, b.MinY}, {b.MaxX, b.MaxY}, {b.MinX, b.MaxY}}
}

// randomSearch makes a search and the test that its answers pass.
func randomSearch(r *rand.Rand, n int) (stac.Search, func(sample) bool) {
	q := stac.Search{Limit: 1 + r.IntN(400)}
	var area convex
	switch r.IntN(5) {
	case 0:
	case 1:
		area = randomShape(r, 40)
		q.Intersects = json.RawMessage(area.wrapped())
		if r.IntN(2) == 0 {
			q.Intersects = json.RawMessage(area.cut())
		}
	default:
		box := randomBox(r)
		q.BBox, area = &box, rectangle(box)
	}
	for _, c := range []string{"c0", "c1", "c2", "c3", "missing"} {
		if r.IntN(3) == 0 {
			q.Collections = append(q.Collections, c)
		}
	}
	if r.IntN(6) == 0 {
		for range 200 {
			q.IDs = append(q.IDs, fmt.Sprintf("item-%05d", r.IntN(n+10)))
		}
	}
	if r.IntN(2) == 0 {
		begin := epoch.Add(time.Duration(r.IntN(2400)) * time.Hour)
		end := begin.Add(time.Duration(r.IntN(1000)) * time.Hour)
		q.Datetime = &stac.Interval{Start: &begin, End: &end}
		if r.IntN(4) == 0 {
			q.Datetime.Start = nil
		} else if r.IntN(3) == 0 {
			q.Datetime.End = nil
		}
	}
	return q, func(s sample) bool {
		d := q.Datetime
		return (q.Collections == nil || slices.Contains(q.Collections, s.collection)) &&
			(q.IDs == nil || slices.Contains(q.IDs, s.id)) &&
			(area == nil || s.meets(area)) &&
			(d == nil || (d.Start == nil || !s.ends.Before(*d.Start)) && (d.End == nil || !s.begins.After(*d.End)))
	}
}

// TestSearchAgainstBruteForce compares every page of random searches with a plain filter over what was put, in order, and
// both ways of looking for places with each other.
func TestSearchAgainstBruteForce(t *testing.T) {
	s := newStore(t, "c0", "c1", "c2", "c3")
	r := rand.New(rand.NewPCG(7, 8))
	samples := make([]sample, 4000)
	for i := range samples {
		var it stac.Item
		samples[i], it = randomSample(r, i)
		put(t, s, it)
	}
	newest := func(a, b int) int { // datetime, then order of insertion, both descending
		if c := samples[b].at.Compare(samples[a].at); c != 0 {
			return c
		}
		return b - a
	}
	found, boxes := 0, 0
	for n := range 600 {
		q, passes := randomSearch(r, len(samples))
		var order []int
		for i := range samples {
			if passes(samples[i]) {
				order = append(order, i)
			}
		}
		slices.SortFunc(order, newest)
		want := make([]string, len(order))
		for i, at := range order {
			want[i] = samples[at].id
		}
		found += len(want)
		if got := all(t, s, q); !slices.Equal(got, want) {
			text, _ := json.Marshal(q)
			t.Fatalf("search %d: %s\ngot %d items, want %d; missing %v, too many %v", n, text, len(got), len(want), without(want, got), without(got, want))
		}
		page, err := s.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if page.Matched == nil || *page.Matched != int64(len(want)) {
			t.Fatalf("search %d: matched %v, want %d", n, page.Matched, len(want))
		}
		if q.BBox != nil && len(q.IDs) == 0 {
			boxes++
			if walk, cells := candidates(t, s, q, walking), candidates(t, s, q, celling); walk != cells || strings.Count(walk, "\n") != len(want) {
				t.Fatalf("search %d: walk and cells differ:\n%s\n%s", n, walk, cells)
			}
		}
	}
	t.Logf("%d items found by 600 searches, %d of them by box", found, boxes)
	if found < 50_000 || boxes < 200 {
		t.Error("the generator makes searches that find too little to mean anything")
	}
}

func without(a, b []string) (rest []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			rest = append(rest, s)
		}
	}
	return rest[:min(len(rest), 10)]
}

// candidates runs one way of looking for rows, and returns them as text.
func candidates(t *testing.T, s *Store, q stac.Search, way route) (rows string) {
	t.Helper()
	set, err := s.collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = s.with(t.Context(), "test", func(conn *pgxpool.Conn) error {
		p, err := s.newPlan(t.Context(), conn, set, q)
		if err != nil {
			return err
		}
		_, where, err := areaOf(t.Context(), conn, q)
		if err != nil {
			return err
		}
		p.args["cells"], p.args["limit"] = cellsMeeting(where.box), 100_000
		p.page = way
		found, err := s.query(t.Context(), conn, p.candidates(start), p.args)
		if err != nil {
			return err
		}
		var dt time.Time
		var pk int64
		_, err = pgx.ForEachRow(found, []any{&dt, &pk, nil, nil}, func() error {
			rows += fmt.Sprintln(dt.UnixMicro(), pk)
			return nil
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestPagingWhileInserting: whatever is put meanwhile, an item that existed is on exactly one page.
func TestPagingWhileInserting(t *testing.T) {
	s := newStore(t, "c0", "c1", "c2", "c3")
	r := rand.New(rand.NewPCG(1, 2))
	before := map[string]int{}
	for i := range 500 {
		sample, it := randomSample(r, i)
		put(t, s, it)
		before[sample.id] = 0
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		for i := 500; ctx.Err() == nil; i++ {
			_, it := randomSample(r, i)
			if _, err := s.PutItem(ctx, it); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	defer group.Wait()
	defer cancel()
	for range 5 {
		clear(before)
		for _, id := range all(t, s, stac.Search{Limit: 7}) {
			before[id]++
		}
		for i := range 500 {
			if id := fmt.Sprintf("item-%05d", i); before[id] != 1 {
				t.Fatalf("%s is on %d pages", id, before[id])
			}
		}
	}
	t.Logf("%d items at the end", len(before))
}

func TestTokens(t *testing.T) {
	s := newStore(t, "c0", "c1", "c2", "c3")
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 30 {
		_, it := randomSample(r, i)
		put(t, s, it)
	}
	q := stac.Search{Limit: 10}
	page, err := s.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	q.Token = page.Next
	q.Limit = 5 // the size of a page may change
	if second, err := s.Search(t.Context(), q); err != nil || len(second.Items) != 5 || second.Matched == nil || *second.Matched != 30 {
		t.Errorf("second page: %d items, matched %v, %v", len(second.Items), second.Matched, err)
	}
	other := byte('A')
	if q.Token[9] == other {
		other = 'B'
	}
	for name, q := range map[string]stac.Search{
		"of another search": {Collections: []string{"c0"}, Token: page.Next},
		"of another place":  {BBox: &geo.Box{MaxX: 1, MaxY: 1}, Token: page.Next},
		"changed":           {Token: page.Next[:9] + string(other) + page.Next[10:]},
		"cut":               {Token: page.Next[:20]},
		"not base64":        {Token: "!"},
		"nonsense":          {Token: "bm9uc2Vuc2U"},
	} {
		if _, err := s.Search(t.Context(), q); !fault.Is(err, fault.Invalid) {
			t.Errorf("token %s: %v, want fault.Invalid", name, err)
		}
	}
}

func TestSearchRefuses(t *testing.T) {
	s := newStore(t, "c0")
	for name, q := range map[string]stac.Search{
		"two places":          {BBox: &geo.Box{MaxX: 1, MaxY: 1}, Intersects: json.RawMessage(square)},
		"south above north":   {BBox: &geo.Box{MinY: 2, MaxX: 1, MaxY: 1}},
		"off the globe":       {BBox: &geo.Box{MinY: 95, MaxX: 1, MaxY: 99}},
		"no number":           {BBox: &geo.Box{MinX: math.NaN(), MaxX: 1, MaxY: 1}},
		"infinite":            {BBox: &geo.Box{MaxX: math.Inf(1), MaxY: 1}},
		"no geometry":         {Intersects: json.RawMessage(`{"type":"Circle"}`)},
		"no JSON":             {Intersects: json.RawMessage(`{`)},
		"a shape without any": {Intersects: json.RawMessage(`{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,0],[0,0]]]}`)},
		"a NUL collection":    {Collections: []string{"a\x00b"}},
	} {
		if _, err := s.Search(t.Context(), q); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want fault.Invalid", name, err)
		}
	}
}
