package cschttp

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"swath/compat"
	"swath/compat/odata"
	"swath/stac"
)

// layout is how the hub writes times.
const layout = "2006-01-02T15:04:05.000000Z"

// never is the EvictionDate of what stays.
const never = "9999-12-31T23:59:59.999999Z"

func at(t time.Time) string { return t.UTC().Format(layout) }

// row is a product as the hub writes it.
func (a API) row(base string, p compat.Product, q query) map[string]any {
	all := common(p)
	all["@odata.mediaContentType"], all["ContentType"] = "application/octet-stream", "application/octet-stream"
	all["OriginDate"], all["ModificationDate"] = at(p.Published), at(p.Modified)
	all["Online"], all["EvictionDate"] = p.Online(), never
	all["S3Path"] = ""
	if a.Bucket != "" && p.Key != "" {
		all["S3Path"] = "/" + a.Bucket + "/" + p.Key
	}
	return finish(base, all, p, q)
}

// deletedRow is a product that is gone.
func deletedRow(base string, p compat.Product, deleted time.Time, q query) map[string]any {
	all := common(p)
	all["DeletionDate"], all["DeletionCause"] = at(deleted), odata.Other
	if p.Deprecated {
		all["DeletionCause"] = odata.Obsolete
	}
	return finish(base, all, p, q)
}

func common(p compat.Product) map[string]any {
	sums := []any{}
	for _, sum := range []struct{ algorithm, value string }{{"MD5", p.MD5}, {"SHA256", p.SHA256}} {
		if sum.value != "" {
			sums = append(sums, map[string]string{"Value": sum.value, "Algorithm": sum.algorithm, "ChecksumDate": at(p.Published)})
		}
	}
	all := map[string]any{"Id": p.UUID, "Name": p.Name, "ContentLength": p.Bytes, "PublicationDate": at(p.Published), "Checksum": sums,
		"ContentDate": map[string]string{"Start": at(p.Begin), "End": at(p.End)}, "Footprint": nil, "GeoFootprint": nil}
	if string(p.Geometry) != "null" && len(p.Geometry) > 0 {
		all["GeoFootprint"] = json.RawMessage(p.Geometry)
		if wkt := compat.WKT(p.Geometry); wkt != "" {
			all["Footprint"] = "geography'SRID=4326;" + wkt + "'"
		}
	}
	return all
}

// finish adds what is expanded, and leaves out what is not selected.
func finish(base string, all map[string]any, p compat.Product, q query) map[string]any {
	if q.choose != nil {
		chosen := map[string]any{"@odata.mediaContentType": "application/octet-stream", "Id": all["Id"]}
		for _, name := range q.choose {
			if v, ok := all[name]; ok {
				chosen[name] = v
			}
		}
		all = chosen
	}
	if q.expand["Attributes"] {
		all["Attributes"] = attributesOf(p)
	}
	if q.expand["Assets"] {
		assets := []any{}
		if p.Thumbnail != "" {
			assets = append(assets, map[string]any{"Type": "QUICKLOOK", "DownloadLink": stac.Links{Base: base}.ItemURL(p.Collection, p.ID) + "/assets/" + url.PathEscape(p.Thumbnail)})
		}
		all["Assets"] = assets
	}
	if q.expand["Locations"] {
		all["Locations"] = []any{map[string]any{"FormatType": "Extracted", "DownloadLink": base + "/odata/v1/Products(" + p.UUID + ")/$value", "ContentLength": p.Bytes}}
	}
	return all
}

// attributesOf are the attributes of a product, those that are not known left out.
func attributesOf(p compat.Product) []any {
	out := []any{}
	add := func(kind, name string, v any) {
		out = append(out, map[string]any{"@odata.type": "#OData.CSC." + kind + "Attribute", "Name": name, "Value": v, "ValueType": kind})
	}
	text := func(name, v string) {
		if v != "" {
			add("String", name, v)
		}
	}
	if p.Cloud != nil {
		add("Double", "cloudCover", *p.Cloud)
	}
	if p.Snow != nil {
		add("Double", "snowCover", *p.Snow)
	}
	if p.Orbit > 0 {
		add("Integer", "orbitNumber", p.Orbit)
	}
	if p.Relative > 0 {
		add("Integer", "relativeOrbitNumber", p.Relative)
	}
	serial := ""
	if rest, is := strings.CutPrefix(p.Platform, "S"); is && len(rest) == 2 {
		serial = rest[1:]
	}
	level := p.Level
	if p.Mission == "SENTINEL-2" {
		level = p.Type
	} else if rest, is := strings.CutPrefix(level, "L"); is {
		level = "LEVEL" + rest
	}
	mode := p.Mode
	text("productType", p.Type)
	text("orbitDirection", strings.ToUpper(p.Direction))
	text("platformShortName", p.Mission)
	text("platformSerialIdentifier", serial)
	text("instrumentShortName", p.Instrument)
	text("operationalMode", mode)
	text("polarisationChannels", strings.ReplaceAll(p.Polarisation, " ", "&"))
	text("tileId", p.Tile)
	text("processorVersion", p.Baseline)
	text("processingLevel", level)
	text("timeliness", p.Timeliness)
	text("productGroupId", p.Take)
	add("DateTimeOffset", "beginningDateTime", p.Begin.Format("2006-01-02T15:04:05.000Z"))
	add("DateTimeOffset", "endingDateTime", p.End.Format("2006-01-02T15:04:05.000Z"))
	return out
}

// attributeList is what Attributes(…) answers.
func attributeList() []any {
	names := odata.AttributeNames()
	out := []any{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		out = append(out, map[string]string{"Name": name, "ValueType": names[name]})
	}
	return out
}
