package catalog_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"swath/fault"
	"swath/stac"
)

// geohash is Niemeyer's code, bit by bit: longitude and latitude are halved in turns.
func geohash(lon, lat float64, n int) string {
	const digits = "0123456789bcdefghjkmnpqrstuvwxyz"
	box := [2][2]float64{{-180, 180}, {-90, 90}}
	at := [2]float64{lon, lat}
	var out strings.Builder
	value := 0
	for bit := range 5 * n {
		axis := &box[bit%2]
		middle := (axis[0] + axis[1]) / 2
		value *= 2
		if at[bit%2] >= middle {
			value++
			axis[0] = middle
		} else {
			axis[1] = middle
		}
		if bit%5 == 4 {
			out.WriteByte(digits[value])
			value = 0
		}
	}
	return out.String()
}

func TestGeohash(t *testing.T) { // the examples of Wikipedia's article
	if got := geohash(-5.6, 42.6, 5); got != "ezs42" {
		t.Error(got)
	}
	if got := geohash(10.40744, 57.64911, 11); got != "u4pruydqqvj" {
		t.Error(got)
	}
}

// centre is the middle of the box of a place.
func (s shape) centre() (lon, lat float64) {
	west, east := s.along(xy{1, 0})
	south, north := s.along(xy{0, 1})
	lon = (west + east) / 2
	return lon - 360*math.Floor((lon+180)/360), (south + north) / 2
}

// truths are the keys that each aggregation gives a specimen.
var truths = map[string]func(s *specimen) string{
	"total_count":          func(*specimen) string { return "all" },
	"datetime_frequency":   func(s *specimen) string { return s.at.Format("2006-01") + "-01T00:00:00.000Z" },
	"collection_frequency": func(s *specimen) string { return s.collection },
	"cloud_cover_frequency": func(s *specimen) string {
		if v, ok := s.get("eo:cloud_cover").(float64); ok {
			n := math.Min(9, math.Floor(v/10))
			return fmt.Sprintf("%g-%g", n*10, n*10+10)
		}
		return ""
	},
	"platform_frequency":  func(s *specimen) string { text, _ := s.get("platform").(string); return text },
	"grid_code_frequency": func(s *specimen) string { text, _ := s.get("grid:code").(string); return text },
	"relative_orbit_frequency": func(s *specimen) string {
		if v, ok := s.get("sat:relative_orbit").(float64); ok {
			return fmt.Sprint(int(v))
		}
		return ""
	},
	"off_nadir_frequency": func(s *specimen) string {
		if v, ok := s.get("view:off_nadir").(float64); ok {
			n := math.Min(8, math.Floor(v/10))
			return fmt.Sprintf("%g-%g", n*10, n*10+10)
		}
		return ""
	},
}

// places are the aggregations by the centre of a box; a centre on the edge of a cell may be counted on either side.
var places = map[string]func(lon, lat float64) string{
	"centroid_geohash_grid_frequency": func(lon, lat float64) string { return geohash(lon, lat, 2) },
	"centroid_geotile_grid_frequency": func(lon, lat float64) string {
		const side = 1 << 4
		y := math.Asinh(math.Tan(lat*math.Pi/180)) / math.Pi
		return fmt.Sprintf("4/%d/%d", int((lon+180)/360*side), int(math.Max(0, math.Min(side-1, (1-y)/2*side))))
	},
}

func TestAggregationsAgainstPlainTruth(t *testing.T) {
	nItems, nSearches := 3_000, 150
	if testing.Short() {
		nItems, nSearches = 1_000, 60
	}
	items := grow(rand.New(rand.NewPCG(7, 7)), nItems)
	store := shelve(t, items)
	var asked []stac.Aggregation
	for _, name := range slices.Sorted(maps.Keys(truths)) {
		asked = append(asked, stac.Aggregation{Name: name})
	}
	asked = append(asked, stac.Aggregation{Name: "datetime_min"}, stac.Aggregation{Name: "datetime_max"})
	counted := int64(0)
	for i := range nSearches {
		q := anyQuestion(t, rand.New(rand.NewPCG(8, uint64(i))), items)
		if i%10 == 0 { // counters of days answer these
			first, last := time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2019, 6, 30, 23, 59, 59, 999_999_000, time.UTC)
			q = question{search: stac.Search{Collections: []string{"s1", "s2"}, Datetime: &stac.Interval{Start: &first, End: &last}}, words: "days"}
			q.matches = func(s *specimen) bool {
				begins, ends := s.at, s.at
				if s.begins != nil {
					begins, ends = *s.begins, *s.ends
				}
				return s.collection != "spot" && !begins.After(last) && !ends.Before(first)
			}
			if i == 0 {
				q = question{words: "everything", matches: func(*specimen) bool { return true }}
			}
		}
		var matching []*specimen
		for _, s := range items {
			if q.matches(s) {
				matching = append(matching, s)
			}
		}
		answers, err := store.Aggregate(t.Context(), q.search, asked)
		if err != nil || len(answers) != len(asked) {
			t.Fatalf("%s: %d answers, %v", q.words, len(answers), err)
		}
		for _, a := range answers {
			if truth, ok := truths[a.Name]; ok {
				want := map[string]int64{}
				for _, s := range matching {
					if key := truth(s); key != "" {
						want[key]++
					}
				}
				got := map[string]int64{}
				for _, b := range a.Buckets {
					got[b.Key] += b.Count
					counted += b.Count
				}
				if a.Name == "total_count" {
					want, got = map[string]int64{"": int64(len(matching))}, map[string]int64{"": a.Value.(int64)}
				}
				if !maps.Equal(got, want) || a.Overflow != 0 {
					t.Errorf("search %d, %s: %v, want %v\n%s", i, a.Name, got, want, q.words)
				}
				continue
			}
			var want any
			pick := slices.MinFunc[[]*specimen]
			if a.Name == "datetime_max" {
				pick = slices.MaxFunc[[]*specimen]
			}
			if len(matching) > 0 {
				want = pick(matching, func(a, b *specimen) int { return a.at.Compare(b.at) }).at.Format("2006-01-02T15:04:05.999999Z")
			}
			if a.Value != want {
				t.Errorf("search %d, %s: %v, want %v\n%s", i, a.Name, a.Value, want, q.words)
			}
		}
		if t.Failed() && i > 20 {
			break
		}
	}
	if counted < 10_000 {
		t.Errorf("only %d were counted", counted)
	}
}

func TestAggregationsByPlace(t *testing.T) {
	items := grow(rand.New(rand.NewPCG(9, 9)), 2_000)
	store := shelve(t, items)
	answers, err := store.Aggregate(t.Context(), stac.Search{}, []stac.Aggregation{
		{Name: "centroid_geohash_grid_frequency", Precision: 2}, {Name: "centroid_geotile_grid_frequency", Precision: 4}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		want := map[string]int64{}
		for _, s := range items {
			if s.place != nil {
				want[places[a.Name](s.place.centre())]++
			}
		}
		var off, total int64
		for _, b := range a.Buckets {
			off += max(b.Count-want[b.Key], want[b.Key]-b.Count)
			total += b.Count
			delete(want, b.Key)
		}
		for _, n := range want {
			off += n
		}
		// The columns hold boxes in units of 1e-5 degrees, rounded outward.
		if off > 4 || total < 1_900 {
			t.Errorf("%s: %d of %d are counted elsewhere: %v", a.Name, off, total, want)
		}
	}
}

func TestAggregationsAreChecked(t *testing.T) {
	store := shelve(t, grow(rand.New(rand.NewPCG(1, 1)), 10))
	for _, a := range []stac.Aggregation{{Name: "none"}, {Name: "datetime_frequency", Interval: "week"}, {Name: "centroid_geohash_grid_frequency", Precision: 13},
		{Name: "centroid_geotile_grid_frequency", Precision: -1}} {
		if _, err := store.Aggregate(t.Context(), stac.Search{}, []stac.Aggregation{a}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", a, err)
		}
	}
	if _, err := store.Aggregations(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if all, err := store.Aggregations(t.Context(), "s1"); err != nil || len(all) < 10 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestQueryables(t *testing.T) {
	items := grow(rand.New(rand.NewPCG(3, 3)), 500)
	store := shelve(t, items)
	for _, id := range []string{"s1", "s2", ""} {
		all, err := store.Queryables(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		byName := map[string]stac.Queryable{}
		for _, q := range all {
			byName[q.Name] = q
		}
		lo, hi, platforms := math.Inf(1), math.Inf(-1), map[string]bool{}
		for _, s := range items {
			if id != "" && s.collection != id {
				continue
			}
			if v, ok := s.get("eo:cloud_cover").(float64); ok {
				lo, hi = min(lo, v), max(hi, v)
			}
			if text, ok := s.get("platform").(string); ok {
				platforms[text] = true
			}
		}
		cloud, platform := byName["eo:cloud_cover"], byName["platform"]
		if cloud.Type != "number" || *cloud.Min != lo || *cloud.Max != hi || !cloud.Declared {
			t.Errorf("%q: cloud cover is %+v, want %g to %g", id, cloud, lo, hi)
		}
		if platform.Type != "string" || !slices.Equal(platform.Enum, slices.Sorted(maps.Keys(platforms))) {
			t.Errorf("%q: platform is %+v, want %v", id, platform, platforms)
		}
		if q := byName["datetime"]; q.Format != "date-time" || byName["sat:relative_orbit"].Type != "integer" || byName["flag"].Type != "boolean" || byName["keywords"].Type != "array" {
			t.Errorf("%q: %+v", id, byName)
		}
	}
	if _, err := store.Queryables(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}
