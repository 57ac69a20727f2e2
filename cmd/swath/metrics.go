package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"swath/tiles"
)

// blockCacheMetrics shows how the cache of decoded raster blocks does.
func blockCacheMetrics(r *tiles.Renderer) []prometheus.Collector {
	return []prometheus.Collector{
		counter("swath_block_cache_hits_total", "Raster blocks found decoded.", func() float64 { return float64(r.CacheStats().Hits) }),
		counter("swath_block_cache_misses_total", "Raster blocks that had to be read and decoded.", func() float64 { return float64(r.CacheStats().Misses) }),
		gauge("swath_block_cache_bytes", "Decoded raster blocks held.", func() float64 { return float64(r.CacheStats().Bytes) }),
	}
}

// tileCacheMetrics shows how the cache of drawn pictures does.
func tileCacheMetrics(d *tiles.DiskCache) []prometheus.Collector {
	return []prometheus.Collector{
		counter("swath_tile_cache_hits_total", "Pictures found drawn.", func() float64 { return float64(d.Stats().Hits) }),
		counter("swath_tile_cache_misses_total", "Pictures that had to be drawn.", func() float64 { return float64(d.Stats().Misses) }),
		gauge("swath_tile_cache_files", "Pictures kept.", func() float64 { return float64(d.Stats().Files) }),
		gauge("swath_tile_cache_bytes", "Space that they take on the disk.", func() float64 { return float64(d.Stats().Bytes) }),
	}
}

func counter(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
}

func gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}
