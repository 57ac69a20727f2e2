package download

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"swath/fault"
	"swath/fetch"
)

// ManifestName is the manifest's place in the folder.
const ManifestName = "manifest.json"

// manifest is what a folder holds: a STAC item collection whose assets are the local files, and what is known of each file.
type manifest struct {
	path string

	mu    sync.Mutex
	items map[string]map[string]any // by collection/id, with the assets that are here
	files map[string]record         // by path
	dirty bool
}

// record is what is known of a file that is whole.
type record struct {
	Bytes   int64     `json:"bytes"`
	SHA256  string    `json:"sha256"`
	Changed int64     `json:"mtime_ns"`
	Source  string    `json:"source"`
	Fetched time.Time `json:"fetched"`
}

// manifestBody is a manifest as it is written.
type manifestBody struct {
	Type     string            `json:"type"`
	Features []map[string]any  `json:"features"`
	Files    map[string]record `json:"swath:files"`
}

// openManifest reads that of a folder; there may be none.
func openManifest(folder string) (*manifest, error) {
	m := &manifest{path: filepath.Join(folder, ManifestName), items: map[string]map[string]any{}, files: map[string]record{}}
	raw, err := os.ReadFile(m.path)
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	} else if err != nil {
		return nil, err
	}
	var body manifestBody
	if err := json.Unmarshal(raw, &body); err != nil || body.Type != "FeatureCollection" {
		return nil, fault.New(fault.Invalid, "%s is no manifest of a download: move it away", m.path)
	}
	for _, it := range body.Features {
		m.items[keyOf(it)] = it
	}
	if body.Files != nil {
		m.files = body.Files
	}
	return m, nil
}

func keyOf(it map[string]any) string { return fmt.Sprint(it["collection"], "/", it["id"]) }

// add notes a file that is whole.
func (m *manifest) add(it Item, f File, r record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[f.Path], m.dirty = r, true
	key := keyOf(map[string]any{"collection": it.Collection, "id": it.ID})
	here, ok := m.items[key]
	if !ok {
		here = map[string]any{}
	}
	old, _ := here["assets"].(map[string]any)
	fresh := map[string]any{} // members as they are now, assets as far as they are here
	for name, value := range it.Body {
		fresh[name] = value
	}
	delete(fresh, "links") // they lead to the server
	fresh["links"] = []any{}
	assets := map[string]any{}
	for name, asset := range old {
		assets[name] = asset
	}
	given, _ := it.Body["assets"].(map[string]any)
	asset := map[string]any{}
	if one, ok := given[f.Asset].(map[string]any); ok {
		for name, value := range one {
			asset[name] = value
		}
	}
	delete(asset, "alternate")
	asset["href"], asset["file:size"], asset["file:checksum"] = "./"+f.Path, r.Bytes, fetch.Sum{Algorithm: "SHA256", Value: r.SHA256}.Multihash()
	assets[f.Asset] = asset
	fresh["assets"] = assets
	m.items[key] = fresh
	return nil
}

// write makes it last, when it changed.
func (m *manifest) write() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirty {
		return nil
	}
	body := manifestBody{Type: "FeatureCollection", Features: []map[string]any{}, Files: m.files}
	keys := make([]string, 0, len(m.items))
	for key := range m.items {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		body.Features = append(body.Features, m.items[key])
	}
	text, err := json.MarshalIndent(body, "", " ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(m.path), ".manifest-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), m.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	m.dirty = false
	return fetch.SyncDir(filepath.Dir(m.path))
}

// holds reports whether a file is as the manifest says, by size and time of change.
func (m *manifest) holds(folder string, f File) bool {
	m.mu.Lock()
	r, ok := m.files[f.Path]
	m.mu.Unlock()
	info, err := os.Stat(local(folder, f))
	if !ok || err != nil || info.Size() != r.Bytes || info.ModTime().UnixNano() != r.Changed || f.Bytes >= 0 && f.Bytes != r.Bytes {
		return false
	}
	for _, sum := range f.Sums {
		if sum.Algorithm == "SHA256" && sum.Value != r.SHA256 {
			return false // it has changed at the server
		}
	}
	return true
}
