package deflate

import (
	"bytes"
	stdlib "compress/zlib"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zlib"
)

// rare returns bytes of which each value is as frequent as the two that are next rarer together: the longest codes that there can be.
func rare(values int) []byte {
	var b []byte
	r := rand.New(rand.NewPCG(3, 4))
	for i, count, next := 0, 1, 1; i < values; i, count, next = i+1, next, count+next {
		b = append(b, bytes.Repeat([]byte{byte(i * 7)}, count)...)
	}
	r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	return b
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b) //nolint:errcheck // it never fails
	return b
}

// TestCodes compares with the same kind of stream of another program, which must not be smaller but where the bytes change within a
// piece, and reads it by a third one.
func TestCodes(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":             nil,
		"one byte":            {42},
		"one value":           bytes.Repeat([]byte{7}, 100_000),
		"two values":          bytes.Repeat([]byte{0, 255}, 40_000),
		"one piece":           noise(1 << 16),
		"a piece and a byte":  noise(1<<16 + 1),
		"many pieces":         noise(3_000_000),
		"codes too long":      rare(26),
		"codes just not":      rare(14),
		"not to be packed":    random(1<<17 + 5),
		"stored, then coded":  slices.Concat(random(200_000), noise(200_000)),
		"coded, then stored":  slices.Concat(noise(200_000), random(70_001)),
		"holes, then a coast": slices.Concat(make([]byte, 300_000), noise(100_000), make([]byte, 50_000)),
		"all values, as often": func() (b []byte) {
			for i := range 70_000 {
				b = append(b, byte(i))
			}
			return b
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			out := codes(nil, b)
			z, err := stdlib.NewReader(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if back, err := io.ReadAll(z); err != nil || !bytes.Equal(back, b) {
				t.Fatalf("other bytes come back, %v", err)
			}
			var peer bytes.Buffer
			w, _ := zlib.NewWriterLevel(&peer, zlib.HuffmanOnly)
			w.Write(b) //nolint:errcheck // into memory
			w.Close()  //nolint:errcheck // as above
			slack := 4
			if strings.Contains(name, "then") {
				slack = peer.Len() / 100
			}
			if len(out) > peer.Len()+slack {
				t.Errorf("%d bytes of %d, the peer makes %d", len(out), len(b), peer.Len())
			}
			used := bytes.Repeat([]byte{0xA5}, 2*len(b)+2048)
			if again := codes(used, b); !bytes.Equal(again, out) {
				t.Error("in used memory it is another stream")
			}
		})
	}
}

func FuzzCodes(f *testing.F) {
	f.Add([]byte("abracadabra"), uint16(3))
	f.Add(rare(20), uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, times uint16) {
		if b = bytes.Repeat(b, int(times)); len(b) > 1<<20 {
			return
		}
		z, err := stdlib.NewReader(bytes.NewReader(codes(nil, b)))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := io.ReadAll(z); err != nil || !bytes.Equal(back, b) {
			t.Fatalf("other bytes come back, %v", err)
		}
	})
}

func BenchmarkPack(b *testing.B) {
	for name, src := range map[string][]byte{"block": noise(1 << 16), "picture": noise(256 * 769)} {
		b.Run(name, func(b *testing.B) {
			var w Writer
			var out []byte
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				out, _ = w.Pack(out, src, 2)
			}
			b.ReportMetric(float64(len(out)), "bytes")
		})
	}
}
