package cql2

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzMember: what encoding/json finds is found, and what is not JSON harms nobody.
func FuzzMember(f *testing.F) {
	for _, text := range []string{`{"a":1,"b":"x\"y\\","c":{"b":2},"d":[1,{"e":"}"}],"n":null,"t":true}`, ` { "a" : [ ] , "b" : -1.5e3 } `, `{"\u0061":"b"}`,
		`{}`, `{"a"`, `{"a":`, `{"a":"`, `{"a":"\\`, `[1]`, ``, `{"b":1,}`} {
		f.Add([]byte(text), "a")
		f.Add([]byte(text), "b")
	}
	f.Fuzz(func(t *testing.T, text []byte, name string) {
		value, kind, ok := member(text, name)
		var want map[string]json.RawMessage
		if json.Unmarshal(text, &want) != nil || want == nil {
			return
		}
		raw, has := want[name]
		if !has || len(want) == 0 {
			if ok {
				t.Fatalf("%q has %q: %s", text, name, value)
			}
			return
		}
		if twice := twice(text); twice {
			return // readers disagree on which one counts; none such is stored
		}
		if !ok {
			t.Fatalf("%q lacks %q", text, name)
		}
		got := string(value)
		if raw[0] == '"' {
			got = `"` + got + `"`
		}
		if got != string(raw) {
			t.Fatalf("%q: %q is %q (%v), want %q", text, name, got, kind, raw)
		}
	})
}

// twice reports whether a name comes twice in an object.
func twice(text []byte) bool {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(text, &members)
	dec, n := json.NewDecoder(bytes.NewReader(text)), 0
	if _, err := dec.Token(); err != nil {
		return false
	}
	for dec.More() {
		if _, err := dec.Token(); err != nil {
			return false
		}
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return false
		}
		n++
	}
	return n != len(members)
}
