package catalog

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
	steps    []step
	atoms    []atom
	stepOf   []int          // by place that is written
	affected [][]int32      // by place: the steps that are not as prepared when it differs
	prepared []bool         // false for every step
	written  int            // how many places are written
	lineOf   map[string]int // which of them say the properties, see propertyLines
	shape    formShape
	edgesAt  [][]edge // by mark
	own      bool     // whether stored objects are named in it
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
		for at < len(text) && byteKinds[text[at]]&wordByte != 0 {
			at++
		}
		return at
	case afterPlain:
		for at < len(text) && byteKinds[text[at]] != 0 {
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

// byteKinds tells bytes of words, and those that are only of a number or a literal.
var byteKinds = func() (kinds [256]byte) {
	for b := range kinds {
		switch c := byte(b); {
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			kinds[b] = wordByte
		case c == '-' || c == '+' || c == '.':
			kinds[b] = signByte
		}
	}
	return kinds
}()

const (
	wordByte = 1 << iota
	signByte
)

// plainByte is one of a number or a literal.
func plainByte(b byte) bool { return byteKinds[b] != 0 }

func alphanumeric(b byte) bool { return byteKinds[b]&wordByte != 0 }

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
