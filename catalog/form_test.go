package catalog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// formSample is an item that says some things again and again, as items do; odd ones say something else in some place.
func formSample(r *rand.Rand, odd bool) []byte {
	at := fmt.Sprintf("20%02d%02d%02dT%02d%02d%02d", r.IntN(20), 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60))
	name := fmt.Sprintf("S2%c_MSIL1C_%s_R%03d_T%02dTCJ", "AB"[r.IntN(2)], at, r.IntN(143), 1+r.IntN(60))
	level, last, flag := "L1C", name, "true"
	if odd {
		level, last, flag = []string{"L1C", "L2A", "", "é", "L1C-x"}[r.IntN(5)], []string{name, strings.ToLower(name), "x", at}[r.IntN(4)], []string{"true", "false", "null", "1e5", "{}"}[r.IntN(5)]
	}
	return fmt.Appendf(nil, `{"type":"Feature","id":"%s","geometry":{"type":"Point","coordinates":[%[2]s]},"bbox":[%[2]s,%[2]s],"collection":"c","empty":[],"properties":{"datetime":"%[3]s-%s-%sT10:00:00Z","level":"%s","flag":%s,"n":%d,"lower":"%s"},"assets":{"a":{"href":"s3://x/%s/%s.tif"},"b":{"href":"s3://x/%s/%s-b.tif","text":"a \"quoted\" text\\n"}}}`,
		name, fmt.Sprintf("%.5f,%.4f", r.Float64()*360-180, r.Float64()*180-90), at[:4], at[4:6], at[6:8], level, flag, r.IntN(3), strings.ToLower(at), at, name, at, last)
}

func trainedSample(t testing.TB) *dictionary {
	r := rand.New(rand.NewPCG(5, 5))
	var bodies [][]byte
	for i := range 1500 {
		bodies = append(bodies, formSample(r, i%10 == 0))
	}
	trained, err := trainDictionary(bodies)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDictionary(7, trained)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestForms: what items say again is not stored again, whatever an item says comes back to the byte, and one that is unlike all
// others is packed too.
func TestForms(t *testing.T) {
	d := trainedSample(t)
	if len(d.forms) < 1 {
		t.Fatal("samples of one kind have no form")
	}
	c := newCodec()
	r := rand.New(rand.NewPCG(6, 6))
	formed, bytesOfForms, bytesOfTexts := 0, 0, 0
	for i := range 5000 {
		body := formSample(r, i%3 == 0)
		if i%7 == 0 { // something is missing, comes twice, or is broken in the middle
			at, upto := r.IntN(len(body)), r.IntN(len(body))
			body = append(body[:min(at, upto):min(at, upto)], body[max(at, upto)/2:]...)
		}
		packed, err := d.encode(c, body)
		packed = bytes.Clone(packed)
		if err != nil {
			t.Fatal(err)
		}
		back, err := d.decode(c, nil, packed, nil)
		if err != nil || !bytes.Equal(back, body) {
			t.Fatalf("%s\ncomes back as\n%s, %v", body, back, err)
		}
		if packed[0]&formBit != 0 {
			plain, err := c.encode(d.texts, body)
			if err != nil {
				t.Fatal(err)
			}
			formed, bytesOfForms, bytesOfTexts = formed+1, bytesOfForms+len(packed), bytesOfTexts+len(plain)
		}
	}
	t.Logf("%d forms; %d of 5000 items fit one, and take %d bytes each instead of %d", len(d.forms), formed, bytesOfForms/formed, bytesOfTexts/formed)
	if formed < 4000 || bytesOfForms*10 > bytesOfTexts*9 {
		t.Errorf("%d items fit a form, in %d bytes instead of %d", formed, bytesOfForms, bytesOfTexts)
	}
	for _, odd := range []string{"", "{}", "[", `"`, strings.Repeat("[", 1000), `{"a":"\"`} {
		packed, err := d.encode(c, []byte(odd))
		packed = bytes.Clone(packed)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := d.decode(c, nil, packed, nil); err != nil || string(back) != odd {
			t.Errorf("%q comes back as %q, %v", odd, back, err)
		}
	}
	for _, f := range []*form{{Marks: []string{"a"}, Places: []formPlace{{Like: -1}}}, {Marks: []string{"", ""}, Places: []formPlace{{Like: 0}}}, {Marks: []string{"", "", ""}, Places: []formPlace{{Like: -1, Always: "x"}, {Like: 0}}}} {
		if err := f.ready(); err == nil {
			t.Errorf("a damaged form is used: %+v", f)
		}
	}
}

// FuzzForm: any text comes back, and damaged bytes are an error.
func FuzzForm(f *testing.F) {
	d := trainedSample(f)
	r := rand.New(rand.NewPCG(7, 7))
	for range 20 {
		body := formSample(r, true)
		f.Add(body)
		if number, values := d.fill(body, &scratch{}); values != nil {
			f.Add(append([]byte{byte(number)}, values...))
		}
	}
	c := newCodec()
	f.Fuzz(func(t *testing.T, text []byte) {
		packed, err := d.encode(c, text)
		packed = bytes.Clone(packed)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := d.decode(c, nil, packed, nil); err != nil || !bytes.Equal(back, text) {
			t.Fatalf("%q comes back as %q, %v", text, back, err)
		}
		if number, values := d.fill(text, &scratch{}); values != nil {
			if back, err := d.forms[number].text(nil, values, &scratch{}); err != nil || !bytes.Equal(back, text) {
				t.Fatalf("%q is filled in as %q, which is %q, %v", text, values, back, err)
			}
		}
		if len(text) > 0 {
			_, _ = d.forms[int(text[0])%len(d.forms)].text(nil, text[1:], &scratch{})
			_, _ = d.decode(c, nil, text, nil)
		}
	})
}
