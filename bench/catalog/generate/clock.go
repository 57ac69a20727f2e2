package main

import (
	"sort"
	"time"
)

// yearly is the archive's growth: products a day, relative to 2019, at the beginning of each year from 2015.
var yearly = []float64{0.05, 0.25, 0.5, 0.8, 1, 1.05, 1.1, 0.95, 0.9, 1, 1.15, 1.25}

// clock is the time of the archive: begin to end, in microseconds since 1970, with the share of all items before each day.
var clock = newTimeline(time.Date(2015, 7, 6, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))

const dayUs = 24 * 3600 * int64(1e6)

type timeline struct {
	beginUs int64
	before  []float64 // by day; one more than days
}

func newTimeline(begin, end time.Time) timeline {
	t := timeline{beginUs: begin.UnixMicro(), before: []float64{0}}
	sum := 0.0
	for day := begin; day.Before(end); day = day.AddDate(0, 0, 1) {
		at := float64(day.Year()-2015) + float64(day.YearDay()-1)/366
		i := int(at)
		sum += yearly[i] + (yearly[i+1]-yearly[i])*(at-float64(i))
		t.before = append(t.before, sum)
	}
	for i := range t.before {
		t.before[i] /= sum
	}
	return t
}

// at returns the time before which the share of all items lies.
func (t timeline) at(share float64) (us int64) {
	day := max(1, sort.SearchFloat64s(t.before, share))
	day = min(day, len(t.before)-1)
	part := (share - t.before[day-1]) / (t.before[day] - t.before[day-1])
	return t.beginUs + int64(float64(dayUs)*(float64(day-1)+part))
}
