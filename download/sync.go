package download

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/stac"
)

// Sync is a search whose files a folder follows. It lies in the folder, so that a later run knows it and goes on behind the last.
//
//	changed since the cursor, less the overlap ─▶ plan ─▶ fetch ─▶ nothing failed: the cursor moves on
//	all that is there ─▶ what is here and not there ─▶ asked for once more ─▶ .trash
//
// The cursor is a moment of the server's clock at which a listing began, or the latest change that it told of. What changed at that very
// moment, or became visible late, is within the overlap: it is listed again, and not fetched again. A run that was broken off has moved
// nothing.
type Sync struct {
	URL       string    `json:"url"`
	Search    Search    `json:"search"`
	Assets    []string  `json:"assets,omitempty"`
	NewestPer []string  `json:"newest_per,omitempty"`
	Cursor    time.Time `json:"cursor"` // zero: everything is listed
	Property  string    `json:"cursor_property,omitempty"`
}

// The places of a synchronisation in its folder.
const (
	syncName  = ".swath-sync.json"
	trashName = ".trash"
)

// ReadSync returns what a folder follows; nil when it follows nothing.
func ReadSync(folder string) (*Sync, error) {
	raw, err := os.ReadFile(filepath.Join(folder, syncName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var s Sync
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fault.New(fault.Invalid, "%s: %v", filepath.Join(folder, syncName), err)
	}
	return &s, nil
}

// Same reports whether two follow the same.
func (s Sync) Same(other Sync) bool {
	s.Cursor, s.Property, other.Cursor, other.Property = time.Time{}, "", time.Time{}, ""
	one, err := json.Marshal(s)
	two, err2 := json.Marshal(other)
	return err == nil && err2 == nil && bytes.Equal(one, two)
}

func (s Sync) write(folder string) error {
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, syncName), append(text, '\n'))
}

// The properties that tell when an item changed: that of STAC, and that of a Swath, whose items need not have the other.
const (
	updatedProperty = "updated"
	swathProperty   = stac.Modified
)

// Changes plans what changed since the cursor of a synchronisation, less the overlap; and says how it stands when all of it has come.
func (r *Run) Changes(ctx context.Context, s Sync, overlap time.Duration) (p *Plan, then Sync, err error) {
	if err := s.write(r.o.Folder); err != nil { // a run that is killed is found again
		return nil, s, err
	}
	property, now, err := r.client.changeProperty(ctx)
	if err != nil {
		return nil, s, err
	}
	search := s.Search
	if s.Property == property && property != "" && !s.Cursor.IsZero() && len(s.NewestPer) == 0 { // the newest of all, not of what changed
		search.Where = append(slices.Clone(search.Where), Condition{Property: property, Op: ">=", Value: s.Cursor.Add(-overlap)})
	}
	then, then.Property = s, property
	latest, undated := s.Cursor, false
	p, err = r.Plan(ctx, func(yield func(Item) error) error {
		return r.client.Items(ctx, search, func(it Item) error {
			at, err := time.Parse(time.RFC3339Nano, it.property(updatedProperty))
			if undated = undated || err != nil; err == nil && at.After(latest) {
				latest = at
			}
			return yield(it)
		})
	})
	switch {
	case property == swathProperty:
		then.Cursor = now
	case undated || property == "":
		then.Cursor = time.Time{} // what has no date of change is only found by listing everything
	default:
		then.Cursor = latest
	}
	return p, then, err
}

// Moved notes that everything up to a cursor has come.
func (r *Run) Moved(then Sync) error { return then.write(r.o.Folder) }

// changeProperty returns by which property an API finds what changed, and what time it is there; none where it can't search by one.
func (c *Client) changeProperty(ctx context.Context) (property string, now time.Time, err error) {
	c.defaults()
	able, err := c.ability(ctx)
	if err != nil {
		return "", now, err
	}
	if able.filter || able.query {
		property = updatedProperty
	}
	var page struct{ Properties map[string]json.RawMessage }
	header, err := c.call(ctx, http.MethodGet, c.at("/queryables"), nil, &page)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
		return property, now, nil
	} else if err != nil {
		return "", now, err
	}
	if _, ok := page.Properties[swathProperty]; ok && able.filter {
		if now, err = http.ParseTime(header.Get("Date")); err == nil {
			property = swathProperty
		}
	}
	return property, now, nil
}

// Gone moves the files of items that are no longer found to the trash of the folder, and returns the items' keys. An item leaves when two
// questions have not found it: all of the search, and the search for it by its id.
func (r *Run) Gone(ctx context.Context, s Sync) (keys []string, err error) {
	found, folders := map[string]bool{}, map[string]bool{}
	note := func(it Item) error {
		found[it.key()] = true
		folders[filepath.Join(r.o.Folder, safeName(it.Collection), safeName(it.ID))] = true
		return nil
	}
	short := map[string]any{"fields": map[string]any{"include": []string{"id", "collection", "properties.datetime"}}}
	each := func(yield func(Item) error) error { return r.client.items(ctx, s.Search, short, yield) }
	if len(s.NewestPer) > 0 { // of which it takes all of each item
		if err := NewestOf(func(yield func(Item) error) error { return r.client.Items(ctx, s.Search, yield) }, s.NewestPer, note); err != nil {
			return nil, err
		}
	} else if err := each(note); err != nil {
		return nil, err
	}
	missing := map[string]string{} // id by key
	r.manifest.mu.Lock()
	for key, it := range r.manifest.items {
		if id, ok := it["id"].(string); ok && !found[key] {
			missing[key] = id
		}
	}
	r.manifest.mu.Unlock()
	if len(found) == 0 && len(missing) > 0 {
		return nil, fault.New(fault.Conflict, "the search finds nothing any more, and %d items are here: they stay", len(missing))
	}
	if len(s.NewestPer) == 0 {
		var ids []string
		for _, id := range missing {
			ids = append(ids, id)
		}
		for some := range slices.Chunk(ids, pageItems) {
			again := s.Search
			again.IDs = some
			if err := r.client.items(ctx, again, short, note); err != nil {
				return nil, err
			}
		}
	}
	day := time.Now().UTC().Format("2006-01-02")
	for key := range missing {
		if found[key] {
			continue
		}
		if err := r.discard(key, filepath.Join(r.o.Folder, trashName, day)); err != nil {
			return keys, err
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys, errors.Join(r.sweep(folders), r.manifest.write())
}

// sweep removes the parts of files whose item left before they were whole: those outside the folders of items that are there.
func (r *Run) sweep(folders map[string]bool) error {
	if r.o.Flat {
		return nil // their names don't tell
	}
	return filepath.WalkDir(r.o.Folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir() && d.Name() == trashName:
			return fs.SkipDir
		case !d.IsDir() && filepath.Ext(path) == ".part" && !folders[filepath.Dir(path)]:
			err = errors.Join(fetch.RemovePieces(path), fetch.Remove(path))
			os.Remove(filepath.Dir(path)) //nolint:errcheck // other files may lie there
		}
		return err
	})
}

// discard moves the files of an item into a folder of the trash.
func (r *Run) discard(key, trash string) error {
	paths := r.manifest.of(key)
	for _, path := range paths {
		from, to := filepath.Join(r.o.Folder, filepath.FromSlash(path)), filepath.Join(trash, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.RemoveAll(to); err != nil { // it left twice on one day
			return err
		}
		if err := os.Rename(from, to); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if left := filepath.Dir(from); left != filepath.Clean(r.o.Folder) {
			os.Remove(filepath.Join(left, itemName)) //nolint:errcheck // of a static catalog; there may be none
			os.Remove(left)                          //nolint:errcheck // other files may lie there
		}
	}
	return r.manifest.drop(key)
}
