package cql2

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"swath/fault"
)

// The builders below make nodes of both forms. They refuse what can't be well typed, as far as that is known without data.

// mistake is an error whose place the parser adds.
type mistake string

func (m mistake) Error() string { return string(m) }

func mistakef(format string, args ...any) error { return mistake(fmt.Sprintf(format, args...)) }

// at gives a mistake its place in the text.
func at(err error, offset int) error {
	if m := mistake(""); errors.As(err, &m) {
		return wrong(offset, "%s", string(m))
	}
	return err
}

// sort is the type that an expression has before any data are seen.
type sort string

const (
	isAny       sort = "a property"
	isBool      sort = "true or false"
	isNumber    sort = "a number"
	isText      sort = "text"
	isInstant   sort = "a time"
	isInterval  sort = "an interval"
	isGeometry  sort = "a geometry"
	isArray     sort = "a list"
	isPredicate sort = "a condition"
)

func sortOf(n Node) sort {
	switch n.(type) {
	case Property:
		return isAny
	case Bool:
		return isBool
	case Number, Arithmetic:
		return isNumber
	case Text, Call:
		return isText
	case Timestamp, Date:
		return isInstant
	case Interval:
		return isInterval
	case Geometry, BBox:
		return isGeometry
	case Array:
		return isArray
	}
	return isPredicate
}

// need checks that a node can be one of these.
func need(of string, n Node, allowed ...sort) error {
	have := sortOf(n)
	for _, s := range allowed {
		if have == s || have == isAny {
			return nil
		}
	}
	names := make([]string, len(allowed))
	for i, s := range allowed {
		names[i] = string(s)
	}
	return mistakef("%s needs %s, not %s", of, strings.Join(names, " or "), have)
}

// predicateAt checks that a node can be true: a bare property is taken for a boolean one.
func predicateAt(n Node, offset int) error {
	switch sortOf(n) {
	case isPredicate, isBool, isAny:
		return nil
	}
	return wrong(offset, "a condition was expected, not %s", sortOf(n))
}

// truthOf makes a predicate of a bare boolean property.
func truthOf(n Node) Node {
	if p, ok := n.(Property); ok {
		return Compare{Equal, p, Bool(true)}
	}
	return n
}

// finish checks the whole and makes predicates of bare properties inside.
func finish(n Node) (Node, error) {
	switch sortOf(n) {
	case isPredicate, isBool, isAny:
		return truths(n), nil
	}
	return nil, fault.New(fault.Invalid, "the filter is %s, not a condition", sortOf(n))
}

func truths(n Node) Node {
	switch n := n.(type) {
	case And:
		for i := range n {
			n[i] = truths(n[i])
		}
	case Or:
		for i := range n {
			n[i] = truths(n[i])
		}
	case Not:
		return Not{truths(n.Arg)}
	case Property:
		return truthOf(n)
	}
	return n
}

// compare makes a comparison of scalars.
func compare(op CompareOp, left, right Node) (Node, error) {
	for _, n := range []Node{left, right} {
		if err := need("the comparison "+string(op), n, isNumber, isText, isBool, isInstant); err != nil {
			return nil, err
		}
	}
	left, right = timed(left, right), timed(right, left)
	if a, b := sortOf(left), sortOf(right); a != b && a != isAny && b != isAny {
		return nil, mistakef("%s can't be compared with %s", a, b)
	}
	return Compare{op, left, right}, nil
}

// rfc3339 is a date and time, as text.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`)

// timed makes a time of text that is one, where it is compared with a property or a time: many clients write datetime >= '…'.
func timed(n, other Node) Node {
	literal, ok := n.(Text)
	if !ok || !rfc3339.MatchString(string(literal)) {
		return n
	}
	switch o := other.(type) {
	case Timestamp, Date:
	case Property:
		if o == "id" || o == "collection" {
			return n
		}
	default:
		return n
	}
	if t, ok := instantOf(string(literal)); ok {
		return Timestamp{t}
	}
	return n
}

func like(value, pattern Node) (Node, error) {
	if err := need("LIKE", value, isText); err != nil {
		return nil, err
	}
	inner := pattern
	for {
		c, ok := inner.(Call)
		if !ok {
			break
		}
		inner = c.Arg
	}
	if _, ok := inner.(Text); !ok {
		return nil, mistakef("the pattern of LIKE must be text")
	}
	return Like{value, pattern}, nil
}

func between(value, low, high Node) (Node, error) {
	for _, n := range []Node{low, high} {
		if _, err := compare(LessOrEqual, value, n); err != nil {
			return nil, err
		}
	}
	return Between{value, timed(low, value), timed(high, value)}, nil
}

func in(value Node, list []Node) (Node, error) {
	if len(list) == 0 {
		return nil, mistakef("the list of IN is empty")
	}
	if err := checkList(len(list)); err != nil {
		return nil, err
	}
	out := make([]Node, len(list))
	for i, n := range list {
		if _, err := compare(Equal, value, n); err != nil {
			return nil, err
		}
		out[i] = timed(n, value)
	}
	return In{value, out}, nil
}

func arithmetic(op ArithmeticOp, left, right Node) (Node, error) {
	for _, n := range []Node{left, right} {
		if err := need("the operator "+string(op), n, isNumber); err != nil {
			return nil, err
		}
	}
	return Arithmetic{op, left, right}, nil
}

func array(list []Node) (Node, error) {
	if err := checkList(len(list)); err != nil {
		return nil, err
	}
	for _, n := range list {
		if err := need("a list", n, isNumber, isText, isBool, isInstant); err != nil {
			return nil, err
		}
		if sortOf(n) == isAny {
			return nil, mistakef("a list holds values, not properties")
		}
	}
	if list == nil {
		list = []Node{}
	}
	return Array(list), nil
}

// call makes the node of a function.
func call(name string, args []Node) (Node, error) {
	two := func() error {
		if len(args) != 2 {
			return mistakef("%s has two arguments, not %d", name, len(args))
		}
		return nil
	}
	each := func(allowed ...sort) error {
		if err := two(); err != nil {
			return err
		}
		for _, n := range args {
			if err := need(name, n, allowed...); err != nil {
				return err
			}
		}
		return nil
	}
	if op, ok := spatialOps[name]; ok {
		if err := each(isGeometry); err != nil {
			return nil, err
		}
		return Spatial{op, args[0], args[1]}, nil
	}
	if op, ok := temporal[name]; ok {
		for i, n := range args {
			if literal, ok := n.(Text); ok { // clients leave TIMESTAMP(…) away
				if t, err := instantNode(string(literal)); err == nil {
					args[i] = t
				}
			}
			if list, ok := n.(Array); ok && len(list) == 2 { // INTERVAL(…) of earlier drafts
				if t, err := interval(list); err == nil {
					args[i] = t
				}
			}
		}
		if err := each(isInstant, isInterval); err != nil {
			return nil, err
		}
		return Temporal{op, args[0], args[1]}, nil
	}
	if op, ok := arrayOps[name]; ok {
		if err := two(); err != nil {
			return nil, err
		}
		for i, n := range args {
			if s := sortOf(n); s == isText || s == isNumber || s == isBool { // a list of one in parentheses is just that one
				one, err := array([]Node{n})
				if err != nil {
					return nil, err
				}
				args[i] = one
			}
		}
		if err := each(isArray); err != nil {
			return nil, err
		}
		return ArrayOp{op, args[0], args[1]}, nil
	}
	if f, ok := functions[name]; ok {
		if len(args) != 1 {
			return nil, mistakef("%s has one argument, not %d", name, len(args))
		}
		if err := need(name, args[0], isText); err != nil {
			return nil, err
		}
		return Call{f, args[0]}, nil
	}
	switch name {
	case "timestamp", "date":
		literal, ok := Node(nil), false
		if len(args) == 1 {
			literal, ok = args[0].(Text)
		}
		if !ok {
			return nil, mistakef("%s has one text as its argument", name)
		}
		n, err := instantNode(string(literal.(Text)))
		if err != nil {
			return nil, err
		}
		if _, isDate := n.(Date); isDate != (name == "date") {
			return nil, mistakef("%q is not a %s", string(literal.(Text)), name)
		}
		return n, nil
	case "bbox", "envelope":
		numbers := make([]float64, len(args))
		for i, n := range args {
			v, ok := n.(Number)
			if !ok {
				return nil, mistakef("%s has numbers as its arguments", name)
			}
			numbers[i] = float64(v)
		}
		return bbox(numbers)
	}
	return nil, mistakef("the function %.60q is not known", name)
}

// interval makes an interval of two ends.
func interval(ends []Node) (Node, error) {
	if len(ends) != 2 {
		return nil, mistakef("an interval has two ends, not %d", len(ends))
	}
	var out [2]Node
	for i, end := range ends {
		switch end := end.(type) {
		case Text:
			if end == ".." || end == "" {
				continue
			}
			n, err := instantNode(string(end))
			if err != nil {
				return nil, err
			}
			out[i] = n
		case Property, Timestamp, Date:
			out[i] = end
		default:
			return nil, mistakef("an end of an interval is a time, not %s", sortOf(end))
		}
	}
	if out[0] == nil && out[1] == nil {
		return nil, mistakef("the interval is open at both ends")
	}
	a, okA := limits(out[0])
	b, okB := limits(out[1])
	if okA && okB && b.last.Before(a.first) {
		return nil, mistakef("the interval ends before it begins")
	}
	return Interval{out[0], out[1]}, nil
}

// instantNode reads a literal: a timestamp or a date.
func instantNode(s string) (Node, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return Date{t}, nil
	}
	if t, ok := instantOf(s); ok {
		return Timestamp{t}, nil
	}
	return nil, mistakef("%.60q is neither an RFC 3339 time such as 2024-06-12T10:56:19Z nor a date", s)
}
