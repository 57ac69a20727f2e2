// Package s1ortho puts Sentinel-1 ground range images onto the tiles of Sentinel-2's grid.
//
//	GRD (slices of one pass) ─ unpack ─▶ digital numbers ─ border, noise, calibration ─▶ power, a window at a time ─┐
//	heights + geoid ─ bicubic ─▶ ground of a tile ─ range-Doppler ─▶ line and pixel of each pixel of the map ────────┴─ sampled once ─▶ COG
//
// # Radiometry
//
// Value = (DN² − N)/A². N is the annotated noise: of range, linear between vectors in lines and pixels, times that of azimuth inside its block
// (IPF 2.90 and later). A is sigmaNought, betaNought or gamma. Values below zero stay: means are right only with them; decibels are cut at
// −60 dB, and counted. Noise that is all zero (IPF before 2.50), or of another unit, is not subtracted, and said so.
//
// Border: from each side of a line, and from the ends of each column where no other slice goes on, everything is dropped up to a run of eight
// samples with DN² > N/2, and a guard of 3 samples (5 before IPF 2.90) behind it.
//
// # Geometry
//
// The centre of each 10 m pixel goes from UTM to longitude and latitude, to the ground (heights by Keys' kernel at 30 m, then between),
// to Earth-fixed axes, to time and slant range at zero Doppler, to the line by its tag (with the residual bistatic term, see package sar) and to
// the pixel by the annotation's polynomials. That is solved exactly every 64 pixels at three heights, which span the ground of each block of
// 256 x 256 pixels, and interpolated: on straight lines over the map and by a parabola in the height. A test holds the difference to the
// exact solution below 0.01 pixel. Power is sampled once (bilinearly unless asked otherwise), never decibels.
//
// # Flattening
//
// gamma-rtc: γ⁰ = β⁰·(δr·δa)/S (Small, IEEE TGRS 49(8), 2011, equations 10-13). S is the ground that a sample of the radar image shows: the
// sum over facets of 5 m of their area across the line of sight, 0 when they face away, shared bilinearly between the four samples around.
// δr is the sample's spacing in slant range, δa the satellite's way over the ground from line to line, computed and not nominal (0.07 dB). It
// begins from β⁰, because the calibration's incidence is not that of the ground. Where S is less than a twentieth of the slant area, nothing
// is written.
//
// # Layers on request
//
// Local incidence: between the ground's normal, of slopes over 60 m, and the line of sight. Mask: shadow where ground towards the satellite stands
// above the ray; layover where ground nearer or farther is seen at the same slant range, active and passive.
//
// # Tiles
//
// A tile is made when the share of its 109.8 km square that was measured, on its own ground, is at least min_coverage; it is sampled at
// 732 x 732 places. Slices of one pass share a tile: where the lines of one go on in the next they are sampled as
// one image, else the earlier wins where both have a value.
//
// # Validation
//
// A simulated product with known reflectors and parcels: 0.005 pixel rms in the plain, 0.03 in mountains; means of 94 regions within 0.005 dB.
// The annotation's geolocation grids of real products: see package sar. docs/chains/s1ortho.md has all figures.
package s1ortho
