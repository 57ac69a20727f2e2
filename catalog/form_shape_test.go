package catalog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"swath/stac"
)

// TestRecognize: an item that is read by its form is the document that it is when it is read byte by byte, whatever it says in its places, and
// what is no item, or no JSON, is not recognized.
func TestRecognize(t *testing.T) {
	d := trainedSample(t)
	if len(d.forms[0].shape.members) == 0 {
		t.Fatal("the form has no shape")
	}
	r := rand.New(rand.NewPCG(8, 8))
	c := newCodec()
	var recognized, sound, known, differ int
	for i := range 30_000 {
		body := formSample(r, i%3 == 0)
		for range i % 4 { // something is changed, missing or comes twice
			at := r.IntN(len(body))
			switch r.IntN(4) {
			case 0:
				body[at] = "0a\"\\.-,[]{}e\x00\xc3 "[r.IntN(15)]
			case 1:
				body = append(body[:at:at], body[at+1:]...)
			case 2:
				body = append(body[:at:at], append([]byte{"07T\"-.,]x"[r.IntN(9)]}, body[at:]...)...)
			case 3: // one value takes the place of another
				places := sections(body, nil)
				from, to := places[r.IntN(len(places))], places[r.IntN(len(places))]
				value := bytes.Clone(body[from.from:from.to])
				body = append(body[:to.from:to.from], append(value, body[to.to:]...)...)
			}
		}
		want, wrong := scan(body)
		read, ok := d.recognize(body, &c.scratch)
		if wrong == nil {
			sound++
		}
		if !ok {
			continue
		}
		recognized++
		if wrong != nil {
			t.Fatalf("%s\nis recognized, but %v", body, wrong)
		}
		as := c.recognized
		if len(c.scratch.differ) > 0 {
			differ++
		}
		if back, err := as.form().text(nil, as.values, &scratch{}); err != nil || !bytes.Equal(back, body) {
			t.Fatalf("%s\nis recognized, and comes back as\n%s\n%v", body, back, err)
		}
		if !sameMembers(read.members, want.members) || !sameMembers(read.properties, want.properties) {
			t.Fatalf("%s\nis recognized as\n%q, %q", body, read.members, read.properties)
		}
		doc, wrong := readItem(stac.Item{Collection: "c"}, want)
		got, err := readItem(stac.Item{Collection: "c"}, read)
		if (wrong == nil) != (err == nil) || err != nil && err.Error() != wrong.Error() {
			t.Fatalf("%s\nis recognized, and then %v instead of %v", body, err, wrong)
		}
		if err != nil {
			continue
		}
		for i, p := range got.properties.form.shape.properties {
			if p.known != nil && got.properties.known.has(i) {
				known++
				got.properties.all = append(got.properties.all, p.known.all...)
			}
		}
		if !sameValues(got.properties.all, doc.properties.all) {
			t.Fatalf("%s\nsays %q instead of %q", body, got.properties.all, doc.properties.all)
		}
		covered := (&coverage{}).news(doc)
		if got.properties.all = got.properties.all[:0]; len(covered) > 0 {
			again, _ := readItem(stac.Item{Collection: "c"}, read)
			if news := (&coverage{}).news(again); !sameValues(news, covered) {
				t.Fatalf("%s\nis new by %q instead of %q", body, news, covered)
			}
		}
		got.properties.all, got.properties.form, got.properties.known, got.as = doc.properties.all, nil, numberSet{}, nil
		if !reflect.DeepEqual(got, doc) {
			t.Fatalf("%s\nis the document\n%+v\ninstead of\n%+v", body, got, doc)
		}
	}
	t.Logf("%d of 30000 texts are JSON objects, %d were recognized, with %d known values", sound, recognized, known)
	if recognized < 8_000 || recognized == sound || known < 1000 || differ < 2000 || differ == recognized {
		t.Errorf("%d of 30000 texts are JSON objects, %d were recognized, with %d known values, %d differ from their form", sound, recognized, known, differ)
	}
}

// String is for messages.
func (v namedValue) String() string { return v.name + ":" + string(v.raw) }

// sameValues compares values in any order.
func sameValues(a, b []namedValue) bool {
	count := map[string]int{}
	for _, v := range a {
		count[v.name+"="+string(v.raw)]++
	}
	for _, v := range b {
		count[v.name+"="+string(v.raw)]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestFormShapes: where the places of a form may be parts of escapes it tells nothing of JSON, and a number that is like a part of a text
// must be one.
func TestFormShapes(t *testing.T) {
	for _, c := range []struct {
		sample, other string
		ok            bool
	}{
		{`{"id":"%d","n":%[1]d}`, `{"id":"7","n":7}`, true},
		{`{"id":"%d","n":%[1]d}`, `{"id":"7","n":8}`, true},
		{`{"id":"%d","n":%[1]d}`, `{"id":"x","n":x}`, false},
		{`{"id":"%d","n":%[1]d}`, `{"id":"07","n":07}`, false},
		{`{"id":"%d","n":%[1]d}`, `{"id":"7","n":08}`, false},
		{`{"id":"%d","text":"a\n%[1]dx"}`, `{"id":"7","text":"a\n7x"}`, false},
		{`{"id":"%d","text":"a\\n%[1]dx"}`, `{"id":"7","text":"a\\n7x"}`, true},
	} {
		var texts [][]byte
		for i := range 100 {
			texts = append(texts, fmt.Appendf(nil, c.sample, i))
		}
		d := &dictionary{forms: trainForms(texts)}
		if err := d.learn(d.forms); err != nil || len(d.forms) != 1 {
			t.Fatal(len(d.forms), err)
		}
		var room scratch
		if _, values := d.fill([]byte(c.other), &room); values == nil {
			t.Errorf("%s has not the form of %s", c.other, c.sample)
		}
		if _, ok := d.recognize([]byte(c.other), &room); ok != c.ok {
			t.Errorf("%s is recognized by the form of %s: %v", c.other, c.sample, ok)
		}
	}
}
