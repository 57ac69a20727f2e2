package stachttp

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"swath/httpkit"
	"swath/internal/contract"
	"swath/openapi"
	"swath/stac"
)

const bare = `{"type":"Feature","stac_version":"1.1.0","id":"%s","geometry":{"type":"Point","coordinates":[1,2]},"bbox":[1,2,1,2],` +
	`"properties":{"datetime":"2020-01-01T00:00:00Z","n":1},"assets":{}}`

func TestTransactionsOfItems(t *testing.T) {
	app, _ := newApp(t, 1)
	client := contract.Client(t, app)
	const items, one = "/collections/other/items", "/collections/other/items/new"
	want := func(what string, got contract.Response, status int, words ...string) contract.Response {
		t.Helper()
		for _, word := range words {
			if !strings.Contains(string(got.Body), word) {
				t.Errorf("%s: %s lacks %q", what, got.Body, word)
			}
		}
		if got.Status != status {
			t.Errorf("%s: %d %s, want %d", what, got.Status, got.Body, status)
		}
		return got
	}
	made := want("POST", client.Do("POST", items, fmt.Sprintf(bare, "new"), "Content-Type", "application/geo+json"), 201, `"collection":"other"`, `"rel":"self"`)
	if made.Header.Get("Location") != base+one {
		t.Errorf("Location is %q", made.Header.Get("Location"))
	}
	contract.ValidateItem(t, made.Body)
	read := want("GET", client.Get(one), 200)
	if read.Header.Get("ETag") != made.Header.Get("ETag") || string(read.Body) != string(made.Body) {
		t.Errorf("GET gives %s, POST gave %s", read.Header.Get("ETag"), made.Header.Get("ETag"))
	}
	want("POST again", client.Do("POST", items, fmt.Sprintf(bare, "new")), 409, "PUT replaces it")
	want("POST elsewhere", client.Do("POST", "/collections/none/items", fmt.Sprintf(bare, "x")), 404, "none")
	want("POST another collection's", client.Do("POST", items, strings.Replace(fmt.Sprintf(bare, "x"), `"type"`, `"collection":"sentinel-2-l1c","type"`, 1)), 400, "collection")
	want("POST nothing", client.Do("POST", items, ""), 400, "empty")
	want("POST text", client.Do("POST", items, "x", "Content-Type", "text/plain"), 415, "text/plain")
	want("POST half", client.Do("POST", items, `{"type":"Feature"`), 400, "JSON")
	want("POST no id", client.Do("POST", items, `{"type":"Feature"}`), 400, "id")
	want("POST no time", client.Do("POST", items, strings.Replace(fmt.Sprintf(bare, "x"), `"datetime"`, `"date"`, 1)), 400, "datetime")

	tag := read.Header.Get("ETag")
	changed := strings.Replace(fmt.Sprintf(bare, "new"), `"n":1`, `"n":2`, 1)
	want("PUT stale", client.Do("PUT", one, changed, "If-Match", `"other"`), 412, "changed")
	want("PUT", client.Do("PUT", one, changed, "If-Match", tag), 204)
	want("PUT stale now", client.Do("PUT", one, changed, "If-Match", tag), 412)
	want("GET changed", client.Get(one), 200, `"n":2`)
	want("PUT missing", client.Do("PUT", items+"/none", strings.Replace(changed, `"new"`, `"none"`, 1)), 404, "none")
	want("PUT another id", client.Do("PUT", one, fmt.Sprintf(bare, "other-id")), 400, "id")

	want("merge patch", client.Do("PATCH", one, `{"properties":{"n":null,"m":{"deep":[1]}}}`, "Content-Type", stac.TypeMergePatch, "Prefer", "return=representation"), 200, `"m":{"deep":[1]}`)
	want("JSON patch", client.Do("PATCH", one, `[{"op":"test","path":"/properties/m/deep/0","value":1},{"op":"add","path":"/properties/m/deep/-","value":2}]`, "Content-Type", stac.TypeJSONPatch), 204)
	want("JSON patch that tests", client.Do("PATCH", one, `[{"op":"test","path":"/properties/m/deep/0","value":9}]`, "Content-Type", stac.TypeJSONPatch), 409, "test")
	want("JSON patch of nothing", client.Do("PATCH", one, `[{"op":"remove","path":"/properties/none"}]`, "Content-Type", stac.TypeJSONPatch), 400)
	want("broken patch", client.Do("PATCH", one, `[1]`, "Content-Type", stac.TypeMergePatch), 400, "object")
	want("patch of the id", client.Do("PATCH", one, `{"id":"x"}`, "Content-Type", stac.TypeMergePatch), 400, "id")
	want("patch of the time", client.Do("PATCH", one, `{"properties":{"datetime":"never"}}`, "Content-Type", stac.TypeMergePatch), 400, "never")
	if got := client.Get(one); strings.Contains(string(got.Body), `"n":`) || !strings.Contains(string(got.Body), `[1,2]`) {
		t.Errorf("after the patches: %s", got.Body)
	}
	want("DELETE stale", client.Do("DELETE", one, "", "If-Match", `"x"`), 412)
	want("DELETE", client.Do("DELETE", one, ""), 204)
	want("GET deleted", client.Get(one), 404)
	want("DELETE again", client.Do("DELETE", one, ""), 204)
	want("DELETE what must be there", client.Do("DELETE", one, "", "If-Match", "*"), 404)
	want("DELETE elsewhere", client.Do("DELETE", "/collections/none/items/new", ""), 404)

	many := func(ids ...string) string {
		var all []string
		for _, id := range ids {
			all = append(all, fmt.Sprintf(bare, id))
		}
		return strings.Join(all, ",")
	}
	want("a collection of features", client.Do("POST", items, `{"type":"FeatureCollection","features":[`+many("a", "b")+`]}`), 201, `["a","b"]`)
	want("one is there", client.Do("POST", items, `{"type":"FeatureCollection","features":[`+many("c", "a")+`]}`), 409)
	want("and none was put", client.Get(items+"/c"), 404)
	want("lines", client.Do("POST", items, strings.ReplaceAll(many("d", "e"), "},{\"type\":\"Feature\"", "}\n{\"type\":\"Feature\""), "Content-Type", typeNDJSON), 201, `["d","e"]`)
	want("bulk", client.Do("POST", "/collections/other/bulk_items", `{"items":{"f":`+many("f")+`,"a":`+many("a")+`},"method":"upsert"}`), 201, `["a","f"]`)
	want("bulk insert", client.Do("POST", "/collections/other/bulk_items", `{"items":{"f":`+many("f")+`}}`), 409)
	want("bulk of other names", client.Do("POST", "/collections/other/bulk_items", `{"items":{"g":`+many("h")+`}}`), 400, "id")
}

// TestOwnObjectsStayOurs: the object behind an asset is not the client's to name, and an item comes back as it went out.
func TestOwnObjectsStayOurs(t *testing.T) {
	app, store := newApp(t, 1)
	client := contract.Client(t, app)
	const one = "/collections/sentinel-2-l1c/items/S2A_000"
	before, err := store.Item(t.Context(), "sentinel-2-l1c", "S2A_000")
	if err != nil {
		t.Fatal(err)
	}
	served := client.Get(one).Body
	if got := client.Do("PUT", one, string(served)); got.Status != 204 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if after, err := store.Item(t.Context(), "sentinel-2-l1c", "S2A_000"); err != nil || string(after.Body) != string(before.Body) {
		t.Errorf("an item that is put as it was served becomes\n%s\nfrom\n%s", after.Body, before.Body)
	}
	var bare map[string]any
	if err := json.Unmarshal(served, &bare); err != nil {
		t.Fatal(err)
	}
	for _, asset := range bare["assets"].(map[string]any) {
		delete(asset.(map[string]any), stac.ObjectField) // as clients do that write what they know
	}
	bare["properties"].(map[string]any)["title"] = "edited"
	text, _ := json.Marshal(bare)
	elsewhere := strings.Replace(string(text), base+"/collections/sentinel-2-l1c/items/S2A_000/assets/thumbnail", "https://elsewhere.example/t.png", 1)
	for name, put := range map[string]func(body string) int{
		"PUT": func(body string) int { return client.Do("PUT", one, body).Status },
		"bulk": func(body string) int {
			return client.Post("/collections/sentinel-2-l1c/bulk_items", `{"items":{"S2A_000":`+body+`},"method":"upsert"}`).Status
		},
		"PATCH": func(body string) int {
			return client.Do("PATCH", one, body, "Content-Type", stac.TypeMergePatch).Status
		},
	} {
		for body, want := range map[string]int{string(text): 14, strings.Replace(string(served), `"swath:object":"k"`, `"swath:object":"stale"`, 1): 14, elsewhere: 13} {
			if err := store.DeleteItem(t.Context(), "sentinel-2-l1c", "S2A_000"); err != nil {
				t.Fatal(err)
			}
			if _, err := store.PutItem(t.Context(), before); err != nil {
				t.Fatal(err)
			}
			status := put(body)
			it, err := store.Item(t.Context(), "sentinel-2-l1c", "S2A_000")
			if n := strings.Count(string(it.Body), stac.ObjectField); err != nil || status >= 300 || n != want || strings.Contains(string(it.Body), "stale") {
				t.Errorf("%s: %d, %v: %d of %d objects in %s", name, status, err, n, want, it.Body)
			}
		}
	}
	stolen := strings.Replace(string(served), `"swath:object":"k"`, `"swath:object":"secret/key"`, 1)
	client.Do("PUT", one, stolen)
	client.Do("POST", "/collections/other/items", strings.NewReplacer(`"S2A_000"`, `"copy"`, `"sentinel-2-l1c"`, `"other"`).Replace(string(served)))
	for collection, id := range map[string]string{"sentinel-2-l1c": "S2A_000", "other": "copy"} {
		it, err := store.Item(t.Context(), collection, id)
		if err != nil || strings.Contains(string(it.Body), "secret/key") || collection == "other" && strings.Contains(string(it.Body), stac.ObjectField) {
			t.Errorf("%s/%s: %v %s", collection, id, err, it.Body)
		}
	}
}

func TestTransactionsOfCollections(t *testing.T) {
	app, _ := newApp(t, 3)
	client := contract.Client(t, app)
	body := func(title string) string {
		return `{"type":"Collection","stac_version":"1.1.0","id":"made","title":"` + title + `","description":"d","license":"other","links":[],` +
			`"extent":{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}}}`
	}
	for _, step := range []struct {
		method, target, body string
		status               int
	}{
		{"POST", "/collections", body("one"), 201}, {"POST", "/collections", body("one"), 409}, {"POST", "/collections", `{"type":"Collection"}`, 400},
		{"POST", "/collections", strings.Replace(body("x"), `"made"`, `"a/b"`, 1), 400},
		{"PUT", "/collections/made", body("two"), 204}, {"PUT", "/collections/none", body("two"), 404}, {"PUT", "/collections/made", `{"type":"Collection","id":"x"}`, 400},
		{"POST", "/collections", `{"type":"Collection","id":"bare"}`, 400}, {"PATCH", "/collections/made", `{"license":null}`, 400},
		{"PATCH", "/collections/made", `{"keywords":["k"]}`, 204}, {"POST", "/collections/made/items", fmt.Sprintf(bare, "i"), 201},
		{"GET", "/collections/made/items/i", "", 200}, {"DELETE", "/collections/made", "", 204}, {"DELETE", "/collections/made", "", 404},
		{"GET", "/collections/made/items/i", "", 404}, {"POST", "/collections", body("again"), 201}, {"GET", "/collections/made/items/i", "", 404},
	} {
		got := client.Do(step.method, step.target, step.body)
		if got.Status != step.status {
			t.Errorf("%s %s: %d %s, want %d", step.method, step.target, got.Status, got.Body, step.status)
		}
		if got := client.Get("/collections/made"); step.method == "PATCH" && step.status < 300 && (!strings.Contains(string(got.Body), `"keywords":["k"]`) || !strings.Contains(string(got.Body), `"two"`)) {
			t.Errorf("patched: %s", got.Body)
		}
	}
}

// TestEveryIncrementCounts: many clients add one to a number, each by reading, changing and writing under If-Match.
func TestEveryIncrementCounts(t *testing.T) {
	app, _ := newApp(t, 0)
	client := contract.Client(t, app)
	client.Do("POST", "/collections/other/items", fmt.Sprintf(bare, "n"))
	const one = "/collections/other/items/n"
	var group sync.WaitGroup
	var done, refused atomic.Int64
	for range 4 {
		group.Go(func() {
			for range 5 {
				for {
					read := client.Get(one)
					var it map[string]any
					if err := json.Unmarshal(read.Body, &it); err != nil {
						t.Error(err)
						return
					}
					properties := it["properties"].(map[string]any)
					properties["n"] = properties["n"].(float64) + 1
					text, _ := json.Marshal(it)
					got := client.Do("PUT", one, string(text), "If-Match", read.Header.Get("ETag"))
					if got.Status == 204 {
						done.Add(1)
						break
					}
					if refused.Add(1); got.Status != 412 {
						t.Errorf("%d %s", got.Status, got.Body)
						return
					}
				}
			}
		})
	}
	group.Wait()
	if got := client.Get(one); !strings.Contains(string(got.Body), `"n":21`) || done.Load() != 20 {
		t.Errorf("%d increments, %d refused: %s", done.Load(), refused.Load(), got.Body)
	}
}

func TestWhoMayChange(t *testing.T) {
	_, store := newApp(t, 1)
	for changes, want := range map[string]int{Open: 204, Local: 403, Closed: 403, "": 403} { // tests come from 0.0.0.0
		app := httpkit.New(httpkit.Config{Log: slog.New(slog.DiscardHandler)})
		API{Catalog: store, Analyst: store, Editor: store, Carts: store, Memory: store, Generation: store.CollectionsGeneration, Changes: changes, Document: openapi.Document}.Mount(app)
		client := contract.Client(t, app)
		put := func(headers ...string) int {
			return client.Do("PUT", "/collections/other/items/n", fmt.Sprintf(bare, "n"), headers...).Status
		}
		client.Do("POST", "/collections/other/items", fmt.Sprintf(bare, "n"))
		if got := put(); got != want {
			t.Errorf("%q: %d, want %d", changes, got, want)
		}
		if changes == Open {
			if got := put("Origin", "https://evil.example"); got != 403 {
				t.Errorf("a page of another site: %d", got)
			}
			if got := put("Origin", base); got != want {
				t.Errorf("a page of ours: %d", got)
			}
		}
	}
}
