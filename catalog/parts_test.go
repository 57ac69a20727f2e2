package catalog

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"swath/stac"
)

func TestParseInstant(t *testing.T) {
	for text, want := range map[string]string{
		"2024-06-01T10:56:19Z":             "2024-06-01T10:56:19Z",
		"2024-06-01t10:56:19z":             "2024-06-01T10:56:19Z",
		"2024-06-01 10:56:19.5+00:00":      "2024-06-01T10:56:19.5Z",
		"2024-06-01T10:56:19.123456789Z":   "2024-06-01T10:56:19.123456Z",
		"1969-12-31T23:59:59.9999999Z":     "1969-12-31T23:59:59.999999Z",
		"2024-06-01T00:30:00+02:00":        "2024-05-31T22:30:00Z",
		"2024-06-01T00:30:00-09:30":        "2024-06-01T10:00:00Z",
		"2016-12-31T23:59:60Z":             "2017-01-01T00:00:00Z",
		"2016-12-31T23:59:60.25Z":          "2017-01-01T00:00:00.25Z",
		"2017-01-01T08:59:60+09:00":        "2017-01-01T00:00:00Z",
		"0001-01-01T00:00:00Z":             "0001-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z":             "9999-12-31T23:59:59Z",
		"2024-06-01":                       "",
		"2024-06-01T10:56:19":              "",
		"2024-06-01T10:56Z":                "",
		"2024-02-30T00:00:00Z":             "",
		"2024-06-01T24:00:00Z":             "",
		"2024-06-01T10:56:61Z":             "",
		"2024-06-01T10:56:19,5Z":           "",
		"":                                 "",
		"2024-06-01T10:56:19.5+00:00 junk": "",
	} {
		got, err := parseInstant(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q is %v, want an error", text, got)
			}
		} else if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q is %v, %v, want %s", text, got.Format(time.RFC3339Nano), err, want)
		}
	}
}

// TestCover: the cover of spans holds each of them, and no cover that begins at one of them is narrower.
func TestCover(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	holds := func(s, part span) bool {
		for turn := -720.0; turn <= 720; turn += 360 {
			if s.west <= part.west+turn+1e-9 && part.east+turn <= s.east+1e-9 {
				return true
			}
		}
		return s.east-s.west >= 360
	}
	for range 20_000 {
		var all []span
		for range 1 + r.IntN(5) {
			west := math.Floor(r.Float64()*360) - 180
			all = append(all, span{west, -1, west + math.Floor(r.Float64()*r.Float64()*300), 1})
		}
		got := cover(all)
		best := 360.0
		for _, first := range all { // the shortest that begins where one begins
			width := 0.0
			for _, s := range all {
				for ; s.west < first.west; s.west, s.east = s.west+360, s.east+360 {
				}
				width = max(width, s.east-first.west)
			}
			best = min(best, width)
		}
		for _, s := range all {
			if !holds(got, s) {
				t.Fatalf("cover of %v is %v, which does not hold %v", all, got, s)
			}
		}
		if math.Abs(got.east-got.west-best) > 1e-9 || got.west < -180 || got.west >= 180 {
			t.Fatalf("cover of %v is %v, want a width of %v", all, got, best)
		}
		if again := cover([]span{got, all[0]}); again != got {
			t.Fatalf("cover grows from %v to %v for %v, which it holds", got, again, all[0])
		}
	}
}

// TestCellsMeetBoxes: when two boxes meet, the cell of one is among the cells that the other looks at.
func TestCellsMeetBoxes(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	random := func() span {
		west, south := r.Float64()*360-180, r.Float64()*180-90
		return span{west, south, west + min(360, 0.001*math.Exp(r.Float64()*13)), min(90, south+0.001*math.Exp(r.Float64()*12))}
	}
	met := 0
	for range 100_000 {
		item, area := random(), random()
		if r.IntN(2) == 0 { // near each other, and near the antimeridian
			area = span{item.west, item.south, item.west + r.Float64(), min(90, item.south+r.Float64())}
		}
		meet := false
		for turn := -720.0; turn <= 720; turn += 360 {
			meet = meet || item.west+turn <= area.east && item.east+turn >= area.west && item.south <= area.north && item.north >= area.south
		}
		if !meet {
			continue
		}
		met++
		if !slices.Contains(cellsMeeting(area), cellOf(item)) {
			t.Fatalf("item %v in cell %x is not looked at for %v", item, cellOf(item), area)
		}
	}
	if met < 20_000 {
		t.Errorf("only %d pairs meet", met)
	}
	if n := len(cellsMeeting(span{1, 43, 1 + smallAreaDeg, 43 + smallAreaDeg})); n > 120 {
		t.Errorf("a small area looks at %d cells", n)
	}
}

// FuzzPut: no body makes the door panic, and what it lets in is sound JSON that it lets in again unchanged.
func FuzzPut(f *testing.F) {
	for _, geometry := range []string{square, "null", `{"type":"MultiPolygon","coordinates":[[[[179,0],[-179,0],[-179,1],[179,0]]]]}`,
		`{"type":"GeometryCollection","geometries":[{"type":"LineString","coordinates":[[179,0],[-179,0,1]]}]}`, `{"type":"Polygon","coordinates":[[[-120,80],[0,80],[120,80],[-120,80]]]}`} {
		f.Add([]byte(itemOf("c", "a", geometry, noon).Body))
	}
	f.Add([]byte(`{"type":"Feature","id":"a","links":[],"bbox":[170,0,-170,1],"geometry":null,"properties":{"datetime":null,"start_datetime":"2016-12-31T23:59:60Z","end_datetime":"2017-01-01T00:00:00+01:00"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := parseItem(stac.Item{Collection: "c", ID: "a", Body: body})
		if err != nil {
			return
		}
		if !json.Valid(d.body) {
			t.Fatalf("stored body is not JSON: %s", d.body)
		}
		again, err := parseItem(stac.Item{Collection: "c", ID: "a", Body: d.body})
		if err != nil || string(again.body) != string(d.body) {
			t.Fatalf("%s\nbecomes %s, %v", d.body, again.body, err)
		}
		if b := d.where.box; !d.where.empty() && (b.west < -180 || b.west > 180 || b.west == 180 && b.east > 180 || b.east < b.west || b.east > b.west+360+1e-6 || b.south < -90 || b.north > 90) {
			t.Fatalf("box %v of %s", b, body)
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add(place{micros: 1_700_000_000_000_000, pk: 42, clouded: true, matched: total{n: 7}, values: []any{"a", 1.5, nil}}.token(stac.Search{}))
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		q := stac.Search{Token: token}
		if p, err := parseToken(q); err == nil && token != "" && p.token(q) != token {
			t.Fatalf("%q means %+v, whose token is %q", token, p, p.token(q))
		}
	})
}
