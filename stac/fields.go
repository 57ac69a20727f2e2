package stac

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buger/jsonparser"

	"swath/fault"
)

// Fields says which members of an item are wanted (STAC API fields 1.0). Of the paths that hold a member, the longest decides,
// and what includes where two are equal. A member that no path names is wanted when nothing is included by name.
type Fields struct {
	Include, Exclude []string // dotted paths: id, properties.datetime, assets.B04.href
}

const maxFields = 500

// always are the members without which nobody could tell what an item is.
var always = []string{"type", "stac_version", "id", "collection"}

// byDefault are the other members of the smallest valid item, and of the smallest valid collection.
var byDefault = []string{"geometry", "bbox", "links", "assets", "properties.datetime", "properties.start_datetime", "properties.end_datetime",
	"description", "license", "extent"}

// parseFields reads "id,-geometry,+properties.eo:cloud_cover"; where nothing is included by name, the smallest valid item is,
// less what is excluded.
func parseFields(text string) (*Fields, error) {
	f := &Fields{}
	for _, name := range list(text) {
		name = strings.TrimSpace(name)
		switch {
		case strings.HasPrefix(name, "-"):
			f.Exclude = append(f.Exclude, name[1:])
		default:
			f.Include = append(f.Include, strings.TrimPrefix(name, "+"))
		}
	}
	if len(f.Include) == 0 {
		f.includeDefault()
	}
	return f, f.check()
}

// includeDefault includes what the smallest valid item has and nothing excludes.
func (f *Fields) includeDefault() {
	excluded := Fields{Exclude: f.Exclude}
	f.Include = append(f.Include, "id") // always sent: with it there is something included, whatever is excluded
	for _, name := range byDefault {
		if keep, _ := excluded.wants(name); keep {
			f.Include = append(f.Include, name)
		}
	}
}

func (f *Fields) check() error {
	if len(f.Include)+len(f.Exclude) > maxFields {
		return fault.New(fault.Invalid, "fields names more than %d members", maxFields)
	}
	for _, name := range append(f.Include[:len(f.Include):len(f.Include)], f.Exclude...) {
		if badName(name) || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") {
			return fault.New(fault.Invalid, "fields holds %q, which is no member", name)
		}
	}
	return nil
}

// dated adds to what is wanted of an item the moments at which it came and changed last, where they are named: no body holds them.
func (f *Fields) dated(body []byte, it Item) []byte {
	var dates []byte
	for _, one := range []struct {
		name string
		at   time.Time
	}{{Published, it.Created}, {Modified, it.Updated}} {
		if !one.at.IsZero() && slices.Contains(f.Include, "properties."+one.name) {
			dates = fmt.Appendf(dates, `,"%s":"%s"`, one.name, one.at.UTC().Format(time.RFC3339Nano))
		}
	}
	if dates == nil {
		return body
	}
	there := false
	out := edit(make([]byte, 0, len(body)+len(dates)), body, func(dst []byte, key string, value []byte) ([]byte, bool) {
		if key != "properties" || value[0] != '{' {
			return dst, false
		}
		there = true
		return append(joinMembers(append(dst, value[:len(value)-1]...), dates), '}'), true
	})
	if there {
		return out
	}
	out = joinMembers(out[:len(out)-1], []byte(`,"properties":{`))
	return append(joinMembers(out, dates), '}', '}')
}

// joinMembers appends members, which begin with a comma, to an object that is open.
func joinMembers(open, members []byte) []byte {
	if open[len(open)-1] == '{' {
		members = members[1:]
	}
	return append(open, members...)
}

// wants tells what to do with the member at a path: keep it, leave it out, or look inside.
func (f *Fields) wants(path string) (keep, inside bool) {
	keep = len(f.Include) == 0
	longest := 0
	for _, list := range []struct {
		paths []string
		keep  bool
	}{{f.Exclude, false}, {f.Include, true}} {
		for _, p := range list.paths {
			switch {
			case p == path, strings.HasPrefix(path, p) && path[len(p)] == '.':
				if len(p) >= longest {
					longest, keep = len(p), list.keep
				}
			case strings.HasPrefix(p, path) && p[len(path)] == '.':
				inside = true
			}
		}
	}
	return keep, inside
}

// Links reports whether links are wanted.
func (f *Fields) Links() bool {
	if f == nil {
		return true
	}
	keep, _ := f.wants("links")
	return keep
}

// Apply returns what is wanted of a stored item, its members in their order.
func (f *Fields) Apply(body []byte) []byte {
	return f.object(make([]byte, 0, len(body)), "", body)
}

func (f *Fields) object(out []byte, prefix string, raw []byte) []byte {
	out = append(out, '{')
	first := true
	_ = jsonparser.ObjectEach(raw, func(key, value []byte, kind jsonparser.ValueType, _ int) error {
		path := prefix + string(key)
		keep, inside := f.wants(path)
		if prefix == "" {
			for _, name := range always {
				keep = keep || path == name
			}
		}
		if !keep && !inside {
			return nil
		}
		var member []byte
		switch {
		case kind == jsonparser.Object && inside:
			member = f.object(nil, path+".", value)
			if !keep && len(member) == len("{}") {
				return nil
			}
		case !keep:
			return nil
		case kind == jsonparser.String:
			member = append(append([]byte{'"'}, value...), '"')
		default:
			member = value
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(append(append(out, quoted(key)...), ':'), member...)
		return nil
	})
	return append(out, '}')
}

// quoted writes a key as JSON.
func quoted(key []byte) []byte {
	text, _ := json.Marshal(string(key)) // a string always can
	return text
}
