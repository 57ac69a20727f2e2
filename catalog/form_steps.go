package catalog

import (
	"slices"
	"strings"
)

// step is a part of a text: what is always the same, and then a place, or several that say the same as several before them, with
// the same marks between.
type step struct {
	marks      string
	from, to   int // its atoms
	like, upto int // the steps that say the same; like is -1: it is written; -2: it is the end of the text
	lower      bool
	ends       placeEnd
	edges      []edge // in the marks
}

const (
	isWritten = -1
	isEnd     = -2
)

// atom is a place that does not always say the same; the last one of a form is the end of the text.
type atom struct {
	from, place int    // its place, and the first of those before it that always say the same
	marks       string // before it, with what they say
	root        int    // the place that is written and says the same, unless something differs
	lower       bool   // but in lower case
	edges       []edge // in the marks
}

// add appends marks with their edges.
func (a *atom) add(edges []edge, marks string) {
	for _, e := range edges {
		a.edges = append(a.edges, edge{e.number, e.at + len(a.marks)})
	}
	a.marks += marks
}

func (a atom) sameAs(b atom) bool { return a.root == b.root && a.lower == b.lower }

// ready prepares a form for use, or says that it is damaged.
func (f *form) ready() error {
	if len(f.Marks) != len(f.Places)+1 {
		return errDamagedForm
	}
	f.shape = f.outline()
	f.own = slices.ContainsFunc(f.Marks, func(marks string) bool { return strings.Contains(marks, string(ownObject)) })
	f.edgesAt = f.shape.edges(len(f.Marks))
	var atoms []atom
	atomOf := make([]int, len(f.Places))
	next := atom{}
	for i, p := range f.Places {
		if p.Like >= i || p.Like >= 0 && (p.Always != "" || f.Places[p.Like].Always != "") {
			return errDamagedForm
		}
		if next.add(f.edgesAt[i], f.Marks[i]); p.Always != "" {
			next.marks += p.Always
			continue
		}
		if next.place, next.root = i, i; p.Like >= 0 {
			like := atoms[atomOf[p.Like]]
			next.root, next.lower = like.root, like.lower || p.Lower
		} else {
			f.written++
		}
		atomOf[i], atoms = len(atoms), append(atoms, next)
		next = atom{from: i + 1}
	}
	f.stepOf, f.affected = make([]int, len(f.Places)), make([][]int32, len(f.Places))
	begins, ends := make([]int, len(atoms)), make([]int, len(atoms)) // the step that begins with an atom, and that ends with it
	for i := range atoms {
		begins[i], ends[i] = -1, -1
	}
	for i := 0; i < len(atoms); {
		a := atoms[i]
		s := step{marks: a.marks, edges: a.edges, from: i, like: isWritten, upto: isWritten}
		n, source := 1, -1
		if a.root != a.place {
			if n, source = longest(atoms, begins, ends, i); n == 0 {
				n, source, s.lower = 1, atomOf[a.root], true
			}
			s.like, s.upto = begins[source], ends[source+n-1]
			f.affects(atoms[source].place, atoms[source+n-1].place)
		} else {
			f.stepOf[a.place] = len(f.steps)
		}
		s.to = i + n
		last := atoms[s.to-1].place
		f.affects(a.from, last)
		s.ends = f.Places[last].Ends
		begins[i], ends[s.to-1] = len(f.steps), len(f.steps)
		f.steps = append(f.steps, s)
		i = s.to
	}
	next.place = len(f.Places)
	next.add(f.edgesAt[next.place], f.Marks[next.place])
	f.affects(next.from, next.place-1)
	f.steps = append(f.steps, step{marks: next.marks, edges: next.edges, from: len(atoms), to: len(atoms) + 1, like: isEnd, upto: isEnd})
	f.atoms = append(atoms, next)
	f.prepared = make([]bool, len(f.steps))
	f.lineOf = f.propertyLines()
	f.shape.check(f.steps)
	return nil
}

// longest returns how many atoms from i say the same as others before, with the same marks between, and where these begin; none
// where nothing says the same as the first of them, which is then in lower case. Those before must be whole steps, and edges are
// only before the first.
func longest(atoms []atom, begins, ends []int, i int) (n, source int) {
	for j := range i {
		if begins[j] < 0 || !atoms[j].sameAs(atoms[i]) {
			continue
		}
		for k := 0; j+k < i && i+k < len(atoms); k++ {
			a, b := atoms[i+k], atoms[j+k]
			if a.root == a.place || !a.sameAs(b) || k > 0 && (a.marks != b.marks || len(a.edges) > 0) {
				break
			}
			if ends[j+k] >= 0 && k+1 > n {
				n, source = k+1, j
			}
		}
	}
	return n, source
}

// affects notes that the step that is made next is not as prepared when one of some places differs, or one that they are like.
func (f *form) affects(from, to int) {
	next := int32(len(f.steps))
	for from := from; from <= to; from++ {
		for place := from; place >= 0; place = f.Places[place].Like {
			if known := f.affected[place]; !f.Places[place].written() && (len(known) == 0 || known[len(known)-1] != next) {
				f.affected[place] = append(known, next)
			}
		}
	}
}
