package restohttp

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"swath/compat"
	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

// Limits of a page, as at PEPS: a larger one is cut without a word.
const (
	defaultRecords = 50
	mostRecords    = 500
	mostWords      = 64 // in a set of values
)

// question is what a client asks: a search, and the filters as the answer repeats them.
type question struct {
	stac.Search
	index   int // of the first product, from 1
	page    int
	filters map[string]any
	uuid    string // the one product that is asked for
}

// parse reads the parameters. An empty one means any; those that resto knew and that filter nothing here are passed over.
func parse(name string, ids []string, values url.Values) (question, error) {
	p := &parser{values: values, question: question{filters: map[string]any{}}}
	p.Collections, p.Products = ids, true
	p.Sort = []stac.SortKey{{Property: "datetime", Descending: true}}
	for parameter := range values {
		if !slices.Contains(known, parameter) {
			return question{}, fault.New(fault.Invalid, "unknown parameter %.60q; known here: %s", parameter, strings.Join(known, ", "))
		}
	}
	p.paging()
	p.place()
	p.times(name)
	p.words()
	p.numbers()
	if len(p.all) == 1 {
		p.Filter = p.all[0]
	} else if len(p.all) > 1 {
		p.Filter = p.all
	}
	return p.question, p.err
}

// known are the parameters of resto's clients.
var known = []string{"q", "lat", "lon", "radius", "box", "geometry", "location", "name", "tileid", "startDate", "completionDate", "maxRecords", "page", "index",
	"productType", "processingLevel", "platform", "instrument", "sensorMode", "orbitNumber", "relativeOrbitNumber", "orbitDirection", "polarisation",
	"cloudCover", "snowCover", "resolution", "organisationName", "parentIdentifier", "swath", "identifier", "productIdentifier", "title", "updated", "publishedBegin", "publishedEnd",
	"isNrt", "realtime", "lang", "collection", "issuerId", "latestPublication"}

// parser keeps the first mistake; what comes behind it does nothing.
type parser struct {
	question
	values url.Values
	all    cql2.And
	err    error
}

// get returns a parameter that says something.
func (p *parser) get(name string) (string, bool) {
	v := strings.TrimSpace(p.values.Get(name))
	if v == "" || p.err != nil {
		return "", false
	}
	p.filters[name] = v
	return v, true
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fault.New(fault.Invalid, format, args...)
	}
}

func (p *parser) take(err error) bool {
	if p.err == nil {
		p.err = err
	}
	return p.err == nil
}

func (p *parser) and(n cql2.Node) { p.all = append(p.all, n) }

func (p *parser) equals(property string, value cql2.Node) {
	p.and(cql2.Compare{Op: cql2.Equal, Left: cql2.Property(property), Right: value})
}

// whole reads a number of products or pages.
func (p *parser) whole(name string, otherwise int) int {
	text, ok := p.get(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		p.fail("%s is %.40q; it is a whole number from 1", name, text)
		return otherwise
	}
	return min(n, math.MaxInt32)
}

func (p *parser) paging() {
	p.Limit = min(p.whole("maxRecords", defaultRecords), mostRecords)
	p.page = p.whole("page", 1)
	p.index = p.whole("index", (p.page-1)*p.Limit+1)
}

func (p *parser) number(name, text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		p.fail("%s is %.40q, which is not a number", name, text)
	}
	return v
}

func (p *parser) place() {
	ways := 0
	if text, ok := p.get("box"); ok {
		ways++
		box, err := stac.ParseBBox(text)
		if p.take(err) {
			p.BBox = box
		}
	}
	if text, ok := p.get("geometry"); ok {
		ways++
		g, err := compat.ParseWKT(text)
		if p.take(err) {
			p.Intersects = g
		}
	}
	lat, hasLat := p.get("lat")
	lon, hasLon := p.get("lon")
	radius, hasRadius := p.get("radius")
	switch {
	case hasLat != hasLon:
		p.fail("lat and lon come together")
	case hasRadius && !hasLat:
		p.fail("radius needs lat and lon")
	case hasLat:
		ways++
		metres := 0.0
		if hasRadius {
			if metres = p.number("radius", radius); metres < 0 {
				p.fail("radius is less than nothing")
			}
		}
		at, above := p.number("lon", lon), p.number("lat", lat)
		if p.err != nil {
			return
		}
		g, err := compat.Circle(at, above, metres)
		if p.take(err) {
			p.Intersects = g
		}
	}
	if ways > 1 {
		p.fail("a search has one of box, geometry, or lat and lon")
	}
	if tile, ok := p.get("tileid"); ok {
		p.equals("grid:code", cql2.Text("MGRS-"+strings.TrimPrefix(strings.ToUpper(tile), "T")))
	}
}

// moment reads a date or a date and time, with or without a zone; of a date as an end, the last moment.
func (p *parser) moment(name, text string, end bool) time.Time {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		if end {
			t = t.AddDate(0, 0, 1).Add(-time.Microsecond)
		}
		return t
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	p.fail("%s is %.40q; it is a date such as 2020-08-08, or 2020-08-08T10:56:19Z", name, text)
	return time.Time{}
}

func (p *parser) times(collection string) {
	var in stac.Interval
	if text, ok := p.get("startDate"); ok {
		t := p.moment("startDate", text, false)
		in.Start = &t
	}
	if text, ok := p.get("completionDate"); ok {
		t := p.moment("completionDate", text, false) // of a day its beginning, as peps_download.py tells its users
		in.End = &t
	}
	if collection == "S2" { // at PEPS the products of many tiles; S2ST are all
		if last := compat.MultiTile.Add(-time.Microsecond); in.End == nil || in.End.After(last) {
			in.End = &last
		}
	}
	if in.Start != nil || in.End != nil {
		p.Datetime = &in
	}
	if in.Start != nil && in.End != nil && in.End.Before(*in.Start) {
		p.and(cql2.Bool(false))
		p.Datetime = nil
	}
	for _, one := range []struct {
		name, property string
		op             cql2.CompareOp
	}{{"updated", stac.Modified, cql2.GreaterOrEqual}, {"publishedBegin", stac.Published, cql2.GreaterOrEqual}, {"publishedEnd", stac.Published, cql2.LessOrEqual}} {
		if text, ok := p.get(one.name); ok {
			t := p.moment(one.name, text, one.op == cql2.LessOrEqual)
			p.and(cql2.Compare{Op: one.op, Left: cql2.Property(one.property), Right: cql2.Timestamp{Time: t}})
		}
	}
}

// set reads {a,b} or a|b or one text.
func (p *parser) set(name string) []string {
	text, ok := p.get(name)
	if !ok {
		return nil
	}
	if inner, is := strings.CutPrefix(text, "{"); is && strings.HasSuffix(inner, "}") {
		text = strings.ReplaceAll(strings.TrimSuffix(inner, "}"), ",", "|")
	}
	all := strings.Split(text, "|")
	if len(all) > mostWords {
		p.fail("%s has more than %d values", name, mostWords)
		return nil
	}
	return all
}

// among asks that a property is one of the values of a parameter.
func (p *parser) among(name, property string, written func(string) string) {
	var list []cql2.Node
	for _, v := range p.set(name) {
		list = append(list, cql2.Text(written(strings.TrimSpace(v))))
	}
	switch len(list) {
	case 0:
	case 1:
		p.equals(property, list[0])
	default:
		p.and(cql2.In{Value: cql2.Property(property), List: list})
	}
}

func same(s string) string { return s }

func (p *parser) words() {
	p.among("productType", "product:type", same)
	p.among("processingLevel", "processing:level", compat.Level)
	p.among("platform", "platform", compat.PlatformID)
	p.among("orbitDirection", "sat:orbit_state", strings.ToLower)
	p.among("productIdentifier", "id", compat.IDOf)
	p.among("title", "id", compat.IDOf)
	p.among("swath", "sar:instrument_mode", strings.ToUpper)
	if mode, ok := p.get("sensorMode"); ok {
		if strings.HasPrefix(strings.ToUpper(mode), "INS-") {
			p.equals("constellation", cql2.Text("sentinel-2"))
		} else {
			p.equals("sar:instrument_mode", cql2.Text(strings.ToUpper(mode)))
		}
	}
	if instrument, ok := p.get("instrument"); ok {
		name := strings.ToLower(instrument)
		if strings.Contains(name, "sar") {
			name = "c-sar"
		}
		p.and(cql2.ArrayOp{Op: cql2.AContains, Left: cql2.Property("instruments"), Right: cql2.Array{cql2.Text(name)}})
	}
	if text, ok := p.get("polarisation"); ok {
		var list cql2.Array
		for _, one := range strings.FieldsFunc(strings.ToUpper(text), func(r rune) bool { return r == ' ' || r == ',' || r == '+' || r == '/' }) {
			list = append(list, cql2.Text(one))
		}
		if len(list) == 0 || len(list) > 4 {
			p.fail("polarisation is %.40q; it is one or two of VV, VH, HH, HV", text)
			return
		}
		p.and(cql2.ArrayOp{Op: cql2.AContains, Left: cql2.Property("sar:polarizations"), Right: list})
	}
	if uuid, ok := p.get("identifier"); ok {
		p.identifier(uuid)
	}
	nrt := cql2.Like{Value: cql2.Property("product:timeliness_category"), Pattern: cql2.Text("NRT%")}
	if text, ok := p.get("isNrt"); ok {
		switch strings.ToLower(text) {
		case "1", "true":
			p.and(nrt)
		case "0", "false":
			p.and(cql2.Or{cql2.IsNull{Value: nrt.Value}, cql2.Not{Arg: nrt}})
		default:
			p.fail("isNrt is %.40q; it is 0 or 1", text)
		}
	}
	if text, ok := p.get("realtime"); ok {
		if strings.EqualFold(text, "Nominal") {
			p.and(cql2.Or{cql2.IsNull{Value: nrt.Value}, cql2.Not{Arg: nrt}})
		} else {
			p.equals("product:timeliness_category", cql2.Text(text))
		}
	}
	var terms []string
	for _, name := range []string{"q", "location", "name"} {
		if text, ok := p.get(name); ok {
			terms = append(terms, `"`+strings.ReplaceAll(text, `"`, " ")+`"`)
		}
	}
	if len(terms) > 0 && p.err == nil {
		query, err := stac.ParseTexts([]string{strings.Join(terms, " AND ")})
		if p.take(err) {
			p.Text = query
		}
	}
}

// identifier asks for a product by its UUID, which its own answer carries, or by its name.
func (p *parser) identifier(text string) {
	if _, is := stac.HashInUUID(text); is {
		p.question.uuid = text
		return
	}
	p.equals("id", cql2.Text(compat.IDOf(text)))
}

func (p *parser) numbers() {
	for _, one := range []struct{ name, property string }{{"orbitNumber", "sat:absolute_orbit"}, {"relativeOrbitNumber", "sat:relative_orbit"},
		{"cloudCover", "eo:cloud_cover"}, {"snowCover", "eo:snow_cover"}, {"resolution", "gsd"}} {
		if text, ok := p.get(one.name); ok {
			if n := p.interval(one.name, text, cql2.Property(one.property)); n != nil {
				p.and(n)
			}
		}
	}
}

// interval reads a number, {a,b}, or an interval as resto writes it: [a,b], ]a,b[, [a, a], where a bracket that turns its back excludes.
func (p *parser) interval(name, text string, of cql2.Property) cql2.Node {
	compare := func(op cql2.CompareOp, v float64) cql2.Node {
		return cql2.Compare{Op: op, Left: of, Right: cql2.Number(v)}
	}
	if inner, is := strings.CutPrefix(text, "{"); is && strings.HasSuffix(inner, "}") {
		var list []cql2.Node
		for part := range strings.SplitSeq(strings.TrimSuffix(inner, "}"), ",") {
			list = append(list, cql2.Number(p.number(name, strings.TrimSpace(part))))
		}
		if len(list) > mostWords {
			p.fail("%s has more than %d values", name, mostWords)
		}
		return cql2.In{Value: of, List: list}
	}
	low, high := cql2.CompareOp(""), cql2.CompareOp("")
	switch {
	case strings.HasPrefix(text, "["):
		low = cql2.GreaterOrEqual
	case strings.HasPrefix(text, "]"):
		low = cql2.Greater
	}
	if low != "" {
		text = text[1:]
	}
	switch {
	case strings.HasSuffix(text, "]"):
		high = cql2.LessOrEqual
	case strings.HasSuffix(text, "["):
		high = cql2.Less
	}
	if high != "" {
		text = text[:len(text)-1]
	}
	a, b, two := strings.Cut(text, ",")
	switch {
	case two && low != "" && high != "":
		from, to := p.number(name, strings.TrimSpace(a)), p.number(name, strings.TrimSpace(b))
		return cql2.And{compare(low, from), compare(high, to)}
	case two || low != "" && high != "":
		p.fail("%s is not an interval such as [0,20]", name)
	case low != "":
		return compare(low, p.number(name, strings.TrimSpace(a)))
	case high != "":
		return compare(high, p.number(name, strings.TrimSpace(a)))
	default:
		return compare(cql2.Equal, p.number(name, strings.TrimSpace(a)))
	}
	return nil
}
