package stachttp

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"swath/stac"
)

// TestDeletions: what left is told of in the order in which it did, page by page, from a moment on, and to those alone who may know of it.
func TestDeletions(t *testing.T) {
	client := clientOf(t)
	client.Post("/collections/other/items", fmt.Sprintf(bare, "n"))
	read := func(query string, headers ...string) (ids string, pages int, last time.Time) {
		t.Helper()
		for next := "/deletions" + query; next != ""; pages++ {
			got := client.Get(next, headers...)
			var page struct {
				Deletions []stac.Deletion
				Links     []stac.Link
			}
			if got.JSON(t, &page); got.Status != 200 {
				t.Fatalf("%s: %d %s", next, got.Status, got.Body)
			}
			for _, d := range page.Deletions {
				if ids += d.ID + " "; d.Deleted.Before(last) {
					t.Errorf("%s left before the one told of before it", d.ID)
				}
				last = d.Deleted
			}
			next = ""
			if l := link(page.Links, "next", ""); l != nil {
				next = strings.TrimPrefix(l.Href, base)
			}
		}
		return strings.TrimSpace(ids), pages, last
	}
	if ids, _, _ := read(""); ids != "" {
		t.Errorf("before: %s", ids)
	}
	var middle time.Time
	for i, at := range []string{"sentinel-2-l1c/items/S2A_003", "sentinel-2-l1c/items/S2A_001", "other/items/n", "sentinel-2-l1c/items/S2A_005"} {
		if got := client.Do(http.MethodDelete, "/collections/"+at, ""); got.Status != 204 {
			t.Fatalf("%s: %d %s", at, got.Status, got.Body)
		}
		if i == 1 {
			_, _, middle = read("")
		}
	}
	const all = "S2A_003 S2A_001 n S2A_005"
	since := "since=" + middle.Format(time.RFC3339Nano)
	for query, want := range map[string]string{"": all + " 1", "?limit=1": all + " 4", "?limit=3": all + " 2", "?collections=other": "n 1", "?collections=none": " 1", "?collections=none,other": "n 1",
		"?" + since: "S2A_001 n S2A_005 1", "?limit=1&" + since: "S2A_001 n S2A_005 3"} {
		if ids, pages, _ := read(query); fmt.Sprint(ids, " ", pages) != want {
			t.Errorf("%s: %s in %d pages, want %s", query, ids, pages, want)
		}
	}
	if ids, _, _ := read("", "Test-Hides", "other"); strings.Contains(ids, "n") {
		t.Errorf("where a collection is hidden: %s", ids)
	}
	for _, bad := range []string{"since=yesterday", "limit=0", "limit=10001", "token=x", "token=5.0", "token=5.1&" + since, "x=1"} {
		if got := client.Get("/deletions?" + bad); got.Status != 400 {
			t.Errorf("%s: %d", bad, got.Status)
		}
	}
}
