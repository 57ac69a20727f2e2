package main

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"swath/objects/copies"
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

// archiveMetrics shows what is in the archive and how its queue does. It is counted at most twice a minute, however often it is asked for.
type archiveMetrics struct {
	copies *copies.Store
	buffer int64 // bytes

	mu      sync.Mutex
	counted time.Time
	figures copies.Figures
	pace    copies.Pace
}

var (
	archiveCopies  = prometheus.NewDesc("swath_archive_copies", "Files that have a copy in the archive, by state.", []string{"state"}, nil)
	archiveBytes   = prometheus.NewDesc("swath_archive_bytes", "Their bytes, by state.", []string{"state"}, nil)
	archiveOpen    = prometheus.NewDesc("swath_archive_requests", "Requests that wait for a file.", nil, nil)
	archiveUsed    = prometheus.NewDesc("swath_archive_buffer_used_bytes", "Bytes on their way from the archive, and online.", nil, nil)
	archiveBuffer  = prometheus.NewDesc("swath_archive_buffer_bytes", "Bytes that they may take; 0 is any.", nil, nil)
	archiveRestore = prometheus.NewDesc("swath_archive_restore_seconds", "Mean time of the last hundred restores.", nil, nil)
	archiveHour    = prometheus.NewDesc("swath_archive_hour_bytes", "Bytes that came in the last hour and are online.", nil, nil)
)

// Describe says what is shown.
func (a *archiveMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{archiveCopies, archiveBytes, archiveOpen, archiveUsed, archiveBuffer, archiveRestore, archiveHour} {
		to <- d
	}
}

// Collect shows it.
func (a *archiveMetrics) Collect(to chan<- prometheus.Metric) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Since(a.counted) > 30*time.Second {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		figures, err := a.copies.Figures(ctx)
		pace, paceErr := a.copies.Pace(ctx)
		if err != nil || paceErr != nil {
			return // the database's own figures tell
		}
		a.figures, a.pace, a.counted = figures, pace, time.Now()
	}
	show := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, s := range copies.States {
		show(archiveCopies, float64(a.figures.Copies[s]), string(s))
		show(archiveBytes, float64(a.figures.Bytes[s]), string(s))
	}
	show(archiveOpen, float64(a.figures.Open))
	show(archiveUsed, float64(a.figures.Used))
	show(archiveBuffer, float64(a.buffer))
	show(archiveHour, a.pace.HourBytes)
	if a.pace.RestoreS >= 0 {
		show(archiveRestore, a.pace.RestoreS)
	}
}
