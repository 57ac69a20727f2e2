package catalog

import (
	"strings"
	"time"

	"swath/fault"
)

// period is when an item was made: at lies in it, and orders it. All three are the same for most items.
type period struct{ at, begins, ends time.Time }

// parseInstant reads an RFC 3339 time with any offset, to the microsecond below. A leap second, which neither Go nor
// PostgreSQL can hold, is the instant that follows it.
func parseInstant(text string) (time.Time, error) {
	upper, leap := strings.ToUpper(text), false
	if len(upper) > 10 && upper[10] == ' ' { // as RFC 3339, 5.6 allows
		upper = upper[:10] + "T" + upper[11:]
	}
	if len(upper) > 19 && upper[16:19] == ":60" { // 2016-12-31T23:59:60Z
		upper, leap = upper[:17]+"59"+upper[19:], true
	}
	at, err := time.Parse(time.RFC3339, upper)
	if err != nil || strings.Contains(upper, ",") {
		return time.Time{}, fault.New(fault.Invalid, "%q is not an RFC 3339 time such as 2024-06-01T10:56:19Z", text)
	}
	at = at.UTC()
	if leap {
		at = at.Add(time.Second)
		if at.Second() != 0 {
			return time.Time{}, fault.New(fault.Invalid, "%q has 60 seconds in a minute that has no leap second", text)
		}
	}
	return at.Truncate(time.Microsecond), nil
}

// periodOf makes a period of an item's three properties, each of which may be missing (nil).
func periodOf(datetime, start, end *time.Time) (period, error) {
	switch {
	case datetime == nil && (start == nil || end == nil):
		return period{}, fault.New(fault.Invalid, "an item without datetime needs both start_datetime and end_datetime")
	case datetime == nil:
		datetime = start
	}
	p := period{at: *datetime, begins: *datetime, ends: *datetime}
	if start != nil && end != nil && start.After(*end) {
		return period{}, fault.New(fault.Invalid, "start_datetime is after end_datetime")
	}
	if start != nil && start.Before(p.at) {
		p.begins = *start
	}
	if end != nil && end.After(p.at) {
		p.ends = *end
	}
	return p, nil
}
