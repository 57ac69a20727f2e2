package fetch

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// TestMD5: the sums of files that come side by side, however many, in whatever pieces and in the middle of it, are those of crypto/md5.
func TestMD5(t *testing.T) {
	for _, n := range []int{1, 2, 3, 8, 19} {
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				random := rand.New(rand.NewPCG(uint64(n), uint64(i)))
				h, want := newMD5(), md5.New()
				for range 3 { // the second and third time after a Reset
					for left := random.IntN(12 * md5Piece); left > 0; {
						p := make([]byte, min(left, 1+random.IntN(2*md5Piece)))
						for k := 0; k < len(p); k += 97 {
							p[k] = byte(random.Uint32())
						}
						h.Write(p)
						want.Write(p)
						if left -= len(p); random.IntN(5) == 0 && !bytes.Equal(h.Sum(nil), want.Sum(nil)) {
							t.Errorf("file %d of %d differs in the middle", i, n)
						}
					}
					if got := h.Sum([]byte("x")); !bytes.Equal(got, want.Sum([]byte("x"))) {
						t.Errorf("file %d of %d: %x, want %x", i, n, got[1:], want.Sum(nil))
					}
					h.Reset()
					want.Reset()
				}
			})
		}
		group.Wait()
		if len(sideBySide.waiting) > 0 {
			t.Fatalf("%d files wait after all were summed", len(sideBySide.waiting))
		}
	}
	if got := fmt.Sprintf("%x", newMD5().Sum(nil)); got != "d41d8cd98f00b204e9800998ecf8427e" { // RFC 1321, A.5
		t.Errorf("of nothing: %s", got)
	}
}

// BenchmarkMD5 sums so many files at the same time.
func BenchmarkMD5(b *testing.B) {
	for _, n := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			hashes, p := make([]interface{ Write([]byte) (int, error) }, n), make([]byte, copyBytes)
			for i := range hashes {
				hashes[i] = newMD5()
			}
			b.SetBytes(int64(n * len(p)))
			for b.Loop() {
				for _, h := range hashes {
					h.Write(p) //nolint:errcheck // a hash never fails
				}
			}
			for _, h := range hashes {
				h.(*md5Sum).Reset()
			}
		})
	}
}
