package geo

import "math"

// polynomial maps two numbers to two by polynomials of the terms 1, x, y, xy, x², y² in scaled x and y.
type polynomial struct {
	x0, y0, xScale, yScale float64
	a, b                   [6]float64
}

// fitPolynomial fits (longitude, latitude) to (column, row), or back, by least squares: first order for three points, with
// the term xy for four and five (a scene's corners and centre), second order from six.
func fitPolynomial(ps []GCP, fromPlace bool) (polynomial, error) {
	in := func(p GCP) (x, y float64) { return p.Column, p.Row }
	out := func(p GCP) (x, y float64) { return p.LonDeg, p.LatDeg }
	if fromPlace {
		in, out = out, in
	}
	minX, minY, maxX, maxY := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range ps {
		x, y := in(p)
		minX, minY, maxX, maxY = math.Min(minX, x), math.Min(minY, y), math.Max(maxX, x), math.Max(maxY, y)
	}
	f := polynomial{x0: (minX + maxX) / 2, y0: (minY + maxY) / 2, xScale: 2 / (maxX - minX), yScale: 2 / (maxY - minY)}
	if !finite(f.xScale, f.yScale) {
		return f, errDegenerate
	}
	for terms := termsFor(len(ps)); terms >= 3; terms = lower(terms) {
		var normal [6][8]float64 // the normal equations with two right-hand sides
		for _, p := range ps {
			x, y := in(p)
			t, _, _ := f.terms(x, y)
			u, v := out(p)
			for i := range terms {
				for j := range terms {
					normal[i][j] += t[i] * t[j]
				}
				normal[i][6] += t[i] * u
				normal[i][7] += t[i] * v
			}
		}
		if solve(&normal, terms) {
			for i := range terms {
				f.a[i], f.b[i] = normal[i][6], normal[i][7]
			}
			return f, nil
		}
	}
	return f, errDegenerate
}

func termsFor(points int) int {
	switch {
	case points >= 6:
		return 6
	case points >= 4:
		return 4
	}
	return 3
}

// lower is the next simpler polynomial, for points that do not carry this one.
func lower(terms int) int { return map[int]int{6: 4, 4: 3}[terms] }

// terms returns the terms and their derivatives by x and y.
func (f *polynomial) terms(x, y float64) (t, byX, byY [6]float64) {
	x, y = (x-f.x0)*f.xScale, (y-f.y0)*f.yScale
	return [6]float64{1, x, y, x * y, x * x, y * y},
		[6]float64{0, f.xScale, 0, y * f.xScale, 2 * x * f.xScale, 0},
		[6]float64{0, 0, f.yScale, x * f.yScale, 0, 2 * y * f.yScale}
}

func (f polynomial) at(x, y float64) (u, v float64, d jacobian) {
	t, byX, byY := f.terms(x, y)
	for i := range t {
		u += f.a[i] * t[i]
		v += f.b[i] * t[i]
		d.lonByColumn += f.a[i] * byX[i]
		d.lonByRow += f.a[i] * byY[i]
		d.latByColumn += f.b[i] * byX[i]
		d.latByRow += f.b[i] * byY[i]
	}
	return u, v, d
}

// solve is Gauss-Jordan elimination with pivoting of the first n rows and columns; false when they are singular.
func solve(m *[6][8]float64, n int) bool {
	for c := range n {
		pivot := c
		for r := c + 1; r < n; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[pivot][c]) {
				pivot = r
			}
		}
		if math.Abs(m[pivot][c]) < 1e-9 { // the terms are scaled to 1
			return false
		}
		m[c], m[pivot] = m[pivot], m[c]
		for r := range n {
			if r == c {
				continue
			}
			k := m[r][c] / m[c][c]
			for j := c; j < 8; j++ {
				m[r][j] -= k * m[c][j]
			}
		}
	}
	for c := range n {
		m[c][6] /= m[c][c]
		m[c][7] /= m[c][c]
	}
	return true
}
