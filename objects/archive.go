package objects

import "context"

// Archive is cold storage behind a Store: it holds copies of objects whose bytes the store may give up, and brings them back into the
// store. Every method may be repeated, also by another process after this one was killed.
type Archive interface {
	// Status says of each key, in the order asked, where its bytes are.
	Status(ctx context.Context, keys []string) ([]Holding, error)
	// Restore asks for the bytes of keys to be brought into the store and to stay for days; tier is how fast, in the archive's own words.
	// Keys that are there, or on their way, are left alone. The map names those that were refused.
	Restore(ctx context.Context, keys []string, days int, tier string) (refused map[string]error, err error)
	// Cancel gives up restores that have not ended, as far as the archive can.
	Cancel(ctx context.Context, keys []string) error
	// Keep copies objects of the store into the archive.
	Keep(ctx context.Context, keys []string) error
	// Release lets the store give up the bytes of keys that the archive holds.
	Release(ctx context.Context, keys []string) error
	// Remove forgets keys.
	Remove(ctx context.Context, keys []string) error
}

// Place is where the bytes of an object are.
type Place int

// The places.
const (
	Lost      Place = iota // the archive does not hold them
	Archived               // in the archive alone
	Restoring              // on their way
	Failed                 // on their way, and something went wrong; Restore tries again
	Online                 // in the store
)

// Holding is what an archive says of one object.
type Holding struct {
	Key      string
	Place    Place
	Volume   string // the tape; empty: not said
	Position int64  // on it
	Reason   string // of a failure
}
