// Package odata reads the $filter and $orderby of CSC OData, as the Copernicus Data Space Ecosystem has them, as a CQL2 tree.
//
//	$filter ─▶ words ─▶ conditions ─▶ fields, attributes in STAC's names ─▶ cql2.Node ─▶ the catalog's one search
//
// What is parsed is of bounded size and depth. An attribute that no item has matches nothing, as at the hub.
package odata

import (
	"strings"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

// Bounds of a filter.
const (
	maxBytes = 64 << 10
	maxDepth = 32
	maxParts = 2000
)

// Names answers what only the catalog knows.
type Names struct {
	// Collections returns the ids of the collections here that one of the hub's stands for.
	Collections func(name string) []string
	// Product returns the two names of the item that has a UUID.
	Product func(uuid string) (collection, id string, ok bool, err error)
}

// ParseFilter reads a $filter; empty is nil.
func ParseFilter(text string, names Names) (cql2.Node, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if len(text) > maxBytes {
		return nil, fault.New(fault.TooLarge, "$filter may have %d bytes, this has %d", maxBytes, len(text))
	}
	p := &parser{text: text, names: names, left: maxParts}
	n, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, p.wrong("the end was expected")
	}
	return n, nil
}

// ParseOrder reads an $orderby of one column; empty is by publication. ok is false of a column without an order.
func ParseOrder(text string, deleted bool) (key stac.SortKey, err error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		if deleted {
			return stac.SortKey{Property: stac.Deleted}, nil
		}
		return stac.SortKey{Property: stac.Published}, nil
	}
	columns := map[string]string{"ContentDate/Start": "datetime", "ContentDate/End": "datetime", "PublicationDate": stac.Published, "ModificationDate": stac.Modified}
	if deleted {
		columns = map[string]string{"DeletionDate": stac.Deleted, "PublicationDate": stac.Published, "ModificationDate": stac.Modified}
	}
	property, known := columns[words[0]]
	if !known || len(words) > 2 {
		return key, fault.New(fault.Invalid, "$orderby %.60q is none of ContentDate/Start, ContentDate/End, PublicationDate, ModificationDate (of deleted products: DeletionDate, PublicationDate, ModificationDate), with asc or desc", text)
	}
	key.Property = property
	if len(words) == 2 {
		switch strings.ToLower(words[1]) {
		case "asc":
		case "desc":
			key.Descending = true
		default:
			return key, fault.New(fault.Invalid, "$orderby: the direction %.60q is neither asc nor desc", words[1])
		}
	}
	return key, nil
}
