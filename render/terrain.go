package render

import "math"

// hillshade is the light on a slope, of a sun at an azimuth and an altitude; heights are in pixels, as TiTiler has it.
func hillshade(g grid, set map[string]float64) [][]float32 {
	azimuth, altitude := (360-set["azimuth"])*math.Pi/180, set["angle_altitude"]*math.Pi/180
	sin, cos := math.Sincos(altitude)
	steep := set["z_exaggeration"]
	return [][]float32{g.everyGradient(func(down, right float64) float64 {
		down, right = down*steep, right*steep
		steepness := math.Hypot(down, right) // the tangent
		aspect := math.Atan2(-down, right)
		shaded := (sin + cos*steepness*math.Cos(azimuth-aspect)) / math.Sqrt(1+steepness*steepness)
		return math.Trunc(max(0, 255*(shaded+1)/2))
	})}
}

// slope is in degrees.
func slope(g grid, set map[string]float64) [][]float32 {
	y, x := set["z_exaggeration"]/g.ySizeM, set["z_exaggeration"]/g.xSizeM
	return [][]float32{g.everyGradient(func(down, right float64) float64 {
		return math.Atan(math.Hypot(down*y, right*x)) * 180 / math.Pi
	})}
}

// everyGradient computes a plane from the first one's differences from row to row and from column to column: central ones, and
// one-sided ones at the edge and beside pixels without a value.
func (g grid) everyGradient(f func(down, right float64) float64) []float32 {
	z, out := g.planes[0], make([]float32, g.width*g.height)
	difference := func(i, step int, before, after bool) float64 {
		before, after = before && z[i-min(step, i)] == z[i-min(step, i)], after && z[min(i+step, len(z)-1)] == z[min(i+step, len(z)-1)]
		switch {
		case before && after:
			return (float64(z[i+step]) - float64(z[i-step])) / 2
		case before:
			return float64(z[i]) - float64(z[i-step])
		case after:
			return float64(z[i+step]) - float64(z[i])
		}
		return 0
	}
	for y := range g.height {
		for x := range g.width {
			i := y*g.width + x
			if out[i] = z[i]; z[i] == z[i] {
				out[i] = float32(f(difference(i, g.width, y > 0, y < g.height-1), difference(i, 1, x > 0, x < g.width-1)))
			}
		}
	}
	return out
}

// contours are black lines on the colours of the map "terrain".
func contours(g grid, set map[string]float64) [][]float32 {
	terrain, low, high := named()["terrain"].colours, set["minz"], set["maxz"]
	return g.threeOf(func(z float64) (r, g, b float64) {
		remainder := math.Mod(z, set["increment"]) // NaN where there are no lines at all
		if remainder < 0 {
			remainder += set["increment"]
		}
		if remainder < set["thickness"] {
			return 0, 0, 0
		}
		c := terrain[uint8((min(max(z, low), high)-low)/(high-low)*254+1)]
		return float64(c.R), float64(c.G), float64(c.B)
	})
}

// terrarium encodes heights as Mapzen did: red and green are whole metres above -32768, blue 256ths of one.
func terrarium(g grid, _ map[string]float64) [][]float32 {
	return g.threeOf(func(z float64) (r, g, b float64) {
		z = min(max(z+32768, 0), 65535)
		return math.Trunc(z / 256), math.Trunc(math.Mod(z, 256)), math.Trunc(math.Mod(z*256, 256))
	})
}

// terrainRGB encodes heights as Mapbox did: a number of intervals above the base, in three bytes.
func terrainRGB(g grid, set map[string]float64) [][]float32 {
	return g.threeOf(func(z float64) (r, g, b float64) {
		n := int(min(max(math.RoundToEven((z-set["baseval"])/set["interval"]), 0), 1<<24-1))
		return float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)
	})
}

// threeOf computes three planes from the values of one.
func (g grid) threeOf(f func(z float64) (r, g, b float64)) [][]float32 {
	out := nothing(3, g.width*g.height)
	for i, z := range g.planes[0] {
		if z == z {
			r, green, b := f(float64(z))
			out[0][i], out[1][i], out[2][i] = float32(r), float32(green), float32(b)
		}
	}
	return out
}
