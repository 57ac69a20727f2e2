package ingest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"swath/fault"
	"swath/raster"
)

// itemID is what an item may be called: its name becomes part of addresses and object keys.
var itemID = regexp.MustCompile(`^[^/\\\x00-\x1f\x7f]{1,200}$`)

// planItem takes over an existing STAC item: assets that lie beside it become ours (rasters as COGs), those elsewhere keep
// their addresses, every other field stays as it is. A null geometry is filled from the first raster's valid pixels.
func planItem(path, collection string) (plan, func(), error) {
	body, err := readDocument(path)
	if err != nil {
		return plan{}, nil, err
	}
	var document map[string]any
	if err := json.Unmarshal(body, &document); err != nil {
		return plan{}, nil, fault.New(fault.Invalid, "%s: %v", path, err)
	}
	p := plan{document: document, assets: map[string]map[string]any{}}
	p.id, _ = document["id"].(string)
	if !itemID.MatchString(p.id) || p.id == "." || p.id == ".." {
		return plan{}, nil, fault.New(fault.Invalid, "%s: id %q can't name an item", path, p.id)
	}
	if p.collection, _ = document["collection"].(string); collection != "" {
		p.collection = collection
	}
	if p.collection == "" {
		return plan{}, nil, fault.New(fault.Invalid, "%s: the item names no collection; say which one with --collection", path)
	}
	var ok bool
	if p.properties, ok = document["properties"].(map[string]any); !ok {
		return plan{}, nil, fault.New(fault.Invalid, "%s: the item has no properties", path)
	}
	names := []string{filepath.Base(path)}
	assets, _ := document["assets"].(map[string]any)
	for key, value := range assets {
		name, err := p.takeAsset(filepath.Dir(path), key, value)
		if err != nil {
			return plan{}, nil, fmt.Errorf("ingest: %s: asset %q: %w", path, key, err)
		}
		if name != "" {
			names = append(names, name)
		}
	}
	if p.fingerprint, err = fingerprint(os.DirFS(filepath.Dir(path)), names...); err != nil {
		return plan{}, nil, fmt.Errorf("ingest: %s: %w", path, err)
	}
	p.keepNames()
	p.sortLayers()
	if document["geometry"] == nil && len(p.layers) > 0 {
		p.outline = p.layers[0].asset
	}
	return p, func() {}, nil
}

// takeAsset plans one asset of an item in dir and returns the name of its file there; "" when it lies elsewhere.
func (p *plan) takeAsset(dir, key string, value any) (string, error) {
	fields, ok := value.(map[string]any)
	href, isText := fields["href"].(string)
	if !ok || !isText || href == "" {
		return "", fault.New(fault.Invalid, "it has no href")
	}
	if !itemID.MatchString(key) {
		return "", fault.New(fault.Invalid, "the key can't name a file")
	}
	if strings.Contains(href, "://") {
		p.assets[key] = fields
		return "", nil
	}
	name := filepath.Clean(strings.TrimPrefix(href, "./"))
	if !filepath.IsLocal(name) {
		return "", fault.New(fault.Invalid, "href %q leaves the item's folder", href)
	}
	path := filepath.Join(dir, name)
	if resolved, err := filepath.EvalSymlinks(path); err != nil {
		return "", fault.New(fault.Invalid, "href %q: no such file beside the item", href)
	} else if root, err := filepath.EvalSymlinks(dir); err != nil || !strings.HasPrefix(resolved, root+string(filepath.Separator)) {
		return "", fault.New(fault.Invalid, "href %q leaves the item's folder", href)
	}
	media, _ := fields["type"].(string)
	for _, stale := range []string{"href", "type", "file:size", "file:checksum"} {
		delete(fields, stale)
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".tif", ".tiff", ".jp2":
		d, err := raster.Inspect(path)
		if err != nil {
			return "", err
		}
		if err := placeable(path, d); err != nil {
			return "", err
		}
		p.layers = append(p.layers, layer{asset: key, name: strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)), path: path, fields: fields, options: overviewsFor(fields["roles"])})
		if len(p.thumbnail.assets) == 0 || d.Bands > 1 && len(p.thumbnail.assets) == 1 {
			p.thumbnail = itemThumbnail(key, fields, d.Bands)
		}
	default:
		if media == "" {
			media = "application/octet-stream"
		}
		p.files = append(p.files, file{key, filepath.Base(name), media, openFile(path), fields})
	}
	return name, nil
}

// fileName is a name that a file of an item keeps.
var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$`)

// keepNames lets files be called as they are beside the item, where that is plain and no two are called the same; the others are called by their assets.
func (p *plan) keepNames() {
	called, usual := map[string]int{}, map[string]string{thumbnailFile: "thumbnail"} // and whose that would be
	count := func(asset, name string) {
		called[strings.ToLower(name)]++
		usual[strings.ToLower(asset+filepath.Ext(name))] = asset
	}
	for _, l := range p.layers {
		count(l.asset, l.name+".tif") // whatever it was
	}
	for _, f := range p.files {
		count(f.asset, f.name)
	}
	keeps := func(asset, name string) bool {
		other, is := usual[strings.ToLower(name)]
		return fileName.MatchString(name) && called[strings.ToLower(name)] == 1 && (!is || other == asset)
	}
	for i := range p.layers {
		if l := &p.layers[i]; !keeps(l.asset, l.name+".tif") {
			l.name = ""
		}
	}
	for i := range p.files {
		if f := &p.files[i]; !keeps(f.asset, f.name) {
			f.name = f.asset + strings.ToLower(filepath.Ext(f.name))
		}
	}
}

// overviewsFor chooses how overviews are made: classes must not be averaged.
func overviewsFor(roles any) raster.COGOptions {
	list, _ := roles.([]any)
	for _, role := range list {
		if role == "classification" {
			return raster.COGOptions{Overviews: raster.Mode}
		}
	}
	return raster.COGOptions{}
}

// itemThumbnail prefers the bands that are red, green and blue by their common names.
func itemThumbnail(asset string, fields map[string]any, bands int) thumbnail {
	list, _ := fields["bands"].([]any)
	number := map[any]int{}
	for i, b := range list {
		if band, ok := b.(map[string]any); ok {
			number[band["eo:common_name"]] = i + 1
		}
	}
	if r, g, b := number["red"], number["green"], number["blue"]; r*g*b > 0 {
		return thumbnail{assets: []string{asset, asset, asset}, bands: []int{r, g, b}}
	}
	return thumbnailOf(asset, bands)
}
