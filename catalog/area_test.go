package catalog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"swath/geo"
	"swath/stac"
)

// TestBoxesAgainstShapes: what a search by a box finds of shapes that fill their boxes badly is what PostGIS says of the shapes
// themselves, which are not looked at where their boxes tell.
func TestBoxesAgainstShapes(t *testing.T) {
	s := newStore(t, "c")
	r := rand.New(rand.NewPCG(5, 5))
	const items = 600
	var put []stac.Item
	for i := range items {
		put = append(put, itemOf("c", fmt.Sprintf("i%03d", i), oddShape(r, i%6), noon))
	}
	if err := s.PutItems(t.Context(), "c", put, true); err != nil {
		t.Fatal(err)
	}
	found := 0
	for range 400 {
		lon, lat := 174+12*r.Float64(), 12*r.Float64()
		wide, high := 6*r.Float64()*r.Float64(), 6*r.Float64()*r.Float64()
		q := stac.Search{BBox: &geo.Box{MinX: wrap(lon), MinY: lat, MaxX: wrap(lon + wide), MaxY: lat + high}, Limit: items}
		_, where, err := areaOf(t.Context(), nil, q)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		rows, err := s.pool.Query(t.Context(), "select dict, body, st_intersects(shape(geom), st_geomfromewkb($1)) from item order by pk desc", where.ewkb)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var dict int16
			var packed []byte
			var meets bool
			if err := rows.Scan(&dict, &packed, &meets); err != nil {
				t.Fatal(err)
			}
			if body, err := s.pack.decode(dict, packed); err != nil {
				t.Fatal(err)
			} else if meets {
				want = append(want, idOf(body))
			}
		}
		page, err := s.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got := []string(nil)
		for _, it := range page.Items {
			got = append(got, it.ID)
		}
		if !slices.Equal(got, want) || page.Matched == nil || *page.Matched != int64(len(want)) {
			t.Fatalf("box %v finds %v, want %v", *q.BBox, got, want)
		}
		found += len(got)
	}
	if found < 1000 {
		t.Errorf("only %d were found, which proves little", found)
	}
}

// oddShape is a triangle, an angle, two triangles far from each other, a line, a polygon with a spike, or a point, near the antimeridian or
// across it.
func oddShape(r *rand.Rand, kind int) string {
	lon, lat, size := 174+10*r.Float64(), 12*r.Float64(), 0.2+4*r.Float64()*r.Float64()
	at := func(x, y float64) string { return fmt.Sprintf("[%v,%v]", wrap(lon+x*size), lat+y*size) }
	ring := func(points ...string) string {
		all := ""
		for _, p := range points {
			all += p + ","
		}
		return "[" + all + points[0] + "]"
	}
	a, b := r.Float64(), r.Float64()
	switch kind {
	case 0:
		return `{"type":"Polygon","coordinates":[` + ring(at(0, a), at(b, 0), at(1, 1)) + `]}`
	case 1:
		return `{"type":"Polygon","coordinates":[` + ring(at(0, 0), at(1, 0), at(1, 0.1), at(0.1, 0.1), at(0.1, 1), at(0, 1)) + `]}`
	case 2:
		return `{"type":"MultiPolygon","coordinates":[[` + ring(at(0, 0), at(0.2, 0), at(0.1, 0.2)) + `],[` + ring(at(0.8, 0.8), at(1, 0.8), at(0.9, 1)) + `]]}`
	case 3:
		return `{"type":"LineString","coordinates":[` + at(0, a) + "," + at(0.5, b) + "," + at(1, 0) + `]}`
	case 4:
		return `{"type":"Polygon","coordinates":[` + ring(at(0, 0), at(0.4, 0), at(0.4, 0.4), at(1, 1), at(0.4, 0.4), at(0, 0.4)) + `]}`
	}
	return fmt.Sprintf(`{"type":"Point","coordinates":%s}`, at(0, 0))
}

// wrap brings a longitude home.
func wrap(lon float64) float64 {
	if lon > 180 {
		lon -= 360
	}
	return lon
}
