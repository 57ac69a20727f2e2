// Package spot reads the metadata of SPOT products in DIMAP format; it touches no pixel.
//
//	METADATA.DIM (DIMAP 1: SPOT 1-5, World Heritage) ─┐
//	                                                  ├─ Read ─▶ Product: when, how seen, bands in file order,
//	DIM_*.XML (DIMAP 2: SPOT 6-7) ────────────────────┘          DN to reflectance, tie points or map grid, files
//
// What a caller is given has passed the same checks for both: every band has its place in the file, angles and positions
// are possible ones, no file name leads out of the product. A product that breaks one is fault.Invalid, naming file and
// element; an image that is not there is listed in Missing.
//
// Element names: Spot Image, DIMAP dictionary 1.1.3 (SPOTScene and SPOTView profiles), and for DIMAP 2 the SPOT 6/7
// deliveries that the Terradue/Stars project keeps as test data.
package spot
