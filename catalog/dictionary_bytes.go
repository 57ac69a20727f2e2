package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
)

// dictionary is what the bodies of one collection have in common: their forms, and what zstd finds in their texts.
type dictionary struct {
	number int16
	texts  *common // of bodies that fit no form
	values *common // of filled forms
	forms  []*form
	known  map[string]int        // the number of a form by its marks
	shared [guesses][guesses]int // of two of the first forms: see sharedMarks
}

// trainedBytes is a dictionary as it is stored.
type trainedBytes struct {
	Texts, Values []byte
	Forms         []*form
}

// trainDictionary makes the stored bytes of a dictionary from bodies. What texts have in common is found out beside the forms.
func trainDictionary(bodies [][]byte) ([]byte, error) {
	var t trainedBytes
	var beside errgroup.Group
	beside.Go(func() (err error) {
		var some [][]byte // hardly any body is packed as a text
		for i := 0; i < len(bodies); i += 4 {
			some = append(some, bodies[i])
		}
		t.Texts, err = trainCommon(some)
		return err
	})
	forms, values, err := trainFilled(bodies)
	if err := errors.Join(err, beside.Wait()); err != nil {
		return nil, err
	}
	t.Forms, t.Values = forms, values
	text, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	return newCodec().encode(nil, text)
}

// trainFilled finds the forms of bodies, and what their values have in common; neither where hardly any body fits a form.
func trainFilled(bodies [][]byte) (forms []*form, values []byte, err error) {
	forms = trainForms(bodies)
	d := dictionary{}
	if err := d.learn(forms); err != nil {
		return nil, nil, err
	}
	var filled [][]byte
	var room scratch
	for _, body := range bodies {
		if _, values := d.fill(body, &room); values != nil {
			filled = append(filled, bytes.Clone(values))
		}
	}
	if values, err = trainCommon(filled); err != nil { // too few of them
		return nil, nil, nil
	}
	return forms, values, nil
}

// newDictionary makes a dictionary of its stored bytes.
func newDictionary(number int16, stored []byte) (*dictionary, error) {
	d, err := readDictionaryBytes(stored)
	if err != nil {
		return nil, fmt.Errorf("dictionary %d: %w", number, err)
	}
	d.number = number
	return d, nil
}

func readDictionaryBytes(stored []byte) (*dictionary, error) {
	text, err := newCodec().decode(nil, nil, stored)
	if err != nil {
		return nil, err
	}
	var t trainedBytes
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, err
	}
	var d dictionary
	if d.texts, err = newCommon(t.Texts); err != nil {
		return nil, err
	}
	if len(t.Forms) > 0 {
		if d.values, err = newCommon(t.Values); err != nil {
			return nil, err
		}
	}
	return &d, d.learn(t.Forms)
}

func (d *dictionary) learn(forms []*form) error {
	if len(forms) > mostForms {
		return errors.New("too many forms")
	}
	d.forms, d.known = forms, make(map[string]int, len(forms))
	for i, f := range forms {
		if err := f.ready(); err != nil {
			return err
		}
		d.known[strings.Join(f.Marks, "\x00")] = i
		for j, before := range forms[:min(i, guesses)] {
			if i < guesses {
				d.shared[i][j] = sharedMarks(f, before)
			}
		}
	}
	return nil
}

// sharedMarks returns how many marks two forms both begin with, and the same kinds of places between.
func sharedMarks(a, b *form) (n int) {
	for n < min(len(a.Marks), len(b.Marks)) && a.Marks[n] == b.Marks[n] && (n == 0 || a.Places[n-1].Ends == b.Places[n-1].Ends) {
		n++
	}
	return n
}

// guesses is how many forms, the most frequent ones, are tried before marks are compared: most forms differ in the first marks, and who
// fails there costs a tenth of who fits.
const guesses = 8

// fill finds the form of a body and what must be written of it, which lies in the scratch; nil when it has none. A form that begins with
// the mark that another one failed at is not tried.
func (d *dictionary) fill(body []byte, room *scratch) (number int, values []byte) {
	var failed [guesses]int // the mark, by form
	for i, f := range d.forms[:min(len(d.forms), guesses)] {
		hopeless := false
		for j := range i {
			hopeless = hopeless || d.shared[i][j] > failed[j]
		}
		if failed[i] = len(f.Marks); hopeless {
			continue
		}
		var mark int
		if values, mark = f.fill(body, room); mark < 0 {
			return i, values
		}
		failed[i] = mark
	}
	if len(d.forms) <= guesses {
		return 0, nil
	}
	places := sections(body, make([]section, 0, 1<<10))
	number, ok := d.known[string(marksOf(body, places, make([]byte, 0, 2*len(body))))]
	if ok {
		var failed int
		values, failed = d.forms[number].fill(body, room)
		ok = failed < 0
	}
	if !ok {
		return 0, nil
	}
	return number, values
}

// A packed form begins with its number and this bit, which no zstd frame begins with; the frame follows without its magic
// number.
const (
	formBit   = 0x80
	zstdMagic = "\x28\xb5\x2f\xfd"
)

func (d *dictionary) encode(c *codec, body []byte) ([]byte, error) {
	number, values := d.fill(body, &c.scratch)
	if values == nil {
		return c.encode(d.texts, body)
	}
	// What is stored must come back: that is worth some microseconds of a single write.
	back, err := d.forms[number].text(c.whole[:0], values, &c.scratch)
	if c.whole = back; err != nil || !bytes.Equal(back, body) {
		return c.encode(d.texts, body)
	}
	return d.encodeFilled(c, number, values)
}

// encodeFilled packs a filled form.
func (d *dictionary) encodeFilled(c *codec, number int, values []byte) ([]byte, error) {
	frame, err := c.encode(d.values, values)
	if err != nil {
		return nil, err
	}
	frame = frame[len(zstdMagic)-1:] // the last byte of the magic number gives its place
	frame[0] = formBit | byte(number)
	return frame, nil
}

// errRejected says that a body was not unpacked, for it does not match.
var errRejected = errors.New("the item does not match")

// decode appends a body, unless it is rejected at a glance; g may be nil.
func (d *dictionary) decode(c *codec, out, packed []byte, g *glance) ([]byte, error) {
	if len(packed) == 0 || packed[0]&formBit == 0 {
		return c.decode(d.texts, out, packed)
	}
	number := int(packed[0] &^ formBit)
	if number >= len(d.forms) {
		return nil, errDamagedForm
	}
	c.frame = append(append(c.frame[:0], zstdMagic...), packed[1:]...)
	room := &c.values
	if g != nil {
		room = &g.room // what is filled in outlives the codec's turn
	}
	values, err := c.decode(d.values, (*room)[:0], c.frame)
	if err != nil {
		return nil, err
	}
	*room = values
	if g.rejects(d.forms[number], values, nil) {
		return nil, errRejected
	}
	return d.forms[number].text(out, values, &c.scratch)
}
