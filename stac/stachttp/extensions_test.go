package stachttp

import (
	"net/url"
	"strings"
	"testing"

	"swath/internal/contract"
	"swath/stac"
)

// TestExtensions asks by filter, query, sortby, fields and q, by GET and by POST, of /search and of a collection's items.
func TestExtensions(t *testing.T) {
	app, _ := newApp(t, 12) // item i has i % 100 of cloud cover
	client := contract.Client(t, app)
	for _, tc := range []struct{ get, post, want string }{
		{`filter="eo:cloud_cover" > 9`, `{"filter":{"op":">","args":[{"property":"eo:cloud_cover"},9]}}`, "S2A_011 S2A_010"},
		{`filter="eo:cloud_cover" + 1 = 4`, `{"filter":"\"eo:cloud_cover\" + 1 = 4","filter-lang":"cql2-text"}`, "S2A_003"},
		{`filter=S_INTERSECTS(geometry, POINT(-145.5 -27.5))`, `{"filter":{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Point","coordinates":[-145.5,-27.5]}]}}`, "S2A_004"},
		{`query={"eo:cloud_cover":{"lt":2}}&sortby=+eo:cloud_cover`, `{"query":{"eo:cloud_cover":{"lt":2}},"sortby":[{"field":"properties.eo:cloud_cover","direction":"asc"}]}`, "S2A_000 S2A_001"},
		{`sortby=eo:cloud_cover&limit=3`, `{"sortby":[{"field":"eo:cloud_cover"}],"limit":3}`, "S2A_000 S2A_001 S2A_002"},
		{`sortby=-id&limit=2`, `{"sortby":[{"field":"id","direction":"desc"}],"limit":2}`, "S2A_011 S2A_010"},
		{`filter="eo:cloud_cover" < 1&fields=id,-geometry`, `{"filter":{"op":"<","args":[{"property":"eo:cloud_cover"},1]},"fields":{"include":["id"],"exclude":["geometry"]}}`, "S2A_000"},
		{`q=nothing`, `{"q":["nothing"]}`, ""},
		{`filter=platform IS NULL AND datetime < TIMESTAMP('2018-06-01T02:00:00Z')`, `{"filter":{"op":"and","args":[{"op":"isNull","args":[{"property":"platform"}]},{"op":"<","args":[{"property":"datetime"},{"timestamp":"2018-06-01T02:00:00Z"}]}]}}`, "S2A_001 S2A_000"},
	} {
		q, err := url.ParseQuery(strings.ReplaceAll(tc.get, "+", "%2B"))
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range []string{"/search?", "/collections/sentinel-2-l1c/items?"} {
			var page found
			client.Get(target+q.Encode()).JSON(t, &page)
			if ids(page) != tc.want {
				t.Errorf("%s%s found %q, want %q", target, tc.get, ids(page), tc.want)
			}
			if strings.Contains(tc.get, "fields=") && page.Features[0].Links != nil {
				t.Errorf("%s has links", tc.get)
			}
		}
		var page found
		client.Post("/search", tc.post).JSON(t, &page)
		if ids(page) != tc.want {
			t.Errorf("POST %s found %q, want %q", tc.post, ids(page), tc.want)
		}
	}
	for get, word := range map[string]string{`filter="a" >`: "character 6", `filter=a=1&filter-lang=x`: "filter-lang", `sortby=-geometry`: "order", `fields=.`: "fields", `q=(`: "q has", `query={"a":{"is":1}}`: "unknown operator"} {
		q, _ := url.ParseQuery(get)
		got := client.Get("/search?" + q.Encode())
		if got.Status != 400 || !strings.Contains(string(got.Body), word) {
			t.Errorf("%s: %d %s", get, got.Status, got.Body)
		}
	}
}

// TestPagesOfASort walks a sort to its end, where the token carries the values of its keys.
func TestPagesOfASort(t *testing.T) {
	app, _ := newApp(t, 12)
	client := contract.Client(t, app)
	for sort, want := range map[string]string{"-eo:cloud_cover": "S2A_011", "id": "S2A_000", "-id,datetime": "S2A_011"} {
		target, seen := "/search?limit=5&sortby="+url.QueryEscape(sort), []string{}
		for pages := 0; target != "" && pages < 5; pages++ {
			var page found
			client.Get(target).JSON(t, &page)
			seen = append(seen, strings.Fields(ids(page))...)
			if target = ""; link(page.Links, "next", "") != nil {
				target = link(page.Links, "next", "").Href
			}
		}
		if len(seen) != 12 || seen[0] != want {
			t.Errorf("%s: %v", sort, seen)
		}
	}
}

// TestCoordinateSystems asks for boxes and answers in other systems than the stored one.
func TestCoordinateSystems(t *testing.T) {
	app, _ := newApp(t, 12) // item i lies from -150+i to -149+i east, -28 to -27 north
	client := contract.Client(t, app)
	const epsg = "http://www.opengis.net/def/crs/EPSG/0/"
	for target, want := range map[string]string{
		"/search?bbox=-27.6,-145.6,-27.4,-145.4&bbox-crs=" + epsg + "4326":                                                            "S2A_004",
		"/collections/sentinel-2-l1c/items?bbox=-16208117,-3196000,-16185853,-3194000&bbox-crs=" + epsg + "3857&crs=" + epsg + "4326": "S2A_004",
	} {
		var page found
		got := client.Get(target)
		got.JSON(t, &page)
		crs := "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
		if strings.Contains(target, "&crs=") {
			crs = "<" + epsg + "4326>"
			if !strings.Contains(string(got.Body), `"bbox":[-28,-146,-27,-145]`) {
				t.Errorf("%s: %s", target, got.Body)
			}
		}
		if ids(page) != want || got.Header.Get("Content-Crs") != crs {
			t.Errorf("%s found %q in %s", target, ids(page), got.Header.Get("Content-Crs"))
		}
	}
	one := client.Get("/collections/sentinel-2-l1c/items/S2A_004?crs=" + epsg + "3857")
	if one.Header.Get("Content-Crs") != "<"+epsg+"3857>" || !strings.Contains(string(one.Body), `"bbox":[-16252645.6`) {
		t.Errorf("%s", one.Body)
	}
	for _, bad := range []string{"/search?crs=EPSG:4326", "/search?bbox=1,2,3,4&bbox-crs=x", "/collections/sentinel-2-l1c/items/S2A_004?crs=x"} {
		if got := client.Get(bad); got.Status != 400 {
			t.Errorf("%s: %d", bad, got.Status)
		}
	}
	if got := client.Get("/collections/other"); !strings.Contains(string(got.Body), `"storageCrs":"http`) {
		t.Errorf("%s", got.Body)
	}
}

// TestDeprecated: what a newer version replaces is left out, or found alone, for the asking; both come otherwise.
func TestDeprecated(t *testing.T) {
	app, _ := newApp(t, 4)
	client := contract.Client(t, app)
	for id, is := range map[string]string{"S2A_001": "true", "S2A_002": "false"} {
		got := client.Do("PATCH", "/collections/sentinel-2-l1c/items/"+id, `{"properties":{"deprecated":`+is+`}}`, "Content-Type", stac.TypeMergePatch)
		if got.Status != 204 {
			t.Fatalf("PATCH: %d %s", got.Status, got.Body)
		}
	}
	for asked, want := range map[string]string{"": "S2A_003 S2A_002 S2A_001 S2A_000", "true": "S2A_001", "false": "S2A_003 S2A_002 S2A_000"} {
		body, parameter := `{}`, ""
		if asked != "" {
			body, parameter = `{"deprecated":`+asked+`}`, "?deprecated="+asked
		}
		var some, all, posted found
		client.Get("/collections/sentinel-2-l1c/items"+parameter).JSON(t, &some)
		client.Get("/search"+parameter).JSON(t, &all)
		client.Post("/search", body).JSON(t, &posted)
		if ids(some) != want || ids(all) != want || ids(posted) != want {
			t.Errorf("deprecated=%s: %q, %q, %q, want %q", asked, ids(some), ids(all), ids(posted), want)
		}
	}
	var counted struct{ Aggregations []struct{ Value any } }
	client.Get("/aggregate?aggregations=total_count&deprecated=false").JSON(t, &counted)
	if len(counted.Aggregations) != 1 || counted.Aggregations[0].Value != 3.0 {
		t.Errorf("counted without what is deprecated: %+v", counted)
	}
	if got := client.Get("/search?deprecated=perhaps"); got.Status != 400 {
		t.Errorf("deprecated=perhaps: %d", got.Status)
	}
}
