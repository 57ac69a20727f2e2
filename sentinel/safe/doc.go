// Package safe opens a product, a folder or a zip, as a file system, and reads what every SAFE product has: its manifest.
//
//	folder ─┐                        ┌─ ReadManifest ─▶ Manifest ─ Verify ─▶ what is missing or damaged
//	        ├─ Open ─▶ Product.FS ───┤
//	zip ────┘   refused if unsafe    └─ DecodeXML ────▶ the readers of each mission
//
// Nothing is unpacked, and nothing outside the product can be reached through it: symbolic links that leave a folder, and
// zips with absolute, escaping or repeated names, links, or sizes of a decompression bomb are refused with the reason. A zip
// inside a zip is a file like any other. XML is read without DOCTYPE, up to MaxXMLBytes and MaxXMLDepth.
package safe
