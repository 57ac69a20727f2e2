package catalog

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

// TestScopeHides: for who may not see a collection, the catalog answers all it is asked as if the collection were not there.
func TestScopeHides(t *testing.T) {
	s := newStore(t, "open", "secret")
	const square = `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}`
	for i := range 3 {
		put(t, s, itemOf("open", fmt.Sprint("o", i), square, `{"datetime":"2024-01-01T00:00:00Z","platform":"seen","n":1}`))
		put(t, s, itemOf("secret", fmt.Sprint("s", i), square, `{"datetime":"2024-01-01T00:00:00Z","platform":"unseen","n":9}`))
	}
	for id, body := range map[string]string{"b": `{"search":{"collections":["open"]}}`, "a": `{"search":{"collections":["secret","open"]}}`, "c": `{"search":{"filter":"collection = 'secret'"}}`} {
		if err := s.RegisterSearch(t.Context(), stac.RegisteredSearch{ID: id, Body: json.RawMessage(body)}); err != nil {
			t.Fatal(err)
		}
	}
	bare := newStore(t, "open") // where the collection truly is not
	for i := range 3 {
		put(t, bare, itemOf("open", fmt.Sprint("o", i), square, `{"datetime":"2024-01-01T00:00:00Z","platform":"seen","n":1}`))
	}
	hidden := stac.WithScope(t.Context(), stac.Hiding("secret"))

	is := func(property, value string) cql2.Node {
		return cql2.Compare{Op: cql2.Equal, Left: cql2.Property(property), Right: cql2.Text(value)}
	}
	for name, q := range map[string]stac.Search{
		"all": {}, "by name": {Collections: []string{"secret"}}, "both": {Collections: []string{"secret", "open"}}, "by id": {IDs: []string{"s1", "o1"}},
		"by platform": {Filter: is("platform", "unseen")}, "by collection": {Filter: is("collection", "secret")},
		"not the other": {Filter: cql2.Not{Arg: is("collection", "open")}}, "sorted": {Sort: []stac.SortKey{{Property: "n", Descending: true}}}, "one": {Limit: 1},
	} {
		page, err := s.Search(hidden, q)
		if err != nil {
			t.Fatal(name, err)
		}
		want, err := bare.Search(t.Context(), q)
		if err != nil {
			t.Fatal(name, err)
		}
		if fmt.Sprint(itemsOf(page)) != fmt.Sprint(itemsOf(want)) || *page.Matched != *want.Matched {
			t.Errorf("%s: %v of %d, want %v of %d", name, itemsOf(page), *page.Matched, itemsOf(want), *want.Matched)
		}
		if q.Limit != 1 { // who sees all gets what there is, after the other was answered, and before
			continue
		}
		whole, err := s.Search(t.Context(), q)
		if err != nil || *whole.Matched != 6 {
			t.Errorf("%s: who sees all: %d, %v", name, *whole.Matched, err)
		}
		q.Token = whole.Next
		if _, err := s.Search(hidden, q); !fault.Is(err, fault.Invalid) {
			t.Errorf("a token that counts what is hidden is taken: %v", err)
		}
	}

	asked := []stac.Aggregation{{Name: "total_count"}, {Name: "collection_frequency"}, {Name: "platform_frequency"}, {Name: "datetime_frequency"}}
	got, err := s.Aggregate(hidden, stac.Search{}, asked)
	want, wantErr := bare.Aggregate(t.Context(), stac.Search{}, asked)
	if err != nil || wantErr != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("aggregated: %+v, want %+v (%v, %v)", got, want, err, wantErr)
	}
	queryables, err := s.Queryables(hidden, "")
	if text := fmt.Sprintf("%+v", queryables); err != nil || strings.Contains(text, "unseen") || !strings.Contains(text, "seen") {
		t.Errorf("queryables: %s %v", text, err)
	}
	if list, err := s.Collections(hidden); err != nil || len(list) != 1 || list[0].ID != "open" {
		t.Errorf("collections: %v %v", list, err)
	}
	if list, err := s.RegisteredSearches(hidden, "", 1); err != nil || len(list) != 1 || list[0].ID != "b" {
		t.Errorf("registered: %v %v", list, err)
	}
	if list, err := s.RegisteredSearches(t.Context(), "", 9); err != nil || len(list) != 3 {
		t.Errorf("registered, for who sees all: %v %v", list, err)
	}
	fails := func(what string, gotten, absent error) {
		t.Helper()
		if !fault.Is(gotten, fault.NotFound) || strings.ReplaceAll(gotten.Error(), "secret", "absent") != absent.Error() {
			t.Errorf("%s: %v, want %v", what, gotten, absent)
		}
	}
	change := func(id string) error {
		_, err := s.ChangeItem(hidden, id, "s1", func(*stac.Item) (*stac.Item, error) { t.Error("shown to be changed"); return nil, nil })
		return err
	}
	ask := func(id string) (all []error) {
		_, e1 := s.Collection(hidden, id)
		_, e2 := s.Item(hidden, id, "s1")
		_, e3 := s.Queryables(hidden, id)
		_, e4 := s.Aggregations(hidden, id)
		return []error{e1, e2, e3, e4, change(id), s.PutItems(hidden, id, []stac.Item{itemOf(id, "new", square, `{"datetime":"2024-01-01T00:00:00Z"}`)}, true)}
	}
	for i, absent := range ask("absent") {
		fails(fmt.Sprint("question ", i), ask("secret")[i], absent)
	}
	for _, id := range []string{"a", "c", "none"} {
		if _, err := s.RegisteredSearch(hidden, id); !fault.Is(err, fault.NotFound) || strings.Contains(err.Error(), "secret") {
			t.Errorf("registered search %s: %v", id, err)
		}
	}
	if _, err := s.ChangeCollection(hidden, "secret", func(old *stac.Collection) (*stac.Collection, error) {
		if old != nil {
			t.Error("shown to be changed")
		}
		return &stac.Collection{ID: "secret", Body: json.RawMessage(`{"type":"Collection","id":"secret"}`)}, nil
	}); !fault.Is(err, fault.Conflict) {
		t.Errorf("made anew: %v", err)
	}
	if page, err := s.Search(t.Context(), stac.Search{Collections: []string{"secret"}}); err != nil || len(page.Items) != 3 {
		t.Errorf("in the end: %v %v", itemsOf(page), err)
	}
}

func itemsOf(p stac.Page) (all []string) {
	for _, it := range p.Items {
		all = append(all, it.Collection+"/"+it.ID)
	}
	return all
}
