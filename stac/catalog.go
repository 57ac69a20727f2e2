package stac

import (
	"context"
	"encoding/json"
	"time"

	"swath/geo"
	"swath/stac/cql2"
)

// Item is one stored item. Body is its JSON exactly as it was stored, with those "links" first that the server does not make.
// Asset hrefs of products that Swath holds begin with HrefPrefix.
type Item struct {
	Collection string
	ID         string
	Created    time.Time       // when it came, UTC; only of what Search and ItemByUUID return
	Updated    time.Time       // last change of the stored body, UTC
	Body       json.RawMessage // shared: nobody may change it
	Served     *Served         // what was found out about the body when it was served before; nil: nobody keeps that
}

// Collection is one stored collection, its "links" like an item's. Its extent is kept up by the catalog as items come in.
type Collection struct {
	ID      string
	Updated time.Time
	Body    json.RawMessage
}

// HrefPrefix begins the stored hrefs of our own assets: "swath:/collections/{c}/items/{i}/assets/{a}". When an item is
// served, the prefix "swath:" is replaced by the server's address. The asset's field "swath:object" names its object key.
const HrefPrefix = "swath:"

// ObjectField is the asset field that holds the key of the asset's bytes in objects.
const ObjectField = "swath:object"

// Interval is a closed time interval; a nil end is open.
type Interval struct{ Start, End *time.Time }

// Search is what GET and POST /search ask, validated. Empty slices and nil pointers do not filter.
type Search struct {
	Collections []string
	IDs         []string
	BBox        *geo.Box        // degrees; MinX > MaxX crosses the antimeridian
	Intersects  json.RawMessage // a GeoJSON geometry
	Datetime    *Interval
	Filter      cql2.Node // a predicate
	Text        TextQuery // words of an item's title, description and keywords; nil does not filter
	Sort        []SortKey // first key first; empty is newest first
	Limit       int       // items a page
	Token       string    // opaque place of the page, from Page.Next; empty is the first page
	Products    bool      `json:",omitempty"` // only items whose original product is held here
	Uncounted   bool      `json:"-"`          // Page.Matched may be missing: nobody wants to know it

	Hidden []string `json:",omitempty"` // collections that are left out; the catalog fills it from the context's Scope
}

// The moments at which a product came and changed last, as a filter and a sort of products name them: columns of the catalog, which
// no body holds. Deleted names when an item left, in a search for what is gone. Bytes are those of the product, for a filter alone.
const (
	Published = "swath:published"
	Modified  = "swath:modified"
	Deleted   = "swath:deleted"
	Bytes     = "swath:bytes"
)

// SortKey orders a search by one property: numbers as numbers, times as times, text by code point. Items that lack it come
// last, whatever the direction.
type SortKey struct {
	Property   string // id, collection, or a property without the prefix "properties."
	Descending bool
}

// Page is one page of a search. The order is total: behind the keys asked for come datetime and insertion, newest first.
type Page struct {
	Items     []Item
	Next      string // token of the next page; empty on the last
	Matched   *int64 // how many items match in all; nil where that was too slow to know even nearly
	Estimated bool   // Matched is an estimate

	Free func() // see Release; may be nil
}

// Release gives the memory of the bodies back, for another page: nothing of the page may be used any more. It need not be called.
func (p Page) Release() {
	if p.Free != nil {
		p.Free()
	}
}

// DeletedItem is an item that is gone, as it was last.
type DeletedItem struct {
	Item
	Deleted time.Time // UTC
}

// DeletedPage is some of them; Matched is nil where nobody wanted it counted.
type DeletedPage struct {
	Items   []DeletedItem
	More    bool
	Matched *int64
}

// Deletion is an item that is gone, as those are told of it who follow the catalog.
type Deletion struct {
	Collection string    `json:"collection"`
	ID         string    `json:"id"`
	Deleted    time.Time `json:"deleted"` // UTC
}

// ForgetDays is for how many days at least it is remembered of each item that it left.
const ForgetDays = 60

// Memory tells of what left the catalog.
type Memory interface {
	// DeletedItems returns items that are gone, those that q.Collections and q.Filter want, products alone where q.Products says so, in the order
	// in which they left; skip passes over the first of them.
	DeletedItems(ctx context.Context, q Search, skip int) (DeletedPage, error)
}

// Aggregation asks how often each value, or bucket of values, of one property comes among the items of a search.
type Aggregation struct {
	Name string // one of those that Aggregations lists
	// Interval of a datetime histogram: day, month or year. Precision of a grid: characters of a geohash, zoom of a geotile.
	// Empty and 0 are the catalog's choice.
	Interval  string
	Precision int
}

// Aggregated is the answer to one Aggregation: a single value, or buckets.
type Aggregated struct {
	Name     string
	DataType string   // integer, datetime, string, numeric or frequency_distribution
	Value    any      // int64, RFC 3339 text, or nil of nothing; unused where there are buckets
	Buckets  []Bucket // in their order
	Overflow int64    // items in no bucket of those listed
}

// Bucket is one value or range of values.
type Bucket struct {
	Key      string
	From, To *float64 // of a numeric range: From included, To not; nil is open
	Count    int64
}

// AggregationInfo describes an aggregation that a catalog offers.
type AggregationInfo struct {
	Name, DataType, BucketType string // BucketType is empty where there are no buckets
}

// Queryable is a property that items can be filtered and sorted by, with what the items of a collection hold of it.
type Queryable struct {
	Name     string
	Type     string   // string, number, integer, boolean, array or object
	Format   string   // date-time, or empty
	Min, Max *float64 // of numbers
	Enum     []string // of texts with few values: all of them, in order
	Declared bool     // named by the collection's own document: its search is quick at any size
}

// Catalog is what is known of products. It is implemented by package catalog in PostGIS. What the Scope of a context hides is not
// there for those who ask by that context, of an Editor and an Analyst neither.
type Catalog interface {
	// Collections returns all collections by id.
	Collections(ctx context.Context) ([]Collection, error)
	// Collection returns one, or fault.NotFound.
	Collection(ctx context.Context, id string) (Collection, error)
	// PutCollection creates a collection or replaces its body; an unchanged body changes nothing.
	PutCollection(ctx context.Context, c Collection) error
	// Item returns one, or fault.NotFound (which says whether the collection or the item is missing).
	Item(ctx context.Context, collection, id string) (Item, error)
	// PutItem creates an item or replaces its body, and widens the collection's extent, in one transaction. It reports whether
	// anything changed. Fault.NotFound when the collection is missing, fault.Invalid when geometry or datetime is wrong.
	PutItem(ctx context.Context, it Item) (changed bool, err error)
	// DeleteItem removes an item; fault.NotFound when there is none.
	DeleteItem(ctx context.Context, collection, id string) error
	// Search returns one page. A token that this catalog did not make is fault.Invalid, as is a broken geometry.
	Search(ctx context.Context, s Search) (Page, error)
}

// Editor is what transactions need beside a Catalog.
type Editor interface {
	// CreateItem stores a new item, and returns it as it was stored; created is false where its id is there already, and nothing was changed.
	CreateItem(ctx context.Context, it Item) (stored Item, created bool, err error)
	// ChangeItem hands the stored item (nil when there is none) to change, and stores what it returns in its place: nil
	// removes it, the same body changes nothing. All in one transaction, so that nobody else changes the item in between;
	// change may be called again when somebody created it meanwhile. An error of change is returned as it is.
	ChangeItem(ctx context.Context, collection, id string, change func(old *Item) (*Item, error)) (Item, error)
	// ChangeCollection does the same with a collection. Removing one removes its items.
	ChangeCollection(ctx context.Context, id string, change func(old *Collection) (*Collection, error)) (Collection, error)
	// PutItems puts items into one collection: all of them, or none and an error that names the first one that is wrong.
	// Insert refuses ids that are there already (fault.Conflict); otherwise they are replaced.
	PutItems(ctx context.Context, collection string, items []Item, insert bool) error
}

// Analyst is what aggregations and queryables need beside a Catalog.
type Analyst interface {
	// Aggregate answers for the items of a search; its Limit, Sort and Token do not matter.
	Aggregate(ctx context.Context, s Search, asked []Aggregation) ([]Aggregated, error)
	// Tiles counts the items of a collection on each tile of a grid, by their grid:code, in order, and those on none. It takes some seconds for
	// each ten million items, and tells progress how far it is.
	Tiles(ctx context.Context, collection string, progress func(counted, of int64)) (tiles []Bucket, elsewhere int64, err error)
	// Aggregations lists what can be asked of a collection, or of all ("").
	Aggregations(ctx context.Context, collection string) ([]AggregationInfo, error)
	// Queryables returns those of one collection, or those that all collections share (""), by name.
	Queryables(ctx context.Context, collection string) ([]Queryable, error)
}
