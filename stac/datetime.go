package stac

import (
	"regexp"
	"strings"
	"time"

	"swath/fault"
)

// rfc3339 is the grammar of RFC 3339, 5.6. Go's own parser is wider (a comma) and narrower (no leap second, no "t").
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`)

// ParseDatetime reads a datetime filter: an instant, or start/end where one end may be open ("..", or nothing).
func ParseDatetime(text string) (*Interval, error) {
	start, end, isInterval := strings.Cut(text, "/")
	if !isInterval {
		t, err := parseInstant(text)
		return &Interval{Start: t, End: t}, err
	}
	open := func(end string) bool { return end == "" || end == ".." }
	if open(start) && open(end) {
		return nil, fault.New(fault.Invalid, "datetime %q is open at both ends; leave it out instead", text)
	}
	var in Interval
	var err error
	if !open(start) {
		if in.Start, err = parseInstant(start); err != nil {
			return nil, err
		}
	}
	if !open(end) {
		if in.End, err = parseInstant(end); err != nil {
			return nil, err
		}
	}
	if in.Start != nil && in.End != nil && in.End.Before(*in.Start) {
		return nil, fault.New(fault.Invalid, "datetime %q ends before it starts", text)
	}
	return &in, nil
}

// ParseInstant reads an RFC 3339 time.
func ParseInstant(text string) (time.Time, error) {
	t, err := parseInstant(text)
	if err != nil {
		return time.Time{}, err
	}
	return *t, nil
}

// parseInstant reads one RFC 3339 instant. A leap second (23:59:60 UTC) is the first moment of the next day.
func parseInstant(text string) (*time.Time, error) {
	wrong := fault.New(fault.Invalid, "datetime %q is not an RFC 3339 time such as 2024-06-12T10:56:19Z", text)
	if !rfc3339.MatchString(text) {
		return nil, wrong
	}
	text = strings.ToUpper(text)
	leap := text[17:19] == "60"
	if leap {
		text = text[:17] + "59" + text[19:]
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, wrong
	}
	t = t.UTC()
	if leap {
		if t.Hour() != 23 || t.Minute() != 59 {
			return nil, wrong
		}
		t = t.Truncate(time.Second).Add(time.Second)
	}
	return &t, nil
}
