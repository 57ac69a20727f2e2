package catalog

import (
	"strconv"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"

	"swath/stac/cql2"
)

// passing remembers about which part of the rows that are looked at matches filters of a kind, so that the next page of that kind
// reads at once about as many rows as it needs. It decides about no answer.
type passing struct {
	mu    sync.Mutex
	known map[uint64]passed
}

// passed counts rows of a kind of filter; the older ones count less.
type passed struct{ looked, passed float64 }

const (
	mostPassing   = 4096
	passingMemory = 2000 // rows of a kind that count
	passingMargin = 1.3  // times as many rows as are needed on the average are read: fewer pages take a second statement
	mostFirst     = 512
)

// kindOfFilter is a key of the parts of a filter that columns do not decide. Numbers that are compared with are alike to one digit.
func kindOfFilter(vague []cql2.Node) uint64 {
	var kind strings.Builder
	for _, part := range vague {
		if p, op, value, ok := sides(part); ok {
			if v, is := value.(cql2.Number); is {
				kind.WriteString(string(p) + string(op) + strconv.FormatFloat(float64(v), 'e', 0, 64) + "\x00")
				continue
			}
		}
		kind.WriteString(cql2.String(part) + "\x00")
	}
	return xxhash.Sum64String(kind.String())
}

// first returns how many rows are read first for a page of need hits, or otherwise where no filter of the kind has been seen.
func (p *passing) first(kind uint64, need, otherwise int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.known[kind]
	if k.looked < firstBatch/4 {
		return otherwise
	}
	if k.passed*mostFirst <= passingMargin*float64(need)*k.looked {
		return max(mostFirst, otherwise)
	}
	return int(passingMargin*float64(need)*k.looked/k.passed) + 1
}

// saw learns from what a page has looked at.
func (p *passing) saw(kind uint64, seen sight) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= mostPassing {
		p.known = map[uint64]passed{}
	}
	k := p.known[kind]
	k.looked, k.passed = k.looked+float64(seen.looked), k.passed+float64(seen.passed)
	if k.looked > passingMemory {
		k.looked, k.passed = k.looked/2, k.passed/2
	}
	p.known[kind] = k
}
