package cql2

import (
	"bytes"

	"github.com/buger/jsonparser"
)

// member finds a member of a JSON object, and returns its value as jsonparser does: texts without their quotes. It is jsonparser's
// search for one name, which passes texts eight bytes at a time: a filter asks it of every body that it looks at. What is not
// JSON has no members.
func member(object []byte, name string) (value []byte, kind jsonparser.ValueType, ok bool) {
	at := space(object, 0)
	if at >= len(object) || object[at] != '{' {
		return nil, jsonparser.NotExist, false
	}
	for at = space(object, at+1); at < len(object) && object[at] == '"'; at = space(object, at+1) {
		end := textEnd(object, at)
		key := object[at+1 : max(end-1, at+1)]
		if at = space(object, end); at >= len(object) || object[at] != ':' {
			break
		}
		at = space(object, at+1)
		if end = valueEnd(object, at); end <= at {
			break
		}
		if string(key) == name || bytes.IndexByte(key, '\\') >= 0 && unescaped(key) == name {
			return typed(object[at:end])
		}
		if at = space(object, end); at >= len(object) || object[at] != ',' {
			break
		}
	}
	return nil, jsonparser.NotExist, false
}

func space(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r') {
		at++
	}
	return at
}

// textEnd returns where a text ends whose quote is at at; the end of all when it does not.
func textEnd(text []byte, at int) int {
	for at++; at < len(text); at++ {
		i := bytes.IndexByte(text[at:], '"')
		if i < 0 {
			return len(text)
		}
		at += i
		slashes := 0
		for text[at-1-slashes] == '\\' { // the quote before the text ends it
			slashes++
		}
		if slashes%2 == 0 {
			return at + 1
		}
	}
	return len(text)
}

// valueEnd returns where a value ends that begins at at.
func valueEnd(text []byte, at int) int {
	depth := 0
	for at < len(text) {
		switch text[at] {
		case '"':
			if at = textEnd(text, at); depth == 0 {
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
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return at
			}
		}
		at++
	}
	return at
}

func unescaped(key []byte) string {
	name, _ := jsonparser.ParseString(key)
	return name
}

// typed tells the kind of a value.
func typed(raw []byte) ([]byte, jsonparser.ValueType, bool) {
	switch raw[0] {
	case '"':
		if len(raw) < 2 {
			return nil, jsonparser.NotExist, false
		}
		return raw[1 : len(raw)-1], jsonparser.String, true
	case '{':
		return raw, jsonparser.Object, true
	case '[':
		return raw, jsonparser.Array, true
	case 't', 'f':
		return raw, jsonparser.Boolean, true
	case 'n':
		return raw, jsonparser.Null, true
	}
	return raw, jsonparser.Number, true
}
