package stac

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestWithArchived: an item tells which of its assets are archived, and everything else stays as it was.
func TestWithArchived(t *testing.T) {
	expires := time.Date(2024, 6, 1, 12, 0, 0, 0, time.FixedZone("", 7200))
	of := map[string]Archived{"o/a": {Status: "succeeded", Expires: &expires}, "o/b": {Status: "ordered", Order: "abc"}}
	const a, b = `"a":{"href":"x","swath:object":"o/a"}`, `"b":{"swath:object":"o/b","title":"\"é\n"}`
	const told = `"storage:schemes":{"archive":{"type":"swath-archive","platform":"http://h","title":"Archive: ordered before it can be read","tier":"cold"}}`
	const twoExtensions = `"https://stac-extensions.github.io/storage/v2.0.0/schema.json","https://stac-extensions.github.io/order/v1.1.0/schema.json"`
	for name, c := range map[string]struct{ body, want string }{
		"two, of which one is online": {
			`{"id":"i","stac_extensions":["e"],"properties":{"x":1},"assets":{` + a + `,` + b + `,"c":{"href":"y"}}}`,
			`{"id":"i","stac_extensions":["e",` + twoExtensions + `,"https://stac-extensions.github.io/timestamps/v1.1.0/schema.json"],"properties":{"x":1,` + told +
				`,"order:status":"ordered","expires":"2024-06-01T10:00:00Z"},"assets":{"a":{"href":"x","swath:object":"o/a","storage:refs":["archive"],"order:status":"succeeded","expires":"2024-06-01T10:00:00Z"},` +
				`"b":{"swath:object":"o/b","title":"\"é\n","storage:refs":["archive"],"order:status":"ordered","order:id":"abc"},"c":{"href":"y"}}}`},
		"no extensions, no properties": {`{"links":[{"rel":"x"}],"assets":{` + b + `},"properties":{}}`,
			`{"links":[{"rel":"x"}],"assets":{"b":{"swath:object":"o/b","title":"\"é\n","storage:refs":["archive"],"order:status":"ordered","order:id":"abc"}},"properties":{` + told + `,"order:status":"ordered"},"stac_extensions":[` + twoExtensions + `]}`},
		"nothing archived": {`{"assets":{"c":{"swath:object":"o/c"}}, "properties":{}}`, `{"assets":{"c":{"swath:object":"o/c"}}, "properties":{}}`},
		"no assets":        {`{"id":"i"}`, `{"id":"i"}`},
		"declared already": {`{"stac_extensions":[` + twoExtensions + ` ],"properties":{},"assets":{` + b + `}}`,
			`{"stac_extensions":[` + twoExtensions + ` ],"properties":{` + told + `,"order:status":"ordered"},"assets":{"b":{"swath:object":"o/b","title":"\"é\n","storage:refs":["archive"],"order:status":"ordered","order:id":"abc"}}}`},
	} {
		got := string(WithArchived([]byte(c.body), "http://h", of))
		if got != c.want || !json.Valid([]byte(got)) {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
}

func FuzzWithArchived(f *testing.F) {
	f.Add([]byte(`{"stac_extensions":[],"properties":{"a":1},"assets":{"a":{"swath:object":"o/a"}}}`))
	f.Add([]byte(`{"assets":{"a":{"swath:object":"o/a"}},"properties":null,"stac_extensions":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) || body[0] != '{' {
			t.Skip()
		}
		if got := WithArchived(body, "http://h", map[string]Archived{"o/a": {Status: "orderable"}}); !json.Valid(got) {
			t.Fatalf("%s became %s", body, got)
		}
	})
}

// TestArchivedIsNotStored: what is told of an archive when an item is served does not become part of it when a client puts it back.
func TestArchivedIsNotStored(t *testing.T) {
	old := Item{Collection: "c", ID: "i", Body: []byte(`{"id":"i","properties":{"x":1},"assets":{"a":{"href":"swath:/collections/c/items/i/assets/a","swath:object":"k"},"b":{"href":"https://other.example/","order:status":"orderable"}}}`)}
	at := time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)
	served := WithArchived(old.Body, "https://here.example", map[string]Archived{"k": {Status: "ordered", Order: "o", Expires: &at}})
	got, err := Links{Base: "https://here.example"}.Received(served, &old)
	want := strings.TrimSuffix(string(old.Body), "}") + `,"stac_extensions":["` + storageExtension + `","` + orderExtension + `","` + timestampsExtension + `"]}`
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s, want\n%s", err, got, want)
	}
	if served := string(WithArchived(got, "https://here.example", map[string]Archived{"k": {Status: "orderable"}})); strings.Count(served, `"order:status":`) != 3 {
		t.Errorf("said twice: %s", served)
	}
}
