package cwl

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"unicode/utf8"

	"swath/fault"
)

// literals refuses files and directories of a value that are not wholly in it, and writes what the files say: cwltool loses a literal that is
// an output, too.
func (r *run) literals(raw json.RawMessage) (json.RawMessage, error) {
	return withFiles(raw, func(o map[string]any) (map[string]any, error) {
		for _, key := range []string{"location", "path"} {
			if _, ok := o[key]; ok {
				return nil, fault.New(fault.Invalid, "a %v within a value has contents of its own, and no %s", o["class"], key)
			}
		}
		said, ok := o["contents"].(string)
		if !ok || o["class"] != "File" {
			return nil, nil
		}
		name := cmp.Or(text(o["basename"]), "file")
		if name != filepath.Base(name) || !filepath.IsLocal(name) {
			return nil, fault.New(fault.Invalid, "%.60q is no name of a file", name)
		}
		dir, err := os.MkdirTemp(r.ws.Scratch, "literal-")
		if err != nil {
			return nil, err
		}
		if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the sandbox reads it
			return nil, err
		}
		file := maps.Clone(o)
		delete(file, "contents")
		file["path"] = filepath.Join(dir, name)
		return file, os.WriteFile(filepath.Join(dir, name), []byte(said), 0o644) //nolint:gosec // as above
	})
}

// inline puts what the files of a value say into it: they are gone when the run is.
func (r *run) inline(raw json.RawMessage) (json.RawMessage, error) {
	return withFiles(raw, func(o map[string]any) (map[string]any, error) {
		place, err := url.Parse(text(o["location"]))
		if err != nil || place.Scheme != "file" {
			return nil, fault.New(fault.Invalid, "%q is no file", text(o["location"]))
		}
		if err := r.within(place.Path); err != nil {
			return nil, err
		}
		literal := map[string]any{"class": o["class"], "basename": filepath.Base(place.Path)}
		for _, key := range []string{"checksum", "size", "format", "secondaryFiles", "listing"} {
			if said, ok := o[key]; ok {
				literal[key] = said
			}
		}
		if o["class"] == "Directory" {
			return literal, nil
		}
		literal["contents"], err = contents(place.Path)
		return literal, err
	})
}

// contents reads a file that may stand in a value.
func contents(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if info.Size() > mostContents {
		return "", fault.New(fault.TooLarge, "%s has %d bytes; a file within a value may have %d, others are outputs of their own", path.Base(name), info.Size(), mostContents)
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(body) {
		return "", fault.New(fault.Invalid, "%s is no text: such a file is an output of its own", path.Base(name))
	}
	return string(body), nil
}

// withFiles is a JSON value with its files and directories replaced; it is the same to the byte where replace answers nil for all of them.
func withFiles(raw json.RawMessage, replace func(map[string]any) (map[string]any, error)) (json.RawMessage, error) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, err
	}
	changed := false
	value, err := rewritten(value, func(o map[string]any) (any, error) {
		other, err := replace(o)
		if err != nil || other == nil {
			return o, err
		}
		changed = true
		return other, nil
	})
	if err != nil || !changed {
		return raw, err
	}
	return json.Marshal(value)
}

// rewritten is a value with its files and directories replaced, outer ones before what is in them.
func rewritten(value any, replace func(map[string]any) (any, error)) (any, error) {
	var err error
	switch v := value.(type) {
	case []any:
		for i, part := range v {
			if v[i], err = rewritten(part, replace); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		if class := text(v["class"]); class == "File" || class == "Directory" {
			if value, err = replace(v); err != nil {
				return nil, err
			}
			v, _ = value.(map[string]any)
		}
		for key, part := range v {
			if v[key], err = rewritten(part, replace); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}
