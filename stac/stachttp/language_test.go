package stachttp

import (
	"net/http"
	"strings"
	"testing"

	"swath/internal/contract"
	"swath/stac"
)

// TestLanguages: the texts of a collection come in the language that is asked for, by header or parameter, and a change made in one
// language keeps the others.
func TestLanguages(t *testing.T) {
	app, store := newApp(t, 0)
	client := contract.Client(t, app)
	put := func(body string) {
		t.Helper()
		if err := store.PutCollection(t.Context(), stac.Collection{ID: "other", Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	put(`{"type":"Collection","stac_version":"1.1.0","id":"other","title":"Snow","description":"About snow","license":"other",` +
		`"extent":{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}},"language":{"code":"en"},"languages":[{"code":"fr"}],` +
		`"swath:translations":{"fr":{"title":"Neige","description":"De la neige"}}}`)
	for _, tc := range []struct{ target, header, says, language string }{
		{"/collections/other", "", `"title":"Snow"`, "en"},
		{"/collections/other", "fr-FR,fr;q=0.9,en;q=0.5", `"title":"Neige"`, "fr"},
		{"/collections/other?language=fr", "en", `"title":"Neige"`, "fr"},
		{"/collections/other", "de", `"title":"Snow"`, "en"},
		{"/collections/other", "fr", `"Ses items"`, "fr"},
		{"/collections/other", ";;;", `"title":"Snow"`, "en"},
		{"/collections", "", `"title":"Snow"`, "en"},
		{"/collections", "fr", `"title":"Neige"`, "fr, en"},
		{"/collections", "fr", `"title":"Neige"`, "fr, en"}, // the kept one
		{"/collections", "it,fr", `"title":"Neige"`, "fr, en"},
		{"/collections", "en", `"title":"Snow"`, "en"},
		{"/collections?language=fr&limit=1", "", `language=fr`, "fr"}, // its next link
		{"/collections?q=neige", "", `"title":"Snow"`, "en"},
		{"/children", "fr", `"title":"Neige"`, "fr, en"},
		{"/", "", `"languages":[{"alternate":"French","code":"fr"`, "en"},
		{"/", "fr", `"title":"Neige"`, "fr"},
		{"/?language=fr", "", `"title":"Recherche"`, "fr"},
	} {
		answer := client.Get(tc.target, "Accept-Language", tc.header)
		if answer.Status != http.StatusOK || !strings.Contains(string(answer.Body), tc.says) {
			t.Errorf("%s in %q: %d, without %s: %s", tc.target, tc.header, answer.Status, tc.says, answer.Body)
		}
		if got := answer.Header.Get("Content-Language"); got != tc.language || !strings.Contains(answer.Header.Get("Vary"), "Accept-Language") {
			t.Errorf("%s in %q: Content-Language %q, want %q; Vary %q", tc.target, tc.header, got, tc.language, answer.Header.Get("Vary"))
		}
	}
	for _, tc := range []struct{ method, body, contentType string }{
		{http.MethodPatch, `{"title":"Neige fraîche"}`, stac.TypeMergePatch},
		{http.MethodPut, "", stac.TypeJSON},
	} {
		french := client.Get("/collections/other", "Accept-Language", "fr")
		body := tc.body
		if body == "" {
			body = strings.Replace(string(french.Body), "De la neige", "De la neige, partout", 1)
		}
		headers := []string{"Accept-Language", "fr", "If-Match", french.Header.Get("ETag"), "Content-Type", tc.contentType}
		if answer := client.Do(tc.method, "/collections/other", body, headers...); answer.Status != http.StatusNoContent {
			t.Errorf("%s: %d %s", tc.method, answer.Status, answer.Body)
		}
	}
	if got := string(client.Get("/collections/other").Body); !strings.Contains(got, `"title":"Snow"`) || !strings.Contains(got, `"description":"About snow"`) {
		t.Errorf("in English after changes in French: %s", got)
	}
	if got := string(client.Get("/collections/other?language=fr").Body); !strings.Contains(got, "Neige fraîche") || !strings.Contains(got, "De la neige, partout") {
		t.Errorf("in French after changes in French: %s", got)
	}
	wrong := `{"type":"Collection","stac_version":"1.1.0","id":"wrong","description":"x","license":"other","swath:translations":{"fr":{"title":"x"}}}`
	if answer := client.Post("/collections", wrong); answer.Status != http.StatusBadRequest || !strings.Contains(string(answer.Body), "languages") {
		t.Errorf("translations that are not listed: %d %s", answer.Status, answer.Body)
	}
	if answer := client.Get("/?language=not%20a%20tag"); answer.Status != http.StatusBadRequest {
		t.Errorf("a language that is none: %d", answer.Status)
	}
}
