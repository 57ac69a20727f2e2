// Package hubtest is a hub for tests: it speaks the OData of the Copernicus Data Space Ecosystem, STAC and S3 over a made archive whose truth
// is known, and fails in the ways that real hubs do, repeatably by a seed.
//
//	archive ── lives, metadata, hostile bytes ─┐
//	profile ── faults of transport ────────────┼─▶ catalogue, token and keys, STAC, S3, orders, subscriptions
//	options ── quotas, token's life, speed ────┘    └─▶ downloads and nodes, under another host name
//
// A fault of transport strikes one subject twice at most, so that a correct client always ends with the truth. What clients do not see is
// under /control: the truth, and a call that lets the lives happen. The command hubserve in this folder serves one by hand.
package hubtest

// Profile is how bad a hub is.
type Profile int

// The profiles, from the best on.
const (
	None    Profile = iota // nothing fails
	Mild                   // what happens to the best of hubs
	Nasty                  // everything but hostile bytes
	Hostile                // these too
)

// Profiles are their names.
var Profiles = map[string]Profile{"none": None, "mild": Mild, "nasty": Nasty, "hostile": Hostile}
