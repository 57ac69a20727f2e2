package raster

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestUndoDifferences: blocks of any number and type of samples and any width are what they were before the predictor, sum by sum.
func TestUndoDifferences(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, format := range []DataType{Uint8, Uint16, Uint32, Float64} {
		for samples := 1; samples <= 10; samples++ {
			for _, width := range []int{1, 2, 3, 7, 8, 9, 16, 31, 256} {
				const height = 3
				size := format.Bytes()
				values := make([]uint64, width*height*samples)
				want, packed := make([]byte, len(values)*size), make([]byte, len(values)*size)
				put := func(to []byte, v uint64) {
					var all [8]byte
					binary.NativeEndian.PutUint64(all[:], v)
					copy(to[:size], all[:size])
				}
				for i := range values {
					values[i] = rnd.Uint64()
					put(want[i*size:], values[i])
					difference := values[i]
					if i/samples%width > 0 {
						difference -= values[i-samples]
					}
					put(packed[i*size:], difference)
				}
				p := plane{blockWidth: width, blockHeight: height, across: 1, down: 1, samples: samples, format: format, bits: 8 * size, compression: 1, predictor: 2}
				got, err := p.decode(0, packed, false)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s, %d samples, %d pixels wide: other values", format, samples, width)
				}
			}
		}
	}
}

func BenchmarkUndoDifferences(b *testing.B) {
	for _, of := range []struct {
		format  DataType
		samples int
	}{{Uint16, 1}, {Uint8, 3}, {Uint8, 4}, {Uint16, 4}} {
		b.Run(fmt.Sprintf("%dx%s", of.samples, of.format), func(b *testing.B) {
			p := plane{blockWidth: 256, blockHeight: 256, across: 1, down: 1, samples: of.samples, format: of.format, bits: 8 * of.format.Bytes(), compression: 1, predictor: 2}
			packed := make([]byte, p.blockBytes(0))
			b.SetBytes(int64(len(packed)))
			for b.Loop() {
				if _, err := p.decode(0, packed, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
