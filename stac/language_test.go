package stac

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestPreferences: the expected tags are those of RFC 9110's rules, read by hand.
func TestPreferences(t *testing.T) {
	for _, tc := range []struct {
		header  string
		offered string
		want    string
	}{
		{"", "en fr", "en"},
		{"fr", "en fr", "fr"},
		{"fr-FR,fr;q=0.9,en;q=0.5", "en fr", "fr"},
		{"en;q=0.5, fr;q=0.9", "en fr", "fr"},
		{"de, fr;q=0.1", "en fr", "fr"},
		{"de", "en fr", "en"},
		{"fr;q=0", "en fr", "en"},
		{"pt-BR", "en pt-PT pt-BR", "pt-BR"},
		{"pt", "en pt-PT pt-BR", "pt-PT"},
		{"FR-ca", "en fr", "fr"},
		{"*", "en fr", "en"},
		{"zz, fr;q=0.5", "en fr", "fr"}, // zz is well formed, and no language
		{"zz", "en fr", "en"},
	} {
		p, err := ReadPreferences(tc.header)
		if err != nil {
			t.Errorf("%q: %v", tc.header, err)
		}
		if got := p.Pick(strings.Fields(tc.offered)...); got != tc.want {
			t.Errorf("%q of %s: %s, want %s", tc.header, tc.offered, got, tc.want)
		}
	}
	for _, header := range []string{"not a language", "fr;q=much", strings.Repeat("x", 100)} {
		if _, err := ReadPreferences(header); err == nil {
			t.Errorf("%q is read", header)
		}
	}
	p, _ := ReadPreferences("de,fr;q=0.9,it;q=0.8")
	if got := p.Among([]string{"en", "fr", "it"}).String(); got != "fr,it" {
		t.Errorf("among en, fr, it: %s", got)
	}
}

const trilingual = `{"id":"c","title":"Snow","description":"About snow","keywords":["snow"],"item_assets":{"B02":{"title":"Blue","type":"x"}},
	"language":{"code":"en","name":"English"},"languages":[{"code":"fr","name":"Français"},{"code":"de","name":"Deutsch","alternate":"German"}],
	"swath:translations":{"fr":{"title":"Neige","description":"De la neige","item_assets":{"B02":{"title":"Bleu"}},"note":"seulement ici"},
	"de":{"title":"Schnee","keywords":["Schnee"]}}}`

// TestTranslate: each translation has its own texts, and the default's where it has none; every way back leads to the same document.
func TestTranslate(t *testing.T) {
	read := func(body []byte) (d map[string]any) {
		t.Helper()
		if err := json.Unmarshal(body, &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	texts := func(body []byte) map[string]any {
		d := read(body)
		delete(d, TranslationsField)
		delete(d, "languages")
		delete(d, "language")
		return d
	}
	en := []byte(trilingual)
	fr, de := Translate(en, "fr"), Translate(en, "de")
	if d := read(fr); d["title"] != "Neige" || d["description"] != "De la neige" || d["note"] != "seulement ici" || !reflect.DeepEqual(d["keywords"], []any{"snow"}) ||
		!reflect.DeepEqual(d["item_assets"], map[string]any{"B02": map[string]any{"title": "Bleu", "type": "x"}}) || d["language"].(map[string]any)["code"] != "fr" {
		t.Errorf("in French: %s", fr)
	}
	if d := read(de); d["title"] != "Schnee" || d["description"] != "About snow" || !reflect.DeepEqual(d["keywords"], []any{"Schnee"}) ||
		d["language"].(map[string]any)["alternate"] != "German" {
		t.Errorf("in German: %s", de)
	}
	for name, body := range map[string][]byte{"fr": fr, "de": de} {
		if err := CheckTranslations(body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := LanguagesOf(body); len(got) != 3 || got[0] != name {
			t.Errorf("%s has %v", name, got)
		}
	}
	for name, ways := range map[string][][]byte{
		"en": {Translate(fr, "en"), Translate(de, "en"), Translate(Translate(fr, "de"), "en")},
		"fr": {Translate(de, "fr"), Translate(Translate(fr, "en"), "fr")},
		"de": {Translate(fr, "de"), Translate(Translate(de, "fr"), "de")},
	} {
		want := texts(Translate(en, name))
		for i, body := range ways {
			if got := texts(body); !reflect.DeepEqual(got, want) {
				t.Errorf("%s by way %d: %v, want %v", name, i, got, want)
			}
		}
	}
	if got := Translate(en, "it"); string(got) != trilingual {
		t.Errorf("a language it does not have: %s", got)
	}
	if got := LanguagesOf([]byte(`{"title":"x"}`)); !slices.Equal(got, []string{"en"}) {
		t.Errorf("without a language: %v", got)
	}
}

// TestTranslationsAreChecked: the reason names what is wrong.
func TestTranslationsAreChecked(t *testing.T) {
	for body, says := range map[string]string{
		`{"swath:translations":{"fr":{"title":"x"}}}`:                                                      "languages",
		`{"languages":[{"code":"fr"}],"swath:translations":{"fr":[]}}`:                                     "fr",
		`{"languages":[{"code":"fr"}],"swath:translations":{"fr":{"id":"x"}}}`:                             `"id"`,
		`{"languages":[{"code":"french lang"}],"swath:translations":{"french lang":{"title":"x"}}}`:        "french lang",
		`{"language":{"code":"no tag"},"swath:translations":{}}`:                                           "no tag",
		`{"language":{"code":"fr"},"languages":[{"code":"fr"}],"swath:translations":{"fr":{"title":"x"}}}`: "fr",
		`{"languages":"fr","swath:translations":{}}`:                                                       "languages",
	} {
		if err := CheckTranslations([]byte(body)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", body, err)
		}
	}
	if err := CheckTranslations([]byte(trilingual)); err != nil {
		t.Error(err)
	}
}
