// Package parcel makes one zip of several objects without building it: where each of its bytes comes from is known before the first is read.
//
//	files (name, size, SHA-256) ─▶ New ─▶ size, tag
//	                                └─▶ [header│file│header│file│…│directory│end] ◀─ Stream(off, n): ranges of objects, and what stands between them
//
// Files are stored as they are, not packed. What a zip says of a file beside its size is its CRC-32, which takes a reading of the file: Sums
// keeps it, by the SHA-256 of the content, so that each content is read for it once. The same files make the same bytes, whenever and by whom.
package parcel
