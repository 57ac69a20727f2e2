// Package s1 reads the metadata of Sentinel-1 level-1 products (GRD and SLC); it touches no pixel.
//
//	manifest.safe ──┐
//	annotation/*.xml├─ Read ──────────▶ Product: when, where, which orbit; for each polarisation (and subswath) the image's
//	                │                   timing, orbit, ground range polynomials and geolocation grid
//	calibration-*.xml  ReadCalibration ▶ DN to sigma, beta, gamma nought
//	noise-*.xml        ReadNoise ──────▶ thermal noise, in the form before IPF 2.90 and the one since
//
// Whatever the processor's version, a caller finds the same fields, checked: sizes and spacings are positive, lists are as
// long as they say, times and places are possible. What breaks that is fault.Invalid, naming file and element. Files that the
// manifest lists and the product lacks, or holds with no byte, are in Missing: an image, or all of one polarisation.
//
// Lines and pixels are the product's own: whole numbers are the centres of samples, the first is 0. Only GCPs turns them into
// the corner convention of package geo.
//
// Element names and units: ESA, Sentinel-1 Product Specification (S1-RS-MDA-52-7441).
package s1
