package jobclient

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"swath/fault"
)

// Saved is one result on the local disk.
type Saved struct {
	Output string
	Path   string // relative to the folder; empty of what failed
	Err    error
}

// value is a result in the forms that it may have in a document.
type value struct {
	Value     json.RawMessage `json:"value"`
	MediaType string          `json:"mediaType"`
	Encoding  string          `json:"encoding"`
	Href      string          `json:"href"`
	Type      string          `json:"type"`
	Title     string          `json:"title"`
}

// Save puts the results of a job into a folder: results.json is all of them as the server says, each file has its name, and each item is a
// file of its JSON, which is returned as well, so that its assets can be downloaded. What failed is told with its reason.
func (c Client) Save(ctx context.Context, id, folder string) (saved []Saved, items []json.RawMessage, err error) {
	var document map[string]json.RawMessage
	if err := c.decode(ctx, &document, http.MethodGet, jobPath(id)+"/results", nil); err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, nil, err
	}
	pretty, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return nil, nil, err
	}
	if err := write(filepath.Join(folder, "results.json"), bytes.NewReader(append(pretty, '\n'))); err != nil {
		return nil, nil, err
	}
	for _, output := range slices.Sorted(maps.Keys(document)) {
		for i, v := range valuesOf(document[output]) {
			name, item, err := c.save(ctx, folder, output, i, v)
			if err != nil && ctx.Err() != nil {
				return saved, items, ctx.Err()
			}
			if name != "" || err != nil {
				saved = append(saved, Saved{output, name, err})
			}
			if item != nil {
				items = append(items, item)
			}
		}
	}
	return saved, items, nil
}

// valuesOf returns the values of an output that are files or items; plain ones are in the document.
func valuesOf(raw json.RawMessage) (list []value) {
	all := []json.RawMessage{raw}
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "[") {
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil
		}
	}
	for _, one := range all {
		var v value
		if json.Unmarshal(one, &v) == nil && (v.Href != "" || v.Encoding == "base64" || v.MediaType == itemType) {
			list = append(list, v)
		}
	}
	return list
}

const itemType = "application/geo+json"

// save puts one value into a file.
func (c Client) save(ctx context.Context, folder, output string, index int, v value) (name string, item json.RawMessage, err error) {
	if v.Href == "" && v.Encoding == "base64" {
		var text string
		if err := json.Unmarshal(v.Value, &text); err != nil {
			return "", nil, err
		}
		body, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "", nil, err
		}
		name := fileName("", output, index, v.MediaType)
		return name, nil, write(filepath.Join(folder, name), bytes.NewReader(body))
	}
	body := io.Reader(bytes.NewReader(v.Value))
	kind := v.MediaType
	title := v.Title
	if v.Href != "" {
		answer, err := c.do(ctx, http.MethodGet, v.Href, nil)
		if err != nil {
			return "", nil, err
		}
		defer answer.Body.Close()
		if _, params, err := mime.ParseMediaType(answer.Header.Get("Content-Disposition")); err == nil && params["filename"] != "" {
			title = params["filename"]
		}
		body, kind = answer.Body, v.Type
	}
	if kind == itemType {
		if item, err = io.ReadAll(io.LimitReader(body, mostDocument)); err != nil {
			return "", nil, err
		}
		var id struct{ ID string }
		if err := json.Unmarshal(item, &id); err != nil {
			return "", nil, err
		}
		name = fileName(id.ID+".json", output, index, kind)
		return name, item, write(filepath.Join(folder, name), bytes.NewReader(item))
	}
	name = fileName(title, output, index, kind)
	return name, nil, write(filepath.Join(folder, name), body)
}

// fileName is a name that stays in its folder: the server's own, or that of the output.
func fileName(title, output string, index int, media string) string {
	title = filepath.Base(filepath.Clean("/" + strings.ReplaceAll(title, `\`, "/")))
	if title != "/" && title != "." && title != "results.json" && !strings.ContainsFunc(title, func(r rune) bool { return r < ' ' }) {
		return title
	}
	name := filepath.Base(filepath.Clean("/" + output))
	if index > 0 {
		name = fmt.Sprintf("%s-%d", name, index+1)
	}
	if extensions, err := mime.ExtensionsByType(media); err == nil && len(extensions) > 0 {
		name += extensions[0]
	}
	return name
}

// write puts a file in its place when it is whole.
func write(path string, body io.Reader) error {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, body); err != nil {
		err = fault.Wrap(fault.Unavailable, err, "the file broke off")
	} else {
		err = f.CloseAtomicallyReplace()
	}
	return errors.Join(err, f.Cleanup())
}
