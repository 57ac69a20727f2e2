package ingest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"swath/stac"
)

// shelf is an editor of collections in memory.
type shelf struct {
	stac.Editor
	bodies  map[string]string
	changes int
}

func (s *shelf) ChangeCollection(_ context.Context, id string, change func(*stac.Collection) (*stac.Collection, error)) (stac.Collection, error) {
	var old *stac.Collection
	if body, ok := s.bodies[id]; ok {
		old = &stac.Collection{ID: id, Body: json.RawMessage(body)}
	}
	after, err := change(old)
	if err != nil || after == nil {
		return stac.Collection{}, err
	}
	if string(after.Body) != s.bodies[id] {
		s.changes++
	}
	s.bodies[id] = string(after.Body)
	return *after, nil
}

// TestAddPresets: a collection gets what its document offers and it lacks, and keeps what it has: also what it declined.
func TestAddPresets(t *testing.T) {
	own := `{"id":"spot-6-7","renders":{"pan":null,"ndvi":{"title":"ours"},"mine":{"assets":["x"]}},"keywords":["kept"]}`
	s := &shelf{bodies: map[string]string{"spot-6-7": own, "sentinel-2-l2a": `{"id":"sentinel-2-l2a"}`, "sentinel-2-l1c": `{"renders":"odd"}`, "other": `{}`}}
	for range 2 { // the second time nothing is lacking
		if err := AddPresets(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if s.changes != 2 || len(s.bodies) != 4 || s.bodies["other"] != `{}` || s.bodies["sentinel-2-l1c"] != `{"renders":"odd"}` {
		t.Errorf("%d changes, collections %v", s.changes, s.bodies)
	}
	var after struct {
		Renders  map[string]json.RawMessage
		Keywords []string
	}
	if err := json.Unmarshal([]byte(s.bodies["spot-6-7"]), &after); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"pan": "null", "ndvi": `{"title":"ours"}`, "mine": `{"assets":["x"]}`} {
		if string(after.Renders[name]) != want {
			t.Errorf("%s became %s", name, after.Renders[name])
		}
	}
	if !strings.HasPrefix(s.bodies["spot-6-7"], own[:strings.Index(own, `}},"keywords"`)]) {
		t.Errorf("what was there stands elsewhere: %s", s.bodies["spot-6-7"])
	}
	if !strings.Contains(string(after.Renders["pansharpened"]), "assets") || len(after.Keywords) != 1 {
		t.Errorf("it is %s", s.bodies["spot-6-7"])
	}
	if !strings.Contains(s.bodies["sentinel-2-l2a"], `"true-color"`) {
		t.Error("a collection without presets got none")
	}
}
