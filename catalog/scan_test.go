package catalog

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"swath/internal/shelf"
)

// readBySpec is what scan must answer, by the standard library.
func readBySpec(text []byte) (compacted []byte, members, properties []member, err error) {
	var out bytes.Buffer
	if !utf8.Valid(text) {
		return nil, nil, nil, errors.New("not UTF-8")
	}
	if err := json.Compact(&out, text); err != nil {
		return nil, nil, nil, err
	}
	compacted = out.Bytes()
	if members, err = membersOf(compacted); err != nil {
		return nil, nil, nil, err
	}
	if raw := get(members, "properties"); len(raw) > 0 && raw[0] == '{' {
		properties, err = membersOf(raw)
	}
	return compacted, members, properties, err
}

func sameMembers(a, b []member) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].name != b[i].name || !bytes.Equal(a[i].key, b[i].key) || !bytes.Equal(a[i].raw, b[i].raw) {
			return false
		}
	}
	return true
}

func checkScan(t *testing.T, text []byte) {
	t.Helper()
	got, err := scan(bytes.Clone(text))
	compacted, members, properties, want := readBySpec(text)
	if (err == nil) != (want == nil) {
		t.Fatalf("scan(%q): %v; the standard library: %v", text, err, want)
	}
	if err != nil {
		return
	}
	if !bytes.Equal(got.text, compacted) || !sameMembers(got.members, members) || !sameMembers(got.properties, properties) {
		t.Fatalf("scan(%q)\ngot  %s %v %v\nwant %s %v %v", text, got.text, got.members, got.properties, compacted, members, properties)
	}
}

var scanSeeds = []string{
	`{}`, ` { } `, `[]`, `7`, ``, ` `, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1}x`, `{"a":1} {}`, `{"a":1,}`, `{,}`, `{a:1}`, `{"a" 1}`,
	`{"a":[1,2 , 3,[],{}]}`, `{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1 2]}`, `{"a":[`, `{"a":tru}`, `{"a":true,"b":false,"c":null}`, `{"a":nul`,
	`{"a":0}`, `{"a":-0}`, `{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":.5}`, `{"a":1e5,"b":1E+5,"c":1e-5,"d":-12.50e07}`, `{"a":1e}`, `{"a":+1}`, `{"a":0x1}`,
	`{"a":"\"\\\/\b\f\n\r\t\u00e9\uD800"}`, `{"a":"\x"}`, `{"a":"\u12g4"}`, `{"a":"\u12`, "{\"a\":\"\x01\"}", "{\"a\":\"tab\there\"}", `{"a":"`, `{"a":"\`,
	"{\"a\":\"\xff\"}", "{\"\xff\":1}", `{"é":"ü漢字"}`, `{"\u0061":1,"a":2}`, `{"a":1,"a":2}`, `{"properties":{"a":1,"a":2}}`, `{"properties":{"x":{"a":1,"a":2}}}`,
	`{"properties":[{"a":1}]}`, `{"properties":{"properties":{"a":1}, "b" : [ 1 , "x y" ]},"\u0070roperties":{"a":1}}`, `{"x":{"properties":{"a":1,"a":1}}}`,
	`{"12345678":"123456789012345678901234567890","1234567\"":"aaaaaaa\"aaaaaaaa\\"}`, "{\"a\":\r\n1}\n", `{"a":"` + strings.Repeat("é", 50) + `"}`,
}

func TestScan(t *testing.T) {
	deep := []string{
		strings.Repeat(`[`, 90), `{"a":` + strings.Repeat(`[`, 98) + strings.Repeat(`]`, 98) + `}`, `{"a":` + strings.Repeat(`{"a":`, 90) + `1` + strings.Repeat(`}`, 91),
	}
	for _, text := range append(deep, scanSeeds...) {
		checkScan(t, []byte(text))
	}
}

// TestScanDamaged cuts an item at every byte, and puts a wrong byte at every place.
func TestScanDamaged(t *testing.T) {
	item := []byte(`{"type":"Feature","id":"é\u00e9","geometry":null,"properties":{"datetime":"2024-06-01T12:00:00Z","n":[-1.5e3,true,null],"o":{}},"assets":{"a":{"href":"./x"}}}`)
	for i := range item {
		checkScan(t, item[:i])
		for _, wrong := range []byte{0, ' ', '"', '\\', '{', '}', ',', ':', '1', 'e', 0xc3, 0xff} {
			damaged := bytes.Clone(item)
			damaged[i] = wrong
			checkScan(t, damaged)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, text := range scanSeeds {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkScan(t, text) })
}

func BenchmarkScan(b *testing.B) {
	text := benchItem(b)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := scan(text); err != nil {
			b.Fatal(err)
		}
	}
}

// benchItem is a real item of Sentinel-2 L2A.
func benchItem(b *testing.B) []byte {
	f, err := os.Open(shelf.Data(b, 1, "stac-items/sentinel-2-l2a.ndjson.gz"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(z).ReadBytes('\n')
	if err != nil {
		b.Fatal(err)
	}
	return bytes.TrimSpace(line)
}
