package stachttp

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"swath/internal/contract"
	"swath/stac"
)

// TestEveryItemCanBeBrowsed walks the tree by links alone.
func TestEveryItemCanBeBrowsed(t *testing.T) {
	app, store := newApp(t, 0)
	var want []string
	for i := range 130 {
		it := item("sentinel-2-l1c", fmt.Sprintf("S2A_%03d", i), i)
		switch i % 4 {
		case 0:
			it.Body = []byte(strings.Replace(string(it.Body), `"eo:cloud_cover"`, `"grid:code":"MGRS-31TCJ","eo:cloud_cover"`, 1))
		case 1:
			it.Body = []byte(strings.Replace(string(it.Body), `"eo:cloud_cover"`, `"s2:mgrs_tile":"31TDH","eo:cloud_cover"`, 1))
		case 2:
			it.Body = []byte(strings.Replace(string(it.Body), `2018-06`, `2019-07`, 1))
		}
		want = append(want, it.Collection+"/"+it.ID)
		if _, err := store.PutItem(t.Context(), it); err != nil {
			t.Fatal(err)
		}
		other := item("other", it.ID, i)
		want = append(want, "other/"+it.ID)
		if _, err := store.PutItem(t.Context(), other); err != nil {
			t.Fatal(err)
		}
	}
	client := contract.Client(t, app)
	seen, found := map[string]bool{}, map[string]bool{}
	queue := []string{"/?f=json"}
	for len(queue) > 0 && len(seen) < 200 {
		target := queue[0]
		queue = queue[1:]
		if seen[target] {
			continue
		}
		seen[target] = true
		got := client.Get(target)
		var node struct {
			Type  string
			Links []stac.Link
		}
		got.JSON(t, &node)
		if got.Status != 200 || node.Type == "Catalog" && target != "/?f=json" && link(node.Links, "parent", "") == nil {
			t.Fatalf("%s: %d %s", target, got.Status, got.Body)
		}
		if node.Type == "Catalog" {
			contract.ValidateCatalog(t, got.Body)
			if page := client.Get(strings.SplitN(target, "?token", 2)[0], "Accept", "text/html"); !strings.Contains(target, "token=") && target != "/?f=json" && page.Status != 200 {
				t.Errorf("%s as a page: %d", target, page.Status)
			}
		}
		for _, l := range node.Links {
			switch l.Rel {
			case "child", "next":
				queue = append(queue, l.Href)
			case "item":
				u, err := url.Parse(l.Href)
				if err != nil {
					t.Fatal(err)
				}
				parts := strings.Split(u.Path, "/")
				found[parts[2]+"/"+parts[4]] = true
			}
		}
	}
	for _, name := range want {
		if !found[name] {
			t.Errorf("%s was not found by links", name)
		}
	}
	for target, status := range map[string]int{"/browse/none": 404, "/collections/none/browse": 404, "/collections/other/browse/x": 404,
		"/collections/other/browse/2018/MGRS-none": 200, "/collections/other/browse/2018/06?token=x": 400} {
		if got := client.Get(target); got.Status != status {
			t.Errorf("%s: %d, want %d", target, got.Status, status)
		}
	}
}

func TestAggregate(t *testing.T) {
	app, _ := newApp(t, 24)
	client := contract.Client(t, app)
	type answer struct {
		Aggregations []struct {
			Name     string
			Value    any
			Overflow int
			Buckets  []struct {
				Key       string
				Frequency int
				From, To  *float64
			}
		}
	}
	for _, under := range []string{"", "/collections/sentinel-2-l1c"} {
		var list struct {
			Aggregations []struct{ Name string }
		}
		client.Get(under+"/aggregations").JSON(t, &list)
		names := make([]string, len(list.Aggregations))
		for i, one := range list.Aggregations {
			names[i] = one.Name
		}
		if !slices.Contains(names, "total_count") {
			t.Errorf("%s lists %v", under, names)
		}
		filter := `"eo:cloud_cover" < 12`
		var a, b answer
		client.Get(under+"/aggregate?aggregations="+strings.Join(names, ",")+"&filter="+url.QueryEscape(filter)).JSON(t, &a)
		body, _ := json.Marshal(map[string]any{"aggregations": names, "filter": filter, "filter-lang": "cql2-text"})
		client.Post(under+"/aggregate", string(body)).JSON(t, &b)
		for _, got := range []answer{a, b} {
			for _, one := range got.Aggregations {
				switch one.Name {
				case "total_count":
					if one.Value != 12.0 {
						t.Errorf("%s counts %v", under, one.Value)
					}
				case "cloud_cover_frequency":
					if len(one.Buckets) != 2 || one.Buckets[0].Frequency != 10 || one.Buckets[1].Key != "10-20" || *one.Buckets[1].To != 20 {
						t.Errorf("%s: %+v", under, one)
					}
				case "datetime_max":
					if one.Value != "2018-06-01T11:00:00Z" {
						t.Errorf("%s: %+v", under, one)
					}
				}
			}
		}
	}
	for _, bad := range []string{"/aggregate", "/aggregate?aggregations=none", "/aggregate?aggregations=total_count&limit=1", "/aggregate?aggregations=total_count&sortby=id",
		"/aggregate?aggregations=centroid_geohash_grid_frequency&centroid_geohash_grid_frequency_precision=0",
		"/aggregate?aggregations=datetime_frequency&datetime_frequency_interval=week", "/aggregate?aggregations=total_count&bbox=1"} {
		if got := client.Get(bad); got.Status != 400 {
			t.Errorf("%s: %d %s", bad, got.Status, got.Body)
		}
	}
	if got := client.Get("/collections/none/aggregate?aggregations=total_count"); got.Status != 404 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestQueryablesSayWhatItemsHave(t *testing.T) {
	app, _ := newApp(t, 5)
	client := contract.Client(t, app)
	var schema struct {
		Properties map[string]struct {
			Type             string
			Minimum, Maximum *float64
		}
	}
	client.Get("/collections/sentinel-2-l1c/queryables").JSON(t, &schema)
	cloud := schema.Properties["eo:cloud_cover"]
	if cloud.Type != "integer" || cloud.Minimum == nil || *cloud.Minimum != 0 || *cloud.Maximum != 4 || schema.Properties["id"].Type != "string" {
		t.Errorf("%+v", schema)
	}
	if page := client.Get("/queryables", "Accept", "text/html"); !strings.Contains(string(page.Body), "0 to 4") {
		t.Errorf("%s", page.Body)
	}
}

func TestSearchForCollections(t *testing.T) {
	app, store := newApp(t, 2)
	for i, box := range []string{"[[170,-10,-170,10]]", "[[0,40,10,50]]"} {
		body := fmt.Sprintf(`{"type":"Collection","stac_version":"1.1.0","id":"c%d","title":"Forêt %d","description":"d","license":"l%d","keywords":["trees"],"summaries":{"gsd":[%d0]},`+
			`"extent":{"spatial":{"bbox":%s},"temporal":{"interval":[["200%d-01-01T00:00:00Z","200%d-12-31T00:00:00Z"]]}},"links":[]}`, i, i, i, i+1, box, i, i)
		if err := store.PutCollection(t.Context(), stac.Collection{ID: fmt.Sprintf("c%d", i), Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	client := contract.Client(t, app)
	ask := func(query string) (ids []string, links []stac.Link, matched int) {
		t.Helper()
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Collections   []struct{ ID string }
			Links         []stac.Link
			NumberMatched int
		}
		client.Get("/collections?"+q.Encode()).JSON(t, &got)
		for _, c := range got.Collections {
			ids = append(ids, c.ID)
		}
		return ids, got.Links, got.NumberMatched
	}
	for query, want := range map[string]string{
		"": "c0 c1 other sentinel-2-l1c", "q=foret": "c0 c1", "q=trees AND 1": "c1", "bbox=5,45,6,46&q=trees": "c1", "bbox=-175,0,-174,1&q=trees": "c0", "bbox=175,0,176,1&q=trees": "c0",
		"bbox=100,0,101,1&q=trees": "", "datetime=2001-06-01T00:00:00Z/..&q=trees": "c1", "datetime=../1999-01-01T00:00:00Z&q=trees": "", "filter=license='l0'": "c0", "filter=id LIKE 'c_'": "c0 c1",
		"filter=A_CONTAINS(gsd, (20))": "c1", "sortby=-id": "sentinel-2-l1c other c1 c0", "sortby=-license,id": "other sentinel-2-l1c c1 c0", "limit=1&sortby=id": "c0", `query={"license":{"eq":"l1"}}`: "c1", "fields=id": "c0 c1 other sentinel-2-l1c",
	} {
		if ids, _, _ := ask(query); strings.Join(ids, " ") != want {
			t.Errorf("%s found %v, want %s", query, ids, want)
		}
	}
	var walked []string
	for target := "/collections?limit=3"; target != ""; {
		var got struct {
			Collections   []struct{ ID string }
			Links         []stac.Link
			NumberMatched int
		}
		client.Get(target).JSON(t, &got)
		for _, c := range got.Collections {
			walked = append(walked, c.ID)
		}
		if target = ""; link(got.Links, "next", "") != nil {
			target = link(got.Links, "next", "").Href
		}
		if got.NumberMatched != 4 {
			t.Errorf("%d match", got.NumberMatched)
		}
	}
	if strings.Join(walked, " ") != "c0 c1 other sentinel-2-l1c" {
		t.Errorf("walked %v", walked)
	}
	// What is kept is forgotten when something changes.
	before := client.Get("/collections")
	if again := client.Get("/collections"); string(again.Body) != string(before.Body) {
		t.Error("asked twice, the answer is another")
	}
	if _, err := store.PutItem(t.Context(), item("other", "far", 149)); err != nil {
		t.Fatal(err)
	}
	client.Do("DELETE", "/collections/c0", "")
	if after := client.Get("/collections"); strings.Contains(string(after.Body), `"c0"`) {
		t.Error("a collection that is gone is still listed")
	}
}
