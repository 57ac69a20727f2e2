// Package tiles draws items of the catalog: web tiles, previews, values at a point.
//
//	Request ─▶ View: item, preset, assets, expression   (parsed items and open COGs are kept, both bounded)
//	             │
//	             ├─▶ ETag            from checksums and parameters alone: no pixel is read
//	             └─▶ stored values ─▶ value = stored·scale + offset ─▶ expression ─▶ stretch ─▶ PNG, JPEG, WebP
//	                 (raster.Warp)
//
// Equal requests under way at the same moment are drawn once; a drawing that nobody waits for any more is cancelled; more
// requests than the queue holds are refused with fault.Unavailable. Places without data are transparent: a tile beside the
// item is an empty image, not an error, because web maps ask for it.
package tiles
