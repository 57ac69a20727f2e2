package tiles

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"swath/geo"
	"swath/internal/testdb"
	"swath/stac"
)

// TestShapesMeetBoxes: what meets a box is what PostGIS says of the same polygon: stars with and without holes, boxes of all sizes,
// also such that touch a corner or an edge.
func TestShapesMeetBoxes(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rnd := rand.New(rand.NewPCG(8, 9))
	ring := func(x, y, radius float64) string {
		points := make([]string, 0, 12)
		for i := range 11 {
			a, r := float64(i)/11*2*math.Pi, radius*(0.5+rnd.Float64())
			points = append(points, fmt.Sprintf("[%.1f,%.1f]", x+r*math.Cos(a), y+r*math.Sin(a)))
		}
		return "[" + strings.Join(append(points, points[0]), ",") + "]"
	}
	var shapes []string
	var boxes [][4]float64
	var got []bool
	for range 1200 {
		polygon := "[" + ring(10, 20, 8) + "," + ring(10, 20, 2) + "]"
		text := `{"type":"Polygon","coordinates":` + polygon + `}`
		if rnd.IntN(3) == 0 {
			text = `{"type":"MultiPolygon","coordinates":[` + polygon + `,[` + ring(40, 20, 5) + `]]}`
		}
		x, y := math.Round(rnd.Float64()*500)/10, math.Round(rnd.Float64()*400)/10
		side := math.Exp2(float64(rnd.IntN(7)-3)) * 0.8
		b := geo.Box{MinX: x, MinY: y, MaxX: x + side, MaxY: y + side}
		s, ok := shapeOf([]byte(`{"geometry":` + text + `}`))
		if !ok {
			t.Fatal(text)
		}
		shapes, boxes, got = append(shapes, text), append(boxes, [4]float64{b.MinX, b.MinY, b.MaxX, b.MaxY}), append(got, s.meets(b))
	}
	inside := 0
	for i := range shapes {
		var want, valid bool
		b := boxes[i]
		if err := conn.QueryRow(t.Context(), "select ST_Intersects(g, ST_MakeEnvelope($2, $3, $4, $5)), ST_IsValid(g) from (select ST_SetSRID(ST_GeomFromGeoJSON($1), 0) as g) s",
			shapes[i], b[0], b[1], b[2], b[3]).Scan(&want, &valid); err != nil {
			t.Fatal(err)
		}
		if valid && want != got[i] {
			t.Errorf("%s and %v: %t, PostGIS says %t", shapes[i], b, got[i], want)
		}
		if want {
			inside++
		}
	}
	if inside < 100 || inside > 1100 {
		t.Errorf("%d of %d meet: that compares little", inside, len(shapes))
	}
	for _, other := range []string{`{}`, `{"geometry":null}`, `{"geometry":{"type":"Point","coordinates":[1,2]}}`, `{"geometry":{"type":"Polygon","coordinates":[[[1]]]}}`} {
		if _, ok := shapeOf([]byte(other)); ok {
			t.Errorf("%s is no footprint", other)
		}
	}
}

// countedCatalog is a catalog of boxes that counts searches, and the pages of which the memory was given back. It is written over then.
type countedCatalog struct {
	stac.Catalog
	items    map[string]geo.Box
	searches []geo.Box
	freed    int
}

func (c *countedCatalog) Search(_ context.Context, s stac.Search) (page stac.Page, err error) {
	c.searches = append(c.searches, *s.BBox)
	for _, id := range slices.Sorted(func(yield func(string) bool) {
		for id := range c.items {
			if !yield(id) {
				return
			}
		}
	}) {
		b := c.items[id]
		if b.MinX > s.BBox.MaxX || b.MaxX < s.BBox.MinX || b.MinY > s.BBox.MaxY || b.MaxY < s.BBox.MinY {
			continue
		}
		if len(page.Items) == s.Limit {
			page.Next = "more"
			break
		}
		page.Items = append(page.Items, stac.Item{ID: id, Body: fmt.Appendf(nil, `{"geometry":{"type":"Polygon","coordinates":[[[%g,%g],[%g,%g],[%g,%g],[%g,%g],[%g,%g]]]}}`,
			b.MinX, b.MinY, b.MaxX, b.MinY, b.MaxX, b.MaxY, b.MinX, b.MaxY, b.MinX, b.MinY)})
	}
	bodies := slices.Clone(page.Items)
	page.Free = func() {
		c.freed++
		for _, it := range bodies {
			clear(it.Body)
		}
	}
	return page, nil
}

// TestLookups: of many tiles side by side the first two are searched for, the others are found in what the second found around; each
// has the items that a search of its own finds.
func TestLookups(t *testing.T) {
	c := &countedCatalog{items: map[string]geo.Box{}}
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range 60 {
		x, y := 8*rnd.Float64(), 8*rnd.Float64()
		c.items[fmt.Sprint("i", i)] = geo.Box{MinX: x, MinY: y, MaxX: x + 1, MaxY: y + 1}
	}
	ids := func(page stac.Page, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, it := range page.Items {
			if it.Body[0] != '{' {
				t.Fatalf("the body of %s is used after its page was released", it.ID)
			}
			all = append(all, it.ID)
		}
		return strings.Join(all, " ")
	}
	r := New(c, nil, Options{})
	ask := func(name string, limit int) (searches int) {
		t.Helper()
		c.searches, c.freed = nil, 0
		for i := range 32 {
			b := geo.Box{MinX: 4 + 0.25*float64(i%8) + 0.01, MinY: 4 + 0.25*float64(i/8) + 0.01}
			b.MaxX, b.MaxY = b.MinX+0.23, b.MinY+0.23
			got := ids(r.within(t.Context(), name, stac.Search{Limit: limit}, b))
			n := len(c.searches)
			want := ids(c.Search(t.Context(), stac.Search{Limit: cmp.Or(limit, mostMosaicItems), BBox: &b}))
			if c.searches = c.searches[:n]; got != want {
				t.Errorf("%q, tile %d: %s, want %s", name, i, got, want)
			}
		}
		if c.freed != len(c.searches) {
			t.Errorf("%q: of %d pages the memory of %d was given back", name, len(c.searches), c.freed)
		}
		return len(c.searches)
	}
	if n := ask("a", 0); n != 2 {
		t.Errorf("%d searches", n)
	}
	if n := ask("", 0); n != 32 {
		t.Errorf("a search without a name: %d searches", n)
	}
	if n := ask("b", 6); n != 33 { // one was for nothing: there are more than 6 around
		t.Errorf("a crowded cell: %d searches", n)
	}
	if n := ask("b", 6); n != 32 {
		t.Errorf("a cell that is known to be crowded: %d searches", n)
	}
	for _, b := range []geo.Box{{MinX: -200, MinY: 0, MaxX: -199, MaxY: 1}, {MinX: 3.9, MinY: 1, MaxX: 4.1, MaxY: 1.2}, {MinX: -180, MinY: -90, MaxX: 180, MaxY: 90}} {
		if cell, ok := cellAround(b); ok {
			t.Errorf("%v lies in %v", b, cell)
		}
	}
}
