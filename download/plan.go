// Package download brings the files of a search to a disk, from any STAC API: planned, in parallel, resumed and verified.
//
//	search ─▶ items ─▶ plan: files, what is there already ─▶ fetch ─▶ verify ─▶ {collection}/{item}/{file}
//	                                                                      └─▶ manifest.json, a STAC item collection of what is here
//
// A run that was killed is repeated: what is whole is not fetched again, parts go on where they are.
package download

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"swath/fault"
	"swath/fetch"
)

// Item is a STAC item as it came.
type Item struct {
	ID, Collection string
	Body           map[string]any
}

func (it Item) key() string { return it.Collection + "/" + it.ID }

// property returns one that is text, else "".
func (it Item) property(name string) string {
	all, _ := it.Body["properties"].(map[string]any)
	text, _ := all[name].(string)
	return text
}

// assets returns those that are objects, which belong to the item's body.
func (it Item) assets() map[string]map[string]any {
	all, _ := it.Body["assets"].(map[string]any)
	out := map[string]map[string]any{}
	for key, one := range all {
		if asset, ok := one.(map[string]any); ok {
			out[key] = asset
		}
	}
	return out
}

// File is one file of a plan.
type File struct {
	Item       string      `json:"item"`
	Collection string      `json:"collection"`
	Asset      string      `json:"asset"`
	URL        string      `json:"url"`
	Path       string      `json:"path"`  // relative to the folder, with slashes
	Bytes      int64       `json:"bytes"` // -1: not said
	Sums       []fetch.Sum `json:"sums"`  // that are known
	Have       bool        `json:"have"`  // it is there already, and as it should be
	Cold       bool        `json:"cold"`  // it has to be ordered from cold storage first
}

// filesOf returns the files of an item: of these assets or roles, or of all. Flat ones lie side by side under their items' names.
func filesOf(it Item, wanted []string, flat bool) ([]File, error) {
	assets := it.assets()
	var files []File
	taken := map[string]bool{itemName: true} // of a static catalog
	for _, key := range slices.Sorted(maps.Keys(assets)) {
		asset := assets[key]
		if !chosen(key, asset, wanted) {
			continue
		}
		href, _ := asset["href"].(string)
		u, err := url.Parse(href)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" {
			if href = alternate(asset); href == "" {
				return nil, fault.New(fault.Invalid, "asset %s of %s is at %q, which is no http address", key, it.ID, asset["href"])
			}
			if u, err = url.Parse(href); err != nil {
				return nil, fault.New(fault.Invalid, "asset %s of %s is at %q, which is no address", key, it.ID, href)
			}
		}
		f := File{Item: it.ID, Collection: it.Collection, Asset: key, URL: href, Bytes: -1, Cold: cold(asset), Sums: []fetch.Sum{}}
		if n, ok := asset["file:size"].(json.Number); ok {
			if size, err := n.Int64(); err == nil && size >= 0 {
				f.Bytes = size
			}
		}
		if text, ok := asset["file:checksum"].(string); ok {
			if sum, known := fetch.SumOfMultihash(text); known {
				f.Sums = append(f.Sums, sum)
			}
		}
		plain := fileName(key, u, asset)
		if flat {
			plain = safeName(it.ID) + path.Ext(plain)
		}
		name := plain
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%d-%s", n, plain)
		}
		taken[name] = true
		if f.Path = path.Join(safeName(it.Collection), safeName(it.ID), name); flat {
			f.Path = name
		}
		files = append(files, f)
	}
	return files, nil
}

// chosen reports whether an asset is wanted, by its key or one of its roles.
func chosen(key string, asset map[string]any, wanted []string) bool {
	if len(wanted) == 0 || slices.Contains(wanted, key) {
		return true
	}
	roles, _ := asset["roles"].([]any)
	for _, role := range roles {
		if text, ok := role.(string); ok && slices.Contains(wanted, text) {
			return true
		}
	}
	return false
}

// alternate returns an http address of the alternate-assets extension, or "".
func alternate(asset map[string]any) string {
	others, _ := asset["alternate"].(map[string]any)
	for _, other := range others {
		one, _ := other.(map[string]any)
		if href, ok := one["href"].(string); ok && (strings.HasPrefix(href, "https://") || strings.HasPrefix(href, "http://")) {
			return href
		}
	}
	return ""
}

// extensions of media types that the system's table may lack.
var extensions = map[string]string{"image/tiff": ".tif", "image/jp2": ".jp2", "application/zip": ".zip", "application/xml": ".xml", "text/xml": ".xml", "image/png": ".png", "image/jpeg": ".jpg",
	"application/json": ".json", "application/geo+json": ".geojson", "application/x-netcdf": ".nc", "text/html": ".html"}

// fileName names a file by its address, or by its asset and media type where the address has no name of a file.
func fileName(key string, u *url.URL, asset map[string]any) string {
	if base := path.Base(u.Path); strings.Contains(base, ".") && path.Ext(base) != "." {
		return safeName(base)
	}
	name := safeName(key)
	if path.Ext(name) != "" {
		return name
	}
	text, _ := asset["type"].(string)
	kind, _, err := mime.ParseMediaType(text)
	if err != nil {
		return name
	}
	return name + extensions[kind]
}

// safeName is a name of one file or folder, whatever a server says.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	for len(name) > 200 {
		name = strings.ToValidUTF8(name[:200], "")
	}
	if strings.Trim(name, ". ") == "" {
		return "_" + name
	}
	return name
}

// local is where a file of a plan lies.
func local(folder string, f File) string { return filepath.Join(folder, filepath.FromSlash(f.Path)) }

// trimHere makes the path of a file of an address that leads to it from the folder.
func trimHere(href string) string { return strings.TrimPrefix(href, "./") }
