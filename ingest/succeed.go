package ingest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"swath/eo"
	"swath/stac"
	"swath/stac/cql2"
)

// versionExtension is the schema of deprecated and the links between versions.
const versionExtension = extensionBase + "version/v1.2.0/schema.json"

// longestDatatake is how long after the begin of its datatake a tile of it is sensed at most.
const longestDatatake = 40 * time.Minute

// acquisition is what the products of one tile of one datatake share, whatever processed them.
type acquisition struct {
	unit, level, tile string
	datatake          time.Time
	orbit             int
}

func acquisitionOf(id string) (a acquisition, n eo.S2Name, ok bool) {
	name, err := eo.ParseName(id)
	if err != nil {
		return a, n, false
	}
	n, ok = name.(eo.S2Name)
	return acquisition{n.Unit, n.Level, n.Tile, n.DatatakeUTC, n.RelativeOrbit}, n, ok
}

// succeed orders the products of an item's acquisition, whether the item is there or not: the newest baseline lives, the others are
// deprecated, and each links to its neighbours. Whoever does it last sees all of them, so that ingests beside each other agree.
func (in *Ingester) succeed(ctx context.Context, collection, id string) error {
	of, name, ok := acquisitionOf(id)
	if !ok {
		return nil
	}
	filter, err := cql2.ParseText(fmt.Sprintf(`"grid:code" = 'MGRS-%s'`, strings.TrimPrefix(name.Tile, "0")))
	if err != nil {
		return err
	}
	end := of.datatake.Add(longestDatatake)
	page, err := in.Catalog.Search(ctx, stac.Search{Collections: []string{collection}, Datetime: &stac.Interval{Start: &of.datatake, End: &end}, Filter: filter, Limit: 100, Uncounted: true})
	if err != nil {
		return fmt.Errorf("ingest: versions of %s: %w", id, err)
	}
	type version struct {
		id   string
		name eo.S2Name
		body json.RawMessage
	}
	var all []version
	for _, it := range page.Items {
		if other, n, ok := acquisitionOf(it.ID); ok && other == of {
			all = append(all, version{it.ID, n, bytes.Clone(it.Body)})
		}
	}
	page.Release()
	slices.SortFunc(all, func(a, b version) int {
		return cmp.Or(strings.Compare(a.name.Baseline, b.name.Baseline), a.name.Discriminator.Compare(b.name.Discriminator), strings.Compare(a.id, b.id))
	})
	for i, v := range all {
		var before, after string
		if i > 0 {
			before = all[i-1].id
		}
		if i < len(all)-1 {
			after = all[i+1].id
		}
		change := func(body json.RawMessage) (json.RawMessage, bool, error) {
			return versioned(body, collection, v.name.Baseline[:2]+"."+v.name.Baseline[2:], before, after)
		}
		if _, differs, err := change(v.body); err != nil || !differs {
			if err != nil {
				return fmt.Errorf("ingest: version of %s: %w", v.id, err)
			}
			continue
		}
		_, err := in.Catalog.ChangeItem(ctx, collection, v.id, func(old *stac.Item) (*stac.Item, error) {
			if old == nil {
				return nil, nil // it left meanwhile: who took it out does this, too
			}
			body, _, err := change(old.Body)
			return &stac.Item{Collection: collection, ID: v.id, Body: body}, err
		})
		if err != nil {
			return fmt.Errorf("ingest: version of %s: %w", v.id, err)
		}
	}
	return nil
}

// versioned writes what an item says of the versions before and after it; empty for none. It reports whether the item did not say so.
func versioned(body json.RawMessage, collection, version, before, after string) (json.RawMessage, bool, error) {
	var item map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&item); err != nil {
		return body, false, err
	}
	properties, _ := item["properties"].(map[string]any)
	if properties == nil {
		return body, false, nil
	}
	var links []any
	was, _ := item["links"].([]any)
	for _, l := range was {
		if link, _ := l.(map[string]any); link["rel"] != "predecessor-version" && link["rel"] != "successor-version" {
			links = append(links, l)
		}
	}
	for _, l := range []struct{ rel, id string }{{"predecessor-version", before}, {"successor-version", after}} {
		if l.id != "" {
			href := stac.HrefPrefix + path.Join("/collections", url.PathEscape(collection), "items", url.PathEscape(l.id))
			links = append(links, map[string]any{"rel": l.rel, "type": "application/geo+json", "href": href})
		}
	}
	deprecated := after != ""
	said, _ := properties["deprecated"].(bool)
	if said == deprecated && (reflect.DeepEqual(links, was) || len(links)+len(was) == 0) {
		return body, false, nil
	}
	if item["links"] = links; links == nil {
		item["links"] = []any{}
	}
	properties["version"], properties["deprecated"] = version, deprecated
	declared, _ := item["stac_extensions"].([]any)
	if !slices.Contains(declared, any(versionExtension)) {
		item["stac_extensions"] = append(declared, versionExtension)
	}
	out, err := json.Marshal(item)
	return out, true, err
}
