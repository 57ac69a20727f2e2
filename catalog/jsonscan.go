package catalog

import (
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"unicode/utf8"

	"swath/fault"
)

// deepestJSON is how deep objects and lists may hold each other.
const deepestJSON = 100

// scanned is a JSON object that was read once, strictly: compact, with its members and those of its "properties".
type scanned struct {
	text       []byte
	members    []member
	properties []member // nil when that is missing or no object

	as *recognized // nil when it was read byte by byte
}

// scan reads a JSON object. Names and values are parts of its text, which is the argument when nothing was to be left out.
func scan(text []byte) (scanned, error) {
	s := scanner{text: text, all: string(text)}
	if err := s.read(true); err != nil {
		return scanned{}, err
	}
	if s.spaced {
		text = squeeze(text)
		s = scanner{text: text, all: string(text)}
		if err := s.read(true); err != nil {
			return scanned{}, err
		}
	}
	return scanned{text: text, members: s.members, properties: s.properties}, nil
}

// compact returns JSON without white space that means nothing, or says where it is wrong (RFC 8259). It may return its
// argument.
func compact(text []byte) ([]byte, error) {
	s := scanner{text: text}
	err := s.read(false)
	if err == nil && s.spaced {
		text = squeeze(text)
	}
	return text, err
}

// scanner reads one JSON text. all is the text again, so that names can be parts of it.
type scanner struct {
	text   []byte
	all    string
	spaced bool // white space was seen outside of texts

	members, properties []member
}

// read reads a text of one value, and keeps the members of an object and of its "properties" when it is asked to.
func (s *scanner) read(keep bool) error {
	if !utf8.Valid(s.text) {
		return fault.New(fault.Invalid, "not valid UTF-8")
	}
	at := s.space(0)
	var err error
	if keep && at < len(s.text) && s.text[at] == '{' {
		s.members = make([]member, 0, 16)
		at, err = s.object(at, 0, &s.members)
	} else if at, err = s.value(at, 0); err == nil && keep {
		err = fault.New(fault.Invalid, "not a JSON object")
	}
	if err != nil {
		return err
	}
	if at = s.space(at); at < len(s.text) {
		return s.wrong(at, "something follows the value")
	}
	return nil
}

// wrong says where a text stops being JSON.
func (s *scanner) wrong(at int, why string) error {
	if at >= len(s.text) {
		why = "it ends too early"
	}
	return fault.New(fault.Invalid, "not valid JSON: %s, at byte %d", why, at)
}

// space returns the place of what is not white space.
func (s *scanner) space(at int) int {
	for at < len(s.text) {
		switch s.text[at] {
		case ' ', '\t', '\n', '\r':
			s.spaced = true
			at++
		default:
			return at
		}
	}
	return at
}

// value returns the end of the value that begins at a place.
func (s *scanner) value(at, depth int) (end int, err error) {
	if at >= len(s.text) {
		return at, s.wrong(at, "it ends too early")
	}
	switch c := s.text[at]; {
	case c == '"':
		return s.quoted(at)
	case c == '{':
		return s.object(at, depth, nil)
	case c == '[':
		return s.array(at, depth)
	case c == '-' || c >= '0' && c <= '9':
		return s.number(at)
	case c == 't':
		return s.word(at, "true")
	case c == 'f':
		return s.word(at, "false")
	case c == 'n':
		return s.word(at, "null")
	}
	return at, s.wrong(at, "no value begins like this")
}

func (s *scanner) word(at int, word string) (end int, err error) {
	for i := range len(word) {
		if at+i >= len(s.text) || s.text[at+i] != word[i] {
			return at, s.wrong(at+i, "no value begins like this")
		}
	}
	return at + len(word), nil
}

func (s *scanner) number(at int) (end int, err error) {
	if s.text[at] == '-' {
		at++
	}
	if end = s.digits(at); end == at {
		return at, s.wrong(at, "a number without digits")
	}
	if s.text[at] == '0' {
		end = at + 1 // what follows a leading 0 is not of the number
	}
	if at = end; at < len(s.text) && s.text[at] == '.' {
		if end = s.digits(at + 1); end == at+1 {
			return end, s.wrong(end, "a number without digits")
		}
	}
	if at = end; at < len(s.text) && s.text[at]|0x20 == 'e' {
		at++
		if at < len(s.text) && (s.text[at] == '+' || s.text[at] == '-') {
			at++
		}
		if end = s.digits(at); end == at {
			return end, s.wrong(end, "a number without digits")
		}
	}
	return end, nil
}

// digits returns the end of a run of digits, which may be empty.
func (s *scanner) digits(at int) int {
	for at < len(s.text) && s.text[at]-'0' <= 9 {
		at++
	}
	return at
}

// quoted returns the end of a string. Eight bytes are looked at together, as long as none of them is special.
func (s *scanner) quoted(at int) (end int, err error) {
	at++
	for {
		for at+8 <= len(s.text) {
			if special := specials(binary.LittleEndian.Uint64(s.text[at:])); special != 0 {
				at += bits.TrailingZeros64(special) / 8
				break
			}
			at += 8
		}
		if at >= len(s.text) {
			return at, s.wrong(at, "a broken escape in a text")
		}
		switch c := s.text[at]; {
		case c == '"':
			return at + 1, nil
		case c == '\\':
			if at, err = s.escape(at); err != nil {
				return at, err
			}
		case c < ' ':
			return at, s.wrong(at, "a control character in a text")
		default:
			at++
		}
	}
}

// specials marks the bytes of a word that are a quote, a backslash, a control character or beyond ASCII: the highest bit of
// the first such byte is set, and of none before it.
func specials(word uint64) uint64 {
	const each, high = 0x0101010101010101, 0x8080808080808080
	quote, slash := word^('"'*each), word^('\\'*each)
	return (word | (word - ' '*each) | (quote - each) | (slash - each)) & high
}

func (s *scanner) escape(at int) (end int, err error) {
	at++
	if at >= len(s.text) {
		return at, s.wrong(at, "a broken escape in a text")
	}
	switch s.text[at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at + 1, nil
	case 'u':
		for range 4 {
			at++
			if at >= len(s.text) || !isHex(s.text[at]) {
				return at, s.wrong(at, "a broken escape in a text")
			}
		}
		return at + 1, nil
	}
	return at, s.wrong(at, "a broken escape in a text")
}

func isHex(c byte) bool { return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'f' }

func (s *scanner) array(at, depth int) (end int, err error) {
	if depth++; depth > deepestJSON {
		return at, s.wrong(at, "nested too deep")
	}
	at = s.space(at + 1)
	if at < len(s.text) && s.text[at] == ']' {
		return at + 1, nil
	}
	for {
		if at, err = s.value(s.space(at), depth); err != nil {
			return at, err
		}
		if at = s.space(at); at >= len(s.text) {
			return at, s.wrong(at, "neither a comma nor the end of a list")
		}
		switch s.text[at] {
		case ',':
			at++
		case ']':
			return at + 1, nil
		default:
			return at, s.wrong(at, "neither a comma nor the end of a list")
		}
	}
}

// object returns the end of an object and, when asked, its members.
func (s *scanner) object(at, depth int, members *[]member) (end int, err error) {
	if depth++; depth > deepestJSON {
		return at, s.wrong(at, "nested too deep")
	}
	at = s.space(at + 1)
	if at < len(s.text) && s.text[at] == '}' {
		return at + 1, nil
	}
	var seen names
	for {
		if at = s.space(at); at >= len(s.text) || s.text[at] != '"' {
			return at, s.wrong(at, "a member without a name")
		}
		begin := at
		if at, err = s.quoted(at); err != nil {
			return at, err
		}
		afterName := at
		if at = s.space(at); at >= len(s.text) || s.text[at] != ':' {
			return at, s.wrong(at, "a name without a value")
		}
		at = s.space(at + 1)
		if members == nil {
			at, err = s.value(at, depth)
		} else {
			at, err = s.member(at, depth, begin, afterName, members, &seen)
		}
		if err != nil {
			return at, err
		}
		if at = s.space(at); at >= len(s.text) {
			return at, s.wrong(at, "neither a comma nor the end of an object")
		}
		switch s.text[at] {
		case ',':
			at++
		case '}':
			return at + 1, nil
		default:
			return at, s.wrong(at, "neither a comma nor the end of an object")
		}
	}
}

// member reads the value of a member that is kept.
func (s *scanner) member(at, depth, nameBegin, nameEnd int, members *[]member, seen *names) (end int, err error) {
	name := plain(s.all[nameBegin:nameEnd])
	if seen.had(name, *members) {
		return at, fault.New(fault.Invalid, "the member %q comes twice", name)
	}
	var inner *[]member
	if depth == 1 && name == "properties" && at < len(s.text) && s.text[at] == '{' {
		s.properties = make([]member, 0, 64)
		inner = &s.properties
	}
	if inner != nil {
		end, err = s.object(at, depth, inner)
	} else {
		end, err = s.value(at, depth)
	}
	if err == nil {
		*members = append(*members, member{name, s.text[nameBegin:nameEnd:nameEnd], s.text[at:end:end]})
	}
	return end, err
}

// plain returns what a JSON string says.
func plain(quoted string) string {
	inner := quoted[1 : len(quoted)-1]
	for i := range len(inner) {
		if inner[i] == '\\' || inner[i] >= utf8.RuneSelf { // as encoding/json reads it
			var text string
			_ = json.Unmarshal([]byte(quoted), &text) // it was scanned
			return text
		}
	}
	return inner
}

// names tells quickly that a name is new: a filter of 256 bits, behind which the members themselves are asked.
type names [4]uint64

func (n *names) had(name string, members []member) bool {
	h := uint(len(name)) * 31
	for i := max(len(name)-4, 0); i < len(name); i++ {
		h = h*33 + uint(name[i])
	}
	word, bit := h>>6&3, uint64(1)<<(h&63)
	if n[word]&bit == 0 {
		n[word] |= bit
		return false
	}
	for _, m := range members {
		if m.name == name {
			return true
		}
	}
	return false
}

// squeeze removes white space outside of strings from a text that is JSON.
func squeeze(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for at := 0; at < len(text); {
		switch text[at] {
		case ' ', '\t', '\n', '\r':
			at++
		case '"':
			end := at + 1
			for text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			out = append(out, text[at:end+1]...)
			at = end + 1
		default:
			out = append(out, text[at])
			at++
		}
	}
	return out
}
