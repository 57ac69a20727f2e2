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
	taken := map[string]bool{"results.json": true, "manifest.json": true} // the second is that of downloads
	for _, output := range slices.Sorted(maps.Keys(document)) {
		for i, v := range valuesOf(document[output]) {
			name, item, err := c.save(ctx, folder, output, i, v, taken)
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

// save puts one value into a file, whose name nothing else in taken has.
func (c Client) save(ctx context.Context, folder, output string, index int, v value, taken map[string]bool) (name string, item json.RawMessage, err error) {
	called := func(title, kind string) string { return fileName(title, output, index, kind, taken) }
	if v.Href == "" && v.Encoding == "base64" {
		var text string
		if err := json.Unmarshal(v.Value, &text); err != nil {
			return "", nil, err
		}
		body, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "", nil, err
		}
		name := called(v.Title, v.MediaType)
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
		name = called(id.ID+".json", kind)
		return name, item, write(filepath.Join(folder, name), bytes.NewReader(item))
	}
	name = called(title, kind)
	return name, nil, write(filepath.Join(folder, name), body)
}

// fileName is a name that stays in its folder and is not taken: the server's own, that with the output's before it where two are called the same, or that of the
// output where there is none. It is taken then.
func fileName(title, output string, index int, media string, taken map[string]bool) string {
	output = filepath.Base(filepath.Clean("/" + output))
	if index > 0 {
		output = fmt.Sprintf("%s-%d", output, index+1)
	}
	title = filepath.Base(filepath.Clean("/" + strings.ReplaceAll(title, `\`, "/")))
	name := title
	if title == "/" || title == "." || strings.ContainsFunc(title, func(r rune) bool { return r < ' ' }) {
		title, name = "", output
		if extensions, err := mime.ExtensionsByType(media); err == nil && len(extensions) > 0 {
			name += extensions[0]
		}
	}
	free := name
	for n := 1; taken[strings.ToLower(free)]; n++ {
		switch {
		case n == 1 && title != "":
			free = output + "-" + name
		default:
			free = fmt.Sprintf("%s-%d-%s", output, n, name)
		}
	}
	taken[strings.ToLower(free)] = true
	return free
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
