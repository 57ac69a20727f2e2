package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"swath/stac"
)

// MirrorConfig is one mirror of a hub.
type MirrorConfig struct {
	Name        string     `yaml:"name"`
	Hub         HubConfig  `yaml:"hub"`
	Collection  string     `yaml:"collection"`  // of the hub, such as SENTINEL-2; empty: all
	Filter      string     `yaml:"filter"`      // an expression of the hub's language beside
	Area        AreaConfig `yaml:"area"`        // of the footprints; empty: everywhere
	Since       DateConfig `yaml:"since"`       // publication of the first product that is wanted
	Connections int        `yaml:"connections"` // downloads at a time; 4
	Into        string     `yaml:"into"`        // collection here; empty: by product type
	COG         string     `yaml:"cog"`         // when rasters become COGs: eager, on-demand or none; empty: as the collection says

	Originals bool `yaml:"originals"` // zipped Sentinel products are kept as they are, and no pixel is read

	Webhook WebhookConfig `yaml:"webhook"`

	Poll       time.Duration `yaml:"poll"`          // between two looks at the hub's lists; 2m
	SweepDays  int           `yaml:"sweep_days"`    // of acquisition, whose products are counted each day; 60
	Backoff    time.Duration `yaml:"backoff"`       // before a product that failed is tried again; doubles; 1m
	MiBPerS    float64       `yaml:"mib_per_s"`     // of all downloads together; 0: as fast as they come
	Stall      time.Duration `yaml:"stall"`         // without a byte, after which a download is broken off and resumed; 1m
	Quarantine time.Duration `yaml:"quarantine"`    // before wrong bytes are tried again; 24h
	KeepFree   int64         `yaml:"keep_free_gib"` // of the data folder's disk; 1
	MostVanish float64       `yaml:"most_vanish"`   // percent of the products of a folder that may vanish at once; 10
}

// WebhookConfig is an address of this server, POST /hooks/{secret}, by which a hub tells that something is new.
type WebhookConfig struct {
	SecretEnv   string `yaml:"secret_env"` // environment variable that holds the last part of the path, of 16 letters or more; empty: there is none
	User        string `yaml:"user"`
	PasswordEnv string `yaml:"password_env"` // environment variable that holds the password
}

// DateConfig is a day or a moment.
type DateConfig struct{ time.Time }

// UnmarshalYAML reads 2024-01-01 or RFC 3339.
func (d *DateConfig) UnmarshalYAML(n *yaml.Node) (err error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if d.Time, err = time.Parse(layout, n.Value); err == nil {
			return nil
		}
	}
	return fmt.Errorf("line %d: %q is neither a day nor a moment such as 2024-01-01T00:00:00Z", n.Line, n.Value)
}

// AreaConfig is a box of degrees, or the name of a file with a GeoJSON polygon.
type AreaConfig struct {
	Box  []float64
	File string
}

// UnmarshalYAML reads either.
func (a *AreaConfig) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		a.File = n.Value
		return nil
	}
	return n.Decode(&a.Box)
}

// wkt writes the area, empty for none.
func (a AreaConfig) wkt() (string, error) {
	if a.File != "" {
		body, err := os.ReadFile(a.File)
		if err != nil {
			return "", err
		}
		return wktOf(body)
	}
	if len(a.Box) == 0 {
		return "", nil
	}
	if len(a.Box) != 4 || a.Box[1] >= a.Box[3] || a.Box[0] < -180 || a.Box[2] > 180 || a.Box[1] < -90 || a.Box[3] > 90 {
		return "", fmt.Errorf("%v is not west, south, east, north in degrees", a.Box)
	}
	w, s, e, n := a.Box[0], a.Box[1], a.Box[2], a.Box[3]
	if w < e {
		return "POLYGON(" + ring(w, s, e, n) + ")", nil
	}
	return "MULTIPOLYGON((" + ring(w, s, 180, n) + "),(" + ring(-180, s, e, n) + "))", nil // over the antimeridian
}

func ring(w, s, e, n float64) string {
	return ringOf([][]float64{{w, s}, {e, s}, {e, n}, {w, n}, {w, s}})
}

func ringOf(points [][]float64) string {
	texts := make([]string, len(points))
	for i, p := range points {
		texts[i] = strconv.FormatFloat(p[0], 'f', -1, 64) + " " + strconv.FormatFloat(p[1], 'f', -1, 64)
	}
	return "(" + strings.Join(texts, ",") + ")"
}

// wktOf writes a GeoJSON polygon, or a feature with one.
func wktOf(body []byte) (string, error) {
	var document struct {
		Type        string
		Geometry    json.RawMessage
		Features    []json.RawMessage
		Coordinates json.RawMessage
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return "", err
	}
	polygon := func(rings [][][]float64) (string, error) {
		var texts []string
		for _, r := range rings {
			for _, p := range r {
				if len(p) < 2 {
					return "", fmt.Errorf("a position has fewer than two numbers")
				}
			}
			if len(r) < 4 {
				return "", fmt.Errorf("a ring has fewer than four positions")
			}
			texts = append(texts, ringOf(r))
		}
		if len(texts) == 0 {
			return "", fmt.Errorf("a polygon has no ring")
		}
		return "(" + strings.Join(texts, ",") + ")", nil
	}
	switch document.Type {
	case "Feature":
		return wktOf(document.Geometry)
	case "FeatureCollection":
		if len(document.Features) != 1 {
			return "", fmt.Errorf("%d features instead of one", len(document.Features))
		}
		return wktOf(document.Features[0])
	case "Polygon":
		var rings [][][]float64
		if err := json.Unmarshal(document.Coordinates, &rings); err != nil {
			return "", err
		}
		text, err := polygon(rings)
		return "POLYGON" + text, err
	case "MultiPolygon":
		var all [][][][]float64
		if err := json.Unmarshal(document.Coordinates, &all); err != nil {
			return "", err
		}
		var texts []string
		for _, one := range all {
			text, err := polygon(one)
			if err != nil {
				return "", err
			}
			texts = append(texts, text)
		}
		if len(texts) == 0 {
			return "", fmt.Errorf("no polygon")
		}
		return "MULTIPOLYGON(" + strings.Join(texts, ",") + ")", nil
	}
	return "", fmt.Errorf("%q is neither a polygon nor a feature with one", document.Type)
}

// geoJSON is the area as a geometry; nil for none.
func (a AreaConfig) geoJSON() (json.RawMessage, error) {
	if _, err := a.wkt(); err != nil || a.File == "" && len(a.Box) == 0 {
		return nil, err
	}
	if a.File == "" {
		w, s, e, n := a.Box[0], a.Box[1], a.Box[2], a.Box[3]
		box := func(w, e float64) [][][]float64 { return [][][]float64{{{w, s}, {e, s}, {e, n}, {w, n}, {w, s}}} }
		if w < e {
			return json.Marshal(map[string]any{"type": "Polygon", "coordinates": box(w, e)})
		}
		return json.Marshal(map[string]any{"type": "MultiPolygon", "coordinates": []any{box(w, 180), box(-180, e)}})
	}
	body, err := os.ReadFile(a.File)
	if err != nil {
		return nil, err
	}
	for { // a feature of a collection, the geometry of a feature
		var document struct {
			Type     string
			Geometry json.RawMessage
			Features []json.RawMessage
		}
		if err := json.Unmarshal(body, &document); err != nil {
			return nil, err
		}
		switch document.Type {
		case "Feature":
			body = document.Geometry
		case "FeatureCollection":
			body = document.Features[0]
		default:
			return body, nil
		}
	}
}

// aim says what is wanted of the hub, so that it can be told when that changes.
func (m MirrorConfig) aim() string {
	area, _ := m.Area.wkt() // the configuration was looked at
	return fmt.Sprintf("%q", []string{m.Collection, m.Filter, area, m.Since.UTC().Format(time.RFC3339), strings.Join(m.Hub.Assets, " "), m.Hub.Match})
}

var mirrorName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// mirrorMistakes names what is wrong, with its key.
func mirrorMistakes(mirrors []MirrorConfig) (wrong []string) {
	seen := map[string]bool{}
	for i, m := range mirrors {
		key := fmt.Sprintf("mirrors[%d]", i)
		bad := func(name, format string, args ...any) {
			wrong = append(wrong, key+"."+name+": "+fmt.Sprintf(format, args...))
		}
		if !mirrorName.MatchString(m.Name) || seen[m.Name] {
			bad("name", "%q is taken, or is not of small letters, digits, - and _", m.Name)
		}
		seen[m.Name] = true
		m.Hub.mistakes(func(name, format string, args ...any) { bad("hub"+name, format, args...) })
		if m.Since.IsZero() && m.Hub.Type != "folder" {
			bad("since", "is missing: the day of publication of the first product")
		}
		if m.Connections < 0 || m.Connections > 64 {
			bad("connections", "must be 1 to 64")
		}
		if w := m.Webhook; (w.SecretEnv == "") != (w.User == "") || (w.SecretEnv == "") != (w.PasswordEnv == "") || strings.Contains(w.User, ":") {
			bad("webhook", "needs secret_env, user and password_env")
		}
		if m.Originals && m.Hub.Transport == "s3" {
			bad("originals", "are zips, which don't come over S3")
		}
		if m.COG != "" && !stac.IsCOG(m.COG) {
			bad("cog", "%q is none of eager, on-demand, none", m.COG)
		}
		if _, err := m.Area.wkt(); err != nil {
			bad("area", "%v", err)
		}
		if m.Poll < 0 || m.SweepDays < 0 || m.MiBPerS < 0 || m.Backoff < 0 || m.Stall < 0 || m.Quarantine < 0 || m.KeepFree < 0 || m.MostVanish < 0 || m.MostVanish > 100 {
			bad("poll", "and its neighbours can't be negative")
		}
	}
	return wrong
}
