package download

import (
	"maps"
	"slices"
	"strings"

	"swath/fault"
)

// traits are what items may agree in.
var traits = map[string]func(Item) string{
	"collection": func(it Item) string { return it.Collection },
	"platform":   func(it Item) string { return it.property("platform") },
	"tile":       func(it Item) string { return it.property("grid:code") },
	"day":        func(it Item) string { return cut(it.moment(), len("2006-01-02")) },
	"month":      func(it Item) string { return cut(it.moment(), len("2006-01")) },
	"year":       func(it Item) string { return cut(it.moment(), len("2006")) },
}

func cut(text string, n int) string { return text[:min(n, len(text))] }

// moment is when an item was acquired, as it is written.
func (it Item) moment() string {
	if at := it.property("datetime"); at != "" {
		return at
	}
	return it.property("start_datetime")
}

// ParseTraits reads what items are to agree in, such as tile+day.
func ParseTraits(text string) ([]string, error) {
	names := strings.Split(text, "+")
	for _, name := range names {
		if traits[name] == nil {
			return nil, fault.New(fault.Invalid, "%q is none of %s", name, strings.Join(slices.Sorted(maps.Keys(traits)), ", "))
		}
	}
	return names, nil
}

// NewestOf hands on, of items that agree in some traits, the one that was acquired last, and of versions of the same acquisition the one
// that was processed last. An item that lacks a trait agrees with no other.
func NewestOf(each func(yield func(Item) error) error, by []string, yield func(Item) error) error {
	newest, order := map[string]Item{}, []string{}
	err := each(func(it Item) error {
		var words []string
		for _, name := range by {
			word := traits[name](it)
			if word == "" {
				word = it.key()
			}
			words = append(words, word)
		}
		key := strings.Join(words, "\x00")
		other, is := newest[key]
		if !is {
			order = append(order, key)
		}
		if !is || newer(it, other) {
			newest[key] = it
		}
		return nil
	})
	for _, key := range order {
		if err == nil {
			err = yield(newest[key])
		}
	}
	return err
}

// newer compares items by acquisition, version of the processing, and date of the processing.
func newer(a, b Item) bool {
	for _, pair := range [][2]string{{a.moment(), b.moment()}, {a.property("processing:version"), b.property("processing:version")}, {a.property("created"), b.property("created")}, {a.property("updated"), b.property("updated")}} {
		if pair[0] != pair[1] {
			return pair[0] > pair[1]
		}
	}
	return a.ID > b.ID
}
