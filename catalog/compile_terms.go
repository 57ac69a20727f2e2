package catalog

import (
	"swath/stac/cql2"
)

// termsWanted returns terms of which an item has one when a predicate is true of it; nil where none can be told.
func termsWanted(n cql2.Node) []int32 {
	switch n := n.(type) {
	case cql2.Compare:
		if n.Op != cql2.Equal {
			return nil
		}
		if p, ok := inner(n.Left).(cql2.Property); ok {
			return termsAre(p, n.Right)
		}
		if p, ok := inner(n.Right).(cql2.Property); ok {
			return termsAre(p, n.Left)
		}
	case cql2.In:
		if p, ok := inner(n.Value).(cql2.Property); ok {
			return termsAre(p, n.List...)
		}
	case cql2.ArrayOp:
		p, ok := n.Left.(cql2.Property)
		list, isList := n.Right.(cql2.Array)
		if !ok || !isList || len(list) == 0 {
			return nil
		}
		switch n.Op {
		case cql2.AContains, cql2.AEquals:
			return termsAre(p, list[0])
		case cql2.AOverlaps:
			return termsAre(p, list...)
		}
	}
	return nil
}

// inner is what a function of text is applied to. Terms are of folded texts, so that they fit whatever the function.
func inner(n cql2.Node) cql2.Node {
	for {
		call, ok := n.(cql2.Call)
		if !ok {
			return n
		}
		n = call.Arg
	}
}

// termsAre returns the terms of a property having one of these values; nil unless all have one.
func termsAre(p cql2.Property, values ...cql2.Node) []int32 {
	var terms []int32
	for _, v := range values {
		var plain any
		switch v := inner(v).(type) {
		case cql2.Text:
			plain = string(v)
		case cql2.Number:
			plain = float64(v)
		case cql2.Bool:
			plain = bool(v)
		default:
			return nil
		}
		term, ok := termOf(string(p), plain)
		if !ok || p == "id" || p == "collection" || p == "geometry" || p == "bbox" || p == "type" || p == "stac_version" {
			return nil
		}
		terms = append(terms, term)
	}
	return terms
}
