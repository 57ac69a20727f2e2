package stac

import (
	"testing"

	"swath/fault"
)

// TestRegisteredSearch: the same search has the same id however it is written, and what is of one page is no part of it.
func TestRegisteredSearch(t *testing.T) {
	first, err := NewRegisteredSearch([]byte(`{"collections":["c"],"bbox":[1,2,3,4],"limit":5,"metadata":{"name":"Winter"}}`))
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewRegisteredSearch([]byte(` {"metadata" : {"name": "Winter"}, "search": {"bbox":[1,2,3, 4], "collections":[ "c" ], "token":null}}`))
	if err != nil || again.ID != first.ID || len(first.ID) != 32 {
		t.Errorf("%s and %s, %v", first.ID, again.ID, err)
	}
	s, err := first.Search()
	if err != nil || len(s.Collections) != 1 || s.BBox == nil || s.Limit != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	nameless, _ := NewRegisteredSearch([]byte(`{"collections":["c"],"bbox":[1,2,3,4]}`))
	if first.Name() != "Winter" || nameless.Name() != nameless.ID || nameless.ID == first.ID {
		t.Errorf("names %q and %q", first.Name(), nameless.Name())
	}
	other, _ := NewRegisteredSearch([]byte(`{"collections":["d"]}`))
	if other.ID == first.ID {
		t.Error("two searches of one id")
	}
	for _, wrong := range []string{``, `[]`, `null`, `{"bbox":[1,2]}`, `{"search":7}`, `{"metadata":7}`, `{"collection":["c"]}`, `{"filter":{"op":"none"}}`} {
		if _, err := NewRegisteredSearch([]byte(wrong)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// FuzzNewRegisteredSearch: what is registered can be searched, and is the same when it is registered again.
func FuzzNewRegisteredSearch(f *testing.F) {
	for _, seed := range []string{`{}`, `{"collections":["a"],"metadata":{"name":"A"}}`, `{"search":{"bbox":[1,2,3,4],"limit":3},"metadata":{}}`, `{"ids":null,"filter-lang":"cql2-text","filter":"a < 1"}`,
		`{"filter":{"op":"and","args":[true,{"op":"=","args":[{"property":"a"},1e999]}]}}`, `{"sortby":[{"field":"a","direction":"desc"}],"q":"b"}`, `{"search":null}`, `{"metadata":[]}`, `{"intersects":{"type":"Point","coordinates":[1,2]}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := NewRegisteredSearch(body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooLarge) {
				t.Fatalf("%s: %v", body, err)
			}
			return
		}
		if _, err := r.Search(); err != nil || r.Name() == "" {
			t.Fatalf("%s: name %q, %v", body, r.Name(), err)
		}
		again, err := NewRegisteredSearch(r.Body)
		if err != nil || again.ID != r.ID {
			t.Fatalf("%s: registered again it is %s, was %s: %v", body, again.ID, r.ID, err)
		}
	})
}
