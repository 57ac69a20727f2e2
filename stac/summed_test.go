package stac

import (
	"testing"

	"github.com/cespare/xxhash/v2"
)

// TestAppendSummed: the hash of an item is that of the bytes that are served, whether they were served before, elsewhere, or as another told of them.
func TestAppendSummed(t *testing.T) {
	l, elsewhere := Links{Base: "http://one.example"}, Links{Base: "http://two.example"}
	foreignBody := []byte(`{"type":"Feature","id":"a","properties":{},"assets":{"data":{"href":"http://other.example/a.tif"}}}`)
	told := []byte(`{"type":"Feature","id":"a","properties":{"storage:class":"cold"},"assets":{}}`)
	ours := []byte(`{"type":"Feature","id":"a","properties":{},"assets":{"data":{"href":"` + HrefPrefix + `/x/a.tif"}}}`)
	for _, body := range [][]byte{foreignBody, ours} {
		served := &Served{}
		it := Item{Collection: "c", ID: "a", Body: body, Served: served}
		other, plain := it, it
		other.Body, plain.Served = told, nil
		for i, step := range []struct {
			l  Links
			it Item
		}{{l, it}, {l, it}, {elsewhere, it}, {l, it}, {l, other}, {l, it}, {l, plain}, {elsewhere, other}, {elsewhere, it}} {
			out, sum := step.l.AppendSummed([]byte("before"), step.it, nil)
			if want := step.l.AppendItem(nil, step.it); string(out) != "before"+string(want) || sum != xxhash.Sum64(want) {
				t.Errorf("step %d of %s: %s with the hash %d, want %d", i, body, out, sum, xxhash.Sum64(want))
			}
		}
	}
}

// TestReceivedIsCompact: white space outside of texts goes, and that in them stays.
func TestReceivedIsCompact(t *testing.T) {
	for _, tc := range []struct{ sent, want string }{
		{`{"a":"x y","b":[1,2]}`, `{"a":"x y","b":[1,2]}`},
		{`{"a": "x y"}`, `{"a":"x y"}`},
		{"{\"a\":\"x\\\" \\\\\"\n}", `{"a":"x\" \\"}`},
		{`{"a\" ":1}`, `{"a\" ":1}`},
		{"{\"a\":1,\t\"b\":2}\r\n", `{"a":1,"b":2}`},
		{`{"href":"http://one.example/objects/x"}`, `{"href":"` + HrefPrefix + `/objects/x"}`},
		{`{"href" : "http://one.example/objects/x"}`, `{"href":"` + HrefPrefix + `/objects/x"}`},
	} {
		got, err := Links{Base: "http://one.example"}.Received([]byte(tc.sent), nil)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s is received as %s, %v; want %s", tc.sent, got, err, tc.want)
		}
	}
}
