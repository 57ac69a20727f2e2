package main

import (
	"strings"
	"testing"
	"time"
)

// TestBandwidthByTime: what downloads may take follows the clock of the zone that is named, also past midnight and when summer begins.
func TestBandwidthByTime(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	windows := []BandwidthConfig{{"08:00", "18:00", 2}, {"22:30", "06:00", 5}}
	for text, want := range map[string]float64{
		"2026-01-15T06:59:59Z": 0, "2026-01-15T07:00:00Z": 2, "2026-01-15T16:59:59Z": 2, "2026-01-15T17:00:00Z": 0, // UTC+1
		"2026-07-15T05:59:59Z": 0, "2026-07-15T06:00:00Z": 2, "2026-07-15T16:00:00Z": 0, // UTC+2
		"2026-01-15T21:29:00Z": 0, "2026-01-15T21:30:00Z": 5, "2026-01-15T23:30:00Z": 5, "2026-01-16T04:59:59Z": 5, "2026-01-16T05:00:00Z": 0,
	} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytesAt(windows, paris, at); got != want*(1<<20) {
			t.Errorf("%s: %g MiB/s, want %g", text, got/(1<<20), want)
		}
	}
	if got := bytesAt([]BandwidthConfig{{"00:00", "24:00", 1}}, time.UTC, time.Date(2026, 1, 1, 23, 59, 59, 0, time.UTC)); got != 1<<20 {
		t.Errorf("a whole day: %g", got)
	}
}

// TestBandwidthMistakes: what is wrong is named.
func TestBandwidthMistakes(t *testing.T) {
	for _, c := range []struct {
		windows []BandwidthConfig
		zone    string
		want    string
	}{
		{[]BandwidthConfig{{"8am", "18:00", 1}}, "", "not two times"},
		{[]BandwidthConfig{{"08:00", "08:00", 1}}, "", "not two times"},
		{[]BandwidthConfig{{"08:00", "18:00", 0}}, "", "more than 0"},
		{[]BandwidthConfig{{"08:00", "18:00", 1}, {"17:59", "20:00", 1}}, "", "overlaps"},
		{[]BandwidthConfig{{"22:00", "08:01", 1}, {"08:00", "18:00", 1}}, "", "overlaps"},
		{nil, "Europe/Toulouse", "time zone"},
		{[]BandwidthConfig{{"08:00", "18:00", 1}, {"18:00", "08:00", 2}}, "Europe/Paris", ""},
	} {
		var said []string
		bandwidthMistakes(c.windows, c.zone, func(name, format string, _ ...any) { said = append(said, name+": "+format) })
		if got := strings.Join(said, "; "); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v in %q: %q, want %q", c.windows, c.zone, got, c.want)
		}
	}
}
