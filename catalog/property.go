package catalog

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The kinds of values that a property has, as bits of property.kinds.
const (
	kindText = 1 << iota
	kindTime
	kindInteger
	kindNumber // not an integer
	kindBoolean
	kindList
	kindObject
)

const (
	mostProperties   = 1000 // of a collection; further ones have no statistics
	mostWords        = 100  // of a property: more are not listed
	longestWordBytes = 64
	longestNameBytes = 256
)

// namedValue is a property of an item by its dotted name, with its value in compact JSON.
type namedValue struct {
	name   string
	raw    []byte
	member int // of an item that has a form: the number of the property in it, from 1; 0: it is in another one, or not known
}

// property is what the items of a collection hold of one property. Nil is nothing yet; it never changes.
type property struct {
	kinds  int32
	lo, hi float64 // of numbers; lo > hi without any
	words  map[string]bool
	many   bool // there were too many or too long texts to list
}

// holds reports whether a value says nothing new.
func (p *property) holds(v namedValue) bool {
	if len(v.name) > longestNameBytes || strings.ContainsRune(v.name, 0) {
		return true // no name for a column
	}
	kind, number := kindOf(v.raw)
	if kind == 0 {
		return true
	}
	if p == nil || p.kinds&kind == 0 || kind&(kindInteger|kindNumber) != 0 && (number < p.lo || number > p.hi) {
		return false
	}
	if p.many {
		return true
	}
	new := false
	forEachWord(v.raw, kind, func(raw []byte) {
		new = new || !p.words[string(raw[1:len(raw)-1])] && !p.words[textOf(raw)]
	})
	return !new
}

// with returns p and one value more.
func (p *property) with(v namedValue) *property {
	wider := property{lo: math.Inf(1), hi: math.Inf(-1), words: map[string]bool{}}
	if p != nil {
		wider = *p
		wider.words = maps.Clone(p.words)
	}
	kind, number := kindOf(v.raw)
	wider.kinds |= kind
	if kind&(kindInteger|kindNumber) != 0 {
		wider.lo, wider.hi = min(wider.lo, number), max(wider.hi, number)
	}
	forEachWord(v.raw, kind, func(raw []byte) {
		text := textOf(raw)
		if !wider.many {
			wider.words[text] = true
		}
		if len(text) > longestWordBytes || len(wider.words) > mostWords || strings.ContainsRune(text, 0) {
			wider.many, wider.words = true, map[string]bool{}
		}
	})
	return &wider
}

// forEachWord calls do with a text, or with the texts of a list.
func forEachWord(raw []byte, kind int32, do func(raw []byte)) {
	switch kind {
	case kindText:
		do(raw)
	case kindList:
		forEachElement(raw, func(element []byte) {
			if k, _ := kindOf(element); k == kindText {
				do(element)
			}
		})
	}
}

// kindOf returns the kind of a value in compact JSON, 0 of null, and the value of a number.
func kindOf(raw []byte) (kind int32, number float64) {
	switch raw[0] {
	case '"':
		if mayBeTime(raw) && isTime(raw) {
			return kindTime, 0
		}
		return kindText, 0
	case '[':
		return kindList, 0
	case '{':
		return kindObject, 0
	case 't', 'f':
		return kindBoolean, 0
	case 'n':
		return 0, 0
	}
	number, ok := numberOf(raw)
	switch {
	case !ok: // too large for a float
		return 0, 0
	case number == math.Trunc(number):
		return kindInteger, number
	}
	return kindNumber, number
}

func readProperties(ctx context.Context, q querier, collection int16) (map[string]*property, error) {
	rows, err := q.Query(ctx, propertiesSQL, collection)
	if err != nil {
		return nil, err
	}
	all := map[string]*property{}
	var name string
	var lo, hi *float64
	var words []string
	var kinds int32
	var many bool
	_, err = pgx.ForEachRow(rows, []any{&name, &kinds, &lo, &hi, &words, &many}, func() error {
		p := property{kinds: kinds, lo: math.Inf(1), hi: math.Inf(-1), words: map[string]bool{}, many: many}
		if lo != nil && hi != nil {
			p.lo, p.hi = *lo, *hi
		}
		for _, w := range words {
			p.words[w] = true
		}
		all[name] = &p
		return nil
	})
	return all, err
}

func (p *property) queue(b *pgx.Batch, collection int16, name string) {
	var lo, hi *float64
	if p.lo <= p.hi {
		lo, hi = &p.lo, &p.hi
	}
	words := slices.Sorted(maps.Keys(p.words))
	if words == nil {
		words = []string{}
	}
	b.Queue(widenPropertySQL, collection, name, p.kinds, lo, hi, words, p.many)
}
