package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestProperties: what items hold of each property is kept, widened only, by many at once.
func TestProperties(t *testing.T) {
	s := newStore(t, "c")
	var group sync.WaitGroup
	for client := range 4 {
		group.Go(func() {
			for i := range 30 {
				n := client*30 + i
				put(t, s, itemOf("c", fmt.Sprint("i", n), square, fmt.Sprintf(`{"datetime":"2024-06-01T12:00:00Z","few":"v%d","many":"w%d","list":["a%d",%d],
					"whole":%d,"half":%d.5,"mixed":%s,"o":{"p":%d},"none":null,"flag":true,"long":%q,"odd":"a\u0000b"}`,
					n%7, n, n%3, n, n-50, n, []string{"1", `"x"`, "true", "2.5"}[n%4], n, strings.Repeat("x", 65))))
			}
		})
	}
	group.Wait()
	got, err := readProperties(t.Context(), s.pool, 1)
	if err != nil {
		t.Fatal(err)
	}
	words := func(prefix string, n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprint(prefix, i))
		}
		return all
	}
	for name, want := range map[string]struct {
		kinds  int32
		lo, hi float64
		words  []string
		many   bool
	}{
		"datetime": {kindTime, 1, 0, nil, false}, "few": {kindText, 1, 0, words("v", 7), false}, "many": {kindText, 1, 0, nil, true},
		"list": {kindList, 1, 0, words("a", 3), false}, "whole": {kindInteger, -50, 69, nil, false}, "half": {kindNumber, 0.5, 119.5, nil, false},
		"mixed": {kindInteger | kindText | kindBoolean | kindNumber, 1, 2.5, []string{"x"}, false}, "o": {kindObject, 1, 0, nil, false},
		"o.p": {kindInteger, 0, 119, nil, false}, "flag": {kindBoolean, 1, 0, nil, false}, "long": {kindText, 1, 0, nil, true}, "odd": {kindText, 1, 0, nil, true},
	} {
		p := got[name]
		if p == nil {
			t.Errorf("%s is missing", name)
			continue
		}
		numbers := p.lo <= p.hi
		if p.kinds != want.kinds || p.many != want.many || numbers != (want.lo <= want.hi) || numbers && (p.lo != want.lo || p.hi != want.hi) || !slices.Equal(slices.Sorted(maps.Keys(p.words)), want.words) {
			t.Errorf("%s: %+v, want %+v", name, *p, want)
		}
	}
	if got["none"] != nil {
		t.Error("null counts as a value")
	}
	known, err := s.coverage(t.Context(), s.pool, 1)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parseItem(itemOf("c", "i", square, `{"datetime":"2024-06-01T12:00:00Z","few":"v3","many":"anything","list":["a1"],"mixed":2,"o":{"p":7},"long":"y","none":null}`))
	if err != nil || !known.holds(doc) {
		t.Errorf("what is known is looked at again, %v", err)
	}
	for _, odd := range []string{`"few":"v8"`, `"list":["b"]`, `"whole":-51`, `"few":1`, `"new":1`, `"o":{"q":1}`} {
		if doc, err := parseItem(itemOf("c", "i", square, `{"datetime":"2024-06-01T12:00:00Z",`+odd+`}`)); err != nil || known.holds(doc) {
			t.Errorf("%s is nothing new, %v", odd, err)
		}
	}
	// A flood of names has an end.
	var names []string
	for i := range mostProperties + 100 {
		names = append(names, fmt.Sprintf(`"n%d":1`, i))
	}
	for range 2 {
		put(t, s, itemOf("c", "flood", square, `{"datetime":"2024-06-01T12:00:00Z",`+strings.Join(names, ",")+`}`))
	}
	if got, err := readProperties(t.Context(), s.pool, 1); err != nil || len(got) != mostProperties {
		t.Errorf("%d properties are kept, %v, want %d", len(got), err, mostProperties)
	}
}
