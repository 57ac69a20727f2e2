package hubtest

import (
	"cmp"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// STACKey is the API key that the STAC face of a hub wants to see.
const STACKey = "a key of the hub"

// stac answers as a STAC API whose one collection is "s2", with token paging and pages of at most 80 items.
func (s *Server) stac(w http.ResponseWriter, r *http.Request) {
	base := "http://" + r.Host + "/stac"
	if r.Header.Get("X-API-Key") != STACKey {
		http.Error(w, `{"code":"401"}`, http.StatusUnauthorized)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/stac")
	name, isItem := strings.CutPrefix(path, "/collections/s2/items/")
	switch {
	case path == "" || path == "/":
		answer(w, map[string]any{"conformsTo": []string{"https://api.stacspec.org/v1.0.0/item-search", "https://api.stacspec.org/v1.0.0/item-search#filter", "https://api.stacspec.org/v1.0.0/item-search#sort"}})
	case path == "/search" && r.Method == http.MethodPost:
		s.stacSearch(w, r, base)
	case isItem:
		if plainly(w, s.fault("item "+name, "429", "503", "500", "drop"), s.now()) {
			return
		}
		s.Archive.mu.Lock()
		one := s.Archive.newest()[name+".SAFE"]
		s.Archive.mu.Unlock()
		if one == nil {
			http.Error(w, `{"code":"404"}`, http.StatusNotFound)
			return
		}
		answer(w, s.stacItem(*one, base))
	default:
		http.NotFound(w, r)
	}
}

// comparison is a CQL2 comparison of a property with a moment, or several of them.
type comparison struct {
	Op   string
	Args []json.RawMessage
}

// instantsOf reads the bounds of updated in a filter.
func (c comparison) conditions() (all []func(*row) bool, err error) {
	if c.Op == "and" {
		for _, raw := range c.Args {
			var part comparison
			if err := json.Unmarshal(raw, &part); err != nil {
				return nil, err
			}
			more, err := part.conditions()
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
		return all, nil
	}
	var property struct{ Property string }
	var moment struct{ Timestamp time.Time }
	if len(c.Args) != 2 || json.Unmarshal(c.Args[0], &property) != nil || json.Unmarshal(c.Args[1], &moment) != nil || property.Property != "updated" || c.Op != ">=" && c.Op != "<" {
		return nil, fmt.Errorf("not a filter that this hub knows: %v", c)
	}
	return []func(*row) bool{func(r *row) bool { return r.modified.Before(moment.Timestamp) == (c.Op == "<") }}, nil
}

func (s *Server) stacSearch(w http.ResponseWriter, r *http.Request, base string) {
	var body struct {
		Limit    int
		Token    string
		Datetime string
		Filter   *comparison
		Sortby   []struct{ Field, Direction string }
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Limit < 1 || body.Limit > 80 {
		http.Error(w, `{"code":"400","description":"limit is at most 80"}`, http.StatusBadRequest)
		return
	}
	var conditions []func(*row) bool
	if body.Filter != nil {
		more, err := body.Filter.conditions()
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		conditions = append(conditions, more...)
	}
	if since, until, ok := strings.Cut(body.Datetime, "/"); ok {
		from, _ := time.Parse(time.RFC3339Nano, since)
		conditions = append(conditions, func(r *row) bool { return !r.acquired.Before(from) })
		if to, err := time.Parse(time.RFC3339Nano, until); err == nil {
			conditions = append(conditions, func(r *row) bool { return !r.acquired.After(to) })
		}
	}
	fault := s.fault(fmt.Sprint("search ", body.Datetime, body.Token, body.Limit), "429", "503", "500", "drop", "badjson", "html200", "pagedup")
	if plainly(w, fault, s.now()) {
		return
	}
	s.Archive.mu.Lock()
	var rows []row
	for _, one := range s.Archive.newest() {
		if !slices.ContainsFunc(conditions, func(holds func(*row) bool) bool { return !holds(one) }) {
			rows = append(rows, *one)
		}
	}
	s.Archive.mu.Unlock()
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(a.modified.Compare(b.modified), strings.Compare(a.id, b.id)) })
	skip, _ := strconv.Atoi(body.Token)
	from := min(skip, len(rows))
	if fault == "pagedup" {
		from = max(0, from-3)
	}
	page := rows[from:min(skip+body.Limit, len(rows))]
	features := make([]any, len(page))
	for i, one := range page {
		features[i] = s.stacItem(one, base)
	}
	out := map[string]any{"type": "FeatureCollection", "features": features, "numberMatched": len(rows)}
	if skip+body.Limit < len(rows) {
		out["links"] = []any{map[string]any{"rel": "next", "href": base + "/search", "method": "POST", "merge": true, "body": map[string]any{"token": strconv.Itoa(skip + body.Limit)}}}
	}
	if fault == "badjson" {
		fmt.Fprint(w, `{"type":"Feat`)
		return
	}
	answer(w, out)
}

// stacItem makes an item of a row. Its one asset is signed anew each time.
func (s *Server) stacItem(r row, base string) map[string]any {
	id := strings.TrimSuffix(r.name, ".SAFE")
	product := map[string]any{"href": fmt.Sprintf("http://%s/odata/v1/Products(%s)/$value?signed=%d", s.Download, r.id, s.Requests.Load()), "type": "application/zip", "roles": []string{"data"}}
	if r.listedBytes > 0 {
		product["file:size"] = r.listedBytes
	}
	if r.offline {
		product["order:status"] = "orderable"
	}
	if r.listedSum != "" {
		product["file:checksum"] = "d50110" + r.listedSum
	}
	return map[string]any{"type": "Feature", "stac_version": "1.0.0", "id": id, "collection": "s2", "geometry": nil,
		"links":      []any{map[string]any{"rel": "self", "href": base + "/collections/s2/items/" + id}},
		"properties": map[string]any{"datetime": r.acquired.Format(time.RFC3339Nano), "created": r.published.Format(time.RFC3339Nano), "updated": r.modified.Format(time.RFC3339Nano), "version": r.version},
		"assets":     map[string]any{"product": product, "metadata": map[string]any{"href": "s3://elsewhere/metadata.xml", "type": "application/xml"}}}
}

// etag is that of some bytes.
func etag(body []byte) string { return fmt.Sprintf(`"%x"`, md5.Sum(body)) }
