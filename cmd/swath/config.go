package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"swath/fault"
	"swath/objects"
	"swath/stac/stachttp"
)

// Config is everything that can be configured; the keys are those of swath.yaml.
type Config struct {
	Data           string         `yaml:"data"`               // folder of the private PostgreSQL, the objects and the work in progress
	Listen         string         `yaml:"listen"`             // host:port
	Database       objects.Secret `yaml:"database"`           // URL of an existing PostgreSQL; empty: a private one in Data
	Replica        objects.Secret `yaml:"replica"`            // URL of a streaming copy of Database that answers reads; empty: none
	Objects        string         `yaml:"objects"`            // s3://bucket/prefix; empty: a folder in Data
	S3             S3             `yaml:"s3"`                 //
	PublicURL      string         `yaml:"public_url"`         // address that clients see, when a proxy stands in front
	Transactions   string         `yaml:"transactions"`       // who may change the catalog over HTTP: local, roles, open or closed; empty: see changes
	RequestTimeout time.Duration  `yaml:"request_timeout"`    // wall clock, per request
	ExtractionTime time.Duration  `yaml:"extraction_timeout"` // wall clock, for making a file of values (data.tif, data.nc, data.csv)
	SlowSearch     time.Duration  `yaml:"slow_search"`        // searches that take longer are logged with their plan
	BlockCacheMiB  int            `yaml:"block_cache_mib"`    // decoded raster blocks kept in memory
	TileCache      TileCache      `yaml:"tile_cache"`
	OnDemand       OnDemand       `yaml:"on_demand"`
	Mirrors        []MirrorConfig `yaml:"mirrors"` // hubs of which this is a mirror
	Archive        ArchiveConfig  `yaml:"archive"` // cold storage behind the objects
	Downloads      Downloads      `yaml:"downloads"`
	Log            Log            `yaml:"log"`
	Accounts       Accounts       `yaml:"accounts"`  // who is let in
	Processes      Processes      `yaml:"processes"` // jobs
	Download       map[string]any `yaml:"download"`  // what swath download reads, and nothing else
}

// TileCache is where drawn pictures are kept, in a folder that nothing else uses.
type TileCache struct {
	Folder  string `yaml:"folder"`   // empty: none are kept
	SizeMiB int    `yaml:"size_mib"` // what the files may take
}

// OnDemand bounds the COGs that are made of JPEG 2000 when it is looked at.
type OnDemand struct {
	SizeGiB int           `yaml:"size_gib"` // of all together; what was not looked at for longest leaves
	Keep    time.Duration `yaml:"keep"`     // since the last look
}

// S3 is how the object store is reached when Objects names a bucket.
type S3 struct {
	Endpoint  string         `yaml:"endpoint"` // empty: the region's own at AWS
	Region    string         `yaml:"region"`
	AccessKey string         `yaml:"access_key"`
	SecretKey objects.Secret `yaml:"secret_key"`
}

// Log is how the program speaks of its work.
type Log struct {
	Format string `yaml:"format"` // text or json
	Level  string `yaml:"level"`  // debug, info, warn or error
}

// defaultConfig returns values that work on one machine without any configuration.
func defaultConfig() Config {
	return Config{
		Data: "data", Listen: "127.0.0.1:8080", RequestTimeout: 30 * time.Second, ExtractionTime: 10 * time.Minute, SlowSearch: time.Second, BlockCacheMiB: 256,
		S3: S3{Region: "us-east-1"}, TileCache: TileCache{SizeMiB: 10 << 10}, OnDemand: OnDemand{SizeGiB: 100, Keep: 30 * 24 * time.Hour},
		Log: Log{Format: "text", Level: "info"}, Accounts: Accounts{Anonymous: anonymousRead},
		Processes: defaultProcesses(),
	}
}

// Validate names every mistake with its key.
func (c Config) Validate() error {
	var wrong []string
	bad := func(key, format string, args ...any) { wrong = append(wrong, key+": "+fmt.Sprintf(format, args...)) }
	if c.Data == "" {
		bad("data", "must name a folder")
	}
	if _, port, err := net.SplitHostPort(c.Listen); err != nil {
		bad("listen", "%q is not host:port", c.Listen)
	} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		bad("listen", "%q is not a port", port)
	}
	if c.Database != "" && !strings.HasPrefix(string(c.Database), "postgres://") && !strings.HasPrefix(string(c.Database), "postgresql://") {
		bad("database", "must begin with postgres://")
	}
	if c.Replica != "" && c.Database == "" {
		bad("replica", "is a copy of a database that database names")
	} else if c.Replica != "" && !strings.HasPrefix(string(c.Replica), "postgres://") && !strings.HasPrefix(string(c.Replica), "postgresql://") {
		bad("replica", "must begin with postgres://")
	}
	if c.Objects != "" && !strings.HasPrefix(c.Objects, "s3://") {
		bad("objects", "%q must begin with s3:// (leave it empty for a folder in the data folder)", c.Objects)
	} else if c.Objects != "" && c.bucket() == "" {
		bad("objects", "%q names no bucket", c.Objects)
	}
	for _, address := range []struct{ key, text string }{{"public_url", c.PublicURL}, {"s3.endpoint", c.S3.Endpoint}} {
		u, err := url.Parse(address.text)
		if address.text != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
			bad(address.key, "%q is not an http address", address.text)
		}
	}
	if !slices.Contains([]string{"", stachttp.Local, stachttp.Roles, stachttp.Open, stachttp.Closed}, c.Transactions) {
		bad("transactions", "%q is none of local, roles, open, closed", c.Transactions)
	}
	if c.RequestTimeout <= 0 {
		bad("request_timeout", "must be longer than nothing")
	}
	if c.ExtractionTime <= 0 {
		bad("extraction_timeout", "must be longer than nothing")
	}
	if c.SlowSearch <= 0 {
		bad("slow_search", "must be longer than nothing")
	}
	if c.BlockCacheMiB < 1 {
		bad("block_cache_mib", "must be at least 1")
	}
	if c.TileCache.SizeMiB < 1 {
		bad("tile_cache.size_mib", "must be at least 1")
	}
	if c.OnDemand.SizeGiB < 1 || c.OnDemand.SizeGiB > 1<<30 {
		bad("on_demand.size_gib", "must be at least 1")
	}
	if c.OnDemand.Keep < time.Minute {
		bad("on_demand.keep", "must be at least a minute")
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		bad("log.format", "%q is neither text nor json", c.Log.Format)
	}
	if _, err := logLevel(c.Log.Level); err != nil {
		bad("log.level", "%q is none of debug, info, warn, error", c.Log.Level)
	}
	wrong = append(append(wrong, mirrorMistakes(c.Mirrors)...), c.Accounts.mistakes()...)
	wrong = append(wrong, c.Processes.mistakes()...)
	wrong = append(wrong, c.Archive.mistakes(c.Objects == "")...)
	wrong = append(wrong, c.Downloads.mistakes(c.Objects != "")...)
	if len(wrong) > 0 {
		return fault.New(fault.Invalid, "configuration: %s", strings.Join(wrong, "; "))
	}
	return nil
}

// changes says who may change the catalog over HTTP: unless said otherwise operators and admins, and clients on this machine where no
// accounts are configured. Behind a proxy every client looks local, so that local is operators and admins alone there.
func (c Config) changes() string {
	who := c.Transactions
	if who == "" && !c.Accounts.used() {
		who = stachttp.Local
	}
	if who == "" || who == stachttp.Local && c.PublicURL != "" {
		return stachttp.Roles
	}
	return who
}

// bucket returns the bucket's name of Objects.
func (c Config) bucket() string {
	name, _, _ := strings.Cut(strings.TrimPrefix(c.Objects, "s3://"), "/")
	return name
}

// prefix returns what follows the bucket in Objects, without slashes at its ends.
func (c Config) prefix() string {
	_, rest, _ := strings.Cut(strings.TrimPrefix(c.Objects, "s3://"), "/")
	return strings.Trim(rest, "/")
}

// setting is one value that a flag, an environment variable SWATH_* or swath.yaml may give.
type setting struct {
	flag, usage string
	set         func(*Config, string) error
}

func text(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, s string) error { *field(c) = s; return nil }
}

func secret(field func(*Config) *objects.Secret) func(*Config, string) error {
	return func(c *Config, s string) error { *field(c) = objects.Secret(s); return nil }
}

func duration(field func(*Config) *time.Duration) func(*Config, string) error {
	return func(c *Config, s string) error {
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("%q is not a duration such as 30s", s)
		}
		*field(c) = d
		return nil
	}
}

func whole(field func(*Config) *int) func(*Config, string) error {
	return func(c *Config, s string) error {
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", s)
		}
		*field(c) = n
		return nil
	}
}

// The settings, in the order of the help text. The environment variable of "s3-endpoint" is SWATH_S3_ENDPOINT.
var (
	storeSettings = []setting{
		{"data", "folder of the private database, the objects and the work in progress", text(func(c *Config) *string { return &c.Data })},
		{"database", "URL of an existing PostgreSQL with PostGIS (default: a private one in the data folder)", secret(func(c *Config) *objects.Secret { return &c.Database })},
		{"replica", "URL of a streaming copy of the database that answers reads", secret(func(c *Config) *objects.Secret { return &c.Replica })},
		{"objects", "s3://bucket/prefix of the object store (default: a folder in the data folder)", text(func(c *Config) *string { return &c.Objects })},
		{"s3-endpoint", "address of the S3 server", text(func(c *Config) *string { return &c.S3.Endpoint })},
		{"s3-region", "region of the S3 server", text(func(c *Config) *string { return &c.S3.Region })},
		{"s3-access-key", "access key of the S3 server", text(func(c *Config) *string { return &c.S3.AccessKey })},
		{"s3-secret-key", "secret key of the S3 server (better in SWATH_S3_SECRET_KEY)", secret(func(c *Config) *objects.Secret { return &c.S3.SecretKey })},
		{"log-format", "text or json", text(func(c *Config) *string { return &c.Log.Format })},
		{"log-level", "debug, info, warn or error", text(func(c *Config) *string { return &c.Log.Level })},
	}
	publicSettings = []setting{
		{"public-url", "address that clients see, when a proxy stands in front", text(func(c *Config) *string { return &c.PublicURL })},
	}
	serveSettings = []setting{
		{"listen", "host:port to listen on", text(func(c *Config) *string { return &c.Listen })},
		{"transactions", "who may change the catalog over HTTP: local (clients on this machine, and operators), roles (operators), open (everybody) or closed", text(func(c *Config) *string { return &c.Transactions })},
		{"request-timeout", "longest time a request may take", duration(func(c *Config) *time.Duration { return &c.RequestTimeout })},
		{"extraction-timeout", "longest time that making a file of values (data.tif, data.nc, data.csv) may take", duration(func(c *Config) *time.Duration { return &c.ExtractionTime })},
		{"slow-search", "searches that take longer are logged with their plan", duration(func(c *Config) *time.Duration { return &c.SlowSearch })},
		{"block-cache-mib", "MiB of decoded raster blocks kept in memory", whole(func(c *Config) *int { return &c.BlockCacheMiB })},
		{"tile-cache-folder", "folder in which drawn pictures are kept (default: none are kept)", text(func(c *Config) *string { return &c.TileCache.Folder })},
		{"tile-cache-size-mib", "MiB that the kept pictures may take", whole(func(c *Config) *int { return &c.TileCache.SizeMiB })},
	}
)

// addFlags gives a command its settings as flags, and --config.
func addFlags(c *cobra.Command, settings ...[]setting) {
	flags := c.Flags()
	short := "c"
	if flags.ShorthandLookup(short) != nil {
		short = "" // it is the command's --collection
	}
	flags.StringP("config", short, "", "configuration file (default: swath.yaml, when there is one)")
	for _, group := range settings {
		for _, s := range group {
			flags.String(s.flag, "", s.usage)
		}
	}
}

// loadConfig reads the configuration for a command: its flags over SWATH_* over the file over the defaults.
func loadConfig(flags *pflag.FlagSet, environment func(string) (string, bool)) (Config, error) {
	cfg := defaultConfig()
	path, _ := flags.GetString("config")
	if err := readFile(path, &cfg); err != nil {
		return Config{}, err
	}
	for _, group := range [][]setting{storeSettings, publicSettings, serveSettings} {
		for _, s := range group {
			name := "SWATH_" + strings.ToUpper(strings.ReplaceAll(s.flag, "-", "_"))
			if value, ok := environment(name); ok {
				if err := s.set(&cfg, value); err != nil {
					return Config{}, fault.New(fault.Invalid, "%s: %v", name, err)
				}
			}
			if f := flags.Lookup(s.flag); f != nil && f.Changed {
				if err := s.set(&cfg, f.Value.String()); err != nil {
					return Config{}, fault.New(fault.Invalid, "--%s: %v", s.flag, err)
				}
			}
		}
	}
	return cfg, cfg.Validate()
}

// readFile fills cfg from a YAML file. Without a name, swath.yaml is read when it exists.
func readFile(path string, cfg *Config) error {
	named := path != ""
	if !named {
		path = "swath.yaml"
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) && !named {
		return nil
	} else if err != nil {
		return fault.New(fault.Invalid, "configuration: %v", err)
	}
	defer f.Close()
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(cfg); err != nil && !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "configuration: %s: %s", path, yamlMistakes(err))
	}
	return nil
}

var unknownField = regexp.MustCompile(`field (\S+) not found in type \S+`)

// yamlMistakes tells what is wrong with a YAML file in the words of who wrote it.
func yamlMistakes(err error) string {
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) {
		return strings.TrimPrefix(err.Error(), "yaml: ")
	}
	return unknownField.ReplaceAllString(strings.Join(wrong.Errors, "; "), "there is no setting $1 here")
}
