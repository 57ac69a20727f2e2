package catalog

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
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

// TestPlainDecimal: a number that is read quickly is strconv's, to the bit, and what JSON does not know is none.
func TestPlainDecimal(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	quick := 0
	check := func(text string) {
		got, ok := plainDecimal(text)
		want, err := strconv.ParseFloat(text, 64)
		if quick++; !ok {
			quick--
		} else if err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s is read as %v, not %v (%v)", text, got, want, err)
		}
	}
	const each = 20_000
	for range each {
		check(strconv.FormatFloat(r.NormFloat64()*100, 'f', r.IntN(16), 64))
		check(strconv.FormatInt(r.Int64()>>r.IntN(64), 10))
		check(strconv.FormatFloat(r.Float64()*360-180, 'g', -1, 64))
		text := []byte(strconv.FormatFloat(r.NormFloat64(), 'f', 18, 64))
		for range r.IntN(4) {
			text[r.IntN(len(text))] = "0123456789.-+e"[r.IntN(14)]
		}
		check(string(text))
	}
	if quick < each {
		t.Errorf("%d of %d were read quickly", quick, 4*each)
	}
	for _, text := range []string{"", "-", ".", "-.", ".5", "-.5", "5.", "1..2", "1.2.3", "+1", "1e3", "0x1", "1_0", "inf", "99999999999999999999", "9007199254740993"} {
		if value, ok := plainDecimal([]byte(text)); ok {
			t.Errorf("%q is read as %v", text, value)
		}
	}
}
