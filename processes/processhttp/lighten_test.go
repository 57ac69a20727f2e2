package processhttp

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"swath/fault"
)

// heavy puts the long texts back into a document.
func heavy(t testing.TB, r io.Reader) (string, int, error) {
	t.Helper()
	document, files, err := lighten(r, func() (*os.File, error) { return os.CreateTemp(t.TempDir(), "") })
	if err != nil {
		return "", 0, err
	}
	for name, u := range files {
		body, err := io.ReadAll(io.NewSectionReader(u.File, 0, u.Bytes))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(string(body))
		if err != nil {
			t.Fatal(err)
		}
		document = bytes.ReplaceAll(document, []byte(`"`+name+`"`), text)
	}
	return string(document), len(files), nil
}

func TestLighten(t *testing.T) {
	long := strings.Repeat("é\n\"\\/\t😀abc", 40_000)
	quoted, err := json.Marshal(long)
	if err != nil {
		t.Fatal(err)
	}
	escaped := `"` + strings.Repeat(`\u00e9\n\"\\\/\t\ud83d\ude00abc`, 40_000) + `"`
	for name, tc := range map[string]struct {
		document string
		files    int
	}{
		"nothing": {``, 0}, "no texts": {`{}`, 0}, "short ones": {`{"a":"b","c\"":["\\"]}`, 0}, "open": {`{"a":"b`, 0}, "a long one": {`{"a":` + string(quoted) + `,"b":"c"}`, 1},
		"escaped": {`{"a":` + escaped + `,"b":["c",` + string(quoted) + `]}`, 2}, "just short": {`["` + strings.Repeat("x", longText-1) + `"]`, 0},
	} {
		got, files, err := heavy(t, strings.NewReader(tc.document))
		if err != nil || files != tc.files {
			t.Errorf("%s: %d files, %v", name, files, err)
			continue
		}
		var a, b any
		if json.Unmarshal([]byte(tc.document), &a) == nil {
			if err := json.Unmarshal([]byte(got), &b); err != nil || !same(t, a, b) {
				t.Errorf("%s: %v, %.60s", name, err, got)
			}
		} else if got != tc.document {
			t.Errorf("%s: %.60s", name, got)
		}
	}
	for document, kind := range map[string]fault.Kind{
		`["` + strings.Repeat("x", longText+1): fault.Invalid, `["` + strings.Repeat("x", longText+1) + `\x"]`: fault.Invalid, `["` + strings.Repeat("x", longText+1) + `\u00g0"]`: fault.Invalid,
		strings.Repeat("[", mostDocument+1): fault.TooLarge, strings.Repeat(`"",`, mostDocument/3+1): fault.TooLarge,
	} {
		if _, _, err := heavy(t, strings.NewReader(document)); !fault.Is(err, kind) {
			t.Errorf("%.10s…%.10s: %v", document, document[len(document)-10:], err)
		}
	}
}

func same(t *testing.T, a, b any) bool {
	t.Helper()
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// FuzzUnquote: a text says what encoding/json reads of it.
func FuzzUnquote(f *testing.F) {
	for _, text := range []string{`a"`, `\u00e9\ud83d\ude00\n"`, `\ud800\ud800"`, `\ud800x"`, `\`, `\u12`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end := len(text)
		for i := 0; i < len(text); i++ {
			if text[i] == '"' {
				end = i + 1
				break
			} else if text[i] == '\\' {
				i++
			}
		}
		filler := strings.Repeat("x", longText+1)
		var want []string
		if json.Unmarshal([]byte(`["`+filler+text[:end]+`]`), &want) != nil {
			return
		}
		got, files, err := heavy(t, strings.NewReader(`["`+filler+text[:end]+`]`))
		var read []string
		if err != nil || files != 1 || json.Unmarshal([]byte(got), &read) != nil || len(read) != 1 || read[0] != want[0] {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
