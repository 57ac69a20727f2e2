package processes

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"
	"os"
	pathpkg "path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"swath/auth"
	"swath/chains"
	"swath/fault"
	"swath/objects"
	"swath/objects/copies"
)

// coldError says that inputs were ordered from cold storage, and when to look again.
type coldError struct {
	files int
	wait  time.Duration
}

func (c *coldError) Error() string {
	return fmt.Sprintf("waits for %d files to come from the archive", c.files)
}

// in is where the inputs lie.
func (t *task) in() string { return filepath.Join(t.folder, "in") }

// readable is a store of which some objects are not here.
type readable interface {
	Readable(ctx context.Context, key string) error
}

// cold reports whether a file has to be brought first.
func (e *Engine) cold(ctx context.Context, f PinnedFile) (bool, error) {
	s, ok := e.cfg.Objects.(readable)
	if !ok {
		return false, nil
	}
	err := s.Readable(ctx, f.Object)
	if fault.Is(err, fault.Offline) {
		return true, nil
	}
	return false, err
}

// stage brings all inputs to the local disk and returns them as the chain takes them. When some are on cold storage, all of these are
// ordered, and the error is a coldError.
func (w *worker) stage(ctx context.Context, t *task) (map[string]json.RawMessage, error) {
	if err := w.order(ctx, t.owner, t.inputs); err != nil {
		return nil, err
	}
	var all, done int64
	for _, b := range t.inputs {
		for _, s := range b.Sources {
			for _, f := range s.files() {
				all += f.Bytes
			}
		}
	}
	brought := func(n int64) {
		if done += n; all > 0 {
			t.report.say(int(10*min(done, all)/all), "its inputs are brought")
		}
	}
	inputs := map[string]json.RawMessage{}
	for _, f := range t.chain.Inputs {
		b, given := t.inputs[f.Name]
		if !given {
			continue
		}
		var values []json.RawMessage
		for i, s := range b.Sources {
			value, err := w.stageOne(ctx, t, f, s, filepath.Join(t.in(), fmt.Sprintf("%s-%d", f.Name, i)), brought)
			if err != nil {
				return nil, ofInput(f.Name, err)
			}
			values = append(values, value)
		}
		if len(values) == 0 && !b.Many {
			continue
		}
		if values == nil {
			values = []json.RawMessage{}
		}
		inputs[f.Name] = joined(values, b.Many)
		if err := f.Validate(inputs[f.Name]); err != nil {
			return nil, err
		}
	}
	return inputs, nil
}

// order asks for what is on cold storage, in the owner's name: shares and quotas are those of all orders. It returns a coldError when
// there is something.
func (w *worker) order(ctx context.Context, owner string, inputs map[string]bound) error {
	var cold []copies.File
	for _, b := range inputs {
		for _, s := range b.Sources {
			for _, f := range s.files() {
				away, err := w.cold(ctx, f)
				if err != nil {
					return err
				}
				if away {
					cold = append(cold, copies.File{Key: f.Object, Asset: f.Asset})
				}
			}
		}
	}
	if len(cold) == 0 {
		return nil
	}
	if w.cfg.Desk == nil {
		return fault.New(fault.Offline, "%d files of the inputs are on cold storage, which can't be read here", len(cold))
	}
	wait, ask := time.Minute, []copies.File{}
	for _, f := range cold {
		c, err := w.cfg.Desk.Copies.Get(ctx, f.Key)
		if err != nil {
			return err
		}
		if c.State == copies.Cold || c.State == copies.Evicting || c.State == copies.Unavailable {
			ask = append(ask, f)
		}
		if wait, err = w.cfg.Desk.Estimate(ctx, c.State); err != nil {
			return err
		}
	}
	if len(ask) > 0 {
		_, err := w.cfg.Desk.Order(auth.With(ctx, auth.Principal{User: owner, Role: auth.Processor}), ask, false)
		if err != nil && !fault.Is(err, fault.OverQuota) {
			return err
		}
	}
	return &coldError{len(cold), min(wait, coldLook)}
}

// coldLook is how long a job that waits for cold storage is left alone: what others ordered may come before the estimate.
const coldLook = 15 * time.Second

// stageOne brings one value and returns it as the chain takes it.
func (w *worker) stageOne(ctx context.Context, t *task, f chains.Field, s source, dir string, brought func(int64)) (json.RawMessage, error) {
	switch {
	case s.Folder != "":
		path, err := w.provide(ctx, t, s.Folder)
		if err != nil {
			return nil, err
		}
		return json.Marshal(path)
	case s.Item != nil:
		path, err := w.stageItem(ctx, *s.Item, dir, f.Kind, brought)
		if err != nil {
			return nil, err
		}
		return json.Marshal(path)
	case s.Object != nil:
		path := filepath.Join(dir, s.Object.Name)
		if err := w.bring(ctx, *s.Object, path, brought); err != nil {
			return nil, err
		}
		return asTaken(f, path)
	case s.Href != "":
		path, err := w.fetch(ctx, s, dir, f)
		if err != nil {
			return nil, err
		}
		return asTaken(f, path)
	case s.Data != nil:
		path := filepath.Join(dir, f.Name+extensionOf(s.Media, f.Media))
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(path, s.Data, 0o600)); err != nil {
			return nil, err
		}
		return asTaken(f, path)
	}
	return s.Value, nil
}

// fetch brings a file from elsewhere.
func (w *worker) fetch(ctx context.Context, s source, dir string, f chains.Field) (path string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	name := f.Name + extensionOf(s.Media, f.Media)
	if u, err := url.Parse(s.Href); err == nil && plainName.MatchString(pathpkg.Base(u.Path)) {
		name = pathpkg.Base(u.Path) // products are known by their names
	}
	path = filepath.Join(dir, name)
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = w.cfg.Egress.Get(ctx, s.Href, out, w.cfg.FileBytes)
	return path, err
}

// plainName is a name that can be one of a file here.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$`)

// asTaken is a file as an input takes it: its path, or what it says where the input is a plain value.
func asTaken(f chains.Field, path string) (json.RawMessage, error) {
	if f.Kind != chains.Value {
		return json.Marshal(path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > mostData {
		return nil, fault.New(fault.TooLarge, "the file has %d bytes; a value may have %d", info.Size(), mostData)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if f.Schema["type"] == "string" && !json.Valid(body) {
		return json.Marshal(string(body))
	}
	if !json.Valid(body) {
		return nil, fault.New(fault.Invalid, "the file it refers to is not JSON")
	}
	return json.RawMessage(bytes.TrimSpace(body)), nil
}

// extensionOf names a file by its media type.
func extensionOf(media ...string) string {
	for _, m := range media {
		kind, _, err := mime.ParseMediaType(m)
		if err != nil {
			continue
		}
		switch kind {
		case "image/tiff":
			return ".tif"
		case "application/geo+json":
			return ".geojson"
		case "application/json":
			return ".json"
		case "text/plain":
			return ".txt"
		}
		if all, err := mime.ExtensionsByType(kind); err == nil && len(all) > 0 {
			return all[0]
		}
	}
	return ""
}

// stageItem brings a product: as its agency packed it, or a folder of the item's assets with its document beside them.
func (w *worker) stageItem(ctx context.Context, p PinnedItem, dir string, kind chains.Kind, brought func(int64)) (string, error) {
	if len(p.Files) == 1 && p.Files[0].Asset == "product" && kind == chains.AProduct {
		path := filepath.Join(dir, p.Files[0].Name)
		return path, w.bring(ctx, p.Files[0], path, brought)
	}
	it, err := w.cfg.Catalog.Item(ctx, p.Collection, p.ID)
	if err != nil {
		return "", err
	}
	var document map[string]any
	if err := json.Unmarshal(it.Body, &document); err != nil {
		return "", err
	}
	folder := filepath.Join(dir, strings.ReplaceAll(p.ID, string(filepath.Separator), "_"))
	assets, _ := document["assets"].(map[string]any)
	for _, f := range p.Files {
		name := f.Asset + filepath.Ext(f.Object)
		if err := w.bring(ctx, f, filepath.Join(folder, name), brought); err != nil {
			return "", err
		}
		if fields, ok := assets[f.Asset].(map[string]any); ok {
			fields["href"] = name
		}
	}
	body, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "item.json")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		return "", err
	}
	if kind == chains.AnItem {
		return path, nil
	}
	return folder, nil
}

// bring copies an object to the local disk, and compares what came with what was pinned.
func (w *worker) bring(ctx context.Context, f PinnedFile, path string, brought func(int64)) (err error) {
	o, err := w.cfg.Objects.Open(ctx, f.Object)
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.Conflict, "%s was replaced or removed since the job was accepted", f.Name)
	} else if fault.Is(err, fault.Offline) {
		return &coldError{1, 10 * time.Second} // it left again since it was looked for
	} else if err != nil {
		return err
	}
	defer o.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	from := objects.Stream(o, 0, o.Info().Size)
	defer from.Close()
	sum, buffer := sha256.New(), make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := from.Read(buffer)
		sum.Write(buffer[:n]) //nolint:errcheck // never fails
		if _, err := out.Write(buffer[:n]); err != nil {
			return err
		}
		brought(int64(n))
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	if want, ok := strings.CutPrefix(f.Checksum, "1220"); ok && want != hex.EncodeToString(sum.Sum(nil)) {
		return fmt.Errorf("processes: %s has not the checksum that was pinned", f.Object)
	}
	return nil
}
