package catalog

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// membersIn reads a JSON object.
func membersIn(t *testing.T, object string) []member {
	t.Helper()
	read, err := scan([]byte(object))
	if err != nil {
		t.Fatal(err)
	}
	return read.members
}

func TestTerms(t *testing.T) {
	raw := `{"datetime":"2024-06-01T12:00:00Z","created":"2024-06-02t12:00:00.5+01:00","title":"Vue d'Été","description":"l'été  ÉTÉ: 2024",
		"a":"Über","n":5.0,"m":5e0,"f":1.5,"big":1e300,"b":true,"none":null,"list":["x",2,["deep"],{"k":"no"}],"o":{"p":{"q":"v"}},
		"platform":"sentinel-2a","grid:code":"MGRS-31TCJ","mgrs:utm_zone":31,"sat:relative_orbit":51,"long":"` + strings.Repeat("x", 257) + `"}`
	_, p, err := parseProperties(membersIn(t, raw), []byte(`["Zwei Wörter"]`), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []int32{wordTerm("vue"), wordTerm("d"), wordTerm("ete"), wordTerm("l"), wordTerm("2024"), wordTerm("zwei"), wordTerm("worter")}
	for name, value := range map[string]any{"a": "uber", "n": 5, "m": 5.0, "b": true, "o.p.q": "V"} {
		term, ok := termOf(name, value)
		if !ok {
			t.Errorf("%s = %v has no term", name, value)
		}
		want = append(want, term)
	}
	for _, element := range []any{"X", json.Number("2.0")} {
		term, _ := termOf("list", element)
		want = append(want, term)
	}
	slices.Sort(want)
	if want = slices.Compact(want); !slices.Equal(p.terms, want) {
		t.Errorf("terms %v, want %v", p.terms, want)
	}
	for name, value := range map[string]any{"f": 1.5, "big": 1e300, "created": "2024-06-02T12:00:00Z", "platform": "x", "long": strings.Repeat("x", 257), "none": nil, "title": "Vue", "keywords": "Zwei"} {
		if _, ok := termOf(name, value); ok {
			t.Errorf("%s = %v has a term", name, value)
		}
	}
	if *p.platform != "sentinel-2a" || *p.grid != "MGRS-31TCJ" || *p.orbit != 51 || p.cloud != nil {
		t.Errorf("columns %+v", p)
	}
	if term, ok := termOf("name", strings.Repeat("É", longTextBytes)); !ok || term < 0 || term >= 1<<longTextBits {
		t.Errorf("a long text has the term %d", term)
	}
	many := make([]string, mostTerms+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	text, _ := json.Marshal(map[string]any{"datetime": "2024-06-01T12:00:00Z", "many": many})
	if _, _, err := parseProperties(membersIn(t, string(text)), nil, nil); err == nil {
		t.Error("too many terms are let in")
	}
}

func TestColumns(t *testing.T) {
	text := func(s string) *string { return &s }
	for raw, want := range map[string]struct {
		grid, platform *string
		orbit          int
	}{
		`"grid:code":"MGRS-31TCJ","s2:mgrs_tile":"31TCJ"`: {text("MGRS-31TCJ"), nil, -2},
		`"s2:mgrs_tile":"31TCJ"`:                          {text("MGRS-31TCJ"), nil, -2},
		`"grid:code":"WRS2-1","s2:mgrs_tile":"31TCJ"`:     {text(oddWord), nil, -2},
		`"grid:code":7,"platform":null`:                   {text(oddWord), nil, -2},
		`"platform":["a"],"sat:relative_orbit":"5"`:       {nil, text(oddWord), oddOrbit},
		`"platform":"","sat:relative_orbit":1.5`:          {nil, text(oddWord), oddOrbit},
		`"platform":"A b","sat:relative_orbit":32768`:     {nil, text("A b"), oddOrbit},
		`"sat:relative_orbit":3.2e1`:                      {nil, nil, 32},
		`"sat:relative_orbit":null`:                       {nil, nil, -2},
	} {
		_, p, err := parseProperties(membersIn(t, `{"datetime":"2024-06-01T12:00:00Z",`+raw+`}`), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		same := func(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }
		orbit := -2
		if p.orbit != nil {
			orbit = int(*p.orbit)
		}
		if !same(p.grid, want.grid) || !same(p.platform, want.platform) || orbit != want.orbit {
			t.Errorf("%s: grid %v, platform %v, orbit %d", raw, p.grid, p.platform, orbit)
		}
	}
}

func TestWordsAreNumberedOnce(t *testing.T) {
	s := newStore(t)
	r := rand.New(rand.NewPCG(1, 1))
	other := &Store{pool: s.pool, pack: s.pack, words: newWords()}
	long := word{platformWord, strings.Repeat("x", longestTermBytes+1)}
	numbers := make([]map[word]int32, 16)
	done := make(chan error)
	for i := range numbers {
		keys := []word{long, {gridWord, oddWord}}
		for _, n := range r.Perm(50)[:30] {
			keys = append(keys, word{gridWord, fmt.Sprint("w", n)}, word{platformWord, fmt.Sprint("w", n)})
		}
		go func() {
			var err error
			numbers[i], err = []*Store{s, other}[i%2].words.number(t.Context(), s.pool, keys)
			done <- err
		}()
	}
	for range numbers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	first, taken := map[word]int32{}, map[string]bool{}
	for _, some := range numbers {
		if some[long] != unnumbered || some[word{gridWord, oddWord}] != unnumbered {
			t.Fatal("what is no word has a number")
		}
		for key, n := range some {
			if n == unnumbered {
				continue
			}
			if before, ok := first[key]; ok && before != n {
				t.Errorf("%v has the numbers %d and %d", key, before, n)
			} else if name := fmt.Sprint(key.kind, n); !ok && taken[name] || n < 1 || n > 50 {
				t.Errorf("%v has the number %d, which is another's or leaves a gap", key, n)
			} else {
				first[key], taken[name] = n, true
			}
		}
	}
	if all, err := s.words.load(t.Context(), s.pool, platformWord); err != nil || len(all) != 50 {
		t.Errorf("%d platforms, %v, want 50", len(all), err)
	}
	if _, err := s.pool.Exec(t.Context(), "update word set number = $1 where kind = 'p' and text = 'w0'", mostPlatforms); err != nil {
		t.Fatal(err)
	}
	if got, err := newWords().number(t.Context(), s.pool, []word{{platformWord, "one too many"}}); err != nil || got[word{platformWord, "one too many"}] != unnumbered {
		t.Errorf("a platform beyond the last: %v, %v", got, err)
	}
}

// TestMayBeTime: no time is passed over, however it is written.
func TestMayBeTime(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	times := 0
	for range 50_000 {
		text := []byte([]string{"2024-06-01T10:56:19Z", "2016-12-31t23:59:60.125+00:00", "2024-06-01 10:56:19.5z"}[r.IntN(3)])
		if r.IntN(2) == 0 {
			text[r.IntN(len(text))] = "0123456789-:TZ.\\u"[r.IntN(17)]
		}
		raw, err := json.Marshal(string(text))
		if err != nil {
			t.Fatal(err)
		}
		if at := 1 + r.IntN(len(raw)-2); r.IntN(4) == 0 && raw[at-1] != '\\' && raw[at] != '\\' {
			raw = slices.Concat(raw[:at], fmt.Appendf(nil, `\u%04x`, raw[at]), raw[at+1:])
		}
		if looksLikeTime(textOf(raw)) {
			if times++; !mayBeTime(raw) {
				t.Fatalf("%s is a time", raw)
			}
		}
	}
	if times < 10_000 {
		t.Errorf("only %d were times", times)
	}
}
