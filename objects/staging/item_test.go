package staging

import (
	"fmt"
	"strings"
	"testing"

	"swath/internal/testdb"
	"swath/objects/copies"
	"swath/stac"
)

// BenchmarkTell: a page of a hundred items none of which has a copy, and one of which all have.
func BenchmarkTell(b *testing.B) {
	c, err := copies.Open(b.Context(), testdb.New(b))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	var all []copies.Copy
	page, cold := make([]stac.Item, 100), make([]stac.Item, 100)
	for i := range page {
		body := func(item string) []byte {
			return []byte(fmt.Sprintf(`{"id":%q,"stac_extensions":["a"],"properties":{"x":%q},"assets":{"data":{"swath:object":"c/%s/r/data"}}}`, item, strings.Repeat("x", 6000), item))
		}
		page[i] = stac.Item{Collection: "c", ID: fmt.Sprint("hot", i), Body: body(fmt.Sprint("hot", i))}
		cold[i] = stac.Item{Collection: "c", ID: fmt.Sprint("cold", i), Body: body(fmt.Sprint("cold", i))}
		all = append(all, copies.Copy{Key: fmt.Sprintf("c/cold%d/r/data", i), Collection: "c", Item: fmt.Sprint("cold", i)})
	}
	if err := c.Add(b.Context(), all, copies.Cold); err != nil {
		b.Fatal(err)
	}
	desk := &Desk{Copies: c}
	for name, items := range map[string][]stac.Item{"none": page, "all": cold} {
		b.Run(name, func(b *testing.B) {
			work := make([]stac.Item, len(items))
			for b.Loop() {
				copy(work, items)
				if err := desk.Tell(b.Context(), "http://h", work); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
