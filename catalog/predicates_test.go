package catalog_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// truth has three values.
type truth int

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// predicate is a filter that knows how it is written in both forms, and what is true.
type predicate struct {
	text string
	json any
	of   func(*specimen) truth
}

func op(name string, args ...any) map[string]any { return map[string]any{"op": name, "args": args} }
func property(name string) map[string]any        { return map[string]any{"property": name} }
func quoted(text string) string                  { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
func numeral(v float64) string                   { return strconv.FormatFloat(v, 'f', -1, 64) }

// named writes a property's name as text does.
func named(name string) string { return `"` + name + `"` }

// value is an expression: a literal, a property, or something computed of them. Nil is null.
type value struct {
	text string
	json any
	of   func(*specimen) any
}

func literal(v any) value {
	text := ""
	switch v := v.(type) {
	case float64:
		text = numeral(v)
	case string:
		text = quoted(v)
	case bool:
		text = strings.ToUpper(strconv.FormatBool(v))
	}
	return value{text, v, func(*specimen) any { return v }}
}

func ofProperty(name string) value {
	return value{named(name), property(name), func(s *specimen) any { return s.get(name) }}
}

// moment is a timestamp literal.
func moment(at time.Time) value {
	text := at.Format("2006-01-02T15:04:05.999999Z")
	return value{"TIMESTAMP('" + text + "')", map[string]any{"timestamp": text}, func(*specimen) any { return at }}
}

// asTime reads a text as a time.
func asTime(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case string:
		at, err := time.Parse(time.RFC3339, strings.ToUpper(v))
		return at, err == nil
	}
	return time.Time{}, false
}

// order compares two values of one kind; ok is false where they are not of one kind or one is null.
func order(a, b any) (sign int, ok bool) {
	_, aTime := a.(time.Time)
	_, bTime := b.(time.Time)
	if aTime || bTime {
		at, okA := asTime(a)
		bt, okB := asTime(b)
		return at.Compare(bt), okA && okB
	}
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		switch {
		case !ok:
			return 0, false
		case a < b:
			return -1, true
		case a > b:
			return 1, true
		}
		return 0, a == b
	case string:
		b, ok := b.(string)
		return strings.Compare(a, b), ok
	case bool:
		b, ok := b.(bool)
		if !ok {
			return 0, false
		}
		return map[[2]bool]int{{false, true}: -1, {true, false}: 1}[[2]bool{a, b}], true
	}
	return 0, false
}

func compare(left value, operator string, right value) predicate {
	return predicate{
		left.text + " " + operator + " " + right.text, op(operator, left.json, right.json),
		func(s *specimen) truth {
			sign, ok := order(left.of(s), right.of(s))
			if !ok {
				return unknown
			}
			return truthOf(map[string]bool{"=": sign == 0, "<>": sign != 0, "<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[operator])
		},
	}
}

func compute(left value, operator string, right value) value {
	return value{
		"(" + left.text + " " + operator + " " + right.text + ")", op(operator, left.json, right.json),
		func(s *specimen) any {
			a, okA := left.of(s).(float64)
			b, okB := right.of(s).(float64)
			if !okA || !okB || operator == "/" && b == 0 {
				return nil
			}
			return map[string]float64{"+": a + b, "-": a - b, "*": a * b, "/": a / b}[operator]
		},
	}
}

func all(parts ...predicate) predicate {
	return join(parts, "AND", "and", func(all []truth) truth { return slices.Min(all) })
}

func anyOf(parts ...predicate) predicate {
	return join(parts, "OR", "or", func(all []truth) truth { return slices.Max(all) })
}

func join(parts []predicate, word, name string, of func([]truth) truth) predicate {
	texts, args := make([]string, len(parts)), make([]any, len(parts))
	for i, p := range parts {
		texts[i], args[i] = "("+p.text+")", p.json
	}
	return predicate{strings.Join(texts, " "+word+" "), op(name, args...), func(s *specimen) truth {
		values := make([]truth, len(parts))
		for i, p := range parts {
			values[i] = p.of(s)
		}
		return of(values)
	}}
}

func not(p predicate) predicate {
	return predicate{"NOT (" + p.text + ")", op("not", p.json), func(s *specimen) truth { return yes - p.of(s) }}
}

func between(v value, low, high float64) predicate {
	both := all(compare(v, ">=", literal(low)), compare(v, "<=", literal(high)))
	return predicate{fmt.Sprintf("%s BETWEEN %s AND %s", v.text, numeral(low), numeral(high)), op("between", v.json, low, high), both.of}
}

func among(v value, list ...any) predicate {
	var texts []string
	var either []predicate
	for _, one := range list {
		texts = append(texts, literal(one).text)
		either = append(either, compare(v, "=", literal(one)))
	}
	return predicate{v.text + " IN (" + strings.Join(texts, ", ") + ")", op("in", v.json, list), anyOf(either...).of}
}

func isNull(name string) predicate {
	return predicate{named(name) + " IS NULL", op("isNull", property(name)), func(s *specimen) truth { return truthOf(s.get(name) == nil) }}
}

// like matches letter by letter, by trying every length of each %.
func like(v value, pattern string) predicate {
	var fits func(text, pattern []rune) bool
	fits = func(text, pattern []rune) bool {
		switch {
		case len(pattern) == 0:
			return len(text) == 0
		case pattern[0] == '%':
			for i := 0; i <= len(text); i++ {
				if fits(text[i:], pattern[1:]) {
					return true
				}
			}
			return false
		case len(text) == 0:
			return false
		case pattern[0] == '\\' && len(pattern) > 1:
			return text[0] == pattern[1] && fits(text[1:], pattern[2:])
		}
		return (pattern[0] == '_' || pattern[0] == text[0]) && fits(text[1:], pattern[1:])
	}
	return predicate{v.text + " LIKE " + quoted(pattern), op("like", v.json, pattern), func(s *specimen) truth {
		text, ok := v.of(s).(string)
		if !ok {
			return unknown
		}
		return truthOf(fits([]rune(text), []rune(pattern)))
	}}
}

// folded applies casei or accenti; the letters of the test's own words are all it knows.
func folded(function string, v value) value {
	plain := strings.NewReplacer("ô", "o", "ê", "e", "É", "E", "é", "e")
	fold := func(text string) string {
		if function == "accenti" {
			return plain.Replace(text)
		}
		return strings.ReplaceAll(strings.Map(unicode.ToLower, text), "ß", "ss")
	}
	return value{strings.ToUpper(function) + "(" + v.text + ")", op(function, v.json), func(s *specimen) any {
		if text, ok := v.of(s).(string); ok {
			return fold(text)
		}
		return nil
	}}
}

func arrays(relation, name string, words []string) predicate {
	var texts []string
	for _, w := range words {
		texts = append(texts, quoted(w))
	}
	return predicate{
		strings.ToUpper(relation) + "(" + named(name) + ", (" + strings.Join(texts, ", ") + "))", op(relation, property(name), words),
		func(s *specimen) truth {
			have, ok := s.get(name).([]string)
			if !ok {
				return unknown
			}
			holds := func(set []string) func(string) bool {
				return func(w string) bool { return slices.Contains(set, w) }
			}
			lacks := func(set []string) func(string) bool {
				return func(w string) bool { return !slices.Contains(set, w) }
			}
			contains, contained := !slices.ContainsFunc(words, lacks(have)), !slices.ContainsFunc(have, lacks(words))
			return truthOf(map[string]bool{"a_contains": contains, "a_containedby": contained, "a_equals": contains && contained,
				"a_overlaps": slices.ContainsFunc(words, holds(have))}[relation])
		},
	}
}

// spatial relates an item's footprint to a shape.
func spatial(relation string, area shape) predicate {
	return predicate{
		strings.ToUpper(relation) + "(geometry, " + area.wkt() + ")", op(relation, property("geometry"), area.geojson()),
		func(s *specimen) truth {
			if s.place == nil {
				return unknown
			}
			touch, within, contains := meets(s.place, area), lies(s.place, area), lies(area, s.place)
			return truthOf(map[string]bool{"s_intersects": touch, "s_disjoint": !touch, "s_within": within, "s_contains": contains,
				"s_overlaps": touch && !within && !contains && len(s.place) > 1, "s_equals": within && contains}[relation])
		},
	}
}

// temporal relates a time of an item to an interval, or to an instant where both ends are one.
func temporal(relation, name string, begins, ends time.Time) predicate {
	other, written := moment(begins).text, moment(begins).json
	if begins != ends {
		a, b := begins.Format("2006-01-02T15:04:05.999999Z"), ends.Format("2006-01-02T15:04:05.999999Z")
		other, written = "INTERVAL('"+a+"', '"+b+"')", map[string]any{"interval": []string{a, b}}
	}
	return predicate{
		strings.ToUpper(relation) + "(" + named(name) + ", " + other + ")", op(relation, property(name), written),
		func(s *specimen) truth {
			at, ok := asTime(s.get(name))
			if !ok {
				return unknown
			}
			before, after := at.Before(begins), at.After(ends)
			return truthOf(map[string]bool{"t_before": before, "t_after": after, "t_intersects": !before && !after, "t_disjoint": before || after,
				"t_equals": at.Equal(begins) && at.Equal(ends), "t_during": at.After(begins) && at.Before(ends)}[relation])
		},
	}
}

var comparisons = []string{"=", "<>", "<", "<=", ">", ">="}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// anyTime is a moment of the archive, now and then exactly that of an item.
func anyTime(r *rand.Rand, items []*specimen) time.Time {
	if r.IntN(3) == 0 {
		return pick(r, items).at
	}
	return truthFirst.Add(time.Duration(r.Int64N(int64(truthDays) * 24 * int64(time.Hour)))).Truncate(time.Millisecond)
}

// anyShape is a quadrilateral, a box on whole degrees, a point, or the very footprint of an item.
func anyShape(r *rand.Rand, items []*specimen) shape {
	switch r.IntN(8) {
	case 0:
		if s := pick(r, items); s.place != nil {
			return s.place
		}
	case 1:
		if s := pick(r, items); s.place != nil {
			return s.place[:1]
		}
	case 2:
		x, y := float64(r.IntN(340)-170), float64(r.IntN(140)-70)
		w, h := float64(1+r.IntN(9)), float64(1+r.IntN(9))
		return shape{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}
	case 3:
		return quad(r, xy{180 + r.NormFloat64()*3, r.Float64()*140 - 70}, 12)
	}
	return quad(r, xy{r.Float64()*360 - 180, r.Float64()*150 - 75}, 12)
}

// anyPredicate makes a filter of at most this depth.
func anyPredicate(r *rand.Rand, items []*specimen, depth int) predicate {
	if depth > 0 && r.IntN(3) > 0 {
		a, b := anyPredicate(r, items, depth-1), anyPredicate(r, items, depth-1)
		switch r.IntN(6) {
		case 0:
			return not(a)
		case 1, 2:
			return anyOf(a, b)
		}
		return all(a, b)
	}
	numbers := []string{"eo:cloud_cover", "s2:vegetation_percentage", "s2:water_percentage", "view:off_nadir", "sat:relative_orbit", "nested.depth", "mixed", "rare:number"}
	number := func() value { return ofProperty(pick(r, numbers)) }
	switch r.IntN(22) {
	case 0:
		return compare(ofProperty("eo:cloud_cover"), pick(r, comparisons), literal(math.Round(r.Float64()*1000)/10))
	case 1:
		if s := pick(r, items); s.get("eo:cloud_cover") != nil {
			return compare(ofProperty("eo:cloud_cover"), pick(r, comparisons), literal(s.get("eo:cloud_cover")))
		}
		return isNull("eo:cloud_cover")
	case 2:
		return compare(ofProperty("sat:relative_orbit"), pick(r, []string{"=", "=", "<", ">="}), literal(float64(1+r.IntN(143))))
	case 3:
		return compare(ofProperty("platform"), pick(r, []string{"=", "=", "<>", "<"}), literal(pick(r, truthPlatforms)))
	case 4:
		return compare(ofProperty("grid:code"), pick(r, []string{"=", "=", "=", "<>", ">"}), literal(pick(r, truthGrid)))
	case 5:
		return compare(number(), pick(r, comparisons), literal(float64(r.IntN(100))))
	case 6:
		return compare(number(), pick(r, comparisons), number())
	case 7:
		sum := compute(number(), pick(r, []string{"+", "-", "*", "/"}), number())
		return compare(sum, pick(r, comparisons), literal(float64(r.IntN(120))))
	case 8:
		low := float64(r.IntN(100))
		return between(number(), low, low+float64(r.IntN(30)))
	case 9:
		if r.IntN(2) == 0 {
			return among(ofProperty("sat:relative_orbit"), float64(1+r.IntN(143)), float64(1+r.IntN(143)), float64(1+r.IntN(143)))
		}
		return among(ofProperty("grid:code"), pick(r, truthGrid), "MGRS-00AAA")
	case 10:
		return isNull(pick(r, append(numbers, "platform", "datetime", "keywords", "flag", "title", "absent")))
	case 11:
		return like(ofProperty(pick(r, []string{"title", "platform", "grid:code", "id"})), pick(r, []string{"%b%", "sentinel-_a", "MGRS-31T%", "item\\_0000%", "%100\\%", "crue_du%", "%"}))
	case 12:
		function := pick(r, []string{"casei", "accenti"})
		return compare(folded(function, ofProperty("title")), pick(r, []string{"=", "=", "<>"}), folded(function, literal(pick(r, truthTitles))))
	case 13:
		a, b := folded("casei", folded("accenti", ofProperty("title"))), folded("casei", folded("accenti", literal(pick(r, truthTitles))))
		return compare(a, "=", b)
	case 14:
		return arrays(pick(r, []string{"a_contains", "a_containedby", "a_equals", "a_overlaps"}), "keywords", []string{pick(r, truthWords), pick(r, truthWords)})
	case 15, 16:
		return spatial(pick(r, []string{"s_intersects", "s_intersects", "s_disjoint", "s_within", "s_contains", "s_overlaps"}), anyShape(r, items))
	case 17:
		a, b := anyTime(r, items), anyTime(r, items)
		if b.Before(a) {
			a, b = b, a
		}
		b = b.Add(time.Hour)
		return temporal(pick(r, []string{"t_before", "t_after", "t_intersects", "t_disjoint", "t_during"}), pick(r, []string{"datetime", "datetime", "created", "end_datetime"}), a, b)
	case 18:
		return compare(ofProperty(pick(r, []string{"datetime", "created", "start_datetime"})), pick(r, comparisons), moment(anyTime(r, items)))
	case 19:
		return compare(ofProperty("quality:rare"), pick(r, []string{"=", "=", "<>"}), literal("only-here"))
	case 20:
		return compare(ofProperty("flag"), "=", literal(r.IntN(2) == 0))
	}
	switch r.IntN(4) {
	case 0:
		return compare(ofProperty("id"), "=", literal(pick(r, items).id))
	case 1:
		return compare(ofProperty("collection"), pick(r, []string{"=", "<>"}), literal(pick(r, truthCollections)))
	case 2:
		return compare(ofProperty("nested.name"), "=", literal(pick(r, truthPlatforms)))
	}
	return compare(ofProperty("rare:number"), pick(r, []string{"<", ">"}), literal(r.Float64()*1000))
}

func (p predicate) written() []byte {
	text, err := json.Marshal(p.json)
	if err != nil {
		panic(err) // the test's own values
	}
	return text
}
