package render

import (
	"bytes"
	"image/color"
	"slices"
	"sync"

	"swath/deflate"
)

// canvas is the memory of one drawing, used again by later ones.
type canvas struct {
	width, height int
	indices       []byte // places in a palette, a byte each
	pixels        []byte // colours, 3 or 4 bytes each
	rows          []byte // as PNG wants them: a filter byte, then the row
	line          []byte // one of the rows, tried otherwise
	packed        []byte // the compressed rows
	deflater      deflate.Writer
}

var canvases = sync.Pool{New: func() any { return new(canvas) }}

// truecolour draws three planes, of which so many pixels have no value.
func (c *canvas) truecolour(planes [][]float32, formula *Formula, limits [][2]float64, transparent int, format Format) ([]byte, error) {
	if format == PNG && transparent > 0 && formula == nil {
		c.pixels = sized(c.pixels, c.width*c.height*3)
		if interleave(c.pixels, planes, [3][2]float64(limits), 3) == transparent {
			return c.truecolourPNG(3, pngChunk{"tRNS", make([]byte, 6)}) // nothing but holes is black
		}
	}
	channels := channelsOf(format, transparent > 0)
	c.pixels = sized(c.pixels, c.width*c.height*channels)
	interleave(c.pixels, planes, [3][2]float64(limits), channels)
	if formula != nil {
		formula.apply(c.pixels, channels)
	}
	return c.encode(channels, format)
}

// onePlane draws one plane through a palette.
func (c *canvas) onePlane(plane []float32, style Style, limits [2]float64, transparent int, format Format) ([]byte, error) {
	colours := gray
	if style.Colormap != nil {
		colours = style.Colormap
	}
	if colours.edges != nil && (len(style.Rescale) > 0 || style.Formula != nil) {
		colours = colours.overLevels()
	}
	c.indices = sized(c.indices, len(plane))
	if colours.edges != nil {
		colours.classify(c.indices, plane)
	} else {
		levels(c.indices, plane, limits)
		if style.Formula != nil {
			style.Formula.applyToOne(c.indices)
		}
	}
	palette, hole := slices.Clone(colours.colours), -1
	if transparent > 0 {
		if hole = slices.Index(palette, color.NRGBA{}); hole < 0 {
			hole = c.freeLevel(transparent)
			palette[hole] = color.NRGBA{}
		}
		mark(c.indices, plane, byte(hole))
	}
	if format == PNG {
		return c.palettePNG(palette, colours == gray, hole)
	}
	channels := channelsOf(format, slices.ContainsFunc(palette, func(p color.NRGBA) bool { return p.A < 255 }))
	c.pixels = sized(c.pixels, c.width*c.height*channels)
	lookup(c.pixels, c.indices, tableOf(palette), channels)
	return c.encode(channels, format)
}

// freeLevel returns the rarest of the 256 levels, after giving its pixels to a neighbouring level. Those without a value
// stand at level 0 and don't count.
func (c *canvas) freeLevel(transparent int) int {
	count := histogram(c.indices)
	count[0] -= uint32(transparent)
	rarest := slices.Index(count[:], slices.Min(count[:]))
	if count[rarest] > 0 {
		neighbour := byte(rarest ^ 1)
		for i, level := range c.indices {
			if int(level) == rarest {
				c.indices[i] = neighbour
			}
		}
	}
	return rarest
}

// encode writes pixels of 3 or 4 bytes.
func (c *canvas) encode(channels int, format Format) ([]byte, error) {
	switch format {
	case JPEG:
		return encodeJPEG(c.pixels, c.width, c.height)
	case WebP:
		return encodeWebP(c.pixels, c.width, c.height, channels)
	case rgba:
		return bytes.Clone(c.pixels), nil
	}
	return c.truecolourPNG(channels)
}

func channelsOf(format Format, transparent bool) int {
	if transparent && format != JPEG || format == rgba {
		return 4
	}
	return 3
}

var gray = func() *Colormap {
	m := &Colormap{colours: make([]color.NRGBA, 256)}
	for i := range m.colours {
		m.colours[i] = color.NRGBA{R: uint8(i), G: uint8(i), B: uint8(i), A: 255}
	}
	return m
}()

// tableOf returns the palette as R, G, B, A bytes.
func tableOf(palette []color.NRGBA) *[1024]byte {
	table := new([1024]byte)
	for i, p := range palette {
		copy(table[4*i:], []byte{p.R, p.G, p.B, p.A})
	}
	return table
}

// sized returns a slice of n bytes, b's memory if it suffices. What is in it is not defined.
func sized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}
