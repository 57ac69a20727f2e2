package stac

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"

	"github.com/buger/jsonparser"
)

// Preset is a way to draw items that their collection offers (STAC render extension).
type Preset struct {
	name   string   // as it stands in an address
	title  string   // as it stands in JSON
	assets [][]byte // how the assets that it needs begin in an item
}

// Presets returns what a collection offers under "renders", by name. Odd ones are left out.
func Presets(collection []byte) []Preset {
	var body struct {
		Renders map[string]json.RawMessage `json:"renders"`
	}
	_ = json.Unmarshal(collection, &body) // it was stored; odd renders are none
	var all []Preset
	for _, name := range slices.Sorted(maps.Keys(body.Renders)) {
		var render struct {
			Title  string   `json:"title"`
			Assets []string `json:"assets"`
		}
		if json.Unmarshal(body.Renders[name], &render) != nil || len(render.Assets) == 0 {
			continue
		}
		if render.Title == "" {
			render.Title = name
		}
		p := Preset{name: url.QueryEscape(name), title: string(bytes.Trim(quoted([]byte(render.Title)), `"`))}
		for _, asset := range render.Assets {
			p.assets = append(p.assets, append(quoted([]byte(asset)), `:{`...))
		}
		all = append(all, p)
	}
	return all
}

// WithPresets returns a collection with the presets of another that it lacks; the collection itself when it lacks none.
func WithPresets(collection, other []byte) ([]byte, error) {
	var own, more struct {
		Renders map[string]json.RawMessage `json:"renders"`
	}
	if err := json.Unmarshal(collection, &own); err != nil {
		return collection, nil //nolint:nilerr // renders of another kind are the operator's
	}
	if err := json.Unmarshal(other, &more); err != nil {
		return nil, err
	}
	if own.Renders == nil {
		renders, _, _, err := jsonparser.Get(other, "renders")
		if err != nil {
			return collection, nil //nolint:nilerr // the other offers nothing
		}
		return jsonparser.Set(collection, renders, "renders")
	}
	for _, name := range slices.Sorted(maps.Keys(more.Renders)) {
		if _, there := own.Renders[name]; there {
			continue
		}
		var err error
		if collection, err = jsonparser.Set(collection, more.Renders[name], "renders", name); err != nil { // behind those that are there
			return nil, err
		}
	}
	return collection, nil
}

// appendPresets appends links to the map tiles of an item, drawn in each way that its assets allow (STAC web map links).
func (l Links) appendPresets(dst []byte, self string, body []byte) []byte {
	for _, p := range l.Presets {
		if slices.ContainsFunc(p.assets, func(asset []byte) bool { return !bytes.Contains(body, asset) }) {
			continue
		}
		dst = p.appendLinks(dst, self)
	}
	return dst
}

// appendLinks appends those to the map tiles of an item or of a collection's items.
func (p Preset) appendLinks(dst []byte, self string) []byte {
	dst = AppendLink(append(dst, ','), "tilejson", self+"/tilejson.json?render="+p.name, TypeJSON, p.title)
	return AppendLink(append(dst, ','), "xyz", self+"/tiles/WebMercatorQuad/{z}/{x}/{y}.png?render="+p.name, "image/png", p.title)
}
