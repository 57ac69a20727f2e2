package catalog

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzCompact compares with encoding/json, which also says what the members of an object are.
func FuzzCompact(f *testing.F) {
	for _, text := range []string{`{"a": [1, -0.5e+7, "x\"\u00e9\\", true, null], "b" : {} }`, ` [ ] `, `{"a":1,"a":2}`, `01`, `1.`, `"\x"`, `"`, `{"a"}`, `[1,]`, `tru`, "\"\x01\"", "{\"\\u0061\":1,\"a\":2}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := compact(text)
		var want bytes.Buffer
		wrong := json.Compact(&want, text)
		if wrong == nil && err != nil && !bytes.Contains([]byte(err.Error()), []byte("UTF-8")) && !bytes.Contains([]byte(err.Error()), []byte("too deep")) {
			t.Fatalf("%q is refused: %v", text, err)
		}
		if err != nil {
			return
		}
		if wrong != nil || !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("%q becomes %q, want %q, %v", text, got, want.Bytes(), wrong)
		}
		members, err := membersOf(got)
		var all map[string]json.RawMessage
		if json.Unmarshal(got, &all) != nil || all == nil {
			if err == nil {
				t.Fatalf("%q has members", got)
			}
			return
		}
		if err != nil {
			return // a name that comes twice
		}
		if len(members) != len(all) {
			t.Fatalf("%q has %d members, want %d", got, len(members), len(all))
		}
		for _, m := range members {
			if !bytes.Equal(all[m.name], m.raw) {
				t.Fatalf("%q: %q is %q, want %q", got, m.name, m.raw, all[m.name])
			}
		}
		if rebuilt := object(members); !bytes.Equal(rebuilt, got) {
			t.Fatalf("%q is written as %q", got, rebuilt)
		}
	})
}
