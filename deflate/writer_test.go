package deflate

import (
	"bytes"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"testing"
)

// noise is like the differences of neighbouring pixels: small numbers around 0, of which none follows from those before.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(int(r.NormFloat64() * 9))
	}
	return b
}

func TestPack(t *testing.T) {
	half := append(make([]byte, 1<<15), noise(1<<15)...)
	var w Writer
	var out []byte
	for name, c := range map[string]struct {
		bytes []byte
		most  int // bytes that the stream may have
	}{
		"nothing":            {nil, 16},
		"few":                {noise(300), 400},
		"noise":              {noise(1 << 17), 87000}, // its entropy is 5.2 bits a byte
		"zeros":              {make([]byte, 1<<17), 1 << 10},
		"half noise":         {half, 24000},
		"rows that repeat":   {bytes.Repeat(noise(768), 170), 1 << 12},
		"what can't be less": {func() []byte { b := make([]byte, 1<<16); rand.NewChaCha8([32]byte{1}).Read(b); return b }(), 1<<16 + 1<<8},
	} {
		t.Run(name, func(t *testing.T) {
			for level := 1; level <= 3; level++ {
				var err error
				if out, err = w.Pack(out, c.bytes, level); err != nil {
					t.Fatal(err)
				}
				if len(out) > c.most {
					t.Errorf("level %d: %d bytes of %d, more than %d", level, len(out), len(c.bytes), c.most)
				}
				z, err := zlib.NewReader(bytes.NewReader(out))
				if err != nil {
					t.Fatal(err)
				}
				if back, err := io.ReadAll(z); err != nil || !bytes.Equal(back, c.bytes) {
					t.Errorf("level %d: other bytes come back, %v", level, err)
				}
				if again, err := new(Writer).Pack(nil, c.bytes, level); err != nil || !bytes.Equal(again, out) {
					t.Errorf("level %d: another writer makes another stream, %v", level, err)
				}
			}
		})
	}
	if _, err := w.Pack(nil, nil, 4); err == nil {
		t.Error("level 4 is taken")
	}
}
