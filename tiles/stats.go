package tiles

import "swath/raster"

// CacheStats returns the use of the decoded-block cache that all drawings share.
func (r *Renderer) CacheStats() raster.CacheStats { return r.reader.CacheStats() }
