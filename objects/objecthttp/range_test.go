package objecthttp

import (
	"slices"
	"strings"
	"testing"
)

func TestParseRange(t *testing.T) {
	for header, want := range map[string]struct {
		spans []span
		ok    bool
	}{
		"":                                {nil, true},
		"bytes=0-9":                       {[]span{{0, 10}}, true},
		"Bytes=0-9":                       {[]span{{0, 10}}, true},
		"bytes=10-19,30-":                 {[]span{{10, 10}, {30, 70}}, true},
		"bytes= 0-0 , ,-1":                {[]span{{0, 1}, {99, 1}}, true},
		"bytes=-1000":                     {[]span{{0, 100}}, true},
		"bytes=99-":                       {[]span{{99, 1}}, true},
		"bytes=100-":                      {nil, false},
		"bytes=100-200,-0":                {nil, false},
		"bytes=100-,1-1":                  {[]span{{1, 1}}, true},
		"bytes=0-99999999999999999999999": {[]span{{0, 100}}, true},
		"bytes=99999999999999999999999-":  {nil, false},
		"bytes=0-,0-":                     {nil, true}, // twice the file
		"bytes=":                          {nil, true},
		"bytes":                           {nil, true},
		"bytes=a-b":                       {nil, true},
		"bytes=1":                         {nil, true},
		"bytes=-":                         {nil, true},
		"bytes=--1":                       {nil, true},
		"bytes=+1-2":                      {nil, true},
		"bytes=1-2-3":                     {nil, true},
		"bytes=9-3":                       {nil, true},
		"bytes=1-2,x":                     {nil, true},
		"items=0-9":                       {nil, true},
		"bytes=0-0" + strings.Repeat(",0-0", maxSpans): {nil, true},
	} {
		if spans, ok := parseRange(header, 100); !slices.Equal(spans, want.spans) || ok != want.ok {
			t.Errorf("parseRange(%.60q) = %v, %t; want %v, %t", header, spans, ok, want.spans, want.ok)
		}
	}
	if spans, ok := parseRange("bytes=0-", 0); spans != nil || !ok {
		t.Errorf("an empty file: %v, %t", spans, ok)
	}
}

func FuzzParseRange(f *testing.F) {
	f.Add("bytes=0-9,-5,100-", int64(120))
	f.Add("bytes=9223372036854775807-", int64(9223372036854775807))
	f.Add("bytes=0-0,", int64(1))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		size = max(0, size)
		spans, ok := parseRange(header, size)
		if !ok && len(spans) > 0 {
			t.Fatalf("%q: unsatisfiable, and %v", header, spans)
		}
		var total int64
		for _, s := range spans {
			if s.off < 0 || s.n <= 0 || s.off > size-s.n {
				t.Fatalf("%q of %d bytes: %v lies outside", header, size, s)
			}
			if total += s.n; total > size || total < 0 {
				t.Fatalf("%q of %d bytes: the spans are more than the file", header, size)
			}
		}
	})
}
