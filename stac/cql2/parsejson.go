package cql2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"swath/fault"
)

// ParseJSON reads the JSON form. A mistake is fault.Invalid and says at which path it stands.
func ParseJSON(raw []byte) (Node, error) {
	b, err := newBudget(len(raw))
	if err != nil {
		return nil, err
	}
	if !json.Valid(raw) || !utf8.Valid(raw) {
		return nil, fault.New(fault.Invalid, "the filter is not valid JSON")
	}
	p := jsonParser{budget: b}
	n, err := p.node(bytes.TrimSpace(raw), "$", 0)
	if err != nil {
		return nil, err
	}
	return finish(n)
}

type jsonParser struct{ budget *budget }

// under gives a mistake its path.
func under(err error, path string) error {
	if m := mistake(""); errors.As(err, &m) {
		return fault.New(fault.Invalid, "the filter at %s: %s", path, string(m))
	}
	return err
}

func (p jsonParser) node(raw json.RawMessage, path string, depth int) (Node, error) {
	if err := p.budget.node(depth); err != nil {
		return nil, err
	}
	n, err := p.value(raw, path, depth)
	return n, under(err, path)
}

func (p jsonParser) value(raw json.RawMessage, path string, depth int) (Node, error) {
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return Text(s), err
	case 't', 'f':
		return Bool(raw[0] == 't'), nil
	case 'n':
		return nil, mistakef("null can't stand here; isNull tests for it")
	case '[':
		list, err := p.list(raw, path, depth)
		if err != nil {
			return nil, err
		}
		return array(list)
	case '{':
		return p.object(raw, path, depth)
	}
	var v float64
	if json.Unmarshal(raw, &v) != nil {
		return nil, mistakef("%.40s is not a number that can be held", raw)
	}
	return Number(v), nil
}

func (p jsonParser) list(raw json.RawMessage, path string, depth int) ([]Node, error) {
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		return nil, mistakef("a list was expected")
	}
	if err := checkList(len(parts)); err != nil {
		return nil, err
	}
	out := make([]Node, len(parts))
	for i, part := range parts {
		var err error
		if out[i], err = p.node(part, fmt.Sprintf("%s[%d]", path, i), depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p jsonParser) object(raw json.RawMessage, path string, depth int) (Node, error) {
	var o map[string]json.RawMessage
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	text := func(name string) (string, error) {
		var s *string
		if json.Unmarshal(o[name], &s) != nil || s == nil || *s == "" {
			return "", mistakef("%q is not a text", name)
		}
		return *s, nil
	}
	switch {
	case o["op"] != nil:
		name, err := text("op")
		if err != nil {
			return nil, err
		}
		args := o["args"]
		if args == nil {
			return nil, mistakef("%q has no args", name)
		}
		if args[0] != '[' { // {"op": "isNull", "args": {"property": …}} of clients in the wild
			args = append(append(json.RawMessage("["), args...), ']')
		}
		return p.operation(nameOf(name), args, path+".args", depth)
	case o["property"] != nil:
		s, err := text("property")
		return propertyOf(s), err
	case o["timestamp"] != nil, o["date"] != nil:
		name := "timestamp"
		if o["date"] != nil {
			name = "date"
		}
		s, err := text(name)
		if err != nil {
			return nil, err
		}
		return call(name, []Node{Text(s)})
	case o["interval"] != nil:
		ends, err := p.list(o["interval"], path+".interval", depth)
		if err != nil {
			return nil, err
		}
		return interval(ends)
	case o["bbox"] != nil && o["type"] == nil:
		var numbers []float64
		if json.Unmarshal(o["bbox"], &numbers) != nil {
			return nil, mistakef("bbox is not a list of numbers")
		}
		return bbox(numbers)
	case o["function"] != nil:
		var f struct {
			Name string
			Args json.RawMessage
		}
		if json.Unmarshal(o["function"], &f) != nil || len(f.Args) == 0 || f.Args[0] != '[' {
			return nil, mistakef("a function has a name and args")
		}
		return p.operation(nameOf(f.Name), f.Args, path+".function.args", depth)
	case o["type"] != nil:
		s, err := p.budget.geojson(raw, true)
		if err != nil {
			return nil, err
		}
		return s.node(), nil
	}
	for _, function := range []Function{CaseI, AccentI} { // {"casei": {"property": …}} of earlier drafts
		if arg := o[string(function)]; arg != nil {
			n, err := p.node(arg, path+"."+string(function), depth+1)
			if err != nil {
				return nil, err
			}
			return call(string(function), []Node{n})
		}
	}
	return nil, mistakef("an object that is none of op, property, timestamp, date, interval, bbox and a geometry")
}

// operation makes the node of an op and its arguments.
func (p jsonParser) operation(name string, raw json.RawMessage, path string, depth int) (Node, error) {
	if name == "in" {
		return p.in(raw, path, depth)
	}
	args, err := p.list(raw, path, depth)
	if err != nil {
		return nil, err
	}
	count := func(n int) error {
		if len(args) != n {
			return mistakef("%s has %d arguments, not %d", name, n, len(args))
		}
		return nil
	}
	if op, ok := compares[name]; ok {
		if err := count(2); err != nil {
			return nil, err
		}
		return compare(op, args[0], args[1])
	}
	if op, ok := computes[name]; ok {
		if len(args) == 1 && op == Subtract {
			return arithmetic(Multiply, Number(-1), args[0])
		}
		if err := count(2); err != nil {
			return nil, err
		}
		return arithmetic(op, args[0], args[1])
	}
	switch name {
	case "and", "or":
		if len(args) < 1 {
			return nil, mistakef("%s has no arguments", name)
		}
		for i, n := range args {
			if s := sortOf(n); s != isPredicate && s != isBool && s != isAny {
				return nil, mistakef("argument %d of %s is %s, not a condition", i+1, name, s)
			}
		}
		switch {
		case len(args) == 1:
			return args[0], nil
		case name == "or":
			return Or(args), nil
		}
		return And(args), nil
	case "not":
		if err := count(1); err != nil {
			return nil, err
		}
		if s := sortOf(args[0]); s != isPredicate && s != isBool && s != isAny {
			return nil, mistakef("the argument of not is %s, not a condition", s)
		}
		return Not{args[0]}, nil
	case "isnull":
		if err := count(1); err != nil {
			return nil, err
		}
		return IsNull{args[0]}, nil
	case "like":
		if err := count(2); err != nil {
			return nil, err
		}
		return like(args[0], args[1])
	case "between":
		if len(args) == 2 { // [value, [low, high]] of earlier drafts
			if ends, ok := args[1].(Array); ok && len(ends) == 2 {
				args = []Node{args[0], ends[0], ends[1]}
			}
		}
		if err := count(3); err != nil {
			return nil, err
		}
		return between(args[0], args[1], args[2])
	}
	return call(name, args)
}

// in reads [value, [list…]].
func (p jsonParser) in(raw json.RawMessage, path string, depth int) (Node, error) {
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil || len(parts) != 2 || parts[1][0] != '[' {
		return nil, mistakef("in has a value and a list as its arguments")
	}
	value, err := p.node(parts[0], path+"[0]", depth+1)
	if err != nil {
		return nil, err
	}
	list, err := p.list(parts[1], path+"[1]", depth+1)
	if err != nil {
		return nil, err
	}
	return in(value, list)
}
