package catalog

import (
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// recently is the stretch of time in which the newest rows of an area are looked for first: the estimates say that a page and more
// match there. When they are wrong it grows.
type recently struct {
	since, until time.Time
	all          bool // it has no beginning any more
}

const (
	recentNeed = 2 // times as many rows as the page needs are expected in the first stretch
	recentGrow = 4
	recentMost = 100 * 365 * 24 * time.Hour // a longer stretch is all
)

// rate is the part of a collection's rows that lies in the cells of an area, and the part that matches.
type rate struct{ here, match float64 }

// recently returns a stretch in which enough rows match, and about how many rows the cells have in it. It is all where the interval
// that was asked for is no longer.
func (e *estimates) recently(p *plan, rates map[int16]rate, need float64, since, until time.Time) (r recently, read float64) {
	first, last := math.MaxInt, math.MinInt
	for col := range rates {
		for month := range e.month[col] {
			first, last = min(first, month), max(last, month)
		}
	}
	if !p.from.first && time.UnixMicro(p.from.micros).Before(until) {
		until = time.UnixMicro(p.from.micros)
	}
	if ends := monthBegins(last + 1); last > math.MinInt && ends.Before(until) {
		until = ends
	}
	r = recently{until: until, all: true}
	match := 0.0
	for month := min(last, monthOf(until.UTC())); month >= first; month-- {
		begins, ends := monthBegins(month), monthBegins(month+1)
		part := 1.0
		if until.Before(ends) {
			part, ends = until.Sub(begins).Seconds()/ends.Sub(begins).Seconds(), until
		}
		here, matching := 0.0, 0.0
		for col, rate := range rates {
			n := e.month[col][month] * part
			here, matching = here+n*rate.here, matching+n*rate.match
		}
		if enough := recentNeed * need; match+matching >= enough {
			part := (enough - match) / matching
			r.since = ends.Add(-time.Duration(part * float64(ends.Sub(begins))))
			r.all = !r.since.After(since)
			return r, read + here*part
		}
		match, read = match+matching, read+here
	}
	return r, read
}

// before returns the place behind a stretch that was read from a place, and makes it longer.
func (p *plan) before(from place) place {
	r := &p.recent
	if behind := r.since.UnixMicro(); from.first || behind <= from.micros {
		from = place{micros: behind, pk: math.MinInt64, clouded: true}
	}
	length := recentGrow * r.until.Sub(r.since)
	r.since = r.until.Add(-length)
	if r.all = length > recentMost || length <= 0; r.all {
		p.args["recent"] = pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	} else {
		p.args["recent"] = r.since
	}
	return from
}
