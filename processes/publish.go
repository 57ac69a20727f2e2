package processes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"

	"swath/chains"
	"swath/fault"
	"swath/stac"
)

const (
	mediaItem = "application/geo+json"
	mediaJSON = "application/json"
)

// objectsOf is how the keys of a job's objects begin.
func objectsOf(job string) string { return "jobs/" + job + "/" }

// publish puts what a run made where it is kept: files into objects, under the number of this lease, so that runs never meet; then all
// items into the catalog. Items have the same ids and bytes whenever the same inputs are run, so that doing it again changes nothing.
func (w *worker) publish(ctx context.Context, t *task, out string, outputs map[string]json.RawMessage) ([]Result, error) {
	var results []Result
	var items []string // documents of all items, in order
	for _, f := range t.chain.Outputs {
		raw, made := outputs[f.Name]
		if !made || !t.request.wants(f.Name) {
			continue
		}
		r := Result{Name: f.Name, Many: f.Many}
		switch f.Kind {
		case chains.AFile:
			paths, err := pathsOf(f, raw, out)
			if err != nil {
				return nil, err
			}
			if r.Parts, r.Media, err = w.putFiles(ctx, t, f, paths); err != nil {
				return nil, err
			}
		case chains.AnItem:
			paths, err := pathsOf(f, raw, out)
			if err != nil {
				return nil, err
			}
			r.Media, r.Parts, items = mediaItem, make([]Part, len(paths)), append(items, paths...)
		default:
			r.Media, r.Value = mediaJSON, raw
		}
		results = append(results, r)
	}
	if len(items) == 0 {
		return results, nil
	}
	if err := w.confine(t.chain, t.request, collectionsOf(t.inputs)); err != nil { // what is private may have changed since the job was accepted
		return nil, err
	}
	for _, document := range items {
		if err := w.describe(t, document); err != nil {
			return nil, err
		}
	}
	published, err := w.cfg.Publish.Publish(ctx, items, func() error { return t.report.tell(ctx, 95, "its results are published") })
	if err != nil {
		return nil, err
	}
	at := 0
	for i, r := range results {
		if r.Media != mediaItem {
			continue
		}
		for j := range r.Parts {
			results[i].Parts[j] = Part{Collection: published[at].Collection, Item: published[at].ID}
			at++
		}
	}
	return results, nil
}

// pathsOf reads the paths of an output, which lie in the run's folder.
func pathsOf(f chains.Field, raw json.RawMessage, out string) (paths []string, err error) {
	if f.Many {
		err = json.Unmarshal(raw, &paths)
	} else {
		paths = []string{""}
		err = json.Unmarshal(raw, &paths[0])
	}
	if err != nil {
		return nil, fmt.Errorf("output %q: %w", f.Name, err)
	}
	root, err := filepath.EvalSymlinks(out)
	if err != nil {
		return nil, err
	}
	for i, p := range paths {
		real, err := filepath.EvalSymlinks(p)
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", f.Name, err)
		}
		if rel, err := filepath.Rel(root, real); err != nil || !filepath.IsLocal(rel) {
			return nil, fault.New(fault.Invalid, "output %q is not in the folder of the run", f.Name)
		}
		paths[i] = real
	}
	return paths, nil
}

// putFiles keeps files as objects.
func (w *worker) putFiles(ctx context.Context, t *task, f chains.Field, paths []string) (parts []Part, media string, err error) {
	media = f.Media
	if media == "" && len(paths) > 0 {
		if media = mime.TypeByExtension(filepath.Ext(paths[0])); media == "" {
			media = "application/octet-stream"
		}
	}
	for i, p := range paths {
		key := fmt.Sprintf("%s%d/%s/%s", objectsOf(t.id), t.number, f.Name, filepath.Base(p))
		if len(paths) > 1 {
			key = fmt.Sprintf("%s%d/%s/%d/%s", objectsOf(t.id), t.number, f.Name, i, filepath.Base(p))
		}
		r, err := os.Open(p)
		if err != nil {
			return nil, "", fmt.Errorf("output %q: %w", f.Name, err)
		}
		info, err := w.cfg.Objects.Put(ctx, key, media, r)
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, "", fmt.Errorf("output %q: %w", f.Name, err)
		}
		parts = append(parts, Part{Object: key, Name: filepath.Base(p), Bytes: info.Size, Checksum: "1220" + info.SHA256})
	}
	return parts, media, nil
}

const processingExtension = "https://stac-extensions.github.io/processing/v1.2.0/schema.json"

// describe writes into an item where it goes, and what it was made of and by: all of it follows from the chain and its inputs.
func (w *worker) describe(t *task, document string) error {
	body, err := os.ReadFile(document)
	if err != nil {
		return fmt.Errorf("processes: %w", err)
	}
	var item map[string]any
	if err := json.Unmarshal(body, &item); err != nil {
		return fmt.Errorf("processes: %s: %w", filepath.Base(document), err)
	}
	properties, ok := item["properties"].(map[string]any)
	if !ok {
		return fmt.Errorf("processes: %s has no properties", filepath.Base(document))
	}
	set := func(name string, value any) {
		if _, there := properties[name]; !there {
			properties[name] = value
		}
	}
	set("processing:software", map[string]any{"swath": w.cfg.Software, t.chain.ID: t.chain.Version})
	set("processing:lineage", t.chain.Title)
	set("swath:process", t.chain.ID)
	set("swath:parameters", t.parameters())
	links, _ := item["links"].([]any)
	links = slices.DeleteFunc(links, func(l any) bool { // of a file beside others: here the products are known
		link, _ := l.(map[string]any)
		return link["rel"] == "derived_from" && t.items() != nil
	})
	var inputs []any
	for _, p := range t.items() {
		href := stac.HrefPrefix + path.Join("/collections", url.PathEscape(p.Collection), "items", url.PathEscape(p.ID))
		links = append(links, map[string]any{"rel": "derived_from", "type": mediaItem, "href": href, "title": p.ID})
		sums := map[string]any{}
		for _, f := range p.Files {
			if f.Checksum != "" {
				sums[f.Asset] = f.Checksum
			}
		}
		inputs = append(inputs, map[string]any{"collection": p.Collection, "id": p.ID, "checksums": sums})
	}
	if inputs != nil {
		set("swath:inputs", inputs)
	}
	if links == nil {
		links = []any{}
	}
	item["links"], item["collection"] = links, t.chain.Collection
	extensions, _ := item["stac_extensions"].([]any)
	if !slices.Contains(extensions, any(processingExtension)) {
		item["stac_extensions"] = append(extensions, processingExtension)
	}
	if body, err = json.MarshalIndent(item, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(document, body, 0o600)
}

// items are the products of a job, and those that its files were made of, each once, in the order of the inputs.
func (t *task) items() (all []PinnedItem) {
	at := map[[2]string]int{}
	for _, f := range t.chain.Inputs {
		for _, s := range t.inputs[f.Name].Sources {
			for _, p := range s.products() {
				name := [2]string{p.Collection, p.ID}
				if i, seen := at[name]; seen {
					all[i].Files = append(all[i].Files, p.Files...)
					continue
				}
				at[name], p.Files = len(all), slices.Clone(p.Files)
				all = append(all, p)
			}
		}
	}
	return all
}

// parameters are the inputs that are plain values or names of folders, with the defaults of those that were not given.
func (t *task) parameters() map[string]any {
	all := map[string]any{}
	for _, f := range t.chain.Inputs {
		b, given := t.inputs[f.Name]
		switch {
		case !given && f.Default != nil:
			all[f.Name] = f.Default
		case given && f.Kind == chains.AFolder && len(b.Sources) == 1:
			all[f.Name] = b.Sources[0].Folder
		case given && f.Kind == chains.Value && !slices.ContainsFunc(b.Sources, func(s source) bool { return s.Value == nil }) && (len(b.Sources) > 0 || b.Many):
			all[f.Name] = b.plain()
		}
	}
	return all
}
