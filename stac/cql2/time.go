package cql2

import (
	"strings"
	"time"
)

// period is from its first to its last moment, both included. PostgreSQL counts microseconds, and so does every comparison.
type period struct{ first, last time.Time }

// The ends of an interval that is open.
var (
	longAgo  = time.Date(-1_000_000, 1, 1, 0, 0, 0, 0, time.UTC)
	farAhead = time.Date(1_000_000, 1, 1, 0, 0, 0, 0, time.UTC)
)

// instantOf reads an RFC 3339 time with any offset, to the microsecond below. A leap second is the instant that follows it.
func instantOf(s string) (time.Time, bool) {
	if len(s) < 20 || !rfc3339.MatchString(s) {
		return time.Time{}, false
	}
	s = strings.ToUpper(s[:10] + "T" + s[11:])
	leap := s[16:19] == ":60"
	if leap {
		s = s[:17] + "59" + s[19:]
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, false
	}
	t = t.UTC()
	if leap {
		if t.Second() != 59 || t.Minute() != 59 {
			return time.Time{}, false
		}
		t = t.Truncate(time.Second).Add(time.Second)
	}
	return t.Truncate(time.Microsecond), true
}

// day is a whole day of UTC.
func day(midnight time.Time) period {
	return period{midnight, midnight.AddDate(0, 0, 1).Add(-time.Microsecond)}
}

// limits returns the moments of a literal.
func limits(n Node) (period, bool) {
	switch n := n.(type) {
	case Timestamp:
		return period{n.Time, n.Time}, true
	case Date:
		return day(n.Time), true
	}
	return period{}, false
}

// periodOf reads a text of an item: a time, or a day.
func periodOf(s string) (period, bool) {
	if t, ok := instantOf(s); ok {
		return period{t, t}, true
	}
	if len(s) == len(time.DateOnly) {
		if t, err := time.Parse(time.DateOnly, s); err == nil {
			return day(t), true
		}
	}
	return period{}, false
}

// relate decides a temporal function (OGC 21-065r2, table 12: Allen's relations, of closed intervals).
func relate(op TemporalOp, a, b period) bool {
	first, last := a.first.Compare(b.first), a.last.Compare(b.last)
	switch op {
	case TAfter:
		return a.first.After(b.last)
	case TBefore:
		return a.last.Before(b.first)
	case TContains:
		return first < 0 && last > 0
	case TDisjoint:
		return a.last.Before(b.first) || a.first.After(b.last)
	case TDuring:
		return first > 0 && last < 0
	case TEquals:
		return first == 0 && last == 0
	case TFinishedBy:
		return first < 0 && last == 0
	case TFinishes:
		return first > 0 && last == 0
	case TIntersects:
		return !a.last.Before(b.first) && !a.first.After(b.last)
	case TMeets:
		return a.last.Equal(b.first)
	case TMetBy:
		return a.first.Equal(b.last)
	case TOverlappedBy:
		return first > 0 && a.first.Before(b.last) && last > 0
	case TOverlaps:
		return first < 0 && a.last.After(b.first) && last < 0
	case TStartedBy:
		return first == 0 && last > 0
	case TStarts:
		return first == 0 && last < 0
	}
	return false
}
