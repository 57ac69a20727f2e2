package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"swath/tiles"
)

// blockCacheMetrics shows how the cache of decoded raster blocks does.
func blockCacheMetrics(r *tiles.Renderer) []prometheus.Collector {
	counter := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
	}
	return []prometheus.Collector{
		counter("swath_block_cache_hits_total", "Raster blocks found decoded.", func() float64 { return float64(r.CacheStats().Hits) }),
		counter("swath_block_cache_misses_total", "Raster blocks that had to be read and decoded.", func() float64 { return float64(r.CacheStats().Misses) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "swath_block_cache_bytes", Help: "Decoded raster blocks held."},
			func() float64 { return float64(r.CacheStats().Bytes) }),
	}
}
