package main

import (
	"time"
	_ "time/tzdata" // zones are known on machines without them, too
)

// BandwidthConfig is what the downloads from a hub may take together between two times of every day.
type BandwidthConfig struct {
	From    string  `yaml:"from"` // HH:MM on the clock of the hub's time_zone
	To      string  `yaml:"to"`   // HH:MM, at most 24:00; before From: on the next day
	MiBPerS float64 `yaml:"mib_per_s"`
}

// minuteOf reads HH:MM as a minute of the day.
func minuteOf(text string) (minute int, ok bool) {
	if text == "24:00" {
		return 24 * 60, true
	}
	at, err := time.Parse("15:04", text)
	return at.Hour()*60 + at.Minute(), err == nil
}

// holds reports whether a minute of the day lies between the two times.
func (b BandwidthConfig) holds(minute int) bool {
	from, _ := minuteOf(b.From)
	to, _ := minuteOf(b.To)
	if from < to {
		return minute >= from && minute < to
	}
	return minute >= from || minute < to
}

// bandwidthMistakes names what is wrong with the times of a hub.
func bandwidthMistakes(windows []BandwidthConfig, zone string, bad func(name, format string, args ...any)) {
	if _, err := time.LoadLocation(zone); err != nil {
		bad(".time_zone", "%q is not a time zone such as UTC or Europe/Paris", zone)
	}
	taken := [24 * 60]bool{}
	for _, w := range windows {
		from, okFrom := minuteOf(w.From)
		to, okTo := minuteOf(w.To)
		switch {
		case !okFrom || !okTo || from == to || from == 24*60:
			bad(".bandwidth", "%q to %q are not two times of a day such as 08:00 and 18:00", w.From, w.To)
			continue
		case w.MiBPerS <= 0:
			bad(".bandwidth", "mib_per_s from %s to %s must be more than 0", w.From, w.To)
		}
		for minute := range taken {
			if w.holds(minute) {
				if taken[minute] {
					bad(".bandwidth", "%s to %s overlaps another", w.From, w.To)
					break
				}
				taken[minute] = true
			}
		}
	}
}

// bytesAt is how many bytes a second may come at a moment; 0: any number.
func bytesAt(windows []BandwidthConfig, zone *time.Location, at time.Time) float64 {
	at = at.In(zone)
	for _, w := range windows {
		if w.holds(at.Hour()*60 + at.Minute()) {
			return w.MiBPerS * (1 << 20)
		}
	}
	return 0
}
