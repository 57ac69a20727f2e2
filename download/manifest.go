package download

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"swath/fault"
	"swath/fetch"
)

// ManifestName is the manifest's place in the folder.
const ManifestName = "manifest.json"

// journalName is the place of what came since the manifest was written: a line a file.
const journalName = ".swath-download.journal"

// manifest is what a folder holds: a STAC item collection whose assets are the local files, and what is known of each file.
type manifest struct {
	path string

	mu      sync.Mutex
	items   map[string]map[string]any // by collection/id, with the assets that are here
	files   map[string]record         // by path
	dirty   bool
	journal *os.File // nil: the manifest is only read
}

// record is what is known of a file that is whole.
type record struct {
	Bytes    int64       `json:"bytes"`
	SHA256   string      `json:"sha256"`
	Changed  int64       `json:"mtime_ns"`
	Source   string      `json:"source"`
	Fetched  time.Time   `json:"fetched"`
	Unpacked *fetch.Tree `json:"unpacked,omitempty"` // what became of a zip that is no longer there
}

// line is one of the journal.
type line struct {
	Path   string  `json:"path"`
	Record *record `json:"record"` // nil: the file has left
}

// manifestBody is a manifest as it is written.
type manifestBody struct {
	Type     string            `json:"type"`
	Features []map[string]any  `json:"features"`
	Files    map[string]record `json:"swath:files"`
}

// openManifest reads that of a folder, and what came since it was written; there may be none.
func openManifest(folder string) (*manifest, error) {
	m := &manifest{path: filepath.Join(folder, ManifestName), items: map[string]map[string]any{}, files: map[string]record{}}
	raw, err := os.ReadFile(m.path)
	if err == nil {
		var body manifestBody
		if err := json.Unmarshal(raw, &body); err != nil || body.Type != "FeatureCollection" {
			return nil, fault.New(fault.Invalid, "%s is no manifest of a download: move it away", m.path)
		}
		for _, it := range body.Features {
			m.items[keyOf(it)] = it
		}
		maps.Copy(m.files, body.Files)
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	raw, err = os.ReadFile(m.journalPath())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for text := range bytes.Lines(raw) {
		var l line
		if json.Unmarshal(text, &l) != nil { // a line that was being written when its process died
			continue
		}
		if delete(m.files, l.Path); l.Record != nil {
			m.files[l.Path] = *l.Record
		}
		m.dirty = true
	}
	return m, nil
}

func (m *manifest) journalPath() string { return filepath.Join(filepath.Dir(m.path), journalName) }

// write down one line at once; the manifest itself follows from time to time.
func (m *manifest) note(l line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if m.journal == nil {
		if m.journal, err = os.OpenFile(m.journalPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
			return err
		}
	}
	_, err = m.journal.Write(append(text, '\n'))
	return err
}

func keyOf(it map[string]any) string { return fmt.Sprint(it["collection"], "/", it["id"]) }

// add notes a file that is whole.
func (m *manifest) add(it Item, f File, r record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[f.Path] = r
	m.describe(it, f, r)
	return m.note(line{f.Path, &r})
}

// lists reports whether the asset of a file stands in its item; it may not after a run that was killed.
func (m *manifest) lists(it Item, f File) bool {
	assets, _ := m.items[it.key()]["assets"].(map[string]any)
	return assets[f.Asset] != nil
}

// describe puts an asset that is here into its item.
func (m *manifest) describe(it Item, f File, r record) {
	m.dirty = true
	old, _ := m.items[it.key()]["assets"].(map[string]any)
	assets := map[string]any{} // as far as they are here; all other members as they are now
	maps.Copy(assets, old)
	asset := map[string]any{}
	maps.Copy(asset, it.assets()[f.Asset])
	delete(asset, "alternate")
	asset["href"], asset["file:size"], asset["file:checksum"] = "./"+f.Path, r.Bytes, fetch.Sum{Algorithm: "SHA256", Value: r.SHA256}.Multihash()
	if r.Unpacked != nil { // a folder, of which size and checksum say nothing
		asset["href"] = "./" + path.Join(path.Dir(f.Path), r.Unpacked.Name) + "/"
		for _, name := range []string{"file:size", "file:checksum", "type"} {
			delete(asset, name)
		}
	}
	assets[f.Asset] = asset
	fresh := map[string]any{}
	maps.Copy(fresh, it.Body)
	fresh["collection"], fresh["assets"], fresh["links"] = it.Collection, assets, []any{} // its links lead to the server
	m.items[it.key()] = fresh
}

// unpacked returns what became of a zip, where the manifest knows it.
func (m *manifest) unpacked(f File) *fetch.Tree {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.files[f.Path].Unpacked
}

// of returns the paths of what is here of an item.
func (m *manifest) of(key string) (paths []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, at := range m.recordsOf(key) {
		if tree := m.files[at].Unpacked; tree != nil {
			at = path.Join(path.Dir(at), tree.Name)
		}
		paths = append(paths, at)
	}
	return paths
}

// drop takes an item with its files out.
func (m *manifest) drop(key string) (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, at := range m.recordsOf(key) {
		delete(m.files, at)
		err = errors.Join(err, m.note(line{at, nil}))
	}
	delete(m.items, key)
	m.dirty = true
	return err
}

// recordsOf returns the paths by which the files of an item are known.
func (m *manifest) recordsOf(key string) (paths []string) {
	assets, _ := m.items[key]["assets"].(map[string]any)
	leads := map[string]bool{}
	for _, one := range assets {
		asset, _ := one.(map[string]any)
		href, _ := asset["href"].(string)
		leads[strings.TrimSuffix(trimHere(href), "/")] = true
	}
	for at, r := range m.files {
		if leads[at] || r.Unpacked != nil && leads[path.Join(path.Dir(at), r.Unpacked.Name)] {
			paths = append(paths, at)
		}
	}
	slices.Sort(paths)
	return paths
}

// write makes it last, when it changed.
func (m *manifest) write() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirty {
		return nil
	}
	body := manifestBody{Type: "FeatureCollection", Features: []map[string]any{}, Files: m.files}
	for _, key := range slices.Sorted(maps.Keys(m.items)) {
		body.Features = append(body.Features, m.items[key])
	}
	text, err := json.MarshalIndent(body, "", " ")
	if err != nil {
		return err
	}
	if err := writeFile(m.path, text); err != nil {
		return err
	}
	m.dirty = false
	if m.journal != nil {
		err, m.journal = m.journal.Close(), nil
	}
	if e := os.Remove(m.journalPath()); !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// writeFile writes a file that is there whole or not at all, and lasts.
func writeFile(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := renameio.WriteFile(path, text, 0o644, renameio.WithTempDir(dir)); err != nil {
		return err
	}
	return fetch.SyncDir(dir)
}

// holds reports whether a file is as the manifest says, by size and time of change; of what was unpacked, that it is there.
func (m *manifest) holds(folder string, f File) bool {
	m.mu.Lock()
	r, ok := m.files[f.Path]
	m.mu.Unlock()
	if !ok || f.Bytes >= 0 && f.Bytes != r.Bytes {
		return false
	}
	for _, sum := range f.Sums {
		if sum.Algorithm == "SHA256" && sum.Value != r.SHA256 {
			return false // it has changed at the server
		}
	}
	if r.Unpacked != nil {
		info, err := os.Stat(filepath.Join(filepath.Dir(local(folder, f)), r.Unpacked.Name))
		return err == nil && info.IsDir()
	}
	info, err := os.Stat(local(folder, f))
	return err == nil && info.Size() == r.Bytes && info.ModTime().UnixNano() == r.Changed
}
