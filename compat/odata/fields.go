package odata

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"swath/compat"
	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

// longest is how long an acquisition takes at most.
const longest = time.Hour

// Why a product was deleted, in the hub's words: it was superseded by another version, or nobody said why.
const (
	Obsolete = "Obsolete product"
	Other    = "Other"
)

// online stands for the column Online, which is no property of items: Split takes it out.
const online = cql2.Property("swath:online")

// Split takes what a filter says of Online out of it: rest is the filter of what the catalog knows, and want what Online must be; nil: anything.
func Split(filter cql2.Node) (rest cql2.Node, want *bool, err error) {
	parts, is := filter.(cql2.And)
	if !is {
		parts = cql2.And{filter}
	}
	var left cql2.And
	for _, part := range parts {
		c, is := part.(cql2.Compare)
		switch {
		case part == nil:
		case is && c.Left == online:
			v := bool(c.Right.(cql2.Bool))
			if want != nil && *want != v {
				return cql2.Bool(false), nil, nil
			}
			want = &v
		case slices.Contains(cql2.Properties(part), string(online)):
			return nil, nil, fault.New(fault.Invalid, "$filter: Online may only be joined with the other conditions by and")
		default:
			left = append(left, part)
		}
	}
	switch len(left) {
	case 0:
		return nil, want, nil
	case 1:
		return left[0], want, nil
	}
	return left, want, nil
}

// field compiles a comparison of a column.
func (p *parser) field(name string, op cql2.CompareOp, v cql2.Node) (cql2.Node, error) {
	text, isText := v.(cql2.Text)
	_, isTime := v.(cql2.Timestamp)
	if isText {
		if t, ok := moment(string(text)); ok && strings.Contains(name, "Date") {
			v, isTime = cql2.Timestamp{Time: t}, true
		}
	}
	equality := op == cql2.Equal || op == cql2.NotEqual
	need := func(ok bool, what string) error {
		if !ok {
			return p.wrong("%s is compared with %s", name, what)
		}
		return nil
	}
	switch name {
	case "Collection/Name":
		if err := need(isText && equality, "a text, by eq or ne"); err != nil {
			return nil, err
		}
		var list []cql2.Node
		for _, id := range p.names.Collections(string(text)) {
			list = append(list, cql2.Text(id))
		}
		if len(list) == 0 {
			return cql2.Bool(op == cql2.NotEqual), nil
		}
		return unless(op, cql2.In{Value: cql2.Property("collection"), List: list}), nil
	case "Id":
		if err := need(isText && equality, "a UUID, by eq or ne"); err != nil {
			return nil, err
		}
		collection, id, ok, err := p.names.Product(string(text))
		if err != nil || !ok {
			return cql2.Bool(op == cql2.NotEqual), err
		}
		return unless(op, cql2.And{equal("id", id), equal("collection", collection)}), nil
	case "Name":
		if err := need(isText, "a text"); err != nil {
			return nil, err
		}
		return cql2.Compare{Op: op, Left: cql2.Property("id"), Right: cql2.Text(compat.IDOf(string(text)))}, nil
	case "PublicationDate", "OriginDate", "ModificationDate", "DeletionDate", "ContentDate/Start", "ContentDate/End":
		if err := need(isTime, "a date such as 2024-06-12T10:56:19.024Z"); err != nil {
			return nil, err
		}
		return dated(name, op, v.(cql2.Timestamp)), nil
	case "ContentLength":
		_, isNumber := v.(cql2.Number)
		if err := need(isNumber, "a number"); err != nil {
			return nil, err
		}
		return cql2.Compare{Op: op, Left: cql2.Property(stac.Bytes), Right: v}, nil
	case "Online":
		is, ok := v.(cql2.Bool)
		if err := need(ok && equality, "true or false"); err != nil {
			return nil, err
		}
		return cql2.Compare{Op: cql2.Equal, Left: online, Right: cql2.Bool(bool(is) == (op == cql2.Equal))}, nil
	case "DeletionCause":
		if err := need(isText && equality, "a text, by eq or ne"); err != nil {
			return nil, err
		}
		obsolete := cql2.Compare{Op: cql2.Equal, Left: cql2.Property("deprecated"), Right: cql2.Bool(true)}
		switch string(text) {
		case Obsolete:
			return unless(op, cql2.And{cql2.Not{Arg: cql2.IsNull{Value: cql2.Property("deprecated")}}, obsolete}), nil
		case Other:
			return unless(op, cql2.Or{cql2.IsNull{Value: cql2.Property("deprecated")}, cql2.Not{Arg: obsolete}}), nil
		}
		return cql2.Bool(op == cql2.NotEqual), nil
	}
	return nil, p.wrong("%.60q is not searched by; known are Collection/Name, Id, Name, PublicationDate, ModificationDate, DeletionDate, DeletionCause, ContentDate/Start, ContentDate/End, ContentLength, Online, "+
		"OData.CSC.Intersects and Attributes", name)
}

func equal(property, text string) cql2.Node {
	return cql2.Compare{Op: cql2.Equal, Left: cql2.Property(property), Right: cql2.Text(text)}
}

func unless(op cql2.CompareOp, n cql2.Node) cql2.Node {
	if op == cql2.NotEqual {
		return cql2.Not{Arg: n}
	}
	return n
}

// dated compiles a comparison of a date. An acquisition ends at its end_datetime where it has one, and soon after its datetime.
func dated(name string, op cql2.CompareOp, t cql2.Timestamp) cql2.Node {
	by := func(property string) cql2.Node { return cql2.Compare{Op: op, Left: cql2.Property(property), Right: t} }
	switch name {
	case "PublicationDate", "OriginDate":
		return by(stac.Published)
	case "ModificationDate":
		return by(stac.Modified)
	case "DeletionDate":
		return by(stac.Deleted)
	case "ContentDate/Start":
		return by("datetime")
	}
	ends := cql2.Or{by("end_datetime"), cql2.And{cql2.IsNull{Value: cql2.Property("end_datetime")}, by("datetime")}}
	switch op { // the first part is what an index knows
	case cql2.Greater, cql2.GreaterOrEqual:
		return cql2.And{cql2.Compare{Op: cql2.GreaterOrEqual, Left: cql2.Property("datetime"), Right: cql2.Timestamp{Time: t.Add(-longest)}}, ends}
	case cql2.Less, cql2.LessOrEqual:
		return cql2.And{cql2.Compare{Op: cql2.LessOrEqual, Left: cql2.Property("datetime"), Right: t}, ends}
	}
	return ends
}

// An attr is an attribute of the hub: the property that it is here, and how its texts are written there.
type attr struct {
	property string
	text     func(string) string // nil: numbers
}

func same(s string) string { return s }

// attributes by their names at the hub.
var attributes = map[string]attr{
	"cloudCover": {"eo:cloud_cover", nil}, "snowCover": {"eo:snow_cover", nil}, "orbitNumber": {"sat:absolute_orbit", nil}, "relativeOrbitNumber": {"sat:relative_orbit", nil},
	"productType": {"product:type", same}, "orbitDirection": {"sat:orbit_state", strings.ToLower}, "platformShortName": {"constellation", strings.ToLower},
	"operationalMode": {"sar:instrument_mode", same}, "tileId": {"grid:code", func(s string) string { return "MGRS-" + strings.TrimPrefix(s, "T") }},
	"processorVersion": {"processing:version", same}, "timeliness": {"product:timeliness_category", same}, "granuleIdentifier": {"s2:tile_id", same},
	"datastripId": {"s2:datastrip_id", same}, "productGroupId": {"s2:datatake_id", same},
	"processingLevel": {"processing:level", func(s string) string { return "L" + strings.TrimPrefix(strings.TrimPrefix(s, "LEVEL"), "L") }},
}

// AttributeNames are what Attributes(…) lists, with their types.
func AttributeNames() map[string]string {
	all := map[string]string{"platformSerialIdentifier": "String", "instrumentShortName": "String", "polarisationChannels": "String", "beginningDateTime": "DateTimeOffset", "endingDateTime": "DateTimeOffset"}
	for name, a := range attributes {
		switch {
		case a.text != nil:
			all[name] = "String"
		case strings.HasSuffix(name, "Number"):
			all[name] = "Integer"
		default:
			all[name] = "Double"
		}
	}
	return all
}

// attributed compiles a comparison of an attribute. One that is not known matches nothing.
func (p *parser) attributed(name string, op cql2.CompareOp, v cql2.Node) (cql2.Node, error) {
	text, isText := v.(cql2.Text)
	switch name {
	case "beginningDateTime", "endingDateTime":
		if isText {
			if t, ok := moment(string(text)); ok {
				v = cql2.Timestamp{Time: t}
			}
		}
		t, isTime := v.(cql2.Timestamp)
		if !isTime {
			return nil, p.wrong("%s is compared with a date", name)
		}
		return dated(map[string]string{"beginningDateTime": "ContentDate/Start", "endingDateTime": "ContentDate/End"}[name], op, t), nil
	case "platformSerialIdentifier":
		if isText {
			return unless(op, cql2.Like{Value: cql2.Property("platform"), Pattern: cql2.Text("%" + likeEscapes.Replace(strings.ToLower(string(text))))}), nil
		}
	case "instrumentShortName":
		if isText {
			instrument := strings.ToLower(string(text))
			if instrument == "sar" {
				instrument = "c-sar"
			}
			return unless(op, cql2.ArrayOp{Op: cql2.AContains, Left: cql2.Property("instruments"), Right: cql2.Array{cql2.Text(instrument)}}), nil
		}
	case "polarisationChannels":
		if isText {
			var list cql2.Array
			for _, one := range strings.FieldsFunc(string(text), func(r rune) bool { return r == '&' || r == ',' || r == ' ' }) {
				list = append(list, cql2.Text(one))
			}
			if len(list) == 0 {
				return cql2.Bool(op == cql2.NotEqual), nil
			}
			return unless(op, cql2.ArrayOp{Op: cql2.AEquals, Left: cql2.Property("sar:polarizations"), Right: list}), nil
		}
	}
	a, known := attributes[name]
	if !known {
		return cql2.Bool(false), nil
	}
	if a.text == nil {
		if n, err := strconv.ParseFloat(string(text), 64); isText && err == nil { // EODAG writes orbits as texts
			v = cql2.Number(n)
		}
		if _, isNumber := v.(cql2.Number); !isNumber {
			return nil, p.wrong("%s is compared with a number", name)
		}
		return cql2.Compare{Op: op, Left: cql2.Property(a.property), Right: v}, nil
	}
	if n, isNumber := v.(cql2.Number); isNumber {
		text, isText = cql2.Text(strconv.FormatFloat(float64(n), 'f', -1, 64)), true
	}
	if !isText {
		return nil, p.wrong("%s is compared with a text", name)
	}
	if name == "processingLevel" && strings.HasPrefix(string(text), "S2MSI") {
		return cql2.Compare{Op: op, Left: cql2.Property("product:type"), Right: text}, nil
	}
	return cql2.Compare{Op: op, Left: cql2.Property(a.property), Right: cql2.Text(a.text(string(text)))}, nil
}
