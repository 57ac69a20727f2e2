// Package s1tiling makes series of Sentinel-1 images on tiles of Sentinel-2's grid, and takes the speckle out of them over time.
//
//	GRD products of an orbit ─ s1ortho, a pass at a time ─▶ tiles of each date ─┬─▶ S1-L1-ORTHO/31TGL/2018/07/20/s1b_sig_31TGL_vvvh_DES_139_20180720txxxxxx.tif
//	states of earlier runs ── Σ I/E, number of dates ──────── + each new date ───┴─▶ …_filtered.tif, and the state with the new dates in it
//
// # Method
//
// Quegan and Yu, "Filtering of multichannel SAR images", IEEE TGRS 39(11), 2001, equation 9 with weights for uncorrelated dates:
//
//	J_k = E_k/N · Σ_i I_i/E_i
//
// I is power, E its mean over a square window (7 x 7 unless asked otherwise) of what was measured, N how many of the dates were measured at the
// pixel. J keeps the resolution of one date: what is brighter than its surroundings on all dates stays so. It does not spread over nodata: a
// pixel that a date lacks, the filtered date lacks.
//
// With the guard (on unless asked otherwise) a ratio I/E that one speckled value in a thousand would exceed, given the mean ratio of the dates
// before, counts as that mean; and the value itself stays in its own date. Ships then stay where they were, and nowhere else.
//
// # Two steps, and new dates
//
// Σ I/E and N of each pixel are the state: a GeoTIFF beside the tiles. A date is added to it without any other date being read; dates of the same run
// are then filtered with the state of all of them. Dates of before are filtered again only when they are given as images. A date that is in the
// state already is not added twice. A state belongs to one tile, relative orbit, direction, polarisations, calibration and window: others are refused,
// because ratios of different geometry mean nothing together.
//
// Sums of ratios keep twelve bits after each date: 0.01 % of them, half of a file's bytes, and the same sums whether dates come one by one or together.
// Up to four dates are added and filtered in one pass over the tile; more are read twice.
//
// Below 15 dates a warning says that little is won; below 5 nothing is filtered.
//
// # Looks
//
// The report tells the equivalent number of looks before and after: mean²/variance in squares of 15 pixels, the value that most squares have. The window
// should be large against the speckle's own size: at 10 m samples of a GRD are correlated over two pixels.
// What the guard takes for the looks of
// single dates comes from the state, else from the products (sar:looks_equivalent_number: 4.4 of IW, 2.7 and 10.7 of EW in high and medium
// resolution), else from the first image, and is in the report.
//
// # Validation
//
// 20 simulated dates of 4.5 looks, 7 x 7: looks by more than 4.5, bias below 0.1 dB, a line of one pixel keeps 0.99 of its contrast, a change of 6 dB is
// kept within 0.02 dB, nodata exactly. A real series of 58 dates (Sentinel-1 σ⁰ VH at 20 m, Poland): 14.7 to 55.9 looks, bias −0.02 dB. See docs/chains/s1tiling.md.
package s1tiling
