package render

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"swath/fault"
)

// Limits of an expression. They bound the work per pixel and the parser's stack; a request beyond them is refused.
const (
	maxSource = 2048 // bytes
	maxParts  = 64   // names, numbers and operations of all outputs together
	maxDepth  = 32   // brackets and signs inside one another
)

// node is a part of the expression's tree.
type node struct {
	op    op
	index int // of the name or number, for the two leaves
	args  []*node
}

// isTruth reports whether the part can only be 0 or 1, so that "~" means "not".
func (n *node) isTruth() bool {
	switch n.op {
	case opAnd, opOr, opXor:
		return n.args[0].isTruth() && n.args[1].isTruth()
	}
	return n.op == opNot || n.op >= opLT && n.op <= opNE
}

// binaries are the operators between two parts; a higher power binds tighter. The order is Python's: "&" binds tighter
// than a comparison, so comparisons joined by it need brackets.
var binaries = map[string]struct {
	op    op
	power int
}{
	"<": {opLT, comparison}, "<=": {opLE, comparison}, ">": {opGT, comparison}, ">=": {opGE, comparison},
	"==": {opEQ, comparison}, "!=": {opNE, comparison},
	"|": {opOr, 2}, "^": {opXor, 3}, "&": {opAnd, 4},
	"+": {opAdd, 5}, "-": {opSub, 5}, "*": {opMul, 6}, "/": {opDiv, 6}, "%": {opMod, 6},
}

const comparison = 1

// functions by name, with how many arguments they take.
var functions = map[string]struct {
	op       op
	min, max int
}{
	"where": {opWhere, 3, 3}, "clip": {opClip, 3, 3},
	"min": {opMin, 2, maxParts}, "minimum": {opMin, 2, maxParts}, "max": {opMax, 2, maxParts}, "maximum": {opMax, 2, maxParts},
	"abs": {opAbs, 1, 1}, "sqrt": {opSqrt, 1, 1}, "floor": {opFloor, 1, 1}, "ceil": {opCeil, 1, 1},
	"log": {opLog, 1, 1}, "log10": {opLog10, 1, 1}, "log1p": {opLog1p, 1, 1}, "exp": {opExp, 1, 1}, "expm1": {opExpm1, 1, 1},
	"sin": {opSin, 1, 1}, "cos": {opCos, 1, 1}, "tan": {opTan, 1, 1},
	"arcsin": {opArcsin, 1, 1}, "arccos": {opArccos, 1, 1}, "arctan": {opArctan, 1, 1}, "arctan2": {opArctan2, 2, 2},
	"sinh": {opSinh, 1, 1}, "cosh": {opCosh, 1, 1}, "tanh": {opTanh, 1, 1},
	"arcsinh": {opArcsinh, 1, 1}, "arccosh": {opArccosh, 1, 1}, "arctanh": {opArctanh, 1, 1},
	"log2": {opLog2, 1, 1}, "round": {opRound, 1, 1}, "trunc": {opTrunc, 1, 1}, "sign": {opSign, 1, 1},
	"fmod": {opFmod, 2, 2}, "hypot": {opHypot, 2, 2}, "copysign": {opCopysign, 2, 2}, "pow": {opPow, 2, 2},
}

// parser turns the source into one tree per output.
type parser struct {
	source  string
	token   token // the one to be looked at next
	names   []string
	numbers []float32
	parts   int
	depth   int
}

// outputs parses the whole source: parts separated by ";", of which empty ones count for nothing, as in TiTiler.
func (p *parser) outputs() (roots []*node, err error) {
	if len(p.source) > maxSource {
		return nil, fault.New(fault.Invalid, "expression: longer than %d bytes", maxSource)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	for p.token.kind != endToken {
		if p.sign(";") {
			if err := p.advance(); err != nil {
				return nil, err
			}
			continue
		}
		root, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		roots = append(roots, root)
		if p.token.kind != endToken && !p.sign(";") {
			return nil, p.mistake("expected an operator or \";\", found %s", p.token.describe())
		}
	}
	if len(p.names) == 0 {
		return nil, fault.New(fault.Invalid, "expression: names no band")
	}
	return roots, nil
}

// binary parses operators whose power is at least this.
func (p *parser) binary(power int) (*node, error) {
	left, err := p.unary()
	for err == nil && p.token.kind == signToken {
		operator, known := binaries[p.token.text]
		if !known || operator.power < power {
			break
		}
		at := p.token
		if err = p.advance(); err != nil {
			break
		}
		var right *node
		if right, err = p.binary(operator.power + 1); err != nil {
			break
		}
		if operator.power == comparison && p.token.kind == signToken && binaries[p.token.text].power == comparison {
			return nil, p.mistake("comparisons can't be chained; write (a < b) & (b < c), with brackets")
		}
		left, err = p.part(at, operator.op, left, right)
	}
	return left, err
}

// unary parses signs and "**", which binds tighter than a sign before it and looser than one after it.
func (p *parser) unary() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.mistake("nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	at := p.token
	if p.sign("+") || p.sign("-") || p.sign("~") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		operand, err := p.unary()
		switch {
		case err != nil || at.text == "+":
			return operand, err
		case at.text == "-":
			return p.part(at, opNeg, operand)
		case operand.isTruth():
			return p.part(at, opNot, operand)
		}
		return p.part(at, opInvert, operand)
	}
	base, err := p.atom()
	if err != nil || !p.sign("**") {
		return base, err
	}
	at = p.token
	if err := p.advance(); err != nil {
		return nil, err
	}
	exponent, err := p.unary()
	if err != nil {
		return nil, err
	}
	return p.part(at, opPow, base, exponent)
}

// atom parses a number, a name, a function call or a bracket.
func (p *parser) atom() (*node, error) {
	at := p.token
	switch {
	case at.kind == numberToken:
		value, err := strconv.ParseFloat(at.text, 32)
		if err != nil || math.IsInf(value, 0) {
			return nil, p.mistake("number %s is out of range", at.describe())
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		return p.leaf(at, opNumber, place(&p.numbers, float32(value)))
	case at.kind == nameToken:
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.sign("(") && !at.quoted {
			return p.call(at)
		}
		return p.leaf(at, opBand, place(&p.names, at.text))
	case p.sign("("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		inner, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	return nil, p.mistake("expected a name, a number or \"(\", found %s", at.describe())
}

// call parses the arguments of a function whose name has just been read.
func (p *parser) call(at token) (*node, error) {
	f, known := functions[at.text]
	if !known {
		return nil, mistake(p.source, at.offset, "unknown function %s", at.describe())
	}
	var args []*node
	for more := true; more; more = p.sign(",") {
		if err := p.advance(); err != nil { // "(" or ","
			return nil, err
		}
		arg, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if len(args) < f.min || len(args) > f.max {
		return nil, mistake(p.source, at.offset, "%s takes %s, not %d", at.text, arguments(f.min, f.max), len(args))
	}
	return p.part(at, f.op, args...)
}

// arguments says how many arguments there may be.
func arguments(least, most int) string {
	switch {
	case least < most:
		return fmt.Sprintf("at least %d arguments", least)
	case least == 1:
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", least)
}

func (p *parser) leaf(at token, leaf op, index int) (*node, error) {
	n, err := p.part(at, leaf)
	if err == nil {
		n.index = index
	}
	return n, err
}

func (p *parser) part(at token, operation op, args ...*node) (*node, error) {
	if p.parts++; p.parts > maxParts {
		return nil, mistake(p.source, at.offset, "more than %d names, numbers and operations", maxParts)
	}
	return &node{op: operation, args: args}, nil
}

func (p *parser) advance() (err error) {
	p.token, err = scan(p.source, p.token.next)
	return err
}

func (p *parser) sign(text string) bool { return p.token.kind == signToken && p.token.text == text }

func (p *parser) expect(text string) error {
	if !p.sign(text) {
		return p.mistake("expected %q, found %s", text, p.token.describe())
	}
	return p.advance()
}

func (p *parser) mistake(format string, args ...any) error {
	return mistake(p.source, p.token.offset, format, args...)
}

// place returns the position of value in list, at which it is appended when it is new.
func place[T comparable](list *[]T, value T) int {
	i := slices.Index(*list, value)
	if i < 0 {
		i = len(*list)
		*list = append(*list, value)
	}
	return i
}
