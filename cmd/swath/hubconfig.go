package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/ingest"
	"swath/ingest/hub"
	"swath/ingest/hub/cdse"
	"swath/ingest/hub/folder"
	"swath/ingest/hub/stacapi"
	"swath/ingest/hub/wire"
	"swath/objects"
)

// HubConfig is where a hub is.
type HubConfig struct {
	Type              string        `yaml:"type"`      // cdse, stacapi or folder
	Catalogue         string        `yaml:"catalogue"` // cdse: address before /odata/v1; stacapi: of the landing page
	Download          string        `yaml:"download"`  // address to which the catalogue may send downloads, with the account
	Hosts             []string      `yaml:"hosts"`     // from which files may come without the account: host, host:port or *.example.org
	Token             string        `yaml:"token"`     // OpenID Connect token endpoint; empty: no log-in
	Client            string        `yaml:"client"`    // its client id; cdse-public
	User              string        `yaml:"user"`
	PasswordEnv       string        `yaml:"password_env"` // environment variable that holds the password
	KeyHeader         string        `yaml:"key_header"`   // of an API key; X-API-Key
	KeyEnv            string        `yaml:"key_env"`      // environment variable that holds an API key; empty: none
	RequestsPerMinute float64       `yaml:"requests_per_minute"`
	Connections       int           `yaml:"connections"` // downloads at a time of all mirrors of this account; 0: what each says
	Page              int           `yaml:"page"`        // rows of a page
	Retry             time.Duration `yaml:"retry"`       // before a request that failed is made again; doubles; 1s

	Subscribe time.Duration     `yaml:"subscribe"` // cdse: between two looks at the queue of a subscription, so that news come sooner; 0: none
	Bandwidth []BandwidthConfig `yaml:"bandwidth"` // of all downloads of this account together, by the time of the day; outside: as fast as they come
	TimeZone  string            `yaml:"time_zone"` // of bandwidth, such as Europe/Paris; UTC

	Transport string `yaml:"transport"` // https or s3: how files come where there is a choice
	S3        HubS3  `yaml:"s3"`

	Date   string   `yaml:"date"`   // stacapi: the property by which changes are found; updated
	Assets []string `yaml:"assets"` // stacapi: keys of those that are wanted; empty: all

	Root   string        `yaml:"root"`   // folder: where it is
	Match  string        `yaml:"match"`  // folder: of the products' names, with * and ?
	Stable time.Duration `yaml:"stable"` // folder: a product is complete when nothing of it has changed for so long; 1m
	Marker string        `yaml:"marker"` // folder: or when a file of this name is in it, or beside it where * is its name
	Watch  bool          `yaml:"watch"`  // folder: changes on this machine are seen at once
}

// HubS3 is a hub's S3 server.
type HubS3 struct {
	Endpoint          string  `yaml:"endpoint"`
	Region            string  `yaml:"region"`
	AccessKey         string  `yaml:"access_key"`
	SecretEnv         string  `yaml:"secret_env"` // environment variable that holds the secret key
	RequestsPerMinute float64 `yaml:"requests_per_minute"`
}

// mistakes names what is wrong.
func (h HubConfig) mistakes(bad func(name, format string, args ...any)) {
	switch h.Type {
	case "folder":
		if !filepath.IsAbs(h.Root) {
			bad(".root", "%q is not an absolute path", h.Root)
		}
		if _, err := filepath.Match(h.Match, ""); err != nil {
			bad(".match", "%q: %v", h.Match, err)
		}
		if h.Stable < 0 {
			bad(".stable", "can't be negative")
		}
		if strings.Contains(h.Marker, "/") {
			bad(".marker", "%q is not the name of a file", h.Marker)
		}
		return
	case "cdse", "stacapi":
	default:
		bad(".type", "%q is none of cdse, stacapi, folder", h.Type)
	}
	for _, address := range []struct {
		key, text string
		needed    bool
	}{{".catalogue", h.Catalogue, true}, {".download", h.Download, false}, {".token", h.Token, false}, {".s3.endpoint", h.S3.Endpoint, h.Transport == "s3"}} {
		u, err := url.Parse(address.text)
		if (address.text != "" || address.needed) && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			bad(address.key, "%q is not an http address", address.text)
		}
	}
	if h.Token != "" && (h.User == "" || h.PasswordEnv == "") {
		bad("", "a log-in needs user and password_env")
	}
	if h.Transport != "" && h.Transport != "https" && h.Transport != "s3" {
		bad(".transport", "%q is neither https nor s3", h.Transport)
	}
	if h.RequestsPerMinute < 0 || h.S3.RequestsPerMinute < 0 || h.Connections < 0 || h.Page < 0 || h.Retry < 0 || h.Subscribe < 0 {
		bad(".requests_per_minute", "and its neighbours can't be negative")
	}
	if h.Subscribe > 0 && (h.Type != "cdse" || h.Token == "") {
		bad(".subscribe", "is for hubs of type cdse with a log-in")
	}
	bandwidthMistakes(h.Bandwidth, h.TimeZone, bad)
}

// quotas are shared by the mirrors of one account.
type quotas struct {
	mu    sync.Mutex
	all   map[string]*wire.Quota
	bytes map[string]*fetch.Throttle
}

// throttle returns what holds the bandwidth of a hub; nil for none.
func (q *quotas) throttle(h HubConfig) *fetch.Throttle {
	zone, err := time.LoadLocation(h.TimeZone)
	if len(h.Bandwidth) == 0 || err != nil { // which the configuration was looked at for
		return nil
	}
	key := h.Catalogue + "\n" + h.User + "\n" + h.KeyEnv
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes == nil {
		q.bytes = map[string]*fetch.Throttle{}
	}
	if q.bytes[key] == nil {
		q.bytes[key] = fetch.NewThrottle(func() float64 { return bytesAt(h.Bandwidth, zone, time.Now()) })
	}
	return q.bytes[key]
}

// of returns the quota of an account somewhere.
func (q *quotas) of(requestsPerMinute float64, connections int, bytes *fetch.Throttle, account ...string) *wire.Quota {
	key := strings.Join(account, "\n")
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.all == nil {
		q.all = map[string]*wire.Quota{}
	}
	if q.all[key] == nil {
		q.all[key] = wire.NewQuota(requestsPerMinute, connections, bytes)
	}
	return q.all[key]
}

// secretOf reads a secret from the environment.
func secretOf(name string) (string, error) {
	value := os.Getenv(name)
	if value == "" {
		return "", fault.New(fault.Invalid, "the environment variable %s holds no password or key", name)
	}
	return value, nil
}

// client makes the hub of a mirror.
func (m MirrorConfig) client(shared *quotas) (hub.Hub, error) {
	h := m.Hub
	if h.Type == "folder" {
		return folder.New(folder.Config{Root: h.Root, Is: ingest.IsProduct, Match: h.Match, Stable: h.Stable, Marker: h.Marker, Watch: h.Watch})
	}
	w, err := m.wire(shared)
	if err != nil {
		return nil, err
	}
	var s3 *wire.S3
	if h.S3.Endpoint != "" {
		if s3, err = m.s3(shared); err != nil {
			return nil, err
		}
	}
	if h.Type == "stacapi" {
		area, err := m.Area.geoJSON()
		if err != nil {
			return nil, fault.New(fault.Invalid, "area: %v", err)
		}
		cfg := stacapi.Config{URL: h.Catalogue, Wire: w, S3: s3, Filter: m.Filter, Area: area, Date: h.Date, Assets: h.Assets, PreferS3: h.Transport == "s3", Page: h.Page}
		if m.Collection != "" {
			cfg.Collections = strings.Fields(strings.ReplaceAll(m.Collection, ",", " "))
		}
		return stacapi.New(cfg)
	}
	area, err := m.Area.wkt()
	if err != nil {
		return nil, fault.New(fault.Invalid, "area: %v", err)
	}
	cfg := cdse.Config{Catalogue: h.Catalogue, Wire: w, Collection: m.Collection, Filter: m.Filter, AreaWKT: area, Page: h.Page, Subscribe: h.Subscribe}
	if h.Transport == "s3" {
		cfg.S3 = s3
	}
	return cdse.New(cfg)
}

// wire says how a hub is reached.
func (m MirrorConfig) wire(shared *quotas) (w wire.Config, err error) {
	h := m.Hub
	w = wire.Config{Known: h.Hosts, Wait: h.Retry, Login: wire.Login{Token: h.Token, Client: h.Client, User: h.User}, Quota: shared.of(h.RequestsPerMinute, h.Connections, shared.throttle(h), h.Catalogue, h.User, h.KeyEnv)}
	if h.Token != "" {
		if w.Login.Password, err = secretOf(h.PasswordEnv); err != nil {
			return w, err
		}
	}
	if h.KeyEnv != "" {
		if w.Key, err = secretOf(h.KeyEnv); err != nil {
			return w, err
		}
		if w.Header = h.KeyHeader; w.Header == "" {
			w.Header = "X-API-Key"
		}
	}
	if u, err := url.Parse(h.Download); err == nil && u.Host != "" {
		w.Trusted = []string{u.Host}
	}
	return w, nil
}

// s3 reaches a hub's S3 server.
func (m MirrorConfig) s3(shared *quotas) (*wire.S3, error) {
	c := m.Hub.S3
	cfg := objects.S3Config{Endpoint: c.Endpoint, Region: c.Region, AccessKey: c.AccessKey, PathStyle: true}
	if c.AccessKey != "" {
		secret, err := secretOf(c.SecretEnv)
		if err != nil {
			return nil, fmt.Errorf("hub.s3: %w", err)
		}
		cfg.SecretKey = objects.Secret(secret)
	}
	return wire.NewS3(objects.OpenRemote(cfg), wire.Config{Quota: shared.of(c.RequestsPerMinute, m.Hub.Connections, shared.throttle(m.Hub), c.Endpoint, c.AccessKey)}), nil
}
