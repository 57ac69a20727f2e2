package catalog

import (
	"math"
	"time"

	"github.com/buger/jsonparser"

	"swath/fault"
)

// properties is what the columns say of an item's properties.
type properties struct {
	worded
	cloud *float64 // eo:cloud_cover, percent
	orbit *int16   // sat:relative_orbit
	terms []int32
	all   []namedValue // those of nested objects too, but for what is known; of a form's item they are valid as long as it, as are terms
	form  *form        // of the item; nil when that was not asked
	known numberSet    // the properties that say what the form knows, by number
}

const (
	oddOrbit = -1      // of an item whose relative orbit is no number that a column holds: the body is looked at
	oddWord  = "\x00"  // stands for what is no text, or two texts that differ: the body is looked at
	mgrs     = "MGRS-" // begins the grid:code of an MGRS tile
)

// parseProperties reads an item's properties, which must be there, an object with a time. An item that was recognized by its form,
// as may be nil, says much that is known.
func parseProperties(members []member, keywords []byte, as *recognized) (when period, p properties, err error) {
	if members == nil {
		return period{}, p, fault.New(fault.Invalid, "the item's properties are missing or no object")
	}
	if when, err = parseWhen(members); err != nil {
		return period{}, p, err
	}
	if cloud, ok := numberOf(get(members, "eo:cloud_cover")); ok {
		p.cloud = &cloud // somebody's text stays in the body
	}
	p.orbit = orbitOf(get(members, "sat:relative_orbit"))
	p.platform = wordOf(get(members, "platform"))
	p.grid = gridOf(wordOf(get(members, "grid:code")), wordOf(get(members, "s2:mgrs_tile")))
	if as != nil {
		p.all, p.terms, p.form = as.room.all[:0], as.room.terms[:0], as.form()
		for i := range members {
			if known := p.form.shape.properties[i].known; known != nil && string(members[i].raw) == known.raw {
				p.known.add(i)
				p.terms = append(p.terms, known.terms...)
				continue
			}
			first := len(p.all)
			if p.all, err = appendProperties(p.all, "", members[i:i+1]); err != nil {
				return period{}, p, err
			}
			p.all[first].member = i + 1
		}
	} else if p.all, err = appendProperties(make([]namedValue, 0, len(members)), "", members); err != nil {
		return period{}, p, err
	} else {
		p.terms = make([]int32, 0, mostlyTerms)
	}
	p.terms, err = termsOf(p.terms, p.all, keywords)
	if as != nil {
		as.room.all, as.room.terms = p.all, p.terms
	}
	return when, p, err
}

// appendProperties adds properties by their dotted names, and those of nested objects.
func appendProperties(all []namedValue, prefix string, members []member) ([]namedValue, error) {
	for _, m := range members {
		all = append(all, namedValue{name: prefix + m.name, raw: m.raw})
		if !isObject(m.raw) {
			continue
		}
		inner, err := membersOf(m.raw)
		if err == nil {
			all, err = appendProperties(all, prefix+m.name+".", inner)
		}
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "in the property %q: %s", prefix+m.name, public(err))
		}
	}
	return all, nil
}

func public(err error) string {
	_, text := fault.Of(err)
	return text
}

// parseWhen reads the three properties of time.
func parseWhen(properties []member) (period, error) {
	var at [3]*time.Time
	for i, name := range []string{"datetime", "start_datetime", "end_datetime"} {
		raw := get(properties, name)
		if raw == nil || string(raw) == "null" {
			continue
		}
		if !isText(raw) {
			return period{}, fault.New(fault.Invalid, "%s is not a text", name)
		}
		instant, err := parseInstant(textOf(raw))
		if err != nil {
			return period{}, err
		}
		at[i] = &instant
	}
	return periodOf(at[0], at[1], at[2])
}

// orbitOf returns nil for an orbit that is missing.
func orbitOf(raw []byte) *int16 {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	orbit := int16(oddOrbit)
	if number, ok := numberOf(raw); ok && number == math.Trunc(number) && number >= 0 && number <= math.MaxInt16 {
		orbit = int16(number)
	}
	return &orbit
}

// wordOf returns nil for a text that is missing.
func wordOf(raw []byte) *string {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	text := oddWord
	if isText(raw) && len(raw) > len(`""`) {
		text = textOf(raw)
	}
	return &text
}

// gridOf joins the two names of a grid cell. Where both are there, they must agree.
func gridOf(code, tile *string) *string {
	if tile == nil {
		return code
	}
	named, odd := oddWord, oddWord
	if *tile != oddWord {
		named = mgrs + *tile
	}
	if code == nil || *code == named {
		return &named
	}
	return &odd
}

// idOf returns the id in the body of a stored item.
func idOf(body []byte) string {
	id, _ := jsonparser.GetString(body, "id") // it was checked when it was stored
	return id
}
