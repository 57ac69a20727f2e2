package catalog

import (
	"testing"

	"swath/stac/cql2"
)

// TestPassing: what is read first follows the share that matched before, by kinds of filters.
func TestPassing(t *testing.T) {
	kind := func(text string) uint64 {
		n, err := cql2.ParseText(text)
		if err != nil {
			t.Fatal(err)
		}
		return kindOfFilter([]cql2.Node{n})
	}
	if kind(`a > 61`) != kind(`a > 64`) || kind(`a > 61`) == kind(`a > 31`) || kind(`a > 61`) == kind(`a < 61`) || kind(`a > 61`) == kind(`b > 61`) || kind(`a like 'x%'`) == kind(`a like 'y%'`) {
		t.Error("the kinds of filters are other ones")
	}
	var p passing
	if n := p.first(1, 11, 32); n != 32 {
		t.Errorf("%d rows are read of a filter that nobody knows", n)
	}
	p.saw(1, sight{looked: 100, passed: 20})
	if n := p.first(1, 10, 32); n != 66 {
		t.Errorf("%d rows are read for 10 of which one in five passes", n)
	}
	if n := p.first(2, 10, 32); n != 32 {
		t.Errorf("%d rows are read of another kind", n)
	}
	p.saw(2, sight{looked: 1000})
	if n := p.first(2, 10, 32); n != mostFirst {
		t.Errorf("%d rows are read of what never passed", n)
	}
	for range 100 {
		p.saw(1, sight{looked: 100, passed: 100})
	}
	if n := p.first(1, 10, 32); n < 13 || n > 15 {
		t.Errorf("%d rows are read for 10 where all have passed for long", n)
	}
}
