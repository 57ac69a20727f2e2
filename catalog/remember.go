package catalog

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/cespare/xxhash/v2"

	"swath/stac"
)

// remembered keeps what is unpacked of the bodies that are asked for again and again, by what is stored of them: a page of a hundred
// items costs half when it needs no unpacking. What is stored never changes under its bytes, so nothing here is ever out of date. It is
// safe for concurrent use.
type remembered struct {
	shards [16]shard
}

const (
	rememberedBytes = 32 << 20 // of bodies and what is stored of them
	onceSeen        = 1 << 12  // of each shard: a body is kept when it is asked for the second time among about so many
)

// shard is a part of the memory; the first that comes goes first.
type shard struct {
	mu    sync.Mutex
	of    map[uint64]*kept
	queue []uint64
	bytes int
	once  [onceSeen]uint32
}

// kept is one body, or what of it is enough to decide a filter. It is shared, and never changed.
type kept struct {
	dict   int16
	packed []byte
	form   *form    // nil: see body
	filled []byte   // of the form
	ends   []uint16 // of its lines; nil is not known
	body   []byte   // nil: see form
	id     string   // of the item; "" without a body
	served stac.Served
}

// hashStored is a key of what is stored of a body.
func hashStored(dict int16, packed []byte) uint64 {
	var number [2]byte
	binary.LittleEndian.PutUint16(number[:], uint16(dict))
	return xxhash.Sum64(packed) ^ xxhash.Sum64(number[:])
}

// get returns a body, or nil and whether it is worth keeping when it has been unpacked.
func (m *remembered) get(key uint64, dict int16, packed []byte) (k *kept, again bool) {
	s := &m.shards[key%uint64(len(m.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	if k = s.of[key]; k != nil && k.dict == dict && bytes.Equal(k.packed, packed) {
		return k, false
	}
	place, sign := &s.once[key>>8%onceSeen], uint32(key>>32)
	again = *place == sign
	*place = sign
	return nil, again
}

// keep takes a copy of what is unpacked.
func (m *remembered) keep(key uint64, k *kept) *kept {
	all := make([]byte, 0, k.size())
	for _, part := range []*[]byte{&k.packed, &k.filled, &k.body} {
		if *part != nil {
			from := len(all)
			all = append(all, *part...)
			*part = all[from:len(all):len(all)]
		}
	}
	s := &m.shards[key%uint64(len(m.shards))]
	if k.size() > rememberedBytes/len(m.shards)/16 {
		return k
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[uint64]*kept{}
	}
	if old := s.of[key]; old != nil { // another was faster, or has the same key, or it has more now; it has its place in the queue
		s.bytes -= old.size()
	} else {
		s.queue = append(s.queue, key)
	}
	s.of[key] = k
	for s.bytes += k.size(); s.bytes > rememberedBytes/len(m.shards); s.queue = s.queue[1:] {
		s.bytes -= s.of[s.queue[0]].size()
		delete(s.of, s.queue[0])
	}
	return k
}

// serve makes an item of a body.
func (k *kept) serve(it *stac.Item) { it.ID, it.Body, it.Served = k.id, k.body, &k.served }

// size is what it takes, about: with its place in the shard.
func (k *kept) size() int { return len(k.packed) + len(k.filled) + 2*len(k.ends) + len(k.body) + 300 }
