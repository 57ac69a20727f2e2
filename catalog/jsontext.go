package catalog

import (
	"encoding/json"
	"strconv"

	"swath/fault"
)

// JSON is checked once, by scan or compact, and taken apart as text after that: items are kept as they were written, and millions
// are read in a row.

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
	if n, ok := plainDecimal(raw); ok {
		return n, true
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	return n, err == nil
}

// plainDecimal reads numbers such as -12.345: digits of which there are fewer than 2^53, divided by a power of ten that a float64 holds
// exactly, are rounded once, and rightly (W. D. Clinger, How to read floating point numbers accurately, 1990). It says so where a number
// is none of these.
func plainDecimal[T string | []byte](text T) (value float64, ok bool) {
	var digits uint64
	at, point := 0, -1
	if len(text) > 0 && text[0] == '-' {
		at = 1
	}
	first := at
	for ; at < len(text); at++ {
		switch b := text[at]; {
		case b-'0' <= 9:
			digits = digits*10 + uint64(b-'0')
		case b == '.' && point < 0 && at > first:
			point = at
		default:
			return 0, false
		}
	}
	if at == first || at-first > 19 || digits >= 1<<53 || point == at-1 { // of 19 digits none is lost
		return 0, false
	}
	if value = float64(digits); point >= 0 {
		value /= powersOf10[at-point-1]
	}
	if first == 1 {
		value = -value
	}
	return value, true
}

var powersOf10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}
