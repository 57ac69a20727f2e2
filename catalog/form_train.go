package catalog

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

const (
	mostForms   = 64   // of a collection
	formFrom    = 5    // samples with the same marks make a form
	formSamples = 500  // of one form are looked at
	formClues   = 40   // of them say which places may be alike
	trustedPart = 0.75 // of them must say what a place says always, for it not to be written
)

// trainForms finds the forms of samples, the most frequent one first.
func trainForms(samples [][]byte) []*form {
	groups := map[string][]filledForm{}
	for _, text := range samples {
		places := sections(text, nil)
		marks := string(marksOf(text, places, nil))
		groups[marks] = append(groups[marks], filledForm{text, places})
	}
	all := make([][]filledForm, 0, len(groups))
	for _, g := range groups {
		if len(g) >= formFrom {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b []filledForm) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), bytes.Compare(a[0].text, b[0].text))
	})
	forms := make([]*form, 0, mostForms)
	for _, g := range all[:min(len(all), mostForms)] {
		forms = append(forms, trainForm(g[:min(len(g), formSamples)]))
	}
	return forms
}

// filledForm is a sample of a form.
type filledForm struct {
	text   []byte
	places []section
}

func (s filledForm) value(place int) []byte { return s.text[s.places[place].from:s.places[place].to] }

func trainForm(samples []filledForm) *form {
	f := &form{}
	earlier := make([]map[string]int, min(len(samples), formClues)) // of each clue, the first place of every value, and of its lower case
	for i := range earlier {
		earlier[i] = map[string]int{}
	}
	at := 0
	first := samples[0]
	for i, p := range first.places {
		f.Marks = append(f.Marks, string(first.text[at:p.from]))
		at = p.to
		place := trainPlace(f, samples, i, earlier)
		place.Ends = p.ends
		f.Places = append(f.Places, place)
		if place.Always != "" {
			continue // what is always said is no model
		}
		for c := range earlier {
			value := string(samples[c*len(samples)/len(earlier)].value(i))
			for _, text := range []string{value, strings.ToLower(value)} {
				if _, known := earlier[c][text]; !known {
					earlier[c][text] = i
				}
			}
		}
	}
	f.Marks = append(f.Marks, string(first.text[at:]))
	return f
}

// trainPlace finds out what a place says, of the values that the samples have in it and before it.
func trainPlace(f *form, samples []filledForm, place int, earlier []map[string]int) formPlace {
	counts := map[string]int{}
	for _, s := range samples {
		counts[string(s.value(place))]++
	}
	best, most := formPlace{Like: -1}, int(trustedPart*float64(len(samples)))
	for text, n := range counts {
		if n > most {
			best, most = formPlace{Like: -1, Always: text}, n
		}
	}
	if most == len(samples) {
		return best
	}
	candidates := map[int]bool{}
	for c, first := range earlier {
		if like, known := first[string(samples[c*len(samples)/len(earlier)].value(place))]; known {
			candidates[like] = true
		}
	}
	for like := range f.Places { // in order, so that training is the same every time
		if !candidates[like] {
			continue
		}
		same, lowered := 0, 0
		for _, s := range samples {
			if bytes.Equal(s.value(place), s.value(like)) {
				same++
			}
			if equalLower(s.value(place), s.value(like)) {
				lowered++
			}
		}
		if same > most {
			best, most = formPlace{Like: like}, same
		}
		if lowered > most {
			best, most = formPlace{Like: like, Lower: true}, lowered
		}
	}
	return best
}
