package catalog

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"swath/stac/cql2"
)

// TestGlance: whatever is rejected before it is filled in does not match, and what plain values decide is decided.
func TestGlance(t *testing.T) {
	d, c := trainedSample(t), newCodec()
	p := newPacker(nil)
	p.dictionaries[d.number] = d
	for _, filter := range []struct {
		text    string
		decides bool // all that does not match and has a form is rejected
	}{
		{`n > 1`, true},
		{`n >= 1 and flag = true`, false}, // flags that differ are said elsewhere
		{`n = 0 or n = 2`, true},
		{`not (n in (0, 1))`, true},
		{`n between 1 and 1.5`, true},
		{`n / 2 = 1`, true},
		{`nothing is null`, true},
		{`nothing = 1`, true},
		{`nothing.such = 1`, false},
		{`level = 'L2A' and n < 2`, false},
		{`level like '%2A'`, false},
		{`id = 'x'`, false},
		{`n > 0 and s_intersects(geometry, POINT(1 1))`, false},
		{`true`, false},
	} {
		n, err := cql2.ParseText(filter.text)
		if err != nil {
			t.Fatal(err)
		}
		r, g := rand.New(rand.NewPCG(8, 8)), newGlance(n)
		rejected, missed, sure := 0, 0, 0
		for i := range 2000 {
			body := formSample(r, i%3 == 0)
			if i%50 == 0 {
				body = bytes.Replace(body, []byte(`"n":`), []byte(`"m":`), 1)
			}
			packed, err := d.encode(c, body)
			packed = bytes.Clone(packed)
			if err != nil {
				t.Fatal(err)
			}
			matches := cql2.Match(n, &cql2.Item{Body: body, Spatial: func(cql2.Spatial) (truth, known bool) { return true, true }})
			back, err := p.appendDecoded(nil, d.number, packed, g)
			if was := g.last; was.form != nil {
				if again := g.rejects(was.form, was.filled, lineEnds(was.form, was.filled)); again != errors.Is(err, errRejected) || g.last.sure != was.sure {
					t.Fatalf("%s: with the ends of its lines, %s is rejected: %t", filter.text, body, again)
				}
			}
			switch {
			case g.sure && !matches:
				t.Fatalf("%s: %s is sure to match", filter.text, body)
			case errors.Is(err, errRejected) && matches:
				t.Fatalf("%s: %s is rejected", filter.text, body)
			case errors.Is(err, errRejected):
				rejected++
			case err != nil || !bytes.Equal(back, body):
				t.Fatalf("%s: %s comes back as %s, %v", filter.text, body, back, err)
			case !matches && packed[0]&formBit != 0:
				missed++
			case g.sure:
				sure++
			}
		}
		if filter.decides && missed > 0 {
			t.Errorf("%s: %d are rejected, %d are not", filter.text, rejected, missed)
		}
		if filter.text == `n > 1` && (rejected < 1000 || sure < 500) {
			t.Errorf("%s: of 2000, only %d are rejected and %d are sure", filter.text, rejected, sure)
		}
	}
}

// TestGlanceKeepsItsItem: what a glance saw of an item stays, whoever unpacks others meanwhile.
func TestGlanceKeepsItsItem(t *testing.T) {
	d, c := trainedSample(t), newCodec()
	p := newPacker(nil)
	p.dictionaries[d.number] = d
	n, err := cql2.ParseText(`n > 1`)
	if err != nil {
		t.Fatal(err)
	}
	r, g := rand.New(rand.NewPCG(9, 9)), newGlance(n)
	seen := 0
	for range 200 {
		body, other := formSample(r, false), formSample(r, false)
		packed, err := d.encode(c, body)
		packed = bytes.Clone(packed)
		if err != nil {
			t.Fatal(err)
		}
		packedOther, err := d.encode(c, other)
		packedOther = bytes.Clone(packedOther)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.appendDecoded(nil, d.number, packed, g); err != nil && !errors.Is(err, errRejected) {
			t.Fatal(err)
		}
		if _, err := p.decode(d.number, packedOther); err != nil {
			t.Fatal(err)
		}
		if g.form == nil {
			continue
		}
		seen++
		if back, err := p.appendFilled(nil, g.form, g.filled); err != nil || !bytes.Equal(back, body) {
			t.Fatalf("%s is seen, and when another was unpacked it is %s, %v", body, back, err)
		}
	}
	if seen < 150 {
		t.Errorf("only %d of 200 items have a form", seen)
	}
}
