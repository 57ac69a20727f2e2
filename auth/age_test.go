package auth

import "time"

// Grow makes all that is believed so much older.
func (k *Keeper) Grow(by time.Duration) {
	k.known.mu.Lock()
	defer k.known.mu.Unlock()
	for proof, b := range k.known.of {
		b.until = b.until.Add(-by)
		k.known.of[proof] = b
	}
}
