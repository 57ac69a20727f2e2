package catalog

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestSettleAgreesWithPostGIS: what is found to be plain is what PostGIS says of it, byte for byte; most footprints are.
func TestSettleAgreesWithPostGIS(t *testing.T) {
	s := newStore(t)
	r := rand.New(rand.NewPCG(3, 3))
	plain, simpleToo := 0, 0
	for i := range 4000 {
		ring := randomRing(r, i%4)
		f := footprint{parts: []part{{polygon, [][]position{ring}}}}
		var want []byte
		var reason string
		var valid bool
		if err := s.pool.QueryRow(t.Context(), footprintSQL, pgx.NamedArgs{"wkb": wkb(f.parts)}).Scan(&want, &reason, nil, nil, nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.pool.QueryRow(t.Context(), "select st_isvalid(st_geomfromwkb($1, 4326))", wkb(f.parts)).Scan(&valid); err != nil {
			t.Fatal(err)
		}
		if f.plain() {
			plain++
			for range 2 { // as it is, and with seven decimals
				checkShape(t, s, f)
				for _, at := range f.parts[0].rings[0] {
					at[0], at[1] = math.Round(at[0]*1e7)/1e7, math.Round(at[1]*1e7)/1e7
				}
			}
			f = footprint{parts: []part{{polygon, [][]position{ring}}}}
			got, err := settle(t.Context(), s.pool, &f)
			if err != nil || !valid || !bytes.Equal(got, want) {
				t.Fatalf("%v: PostGIS says valid %v (%s), %v", ring, valid, reason, err)
			}
		}
		if valid {
			simpleToo++
		}
	}
	t.Logf("%d of %d valid rings are plain to see", plain, simpleToo)
	if plain < simpleToo*8/10 {
		t.Errorf("only %d of %d valid rings are plain to see", plain, simpleToo)
	}
}

// checkShape: what is stored of a footprint is it, to the last bit.
func checkShape(t *testing.T, s *Store, f footprint) {
	t.Helper()
	stored, err := shapeOf(t.Context(), s.pool, &f)
	if err != nil {
		t.Fatal(err)
	}
	var back []byte
	if err := s.pool.QueryRow(t.Context(), "select st_asewkb(shape($1), 'NDR')", stored).Scan(&back); err != nil {
		t.Fatal(err)
	}
	if want := withSRID(wkb(f.parts)); !bytes.Equal(back, want) {
		t.Fatalf("%v is stored as %x, which is %x, want %x", f.parts, stored, back, want)
	}
	_, exact := twkb(f.parts[0])
	if exact != (len(stored) < len(back)/2+10) || exact != (stored[0] != 1) {
		t.Fatalf("%v takes %d bytes", f.parts, len(stored))
	}
}

func TestShapes(t *testing.T) {
	s := newStore(t)
	r := rand.New(rand.NewPCG(4, 4))
	seven := func(far float64) float64 { return math.Round((r.Float64()-0.5)*far*1e7) / 1e7 }
	for range 3000 {
		at := position{seven(360), seven(180)}
		checkShape(t, s, footprint{parts: []part{{point, [][]position{{at}}}}})
	}
	for _, at := range []position{{0, 0}, {math.Copysign(0, -1), 0}, {180, 90}, {-180, -90}, {1e-7, -1e-7}, {1e-8, 0}, {12.345678912, 1}} {
		checkShape(t, s, footprint{parts: []part{{point, [][]position{{at}}}}})
	}
	var empty bool
	if err := s.pool.QueryRow(t.Context(), "select st_isempty(shape($1)) and st_srid(shape($1)) = 4326", emptyEWKB).Scan(&empty); err != nil || !empty {
		t.Errorf("nowhere is somewhere, %v", err)
	}
}

// randomRing makes a star around a point, a star on a coarse grid that touches itself, random positions, or a long sliver.
func randomRing(r *rand.Rand, kind int) (ring []position) {
	lon, lat, n := r.Float64()*300-150, r.Float64()*120-60, 3+r.IntN(12)
	for i := range n {
		angle, far := 2*math.Pi*float64(i)/float64(n), 0.2+r.Float64()
		p := position{lon + far*math.Cos(angle), lat + far*math.Sin(angle)}
		switch kind {
		case 1:
			p = position{math.Round(p[0] * 2), math.Round(p[1] * 2)}
			p = position{math.Mod(p[0], 100), math.Mod(p[1], 60)}
		case 2:
			p = position{lon + r.Float64(), lat + r.Float64()}
		case 3:
			p[1] = lat + 1e-9*(p[1]-lat)
		}
		ring = append(ring, p)
	}
	return append(ring, ring[0])
}
