package download

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"swath/fault"
	"swath/stac"
)

// The names of a static catalog's documents.
const (
	catalogName    = "catalog.json"
	collectionName = "collection.json"
	itemName       = "item.json"
)

// WriteCatalog writes what the folder holds as a static STAC catalog, with relative links alone:
//
//	catalog.json ─▶ {collection}/collection.json ─▶ {collection}/{item}/item.json ─▶ the files
//
// What the API says of a collection is kept; of one that nobody knows any more, what its items say.
func (r *Run) WriteCatalog(ctx context.Context) error {
	r.manifest.mu.Lock()
	items := maps.Clone(r.manifest.items)
	r.manifest.mu.Unlock()
	of := map[string][]map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(items)) {
		name := fmt.Sprint(items[key]["collection"])
		of[name] = append(of[name], items[key])
	}
	links := []any{link("root", "./"+catalogName)}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		folder := safeName(name)
		if err := r.writeCollection(ctx, folder, name, of[name]); err != nil {
			return err
		}
		links = append(links, link("child", "./"+escaped(folder, collectionName)))
	}
	return r.writeDocument(catalogName, map[string]any{"type": "Catalog", "stac_version": stac.Version, "id": "download", "title": "Downloaded files",
		"description": "What swath download brought from " + r.client.URL, "links": links})
}

// writeCollection writes the documents of one collection.
func (r *Run) writeCollection(ctx context.Context, folder, name string, items []map[string]any) error {
	body := map[string]any{}
	if r.client.URL != "" {
		_, err := r.client.call(ctx, http.MethodGet, r.client.at("/collections/"+url.PathEscape(name)), nil, &body)
		if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
			return err
		}
	}
	if body["type"] != "Collection" {
		body = collectionOf(name, items)
	}
	delete(body, "assets") // they are at the server
	delete(body, "item_assets")
	links := []any{link("root", "../"+catalogName), link("parent", "../"+catalogName)}
	for _, it := range items {
		at := safeName(fmt.Sprint(it["id"]))
		links = append(links, link("item", "./"+escaped(at, itemName)))
		one := maps.Clone(it)
		one["links"] = []any{link("root", "../../"+catalogName), link("parent", "../"+collectionName), link("collection", "../"+collectionName)}
		one["assets"] = moved(it, "../../")
		if err := r.writeDocument(filepath.Join(folder, at, itemName), one); err != nil {
			return err
		}
	}
	body["links"] = links
	return r.writeDocument(filepath.Join(folder, collectionName), body)
}

// moved returns an item's assets as they are seen from its own folder.
func moved(it map[string]any, up string) map[string]any {
	all, _ := it["assets"].(map[string]any)
	out := map[string]any{}
	for key, one := range all {
		asset, _ := one.(map[string]any)
		asset = maps.Clone(asset)
		href, _ := asset["href"].(string)
		asset["href"] = up + trimHere(href)
		out[key] = asset
	}
	return out
}

// collectionOf describes a collection by its items.
func collectionOf(name string, items []map[string]any) map[string]any {
	var box [4]float64
	var first, last string
	boxed := false
	for _, it := range items {
		at := Item{Body: it}.moment()
		if at != "" && (first == "" || at < first) {
			first = at
		}
		last = max(last, at)
		w, s, e, n, ok := boxOf(it["bbox"])
		if !ok {
			continue
		}
		if !boxed {
			box, boxed = [4]float64{w, s, e, n}, true
		}
		box = [4]float64{min(box[0], w), min(box[1], s), max(box[2], e), max(box[3], n)}
	}
	if !boxed {
		box = [4]float64{-180, -90, 180, 90}
	}
	interval := []any{nil, nil}
	if first != "" {
		interval = []any{first, last}
	}
	return map[string]any{"type": "Collection", "stac_version": stac.Version, "id": name, "description": "Downloaded items of " + name, "license": "other",
		"extent": map[string]any{"spatial": map[string]any{"bbox": []any{box}}, "temporal": map[string]any{"interval": []any{interval}}}}
}

// boxOf reads a bbox of two or three dimensions.
func boxOf(value any) (w, s, e, n float64, ok bool) {
	text, err := json.Marshal(value)
	var all []float64
	if err != nil || json.Unmarshal(text, &all) != nil || len(all) != 4 && len(all) != 6 {
		return 0, 0, 0, 0, false
	}
	half := len(all) / 2
	return all[0], all[1], all[half], all[half+1], true
}

func link(rel, href string) map[string]any {
	kind := stac.TypeJSON
	if strings.HasSuffix(href, itemName) {
		kind = stac.TypeGeoJSON
	}
	return map[string]any{"rel": rel, "href": href, "type": kind}
}

// escaped joins names to a relative address.
func escaped(names ...string) string {
	for i, name := range names {
		names[i] = url.PathEscape(name)
	}
	return strings.Join(names, "/")
}

// writeDocument writes one document, if it is not there as it is.
func (r *Run) writeDocument(name string, body map[string]any) error {
	text, err := json.MarshalIndent(body, "", " ")
	if err != nil {
		return err
	}
	path := filepath.Join(r.o.Folder, name)
	if there, err := os.ReadFile(path); err == nil && string(there) == string(text) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return writeFile(path, text)
}
