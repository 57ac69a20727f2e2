package catalog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
)

// scratch is what filling in and reading forms need for a moment.
type scratch struct {
	said          []section // of every step
	written       [][]byte
	differ        []differing
	unlike        []bool // steps that are not as prepared, since something differs
	values, whole []byte
	frame         []byte

	// Of the item that was read last:
	edges               []int
	members, properties []member
	recognized          recognized
	all                 []namedValue // see properties
	terms               []int32
}

// differing is a place that says something else than the form knows.
type differing struct {
	place int
	value []byte
}

func (s *scratch) sections(n int) []section {
	if cap(s.said) < n {
		s.said = make([]section, n)
	}
	return s.said[:n]
}

// begin forgets what differed before.
func (s *scratch) begin() { s.differ, s.unlike = s.differ[:0], s.unlike[:0] }

// differs notes that a place says something else.
func (s *scratch) differs(f *form, place int, value []byte) {
	if len(s.unlike) == 0 {
		s.unlike = append(s.unlike, f.prepared...)
	}
	s.differ = append(s.differ, differing{place, value})
	for _, step := range f.affected[place] {
		s.unlike[step] = true
	}
}

// note says where edges are in marks that begin at a place of the text.
func (s *scratch) note(edges []edge, at int) {
	for _, e := range edges {
		s.edges[e.number] = at + e.at
	}
}

// asPrepared reports whether nothing that a step depends on differs.
func (s *scratch) asPrepared(step int) bool { return len(s.unlike) == 0 || !s.unlike[step] }

// known returns what a place says that is like another, unless it differs itself, and whether that is meant in lower case. The
// values that are written lie in a text, where said tells.
func (f *form) known(place int, text []byte, said []section, differ []differing) (value []byte, lower bool) {
	for {
		p := &f.Places[place]
		if p.Like < 0 {
			s := said[f.stepOf[place]]
			return text[s.from:s.to], lower
		}
		lower, place = lower || p.Lower, p.Like
		for i := range differ {
			if differ[i].place == place {
				return differ[i].value, lower
			}
		}
	}
}

// fill writes what a form can't know of an item: the values of the places that are written, each with a line's end, and then
// what differs, each with how many places are between. Of an item that has other marks it returns the first of them, else -1.
func (f *form) fill(text []byte, room *scratch) (values []byte, failed int) {
	room.begin()
	out, said := room.values[:0], room.sections(len(f.steps))
	room.edges = slices.Grow(room.edges[:0], len(f.shape.at))[:len(f.shape.at)]
	at := 0
	for i := range f.steps {
		s := &f.steps[i]
		if end := at + len(s.marks); end <= len(text) && string(text[at:end]) == s.marks && room.asPrepared(i) {
			room.note(s.edges, at)
			switch said[i].from = end; s.like {
			case isWritten:
				said[i].to = s.ends.of(text, end)
				out = append(append(out, text[end:said[i].to]...), '\n')
				at = said[i].to
				continue
			case isEnd:
				at = end
				continue
			}
			like := text[said[s.like].from:said[s.upto].to]
			if to := end + len(like); to <= len(text) && same(text[end:to], like, s.lower) && !s.ends.goesOn(text, to) {
				said[i].to, at = to, to
				continue
			}
		}
		// Something differs: one place after the other.
		for k := range f.atoms[s.from:s.to] {
			a := &f.atoms[s.from+k]
			if end := at + len(a.marks); end <= len(text) && string(text[at:end]) == a.marks {
				room.note(a.edges, at)
				at = end
			} else if at, failed = f.fillMarks(text, at, a, room); failed >= 0 {
				return nil, failed
			}
			if s.like == isEnd {
				break
			}
			p := &f.Places[a.place]
			value := text[at:p.Ends.of(text, at)]
			if k == 0 {
				said[i].from = at
			}
			at += len(value)
			said[i].to = at
			if p.written() {
				out = append(append(out, value...), '\n')
			} else if known, lower := f.known(a.place, text, said, room.differ); !same(value, known, lower) {
				room.differs(f, a.place, value)
			}
		}
	}
	last := 0
	for _, d := range room.differ {
		out = binary.AppendUvarint(out, uint64(d.place-last))
		out = append(append(out, d.value...), '\n')
		last = d.place
	}
	room.values = out
	if at < len(text) {
		return nil, len(f.Marks)
	}
	return out, -1
}

// fillMarks notes which of the places differ that always say the same before an atom, and returns where the atom begins, or which of the
// marks before it is another one.
func (f *form) fillMarks(text []byte, at int, a *atom, room *scratch) (begins, failed int) {
	for place := a.from; ; place++ {
		marks := f.Marks[place]
		if at+len(marks) > len(text) || string(text[at:at+len(marks)]) != marks {
			return 0, place
		}
		room.note(f.edgesAt[place], at)
		if at += len(marks); place == a.place {
			return at, -1
		}
		p := &f.Places[place]
		end := p.Ends.of(text, at)
		if value := text[at:end]; string(value) != p.Always {
			room.differs(f, place, value)
		}
		at = end
	}
}

// goesOn reports whether what ends before at is only the beginning of a place.
func (e placeEnd) goesOn(text []byte, at int) bool {
	return at < len(text) && (e == afterWord && alphanumeric(text[at]) || e == afterPlain && plainByte(text[at]))
}

// same compares a value with what is known, which may be meant in lower case.
func same(value, known []byte, lowered bool) bool {
	if !lowered {
		return bytes.Equal(value, known)
	}
	if len(value) != len(known) {
		return false
	}
	for i, b := range known {
		if value[i] != lower(b) {
			return false
		}
	}
	return true
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// appendCase appends a text, perhaps in lower case.
func appendCase(out, text []byte, lowered bool) []byte {
	if !lowered {
		return append(out, text...)
	}
	for _, b := range text {
		out = append(out, lower(b))
	}
	return out
}

var errDamagedForm = errors.New("unpack body: it does not fit its form")

// lines takes a filled form apart: the values that are written, and what differs.
func (f *form) lines(filled []byte, room *scratch) error {
	room.begin()
	room.written = room.written[:0]
	for range f.written {
		end := bytes.IndexByte(filled, '\n')
		if end < 0 {
			return errDamagedForm
		}
		room.written, filled = append(room.written, filled[:end]), filled[end+1:]
	}
	for place := 0; len(filled) > 0; {
		between, n := binary.Uvarint(filled)
		if n <= 0 || between >= uint64(len(f.Places)-place) || between == 0 && len(room.differ) > 0 {
			return errDamagedForm
		}
		filled, place = filled[n:], place+int(between)
		end := bytes.IndexByte(filled, '\n')
		if end < 0 || f.Places[place].written() {
			return errDamagedForm
		}
		room.differs(f, place, filled[:end])
		filled = filled[end+1:]
	}
	return nil
}

// text appends the item that was filled in.
func (f *form) text(out, filled []byte, room *scratch) ([]byte, error) {
	if err := f.lines(filled, room); err != nil {
		return nil, err
	}
	said, written, differ := room.sections(len(f.steps)), room.written, room.differ
	for i := range f.steps {
		s := &f.steps[i]
		if !room.asPrepared(i) {
			for k := range f.atoms[s.from:s.to] {
				a := &f.atoms[s.from+k]
				if len(differ) == 0 || differ[0].place >= a.place {
					out = append(out, a.marks...)
				} else {
					out, differ = f.textMarks(out, a, differ)
				}
				if s.like == isEnd {
					break
				}
				if k == 0 {
					said[i].from = len(out)
				}
				switch {
				case len(differ) > 0 && differ[0].place == a.place:
					out, differ = append(out, differ[0].value...), differ[1:]
				case s.like == isWritten:
					out, written = append(out, written[0]...), written[1:]
				default:
					known, lower := f.known(a.place, out, said, room.differ)
					out = appendCase(out, known, lower)
				}
				said[i].to = len(out)
			}
			continue
		}
		out = append(out, s.marks...)
		from := len(out)
		switch s.like {
		case isEnd:
		case isWritten:
			out, written = append(out, written[0]...), written[1:]
		default:
			out = appendCase(out, out[said[s.like].from:said[s.upto].to], s.lower)
		}
		said[i] = section{from: from, to: len(out)}
	}
	return out, nil
}

// textMarks appends what is before an atom, of which something differs.
func (f *form) textMarks(out []byte, a *atom, differ []differing) ([]byte, []differing) {
	for place := a.from; ; place++ {
		out = append(out, f.Marks[place]...)
		switch {
		case place == a.place:
			return out, differ
		case len(differ) > 0 && differ[0].place == place:
			out, differ = append(out, differ[0].value...), differ[1:]
		default:
			out = append(out, f.Places[place].Always...)
		}
	}
}
