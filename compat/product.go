package compat

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"swath/stac"
)

// Online reports whether the bytes of a product can be had at once.
func (p Product) Online() bool { return p.Status == "" || p.Status == "succeeded" }

// Product is an item in the words of the protocols that came before STAC.
type Product struct {
	UUID                string
	Collection, ID      string // here
	Name                string // as its agency packed it: S2A_….SAFE
	Published, Modified time.Time
	Begin, End          time.Time
	Created             string // by its agency; may be empty
	Geometry            json.RawMessage
	Bytes               int64
	MD5, SHA256         string // lower-case hex; empty where they are not known
	Platform            string // S2A
	Mission             string // SENTINEL-2
	Instrument          string // MSI, SAR
	Type                string // S2MSI1C
	Level               string // L1C
	Mode                string // IW; INS-NOBS of Sentinel-2
	Polarisation        string // "VV VH"
	Orbit, Relative     int    // 0: not known
	Direction           string // ascending
	Cloud, Snow         *float64
	Tile                string // 31TCJ
	Take, Baseline      string
	Timeliness          string
	Resolution          *float64
	Thumbnail           string // its asset's name; empty: there is none
	Status              string // order:status of the product; empty: it lies on disk
	Key                 string // its object; empty when others keep it
	Deprecated          bool   // another version came after it
}

// document is what is read of an item.
type document struct {
	Geometry   json.RawMessage `json:"geometry"`
	Properties struct {
		Datetime      *time.Time `json:"datetime"`
		Start         *time.Time `json:"start_datetime"`
		End           *time.Time `json:"end_datetime"`
		Created       string     `json:"created"`
		Platform      string     `json:"platform"`
		Constellation string     `json:"constellation"`
		Instruments   []string   `json:"instruments"`
		GSD           *float64   `json:"gsd"`
		Type          string     `json:"product:type"`
		SARType       string     `json:"sar:product_type"`
		Level         string     `json:"processing:level"`
		Version       string     `json:"processing:version"`
		Timeliness    string     `json:"product:timeliness_category"`
		Mode          string     `json:"sar:instrument_mode"`
		Polarisations []string   `json:"sar:polarizations"`
		Orbit         int        `json:"sat:absolute_orbit"`
		Relative      int        `json:"sat:relative_orbit"`
		Direction     string     `json:"sat:orbit_state"`
		Cloud         *float64   `json:"eo:cloud_cover"`
		Snow          *float64   `json:"eo:snow_cover"`
		Grid          string     `json:"grid:code"`
		Take          string     `json:"s2:datatake_id"`
		Deprecated    bool       `json:"deprecated"`
	} `json:"properties"`
	Assets map[string]struct {
		Size     int64    `json:"file:size"`
		Checksum string   `json:"file:checksum"`
		MD5      string   `json:"swath:md5"`
		Status   string   `json:"order:status"`
		Object   string   `json:"swath:object"`
		Roles    []string `json:"roles"`
	} `json:"assets"`
}

var sentinel = regexp.MustCompile(`^sentinel-?([1-9])([a-z])$`)

// Read reads an item that a search for products gave.
func Read(it stac.Item) (Product, error) {
	var d document
	if err := json.Unmarshal(it.Body, &d); err != nil {
		return Product{}, fmt.Errorf("compat: item %s/%s: %w", it.Collection, it.ID, err)
	}
	p, asset := d.Properties, d.Assets[stac.ProductAsset]
	out := Product{UUID: stac.UUID(it.Collection, it.ID), Collection: it.Collection, ID: it.ID, Name: it.ID, Published: it.Created, Modified: it.Updated,
		Created: p.Created, Geometry: d.Geometry, Bytes: asset.Size, MD5: asset.MD5, Type: p.Type, Level: p.Level, Mode: p.Mode, Polarisation: strings.Join(p.Polarisations, " "),
		Orbit: p.Orbit, Relative: p.Relative, Direction: p.Direction, Cloud: p.Cloud, Snow: p.Snow, Tile: strings.TrimPrefix(p.Grid, "MGRS-"), Take: p.Take,
		Baseline: p.Version, Timeliness: p.Timeliness, Resolution: p.GSD, Platform: strings.ToUpper(p.Platform), Status: asset.Status, Key: asset.Object,
		Deprecated: p.Deprecated}
	if sum, is := strings.CutPrefix(asset.Checksum, "1220"); is { // a multihash of SHA-256
		out.SHA256 = sum
	}
	if out.Type == "" {
		out.Type = p.SARType
	}
	for _, at := range []*time.Time{p.Start, p.Datetime} {
		if at != nil {
			out.Begin, out.End = at.UTC(), at.UTC()
			break
		}
	}
	if p.End != nil {
		out.End = p.End.UTC()
	}
	out.Mission = strings.ToUpper(p.Constellation)
	if m := sentinel.FindStringSubmatch(strings.ToLower(p.Platform)); m != nil {
		out.Platform, out.Mission, out.Name = "S"+m[1]+strings.ToUpper(m[2]), "SENTINEL-"+m[1], it.ID+".SAFE"
	}
	if len(p.Instruments) > 0 {
		out.Instrument = strings.ToUpper(p.Instruments[0])
	}
	switch out.Mission {
	case "SENTINEL-1":
		out.Instrument = "SAR"
	case "SENTINEL-2":
		out.Mode = "INS-NOBS"
	}
	for name, a := range d.Assets {
		for _, role := range a.Roles {
			if role == "thumbnail" && (out.Thumbnail == "" || name < out.Thumbnail) {
				out.Thumbnail = name
			}
		}
	}
	return out, nil
}

// PlatformID returns the platform of items that a short name (S2A) stands for.
func PlatformID(name string) string {
	lower := strings.ToLower(strings.TrimSpace(name))
	if m := regexp.MustCompile(`^s([1-9])([a-z])$`).FindStringSubmatch(lower); m != nil {
		return "sentinel-" + m[1] + m[2]
	}
	return lower
}

// IDOf returns the id of the item whose product has a name.
func IDOf(name string) string {
	for _, end := range []string{".zip", ".SAFE", ".SEN3"} {
		name = strings.TrimSuffix(name, end)
	}
	return name
}

// MultiPolygon returns a polygon as the only one of several, and everything else as it is.
func MultiPolygon(geometry json.RawMessage) json.RawMessage {
	var g struct {
		Type        string
		Coordinates json.RawMessage
	}
	if json.Unmarshal(geometry, &g) != nil || g.Type != "Polygon" {
		return geometry
	}
	return json.RawMessage(`{"type":"MultiPolygon","coordinates":[` + string(g.Coordinates) + `]}`)
}

// WKT writes a geometry of polygons as text; "" of others.
func WKT(geometry json.RawMessage) string {
	var g struct {
		Type        string
		Coordinates json.RawMessage
	}
	if json.Unmarshal(geometry, &g) != nil {
		return ""
	}
	polygon := func(rings [][][]json.Number) string {
		texts := make([]string, len(rings))
		for i, ring := range rings {
			points := make([]string, len(ring))
			for j, p := range ring {
				if len(p) >= 2 {
					points[j] = p[0].String() + " " + p[1].String()
				}
			}
			texts[i] = "(" + strings.Join(points, ",") + ")"
		}
		return "(" + strings.Join(texts, ",") + ")"
	}
	switch g.Type {
	case "Polygon":
		var rings [][][]json.Number
		if json.Unmarshal(g.Coordinates, &rings) == nil {
			return "POLYGON" + polygon(rings)
		}
	case "MultiPolygon":
		var all [][][][]json.Number
		if json.Unmarshal(g.Coordinates, &all) == nil {
			texts := make([]string, len(all))
			for i, rings := range all {
				texts[i] = polygon(rings)
			}
			return "MULTIPOLYGON(" + strings.Join(texts, ",") + ")"
		}
	}
	return ""
}

// families are the collections of PEPS, by the beginnings of the names of ours that they are.
var families = map[string]string{"S1": "sentinel-1-", "S2": "sentinel-2-", "S2ST": "sentinel-2-", "S3": "sentinel-3-", "SpotWorldHeritage": "spot-"}

// Members returns those of some collections that a collection of PEPS stands for: the ones of its family, or the one of its own name.
func Members(name string, among []string) (ids []string, family bool) {
	begin, family := families[name]
	for _, id := range among {
		if id == name || family && strings.HasPrefix(id, begin) {
			ids = append(ids, id)
		}
	}
	return ids, family
}

// MultiTile is when ESA began to distribute Sentinel-2 in products of one tile: PEPS' collection S2 ends there.
var MultiTile = time.Date(2016, 12, 5, 0, 0, 0, 0, time.UTC)

// Level is a processing level as items say it: LEVEL1C, L1C or 1C is L1C.
func Level(text string) string {
	return "L" + strings.TrimPrefix(strings.TrimPrefix(strings.ToUpper(text), "LEVEL"), "L")
}
