package catalog

import (
	"encoding/json"
	"math"
	"time"

	"github.com/buger/jsonparser"

	"swath/fault"
)

// properties is what the columns say of an item's properties.
type properties struct {
	cloud    *float64 // eo:cloud_cover, percent
	orbit    *int16   // sat:relative_orbit
	grid     *string  // grid:code, or the MGRS tile in its form; the text of a word
	platform *string  // the text of a word
	terms    []int32
}

const (
	oddOrbit = -1      // of an item whose relative orbit is no number that a column holds: the body is looked at
	oddWord  = "\x00"  // stands for what is no text, or two texts that differ: the body is looked at
	mgrs     = "MGRS-" // begins the grid:code of an MGRS tile
)

// parseProperties reads an item's properties, which must be an object with a time.
func parseProperties(raw, keywords []byte) (when period, p properties, err error) {
	members, err := membersOf(raw)
	if err != nil {
		return period{}, p, fault.Wrap(fault.Invalid, err, "the item's properties are missing or no object")
	}
	if when, err = parseWhen(members); err != nil {
		return period{}, p, err
	}
	if raw := get(members, "eo:cloud_cover"); raw != nil && json.Unmarshal(raw, &p.cloud) != nil {
		p.cloud = nil // somebody's text: kept in the body
	}
	p.orbit = orbitOf(get(members, "sat:relative_orbit"))
	p.platform = wordOf(get(members, "platform"))
	p.grid = gridOf(wordOf(get(members, "grid:code")), wordOf(get(members, "s2:mgrs_tile")))
	var values map[string]any
	var words any
	if err := json.Unmarshal(raw, &values); err != nil {
		return period{}, p, fault.New(fault.Invalid, "the item's properties: %v", err)
	}
	if keywords != nil {
		_ = json.Unmarshal(keywords, &words) // valid JSON, as all of the body
	}
	p.terms, err = termsOf(values, words)
	return when, p, err
}

// parseWhen reads the three properties of time.
func parseWhen(properties []member) (period, error) {
	var at [3]*time.Time
	for i, name := range []string{"datetime", "start_datetime", "end_datetime"} {
		var text *string
		if raw := get(properties, name); raw == nil {
			continue
		} else if json.Unmarshal(raw, &text) != nil {
			return period{}, fault.New(fault.Invalid, "%s is not a text", name)
		}
		if text != nil {
			instant, err := parseInstant(*text)
			if err != nil {
				return period{}, err
			}
			at[i] = &instant
		}
	}
	return periodOf(at[0], at[1], at[2])
}

// orbitOf returns nil for an orbit that is missing.
func orbitOf(raw []byte) *int16 {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	number, orbit := 0.0, int16(oddOrbit)
	if json.Unmarshal(raw, &number) == nil && number == math.Trunc(number) && number >= 0 && number <= math.MaxInt16 {
		orbit = int16(number)
	}
	return &orbit
}

// wordOf returns nil for a text that is missing.
func wordOf(raw []byte) *string {
	if raw == nil || string(raw) == "null" {
		return nil
	}
	text, odd := "", oddWord
	if json.Unmarshal(raw, &text) != nil || text == "" {
		return &odd
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
