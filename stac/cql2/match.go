package cql2

import (
	"math"
	"strings"
	"time"
)

// Env is what a filter is matched with.
type Env interface {
	// Value returns a property: float64, string, bool, []any of these, another value that equals nothing, or nil where it is
	// missing or null.
	Value(p Property) any
	// Related returns the truth of a spatial predicate; known is false where a geometry is missing.
	Related(s Spatial) (truth, known bool)
}

// Match reports whether a filter is true; what is unknown does not match.
func Match(n Node, env Env) bool { return Decide(n, env) == True }

// Truth is true, false, or unknown.
type Truth int8

// The values of Truth. Their order is such that And is the least and Or the greatest.
const (
	False Truth = iota
	Unknown
	True
)

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Decide returns the truth of a predicate.
func Decide(n Node, env Env) Truth {
	switch n := n.(type) {
	case And:
		all := True
		for _, arg := range n {
			if all = min(all, Decide(arg, env)); all == False {
				break
			}
		}
		return all
	case Or:
		one := False
		for _, arg := range n {
			if one = max(one, Decide(arg, env)); one == True {
				break
			}
		}
		return one
	case Not:
		return True - Decide(n.Arg, env)
	case Bool:
		return truth(bool(n))
	case Compare:
		return compareNodes(n.Op, n.Left, n.Right, env)
	case Like:
		value, ok := evaluate(n.Value, env).(string)
		pattern, isText := evaluate(n.Pattern, env).(string)
		if !ok || !isText {
			return Unknown
		}
		return truth(matchLike(value, pattern))
	case Between:
		return min(compareNodes(GreaterOrEqual, n.Value, n.Low, env), compareNodes(LessOrEqual, n.Value, n.High, env))
	case In:
		v, one := evaluate(n.Value, env), False
		for _, other := range n.List {
			a, b := moments(n.Value, other, v, evaluate(other, env))
			one = max(one, compareValues(Equal, a, b))
		}
		return one
	case IsNull:
		return truth(evaluate(n.Value, env) == nil)
	case Spatial:
		is, known := env.Related(n)
		if !known {
			return Unknown
		}
		return truth(is)
	case Temporal:
		a, okA := spanOf(n.Left, env)
		b, okB := spanOf(n.Right, env)
		if !okA || !okB {
			return Unknown
		}
		return truth(relate(n.Op, a, b))
	case ArrayOp:
		a, okA := evaluate(n.Left, env).([]any)
		b, okB := evaluate(n.Right, env).([]any)
		if !okA || !okB {
			return Unknown
		}
		return truth(relateArrays(n.Op, a, b))
	}
	return Unknown
}

// evaluate returns the value of an expression; literals of time are periods.
func evaluate(n Node, env Env) any {
	switch n := n.(type) {
	case Property:
		return env.Value(n)
	case Text:
		return string(n)
	case Number:
		return float64(n)
	case Bool:
		return bool(n)
	case Timestamp:
		return period{n.Time, n.Time}
	case Date:
		return day(n.Time)
	case Array:
		out := make([]any, len(n))
		for i, one := range n {
			out[i] = evaluate(one, env)
		}
		return out
	case Arithmetic:
		a, okA := evaluate(n.Left, env).(float64)
		b, okB := evaluate(n.Right, env).(float64)
		if !okA || !okB {
			return nil
		}
		return compute(n.Op, a, b)
	case Call:
		if s, ok := evaluate(n.Arg, env).(string); ok {
			return Fold(n.Function, s)
		}
	}
	return nil
}

// compute returns nil where there is no finite result.
func compute(op ArithmeticOp, a, b float64) any {
	var v float64
	switch op {
	case Add:
		v = a + b
	case Subtract:
		v = a - b
	case Multiply:
		v = a * b
	case Divide:
		v = a / b
	case IntDivide:
		v = math.Trunc(a / b)
	case Modulo:
		v = math.Mod(a, b)
	case Power:
		v = math.Pow(a, b)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return v
}

// compareNodes compares the values of two expressions.
func compareNodes(op CompareOp, left, right Node, env Env) Truth {
	a, b := moments(left, right, evaluate(left, env), evaluate(right, env))
	return compareValues(op, a, b)
}

// moments makes times of the texts of two properties when both are: as text, 12:00:00Z comes after 12:00:00.5Z. Literals
// were made times when they were read.
func moments(left, right Node, a, b any) (any, any) {
	if !mayBeTime(left) || !mayBeTime(right) {
		return a, b
	}
	x, isText := a.(string)
	y, bothText := b.(string)
	if !isText || !bothText {
		return a, b
	}
	p, isTime := periodOf(x)
	q, bothTime := periodOf(y)
	if !isTime || !bothTime {
		return a, b
	}
	return p, q
}

func mayBeTime(n Node) bool {
	p, ok := n.(Property)
	return ok && p != "id" && p != "collection"
}

// compareValues compares two values of one kind. Texts compare by code point; a text that is a time compares with a time.
// What is not of one kind can't be compared: that is unknown.
func compareValues(op CompareOp, a, b any) Truth {
	sign := 0
	switch x := a.(type) {
	case float64:
		y, ok := b.(float64)
		if !ok {
			return Unknown
		}
		switch {
		case x < y:
			sign = -1
		case x > y:
			sign = 1
		}
	case bool:
		y, ok := b.(bool)
		if !ok {
			return Unknown
		}
		switch {
		case !x && y:
			sign = -1
		case x && !y:
			sign = 1
		}
	case string:
		switch y := b.(type) {
		case string:
			sign = strings.Compare(x, y)
		case period:
			p, ok := periodOf(x)
			if !ok {
				return Unknown
			}
			sign = p.compare(y)
		default:
			return Unknown
		}
	case period:
		switch y := b.(type) {
		case string:
			p, ok := periodOf(y)
			if !ok {
				return Unknown
			}
			sign = x.compare(p)
		case period:
			sign = x.compare(y)
		default:
			return Unknown
		}
	default:
		return Unknown
	}
	switch op {
	case Equal:
		return truth(sign == 0)
	case NotEqual:
		return truth(sign != 0)
	case Less:
		return truth(sign < 0)
	case LessOrEqual:
		return truth(sign <= 0)
	case Greater:
		return truth(sign > 0)
	}
	return truth(sign >= 0)
}

// compare orders moments and days: a moment within a day is equal to it.
func (p period) compare(q period) int {
	switch {
	case p.last.Before(q.first):
		return -1
	case p.first.After(q.last):
		return 1
	}
	return 0
}

// spanOf returns the period of an operand of a temporal function.
func spanOf(n Node, env Env) (period, bool) {
	in, ok := n.(Interval)
	if !ok {
		switch v := evaluate(n, env).(type) {
		case period:
			return v, true
		case string:
			return periodOf(v)
		}
		return period{}, false
	}
	out := period{longAgo, farAhead}
	if in.Start != nil {
		p, ok := spanOf(in.Start, env)
		if !ok {
			return p, false
		}
		out.first = p.first
	}
	if in.End != nil {
		p, ok := spanOf(in.End, env)
		if !ok {
			return p, false
		}
		out.last = p.last
	}
	return out, true
}

// relateArrays compares arrays as sets.
func relateArrays(op ArrayRelation, a, b []any) bool {
	switch op {
	case AContains:
		return holdsAll(a, b)
	case AContainedBy:
		return holdsAll(b, a)
	case AEquals:
		return holdsAll(a, b) && holdsAll(b, a)
	}
	for _, v := range b {
		if holds(a, v) {
			return true
		}
	}
	return false
}

func holdsAll(set, members []any) bool {
	for _, v := range members {
		if !holds(set, v) {
			return false
		}
	}
	return true
}

func holds(set []any, v any) bool {
	for _, one := range set {
		if compareValues(Equal, one, v) == True {
			return true
		}
	}
	return false
}

// matchLike matches without going back further than to the last %, in time proportional to the lengths' product at worst.
func matchLike(s, pattern string) bool {
	text, want := []rune(s), likeOf(pattern)
	i, j, star, mark := 0, 0, -1, 0
	for i < len(text) {
		switch {
		case j < len(want) && want[j] == anyText:
			star, mark = j, i
			j++
		case j < len(want) && (want[j] == anyRune || want[j] == text[i]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(want) && want[j] == anyText {
		j++
	}
	return j == len(want)
}

// The wildcards of a pattern, as no rune is.
const (
	anyText = rune(-1)
	anyRune = rune(-2)
)

// likeOf reads the wildcards of a pattern.
func likeOf(pattern string) []rune {
	var out []rune
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
			continue
		case r == '%':
			r = anyText
		case r == '_':
			r = anyRune
		}
		out = append(out, r)
	}
	if escaped { // a backslash at the end stands for itself
		out = append(out, '\\')
	}
	return out
}

// InstantOf reads a text of an item as a moment, to the microsecond.
func InstantOf(s string) (time.Time, bool) { return instantOf(s) }
