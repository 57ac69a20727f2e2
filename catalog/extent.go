package catalog

import (
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// extent is what the items of a collection cover. Nil is nothing yet.
type extent struct {
	box                     *span
	begins, ends            *time.Time
	reachBefore, reachAfter int64 // microseconds, see the migration
}

// extentRow is an extent as the columns hold it.
type extentRow struct {
	west, south, east, north *float64
	begins, ends             *time.Time
	before, after            pgtype.Interval
}

func (r *extentRow) targets() []any {
	return []any{&r.west, &r.south, &r.east, &r.north, &r.begins, &r.ends, &r.before, &r.after}
}

func (r *extentRow) extent() extent {
	e := extent{begins: r.begins, ends: r.ends, reachBefore: r.before.Microseconds, reachAfter: r.after.Microseconds}
	if r.west != nil {
		e.box = &span{*r.west, *r.south, *r.east, *r.north}
	}
	return e
}

// with returns the extent widened by one item, and whether that made a difference.
func (e extent) with(d document) (wider extent, changed bool) {
	wider = e
	if !d.where.empty() {
		if e.box == nil || !e.box.contains(d.where.box) {
			box := d.where.box
			if e.box != nil {
				box = cover([]span{*e.box, box})
			}
			if e.box == nil || box != *e.box {
				wider.box, changed = &box, true
			}
		}
	}
	if e.begins == nil || d.when.begins.Before(*e.begins) {
		begins := d.when.begins
		wider.begins, changed = &begins, true
	}
	if e.ends == nil || d.when.ends.After(*e.ends) {
		ends := d.when.ends
		wider.ends, changed = &ends, true
	}
	if before := d.when.at.UnixMicro() - d.when.begins.UnixMicro(); before > e.reachBefore {
		wider.reachBefore, changed = before, true
	}
	if after := d.when.ends.UnixMicro() - d.when.at.UnixMicro(); after > e.reachAfter {
		wider.reachAfter, changed = after, true
	}
	return wider, changed
}

// widenDeclared returns a collection's declared extent made to hold its items. What is declared and wider stays, as do the
// further boxes and intervals, which describe parts. What is missing or can't be read is what the items cover.
func widenDeclared(declared []byte, e extent) []byte {
	members, _ := membersOf(declared)
	spatial, _ := membersOf(get(members, "spatial"))
	temporal, _ := membersOf(get(members, "temporal"))
	spatial = set(spatial, "bbox", e.boxes(get(spatial, "bbox")))
	temporal = set(temporal, "interval", e.intervals(get(temporal, "interval")))
	return object(set(set(members, "spatial", object(spatial)), "temporal", object(temporal)))
}

func (e extent) boxes(declared []byte) []byte {
	var all []json.RawMessage
	if json.Unmarshal(declared, &all) != nil || len(all) == 0 {
		all = []json.RawMessage{nil}
	}
	old, ok := parseBBox(all[0])
	switch {
	case !ok && e.box == nil:
		all[0] = world.bbox()
	case !ok:
		all[0] = e.box.bbox()
	case e.box != nil:
		before := unwrapBox(old.west, old.south, old.east, old.north)
		if wider := cover([]span{before, *e.box}); wider != before {
			all[0] = withHeights(all[0], wider.bbox())
		}
	}
	text, _ := json.Marshal(all) // raw JSON that was read, or written above
	return text
}

// withHeights keeps the heights of a box of six numbers.
func withHeights(old, flat json.RawMessage) json.RawMessage {
	var o, f []json.RawMessage
	if json.Unmarshal(old, &o) != nil || json.Unmarshal(flat, &f) != nil || len(o) != 6 {
		return flat
	}
	text, _ := json.Marshal([]json.RawMessage{f[0], f[1], o[2], f[2], f[3], o[5]})
	return text
}

func (e extent) intervals(declared []byte) []byte {
	var all [][]*string
	if json.Unmarshal(declared, &all) != nil || len(all) == 0 || len(all[0]) != 2 {
		all = [][]*string{{stamp(e.begins), stamp(e.ends)}}
	} else {
		first := all[0] // null is open, and open is wide enough
		if at, ok := instantOf(first[0]); ok && e.begins != nil && e.begins.Before(at) {
			first[0] = stamp(e.begins)
		}
		if at, ok := instantOf(first[1]); ok && e.ends != nil && e.ends.After(at) {
			first[1] = stamp(e.ends)
		}
	}
	text, _ := json.Marshal(all)
	return text
}

func instantOf(text *string) (time.Time, bool) {
	if text == nil {
		return time.Time{}, false
	}
	at, err := parseInstant(*text)
	return at, err == nil
}

func stamp(at *time.Time) *string {
	if at == nil {
		return nil
	}
	text := at.UTC().Format(time.RFC3339Nano)
	return &text
}
