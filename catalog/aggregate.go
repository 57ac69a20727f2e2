package catalog

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

//go:embed sql/aggregate.sql
var aggregateSQL string

//go:embed sql/aggregate_days.sql
var aggregateDaysSQL string

//go:embed sql/odd.sql
var oddSQL string

// mostBuckets is how many buckets an aggregation lists; what is in others is its overflow.
const mostBuckets = 10_000

// aggregator is one aggregation: its key in SQL and from a body.
//
//	rows ──columns suffice──▶ group by key in PostgreSQL ──┐
//	     └─else─▶ bodies that match ──▶ key here ──────────┴──▶ buckets
type aggregator struct {
	info stac.AggregationInfo
	// days is the key of a day's counter d, key that of a row i; empty where it can't be told so. Both are texts, but the key of a row may be
	// the number of a word of a kind.
	days, key string
	words     wordKind
	// of is the key of a hit, "" where it has none; nil where the catalog can't tell from a hit.
	of func(h hit, a stac.Aggregation) string
	// finish turns a key into a bucket.
	finish func(b *stac.Bucket)
	// sorted orders the buckets by key instead of by frequency.
	sorted bool
}

const (
	centreLon = "case when (i.x0::float8 + i.x1) / 2e5 >= 180 then (i.x0::float8 + i.x1) / 2e5 - 360 else (i.x0::float8 + i.x1) / 2e5 end"
	centreLat = "(i.y0::float8 + i.y1) / 2e5"
)

// aggregators are what can be asked, named as stac-server names them.
var aggregators = map[string]aggregator{
	"total_count":  {info: stac.AggregationInfo{DataType: "integer"}, days: "''::text", key: "''::text", of: func(hit, stac.Aggregation) string { return " " }},
	"datetime_min": {info: stac.AggregationInfo{DataType: "datetime"}},
	"datetime_max": {info: stac.AggregationInfo{DataType: "datetime"}},
	"datetime_frequency": {info: frequency("datetime"), sorted: true, days: "to_char(date_trunc({{interval}}, d.day::timestamp), 'YYYY-MM-DD')",
		key:    "to_char(date_trunc({{interval}}, i.dt at time zone 'UTC'), 'YYYY-MM-DD')",
		of:     func(h hit, a stac.Aggregation) string { return beginOf(time.UnixMicro(h.at.micros).UTC(), a.Interval) },
		finish: func(b *stac.Bucket) { b.Key += "T00:00:00.000Z" }},
	"collection_frequency": {info: frequency("string"), days: "d.col::text", key: "i.col::text", of: func(h hit, _ stac.Aggregation) string { return h.item.Collection }},
	"cloud_cover_frequency": {info: frequency("numeric"), sorted: true, days: "case when d.decile >= 0 then d.decile::text end", key: "case when i.cc is not null then decile(i.cc)::text end",
		of:     func(h hit, _ stac.Aggregation) string { return ofNumber(h, "eo:cloud_cover", 0, 10, 9) },
		finish: ranges(10, 0, 9)},
	"platform_frequency": {info: frequency("string"), key: "i.plat::int", words: platformWord, of: ofText("platform")},
	"relative_orbit_frequency": {info: frequency("numeric"), key: "i.orbit::text", of: func(h hit, _ stac.Aggregation) string {
		if v, ok := (&cql2.Item{Body: h.item.Body}).Value("sat:relative_orbit").(float64); ok {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return ""
	}},
	"grid_code_frequency": {info: frequency("string"), key: "i.grid", words: gridWord, of: func(h hit, _ stac.Aggregation) string {
		it := &cql2.Item{Body: h.item.Body}
		if code, ok := it.Value("grid:code").(string); ok {
			return code
		}
		if tile, ok := it.Value("s2:mgrs_tile").(string); ok {
			return mgrs + tile
		}
		return ""
	}},
	"centroid_geohash_grid_frequency": {info: frequency("string"),
		key: "case when i.x0 <= i.x1 then st_geohash(st_point(" + centreLon + ", " + centreLat + "), {{precision}}) end"},
	"centroid_geotile_grid_frequency": {info: frequency("string"), key: `case when i.x0 <= i.x1 then (select {{precision}} || '/' || least(floor((lon + 180) / 360 * side), side - 1) || '/' ||
  least(greatest(floor((1 - ln(tan(radians(lat)) + 1 / cos(radians(lat))) / pi()) / 2 * side), 0), side - 1)
  from (select ` + centreLon + ` as lon, greatest(least(` + centreLat + `, 85.0511287798066), -85.0511287798066) as lat, 2 ^ {{precision}} as side) centre) end`},
	"sun_elevation_frequency": {info: frequency("numeric"), sorted: true, of: func(h hit, _ stac.Aggregation) string { return ofNumber(h, "view:sun_elevation", -90, 15, 11) }, finish: ranges(15, -90, 11)},
	"sun_azimuth_frequency":   {info: frequency("numeric"), sorted: true, of: func(h hit, _ stac.Aggregation) string { return ofNumber(h, "view:sun_azimuth", 0, 30, 11) }, finish: ranges(30, 0, 11)},
	"off_nadir_frequency":     {info: frequency("numeric"), sorted: true, of: func(h hit, _ stac.Aggregation) string { return ofNumber(h, "view:off_nadir", 0, 10, 8) }, finish: ranges(10, 0, 8)},
}

func frequency(of string) stac.AggregationInfo {
	return stac.AggregationInfo{DataType: "frequency_distribution", BucketType: of}
}

// ranges finishes buckets whose keys are numbers of steps from a beginning; the first and the last are open.
func ranges(step, begin float64, last int) func(*stac.Bucket) {
	return func(b *stac.Bucket) {
		n, _ := strconv.Atoi(b.Key) // it was written as one
		from, to := begin+float64(n)*step, begin+float64(n+1)*step
		b.Key = fmt.Sprintf("%g-%g", from, to)
		if n > 0 {
			b.From = &from
		}
		if n < last {
			b.To = &to
		}
	}
}

// ofNumber is the number of the step that a property lies in.
func ofNumber(h hit, property cql2.Property, begin, step float64, last int) string {
	v, ok := (&cql2.Item{Body: h.item.Body}).Value(property).(float64)
	if !ok {
		return ""
	}
	return strconv.Itoa(int(math.Max(0, math.Min(float64(last), math.Floor((v-begin)/step)))))
}

func ofText(property cql2.Property) func(hit, stac.Aggregation) string {
	return func(h hit, _ stac.Aggregation) string {
		text, _ := (&cql2.Item{Body: h.item.Body}).Value(property).(string)
		return text
	}
}

// beginOf returns the first day of a time's day, month or year.
func beginOf(t time.Time, interval string) string {
	switch interval {
	case "year":
		return t.Format("2006") + "-01-01"
	case "month":
		return t.Format("2006-01") + "-01"
	}
	return t.Format(time.DateOnly)
}

// Aggregations lists what can be asked; it is the same for every collection.
func (s *Store) Aggregations(ctx context.Context, collection string) ([]stac.AggregationInfo, error) {
	if collection != "" {
		if _, err := s.Collection(ctx, collection); err != nil {
			return nil, err
		}
	}
	var all []stac.AggregationInfo
	for _, name := range slices.Sorted(maps.Keys(aggregators)) {
		info := aggregators[name].info
		info.Name = name
		all = append(all, info)
	}
	return all, nil
}

// Aggregate answers for all items of a search.
func (s *Store) Aggregate(ctx context.Context, q stac.Search, asked []stac.Aggregation) (all []stac.Aggregated, err error) {
	q.Sort, q.Token, q.Limit = nil, "", largestLimit
	asked = slices.Clone(asked)
	for i := range asked {
		if err := check(&asked[i]); err != nil {
			return nil, err
		}
	}
	set, err := s.collections(ctx)
	if err != nil {
		return nil, err
	}
	err = s.reading(ctx, "aggregate", func(conn *pgxpool.Conn) error {
		all = nil
		p, err := s.newPlan(ctx, conn, set, q)
		if err != nil {
			return err
		}
		exact, err := s.tells(ctx, conn, p)
		if err != nil {
			return err
		}
		first, last, days := wholeDays(q.Datetime)
		days = days && p.timed && (q.Datetime == nil || !p.periods)
		for _, one := range asked {
			out, err := s.aggregate(ctx, conn, p, one, exact, days, first, last)
			if err != nil {
				return err
			}
			all = append(all, out)
		}
		return nil
	})
	return all, err
}

// check fills what an aggregation leaves open.
func check(a *stac.Aggregation) error {
	known, ok := aggregators[a.Name]
	if !ok {
		return fault.New(fault.Invalid, "the aggregation %.60q is not known; known are %s", a.Name, strings.Join(slices.Sorted(maps.Keys(aggregators)), ", "))
	}
	a.Interval = cmp.Or(a.Interval, "month")
	if !slices.Contains([]string{"day", "month", "year"}, a.Interval) {
		return fault.New(fault.Invalid, "the interval %.20q is none of day, month, year", a.Interval)
	}
	most, otherwise := 12, 4 // characters of a geohash
	if a.Name == "centroid_geotile_grid_frequency" {
		most, otherwise = 29, 7 // zoom
	}
	if a.Precision == 0 { // not asked for
		a.Precision = otherwise
	}
	if strings.Contains(known.key, "{{precision}}") && (a.Precision < 1 || a.Precision > most) {
		return fault.New(fault.Invalid, "the precision of %s is %d; it may be 1 to %d", a.Name, a.Precision, most)
	}
	return nil
}

// tells reports whether the columns decide every row of a plan.
func (s *Store) tells(ctx context.Context, conn *pgxpool.Conn, p *plan) (bool, error) {
	if !p.again() {
		return true, nil
	}
	if !p.filter.exact || p.texts {
		return false, nil
	}
	var odd bool
	sql := strings.NewReplacer("{{from}}", p.all.all, "{{odd}}", oddOf(p.filter.odd), "{{where}}", p.conditions(p.all)).Replace(oddSQL)
	err := s.one(ctx, conn, sql, p.args, &odd)
	return !odd, err
}

func (s *Store) aggregate(ctx context.Context, conn *pgxpool.Conn, p *plan, a stac.Aggregation, exact, days bool, first, last *time.Time) (stac.Aggregated, error) {
	how := aggregators[a.Name]
	out := stac.Aggregated{Name: a.Name, DataType: how.info.DataType}
	fill := strings.NewReplacer("{{interval}}", "'"+a.Interval+"'", "{{precision}}", strconv.Itoa(a.Precision), "{{from}}", p.all.all, "{{where}}", p.conditions(p.all))
	switch {
	case a.Name == "datetime_min" || a.Name == "datetime_max":
		at, err := s.extreme(ctx, conn, p, a.Name == "datetime_max")
		if at != nil {
			out.Value = at.UTC().Format("2006-01-02T15:04:05.999999Z")
		}
		return out, err
	case days && how.days != "":
		args := pgx.NamedArgs{"cols": p.cols, "first": first, "last": last, "buckets": mostBuckets}
		return out, s.buckets(ctx, conn, p, &out, how, fill.Replace(strings.Replace(aggregateDaysSQL, "{{key}}", how.days, 1)), args)
	case exact && how.key != "":
		p.args["buckets"] = mostBuckets
		text := "g.value"
		if how.words != 0 {
			text = "(select w.text from word w where w.kind = '" + string(rune(how.words)) + "' and w.number = g.value)"
		}
		return out, s.buckets(ctx, conn, p, &out, how, fill.Replace(strings.NewReplacer("{{key}}", how.key, "{{text}}", text).Replace(aggregateSQL)), p.args)
	case how.of == nil:
		return out, fault.New(fault.Invalid, "%s can't be combined with a filter that looks into properties without a column", a.Name)
	}
	counts := map[string]int64{}
	_, err := s.stream(ctx, conn, p, start, largeBatch, func(h hit) bool {
		if key := how.of(h, a); key != "" {
			counts[strings.TrimSpace(key)]++
		}
		return true
	})
	keys := slices.SortedFunc(maps.Keys(counts), func(x, y string) int { return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(x, y)) })
	for i, key := range keys {
		if i < mostBuckets {
			out.Buckets = append(out.Buckets, stac.Bucket{Key: key, Count: counts[key]})
		} else {
			out.Overflow += counts[key]
		}
	}
	how.settle(&out)
	return out, err
}

// extreme returns the first or the last datetime of a search; nil of nothing.
func (s *Store) extreme(ctx context.Context, conn *pgxpool.Conn, p *plan, last bool) (at *time.Time, err error) {
	one := *p
	one.order = order{by: byTime, descending: last}
	_, err = s.stream(ctx, conn, &one, start, map[bool]int{true: firstBatch, false: 1}[p.again()], func(h hit) bool {
		t := time.UnixMicro(h.at.micros)
		at = &t
		return false
	})
	return at, err
}

func (s *Store) buckets(ctx context.Context, conn *pgxpool.Conn, p *plan, out *stac.Aggregated, how aggregator, sql string, args pgx.NamedArgs) error {
	rows, err := s.query(ctx, conn, sql, args)
	if err != nil {
		return err
	}
	var b stac.Bucket
	var total, listed int64
	_, err = pgx.ForEachRow(rows, []any{&b.Key, &b.Count, &total}, func() error {
		listed += b.Count
		if out.Name == "collection_frequency" { // their keys are the numbers of collections
			number, _ := strconv.Atoi(b.Key)
			b.Key = p.set.name(int16(number))
		}
		out.Buckets = append(out.Buckets, b)
		return nil
	})
	if out.Name == "collection_frequency" {
		slices.SortFunc(out.Buckets, func(x, y stac.Bucket) int { return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Key, y.Key)) })
	}
	out.Overflow = total - listed
	how.settle(out)
	return err
}

// settle finishes buckets, or makes them the one value that is asked for.
func (how aggregator) settle(out *stac.Aggregated) {
	if how.info.BucketType == "" {
		n := int64(0)
		for _, b := range out.Buckets {
			n += b.Count
		}
		out.Value, out.Buckets, out.Overflow = n, nil, 0
		return
	}
	if how.sorted {
		slices.SortFunc(out.Buckets, func(a, b stac.Bucket) int {
			if len(a.Key) != len(b.Key) {
				return len(a.Key) - len(b.Key)
			}
			return strings.Compare(a.Key, b.Key)
		})
	}
	if how.finish != nil {
		for i := range out.Buckets {
			how.finish(&out.Buckets[i])
		}
	}
	if out.Buckets == nil {
		out.Buckets = []stac.Bucket{}
	}
}
