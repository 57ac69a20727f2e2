package objecthttp

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"swath/stac"
)

// file is a file of an item that is kept here, by what the item says of it.
type file struct {
	asset  string // its key in the item
	object string
	name   string // the last part of the object's key; no two files of an item have the same
	kind   string // media type; may be empty
	bytes  int64  // -1: the item does not say
	sha256 string // lower-case hex; empty: the item does not say
	status string // of the archive, in the words of STAC's order extension; empty: it lies on disk
}

// contents is an item with its files, in the order of their names.
type contents struct {
	collection, id string
	at             time.Time // that orders it
	updated        time.Time // zero: not known
	platform       string    // empty: not said
	files          []file
}

// PlatformOf reads the platform that an item names; empty of what is no name.
func PlatformOf(said any) string {
	name, _ := said.(string)
	if len(name) > 64 || strings.ContainsRune(name, 0) {
		return ""
	}
	return name
}

// contentsOf reads an item. Files that others keep are left out.
func contentsOf(it stac.Item) (contents, error) {
	var body struct {
		Properties struct {
			Datetime *time.Time `json:"datetime"`
			Start    *time.Time `json:"start_datetime"`
			Platform any        `json:"platform"`
		} `json:"properties"`
		Assets map[string]struct {
			Object   string `json:"swath:object"`
			Type     string `json:"type"`
			Bytes    *int64 `json:"file:size"`
			Checksum string `json:"file:checksum"`
			Status   string `json:"order:status"`
		} `json:"assets"`
	}
	if err := json.Unmarshal(it.Body, &body); err != nil {
		return contents{}, fmt.Errorf("files of item %s/%s: %w", it.Collection, it.ID, err)
	}
	c := contents{collection: it.Collection, id: it.ID, updated: it.Updated}
	c.platform = PlatformOf(body.Properties.Platform)
	for _, at := range []*time.Time{body.Properties.Start, body.Properties.Datetime} {
		if at != nil {
			c.at = at.UTC()
		}
	}
	taken := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(body.Assets)) {
		a := body.Assets[key]
		if a.Object == "" {
			continue
		}
		name := path.Base(a.Object)
		for taken[name] {
			name = strings.ReplaceAll(key, "/", "_") + "_" + name
		}
		taken[name] = true
		f := file{asset: key, object: a.Object, name: name, kind: a.Type, bytes: -1, status: a.Status}
		if a.Bytes != nil && *a.Bytes >= 0 {
			f.bytes = *a.Bytes
		}
		if sum, is := strings.CutPrefix(a.Checksum, "1220"); is && len(sum) == 64 { // a multihash of SHA-256
			f.sha256 = sum
		}
		c.files = append(c.files, f)
	}
	slices.SortFunc(c.files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return c, nil
}

// alone is what a file is called beside those of other items: it begins with the item's id.
func (c contents) alone(f file) string {
	if rest, begins := strings.CutPrefix(f.name, c.id); begins && (rest == "" || strings.ContainsRune(separators, rune(rest[0]))) {
		return f.name
	}
	return c.id + "_" + f.name
}

// separators are what may follow an item's id in the name of a file.
const separators = "_.-"

// owners are the ids that items may have of which a file is called so by alone.
func owners(name string) (ids []string) {
	for i := 1; i < len(name); i++ {
		if strings.IndexByte(separators, name[i]) >= 0 {
			ids = append(ids, name[:i])
		}
	}
	return append(ids, name)
}
