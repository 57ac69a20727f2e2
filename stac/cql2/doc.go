// Package cql2 is the filter language of STAC and OGC API Features: CQL2 (OGC 21-065r2), in its text and JSON forms.
//
//	text ──ParseText──┐                     ┌── String, JSON: written again
//	                  ├──▶ a tree of Nodes ─┼── Match: is it true of this item?
//	JSON ──ParseJSON──┘     checked, bounded └── the catalog compiles it to SQL
//
// What is parsed is of bounded size and depth and well typed as far as that can be known without the data. Truth has three
// values: a property that an item lacks is null, a comparison with null is neither true nor false, and only what is true
// matches. So it is for values of different kinds and for what division by zero gives. Texts that are times are compared as
// moments, with a literal time and with each other.
package cql2
