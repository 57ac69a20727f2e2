package catalog

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"swath/fault"
)

// JSON is checked once, by compact, and taken apart as text after that: items are kept as they were written, and millions
// are read in a row.

// deepestJSON is how deep objects and lists may hold each other.
const deepestJSON = 100

// compact returns JSON without white space that means nothing, or says where it is wrong (RFC 8259). It may return its
// argument.
func compact(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, fault.New(fault.Invalid, "not valid UTF-8")
	}
	c := compacter{text: text}
	c.space()
	if err := c.value(0); err != nil {
		return nil, err
	}
	c.space()
	if c.at < len(text) {
		return nil, c.wrong("something follows the value")
	}
	return c.kept(), nil
}

// compacter walks over text. What was kept before the last white space is in out; what follows it begins at from.
type compacter struct {
	text, out []byte
	at, from  int
}

func (c *compacter) wrong(why string) error {
	return fault.New(fault.Invalid, "not valid JSON: %s, at byte %d", why, c.at)
}

func (c *compacter) kept() []byte {
	if c.out == nil {
		return c.text[c.from:c.at]
	}
	return append(c.out, c.text[c.from:c.at]...)
}

// peek returns the next byte; 0, which no JSON has, is the end.
func (c *compacter) peek() byte {
	if c.at < len(c.text) {
		return c.text[c.at]
	}
	return 0
}

// space leaves white space out.
func (c *compacter) space() {
	if c.at >= len(c.text) || c.text[c.at] > ' ' {
		return
	}
	begin := c.at
	for c.at < len(c.text) && (c.text[c.at] == ' ' || c.text[c.at] == '\n' || c.text[c.at] == '\r' || c.text[c.at] == '\t') {
		c.at++
	}
	if c.at == begin {
		return
	}
	if c.from < begin {
		if c.out == nil {
			c.out = make([]byte, 0, len(c.text))
		}
		c.out = append(c.out, c.text[c.from:begin]...)
	}
	c.from = c.at
}

func (c *compacter) value(depth int) error {
	if depth > deepestJSON {
		return c.wrong("nested too deep")
	}
	switch b := c.peek(); {
	case b == '"':
		return c.string()
	case b == '{':
		return c.all('}', func() error {
			if c.peek() != '"' {
				return c.wrong("a member without a name")
			}
			if err := c.string(); err != nil {
				return err
			}
			c.space()
			if c.peek() != ':' {
				return c.wrong("a name without a value")
			}
			c.at++
			c.space()
			return c.value(depth + 1)
		})
	case b == '[':
		return c.all(']', func() error { return c.value(depth + 1) })
	case b == '-' || '0' <= b && b <= '9':
		return c.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if end := c.at + len(word); end <= len(c.text) && string(c.text[c.at:end]) == word {
			c.at = end
			return nil
		}
	}
	if c.at == len(c.text) {
		return c.wrong("it ends too early")
	}
	return c.wrong("no value begins like this")
}

// all reads what stands between brackets, separated by commas.
func (c *compacter) all(end byte, one func() error) error {
	c.at++
	c.space()
	if c.peek() == end {
		c.at++
		return nil
	}
	for {
		if err := one(); err != nil {
			return err
		}
		c.space()
		switch c.peek() {
		case ',':
			c.at++
			c.space()
		case end:
			c.at++
			return nil
		default:
			return c.wrong("neither a comma nor the end of a list or an object")
		}
	}
}

func (c *compacter) string() error {
	for c.at++; c.at < len(c.text); c.at++ {
		switch b := c.text[c.at]; {
		case b == '"':
			c.at++
			return nil
		case b < ' ':
			return c.wrong("a control character in a text")
		case b == '\\':
			c.at++
			switch c.peek() {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					c.at++
					if b := c.peek() | 0x20; (b < '0' || b > '9') && (b < 'a' || b > 'f') {
						return c.wrong("a broken escape in a text")
					}
				}
			default:
				return c.wrong("a broken escape in a text")
			}
		}
	}
	return c.wrong("a text without an end")
}

func (c *compacter) number() error {
	if c.peek() == '-' {
		c.at++
	}
	if c.peek() == '0' {
		c.at++
	} else if c.digits() == 0 {
		return c.wrong("a number without digits")
	}
	if c.peek() == '.' {
		c.at++
		if c.digits() == 0 {
			return c.wrong("a number without digits behind its point")
		}
	}
	if c.peek()|0x20 == 'e' {
		c.at++
		if b := c.peek(); b == '+' || b == '-' {
			c.at++
		}
		if c.digits() == 0 {
			return c.wrong("a number without digits in its exponent")
		}
	}
	return nil
}

func (c *compacter) digits() (n int) {
	for ; c.at < len(c.text) && '0' <= c.text[c.at] && c.text[c.at] <= '9'; c.at++ {
		n++
	}
	return n
}

// member is one key of a JSON object with its value, both as they were written.
type member struct {
	name     string
	key, raw []byte
}

// membersOf splits compact JSON into the members of its object, in order. A name that comes twice is refused: readers
// disagree on which one counts.
func membersOf(object []byte) ([]member, error) {
	if len(object) < 2 || object[0] != '{' {
		return nil, fault.New(fault.Invalid, "not a JSON object")
	}
	all := make([]member, 0, 32)
	for at := 1; object[at] != '}'; {
		if object[at] == ',' {
			at++
		}
		end := skipValue(object, at)
		key := object[at:end]
		at = end + 1 // the colon
		end = skipValue(object, at)
		all = append(all, member{textOf(key), key, object[at:end]})
		at = end
	}
	if name, twice := doubled(all); twice {
		return nil, fault.New(fault.Invalid, "the member %q comes twice", name)
	}
	return all, nil
}

func doubled(all []member) (string, bool) {
	const few = 16 // of which every pair is compared sooner than a set is made
	if len(all) <= few {
		for i := range all {
			for j := range i {
				if all[i].name == all[j].name {
					return all[i].name, true
				}
			}
		}
		return "", false
	}
	seen := make(map[string]struct{}, len(all))
	for _, m := range all {
		if _, twice := seen[m.name]; twice {
			return m.name, true
		}
		seen[m.name] = struct{}{}
	}
	return "", false
}

// forEachElement calls do with every element of a list in compact JSON.
func forEachElement(list []byte, do func(raw []byte)) {
	for at := 1; at < len(list)-1; {
		if list[at] == ',' {
			at++
		}
		end := skipValue(list, at)
		do(list[at:end])
		at = end
	}
}

// skipValue returns where a value of compact JSON ends that begins at at.
func skipValue(text []byte, at int) int {
	depth := 0
	for at < len(text) {
		switch text[at] {
		case '"':
			at = skipText(text, at)
			if depth == 0 {
				return at
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1
			} else if depth < 0 {
				return at
			}
		case ',':
			if depth == 0 {
				return at
			}
		}
		at++
	}
	return at
}

// skipText returns where a text ends whose quote is at at.
func skipText(text []byte, at int) int {
	for at++; at < len(text) && text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// textOf returns the text of a JSON string.
func textOf(raw []byte) string {
	for _, b := range raw {
		if b == '\\' {
			var text string
			_ = json.Unmarshal(raw, &text) // checked before
			return text
		}
	}
	return string(raw[1 : len(raw)-1])
}

// isText, isList and isObject tell a value of compact JSON.
func isText(raw []byte) bool   { return len(raw) > 0 && raw[0] == '"' }
func isList(raw []byte) bool   { return len(raw) > 0 && raw[0] == '[' }
func isObject(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }

// numberOf returns the value of a JSON number.
func numberOf(raw []byte) (float64, bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	return n, err == nil
}
