package stac

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"swath/fault"
)

// Limits of a search.
const (
	DefaultLimit  = 10      // items a page when none is asked
	MaxLimit      = 10_000  // items a page; a larger limit is lowered to this, as STAC API says
	maxNames      = 10_000  // ids or collections in one search
	maxBodyBytes  = 1 << 20 // of POST /search
	maxTokenBytes = 1 << 10
)

// SearchParams are the query parameters of GET /search; ItemsParams those of GET /collections/{c}/items.
var (
	SearchParams = append([]string{"intersects"}, ItemsParams...)
	ItemsParams  = []string{"bbox", "bbox-crs", "collections", "crs", "datetime", "deprecated", "fields", "filter", "filter-crs", "filter-lang", "ids", "limit", "q", "query", "sortby", "token"}
)

// Question is a search with what is wanted of each item, nil being all, and in which coordinates.
type Question struct {
	Search
	Fields *Fields
	CRS    *CRS // of the answer; nil is the storage's
}

// SearchFromQuery reads the parameters of a GET; only those in known may be there. "f" is the door's own.
func SearchFromQuery(q url.Values, known []string) (Question, error) {
	if err := OnlyParams(q, known...); err != nil {
		return Question{}, err
	}
	crs, err := ParseCRS("crs", q.Get("crs"))
	if err != nil {
		return Question{}, err
	}
	boxCRS, err := ParseCRS("bbox-crs", q.Get("bbox-crs"))
	if err != nil {
		return Question{}, err
	}
	box, err := boxCRS.boxText(q.Get("bbox"))
	if err != nil {
		return Question{}, err
	}
	r := request{BBox: box, Datetime: q.Get("datetime"), Token: q.Get("token"),
		IDs: list(q.Get("ids")), Collections: list(q.Get("collections")), Intersects: json.RawMessage(q.Get("intersects")),
		FilterLang: q.Get("filter-lang"), FilterCRS: q.Get("filter-crs"), Query: json.RawMessage(q.Get("query"))}
	if q.Has("limit") {
		n, err := strconv.Atoi(q.Get("limit"))
		if err != nil {
			return Question{}, fault.New(fault.Invalid, "limit %q is not a whole number", q.Get("limit"))
		}
		r.Limit = &n
	}
	if q.Has("deprecated") {
		is, err := strconv.ParseBool(q.Get("deprecated"))
		if err != nil {
			return Question{}, fault.New(fault.Invalid, "deprecated is %q, neither true nor false", q.Get("deprecated"))
		}
		r.Deprecated = &is
	}
	if filter := q.Get("filter"); q.Has("filter") {
		switch r.FilterLang {
		case "", langText:
			r.FilterText = &filter
		default:
			r.Filter = json.RawMessage(filter)
		}
	}
	if q.Has("q") {
		r.Terms = splitTerms(q.Get("q"))
	}
	if q.Has("sortby") {
		if r.Sort, err = parseSort(q.Get("sortby")); err != nil {
			return Question{}, err
		}
	}
	s, err := r.search()
	if err != nil {
		return Question{}, err
	}
	out := Question{Search: s, CRS: crs}
	if q.Has("fields") {
		out.Fields, err = parseFields(q.Get("fields"))
	}
	return out, err
}

// OnlyParams refuses parameters that a route does not know (OGC API, query-param-unknown), and those given twice.
func OnlyParams(q url.Values, known ...string) error {
	for name, values := range q {
		if name != "f" && !slices.Contains(known, name) {
			return fault.New(fault.Invalid, "unknown parameter %q; known here: %s", name, strings.Join(append(known[:len(known):len(known)], "f"), ", "))
		}
		if len(values) > 1 {
			return fault.New(fault.Invalid, "parameter %q is given %d times", name, len(values))
		}
	}
	return nil
}

// list splits a comma list; empty text is the empty list.
func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// SearchFromJSON reads the body of POST /search. Unknown fields are ignored.
func SearchFromJSON(body []byte) (Question, error) {
	if len(body) > maxBodyBytes {
		return Question{}, fault.New(fault.TooLarge, "a search may have %d bytes, this has %d", maxBodyBytes, len(body))
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return Question{}, fault.New(fault.Invalid, "the body is not a JSON object")
	}
	for name, raw := range fields {
		if string(raw) == "null" && name != "fields" {
			delete(fields, name)
		}
	}
	var r request
	var box []json.Number
	var wanted wantedFields
	for _, f := range []struct {
		name, what string
		into       any
	}{
		{"bbox", "an array of numbers", &box},
		{"datetime", "text", &r.Datetime},
		{"token", "text", &r.Token},
		{"ids", "an array of texts", &r.IDs},
		{"collections", "an array of texts", (*texts)(&r.Collections)},
		{"limit", "a whole number", &r.Limit},
		{"deprecated", "true or false", &r.Deprecated},
		{"filter-lang", "text", &r.FilterLang},
		{"filter-crs", "text", &r.FilterCRS},
		{"sortby", "an array of objects with field and direction", &r.Sort},
		{"fields", "an object with include and exclude", &wanted},
	} {
		if raw, ok := fields[f.name]; ok && decode(raw, f.into) != nil {
			return Question{}, fault.New(fault.Invalid, "%s is not %s", f.name, f.what)
		}
	}
	if _, ok := fields["bbox"]; ok {
		r.BBox = join(box)
		if len(box) == 0 {
			return Question{}, fault.New(fault.Invalid, "bbox is empty")
		}
	}
	if raw, ok := fields["q"]; ok {
		var text string
		if json.Unmarshal(raw, &r.Terms) != nil && json.Unmarshal(raw, &text) != nil {
			return Question{}, fault.New(fault.Invalid, "q is neither text nor an array of texts")
		}
		if r.Terms == nil {
			r.Terms = splitTerms(text)
		}
	}
	if raw, ok := fields["filter"]; ok {
		var text string
		if r.FilterLang == langText {
			if json.Unmarshal(raw, &text) != nil {
				return Question{}, fault.New(fault.Invalid, "filter is not text, as filter-lang says")
			}
			r.FilterText = &text
		} else {
			r.Filter = raw
		}
	}
	r.Intersects, r.Query = fields["intersects"], fields["query"]
	s, err := r.search()
	if err != nil {
		return Question{}, err
	}
	out := Question{Search: s}
	if _, ok := fields["fields"]; ok {
		if out.Fields, err = wanted.read(); err == nil {
			err = out.Fields.check()
		}
	}
	return out, err
}

// texts is an array of texts; stac-api-validator, like other clients, writes one collection as one text.
type texts []string

// UnmarshalJSON reads either.
func (t *texts) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

// wantedFields are the fields of a body, in which it matters whether include is missing or empty.
type wantedFields struct {
	Include json.RawMessage
	Exclude []string
}

// read tells the three apart: without include all is wanted but what is excluded, with an empty one the smallest valid item but that.
func (w wantedFields) read() (*Fields, error) {
	f := &Fields{Exclude: w.Exclude}
	if w.Include != nil && json.Unmarshal(w.Include, &f.Include) != nil {
		return nil, fault.New(fault.Invalid, "fields.include is not an array of texts")
	}
	if len(f.Include) == 0 && (w.Include != nil || len(f.Exclude) == 0) {
		f.includeDefault()
	}
	return f, nil
}

// decode reads one JSON value; a number stays the text that the client wrote.
func decode(raw json.RawMessage, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}

func join(numbers []json.Number) string {
	text := make([]string, len(numbers))
	for i, n := range numbers {
		text[i] = n.String()
	}
	return strings.Join(text, ",")
}

// request is a search as it was written, by GET or by POST.
type request struct {
	BBox, Datetime, Token string
	IDs, Collections      []string
	Intersects            json.RawMessage
	Limit                 *int
	FilterLang, FilterCRS string
	FilterText            *string         // in CQL2 text
	Filter                json.RawMessage // in CQL2 JSON
	Query                 json.RawMessage
	Terms                 []string // of q; nil does not filter
	Sort                  []sortBy
	Deprecated            *bool // only what is replaced by a newer version, or only what is not; nil: both
}

// search checks what was written.
func (r request) search() (Search, error) {
	s := Search{Collections: r.Collections, IDs: r.IDs, Token: r.Token, Limit: DefaultLimit}
	for name, values := range map[string][]string{"ids": r.IDs, "collections": r.Collections} {
		if len(values) > maxNames {
			return Search{}, fault.New(fault.Invalid, "%s has %d entries, at most %d are allowed", name, len(values), maxNames)
		}
		if slices.ContainsFunc(values, badName) {
			return Search{}, fault.New(fault.Invalid, "%s holds an empty name or a control character", name)
		}
	}
	if len(r.Token) > maxTokenBytes || strings.ContainsRune(r.Token, 0) {
		return Search{}, fault.New(fault.Invalid, "the token was not made by this server")
	}
	if r.Limit != nil {
		if *r.Limit < 1 {
			return Search{}, fault.New(fault.Invalid, "limit is %d; it begins at 1", *r.Limit)
		}
		s.Limit = min(*r.Limit, MaxLimit)
	}
	var err error
	if r.Datetime != "" {
		if s.Datetime, err = ParseDatetime(r.Datetime); err != nil {
			return Search{}, err
		}
	}
	if r.BBox != "" {
		if s.BBox, err = ParseBBox(r.BBox); err != nil {
			return Search{}, err
		}
	}
	if len(r.Intersects) > 0 {
		if s.BBox != nil {
			return Search{}, fault.New(fault.Invalid, "bbox and intersects cannot be used together")
		}
		if s.Intersects, err = ParseGeometry(r.Intersects); err != nil {
			return Search{}, err
		}
	}
	if s.Filter, err = r.filter(); err != nil {
		return Search{}, err
	}
	if r.Terms != nil {
		if s.Text, err = ParseTexts(r.Terms); err != nil {
			return Search{}, err
		}
	}
	s.Sort, err = sortKeys(r.Sort)
	return s, err
}

// badName reports whether a name could not be that of an item or collection.
func badName(name string) bool {
	return name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f })
}
