package catalog

import (
	"fmt"
	"slices"
	"strings"

	"swath/stac/cql2"
)

// wordly compiles a predicate of a property whose texts are numbered: it is decided once for each text.
func (c *compiler) wordly(n cql2.Node, want bool, kind wordKind, column, prefix string) condition {
	var numbers []int32
	if text, ok := c.oneWord(n, want); ok {
		if number, known := c.words.known(word{kind, prefix + text}); known {
			numbers = []int32{number}
		}
	}
	if numbers == nil {
		all, err := c.words.load(c.ctx, c.conn, kind)
		if err != nil {
			c.err = err
			return never
		}
		numbers = []int32{}
		for text, number := range all {
			if rest, ok := strings.CutPrefix(text, prefix); ok && cql2.Decide(n, wordEnv(rest)) == wanted(want) {
				numbers = append(numbers, number)
			}
		}
	}
	slices.Sort(numbers)
	odd := fmt.Sprintf("%s = %d", column, unnumbered)
	out := condition{sql: "(" + column + " = any(" + c.bind(numbers) + "::int[]) or " + odd + ")", exact: true, odd: []string{odd}}
	if cql2.Decide(n, nullEnv{}) == wanted(want) { // of items that lack it
		out.sql = "(" + column + " is null or " + out.sql[1:]
	}
	return out
}

// oneWord returns the one text of which a predicate is true, where that is plain.
func (c *compiler) oneWord(n cql2.Node, want bool) (string, bool) {
	if _, op, value, ok := sides(n); ok && want && op == cql2.Equal {
		text, ok := value.(cql2.Text)
		return string(text), ok
	}
	return "", false
}

// wordEnv is an item whose only property, whatever its name, is a text.
type wordEnv string

func (w wordEnv) Value(cql2.Property) any             { return string(w) }
func (wordEnv) Related(cql2.Spatial) (is, known bool) { return false, false }

// nullEnv is an item without any property.
type nullEnv struct{}

func (nullEnv) Value(cql2.Property) any               { return nil }
func (nullEnv) Related(cql2.Spatial) (is, known bool) { return false, false }
