package catalog

import (
	"encoding/json"
	"strconv"
	"strings"

	"swath/fault"
	"swath/stac"
)

// object writes members as one JSON object.
func object(members []member) []byte {
	size := 2
	for _, m := range members {
		size += len(m.key) + len(m.raw) + 2
	}
	out := append(make([]byte, 0, size), '{')
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

// open reads a document, and takes those links away that the server makes.
func open(body []byte) (scanned, error) {
	s, err := scan(body)
	s.members = keepLinks(s.members)
	return s, err
}

// document is an item that was found to be sound, with what the columns need to know of it.
type document struct {
	id         string
	collection string
	body       []byte // to be stored: compact, without our links, with collection and bbox
	when       period
	where      footprint
	properties properties
	as         *recognized // what its form is, if it has one and was read by it
}

// parseItem checks an item at the door. What it says of itself must agree with the names it is put under; without an ID, it
// may have any.
func parseItem(it stac.Item) (document, error) {
	read, err := scan(it.Body)
	if err != nil {
		return document{}, err
	}
	return readItem(it, read)
}

// readItem is parseItem of a text that was read. The document holds the text if nothing of it had to be changed and it has a form.
func readItem(it stac.Item, read scanned) (d document, err error) {
	members, changed := read.members, get(read.members, "links") != nil
	if changed {
		members = keepLinks(members)
	}
	if err := named(members, "type", "Feature"); err != nil {
		return document{}, err
	}
	if err := named(members, "id", it.ID); err != nil {
		return document{}, err
	}
	if get(members, "collection") == nil {
		name, _ := json.Marshal(it.Collection) // a string always can
		members, changed = set(members, "collection", name), true
	}
	if err := named(members, "collection", it.Collection); err != nil {
		return document{}, err
	}
	d = document{id: textOf(get(members, "id")), collection: textOf(get(members, "collection"))}
	if strings.ContainsRune(d.id, 0) {
		return document{}, fault.New(fault.Invalid, "the id has a character that is not allowed: NUL")
	}
	if d.when, d.properties, err = parseProperties(read.properties, get(members, "keywords"), read.as); err != nil {
		return document{}, err
	}
	bbox := get(members, "bbox")
	if d.where, err = footprintOf(get(members, "geometry"), bbox); err != nil {
		return document{}, err
	}
	if bbox == nil && !d.where.empty() {
		members, changed = set(members, "bbox", d.where.box.bbox()), true
	}
	if read.as != nil && !changed {
		d.body, d.as = read.text, read.as
	} else {
		d.body = object(members)
	}
	return d, nil
}

// named checks that a member is this text, or any if want is empty.
func named(members []member, name, want string) error {
	raw := get(members, name)
	if !isText(raw) || len(raw) == len(`""`) {
		return fault.New(fault.Invalid, "the document has no %q, or it is not a text", name)
	}
	if got := textOf(raw); want != "" && got != want {
		return fault.New(fault.Invalid, "the document's %s is %q, not %q", name, got, want)
	}
	return nil
}
