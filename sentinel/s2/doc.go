// Package s2 reads the metadata of Sentinel-2 L1C and L2A products; it reads no pixels.
//
//	MTD_MSIL1C.xml / MTD_MSIL2A.xml ─┐
//	GRANULE/…/MTD_TL.xml ────────────┼─ Read ─▶ Product: orbit, grids, bands with offsets, angles, images, masks, missing files
//	metadata.xml + tileInfo.json ────┘
//	GRANULE/…/MSK_*.gml ─────────────── ReadMask ─▶ polygons in map coordinates
//
// Two layouts are read: the compact SAFE of since December 2016, one tile each, and the tile folders of the public buckets
// (metadata.xml). Products with more than one tile, and the format before December 2016, are refused by name.
//
// Reflectance = DN·Scale + Offset, DN 0 is nodata. The offset is there when the product gives one (baseline 04.00 and every
// reprocessing), whatever the date. Angles are degrees; grids have NaN where nothing was given.
package s2
