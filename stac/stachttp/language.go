package stachttp

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/stac"
)

// languageExtension is the schema of `language` and `languages`; how a client asks for one is said by
// https://github.com/stac-api-extensions/language (v1.0.0-rc.2).
const languageExtension = "https://stac-extensions.github.io/language/v1.0.0/schema.json"

// preferences returns the languages that a client's header asks for. A header that is not well formed asks for none: browsers
// send it without being told to.
func preferences(c *fiber.Ctx) stac.Preferences {
	p, err := stac.ReadPreferences(c.Get(fiber.HeaderAcceptLanguage))
	if err != nil {
		return nil
	}
	return p
}

// localQuery is query for answers that come in several languages: the parameter `language` goes before the header.
func localQuery(c *fiber.Ctx, known ...string) (url.Values, stac.Preferences, error) {
	q, err := query(c, append(slices.Clone(known), "language")...)
	if err != nil || !q.Has("language") {
		return q, preferences(c), err
	}
	p, err := stac.ReadPreferences(q.Get("language"))
	return q, p, err
}

// localized returns a collection in the language that is wanted most, links with titles that go with it, and that language.
func localized(l stac.Links, p stac.Preferences, one stac.Collection) (stac.Links, stac.Collection, string) {
	all := []stac.Collection{one}
	l, spoken := localize(l, p, all)
	return l, all[0], spoken
}

// localize does the same with many, in place; the languages are then all that occur.
func localize(l stac.Links, p stac.Preferences, all []stac.Collection) (stac.Links, string) {
	l.Language = p.Pick(stac.TitleLanguages...)
	var spoken []string
	for i := range all {
		language := stac.LanguageOf(all[i].Body)
		if len(p) > 0 {
			language = p.Pick(stac.LanguagesOf(all[i].Body)...)
			all[i].Body = stac.Translate(all[i].Body, language)
		}
		if !slices.Contains(spoken, language) {
			spoken = append(spoken, language)
		}
	}
	if len(spoken) == 0 {
		spoken = []string{l.Language}
	}
	return l, strings.Join(spoken, ", ")
}

// say tells the client the languages of an answer, and caches that they depend on what was asked for.
func say(c *fiber.Ctx, languages string) {
	c.Set(fiber.HeaderContentLanguage, languages)
	c.Vary(fiber.HeaderAcceptLanguage)
}

// offered are the languages of all collections and of our own titles.
func offered(all []stac.Collection) []string {
	tags := slices.Clone(stac.TitleLanguages)
	for _, one := range all {
		for _, tag := range stac.LanguagesOf(one.Body) {
			if !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

// names are the Language Objects of our own titles.
var names = map[string]fiber.Map{"en": {"code": "en", "name": "English"}, "fr": {"code": "fr", "name": "Français", "alternate": "French"}}

// languageMembers adds to a document of our own in which language it is, in which else it can be had, and where.
func languageMembers(body []byte, l stac.Links) ([]byte, error) {
	var document map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	others := []fiber.Map{}
	all, _ := document["links"].([]any)
	for _, tag := range stac.TitleLanguages {
		if tag != l.Language {
			others = append(others, names[tag])
			all = append(all, fiber.Map{"rel": "alternate", "type": stac.TypeJSON, "href": l.Base + "/?language=" + tag, "hreflang": tag, "title": names[tag]["name"]})
		}
	}
	extensions, _ := document["stac_extensions"].([]any)
	document["stac_extensions"] = append(extensions, languageExtension)
	document["language"], document["languages"], document["links"] = names[l.Language], others, all
	return json.Marshal(document)
}
