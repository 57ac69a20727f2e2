package stac

import (
	"bytes"
	"encoding/json"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"swath/fault"
)

// The kinds of patches.
const (
	TypeMergePatch = "application/merge-patch+json" // RFC 7396
	TypeJSONPatch  = "application/json-patch+json"  // RFC 6902
)

// Patch applies a patch to a document. One that does not fit the document is fault.Conflict where it tests for something
// else, and else fault.Invalid.
func Patch(document, patch []byte, kind string) (json.RawMessage, error) {
	if kind != TypeJSONPatch {
		var object map[string]json.RawMessage
		if json.Unmarshal(patch, &object) != nil || object == nil {
			return nil, fault.New(fault.Invalid, "the patch is not a JSON object")
		}
		out, err := jsonpatch.MergePatch(document, patch)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the patch can't be applied: %v", err)
		}
		return out, nil
	}
	operations, err := jsonpatch.DecodePatch(patch)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the body is not an array of patch operations")
	}
	if len(operations) > maxPatch {
		return nil, fault.New(fault.Invalid, "the patch has more than %d operations", maxPatch)
	}
	options := jsonpatch.NewApplyOptions()
	options.AccumulatedCopySizeLimit = maxBodyBytes
	out, err := operations.ApplyWithOptions(document, options)
	switch {
	case err == nil:
		return out, nil
	case bytes.Contains([]byte(err.Error()), []byte("test failed")):
		return nil, fault.Wrap(fault.Conflict, err, "a test of the patch failed")
	}
	return nil, fault.Wrap(fault.Invalid, err, "the patch can't be applied: %v", err)
}

// maxPatch bounds the operations of one JSON Patch.
const maxPatch = 1000

// spaced reports whether JSON has white space outside of its texts; it may be wrong about what is no JSON.
func spaced(body []byte) bool {
	for at := 0; at < len(body); at++ {
		switch body[at] {
		case ' ', '\t', '\n', '\r':
			return true
		case '"':
			for at++; at < len(body) && body[at] != '"'; at++ {
				if body[at] == '\\' {
					at++
				}
			}
		}
	}
	return false
}

// Received is an item as it is stored, made of one that a client has written: compact, with the hrefs of our own assets in their stored
// form, and without what is only told of an archive when it is served. Who stores it finds out whether it is valid JSON. Which object is
// behind an asset is not the client's to say: as long as the asset's href is ours it is the one that old, which may be nil, has under that key.
func (l Links) Received(body []byte, old *Item) (json.RawMessage, error) {
	if spaced(body) {
		var compact bytes.Buffer
		if err := json.Compact(&compact, body); err != nil {
			return nil, fault.New(fault.Invalid, "the body is not valid JSON: %v", err)
		}
		body = compact.Bytes()
	}
	own := append(append([]byte{}, href...), l.Base+"/"...)
	out := bytes.ReplaceAll(body, own, append(append([]byte{}, href...), storedHref...))
	told := bytes.Contains(out, archiveType)
	if !told && !bytes.Contains(out, ownObject) && (old == nil || !bytes.Contains(old.Body, ownObject)) {
		return out, nil
	}
	var document, before struct {
		Properties map[string]json.RawMessage            `json:"properties"`
		Assets     map[string]map[string]json.RawMessage `json:"assets"`
	}
	if json.Unmarshal(out, &document) != nil {
		return nil, fault.New(fault.Invalid, "the item's properties and assets are not objects")
	}
	if old != nil {
		_ = json.Unmarshal(old.Body, &before) // it was stored
	}
	changed := told
	for name, asset := range document.Assets {
		was, is := before.Assets[name][ObjectField], asset[ObjectField]
		if told && is != nil {
			untell(asset)
		}
		if !bytes.HasPrefix(asset["href"], storedValue) {
			was = nil
		}
		switch {
		case bytes.Equal(was, is):
			continue
		case was == nil:
			delete(asset, ObjectField)
		case asset != nil:
			asset[ObjectField] = was
		}
		changed = true
	}
	if !changed {
		return out, nil
	}
	var patch []map[string]any
	if document.Assets != nil {
		patch = append(patch, map[string]any{"op": "replace", "path": "/assets", "value": document.Assets})
	}
	if told && document.Properties != nil {
		untell(document.Properties)
		patch = append(patch, map[string]any{"op": "replace", "path": "/properties", "value": document.Properties})
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	return Patch(out, text, TypeJSONPatch)
}

// storedValue is how the href of an asset of ours begins as a value.
var storedValue = []byte(`"` + HrefPrefix + "/")
