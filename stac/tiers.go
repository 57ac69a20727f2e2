package stac

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/buger/jsonparser"
)

// Archived says of an asset's object that an archive has a copy of it.
type Archived struct {
	Status  string     // of STAC's order extension: orderable, ordered, shipping, succeeded (it can be read), failed
	Order   string     // that the user made; empty: none
	Expires *time.Time // when a copy that can be read goes; nil: not, or not known
}

// The extensions in whose words it is said where the files of an item are.
const (
	storageExtension    = "https://stac-extensions.github.io/storage/v2.0.0/schema.json"
	orderExtension      = "https://stac-extensions.github.io/order/v1.1.0/schema.json"
	timestampsExtension = "https://stac-extensions.github.io/timestamps/v1.1.0/schema.json"
)

// worst first: an item is as its least ready asset is.
var statuses = []string{"failed", "orderable", "ordered", "shipping", "succeeded"}

// WithArchived returns an item's body that tells which of its assets are archived, by the keys of their objects. Platform is the address of
// the service. What holds the other members stays as it is.
func WithArchived(body []byte, platform string, of map[string]Archived) []byte {
	if platform == "" {
		platform = "swath://archive"
	}
	t := tiers{of: of, platform: platform, worst: len(statuses) - 1}
	assets, kind, _, err := jsonparser.Get(body, "assets")
	if err != nil || kind != jsonparser.Object {
		return body
	}
	assets = t.assets(assets)
	if t.found == 0 {
		return body
	}
	out, extended := make([]byte, 0, len(body)+1024), false
	out = edit(out, body, func(dst []byte, key string, value []byte) ([]byte, bool) {
		switch key {
		case "assets":
			return append(dst, assets...), true
		case "properties":
			if value[0] == '{' {
				return t.properties(dst, value), true
			}
		case "stac_extensions":
			if extended = true; value[0] == '[' {
				return t.extensions(dst, value), true
			}
		}
		return dst, false
	})
	if !extended && len(out) > len("{}") {
		out = append(t.extensions(append(out[:len(out)-1], `,"stac_extensions":`...), []byte("[]")), '}')
	}
	return out
}

// archiveType is the type of the scheme that tells of the archive.
var archiveType = []byte(`"swath-archive"`)

// untell takes out of an asset, or of the properties, what WithArchived puts in.
func untell(of map[string]json.RawMessage) {
	delete(of, "order:status")
	delete(of, "order:id")
	delete(of, "expires")
	if bytes.Equal(of["storage:refs"], []byte(`["archive"]`)) {
		delete(of, "storage:refs")
	}
	var schemes map[string]json.RawMessage
	if json.Unmarshal(of["storage:schemes"], &schemes) == nil && bytes.Contains(schemes["archive"], archiveType) {
		delete(of, "storage:schemes")
	}
}

// tiers is what is found out about the assets of an item.
type tiers struct {
	of       map[string]Archived
	platform string
	found    int
	worst    int        // index of statuses
	expires  *time.Time // the first that goes
}

// assets returns the assets, each with what is known of its object.
func (t *tiers) assets(raw []byte) []byte {
	return edit(make([]byte, 0, len(raw)+512), raw, func(dst []byte, _ string, asset []byte) ([]byte, bool) {
		object, err := jsonparser.GetString(asset, ObjectField)
		a, ok := t.of[object]
		if err != nil || !ok || asset[0] != '{' {
			return dst, false
		}
		t.found++
		for i, s := range statuses {
			if s == a.Status {
				t.worst = min(t.worst, i)
			}
		}
		dst = append(append(append(dst, asset[:len(asset)-1]...), `,"storage:refs":["archive"],"order:status":"`...), a.Status...)
		dst = append(dst, '"')
		if a.Order != "" {
			dst = append(append(dst, `,"order:id":`...), strconv.Quote(a.Order)...)
		}
		if a.Expires != nil {
			dst = append(append(append(dst, `,"expires":"`...), a.Expires.UTC().Format(time.RFC3339)...), '"')
			if t.expires == nil || a.Expires.Before(*t.expires) {
				t.expires = a.Expires
			}
		}
		return append(dst, '}'), true
	})
}

// properties adds what is true of the item as a whole.
func (t *tiers) properties(dst, raw []byte) []byte {
	dst = append(dst, raw[:len(raw)-1]...)
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, `"storage:schemes":{"archive":{"type":"swath-archive","platform":"`...), t.platform...),
		`","title":"Archive: ordered before it can be read","tier":"cold"}},"order:status":"`...)
	dst = append(append(dst, statuses[t.worst]...), '"')
	if t.expires != nil {
		dst = append(append(append(dst, `,"expires":"`...), t.expires.UTC().Format(time.RFC3339)...), '"')
	}
	return append(dst, '}')
}

// extensions names the extensions beside those that the item has.
func (t *tiers) extensions(dst, raw []byte) []byte {
	have, first := map[string]bool{}, true
	_, _ = jsonparser.ArrayEach(raw, func(value []byte, _ jsonparser.ValueType, _ int, _ error) { have[string(value)], first = true, false })
	end := len(raw) - 1
	for end > 0 && raw[end] != ']' {
		end--
	}
	dst = append(dst, raw[:end]...)
	for _, e := range []string{storageExtension, orderExtension, timestampsExtension} {
		if have[e] || e == timestampsExtension && t.expires == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, '"'), e...), '"')
	}
	return append(dst, ']')
}

// edit copies an object, with the values that other writes in the place of those it takes.
func edit(dst, raw []byte, other func(dst []byte, key string, value []byte) (out []byte, took bool)) []byte {
	dst = append(dst, '{')
	first := true
	_ = jsonparser.ObjectEach(raw, func(key, value []byte, kind jsonparser.ValueType, _ int) error {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, quoted(key)...), ':')
		if len(value) > 0 && kind != jsonparser.String {
			var took bool
			if dst, took = other(dst, string(key), value); took {
				return nil
			}
		}
		if kind == jsonparser.String {
			dst = append(append(append(dst, '"'), value...), '"')
		} else {
			dst = append(dst, value...)
		}
		return nil
	})
	return append(dst, '}')
}
