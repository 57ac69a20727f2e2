package odata

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"swath/compat"
	"swath/fault"
	"swath/stac/cql2"
)

type parser struct {
	text  string
	at    int
	left  int // parts that may come yet
	names Names
}

func (p *parser) wrong(format string, args ...any) error {
	near := p.text[min(p.at, len(p.text)):]
	e := fault.New(fault.Invalid, format, args...)
	return fault.New(fault.Invalid, "$filter, at character %d (%.40q): %s", p.at+1, near, e.Public)
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// word takes a keyword, whatever its case, that no letter follows.
func (p *parser) word(word string) bool {
	p.space()
	end := p.at + len(word)
	if end > len(p.text) || !strings.EqualFold(p.text[p.at:end], word) || end < len(p.text) && named(p.text[end]) {
		return false
	}
	p.at = end
	return true
}

func (p *parser) sign(sign string) bool {
	p.space()
	if !strings.HasPrefix(p.text[p.at:], sign) {
		return false
	}
	p.at += len(sign)
	return true
}

func named(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '.' || b == '/'
}

// name takes a path of names, such as ContentDate/Start.
func (p *parser) name() string {
	p.space()
	begin := p.at
	for p.at < len(p.text) && named(p.text[p.at]) {
		p.at++
	}
	return p.text[begin:p.at]
}

// chain reads parts between a keyword.
func (p *parser) chain(word string, depth int, one func(int) (cql2.Node, error), join func([]cql2.Node) cql2.Node) (cql2.Node, error) {
	var all []cql2.Node
	for {
		n, err := one(depth)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
		if !p.word(word) {
			if len(all) == 1 {
				return all[0], nil
			}
			return join(all), nil
		}
	}
}

func (p *parser) or(depth int) (cql2.Node, error) {
	return p.chain("or", depth, p.and, func(all []cql2.Node) cql2.Node { return cql2.Or(all) })
}

func (p *parser) and(depth int) (cql2.Node, error) {
	return p.chain("and", depth, p.unary, func(all []cql2.Node) cql2.Node { return cql2.And(all) })
}

func (p *parser) unary(depth int) (cql2.Node, error) {
	if depth++; depth > maxDepth {
		return nil, p.wrong("it is nested more than %d deep", maxDepth)
	}
	if p.left--; p.left < 0 {
		return nil, p.wrong("it has more than %d parts", maxParts)
	}
	if p.word("not") {
		n, err := p.unary(depth)
		return cql2.Not{Arg: n}, err
	}
	if p.sign("(") {
		n, err := p.or(depth)
		if err == nil && !p.sign(")") {
			err = p.wrong(") was expected")
		}
		return n, err
	}
	return p.condition()
}

var attribute = regexp.MustCompile(`^Attributes/OData\.CSC\.(String|Integer|Double|Boolean|DateTimeOffset)Attribute/any$`)

// condition reads one comparison, function or attribute.
func (p *parser) condition() (cql2.Node, error) {
	name := p.name()
	switch lower := strings.ToLower(name); {
	case name == "":
		return nil, p.wrong("a condition was expected")
	case lower == "contains" || lower == "startswith" || lower == "endswith":
		return p.truth(p.text2like(lower))
	case lower == "odata.csc.intersects":
		return p.truth(p.intersects())
	case attribute.MatchString(name):
		return p.attribute()
	}
	if p.word("in") {
		var any cql2.Or
		if !p.sign("(") {
			return nil, p.wrong("( was expected")
		}
		for {
			v, err := p.literal()
			if err != nil {
				return nil, err
			}
			n, err := p.field(name, cql2.Equal, v)
			if err != nil {
				return nil, err
			}
			if any = append(any, n); len(any) > maxParts {
				return nil, p.wrong("the list is longer than %d", maxParts)
			}
			if p.sign(")") {
				return either(any), nil
			}
			if !p.sign(",") {
				return nil, p.wrong(", or ) was expected")
			}
		}
	}
	op, err := p.operator()
	if err != nil {
		return nil, err
	}
	v, err := p.literal()
	if err != nil {
		return nil, err
	}
	return p.field(name, op, v)
}

func either(all cql2.Or) cql2.Node {
	switch len(all) {
	case 0:
		return cql2.Bool(false)
	case 1:
		return all[0]
	}
	return all
}

// truth reads what may follow a function: eq true, eq false.
func (p *parser) truth(n cql2.Node, err error) (cql2.Node, error) {
	if err != nil || !p.word("eq") {
		return n, err
	}
	switch {
	case p.word("true"):
		return n, nil
	case p.word("false"):
		return cql2.Not{Arg: n}, nil
	}
	return nil, p.wrong("true or false was expected")
}

var operators = map[string]cql2.CompareOp{"eq": cql2.Equal, "ne": cql2.NotEqual, "lt": cql2.Less, "le": cql2.LessOrEqual, "gt": cql2.Greater, "ge": cql2.GreaterOrEqual}

func (p *parser) operator() (cql2.CompareOp, error) {
	before := p.at
	op, ok := operators[strings.ToLower(p.name())]
	if !ok {
		p.at = before
		return "", p.wrong("one of eq, ne, lt, le, gt, ge, in was expected")
	}
	return op, nil
}

// text takes a quoted text, in which two quotes are one.
func (p *parser) quoted() (string, error) {
	if !p.sign("'") {
		return "", p.wrong("a text in quotes was expected")
	}
	var out strings.Builder
	for {
		end := strings.IndexByte(p.text[p.at:], '\'')
		if end < 0 {
			return "", p.wrong("the text does not end")
		}
		out.WriteString(p.text[p.at : p.at+end])
		if p.at += end + 1; p.at >= len(p.text) || p.text[p.at] != '\'' {
			return out.String(), nil
		}
		out.WriteByte('\'')
		p.at++
	}
}

// literal takes a text, number, date or truth; those in quotes are texts.
func (p *parser) literal() (cql2.Node, error) {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == '\'' {
		text, err := p.quoted()
		return cql2.Text(text), err
	}
	begin := p.at
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n(),'", p.text[p.at]) < 0 {
		p.at++
	}
	word := p.text[begin:p.at]
	switch strings.ToLower(word) {
	case "true":
		return cql2.Bool(true), nil
	case "false":
		return cql2.Bool(false), nil
	}
	if t, ok := moment(word); ok {
		return cql2.Timestamp{Time: t}, nil
	}
	if v, err := strconv.ParseFloat(word, 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
		return cql2.Number(v), nil
	}
	if uuidLike.MatchString(word) {
		return cql2.Text(word), nil
	}
	p.at = begin
	return nil, p.wrong("a text, number, date or truth was expected")
}

var uuidLike = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// moment reads a date with Z or an offset and any number of digits of a second.
func moment(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 0 {
			return t.UTC().Truncate(time.Microsecond), true
		}
	}
	return time.Time{}, false
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// fullName is what a whole name of a Sentinel product looks like: nothing is around it.
var fullName = regexp.MustCompile(`^S[1-6][A-Z_]_[A-Z0-9_]{54,}$`)

// text2like reads the arguments of contains, startswith and endswith of a name.
func (p *parser) text2like(function string) (cql2.Node, error) {
	if !p.sign("(") {
		return nil, p.wrong("( was expected")
	}
	if field := p.name(); field != "Name" {
		return nil, p.wrong("%s knows only Name, not %.40q", function, field)
	}
	if !p.sign(",") {
		return nil, p.wrong(", was expected")
	}
	text, err := p.quoted()
	if err != nil {
		return nil, err
	}
	if !p.sign(")") {
		return nil, p.wrong(") was expected")
	}
	if text = compat.IDOf(text); fullName.MatchString(text) {
		return cql2.Compare{Op: cql2.Equal, Left: cql2.Property("id"), Right: cql2.Text(text)}, nil
	}
	pattern := likeEscapes.Replace(text)
	if function != "startswith" {
		pattern = "%" + pattern
	}
	if function != "endswith" {
		pattern += "%"
	}
	return cql2.Like{Value: cql2.Property("id"), Pattern: cql2.Text(pattern)}, nil
}

// intersects reads (area=geography'SRID=4326;WKT').
func (p *parser) intersects() (cql2.Node, error) {
	for _, sign := range []string{"(", "area", "=", "geography"} {
		if !p.sign(sign) {
			return nil, p.wrong("area=geography'SRID=4326;…' was expected")
		}
	}
	text, err := p.quoted()
	if err != nil {
		return nil, err
	}
	wkt, is := strings.CutPrefix(strings.TrimSpace(text), "SRID=4326;")
	if !is {
		return nil, p.wrong("the geometry must begin with SRID=4326;")
	}
	g, err := compat.ParseWKT(wkt)
	if err != nil {
		return nil, p.wrong("%s", public(err))
	}
	if !p.sign(")") {
		return nil, p.wrong(") was expected")
	}
	return cql2.Spatial{Op: cql2.Intersects, Left: cql2.Property("geometry"), Right: cql2.Geometry(g)}, nil
}

func public(err error) string {
	_, text := fault.Of(err)
	return text
}

// attribute reads (att:att/Name eq 'productType' and att/OData.CSC.StringAttribute/Value eq 'S2MSI1C').
func (p *parser) attribute() (cql2.Node, error) {
	if !p.sign("(") {
		return nil, p.wrong("( was expected")
	}
	variable := p.name()
	if variable == "" || !p.sign(":") {
		return nil, p.wrong("a name and : were expected")
	}
	name := ""
	type condition struct {
		op    cql2.CompareOp
		value cql2.Node
	}
	var conditions []condition
	for {
		path, is := strings.CutPrefix(p.name(), variable+"/")
		op, err := cql2.CompareOp(""), error(nil)
		var in bool
		if in = is && p.word("in"); !in {
			op, err = p.operator()
		}
		switch {
		case err != nil:
			return nil, err
		case !is || in:
			return nil, p.wrong("%s/Name or %s/…/Value and a comparison were expected", variable, variable)
		}
		v, err := p.literal()
		if err != nil {
			return nil, err
		}
		text, isText := v.(cql2.Text)
		switch {
		case path == "Name" && op == cql2.Equal && isText && name == "":
			name = string(text)
		case strings.HasPrefix(path, "OData.CSC.") && strings.HasSuffix(path, "Attribute/Value") && len(conditions) < 8:
			conditions = append(conditions, condition{op, v})
		default:
			return nil, p.wrong("an attribute has one Name that equals a text, and comparisons of its Value")
		}
		if !p.word("and") {
			break
		}
	}
	if !p.sign(")") {
		return nil, p.wrong(") was expected")
	}
	if name == "" || len(conditions) == 0 {
		return nil, p.wrong("an attribute has a Name and a Value")
	}
	var all cql2.And
	for _, c := range conditions {
		n, err := p.attributed(name, c.op, c.value)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}
