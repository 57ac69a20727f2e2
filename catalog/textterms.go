package catalog

import (
	"slices"

	"swath/stac"
)

// termGroups returns, of a text search, groups of terms: every item that matches has one of each group.
func termGroups(q stac.TextQuery) [][]int32 {
	switch q := q.(type) {
	case stac.Words:
		groups := make([][]int32, len(q))
		for i, w := range q {
			groups[i] = []int32{wordTerm(w)}
		}
		return groups
	case stac.AllOf:
		var groups [][]int32
		for _, arg := range q {
			groups = append(groups, termGroups(arg)...)
		}
		return groups
	case stac.AnyOf:
		var either []int32
		for _, arg := range q {
			groups := termGroups(arg)
			if len(groups) == 0 {
				return nil
			}
			either = append(either, slices.MinFunc(groups, func(a, b []int32) int { return len(a) - len(b) })...)
		}
		if either == nil {
			return nil
		}
		return [][]int32{either}
	}
	return nil
}
