package restohttp

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"strings"

	"swath/compat"
	"swath/stac"
)

// layout is how PEPS writes times.
const layout = "2006-01-02T15:04:05.000Z"

type link struct {
	Rel   string `json:"rel"`
	Type  string `json:"type"`
	Title string `json:"title"`
	Href  string `json:"href"`
}

// answer is a page as resto writes it.
func answer(base, collection string, values url.Values, q question, page stac.Page, products []compat.Product) any {
	features := make([]any, len(products))
	for i, p := range products {
		features[i] = feature(base, collection, p)
	}
	at := func(number int) string {
		other := maps.Clone(values)
		delete(other, "index")
		other.Set("page", fmt.Sprint(number))
		return address(base, collection, other)
	}
	links := []link{{"self", "application/json", "self", address(base, collection, values)},
		{"search", "application/opensearchdescription+xml", "OpenSearch Description Document", base + "/resto/api/collections/" + url.PathEscape(collection) + "/describe.xml"}}
	current := (q.index-1)/q.Limit + 1
	if current > 1 {
		links = append(links, link{"previous", "application/json", "previous", at(current - 1)})
	}
	if page.Next != "" {
		links = append(links, link{"next", "application/json", "next", at(current + 1)})
	}
	total, exact := int64(q.index-1+len(products)), false
	if page.Matched != nil {
		total, exact = *page.Matched, !page.Estimated
		if total > 0 {
			links = append(links, link{"last", "application/json", "last", at(int((total-1)/int64(q.Limit)) + 1)})
		}
	}
	return map[string]any{"type": "FeatureCollection", "features": features, "properties": map[string]any{
		"title": "", "id": stac.UUID(collection, "search"), "totalResults": total, "exactCount": exact, "startIndex": q.index, "itemsPerPage": len(products),
		"totalItemsPerPage": fmt.Sprint(q.Limit), "links": links,
		"query": map[string]any{"searchFilters": q.filters, "analysis": map[string]string{"query": values.Get("q")}},
	}}
}

func address(base, collection string, values url.Values) string {
	return base + "/resto/api/collections/" + url.PathEscape(collection) + "/search.json?" + strings.ReplaceAll(values.Encode(), "+", "%20")
}

// storage are resto's words for where a product is.
var storage = map[string]string{"": "disk", "succeeded": "disk", "orderable": "tape", "ordered": "staging", "pending": "staging", "shipping": "staging"}

func feature(base, collection string, p compat.Product) any {
	at := base + "/resto/collections/" + url.PathEscape(collection) + "/" + p.UUID
	mode := storage[p.Status]
	if mode == "" {
		mode = "unknown"
	}
	thumbnail := any(nil)
	if p.Thumbnail != "" {
		thumbnail = stac.Links{Base: base}.ItemURL(p.Collection, p.ID) + "/assets/" + url.PathEscape(p.Thumbnail)
	}
	checksum := nilEmpty(strings.ToUpper(p.MD5))
	isNRT, realtime := 0, "Nominal"
	if strings.HasPrefix(p.Timeliness, "NRT") {
		isNRT, realtime = 1, p.Timeliness
	}
	// Never null: peps_download.py compares it with a number. Radar sees through clouds; -1 is what nobody knows.
	cloud := -1.0
	if p.Cloud != nil {
		cloud = *p.Cloud
	} else if p.Instrument == "SAR" {
		cloud = 0
	}
	ingested := p.Created
	if ingested == "" {
		ingested = p.Published.Format(layout)
	}
	parent := nilEmpty("")
	if p.Mission != "" {
		parent = "urn:ogc:def:EOP:ESA::" + p.Mission + ":"
	}
	geometry := compat.MultiPolygon(p.Geometry)
	level := p.Level
	if rest, is := strings.CutPrefix(level, "L"); is {
		level = "LEVEL" + rest
	}
	properties := map[string]any{
		"collection": collection, "productIdentifier": p.ID, "parentIdentifier": parent, "title": p.ID, "description": nil, "organisationName": organisation(p),
		"startDate": p.Begin.Format(layout), "completionDate": p.End.Format(layout), "productType": nilEmpty(p.Type), "processingLevel": nilEmpty(level),
		"platform": nilEmpty(p.Platform), "instrument": nilEmpty(p.Instrument), "resolution": p.Resolution, "sensorMode": nilEmpty(p.Mode),
		"polarisation": nilEmpty(p.Polarisation), "orbitNumber": p.Orbit, "relativeOrbitNumber": p.Relative, "orbitDirection": nilEmpty(p.Direction),
		"quicklook": thumbnail, "thumbnail": thumbnail, "resourceSize": p.Bytes, "resourceChecksum": checksum, "updated": p.Modified.Format(layout),
		"published": p.Published.Format(layout), "snowCover": p.Snow, "cloudCover": cloud, "keywords": keywords(base, collection, p), "visible": 1, "newVersion": nil,
		"isNrt": isNRT, "realtime": realtime, "dhusIngestDate": ingested, "s2TakeId": nilEmpty(p.Take), "mgrs": nilEmpty(p.Tile),
		"storage": map[string]string{"mode": mode},
		"services": map[string]any{
			"browse":   map[string]any{"title": "Display full resolution product on map", "layer": map[string]string{"type": "WMTS", "url": stac.Links{Base: base}.ItemURL(p.Collection, p.ID) + "/WMTSCapabilities.xml", "layers": ""}},
			"download": map[string]any{"url": at + "/download", "mimeType": "application/zip", "size": p.Bytes, "checksum": checksum},
		},
		"links": []link{{"alternate", "application/json", "GeoJSON link for " + p.UUID, at + ".json"},
			{"alternate", "application/geo+json", "STAC item", stac.Links{Base: base}.ItemURL(p.Collection, p.ID)}},
	}
	return map[string]any{"type": "Feature", "id": p.UUID, "geometry": geometry, "properties": properties}
}

func organisation(p compat.Product) string {
	switch {
	case strings.HasPrefix(p.Mission, "SENTINEL"):
		return "ESA"
	case strings.HasPrefix(p.Mission, "SPOT"):
		return "CNES"
	}
	return "unknown"
}

func nilEmpty(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// keywords are what the product can be found by, each with the search that does.
func keywords(base, collection string, p compat.Product) map[string]any {
	all := map[string]any{}
	add := func(kind, name, parameter, value string) {
		if name == "" {
			return
		}
		sum := sha1.Sum([]byte(kind + ":" + strings.ToLower(name)))
		word := map[string]string{"name": name, "type": kind}
		if parameter != "" {
			word["href"] = address(base, collection, url.Values{parameter: {value}})
		}
		all[hex.EncodeToString(sum[:])[:15]] = word
	}
	add("collection", collection, "lang", "en")
	add("productType", p.Type, "productType", p.Type)
	add("processingLevel", p.Level, "processingLevel", p.Level)
	add("platform", p.Platform, "platform", p.Platform)
	add("instrument", p.Instrument, "instrument", p.Instrument)
	add("sensorMode", p.Mode, "sensorMode", p.Mode)
	add("orbitDirection", p.Direction, "orbitDirection", p.Direction)
	add("year", p.Begin.Format("2006"), "", "")
	add("month", p.Begin.Month().String(), "", "")
	add("day", p.Begin.Format("02"), "", "")
	return all
}
