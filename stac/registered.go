package stac

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"swath/fault"
)

// RegisteredSearch is a search that is kept to be drawn, as titiler-pgstac has it: the body of a POST to /search, without what is of
// one page, and metadata about it.
type RegisteredSearch struct {
	ID   string // a digest of the body
	Body json.RawMessage
	At   time.Time // when it was registered
}

// Searches keeps registered searches.
type Searches interface {
	// RegisterSearch keeps a search under its id; what is there stays.
	RegisterSearch(ctx context.Context, r RegisteredSearch) error
	// RegisteredSearch returns one, or fault.NotFound.
	RegisteredSearch(ctx context.Context, id string) (RegisteredSearch, error)
	// RegisteredSearches returns at most so many behind an id, in the order of their ids.
	RegisteredSearches(ctx context.Context, after string, limit int) ([]RegisteredSearch, error)
}

// searchMembers are those of a registered search that say what is found, and in which order.
var searchMembers = []string{"collections", "ids", "bbox", "intersects", "datetime", "query", "filter", "filter-lang", "filter-crs", "q", "sortby"}

// pageMembers are those that say nothing of that.
var pageMembers = []string{"metadata", "search", "limit", "token", "fields", "conf"}

const mostRegisteredBytes = 64 << 10

// NewRegisteredSearch checks what is to be registered: a search, which may stand under "search" as well, and "metadata". The same
// search with the same metadata has the same id, whatever the order of its members.
func NewRegisteredSearch(body []byte) (RegisteredSearch, error) {
	if len(body) > mostRegisteredBytes {
		return RegisteredSearch{}, fault.New(fault.TooLarge, "a registered search may have %d bytes, this has %d", mostRegisteredBytes, len(body))
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil || given == nil {
		return RegisteredSearch{}, fault.New(fault.Invalid, "the body is not a JSON object")
	}
	asked := given
	if inner, ok := given["search"]; ok {
		asked = nil
		if err := json.Unmarshal(inner, &asked); err != nil || asked == nil {
			return RegisteredSearch{}, fault.New(fault.Invalid, "search is not a JSON object")
		}
	}
	kept := map[string]json.RawMessage{}
	for name, raw := range asked {
		switch {
		case slices.Contains(searchMembers, name):
			if string(bytes.TrimSpace(raw)) != "null" {
				kept[name] = raw
			}
		case !slices.Contains(pageMembers, name):
			return RegisteredSearch{}, fault.New(fault.Invalid, "a search has no member %.40q; it has %s", name, strings.Join(searchMembers, ", "))
		}
	}
	search, err := json.Marshal(kept) // its members are sorted, and compact
	if err != nil {
		return RegisteredSearch{}, err
	}
	if _, err := SearchFromJSON(search); err != nil {
		return RegisteredSearch{}, err
	}
	out := map[string]json.RawMessage{"search": search}
	if metadata, ok := given["metadata"]; ok {
		var object map[string]json.RawMessage
		if json.Unmarshal(metadata, &object) != nil {
			return RegisteredSearch{}, fault.New(fault.Invalid, "metadata is not a JSON object")
		}
		if len(object) > 0 {
			out["metadata"] = metadata
		}
	}
	text, err := json.Marshal(out)
	sum := sha256.Sum256(text)
	return RegisteredSearch{ID: hex.EncodeToString(sum[:16]), Body: text}, err
}

// Search returns what is searched.
func (r RegisteredSearch) Search() (Search, error) {
	var body struct {
		Search json.RawMessage `json:"search"`
	}
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return Search{}, err
	}
	q, err := SearchFromJSON(body.Search)
	q.Limit = 0
	return q.Search, err
}

// Name returns how the search is called: the name in its metadata, or its id.
func (r RegisteredSearch) Name() string {
	var body struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
	}
	if json.Unmarshal(r.Body, &body) == nil && body.Metadata.Name != "" {
		return body.Metadata.Name
	}
	return r.ID
}
