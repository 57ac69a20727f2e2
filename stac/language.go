package stac

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/buger/jsonparser"
	jsonpatch "github.com/evanphx/json-patch/v5"
	"golang.org/x/text/language"

	"swath/fault"
)

// TranslationsField is the member of a collection that holds its texts in other languages: by language tag (RFC 5646) what differs there,
// as a JSON Merge Patch (RFC 7396). The member `language` says in which language the document is, and `languages` in which else
// (https://stac-extensions.github.io/language/v1.0.0/schema.json).
const TranslationsField = "swath:translations"

// DefaultLanguage is that of what Swath itself says, and of documents that name none.
const DefaultLanguage = "en"

// maxLanguages bounds what is read of a client's preferences.
const maxLanguages = 10

// Preferences are language tags that a client asks for, the best first.
type Preferences []language.Tag

// ReadPreferences reads the value of an Accept-Language header (RFC 9110, 12.5.4), or of the parameter `language`, which is written alike.
func ReadPreferences(text string) (Preferences, error) {
	if text == "" {
		return nil, nil
	}
	type wish struct {
		tag     language.Tag
		quality float32
	}
	var wishes []wish
	for one := range strings.SplitSeq(text, ",") {
		tags, quality, err := language.ParseAcceptLanguage(one)
		if unknown := language.ValueError(nil); errors.As(err, &unknown) {
			continue // well formed, and a language that nobody speaks
		} else if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "%q is no list of languages, such as fr-FR, fr;q=0.9, en;q=0.5", text)
		}
		if len(tags) > 0 && quality[0] > 0 {
			wishes = append(wishes, wish{tags[0], quality[0]})
		}
	}
	slices.SortStableFunc(wishes, func(a, b wish) int { return cmp.Compare(b.quality, a.quality) })
	var p Preferences
	for _, one := range wishes[:min(len(wishes), maxLanguages)] {
		p = append(p, one.tag)
	}
	return p, nil
}

// Pick returns the tag of those that are offered which is wanted most: the same, or another of its base language. It returns the first of
// what is offered when none is.
func (p Preferences) Pick(offered ...string) string {
	for _, wanted := range p {
		if i := slices.IndexFunc(offered, func(one string) bool { return strings.EqualFold(one, wanted.String()) }); i >= 0 {
			return offered[i]
		}
		base, _ := wanted.Base()
		if i := slices.IndexFunc(offered, func(one string) bool { return baseOf(one) == base.String() }); i >= 0 {
			return offered[i]
		}
	}
	return offered[0]
}

// Among returns the preferences that any of some languages can meet.
func (p Preferences) Among(offered []string) Preferences {
	return slices.DeleteFunc(slices.Clone(p), func(wanted language.Tag) bool {
		base, _ := wanted.Base()
		return !slices.ContainsFunc(offered, func(one string) bool { return baseOf(one) == base.String() })
	})
}

// String is the same for preferences that are the same.
func (p Preferences) String() string {
	var tags []string
	for _, tag := range p {
		tags = append(tags, tag.String())
	}
	return strings.Join(tags, ",")
}

func baseOf(tag string) string {
	base, _, _ := strings.Cut(tag, "-")
	return strings.ToLower(base)
}

// translated is what a document says of its languages.
type translated struct {
	Language     languageObject             `json:"language"`
	Languages    []languageObject           `json:"languages"`
	Translations map[string]json.RawMessage `json:"swath:translations"`
}

// languageObject is the Language Object of the extension.
type languageObject struct {
	Code      string `json:"code"`
	Name      string `json:"name,omitempty"`
	Alternate string `json:"alternate,omitempty"`
	Dir       string `json:"dir,omitempty"`
}

// LanguageOf returns the language that a document is in.
func LanguageOf(body []byte) string {
	if !bytes.Contains(body, []byte(`"language"`)) {
		return DefaultLanguage
	}
	own, err := jsonparser.GetString(body, "language", "code")
	if err != nil || own == "" {
		return DefaultLanguage
	}
	return own
}

// LanguagesOf returns the languages of a document, the one that it is in first.
func LanguagesOf(body []byte) []string {
	all := []string{LanguageOf(body)}
	if bytes.Contains(body, []byte(TranslationsField)) {
		_ = jsonparser.ObjectEach(body, func(code, _ []byte, _ jsonparser.ValueType, _ int) error { // what is of another shape has none
			all = append(all, string(code))
			return nil
		}, TranslationsField)
		slices.Sort(all[1:])
	}
	return all
}

// Translate returns a document in another of its languages. Its texts of before become a translation, so that nothing is lost and the way
// back is the same. A document without that language stays as it is.
func Translate(body []byte, to string) []byte {
	own := LanguageOf(body)
	var d translated
	if to == own || !bytes.Contains(body, []byte(TranslationsField)) || json.Unmarshal(body, &d) != nil {
		return body
	}
	patch := d.Translations[to]
	var document, changes map[string]any
	if patch == nil || json.Unmarshal(body, &document) != nil || json.Unmarshal(patch, &changes) != nil {
		return body
	}
	back, err := json.Marshal(opposite(document, changes))
	if err != nil {
		return body
	}
	others, rest := map[string]json.RawMessage{own: back}, []languageObject{d.Language}
	rest[0].Code = own
	for code, of := range d.Translations {
		if code == to {
			continue
		}
		if others[code], err = jsonpatch.MergeMergePatches(back, of); err != nil {
			return body
		}
	}
	here := languageObject{Code: to}
	for _, one := range d.Languages {
		if one.Code == to {
			here = one
		} else if one.Code != own {
			rest = append(rest, one)
		}
	}
	out, err := jsonpatch.MergePatch(body, patch)
	if err != nil {
		return body
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(out, &members) != nil {
		return body
	}
	for name, value := range map[string]any{"language": here, "languages": rest, TranslationsField: others} {
		if members[name], err = json.Marshal(value); err != nil {
			return body
		}
	}
	if out, err = json.Marshal(members); err != nil {
		return body
	}
	return out
}

// opposite returns the merge patch that takes back what changes make of a document.
func opposite(document, changes map[string]any) map[string]any {
	back := make(map[string]any, len(changes))
	for name, change := range changes {
		inner, is := change.(map[string]any)
		before, was := document[name].(map[string]any)
		if is && was {
			back[name] = opposite(before, inner)
		} else {
			back[name] = document[name] // null where there was nothing
		}
	}
	return back
}

// CheckTranslations refuses a collection whose translations can't be served.
func CheckTranslations(body []byte) error {
	if !bytes.Contains(body, []byte(TranslationsField)) {
		return nil
	}
	var d translated
	if err := json.Unmarshal(body, &d); err != nil {
		return fault.New(fault.Invalid, "language, languages or %s: %v", TranslationsField, err)
	}
	own := LanguageOf(body)
	if _, err := language.Parse(own); err != nil {
		return fault.New(fault.Invalid, "language: %q is no language tag (RFC 5646)", own)
	}
	for code, patch := range d.Translations {
		if _, err := language.Parse(code); err != nil {
			return fault.New(fault.Invalid, "%s: %q is no language tag (RFC 5646)", TranslationsField, code)
		}
		var changes map[string]json.RawMessage
		if json.Unmarshal(patch, &changes) != nil || changes == nil {
			return fault.New(fault.Invalid, "%s: %s is not an object of the members that differ", TranslationsField, code)
		}
		for name := range changes {
			if name == "id" || name == "type" || name == "links" || name == "language" || name == "languages" || name == TranslationsField {
				return fault.New(fault.Invalid, "%s: %s changes %q, which is the same in all languages", TranslationsField, code, name)
			}
		}
		if code == own || !slices.ContainsFunc(d.Languages, func(one languageObject) bool { return one.Code == code }) {
			return fault.New(fault.Invalid, "%s: %s is not among the other `languages` of the document", TranslationsField, code)
		}
	}
	return nil
}
