package stachttp

import (
	"net/url"
	"strings"
	"testing"

	"swath/internal/contract"
	"swath/stac"
)

// TestFieldsOfExtensions stores an item with the fields of extensions that say how a product is kept and sold, finds it by
// them, and gets it as it was sent.
func TestFieldsOfExtensions(t *testing.T) {
	app, _ := newApp(t, 3)
	client := contract.Client(t, app)
	const extension = `"https://stac-extensions.github.io/`
	properties := `"datetime":"2020-01-01T00:00:00Z","version":"2","deprecated":true,` +
		`"published":"2020-02-01T00:00:00Z","expires":"2031-01-01T00:00:00Z","unpublished":"2032-01-01T00:00:00Z",` +
		`"order:status":"orderable","order:id":"A-17","order:expiration_date":"2031-01-01T00:00:00Z",` +
		`"storage:schemes":{"cold":{"type":"custom-s3","platform":"https://s3.example","region":"eu","requester_pays":false}},` +
		`"language":{"code":"fr","name":"Français","alternate":"French"},"languages":[{"code":"en"}]`
	links := []string{
		`{"rel":"predecessor-version","href":"` + base + `/collections/sentinel-2-l1c/items/S2A_000","type":"application/geo+json"}`,
		`{"rel":"license","href":"https://elsewhere.example/licence","hreflang":"fr"}`,
	}
	assets := `{"data":{"href":"s3://bucket/key.tif","type":"image/tiff","storage:refs":["cold"],"hreflang":"fr"}}`
	sent := `{"type":"Feature","stac_version":"1.1.0","stac_extensions":[` + extension + `version/v1.2.0/schema.json",` + extension + `timestamps/v1.1.0/schema.json",` +
		extension + `order/v1.1.0/schema.json",` + extension + `storage/v2.0.0/schema.json",` + extension + `language/v1.0.0/schema.json"],"id":"v2",` +
		`"geometry":{"type":"Point","coordinates":[5,5]},"bbox":[5,5,5,5],"properties":{` + properties + `},"assets":` + assets +
		`,"links":[{"rel":"self","href":"http://old.example/v2"},` + strings.Join(links, ",") + `]}`
	if got := client.Post("/collections/sentinel-2-l1c/items", sent); got.Status != 201 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	one := client.Get("/collections/sentinel-2-l1c/items/v2")
	for _, want := range append(links, properties, assets) {
		if !strings.Contains(string(one.Body), want) {
			t.Errorf("%s is missing from %s", want, one.Body)
		}
	}
	if strings.Contains(string(one.Body), "old.example") {
		t.Errorf("the address where it was before is served: %s", one.Body)
	}
	for _, filter := range []string{`version = '2'`, `deprecated = TRUE`, `"published" < TIMESTAMP('2020-03-01T00:00:00Z')`, `expires > TIMESTAMP('2030-01-01T00:00:00Z')`,
		`"order:status" = 'orderable'`, `"storage:schemes.cold.platform" = 'https://s3.example'`, `"language.code" = 'fr'`} {
		var page found
		client.Get("/search?filter="+url.QueryEscape(filter)).JSON(t, &page)
		if ids(page) != "v2" {
			t.Errorf("%s found %q", filter, ids(page))
			continue
		}
		if link(page.Features[0].Links, "predecessor-version", "") == nil {
			t.Errorf("%s found it without its earlier version", filter)
		}
	}
	var page found
	client.Get("/search?ids=v2&fields=id,links&crs=http://www.opengis.net/def/crs/EPSG/0/3857").JSON(t, &page)
	if f := page.Features; len(f) != 1 || link(f[0].Links, "license", "") == nil || link(f[0].Links, "self", "") == nil {
		t.Errorf("links alone: %v", f)
	}
	if again := client.Do("PUT", "/collections/sentinel-2-l1c/items/v2", string(one.Body)); again.Status != 204 {
		t.Errorf("%d %s", again.Status, again.Body)
	}
	if after := client.Get("/collections/sentinel-2-l1c/items/v2"); string(after.Body) != string(one.Body) {
		t.Errorf("put as it was got it became\n%s\nfrom\n%s", after.Body, one.Body)
	}
	license := `{"rel":"license","href":"https://elsewhere.example/licence"}`
	if got := client.Do("PATCH", "/collections/other", `{"links":[`+license+`]}`, "Content-Type", stac.TypeMergePatch); got.Status >= 300 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	for _, target := range []string{"/collections/other", "/collections"} {
		if got := client.Get(target); !strings.Contains(string(got.Body), license) {
			t.Errorf("%s: %s", target, got.Body)
		}
	}
}
