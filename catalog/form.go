package catalog

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Items of a collection are forms that are filled in: the same names and marks, and between them values, many of which are
// always the same, or are said again further on (an id is a part of every address). A form knows what each of its places
// says; only what it can't know is written:
//
//	{"id":"S2A_T31TCJ","tile":"T31TCJ","n":7}   places: S2A, T31TCJ, T31TCJ, 7
//	      always S2A ┘     │       └ as the second
//	                 written: T31TCJ, 7
//
// An item whose marks are those of no form is packed as the text that it is.

// form is the marks of an item's JSON and what stands in the places between them.
type form struct {
	Marks  []string // one more than places
	Places []formPlace

	// Made of them, see ready:
	steps   []step
	stepOf  []int // by place
	written int   // how many places are written
}

// formPlace says what stands in one place, if nothing else is written.
type formPlace struct {
	Like   int    // the earlier place that says the same; -1: none
	Lower  bool   // in lower case
	Always string // what it says without Like; empty: it is written
	Ends   placeEnd
}

func (p formPlace) written() bool { return p.Like < 0 && p.Always == "" }

// section is a part of a text, and how its end is found.
type section struct {
	from, to int
	ends     placeEnd
}

// placeEnd says where a place ends.
type placeEnd byte

const (
	afterWord    placeEnd = 'w' // letters and digits
	afterPlain   placeEnd = 'n' // a number or a literal
	afterNumbers placeEnd = 'l' // a list of numbers
	// Smaller ones are the width of a part of a time.
)

func (e placeEnd) of(text []byte, at int) int {
	switch e {
	case afterWord:
		for at < len(text) && alphanumeric(text[at]) {
			at++
		}
		return at
	case afterPlain:
		for at < len(text) && plainByte(text[at]) {
			at++
		}
		return at
	case afterNumbers:
		return skipNumbers(text, at)
	}
	return min(at+int(e), len(text))
}

// sections returns the places of an item's compact JSON: numbers, true, false and null, lists of numbers, and the words of
// texts that are no names, of which times are taken apart.
func sections(text []byte, places []section) []section {
	for at := 0; at < len(text); {
		switch b := text[at]; {
		case b == '"':
			end := skipText(text, at)
			if end < len(text) && text[end] != ':' {
				places = wordSections(text[:min(end, len(text))], at+1, places)
			}
			at = end
		case b == '[':
			if end := skipNumbers(text, at); end > at+2 {
				places = append(places, section{at, end, afterNumbers})
				at = end
			} else {
				at++
			}
		case plainByte(b):
			end := afterPlain.of(text, at)
			places = append(places, section{at, end, afterPlain})
			at = end
		default:
			at++
		}
	}
	return places
}

// plainByte is one of a number or a literal.
func plainByte(b byte) bool {
	return alphanumeric(b) || b == '-' || b == '+' || b == '.'
}

func alphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

func digit(b byte) bool { return '0' <= b && b <= '9' }

// skipNumbers returns where a list of numbers, or of lists of them, ends; at itself where it is none.
func skipNumbers(text []byte, at int) int {
	depth := 0
	for i := at; i < len(text); i++ {
		switch b := text[i]; {
		case b == '[':
			depth++
		case b == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case digit(b) || b == '-' || b == '+' || b == '.' || b == 'e' || b == 'E' || b == ',':
		default:
			return at
		}
	}
	return at
}

// wordSections adds the words of a text that ends with its quote.
func wordSections(text []byte, at int, places []section) []section {
	for at < len(text) {
		if !alphanumeric(text[at]) {
			at++
			continue
		}
		from := at
		at = afterWord.of(text, at)
		for _, width := range timeWidths(text[from:at]) {
			places = append(places, section{from, from + width, placeEnd(width)})
			from += width
		}
		if from < at {
			places = append(places, section{from, at, afterWord})
		}
	}
	return places
}

var (
	compactTime = []int{4, 2, 2, 1, 2, 2, 2} // 20240601T105619
	compactDate = []int{4, 2, 2}             // 20240601
	dayAndHour  = []int{2, 1, 2}             // 01T10, of 2024-06-01T10:56:19Z
)

// timeWidths returns the widths of the parts of a word that looks like a time.
func timeWidths(word []byte) []int {
	digits := func(from, to int) bool {
		for _, b := range word[from:to] {
			if !digit(b) {
				return false
			}
		}
		return true
	}
	switch len(word) {
	case 15:
		if word[8]|0x20 == 't' && digits(0, 8) && digits(9, 15) {
			return compactTime
		}
	case 8:
		if digits(0, 8) {
			return compactDate
		}
	case 5:
		if word[2]|0x20 == 't' && digits(0, 2) && digits(3, 5) {
			return dayAndHour
		}
	}
	return nil
}

// marksOf returns everything between the places, with a mark of each.
func marksOf(text []byte, places []section, out []byte) []byte {
	at := 0
	for _, p := range places {
		out = append(append(out, text[at:p.from]...), 0) // JSON has no NUL
		at = p.to
	}
	return append(out, text[at:]...)
}

// step is a part of a text: what is always the same, and then a place, or several that say the same as several others with
// the same marks between.
type step struct {
	marks      string
	from, to   int // its places, in Places
	like, upto int // the steps that say the same; like is -1: it is written; -2: it is the end of the text
	lower      bool
	ends       placeEnd
}

const (
	isWritten = -1
	isEnd     = -2
)

// ready prepares a form for use, or says that it is damaged.
func (f *form) ready() error {
	if len(f.Marks) != len(f.Places)+1 {
		return errDamagedForm
	}
	asked := map[int]bool{} // places that others are like: they have a step of their own
	for i, p := range f.Places {
		if p.Like >= i || p.Like >= 0 && f.Places[p.Like].Always != "" {
			return errDamagedForm
		}
		asked[p.Like] = true
	}
	f.stepOf = make([]int, len(f.Places))
	marks, first, before := "", 0, -1 // before is the place of the last step
	for i, p := range f.Places {
		marks += f.Marks[i]
		if p.Always != "" {
			marks += p.Always
			continue
		}
		if last := len(f.steps) - 1; last >= 0 && p.Like >= 0 && !asked[i] && !asked[before] {
			// It goes on like the step before it, if what that is like goes on so.
			if s, next := &f.steps[last], f.stepOf[p.Like]; s.like >= 0 && !s.lower && !p.Lower && s.upto+1 == next && f.steps[next].marks == marks {
				s.upto, s.to = next, i+1
				f.stepOf[i], marks, first, before = last, "", i+1, i
				continue
			}
		}
		s := step{marks, first, i + 1, isWritten, isWritten, p.Lower, p.Ends}
		if p.Like >= 0 {
			s.like, s.upto = f.stepOf[p.Like], f.stepOf[p.Like]
		} else {
			f.written++
		}
		f.stepOf[i] = len(f.steps)
		f.steps = append(f.steps, s)
		marks, first, before = "", i+1, i
	}
	f.steps = append(f.steps, step{marks + f.Marks[len(f.Places)], first, len(f.Places), isEnd, isEnd, false, 0})
	return nil
}

// scratch is what filling in and reading forms need for a moment.
type scratch struct {
	said          []section // of every step
	written       [][]byte
	values, whole []byte
	frame         []byte
}

func (s *scratch) sections(n int) []section {
	if cap(s.said) < n {
		s.said = make([]section, n)
	}
	return s.said[:n]
}

// fill writes what a form can't know of an item: the values of the places that are written, each with a line's end, and then
// what differs, each with how many places are between. It reports false when an item has other marks.
func (f *form) fill(text []byte, room *scratch) (values []byte, fits bool) {
	var differ []byte
	out, said := room.values[:0], room.sections(len(f.steps))
	at, last := 0, 0
	for i := range f.steps {
		s := &f.steps[i]
		if end := at + len(s.marks); end <= len(text) && string(text[at:end]) == s.marks {
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
			said[i].to = end + len(like)
			if said[i].to <= len(text) {
				value := text[end:said[i].to]
				if !s.lower && bytes.Equal(value, like) || s.lower && equalLower(value, like) {
					at = said[i].to
					continue
				}
			}
		}
		// Something differs, which is rare: one place after the other.
		before := len(differ)
		for place := s.from; place < s.to; place++ {
			marks, p := f.Marks[place], f.Places[place]
			if at+len(marks) > len(text) || string(text[at:at+len(marks)]) != marks {
				return nil, false
			}
			at += len(marks)
			said[i] = section{from: at, to: p.Ends.of(text, at)}
			value := text[at:said[i].to]
			at = said[i].to
			if p.written() {
				out = append(append(out, value...), '\n')
				continue
			}
			known := []byte(p.Always)
			if p.Like >= 0 {
				like := said[f.stepOf[p.Like]]
				known = text[like.from:like.to]
			}
			// Of places that are like others, of which something between differs, one is said to differ although it does not.
			like := place == s.to-1 && s.like < s.upto && len(differ) == before
			if like || !p.Lower && !bytes.Equal(value, known) || p.Lower && !equalLower(value, known) {
				differ = binary.AppendUvarint(differ, uint64(place-last))
				differ = append(append(differ, value...), '\n')
				last = place
			}
		}
		if s.like == isEnd {
			rest := f.Marks[len(f.Places)]
			if string(text[at:]) != rest {
				return nil, false
			}
			at = len(text)
		}
	}
	room.values = append(out, differ...)
	return room.values, at == len(text)
}

func equalLower(value, like []byte) bool {
	if len(value) != len(like) {
		return false
	}
	for i, b := range like {
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

func appendLower(out, text []byte) []byte {
	for _, b := range text {
		out = append(out, lower(b))
	}
	return out
}

var errDamagedForm = errors.New("unpack body: it does not fit its form")

// lines takes a filled form apart.
type lines struct {
	text   []byte
	wrong  bool
	places int // of the form
	differ int // the next place that differs; places when there is none
	value  []byte
}

func (l *lines) next() []byte {
	end := bytes.IndexByte(l.text, '\n')
	if end < 0 {
		l.wrong = true
		return nil
	}
	line := l.text[:end]
	l.text = l.text[end+1:]
	return line
}

// advance reads what differs next, behind a place.
func (l *lines) advance(place int) {
	l.differ = l.places
	if len(l.text) == 0 {
		return
	}
	between, n := binary.Uvarint(l.text)
	if n <= 0 || between >= uint64(l.places-place) {
		l.wrong = true
		return
	}
	l.text = l.text[n:]
	l.value = l.next()
	l.differ = place + int(between)
}

// text appends the item that was filled in.
func (f *form) text(out, filled []byte, room *scratch) ([]byte, error) {
	l := lines{text: filled, places: len(f.Places)}
	room.written = room.written[:0]
	for range f.written {
		room.written = append(room.written, l.next())
	}
	written := room.written
	if l.advance(0); l.wrong {
		return nil, errDamagedForm
	}
	said := room.sections(len(f.steps))
	for i := range f.steps {
		s := &f.steps[i]
		if l.differ < s.to {
			var err error
			if out, written, err = f.different(out, written, s, &said[i], said, &l); err != nil {
				return nil, err
			}
			continue
		}
		out = append(out, s.marks...)
		from := len(out)
		switch {
		case s.like == isEnd:
		case s.like == isWritten:
			out, written = append(out, written[0]...), written[1:]
		case s.lower:
			out = appendLower(out, out[said[s.like].from:said[s.upto].to])
		default:
			out = append(out, out[said[s.like].from:said[s.upto].to]...)
		}
		said[i].from, said[i].to = from, len(out)
	}
	if len(l.text) > 0 || len(written) > 0 {
		return nil, errDamagedForm
	}
	return out, nil
}

// different appends the places of a step in which something differs from what the form knows.
func (f *form) different(out []byte, written [][]byte, s *step, saying *section, said []section, l *lines) ([]byte, [][]byte, error) {
	for place := s.from; place < s.to; place++ {
		out = append(out, f.Marks[place]...)
		saying.from = len(out)
		switch p := f.Places[place]; {
		case place == l.differ:
			out = append(out, l.value...)
			if l.advance(place); l.wrong || l.differ <= place {
				return nil, nil, errDamagedForm
			}
		case p.written():
			out, written = append(out, written[0]...), written[1:]
		case p.Like < 0:
			out = append(out, p.Always...)
		default:
			like := said[f.stepOf[p.Like]]
			if p.Lower {
				out = appendLower(out, out[like.from:like.to])
			} else {
				out = append(out, out[like.from:like.to]...)
			}
		}
		saying.to = len(out)
	}
	if s.like == isEnd {
		out = append(out, f.Marks[len(f.Places)]...)
	}
	return out, written, nil
}
