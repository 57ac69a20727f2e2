package catalog

import (
	"bytes"
	"cmp"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/sync/errgroup"
)

const (
	mostForms   = 64   // of a collection
	formFrom    = 5    // samples with the same marks make a form
	formSamples = 500  // of one form are looked at
	formClues   = 40   // of them say which places may be alike
	formSeveral = 3    // so often is several times
	trustedPart = 0.75 // of them must say what a place says always, for it not to be written
)

// trainForms finds the forms of samples, the most frequent one first.
func trainForms(samples [][]byte) []*form {
	type group struct {
		samples []filledForm // the first of them
		n       int
	}
	groups := map[string]*group{}
	var places []section
	var marks []byte
	for _, text := range samples {
		places = sections(text, places[:0])
		marks = marksOf(text, places, marks[:0])
		g := groups[string(marks)]
		if g == nil {
			g = &group{}
			groups[string(marks)] = g
		}
		if g.n++; g.n <= formSamples {
			g.samples = append(g.samples, filledForm{text, slices.Clone(places)})
		}
	}
	all := make([]*group, 0, len(groups))
	for _, g := range groups {
		if g.n >= formFrom {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.n, a.n), bytes.Compare(a.samples[0].text, b.samples[0].text))
	})
	forms := make([]*form, min(len(all), mostForms))
	var beside errgroup.Group
	beside.SetLimit(runtime.GOMAXPROCS(0))
	for i := range forms {
		beside.Go(func() error {
			forms[i] = trainForm(all[i].samples)
			return nil
		})
	}
	_ = beside.Wait() // none of them fails
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
	first := samples[0]
	at, marks := 0, make([]string, len(first.places))
	named, said := map[string]int{}, map[string]int{} // how often there is a name, and a value
	for i, p := range first.places {
		marks[i] = string(first.text[at:p.from])
		named[marks[i]]++
		said[string(first.value(i))]++
		at = p.to
	}
	// All samples may say the same of what changes in a while: a year, a satellite, a processing baseline and what came with it.
	// So these are written where they come first, and what repeats them changes with them: the words of an id, words with a
	// digit that are said several times, and numbers that several assets have under one name.
	numbers, inID, hadID, inAssets := map[string]int{}, false, false, false
	for i, p := range first.places {
		begins := !hadID && strings.HasSuffix(marks[i], `"id":"`)
		inID, hadID = begins || inID && !strings.Contains(marks[i], `"`), hadID || begins
		inAssets = inAssets || strings.Contains(marks[i], `"assets":{`)
		same, known := numbers[marks[i]]
		place := formPlace{Like: -1}
		switch isNumber := p.ends == afterPlain && named[marks[i]] >= formSeveral; {
		case isNumber && !known:
			numbers[marks[i]] = i
		case isNumber && agree(samples, i, same, false, len(samples)-1) == len(samples):
			place.Like = same
		default:
			repeated := !inAssets && said[string(first.value(i))] >= formSeveral && bytes.ContainsFunc(first.value(i), unicode.IsDigit)
			place = trainPlace(f, samples, i, earlier, !inID && !repeated)
		}
		place.Ends = p.ends
		f.Marks, f.Places = append(f.Marks, marks[i]), append(f.Places, place)
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

// agree counts the samples that say in a place what they say in another, perhaps in lower case, unless these can't be more
// than most: then it may count less.
func agree(samples []filledForm, place, other int, lowered bool, most int) (n int) {
	for i, s := range samples {
		if same(s.value(place), s.value(other), lowered) {
			n++
		} else if i-n >= len(samples)-most-1 {
			break
		}
	}
	return n
}

// majority returns what more than half of the samples say in a place, if they do, and how many (R. S. Boyer, J S. Moore, MJRTY, 1991).
func majority(samples []filledForm, place int) (text []byte, n int) {
	votes := 0
	for _, s := range samples {
		switch value := s.value(place); {
		case votes == 0:
			text, votes = value, 1
		case bytes.Equal(value, text):
			votes++
		default:
			votes--
		}
	}
	for _, s := range samples {
		if bytes.Equal(s.value(place), text) {
			n++
		}
	}
	return text, n
}

// trainPlace finds out what a place says, of the values that the samples have in it and before it. Of two guesses that are as
// good, that it is like another place is the better one.
func trainPlace(f *form, samples []filledForm, place int, earlier []map[string]int, maybeAlways bool) formPlace {
	best, most := formPlace{Like: -1}, int(trustedPart*float64(len(samples)))
	if maybeAlways {
		if text, n := majority(samples, place); n > most {
			best, most = formPlace{Like: -1, Always: string(text)}, n-1
		}
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
		for _, lowered := range []bool{false, true} {
			if n := agree(samples, place, like, lowered, most); n > most {
				best, most = formPlace{Like: like, Lower: lowered}, n
			}
		}
	}
	return best
}
