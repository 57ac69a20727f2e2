package stac

import (
	"context"
	"encoding/json"
	"time"

	"swath/geo"
)

// Item is one stored item. Body is its JSON exactly as it was stored, without "links" (they are made when it is served).
// Asset hrefs of products that Swath holds begin with HrefPrefix.
type Item struct {
	Collection string
	ID         string
	Updated    time.Time // last change of the stored body, UTC
	Body       json.RawMessage
}

// Collection is one stored collection, without "links". Its extent is kept up by the catalog as items come in.
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
	Limit       int    // items a page
	Token       string // opaque place of the page, from Page.Next; empty is the first page
}

// Page is one page of a search, newest first (datetime, then insertion order, both descending).
type Page struct {
	Items   []Item
	Next    string // token of the next page; empty on the last
	Matched *int64 // how many items match in all, where that is cheap to know
}

// Catalog is what is known of products. It is implemented by package catalog in PostGIS.
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
