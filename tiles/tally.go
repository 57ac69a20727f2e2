package tiles

import (
	"cmp"
	"math"
	"slices"
)

// valueCount is how often a value occurs, and how much of the pixels that have it counts.
type valueCount struct {
	value  float32
	pixels int
	weight float64
}

// Tallies of more values than this are sorted instead of looked up.
const mostTallies = 1 << 16

// tallied counts the finite values of a plane, rising; share is how much of each pixel counts, nil for all. It returns how many pixels
// count at all, too. Of whole numbers, scaled or not, there are some thousand in a million pixels, which are found sooner than sorted.
func tallied(plane, share []float32) (all []valueCount, covered int) {
	table := newTallyTable(1 << 12)
	for i, value := range plane {
		weight := float32(1)
		if share != nil {
			if weight = share[i]; !(weight > 0) {
				continue
			}
			covered++
		}
		if math.Float32bits(value)&infinity >= infinity {
			continue
		}
		if !table.add(value, weight) {
			return sortedTallies(plane, share)
		}
	}
	if share == nil {
		covered = len(plane)
	}
	slices.SortFunc(table.all, func(a, b valueCount) int { return cmp.Compare(a.value, b.value) })
	return table.all, covered
}

// infinity is the exponent of what is no finite number.
const infinity = 0x7f800000

// tallyTable finds the tally of a value by its bits: an open hash table, at most half full.
type tallyTable struct {
	slots []int32 // places in all, counted from 1
	shift int     // of the product that the hash is the top of
	all   []valueCount
}

func newTallyTable(size int) *tallyTable {
	shift := 32
	for 1<<(32-shift) < size {
		shift--
	}
	return &tallyTable{slots: make([]int32, size), shift: shift}
}

// add counts a value; false when there are too many.
func (t *tallyTable) add(value float32, weight float32) bool {
	if value == 0 {
		value = 0 // the negative one as well
	}
	at := t.place(value)
	n := t.slots[at]
	if n == 0 {
		if 2*len(t.all) >= len(t.slots) {
			if len(t.all) >= mostTallies {
				return false
			}
			t.grow()
			at = t.place(value)
		}
		t.all = append(t.all, valueCount{value: value})
		n = int32(len(t.all))
		t.slots[at] = n
	}
	own := &t.all[n-1]
	own.pixels++
	own.weight += float64(weight)
	return true
}

// place is the slot of a value, or the free one where it would be.
func (t *tallyTable) place(value float32) uint32 {
	const golden = 2654435769 // 2^32 divided by the golden ratio (Knuth)
	mask := uint32(len(t.slots) - 1)
	at := math.Float32bits(value) * golden >> t.shift
	for t.slots[at] != 0 && t.all[t.slots[at]-1].value != value {
		at = (at + 1) & mask
	}
	return at
}

func (t *tallyTable) grow() {
	larger := newTallyTable(4 * len(t.slots))
	larger.all = t.all
	for i, own := range t.all {
		larger.slots[larger.place(own.value)] = int32(i + 1)
	}
	*t = *larger
}

// weighed is a value and how much of its pixel counts.
type weighed struct {
	value  float32
	weight float32
}

// sortedTallies is tallied of any number of values.
func sortedTallies(plane, share []float32) (all []valueCount, covered int) {
	valid, covered := make([]weighed, 0, len(plane)), len(plane)
	if share != nil {
		covered = 0
	}
	for i, value := range plane {
		weight := float32(1)
		if share != nil {
			if weight = share[i]; !(weight > 0) {
				continue
			}
			covered++
		}
		if math.Float32bits(value)&infinity < infinity {
			valid = append(valid, weighed{value, weight})
		}
	}
	valid = sorted(valid)
	for i, v := range valid {
		if i == 0 || v.value != valid[i-1].value {
			all = append(all, valueCount{value: v.value})
		}
		own := &all[len(all)-1]
		own.pixels++
		own.weight += float64(v.weight)
	}
	return all, covered
}

// sorted returns the values rising, by their bits: 11 at a time from the lowest, each time keeping the order before. A million values
// take a tenth of the time that comparing them takes.
func sorted(values []weighed) []weighed {
	const digits, bits = 3, 11
	key := func(w weighed) uint32 { // as floats compare, so do these: the sign turned, and of negative ones all else
		b := math.Float32bits(w.value)
		return b ^ (uint32(int32(b)>>31) | 1<<31)
	}
	var counts [digits][1 << bits]int
	for _, w := range values {
		k := key(w)
		for d := range digits {
			counts[d][k>>(d*bits)&(1<<bits-1)]++
		}
	}
	to := make([]weighed, len(values))
	for d := range digits {
		at, next := &counts[d], 0
		if slices.Contains(at[:], len(values)) {
			continue // all have the same digit
		}
		for i, n := range at {
			at[i], next = next, next+n
		}
		for _, w := range values {
			digit := key(w) >> (d * bits) & (1<<bits - 1)
			to[at[digit]] = w
			at[digit]++
		}
		values, to = to, values
	}
	return values
}
