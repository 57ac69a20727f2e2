package catalog

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
)

// TestRemembered: what is kept is what was given, is bounded in bytes, and two bodies under one key are never mixed up.
func TestRemembered(t *testing.T) {
	var m remembered
	packed, body := func(i int) []byte { return fmt.Appendf(nil, "packed %d", i) }, func(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%d,", i), 3000) }
	bytesKept := func() (n int) {
		for i := range m.shards {
			s := &m.shards[i]
			sum := 0
			for _, k := range s.of {
				sum += k.size()
			}
			if sum != s.bytes || len(s.queue) != len(s.of) {
				t.Fatalf("a shard has %d bodies of %d bytes, and counts %d of %d", len(s.of), sum, len(s.queue), s.bytes)
			}
			n += sum
		}
		return n
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 20_000 {
				i := (i*7 + worker) % 9_000
				key := hashStored(1, packed(i))
				k, again := m.get(key, 1, packed(i))
				if k == nil && again {
					k = m.keep(key, &kept{dict: 1, packed: packed(i), body: body(i)})
				}
				if k != nil && !bytes.HasPrefix(k.body, fmt.Appendf(nil, "%d,", i)) {
					t.Errorf("body %d is %.20s", i, k.body)
					return
				}
			}
		})
	}
	group.Wait()
	if n := bytesKept(); n > rememberedBytes || n < rememberedBytes/2 {
		t.Errorf("%d bytes are kept, of %d", n, rememberedBytes)
	}
	if k, again := m.get(1, 1, []byte("new")); k != nil || again {
		t.Error("what was never seen is known")
	}
	if _, again := m.get(1, 1, []byte("new")); !again {
		t.Error("what was seen once is not worth keeping")
	}
	m.keep(1, &kept{dict: 1, packed: []byte("one"), body: []byte("the first")})
	for _, other := range []struct {
		dict   int16
		packed string
	}{{1, "two"}, {2, "one"}} {
		if k, _ := m.get(1, other.dict, []byte(other.packed)); k != nil {
			t.Errorf("%+v is taken for another", other)
		}
	}
	large := bytes.Repeat([]byte("x"), rememberedBytes/8)
	if k := m.keep(2, &kept{dict: 1, packed: []byte("large"), body: large}); !bytes.Equal(k.body, large) {
		t.Error("a large body is cut")
	}
	if k, _ := m.get(2, 1, []byte("large")); k != nil {
		t.Error("a body is kept that is larger than its share")
	}
	bytesKept()
}
