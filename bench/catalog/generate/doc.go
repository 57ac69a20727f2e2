// Command generate writes the items of an archive of Sentinel-1, Sentinel-2 and SPOT products that never existed, as one item
// a line. The same seed and number give the same bytes.
//
//	rate of the years ─▶ stretches of time ─▶ scenes on the orbits ─▶ items, one a line ─▶ stdout, in order of time
//	                                           ▲                       ▲
//	        passes over the squares of land ───┘        the collections' item_assets
//
// The orbits are circular, sun-synchronous and repeat exactly; their phases and numbers are those of the real satellites.
// Sentinel-1 footprints are slices of the swath to the right of the track; Sentinel-2 footprints are squares of the mission's
// grid, cut at the edges of the swath; SPOT footprints lie anywhere within reach of the track. A stretch of time is made from its
// own random numbers alone, so stretches are made side by side, and one of them can be made without the others.
//
// Identifiers, properties and assets are as agencies and Swath's own ingest write them. One item in 100,000 has the
// processing:facility "Airbus DS-Newport": a value that no index was told about.
package main
