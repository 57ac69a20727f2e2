// Package catalog is the stac.Catalog in PostGIS.
//
//	item JSON ──▶ document ──┬─▶ body: a form of its collection, filled in   ┌── walk: an order, until a page is full
//	             checked     ├─▶ datetime, period, cloud cover, orbit, …     ├── cells: those that an area meets, or their newest
//	                         ├─▶ terms: hashes of what properties say        ├── ids, orbit: by name, by relative orbit
//	                         └─▶ footprint ──▶ box, loose cell, geometry     ├── terms: by an index of them
//	                                                      ▲                  └── chunks: by columns of numbers
//	search ──▶ plan ──▶ the cheapest route ──▶ candidates ┴─▶ a look at the bodies where columns can't tell ──▶ page, count
//
//	edit ──one transaction──▶ row, count, extent and properties where they are new ──NOTIFY──▶ collections in memory, read anew
//	                              └── housekeeping: folds counts, sweeps removed collections, trains dictionaries
//
// An item is one row of narrow columns that every search reads from an index, and a packed body that is read for the page
// alone and goes out as it was stored. Longitudes are unwrapped: west lies in [-180, 180) and east may pass 180, so that a
// box is one interval wherever it is; the exact geometry is split at the antimeridian instead.
//
// A page is ordered by what is asked for, then by datetime and insertion, newest first, and its token is the last row of it.
// So what is inserted while a client pages through never moves an item past it.
package catalog
