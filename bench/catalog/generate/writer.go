package main

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"swath/geo"
)

// writer appends one item's JSON. Its fields write "name":value and a comma; close turns the last comma into the bracket.
type writer struct {
	out    []byte
	random *rand.Rand
}

func (w *writer) raw(text string) { w.out = append(w.out, text...) }

func (w *writer) name(name string) {
	w.out = append(w.out, '"')
	w.out = append(w.out, name...)
	w.out = append(w.out, '"', ':')
}

func (w *writer) close(bracket byte) { w.out[len(w.out)-1] = bracket }

// text is for values without characters that JSON escapes.
func (w *writer) text(name string, parts ...string) {
	w.name(name)
	w.out = append(w.out, '"')
	for _, p := range parts {
		w.out = append(w.out, p...)
	}
	w.out = append(w.out, '"', ',')
}

func (w *writer) integer(name string, v int) {
	w.name(name)
	w.out = append(strconv.AppendInt(w.out, int64(v), 10), ',')
}

// exact writes all digits of a number, as processors that print a double do.
func (w *writer) exact(name string, v float64) {
	w.name(name)
	w.out = append(strconv.AppendFloat(w.out, v, 'g', -1, 64), ',')
}

// rounded writes up to so many decimals, without zeros at the end.
func (w *writer) rounded(name string, v float64, decimals int) {
	w.name(name)
	w.out = append(appendRounded(w.out, v, decimals), ',')
}

var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7}

func appendRounded(out []byte, v float64, decimals int) []byte {
	n := int64(math.Round(v * pow10[decimals]))
	if n < 0 {
		out, n = append(out, '-'), -n
	}
	for decimals > 0 && n%10 == 0 {
		n, decimals = n/10, decimals-1
	}
	if decimals == 0 {
		return strconv.AppendInt(out, n, 10)
	}
	scale := int64(pow10[decimals])
	out = append(strconv.AppendInt(out, n/scale, 10), '.')
	for scale /= 10; scale > 0; scale /= 10 {
		out = append(out, byte('0'+n/scale%10))
	}
	return out
}

// instant writes a time with so many decimals of a second.
func (w *writer) instant(name string, us int64, decimals int) {
	w.name(name)
	w.out = append(w.out, '"')
	w.out = append(appendInstant(w.out, us, decimals, '-', ':'), 'Z', '"', ',')
}

// appendInstant writes 2024-08-28T17:49:09.024 or, without the separators, 20240828T174909.
func appendInstant(out []byte, us int64, decimals int, date, clock byte) []byte {
	t := time.UnixMicro(us).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	out = digits(out, year, 4)
	for _, part := range [...]struct {
		before byte
		value  int
	}{{date, int(month)}, {date, day}, {'T', hour}, {clock, minute}, {clock, second}} {
		if part.before != 0 {
			out = append(out, part.before)
		}
		out = digits(out, part.value, 2)
	}
	if decimals > 0 {
		out = digits(append(out, '.'), int(us%1e6)/int(pow10[6-decimals]), decimals)
	}
	return out
}

// compact returns 20240828T174909.
func compact(us int64) string { return string(appendInstant(make([]byte, 0, 16), us, 0, 0, 0)) }

func digits(out []byte, n, width int) []byte {
	for scale := int(pow10[width-1]); scale > 0; scale /= 10 {
		out = append(out, byte('0'+n/scale%10))
	}
	return out
}

const hexDigits = "0123456789abcdef"

// hex returns random hexadecimal digits.
func (w *writer) hex(n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = hexDigits[w.random.IntN(16)]
	}
	return string(out)
}

// footprint writes the members geometry and bbox. Every ring is moved by up to shiftDeg, as no two passes are the same.
func (w *writer) footprint(m geo.MultiPolygon, shiftDeg float64) {
	var dx, dy float64
	if shiftDeg > 0 && len(m) == 1 {
		dx, dy = shiftDeg*(2*w.random.Float64()-1), shiftDeg*(2*w.random.Float64()-1)
		b := m.Bounds()
		if b.MinX+dx < -180 || b.MaxX+dx > 180 || b.MinY+dy < -90 || b.MaxY+dy > 90 {
			dx, dy = 0, 0
		}
	}
	if len(m) == 1 {
		w.raw(`"geometry":{"type":"Polygon","coordinates":`)
		w.polygon(m[0], dx, dy)
	} else {
		w.raw(`"geometry":{"type":"MultiPolygon","coordinates":[`)
		for _, p := range m {
			w.polygon(p, dx, dy)
			w.raw(",")
		}
		w.close(']')
	}
	w.raw(`},"bbox":[`)
	b := m.Bounds()
	for _, v := range [...]float64{b.MinX + dx, b.MinY + dy, b.MaxX + dx, b.MaxY + dy} {
		w.out = append(appendRounded(w.out, v, 7), ',')
	}
	w.close(']')
	w.raw(",")
}

func (w *writer) polygon(p geo.Polygon, dx, dy float64) {
	w.raw("[")
	for _, ring := range p {
		w.raw("[")
		for _, at := range ring {
			w.out = append(appendRounded(append(w.out, '['), at[0]+dx, 7), ',')
			w.out = append(appendRounded(w.out, at[1]+dy, 7), ']', ',')
		}
		w.close(']')
		w.raw(",")
	}
	w.close(']')
}
