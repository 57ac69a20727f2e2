package render

import (
	"encoding/binary"
	"hash/crc32"
	"image/color"
	"slices"
)

// The colour types of PNG (ISO/IEC 15948, 11.2.2) that are written here.
const (
	pngGray      = 0
	pngRGB       = 2
	pngPalette   = 3
	pngRGBA      = 6
	pngSignature = "\x89PNG\r\n\x1a\n"
)

// truecolourPNG writes pixels of 3 or 4 bytes. An alpha channel, even of one value, costs a tenth of the file: holes are better said
// by a chunk before the data that names their colour.
func (c *canvas) truecolourPNG(channels int, beforeData ...pngChunk) ([]byte, error) {
	c.filter(c.pixels, channels)
	return c.png(8, map[int]byte{3: pngRGB, 4: pngRGBA}[channels], beforeData...)
}

// filter makes the rows: differences from what the neighbours foretell. Even of indices they pack a tenth tighter than the
// indices, and a twentieth tighter than differences from the pixel before, in no more time.
func (c *canvas) filter(pixels []byte, channels int) {
	c.rows = sized(c.rows, (c.width*channels+1)*c.height)
	c.line = sized(c.line, c.width*channels)
	foretell(c.rows, c.line, pixels, c.width, c.height, channels)
}

// palettePNG writes indices. Gray needs no palette, only the level that is transparent (hole, -1 for none).
func (c *canvas) palettePNG(palette []color.NRGBA, isGray bool, hole int) ([]byte, error) {
	c.filter(c.indices, 1)
	if isGray {
		if hole < 0 {
			return c.png(8, pngGray)
		}
		return c.png(8, pngGray, pngChunk{"tRNS", []byte{0, byte(hole)}})
	}
	rgb, alpha, opaque := make([]byte, 0, 3*256), make([]byte, 0, 256), 0
	for i, p := range palette {
		rgb, alpha = append(rgb, p.R, p.G, p.B), append(alpha, p.A)
		if p.A < 255 {
			opaque = i + 1
		}
	}
	chunks := []pngChunk{{"PLTE", rgb}}
	if opaque > 0 {
		chunks = append(chunks, pngChunk{"tRNS", alpha[:opaque]})
	}
	return c.png(8, pngPalette, chunks...)
}

// emptyPNG writes an image of which every pixel is transparent: one bit a pixel, all of the transparent gray 0.
func (c *canvas) emptyPNG() ([]byte, error) {
	c.rows = sized(c.rows, ((c.width+7)/8+1)*c.height)
	clear(c.rows)
	return c.png(1, pngGray, pngChunk{"tRNS", []byte{0, 0}})
}

type pngChunk struct {
	kind string
	data []byte
}

// png writes the file around the compressed rows.
func (c *canvas) png(bits, colourType byte, beforeData ...pngChunk) ([]byte, error) {
	var err error
	level := 1
	if colourType == pngRGB || colourType == pngRGBA {
		level = 2 // finds more in as much time, where there is something to find: in colours, not in indices
	}
	if c.packed, err = c.deflater.Pack(c.packed, c.rows, level); err != nil {
		return nil, err
	}
	header := binary.BigEndian.AppendUint32(nil, uint32(c.width))
	header = binary.BigEndian.AppendUint32(header, uint32(c.height))
	header = append(header, bits, colourType, 0, 0, 0)

	chunks := slices.Concat([]pngChunk{{"IHDR", header}}, beforeData, []pngChunk{{"IDAT", c.packed}, {"IEND", nil}})
	size := len(pngSignature)
	for _, chunk := range chunks {
		size += len(chunk.data) + 12
	}
	file := append(make([]byte, 0, size), pngSignature...)
	for _, chunk := range chunks {
		file = binary.BigEndian.AppendUint32(file, uint32(len(chunk.data)))
		start := len(file)
		file = append(append(file, chunk.kind...), chunk.data...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(file[start:]))
	}
	return file, nil
}
