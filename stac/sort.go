package stac

import (
	"strings"

	"swath/fault"
)

// sortBy is one key of a sort as POST writes it.
type sortBy struct {
	Field     string `json:"field"`
	Direction string `json:"direction"`
}

// parseSort reads "+properties.datetime,-id". A plus that was not escaped arrives as a space.
func parseSort(text string) ([]sortBy, error) {
	var keys []sortBy
	for _, name := range list(text) {
		key := sortBy{Field: strings.TrimLeft(name, " +")}
		if rest, ok := strings.CutPrefix(strings.TrimLeft(name, " "), "-"); ok {
			key = sortBy{rest, "desc"}
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fault.New(fault.Invalid, "sortby is empty")
	}
	return keys, nil
}

const maxSortKeys = 16

// sortKeys checks what was written.
func sortKeys(all []sortBy) ([]SortKey, error) {
	if len(all) > maxSortKeys {
		return nil, fault.New(fault.Invalid, "sortby has %d keys, at most %d are allowed", len(all), maxSortKeys)
	}
	var keys []SortKey
	for _, one := range all {
		name := strings.TrimPrefix(one.Field, "properties.")
		if badName(name) {
			return nil, fault.New(fault.Invalid, "sortby has a key without a field")
		}
		switch name {
		case "geometry", "bbox", "assets", "links", "properties":
			return nil, fault.New(fault.Invalid, "sortby: %s has no order", name)
		}
		key := SortKey{Property: name}
		switch strings.ToLower(one.Direction) {
		case "", "asc", "ascending":
		case "desc", "descending":
			key.Descending = true
		default:
			return nil, fault.New(fault.Invalid, "sortby: the direction %.60q is neither asc nor desc", one.Direction)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
