package render

import (
	"fmt"
	"slices"
)

// Expression is band math, compiled: immutable, and safe for any number of goroutines.
type Expression struct {
	names     []string
	constants []float32
	code      []instr
	registers int // work registers, the constants among them
	outputs   int
}

// Compile reads an expression in TiTiler's syntax, that is numexpr's with Python's precedence:
//
//	B08  vv_b1  `B8A.jp2`            names of bands; backquotes hold anything
//	1  0.5  1e-4                     numbers
//	+ - * / % **                     % has the sign of the divisor, fmod that of the dividend
//	< <= > >= == !=                  1 or 0; comparisons can't be chained
//	& | ^ ~                          on truth values; on others, on the bits of the whole number
//	where(c, a, b)  min max clip     min and max of two or more; clip(x, low, high)
//	abs sqrt log log2 log10 log1p exp expm1 sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh
//	floor ceil round trunc sign fmod hypot copysign pow
//	a; b; c                          one output each
//
// NaN goes through every operation except the branch that where does not take, yet an output is NaN wherever any band
// it names is. A division by zero is NaN, and so is an output that would be infinite. The computation is in float32.
//
// The error is a fault.Invalid that names the column.
func Compile(source string) (*Expression, error) {
	p := parser{source: source}
	roots, err := p.outputs()
	if err != nil {
		return nil, err
	}
	c := compiler{bands: len(p.names), registers: len(p.numbers), constants: p.numbers}
	for i, root := range roots {
		c.output(op(i), root)
	}
	return &Expression{names: p.names, constants: p.numbers, code: c.code, registers: c.registers, outputs: len(roots)}, nil
}

// Names returns the bands that Eval wants, in its order: that of their first appearance.
func (e *Expression) Names() []string { return slices.Clone(e.names) }

// Outputs returns how many planes Eval computes.
func (e *Expression) Outputs() int { return e.outputs }

// Eval computes dst, one plane per output, from bands, one plane per name. All planes have one length, and none of dst
// shares memory with a band. Other numbers or lengths are a mistake of the caller's code: Eval panics.
func (e *Expression) Eval(bands, dst [][]float32) {
	if len(bands) != len(e.names) || len(dst) != e.outputs {
		panic(fmt.Sprintf("render: Eval of %d bands into %d outputs got %d and %d", len(e.names), e.outputs, len(bands), len(dst)))
	}
	pixels := len(bands[0])
	for _, plane := range slices.Concat(bands, dst) {
		if len(plane) != pixels {
			panic(fmt.Sprintf("render: Eval of planes of %d and %d pixels", pixels, len(plane)))
		}
	}
	if pixels == 0 {
		return
	}
	work := make([]float32, e.registers*chunkPixels)
	for i, value := range e.constants {
		register := work[i*chunkPixels : (i+1)*chunkPixels]
		for j := range register {
			register[j] = value
		}
	}
	evaluate(e.code, bands, work, dst, pixels)
}

// compiler flattens trees into steps. Registers are numbered: bands, constants, then temporaries like a stack.
type compiler struct {
	bands     int
	constants []float32
	registers int // constants and temporaries used so far
	code      []instr
}

// output appends the steps of one output.
func (c *compiler) output(number op, root *node) {
	c.code = append(c.code, instr{op: opStore, dst: number, a: c.emit(root, 0)})
	if hides(root) {
		for _, band := range bandsOf(root, nil) {
			c.code = append(c.code, instr{op: opMask, dst: number, a: op(band)})
		}
	}
}

// emit appends the steps of a part, which may use the temporaries from depth on, and returns the register of its result.
func (c *compiler) emit(n *node, depth int) op {
	switch n.op {
	case opBand:
		return op(n.index)
	case opNumber:
		return op(c.bands + n.index)
	}
	var regs [maxParts]op
	for i, arg := range n.args {
		regs[i] = c.emit(arg, depth+i)
	}
	dst := op(c.bands + len(c.constants) + depth)
	c.registers = max(c.registers, len(c.constants)+depth+1)
	a, b, rest := regs[0], regs[1], regs[2:max(2, len(n.args))]
	switch {
	case n.op == opClip:
		c.code = append(c.code, instr{op: opMax, dst: dst, a: a, b: b}, instr{op: opMin, dst: dst, a: dst, b: rest[0]})
	case n.op == opMin || n.op == opMax:
		c.code = append(c.code, instr{op: n.op, dst: dst, a: a, b: b})
		for _, more := range rest {
			c.code = append(c.code, instr{op: n.op, dst: dst, a: dst, b: more})
		}
	case n.op == opPow && n.args[1].op == opNumber && c.constants[n.args[1].index] == 2:
		c.code = append(c.code, instr{op: opMul, dst: dst, a: a, b: a})
	default:
		c.code = append(c.code, instr{op: n.op, dst: dst, a: a, b: b, c: regs[2]})
	}
	return dst
}

// hides reports whether a band can be NaN here without the result being NaN.
func hides(n *node) bool { return n.op == opWhere || slices.ContainsFunc(n.args, hides) }

// bandsOf appends the bands named under n, each once.
func bandsOf(n *node, bands []int) []int {
	if n.op == opBand {
		place(&bands, n.index)
	}
	for _, arg := range n.args {
		bands = bandsOf(arg, bands)
	}
	return bands
}
