package catalog

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"swath/fault"
	"swath/stac"
)

// member is one key of a JSON object with its value, both as they were written.
type member struct {
	name     string
	key, raw []byte
}

// membersOf splits compact JSON into the members of its object, in order. A name that comes twice is refused: readers
// disagree on which one counts.
func membersOf(object []byte) ([]member, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, fault.New(fault.Invalid, "not a JSON object")
	}
	var all []member
	for seen := map[string]bool{}; decoder.More(); {
		begin := decoder.InputOffset()
		name, err := decoder.Token()
		if err != nil {
			return nil, fault.New(fault.Invalid, "not valid JSON: %v", err)
		}
		m := member{name: name.(string), key: bytes.TrimLeft(object[begin:decoder.InputOffset()], ",")}
		if seen[m.name] {
			return nil, fault.New(fault.Invalid, "the member %q comes twice", m.name)
		}
		seen[m.name] = true
		if err := decoder.Decode((*json.RawMessage)(&m.raw)); err != nil {
			return nil, fault.New(fault.Invalid, "not valid JSON: %v", err)
		}
		all = append(all, m)
	}
	return all, nil
}

// compact returns JSON without white space that means nothing.
func compact(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, fault.New(fault.Invalid, "not valid UTF-8")
	}
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		return nil, fault.New(fault.Invalid, "not valid JSON: %v", err)
	}
	return out.Bytes(), nil
}

// object writes members as one JSON object.
func object(members []member) []byte {
	out := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, m.key...), ':'), m.raw...)
	}
	return append(out, '}')
}

// get returns the value of a member, or nil when it is missing.
func get(members []member, name string) []byte {
	for _, m := range members {
		if m.name == name {
			return m.raw
		}
	}
	return nil
}

// set replaces the value of a member, or adds it.
func set(members []member, name string, raw []byte) []member {
	for i, m := range members {
		if m.name == name {
			members[i].raw = raw
			return members
		}
	}
	return append(members, member{name: name, key: strconv.AppendQuote(nil, name), raw: raw})
}

// open compacts a document, splits it, and takes its links away.
func open(body []byte) ([]member, error) {
	text, err := compact(body)
	if err != nil {
		return nil, err
	}
	members, err := membersOf(text)
	return slices.DeleteFunc(members, func(m member) bool { return m.name == "links" }), err
}

// document is an item that was found to be sound, with what the columns need to know of it.
type document struct {
	id         string
	body       []byte // to be stored: compact, without links, with collection and bbox
	when       period
	where      footprint
	properties properties
}

// parseItem checks an item at the door. What it says of itself must agree with the names it is put under.
func parseItem(it stac.Item) (document, error) {
	members, err := open(it.Body)
	if err != nil {
		return document{}, err
	}
	if err := named(members, "type", "Feature"); err != nil {
		return document{}, err
	}
	if err := named(members, "id", it.ID); err != nil {
		return document{}, err
	}
	if get(members, "collection") == nil {
		name, _ := json.Marshal(it.Collection) // a string always can
		members = set(members, "collection", name)
	}
	if err := named(members, "collection", it.Collection); err != nil {
		return document{}, err
	}
	if strings.ContainsRune(it.ID, 0) {
		return document{}, fault.New(fault.Invalid, "the id has a character that is not allowed: NUL")
	}
	d := document{id: it.ID}
	if d.when, d.properties, err = parseProperties(get(members, "properties"), get(members, "keywords")); err != nil {
		return document{}, err
	}
	bbox := get(members, "bbox")
	if d.where, err = footprintOf(get(members, "geometry"), bbox); err != nil {
		return document{}, err
	}
	if bbox == nil && !d.where.empty() {
		members = set(members, "bbox", d.where.box.bbox())
	}
	d.body = object(members)
	return d, nil
}

// named checks that a member is this string.
func named(members []member, name, want string) error {
	var got *string
	if err := json.Unmarshal(get(members, name), &got); err != nil || got == nil || *got == "" {
		return fault.New(fault.Invalid, "the document has no %q, or it is not a text", name)
	}
	if *got != want {
		return fault.New(fault.Invalid, "the document's %s is %q, not %q", name, *got, want)
	}
	return nil
}
