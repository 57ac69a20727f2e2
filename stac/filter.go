package stac

import (
	"encoding/json"
	"slices"
	"strings"

	"swath/fault"
	"swath/stac/cql2"
)

// The languages of a filter.
const (
	langText = "cql2-text"
	langJSON = "cql2-json"
)

// crs84 are the names of the one coordinate system that geometries in filters have.
var crs84 = []string{"", "http://www.opengis.net/def/crs/OGC/1.3/CRS84", "CRS84", "OGC:CRS84"}

// filter joins what filter, query and deprecated ask.
func (r request) filter() (cql2.Node, error) {
	if r.FilterLang != "" && r.FilterLang != langText && r.FilterLang != langJSON {
		return nil, fault.New(fault.Invalid, "filter-lang %.60q is neither %s nor %s", r.FilterLang, langText, langJSON)
	}
	if !slices.Contains(crs84, r.FilterCRS) {
		return nil, fault.New(fault.Invalid, "filter-crs %.100q is not %s, the only one known", r.FilterCRS, crs84[1])
	}
	var both cql2.And
	var one cql2.Node
	var err error
	switch {
	case r.FilterText != nil:
		one, err = cql2.ParseText(*r.FilterText)
	case len(r.Filter) > 0:
		one, err = cql2.ParseJSON(r.Filter)
	}
	if err != nil {
		return nil, err
	}
	if one != nil {
		both = append(both, one)
	}
	if len(r.Query) > 0 {
		if one, err = parseQuery(r.Query); err != nil {
			return nil, err
		}
		if one != nil {
			both = append(both, one)
		}
	}
	if r.Deprecated != nil {
		one = cql2.Compare{Op: cql2.Equal, Left: cql2.Property("deprecated"), Right: cql2.Bool(true)}
		if !*r.Deprecated {
			one = cql2.Or{cql2.IsNull{Value: cql2.Property("deprecated")}, cql2.Not{Arg: one}}
		}
		both = append(both, one)
	}
	switch len(both) {
	case 0:
		return nil, nil
	case 1:
		return both[0], nil
	}
	return both, nil
}

// queryOps are the operators of the query extension as CQL2 writes them; those of text are patterns about the value.
var queryOps = map[string]string{"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

// maxQuery bounds the conditions of one query.
const maxQuery = 500

// parseQuery reads {"property": {"operator": value, …}, …} (STAC API query 1.0) as a filter.
func parseQuery(raw json.RawMessage) (cql2.Node, error) {
	var properties map[string]map[string]json.RawMessage
	if json.Unmarshal(raw, &properties) != nil {
		return nil, fault.New(fault.Invalid, `query is not an object such as {"eo:cloud_cover": {"lt": 10}}`)
	}
	var args []any
	for _, name := range sortedKeys(properties) {
		for _, operator := range sortedKeys(properties[name]) {
			condition, err := queryCondition(name, operator, properties[name][operator])
			if err != nil {
				return nil, err
			}
			args = append(args, condition)
		}
	}
	if len(args) == 0 {
		return nil, nil
	}
	if len(args) > maxQuery {
		return nil, fault.New(fault.Invalid, "query has more than %d conditions", maxQuery)
	}
	text, err := json.Marshal(map[string]any{"op": "and", "args": args})
	if err != nil {
		return nil, fault.New(fault.Invalid, "query: %v", err)
	}
	n, err := cql2.ParseJSON(text)
	if err != nil {
		_, why := fault.Of(err)
		return nil, fault.New(fault.Invalid, "query: %s", strings.TrimPrefix(why, "the filter "))
	}
	return n, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// queryCondition writes one condition in CQL2 JSON.
func queryCondition(name, operator string, value json.RawMessage) (any, error) {
	if name == "" {
		return nil, fault.New(fault.Invalid, "query has a property without a name")
	}
	property := map[string]string{"property": name}
	op := func(name string, args ...any) map[string]any { return map[string]any{"op": name, "args": args} }
	if symbol, ok := queryOps[operator]; ok {
		if string(value) == "null" { // as pgstac has it: equal to null is missing
			missing := op("isNull", property)
			switch operator {
			case "eq":
				return missing, nil
			case "neq":
				return op("not", missing), nil
			}
		}
		if number, ok := writtenNumber(value); ok { // one of the two can be true, as numbers and texts don't compare
			return op("or", op(symbol, property, number), op(symbol, property, value)), nil
		}
		return op(symbol, property, value), nil
	}
	switch operator {
	case "in":
		return op("in", property, value), nil
	case "startsWith", "endsWith", "contains":
		var text string
		if json.Unmarshal(value, &text) != nil {
			return nil, fault.New(fault.Invalid, "query: %s of %q needs a text", operator, name)
		}
		pattern := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
		like := op("like", property, map[string]string{"startsWith": pattern + "%", "endsWith": "%" + pattern, "contains": "%" + pattern + "%"}[operator])
		if operator == "contains" { // of a list, an element
			return op("or", like, op("a_contains", property, []string{text})), nil
		}
		return like, nil
	}
	return nil, fault.New(fault.Invalid, "query has the unknown operator %.60q; known are contains, endsWith, eq, gt, gte, in, lt, lte, neq, startsWith", operator)
}

// writtenNumber returns the number of a text such as "10", which clients that make a query of eo:cloud_cover<10 send for a number.
func writtenNumber(value json.RawMessage) (json.Number, bool) {
	var text string
	var number json.Number
	if json.Unmarshal(value, &text) != nil || json.Unmarshal([]byte(text), &number) != nil || text != number.String() {
		return "", false
	}
	return number, true
}
