package stac

import (
	"cmp"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"swath/fault"
	"swath/geo"
	"swath/stac/cql2"
)

// CollectionsParams are the query parameters of GET /collections.
var CollectionsParams = []string{"bbox", "datetime", "fields", "filter", "filter-crs", "filter-lang", "language", "limit", "q", "query", "sortby", "token"}

// CollectionPage is one page of a search for collections.
type CollectionPage struct {
	Collections []Collection
	Matched     int
	Next        string // token of the next page; empty on the last
}

// CollectionsFromQuery reads the parameters of GET /collections. Without a limit, all are asked for.
func CollectionsFromQuery(q url.Values) (Question, error) {
	s, err := SearchFromQuery(q, CollectionsParams)
	if err == nil && !q.Has("limit") {
		s.Limit = MaxLimit
	}
	return s, err
}

// SearchCollections picks the collections that a search asks for: by their extents, by words of their title, description and
// keywords, and by a filter on their members.
func SearchCollections(all []Collection, s Question) (CollectionPage, error) {
	var found []Collection
	for _, c := range all {
		if collectionMatches(c, s.Search) {
			found = append(found, c)
		}
	}
	if len(s.Sort) > 0 {
		values := make(map[string][]any, len(found))
		for _, c := range found {
			values[c.ID] = sortValues(c, s.Sort)
		}
		slices.SortStableFunc(found, func(a, b Collection) int {
			for i, key := range s.Sort {
				if sign := compareSorted(values[a.ID][i], values[b.ID][i], key.Descending); sign != 0 {
					return sign
				}
			}
			return 0
		})
	}
	from := 0
	if s.Token != "" {
		var err error
		if from, err = strconv.Atoi(s.Token); err != nil || from < 0 {
			return CollectionPage{}, fault.New(fault.Invalid, "the token was not made by this server")
		}
	}
	page := CollectionPage{Matched: len(found)}
	page.Collections = found[min(from, len(found)):min(from+s.Limit, len(found))]
	if from+s.Limit < len(found) {
		page.Next = strconv.Itoa(from + s.Limit)
	}
	return page, nil
}

// collectionHead is what is searched of a collection.
type collectionHead struct {
	Title, Description string
	Keywords           []string
	Extent             struct {
		Spatial  struct{ BBox [][]float64 }
		Temporal struct{ Interval [][]*string }
	}
	Translations map[string]struct {
		Title, Description string
		Keywords           []string
	} `json:"swath:translations"`
}

// texts are what words are looked for in, of all languages.
func (h collectionHead) texts() []string {
	all := append([]string{h.Title, h.Description}, h.Keywords...)
	for _, one := range h.Translations {
		all = append(append(all, one.Title, one.Description), one.Keywords...)
	}
	return all
}

func collectionMatches(c Collection, s Search) bool {
	var h collectionHead
	_ = json.Unmarshal(c.Body, &h) // what is of another shape stays empty
	if s.BBox != nil && !slices.ContainsFunc(h.Extent.Spatial.BBox, func(b []float64) bool { return boxesMeet(*s.BBox, b) }) {
		return false
	}
	if s.Datetime != nil && !slices.ContainsFunc(h.Extent.Temporal.Interval, func(in []*string) bool { return intervalsMeet(*s.Datetime, in) }) {
		return false
	}
	if s.Text != nil && !MatchText(s.Text, append(h.texts(), c.ID)) {
		return false
	}
	return s.Filter == nil || cql2.Match(s.Filter, collectionEnv(c.Body))
}

// boxesMeet compares boxes that may cross the antimeridian.
func boxesMeet(a geo.Box, b []float64) bool {
	half := len(b) / 2
	if half != 2 && half != 3 {
		return false
	}
	south, north := b[1], b[half+1]
	if a.MaxY < south || a.MinY > north {
		return false
	}
	unwrap := func(west, east float64) (float64, float64) {
		if west > east {
			east += 360
		}
		return west, east
	}
	aw, ae := unwrap(a.MinX, a.MaxX)
	bw, be := unwrap(b[0], b[half])
	for _, turn := range []float64{-360, 0, 360} {
		if aw+turn <= be && ae+turn >= bw {
			return true
		}
	}
	return false
}

func intervalsMeet(asked Interval, in []*string) bool {
	if len(in) != 2 {
		return false
	}
	ends := [2]*time.Time{}
	for i, text := range in {
		if text != nil {
			if t, err := parseInstant(*text); err == nil {
				ends[i] = t
			}
		}
	}
	return (asked.End == nil || ends[0] == nil || !ends[0].After(*asked.End)) && (asked.Start == nil || ends[1] == nil || !ends[1].Before(*asked.Start))
}

// collectionEnv gives a filter the members of a collection; dots lead into objects, "summaries." may be left out.
type collectionEnv json.RawMessage

func (e collectionEnv) Value(p cql2.Property) any {
	if p == "id" || p == "type" || p == "stac_version" {
		return (&cql2.Item{Body: e}).Value(p)
	}
	it := cql2.Item{Body: slices.Concat([]byte(`{"properties":`), e, []byte("}"))}
	if v := it.Value(p); v != nil {
		return v
	}
	return it.Value("summaries." + p)
}

func (e collectionEnv) Related(cql2.Spatial) (is, known bool) { return false, false }

func sortValues(c Collection, keys []SortKey) []any {
	out := make([]any, len(keys))
	for i, k := range keys {
		out[i] = collectionEnv(c.Body).Value(cql2.Property(k.Property))
	}
	return out
}

// compareSorted orders numbers before texts; what is missing comes last.
func compareSorted(a, b any, descending bool) int {
	rank := func(v any) int {
		switch v.(type) {
		case float64:
			return 0
		case string:
			return 1
		}
		return math.MaxInt
	}
	sign := cmp.Compare(rank(a), rank(b))
	if rank(a) == math.MaxInt || rank(b) == math.MaxInt {
		return sign
	}
	if sign == 0 {
		if x, ok := a.(float64); ok {
			sign = cmp.Compare(x, b.(float64))
		} else {
			sign = strings.Compare(a.(string), b.(string))
		}
	}
	if descending {
		return -sign
	}
	return sign
}
