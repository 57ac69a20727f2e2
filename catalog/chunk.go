package catalog

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"sync"

	"swath/stac/cql2"
)

// Chunks answer ranges of numbers that no index knows.
//
//	declared by a collection ──┐            ┌── chunks: 4 bytes an item ──┐
//	often asked for ───────────┴─▶ property ┼── items replaced since ─────┼──▶ keys of items ──▶ bodies are looked at again
//	                                        └── items too new for one ────┘
//
// A number is kept as the nearest float32. Rounding keeps the order, so what lies between two numbers lies between them when
// all three are rounded: a chunk names every item of a range and hardly another.

// chunkItems is how many items a chunk is of: those whose keys have this quotient in common.
const chunkItems = 4096

// columnChunk is the numbers of one property in one block of items; NaN is none.
type columnChunk [chunkItems]float32

func emptyChunk() *columnChunk {
	var c columnChunk
	for i := range c {
		c[i] = float32(math.NaN())
	}
	return &c
}

// parseChunk reads what bytes wrote; nothing is an empty chunk.
func parseChunk(raw []byte) *columnChunk {
	c := emptyChunk()
	for i := range min(len(raw)/4, chunkItems) {
		c[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return c
}

// bytes returns the chunk as it is stored, with the number of its values and their ends.
func (c *columnChunk) bytes() (raw []byte, n int32, lo, hi float32) {
	lo, hi = float32(math.Inf(1)), float32(math.Inf(-1))
	raw = make([]byte, 0, 4*chunkItems)
	for _, v := range c {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		if v == v {
			n++
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if n == 0 {
		return []byte{}, 0, 0, 0
	}
	return raw, n, lo, hi
}

// set notes the number that an item has of a property, if it has one.
func (c *columnChunk) set(pk int64, it *cql2.Item, name string) {
	v, ok := it.Value(cql2.Property(name)).(float64)
	if !ok {
		v = math.NaN()
	}
	c[pk%chunkItems] = float32(v)
}

const (
	mostDeclared = 64 // properties of all collections that have chunks because they are declared
	mostWished   = 16 // and because they are often asked for
	wishesEnough = 3  // searches
)

// wishes are the properties for which chunks would have helped.
type wishes struct {
	mu    sync.Mutex
	asked map[string]int
}

// add notes that a search by a range of this property had to look at many bodies.
func (w *wishes) add(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked == nil {
		w.asked = map[string]int{}
	}
	if _, known := w.asked[name]; known || len(w.asked) < mostProperties {
		w.asked[name]++
	}
}

// often returns the names that were asked for often enough, the most wanted first.
func (w *wishes) often() (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, n := range w.asked {
		if n >= wishesEnough {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return w.asked[b] - w.asked[a] })
	return names[:min(len(names), mostWished)]
}

// declaredNumbers returns the properties that collections declare as numbers: members of "queryables" (a JSON Schema, as OGC
// API Features Part 3 has it) of type number or integer, and ranges in "summaries". What has a column needs no chunks.
func declaredNumbers(set *collectionSet) []string {
	all := map[string]bool{}
	for _, c := range set.byID {
		var doc struct {
			Queryables struct {
				Properties map[string]struct {
					Type any `json:"type"`
				} `json:"properties"`
			} `json:"queryables"`
		}
		_ = json.Unmarshal(c.stored, &doc) // another form declares nothing
		for name, schema := range doc.Queryables.Properties {
			if schema.Type == "number" || schema.Type == "integer" {
				all[name] = true
			}
		}
		var ranges struct {
			Summaries map[string]json.RawMessage `json:"summaries"`
		}
		_ = json.Unmarshal(c.stored, &ranges)
		for name, raw := range ranges.Summaries {
			var ends struct{ Minimum, Maximum *float64 }
			if json.Unmarshal(raw, &ends) == nil && ends.Minimum != nil && ends.Maximum != nil {
				all[name] = true
			}
		}
	}
	for name := range all {
		if !mayHaveChunks(name) {
			delete(all, name)
		}
	}
	names := slices.Sorted(maps.Keys(all))
	return names[:min(len(names), mostDeclared)]
}

// mayHaveChunks reports whether a property can have chunks: it is a name for a column, and has none of its own.
func mayHaveChunks(name string) bool {
	switch name {
	case "eo:cloud_cover", "sat:relative_orbit", "datetime", "id", "collection", "geometry", "bbox", "type", "stac_version":
		return false
	}
	return name != "" && len(name) <= longestNameBytes && !slices.Contains([]byte(name), 0)
}
