package tiles

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"swath/fault"
	"swath/raster"
	"swath/render"
)

// View is a request made definite: which bands of which objects, and what becomes of their values.
type View struct {
	renderer   *Renderer
	item       Description
	title      string
	listed     []ref // the bands of the request's assets
	inputs     []ref // the bands that the picture is made of
	expression *render.Expression
	outputs    []string // what the planes are called
	rescale    [][2]float64
	colormap   *render.Colormap
	formula    *render.Formula
	algorithm  *render.Algorithm // nil: none
	noData     *float64
	resampling raster.Resampling
	stored     bool
	sizePx     int // of a tile; 0: what its matrix says
	scale      int
	bufferPx   float64
	shares     *[2]float64 // percentiles of the stretch, 0..1
	opaque     bool
	ofMany     bool     // it is one item of a mosaic or a series
	inScene    bool     // of a mosaic that is drawn
	mask       *masking // nil: nothing is hidden
	key        string   // digest of all that decides a value and its colour
}

// View resolves a request against its item and collection. Unknown items and presets are fault.NotFound; names that the item
// does not have, malformed expressions and other wrong parameters are fault.Invalid.
func (r *Renderer) View(ctx context.Context, q Request) (*View, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	it, err := r.describe(ctx, q.Collection, q.Item)
	if err != nil {
		return nil, err
	}
	q, title, err := r.complete(ctx, q, &it)
	if err != nil {
		return nil, err
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	v := q.sized()
	v.renderer, v.item, v.title, v.rescale, v.noData, v.stored = r, it, title, q.Rescale, q.NoData, q.Stored
	if v.resampling, err = resampling(q.Resampling); err != nil {
		return nil, err
	}
	if v.colormap, err = colormap(q); err != nil {
		return nil, err
	}
	if v.formula, err = render.ParseFormula(q.ColorFormula); err != nil {
		return nil, err
	}
	if q.Percentiles != nil {
		v.shares = &[2]float64{q.Percentiles[0] / 100, q.Percentiles[1] / 100}
	}
	if err := v.resolve(q); err != nil {
		return nil, err
	}
	if err := v.compute(q); err != nil {
		return nil, err
	}
	v.opaque = q.Opaque
	if v.mask, err = v.item.masking(q.Mask, q.MaskBufferM); err != nil {
		return nil, err
	}
	v.key = v.digest(q)
	return v, nil
}

// Outputs returns what the planes of the view are called.
func (v *View) Outputs() []string { return v.outputs }

// sized is a view that knows no more than how large its tiles are. Of the buffer an algorithm cuts off what it looks at, as TiTiler's do,
// which need it to be asked for.
func (q Request) sized() *View {
	v := &View{sizePx: q.SizePx, scale: max(q.Scale, 1), bufferPx: q.BufferPx}
	if a, err := render.ParseAlgorithm(q.Algorithm, q.AlgorithmParams); err == nil {
		v.bufferPx = max(0, q.BufferPx-float64(a.BufferPx()))
	}
	return v
}

func colormap(q Request) (*render.Colormap, error) {
	switch {
	case q.ColormapName != "":
		return render.ColormapByName(q.ColormapName)
	case len(q.Colormap) > 0 && q.ColormapLinear:
		return render.ParseLinearColormap(string(q.Colormap))
	case len(q.Colormap) > 0:
		return render.ParseColormap(string(q.Colormap))
	}
	return nil, nil
}

// compute finds the algorithm, whose planes are what the view shows then.
func (v *View) compute(q Request) (err error) {
	if q.Algorithm == "" {
		return nil
	}
	if v.algorithm, err = render.ParseAlgorithm(q.Algorithm, q.AlgorithmParams); err != nil {
		return err
	}
	n, err := v.algorithm.Planes(len(v.outputs))
	if err != nil {
		return err
	}
	if len(v.rescale) == 0 && v.shares == nil && v.algorithm.Levels() {
		v.rescale = [][2]float64{{0, 255}}
	}
	v.outputs = v.outputs[:0:0]
	for i := range n {
		name := strings.ToLower(q.Algorithm)
		if n > 1 {
			name = fmt.Sprintf("%s_%d", name, i+1)
		}
		v.outputs = append(v.outputs, name)
	}
	return nil
}

// resolve finds the bands of the assets and of the expression.
func (v *View) resolve(q Request) error {
	for _, entry := range q.Assets {
		refs, err := v.item.list(entry)
		if err != nil {
			return err
		}
		v.listed = append(v.listed, refs...)
	}
	if len(q.Bidx) > 0 {
		chosen := make([]ref, 0, len(q.Bidx))
		for _, n := range q.Bidx {
			if n < 1 || n > len(v.listed) {
				return fault.New(fault.Invalid, "bidx %d: the assets have bands 1 to %d", n, len(v.listed))
			}
			chosen = append(chosen, v.listed[n-1])
		}
		v.listed = chosen
	}
	v.inputs, v.outputs = v.listed, names(v.listed)
	if q.Expression != "" {
		e, err := render.Compile(q.Expression)
		if err != nil {
			return err
		}
		v.expression, v.inputs, v.outputs = e, nil, nil
		for _, name := range e.Names() {
			one, err := v.item.find(name, v.listed)
			if err != nil {
				return err
			}
			v.inputs = append(v.inputs, one)
		}
		for _, text := range strings.Split(q.Expression, ";") {
			if text = bare(text); text != "" {
				v.outputs = append(v.outputs, text)
			}
		}
	}
	if len(v.inputs) > mostInputs {
		return fault.New(fault.TooLarge, "%d bands would be read; one request may read %d", len(v.inputs), mostInputs)
	}
	return nil
}

// drawable refuses views that are no picture: their values can only be asked for.
func (v *View) drawable() error { return v.pictureOf(len(v.outputs), some(v.outputs)) }

// pictureOf refuses so many planes where they, or the colours that are asked for, make no picture; what says which planes they are.
func (v *View) pictureOf(planes int, what string) error {
	switch {
	case planes != 1 && planes != 3:
		return fault.New(fault.Invalid, "a picture has 1 or 3 planes, this one would have %d (%s)", planes, what)
	case planes == 3 && v.colormap != nil:
		return fault.New(fault.Invalid, "a colormap colours one plane; this picture has 3 (%s)", what)
	case len(v.rescale) > 1 && len(v.rescale) != planes:
		return fault.New(fault.Invalid, "rescale has %d pairs for %d planes; give one for all or one for each", len(v.rescale), planes)
	}
	return nil
}

// drawVersion changes when the same request draws other pixels, or other bytes, than before.
const drawVersion = 8

// digest names the pixels of this view. It changes when a source, a band's scale or a parameter does, so it serves as
// validator of caches without anything being drawn.
func (v *View) digest(q Request) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %v %t %q %v %q %q %s %d %t\n", drawVersion, v.item.Bounds, v.expression != nil, v.outputs, oneForAll(q.Rescale),
		strings.ToLower(q.ColormapName), compact(q.Colormap), text(v.noData), v.resampling, v.stored)
	fmt.Fprintf(h, "%q %t %q %q\n", strings.Fields(q.ColorFormula), q.ColormapLinear, strings.ToLower(q.Algorithm), compact([]byte(q.AlgorithmParams)))
	if v.shares != nil {
		fmt.Fprintf(h, "percentiles %v\n", *v.shares)
	}
	fmt.Fprintf(h, "%t %s\n", v.opaque, v.mask.digest())
	var text []byte
	for _, in := range slices.Concat(v.inputs, v.listed) {
		b, a := in.band, in.asset
		for _, name := range [...]string{a.Object, a.Checksum, a.DataType} { // with its length: no two lists of them are the same text
			text = append(strconv.AppendInt(text, int64(len(name)), 10), ':')
			text = append(text, name...)
		}
		text = strconv.AppendBool(strconv.AppendInt(text, int64(b.Number), 10), a.reflectance())
		for _, value := range [...]*float64{&b.Scale, &b.Offset, b.NoData, b.Min, b.Max} {
			if text = append(text, ' '); value != nil {
				text = strconv.AppendFloat(text, *value, 'g', -1, 64)
			}
		}
		text = append(text, '\n')
	}
	h.Write(text) //nolint:errcheck // a hash takes everything
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// oneForAll writes equal stretches of all planes once, as a request may.
func oneForAll(pairs [][2]float64) [][2]float64 {
	if len(pairs) > 1 && !slices.ContainsFunc(pairs, func(p [2]float64) bool { return p != pairs[0] }) {
		return pairs[:1]
	}
	return pairs
}

// compact writes JSON without what means nothing in it.
func compact(text []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, text) != nil {
		return text
	}
	return out.Bytes()
}

// bare writes an expression without spaces; names in backquotes keep theirs.
func bare(expression string) string {
	quoted := false
	return strings.Map(func(c rune) rune {
		if c == '`' {
			quoted = !quoted
		}
		if !quoted && unicode.IsSpace(c) {
			return -1
		}
		return c
	}, expression)
}

func text(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprint(*v)
}
