package cql2

import (
	"strings"
)

// ParseText reads the text form. A mistake is fault.Invalid and says at which character it stands.
func ParseText(s string) (Node, error) {
	b, err := newBudget(len(s))
	if err != nil {
		return nil, err
	}
	tokens, err := lex(s)
	if err != nil {
		return nil, err
	}
	p := &textParser{tokens: tokens, budget: b}
	n, err := p.expression(0, loosest)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != end {
		return nil, wrong(t.at, "%s was not expected here", t)
	}
	return finish(n)
}

// Levels of binding, from the loosest.
const (
	loosest = iota // OR
	conjunction
	negation
	comparison
	sum
	product
	power
)

type textParser struct {
	tokens []token
	next   int
	budget *budget
}

func (p *textParser) peek() token { return p.tokens[p.next] }

func (p *textParser) take() token {
	t := p.tokens[p.next]
	if t.kind != end {
		p.next++
	}
	return t
}

// accept takes a keyword or symbol when it is next.
func (p *textParser) accept(name string) bool {
	if !p.peek().is(name) {
		return false
	}
	p.next++
	return true
}

func (p *textParser) expect(name string) error {
	if t := p.peek(); !p.accept(name) {
		return wrong(t.at, "%q was expected, not %s", name, t)
	}
	return nil
}

// expression reads what binds at least as tightly as a level.
func (p *textParser) expression(depth, level int) (Node, error) {
	if level == negation {
		if t := p.peek(); p.accept("not") {
			if err := p.budget.node(depth); err != nil {
				return nil, err
			}
			arg, err := p.expression(depth+1, negation)
			if err == nil {
				err = predicateAt(arg, t.at)
			}
			return Not{arg}, err
		}
	}
	if level > power {
		return p.primary(depth)
	}
	left, err := p.expression(depth, level+1)
	if err != nil {
		return nil, err
	}
	switch level {
	case loosest, conjunction:
		return p.chain(depth, level, left)
	case comparison:
		return p.comparison(depth, left)
	case sum, product, power:
		return p.arithmetic(depth, level, left)
	}
	return left, nil
}

// chain reads the further arguments of OR, or of AND.
func (p *textParser) chain(depth, level int, first Node) (Node, error) {
	name := map[int]string{loosest: "or", conjunction: "and"}[level]
	args := []Node{first}
	for t := p.peek(); p.accept(name); t = p.peek() {
		arg, err := p.expression(depth+1, level+1)
		if err != nil {
			return nil, err
		}
		for _, n := range []Node{args[len(args)-1], arg} {
			if err := predicateAt(n, t.at); err != nil {
				return nil, err
			}
		}
		args = append(args, arg)
	}
	switch {
	case len(args) == 1:
		return first, nil
	case level == loosest:
		return Or(args), nil
	}
	return And(args), nil
}

// comparison reads what may follow a value: an operator, or one of the predicates that are words.
func (p *textParser) comparison(depth int, left Node) (Node, error) {
	t := p.peek()
	if op, ok := compares[t.text]; ok && t.kind == symbol {
		p.take()
		right, err := p.expression(depth+1, sum)
		if err != nil {
			return nil, err
		}
		n, err := compare(op, left, right)
		return n, at(err, t.at)
	}
	if p.accept("is") {
		not := p.accept("not")
		if err := p.expect("null"); err != nil {
			return nil, err
		}
		return negated(IsNull{left}, not), nil
	}
	not := t.is("not") && p.tokens[p.next+1].kind == word
	if not {
		p.take()
	}
	var n Node
	var err error
	switch {
	case p.accept("like"):
		var pattern Node
		if pattern, err = p.expression(depth+1, sum); err == nil {
			n, err = like(left, pattern)
		}
	case p.accept("between"):
		var low, high Node
		if low, err = p.expression(depth+1, sum); err != nil {
			break
		}
		if err = p.expect("and"); err != nil {
			break
		}
		if high, err = p.expression(depth+1, sum); err == nil {
			n, err = between(left, low, high)
		}
	case p.accept("in"):
		var list []Node
		if list, err = p.arguments(depth + 1); err == nil {
			n, err = in(left, list)
		}
	case not:
		return nil, wrong(p.peek().at, "LIKE, BETWEEN or IN was expected, not %s", p.peek())
	default:
		return left, nil
	}
	if err != nil {
		return nil, at(err, t.at)
	}
	return negated(n, not), nil
}

func negated(n Node, not bool) Node {
	if not {
		return Not{n}
	}
	return n
}

var operatorsOf = map[int][]ArithmeticOp{sum: {Add, Subtract}, product: {Multiply, Divide, Modulo, IntDivide}, power: {Power}}

// arithmetic reads the further operands of one level, from left to right; a power from right to left.
func (p *textParser) arithmetic(depth, level int, left Node) (Node, error) {
	for {
		t := p.peek()
		op := ArithmeticOp("")
		for _, o := range operatorsOf[level] {
			if t.is(string(o)) {
				op = o
			}
		}
		if op == "" {
			return left, nil
		}
		p.take()
		next := level + 1
		if op == Power {
			next = power
		}
		right, err := p.expression(depth+1, next)
		if err != nil {
			return nil, err
		}
		if left, err = arithmetic(op, left, right); err != nil {
			return nil, at(err, t.at)
		}
	}
}

// primary reads a literal, a property, a function, or something in parentheses.
func (p *textParser) primary(depth int) (Node, error) {
	if err := p.budget.node(depth); err != nil {
		return nil, err
	}
	t := p.take()
	switch {
	case t.kind == text:
		return Text(t.text), nil
	case t.kind == number:
		return Number(t.value), nil
	case t.kind == quoted:
		return propertyOf(t.text), nil
	case t.is("-"), t.is("+"):
		n, err := p.expression(depth+1, power)
		if err != nil || t.text == "+" {
			return n, err
		}
		if v, ok := n.(Number); ok {
			return -v, nil
		}
		n, err = arithmetic(Multiply, Number(-1), n)
		return n, at(err, t.at)
	case t.is("("):
		p.next--
		list, err := p.arguments(depth + 1)
		if err != nil {
			return nil, err
		}
		if len(list) == 1 {
			return list[0], nil
		}
		n, err := array(list)
		return n, at(err, t.at)
	case t.kind != word:
		return nil, wrong(t.at, "a value or a property was expected, not %s", t)
	case t.is("true"), t.is("false"):
		return Bool(t.is("true")), nil
	}
	if shape, ok := wktTypes[strings.ToUpper(t.text)]; ok && p.beginsWKT() {
		g, err := p.wkt(shape)
		return g, err
	}
	if !p.peek().is("(") {
		if reserved[strings.ToLower(t.text)] {
			return nil, wrong(t.at, "a value or a property was expected, not %s (a property of this name is written in double quotes)", t)
		}
		return propertyOf(t.text), nil
	}
	if t.is("interval") {
		return p.interval(depth, t.at)
	}
	args, err := p.arguments(depth + 1)
	if err != nil {
		return nil, err
	}
	n, err := call(nameOf(t.text), args)
	return n, at(err, t.at)
}

// reserved words are no properties unless they are quoted.
var reserved = map[string]bool{"and": true, "or": true, "not": true, "like": true, "between": true, "in": true, "is": true, "null": true, "div": true}

// arguments reads a list in parentheses; it may be empty.
func (p *textParser) arguments(depth int) ([]Node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	if p.accept(")") {
		return nil, nil
	}
	var list []Node
	for {
		n, err := p.expression(depth, loosest)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
		if err := checkList(len(list)); err != nil {
			return nil, err
		}
		if p.accept(",") {
			continue
		}
		return list, p.expect(")")
	}
}

// interval reads the two ends of INTERVAL(…): texts, properties, or '..' where it is open.
func (p *textParser) interval(depth, start int) (Node, error) {
	args, err := p.arguments(depth + 1)
	if err != nil {
		return nil, err
	}
	n, err := interval(args)
	return n, at(err, start)
}
