package auth

import (
	"sync"
	"sync/atomic"
	"time"
)

// mostKnown bounds the credentials that are remembered, wrong ones too: whoever tries many makes the memory forget, not grow.
const mostKnown = 20_000

// memory remembers who came by which credential. Its zero value is empty.
type memory struct {
	mu         sync.RWMutex
	of         map[proof]belief
	generation atomic.Uint64 // another one whenever what was known has been forgotten
}

// belief is who it is, until then; nobody when the credential is not good.
type belief struct {
	who   Principal
	until time.Time
}

func (m *memory) get(by proof, now time.Time) (Principal, bool) {
	m.mu.RLock()
	b, ok := m.of[by]
	m.mu.RUnlock()
	return b.who, ok && now.Before(b.until)
}

// put remembers, unless all was forgotten since that generation.
func (m *memory) put(by proof, who Principal, until time.Time, generation uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.generation.Load() != generation {
		return
	}
	if m.of == nil || len(m.of) >= mostKnown {
		m.of = map[proof]belief{}
	}
	m.of[by] = belief{who, until}
}

func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.generation.Add(1)
	m.of = nil
}
