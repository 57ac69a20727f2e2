package catalog

import (
	"fmt"
	"strings"
	"testing"

	"swath/fault"
	"swath/stac"
)

// TestTiles: the items of a collection are counted by tile whenever they are of, folded or not, and those on no tile apart.
func TestTiles(t *testing.T) {
	s := newStore(t, "c", "other")
	for i, properties := range []string{`"grid:code":"MGRS-31TCJ"`, `"grid:code":"MGRS-31TCJ"`, `"s2:mgrs_tile":"31TDJ"`, `"title":"none"`, `"grid:code":"WRS2-1"`, `"grid:code":"MGRS-31TCJ"`} {
		put(t, s, itemOf("c", fmt.Sprint("i", i), square, fmt.Sprintf(`{"datetime":"20%02d-0%d-03T23:59:59.999999Z",%s}`, 10+i, 1+i, properties)))
	}
	put(t, s, itemOf("other", "o", square, `{"datetime":"2024-01-01T00:00:00Z","grid:code":"MGRS-31TCJ"}`))
	var told []string
	tiles, elsewhere, err := s.Tiles(t.Context(), "c", func(counted, of int64) { told = append(told, fmt.Sprint(counted, "/", of)) })
	if got, want := fmt.Sprint(tiles, elsewhere, err), "[{MGRS-31TCJ <nil> <nil> 3} {MGRS-31TDJ <nil> <nil> 1} {WRS2-1 <nil> <nil> 1}] 1 <nil>"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if strings.Join(told, " ") != "0/6 6/6" {
		t.Errorf("told %v", told)
	}
	for name, ctx := range map[string]string{"none": "", "c": "c"} {
		if _, _, err := s.Tiles(stac.WithScope(t.Context(), stac.Hiding(ctx)), name, func(int64, int64) {}); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s where %q is hidden: %v", name, ctx, err)
		}
	}
	days := []dayCount{{n: 1}, {n: 5}, {n: 2}, {n: 2}, {n: 9}, {n: 1}}
	for atLeast, want := range map[int64]string{1: "1|5|2|2|9|1", 4: "1 5|2 2|9|1", 100: "1 5 2 2 9 1"} {
		var texts []string
		for _, some := range stretches(days, atLeast) {
			var one []string
			for _, d := range some {
				one = append(one, fmt.Sprint(d.n))
			}
			texts = append(texts, strings.Join(one, " "))
		}
		if got := strings.Join(texts, "|"); got != want {
			t.Errorf("stretches of at least %d: %s, want %s", atLeast, got, want)
		}
	}
}
