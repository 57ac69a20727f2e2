package tiles

import "time"

// recency is an order of things by when they were used last, and the bytes that they take: some 70 bytes each, so that a million
// of pictures can be kept. Its zero value is empty.
type recency struct {
	at          map[digest]int32 // places in nodes
	nodes       []node
	free        []int32
	first, last int32 // ends of the list, as places plus 1: 0 is none
	bytes       int64
}

// node is one thing, between the one that was used after it and the one before.
type node struct {
	key            digest
	units          uint32 // of diskUnit bytes
	renewed        uint32 // when its file's time was renewed, in hours since 1970
	newer, earlier int32  // as places plus 1
}

func units(bytes int64) uint32 { return uint32((bytes + diskUnit - 1) / diskUnit) }

// use makes a thing the latest, new or known, and reports whether the time of its file is stale.
func (r *recency) use(key digest, bytes int64, now time.Time) (stale bool) {
	hour := uint32(now.Unix() / int64(freshenAfter/time.Second))
	i, known := r.at[key]
	if !known {
		i = r.add(key, bytes)
		r.nodes[i].renewed = hour
		r.linkFirst(i)
		return false
	}
	n := &r.nodes[i]
	r.bytes += (int64(units(bytes)) - int64(n.units)) * diskUnit
	n.units = units(bytes)
	stale = n.renewed != hour
	n.renewed = hour
	r.unlink(i)
	r.linkFirst(i)
	return stale
}

// addLast makes a thing that is not known the earliest.
func (r *recency) addLast(key digest, bytes int64) {
	if _, known := r.at[key]; known {
		return
	}
	i := r.add(key, bytes)
	n := &r.nodes[i]
	if n.newer = r.last; r.last != 0 {
		r.nodes[r.last-1].earlier = i + 1
	} else {
		r.first = i + 1
	}
	r.last = i + 1
}

// add takes a place for a thing, outside of the list.
func (r *recency) add(key digest, bytes int64) int32 {
	if r.at == nil {
		r.at = map[digest]int32{}
	}
	var i int32
	if n := len(r.free); n > 0 {
		i, r.free = r.free[n-1], r.free[:n-1]
	} else {
		i, r.nodes = int32(len(r.nodes)), append(r.nodes, node{})
	}
	r.nodes[i] = node{key: key, units: units(bytes)}
	r.at[key] = i
	r.bytes += int64(units(bytes)) * diskUnit
	return i
}

func (r *recency) linkFirst(i int32) {
	n := &r.nodes[i]
	if n.newer, n.earlier = 0, r.first; r.first != 0 {
		r.nodes[r.first-1].newer = i + 1
	} else {
		r.last = i + 1
	}
	r.first = i + 1
}

func (r *recency) unlink(i int32) {
	n := r.nodes[i]
	if n.newer != 0 {
		r.nodes[n.newer-1].earlier = n.earlier
	} else {
		r.first = n.earlier
	}
	if n.earlier != 0 {
		r.nodes[n.earlier-1].newer = n.newer
	} else {
		r.last = n.newer
	}
}

// drop forgets a thing.
func (r *recency) drop(key digest) {
	i, known := r.at[key]
	if !known {
		return
	}
	r.unlink(i)
	r.bytes -= int64(r.nodes[i].units) * diskUnit
	delete(r.at, key)
	r.free = append(r.free, i)
}

// shrink forgets the earliest until no more than so many bytes are left, and returns them.
func (r *recency) shrink(most int64) (gone []digest) {
	for r.bytes > most && r.last != 0 {
		key := r.nodes[r.last-1].key
		r.drop(key)
		gone = append(gone, key)
	}
	return gone
}
