// Package house keeps the rules of the house as a table: which package may import what.
//
//	floor 4  doors      cmd/swath httpkit web *http
//	floor 3  work       download ingest ingest/hub ingest/ledger ingest/mirror objects/staging ingest/ondemand processes processes/*
//	floor 2  knowledge  stac catalog tiles objects/copies objects/parcel auth
//	floor 1  matter     fetch fetch/egress objects deflate raster render sentinel/* spot sar dem
//	floor 0  words      eo geo fault
//
// Imports point down, or sideways where the table says so; each foreign library lives in its rooms. A test walks the list of
// packages and fails on what the table does not know.
package house

// Room is one package of ours (or a tree of them, with a trailing "/...").
type Room struct {
	Package  string
	Floor    int
	Sideways []string // rooms of the same floor that it may import
}

// Rooms lists every room; order does not matter.
var Rooms = []Room{
	{"cmd/swath", 5, nil},
	{"internal/...", 5, []string{"internal/..."}},
	{"bench/...", 5, nil},
	{"objects/objectstest", 5, nil},
	{"httpkit", 4, nil},
	{"stac/stachttp", 4, []string{"httpkit", "openapi"}},
	{"tiles/tilehttp", 4, []string{"httpkit"}},
	{"objects/objecthttp", 4, []string{"httpkit"}},
	{"auth/authhttp", 4, []string{"httpkit"}},
	{"web", 4, []string{"httpkit"}},
	{"openapi", 4, nil},
	{"compat", 3, nil},
	{"statistics", 2, []string{"stac"}},
	{"statistics/statshttp", 4, []string{"httpkit"}},
	{"compat/odata", 3, []string{"compat"}},
	{"compat/restohttp", 4, []string{"httpkit"}},
	{"compat/cschttp", 4, []string{"httpkit"}},
	{"processes/processhttp", 4, []string{"httpkit"}},
	{"compat/wpshttp", 4, []string{"httpkit", "processes/processhttp"}},
	{"download", 3, nil},
	{"ingest", 3, nil},
	{"ingest/hub", 3, nil},
	{"ingest/hub/wire", 3, []string{"ingest/hub"}},
	{"ingest/hub/cdse", 3, []string{"ingest/hub", "ingest/hub/wire"}},
	{"ingest/hub/stacapi", 3, []string{"ingest/hub", "ingest/hub/wire"}},
	{"ingest/hub/folder", 3, []string{"ingest/hub"}},
	{"ingest/ledger", 3, []string{"ingest/hub"}},
	{"ingest/ondemand", 3, nil},
	{"ingest/mirror", 3, []string{"ingest/hub", "ingest/ledger"}},
	{"ingest/mirrorhttp", 4, []string{"httpkit"}},
	{"objects/staging", 3, nil},
	{"auth", 2, []string{"stac"}},
	{"processes", 3, []string{"processes/queue", "processes/runner", "objects/staging", "ingest", "processes/cwl"}},
	{"processes/queue", 3, nil},
	{"processes/runner", 3, []string{"processes/cwl"}},
	{"processes/cwl", 3, nil},
	{"processes/jobclient", 3, nil},
	{"auth/store", 2, []string{"auth"}},
	{"catalog", 2, []string{"stac", "stac/cql2", "catalog/...", "migrations"}},
	{"catalog/cluster", 2, nil},
	{"migrations", 2, nil},
	{"objects/copies", 2, nil},
	{"objects/parcel", 2, nil},
	{"tiles", 2, []string{"stac", "stac/cql2"}},
	{"chains", 2, nil},
	{"chains/...", 2, []string{"chains", "chains/..."}},
	{"stac", 2, []string{"stac/cql2"}},
	{"stac/cql2", 2, nil},
	{"stac/geoparquet", 2, nil},
	{"objects", 1, nil},
	{"fetch", 1, nil},
	{"fetch/egress", 1, nil},
	{"deflate", 1, nil},
	{"raster", 1, []string{"objects", "deflate"}},
	{"sar", 1, []string{"sentinel/s1"}},
	{"dem", 1, []string{"raster"}},
	{"render", 1, []string{"deflate"}},
	{"sentinel/safe", 1, nil},
	{"sentinel/s1", 1, []string{"sentinel/safe"}},
	{"sentinel/s2", 1, []string{"sentinel/safe"}},
	{"spot", 1, []string{"sentinel/safe"}},
	{"eo", 0, nil},
	{"geo", 0, nil},
	{"fault", 0, nil},
}

// Library is a module of others and the rooms that may name it. Tests may name any.
type Library struct {
	Module string
	Rooms  []string
}

// Libraries lists every module that code outside tests imports.
var Libraries = []Library{
	{"github.com/gofiber/fiber/v2", []string{"ingest/mirrorhttp", "statistics/statshttp", "compat/restohttp", "compat/cschttp", "compat/wpshttp", "processes/processhttp", "httpkit", "stac/stachttp", "tiles/tilehttp", "objects/objecthttp", "auth/authhttp", "web", "cmd/swath", "internal/..."}},
	{"github.com/valyala/fasthttp", []string{"httpkit", "objects/objecthttp", "bench/..."}},
	{"github.com/prometheus/client_golang", []string{"httpkit", "cmd/swath"}},
	{"github.com/klauspost/compress", []string{"httpkit", "catalog", "raster", "deflate"}},
	{"github.com/jackc/pgx/v5", []string{"statistics", "catalog", "ingest/ledger", "ingest/ondemand", "objects/copies", "objects/parcel", "catalog/cluster", "migrations", "auth/store", "processes", "processes/queue", "internal/...", "bench/mirror"}},
	{"github.com/riverqueue/river", []string{"processes/queue"}},
	{"github.com/coreos/go-oidc/v3", []string{"auth/authhttp"}},
	{"github.com/go-jose/go-jose/v4", []string{"auth/authhttp", "internal/..."}},
	{"golang.org/x/oauth2", []string{"auth/authhttp"}},
	{"golang.org/x/crypto", []string{"auth"}},
	{"github.com/pressly/goose/v3", []string{"migrations"}},
	{"github.com/cespare/xxhash/v2", []string{"catalog", "stac", "stac/stachttp", "httpkit", "tiles"}},
	{"github.com/airbusgeo/godal", []string{"raster"}},
	{"github.com/aws/aws-sdk-go-v2", []string{"objects"}},
	{"github.com/aws/smithy-go", []string{"objects"}},
	{"github.com/planetlabs/go-stac", []string{"stac", "stac/stachttp", "internal/..."}},
	{"github.com/getkin/kin-openapi", []string{"openapi", "internal/..."}},
	{"github.com/buger/jsonparser", []string{"stac", "stac/cql2", "stac/geoparquet", "catalog", "tiles", "stac/stachttp"}},
	{"github.com/paulmach/orb", []string{"tiles"}},
	{"github.com/parquet-go/parquet-go", []string{"stac/geoparquet"}},
	{"github.com/spf13/cobra", []string{"cmd/swath"}},
	{"github.com/spf13/pflag", []string{"cmd/swath"}},
	{"github.com/fsnotify/fsnotify", []string{"ingest/hub/folder"}},
	{"gopkg.in/yaml.v3", []string{"processes/cwl", "cmd/swath", "openapi", "internal/..."}},
	{"golang.org/x/time", []string{"fetch", "ingest/hub/wire", "internal/..."}},
	{"lukechampine.com/blake3", []string{"fetch", "bench/mirror"}},
	{"github.com/google/renameio/v2", []string{"objects", "processes", "processes/runner", "processes/jobclient", "download", "catalog"}},
	{"github.com/google/uuid", []string{"stac", "processes"}},
	{"golang.org/x/image", []string{"raster"}},
	{"github.com/evanphx/json-patch/v5", []string{"stac"}},
	{"github.com/santhosh-tekuri/jsonschema/v6", []string{"chains"}},
	{"golang.org/x/text", []string{"chains", "stac", "stac/cql2", "catalog"}},
	{"golang.org/x/sync", []string{"processes", "chains/s1ortho", "chains/s1tiling", "ingest", "raster", "tiles", "objects", "catalog", "bench/mirror"}},
	{"golang.org/x/sys", []string{"processes", "cmd/swath", "catalog", "catalog/cluster", "objects", "httpkit"}},
}
