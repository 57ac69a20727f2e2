// Package ingest carries one product from a folder into the catalog.
//
//	path ─▶ found ─▶ read ─▶ plan ─┬─ layer ─▶ COG ──┐
//	          │ what is it?        ├─ file ──────────┼─▶ objects ─▶ item ─▶ catalog
//	          ▼                    └─ thumbnail ─────┘
//	      quarantine: refused, with the reason
//
// A plan says what a product becomes; publishing it is the same for every mission. Nothing is visible to readers before the
// last arrow, so an ingest that was killed leaves nothing but unreferenced objects, and the next run writes the same again.
// The revision, a sum over the product's content and the converter's version, names the objects: the same product changes
// nothing, a changed one gets new objects beside the old, which
// a later ingest collects when readers had time to leave them.
package ingest
