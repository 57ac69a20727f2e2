package catalog

import (
	"bytes"
	"slices"
	"strings"
)

// A form says not only what all of its items have in common but also where their members are. So an item whose marks are those of
// a form is taken apart while the form is filled in, and it is sound JSON when what stands in the places is: nothing else of it is
// looked at. That is most of what reading an item costs in a bulk load.

// formShape is where the members of a form's items are. It has none when they can't be told without reading an item.
type formShape struct {
	members    []shapedMember
	properties []shapedMember
	isPlain    []int        // the steps that are written and are numbers, literals or lists of numbers
	isDigits   []int        // and those that are parts of a time
	isBorrowed []int        // the places that are such and say the same as a part of a text
	at         []mark       // by the number of the edge
	known      []namedValue // all that items say always, see knownValue
}

// shapedMember is a member whose value lies between the edges 2n and 2n+1 of its number n.
type shapedMember struct {
	name  string
	key   []byte
	value int
	known *knownValue // what it says always; nil if something in it may change
}

// knownValue is a property that says the same in the items of a form, unless something differs.
type knownValue struct {
	raw   string
	all   []namedValue // it and what is in it
	terms []int32
}

// edge is where a value begins or ends in the marks that it lies in.
type edge struct{ number, at int }

// mark is a place in one of a form's marks.
type mark struct{ mark, at int }

// recognized is how an item was read that has a form. It is valid until its codec reads the next one.
type recognized struct {
	dictionary *dictionary
	number     int // of the form
	values     []byte
	room       *scratch
}

func (r *recognized) form() *form { return r.dictionary.forms[r.number] }

// mostKnown is how many properties of a form are looked at as known values.
const mostKnown = 256

// numberSet is a set of small numbers.
type numberSet [mostKnown / 64]uint64

func (s *numberSet) add(n int)      { s[n/64] |= 1 << (n % 64) }
func (s *numberSet) has(n int) bool { return s[n/64]&(1<<(n%64)) != 0 }

// sample returns an item of the form and where its marks begin in it; false when a place may be a part of an escape.
func (f *form) sample() (text []byte, from []int, ok bool) {
	from = make([]int, len(f.Marks))
	for i, marks := range f.Marks {
		from[i], text = len(text), append(text, marks...)
		if i == len(f.Places) {
			break
		}
		if slashes := len(marks) - len(strings.TrimRight(marks, `\`)); slashes%2 == 1 {
			return nil, nil, false
		}
		switch p := f.Places[i]; {
		case p.Always != "":
			text = append(text, p.Always...)
		case p.Ends == afterPlain:
			text = append(text, '0')
		case p.Ends == afterNumbers:
			text = append(text, `[0]`...)
		case p.Ends == afterWord:
			text = append(text, 'x')
		default:
			text = append(text, bytes.Repeat([]byte{'0'}, int(p.Ends))...)
		}
	}
	return text, from, true
}

// outline returns the shape of a form, but for its steps.
func (f *form) outline() (s formShape) {
	text, from, ok := f.sample()
	if !ok {
		return formShape{}
	}
	read, err := scan(text)
	if err != nil || len(read.text) != len(text) {
		return formShape{}
	}
	if s.members, ok = s.shaped(f, from, len("{"), read.members); !ok {
		return formShape{}
	}
	if i := slices.IndexFunc(s.members, func(m shapedMember) bool { return m.name == "properties" }); i >= 0 && read.properties != nil {
		begin := s.at[2*s.members[i].value]
		if s.properties, ok = s.shaped(f, from, from[begin.mark]+begin.at+len("{"), read.properties); !ok {
			return formShape{}
		}
	}
	for i := range s.properties {
		p := &s.properties[i]
		first, last := s.at[2*p.value].mark, s.at[2*p.value+1].mark // the places between the marks are in the value
		if i < mostKnown && !slices.ContainsFunc(f.Places[first:last], func(p formPlace) bool { return p.Always == "" }) {
			if p.known = knownOf(read.properties[i]); p.known != nil {
				s.known = append(s.known, p.known.all...)
			}
		}
	}
	for i, p := range f.Places {
		if p.Like >= 0 && p.Ends.outsideTexts() && f.Places[p.Like].Ends != p.Ends {
			s.isBorrowed = append(s.isBorrowed, i)
		}
	}
	return s
}

// shaped notes the edges of members that follow each other in the form's sample from at; false when one is in no mark.
func (s *formShape) shaped(f *form, from []int, at int, all []member) (out []shapedMember, ok bool) {
	for _, m := range all {
		begin := at + len(m.key) + len(":")
		at = begin + len(m.raw) + len(",")
		out = append(out, shapedMember{name: m.name, key: bytes.Clone(m.key), value: len(s.at) / 2})
		for _, edge := range []int{begin, begin + len(m.raw)} {
			next, _ := slices.BinarySearch(from, edge+1)
			n := next - 1
			if edge > from[n]+len(f.Marks[n]) {
				return nil, false
			}
			s.at = append(s.at, mark{n, edge - from[n]})
		}
	}
	return out, true
}

func knownOf(m member) *knownValue {
	all, err := appendProperties(nil, "", []member{{m.name, nil, bytes.Clone(m.raw)}})
	if err != nil {
		return nil
	}
	v := &knownValue{raw: string(m.raw), all: all}
	for _, p := range all {
		v.terms = appendTerms(v.terms, p)
	}
	return v
}

// outsideTexts tells places that are no parts of texts.
func (e placeEnd) outsideTexts() bool { return e == afterPlain || e == afterNumbers }

// edges returns them by the marks that they lie in.
func (s *formShape) edges(marks int) [][]edge {
	all := make([][]edge, marks)
	for number, m := range s.at {
		all[m.mark] = append(all[m.mark], edge{number, m.at})
	}
	return all
}

// check notes which steps have to be looked at for an item to be sound JSON.
func (s *formShape) check(steps []step) {
	for i, step := range steps {
		switch {
		case step.like != isWritten || step.ends == afterWord:
		case step.ends.outsideTexts():
			s.isPlain = append(s.isPlain, i)
		default:
			s.isDigits = append(s.isDigits, i)
		}
	}
}

// sound reports whether a text that the form was just filled in with is JSON.
func (f *form) sound(text []byte, room *scratch) bool {
	for _, i := range f.shape.isPlain {
		if said := room.said[i]; !isValue(text[said.from:said.to]) {
			return false
		}
	}
	for _, i := range f.shape.isDigits {
		if said := room.said[i]; slices.ContainsFunc(text[said.from:said.to], func(b byte) bool { return !alphanumeric(b) }) {
			return false
		}
	}
	for _, place := range f.shape.isBorrowed {
		differs := slices.ContainsFunc(room.differ, func(d differing) bool { return d.place == place })
		if value, _ := f.known(place, text, room.said, room.differ); !differs && !isValue(value) {
			return false
		}
	}
	for _, d := range room.differ {
		switch ends := f.Places[d.place].Ends; {
		case ends.outsideTexts():
			if !isValue(d.value) {
				return false
			}
		case slices.ContainsFunc(d.value, func(b byte) bool { return !alphanumeric(b) }):
			return false
		}
	}
	return true
}

// isValue reports whether a text is a number, a literal, or a list of numbers, as those are JSON.
func isValue(text []byte) bool {
	s := scanner{text: text}
	end, err := s.value(0, 0)
	return err == nil && end == len(text)
}

// recognize reads an item's text by its form. What it returns is valid until room is used again.
func (d *dictionary) recognize(text []byte, room *scratch) (read scanned, ok bool) {
	if !slices.ContainsFunc(d.forms, func(f *form) bool { return bytes.HasPrefix(text, []byte(f.Marks[0])) }) {
		return scanned{}, false
	}
	number, values := d.fill(text, room)
	if values == nil {
		return scanned{}, false
	}
	f := d.forms[number]
	if len(f.shape.members) == 0 || !f.sound(text, room) {
		return scanned{}, false
	}
	room.recognized = recognized{d, number, values, room}
	room.members = room.appendMembers(room.members[:0], text, f.shape.members)
	room.properties = room.appendMembers(room.properties[:0], text, f.shape.properties)
	read = scanned{text: text, members: room.members, properties: room.properties, as: &room.recognized}
	if f.shape.properties == nil {
		read.properties = nil
	}
	return read, true
}

func (s *scratch) appendMembers(out []member, text []byte, shaped []shapedMember) []member {
	for _, m := range shaped {
		from, to := s.edges[2*m.value], s.edges[2*m.value+1]
		out = append(out, member{m.name, m.key, text[from:to:to]})
	}
	return out
}
