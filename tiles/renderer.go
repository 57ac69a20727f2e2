package tiles

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"runtime"
	"time"

	"swath/fault"
	"swath/raster"
	"swath/stac"
)

// Opener opens the raster object of a key for reading. A source that is an io.Closer is closed when it is not needed any more.
type Opener func(ctx context.Context, key string) (raster.Source, error)

// Options bound what a Renderer uses; zero values mean the defaults.
type Options struct {
	CacheBytes int64      // decoded blocks kept, in bytes; default 512 MiB
	Workers    int        // drawings at once; default one per core
	Queue      int        // drawings waiting; default 64 per worker
	OpenFiles  int        // rasters kept open; default 512
	Pictures   *DiskCache // drawn pictures that are kept; default none
	Work       string     // folder of extractions while they are made and sent; default the system's for temporary files
	Standins   Standins   // COGs that are made of JPEG 2000 on demand; default none
	// Readable is fault.Offline of an object that lies in an archive, so that mosaics leave its item out; nil: none does.
	Readable func(ctx context.Context, object string) error
}

// Standins knows the COGs that are made of JPEG 2000 objects which are looked at.
type Standins interface {
	COG(object string) string                           // key of the COG that shows the same; "" while there is none
	Use(object, checksum string, noDataStored *float64) // it is being looked at
}

// Renderer draws items. It is safe for any number of goroutines.
type Renderer struct {
	catalog stac.Catalog
	open    Opener
	reader  *raster.Reader
	gate    gate

	extracting gate
	animating  gate
	work       string
	kept       *DiskCache
	standins   Standins
	readable   func(ctx context.Context, object string) error

	items     cache[Description]
	offers    cache[offer]
	cogs      cache[openCOG]
	stretches cache[[][2]float64]
	pictures  flight[[]byte]
	lookups   cache[lookup]
	sights    cache[struct{}] // cells that were asked for
	crowded   cache[struct{}] // cells of which a lookup is no use
}

// freshFor is how long a parsed item or collection is believed, and which items lie in a cell: new and re-ingested products show after
// this time.
const freshFor = 3 * time.Second

// queuePatience is the longest that a drawing is let wait for its turn: a client that is refused at once can ask elsewhere, or again.
const queuePatience = 5 * time.Second

// New returns a Renderer of the items of a catalog, whose asset bytes open finds.
func New(catalog stac.Catalog, open Opener, o Options) *Renderer {
	def := func(v, otherwise int) int {
		if v > 0 {
			return v
		}
		return otherwise
	}
	workers := def(o.Workers, runtime.GOMAXPROCS(0))
	if o.CacheBytes <= 0 {
		o.CacheBytes = 512 << 20
	}
	return &Renderer{
		catalog: catalog, open: open, reader: raster.NewReader(o.CacheBytes),
		gate: gate{slots: make(chan struct{}, workers), queue: int64(def(o.Queue, 64*workers)), patience: queuePatience},
		// An extraction draws nothing between its parts, so that a few of them share the places of drawings.
		extracting: gate{slots: make(chan struct{}, 2*workers), queue: int64(8 * workers)}, work: o.Work, kept: o.Pictures, standins: o.Standins, readable: o.Readable,
		animating: gate{slots: make(chan struct{}, 1), queue: 8}, // each holds its frames
		items:     cache[Description]{most: 1024, ttl: freshFor},
		offers:    cache[offer]{most: 256, ttl: freshFor},
		cogs:      cache[openCOG]{most: def(o.OpenFiles, 512)},
		stretches: cache[[][2]float64]{most: 4096},
		lookups:   cache[lookup]{most: mostLookedUp, weigh: func(l lookup) int { return 1 + len(l.items) }, ttl: freshFor},
		sights:    cache[struct{}]{most: 4096, ttl: sightFor},
		crowded:   cache[struct{}]{most: 4096, ttl: crowdedFor},
	}
}

// picture returns the picture that an ETag names: one that was kept, or what draw makes, once for all who ask for the same at the
// same time.
func (r *Renderer) picture(ctx context.Context, tag string, draw func(context.Context) ([]byte, error)) ([]byte, error) {
	if body, ok := r.kept.Get(tag); ok {
		return body, nil
	}
	return r.pictures.do(ctx, tag, func(ctx context.Context) ([]byte, error) {
		body, err := draw(ctx)
		if err == nil {
			r.kept.Put(tag, body)
		}
		return body, err
	})
}

// openCOG is a COG with the source under it.
type openCOG struct {
	*raster.COG
	source raster.Source
}

func (c openCOG) Close() error {
	if closer, ok := c.source.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// cog returns the open COG of an object; it stays open until release.
func (r *Renderer) cog(ctx context.Context, key string) (c *raster.COG, release func(), err error) {
	o, release, err := r.cogs.get(ctx, key, func(ctx context.Context) (openCOG, error) {
		src, err := r.open(context.WithoutCancel(ctx), key) // outlives the request that opens it
		if err != nil {
			return openCOG{}, fmt.Errorf("tiles: opening %s: %w", key, err)
		}
		c, err := raster.OpenCOG(ctx, src)
		if err != nil {
			openCOG{source: src}.Close()
			return openCOG{}, fmt.Errorf("tiles: opening %s: %w", key, err)
		}
		return openCOG{c, src}, nil
	})
	return o.COG, release, err
}

// describe returns the parsed item.
func (r *Renderer) describe(ctx context.Context, collection, id string) (Description, error) {
	if !stac.ScopeOf(ctx).Sees(collection) { // what others asked for may be in the cache
		return Description{}, stac.NoCollection(collection)
	}
	d, release, err := r.items.get(ctx, collection+"\x00"+id, func(ctx context.Context) (Description, error) {
		it, err := r.catalog.Item(ctx, collection, id)
		if err != nil {
			return Description{}, fmt.Errorf("tiles: item %s/%s: %w", collection, id, err)
		}
		return r.describeBody(ctx, collection, id, it.Body)
	})
	if err != nil {
		return Description{}, err
	}
	release()
	return d, nil
}

// describeBody parses an item.
func (r *Renderer) describeBody(ctx context.Context, collection, id string, body []byte) (Description, error) {
	d, err := Describe(body)
	if err != nil {
		return Description{}, fmt.Errorf("tiles: item %s/%s: %w", collection, id, err)
	}
	d.Collection, d.ID, d.Datetime = collection, id, datetimeOf(body)
	if err := r.standIn(ctx, &d); err != nil {
		return Description{}, err
	}
	for i := range d.Assets {
		if err := r.countBands(ctx, &d.Assets[i]); err != nil {
			return Description{}, err
		}
	}
	return d, nil
}

// countBands looks into the raster of an asset whose item does not list its bands.
func (r *Renderer) countBands(ctx context.Context, a *Asset) error {
	if len(a.Bands) > 0 {
		return nil
	}
	c, release, err := r.cog(ctx, a.Object)
	if err != nil {
		return err
	}
	defer release()
	a.DataType, a.alpha = string(c.DataType), c.Alpha
	a.Bands = assetJSON{Bands: make([]bandJSON, c.Bands)}.bands(a.Key)
	for i := range a.Bands {
		a.Bands[i].Scale, a.Bands[i].Offset = c.Scale[i], c.Offset[i]
	}
	return nil
}

// offer is what the document of a collection says of its pictures.
type offer struct {
	renders presets
	cog     string // see stac.COGField
	maxAge  *time.Duration
}

// mostMaxAge is a year: longer is as good as for ever.
const mostMaxAge = 365 * 24 * time.Hour

// offerOf reads "renders" and "swath:picture_max_age_s" of a collection.
func (r *Renderer) offerOf(ctx context.Context, collection string) (offer, error) {
	if !stac.ScopeOf(ctx).Sees(collection) {
		return offer{}, stac.NoCollection(collection)
	}
	o, release, err := r.offers.get(ctx, collection, func(ctx context.Context) (offer, error) {
		c, err := r.catalog.Collection(ctx, collection)
		if err != nil {
			return offer{}, fmt.Errorf("tiles: collection %s: %w", collection, err)
		}
		var body struct {
			Renders presets         `json:"renders"`
			MaxAgeS json.RawMessage `json:"swath:picture_max_age_s"`
		}
		if err := json.Unmarshal(c.Body, &body); err != nil {
			return offer{}, fault.Wrap(fault.Invalid, err, "the presets of collection %q can't be read", collection)
		}
		maps.DeleteFunc(body.Renders, func(_ string, preset json.RawMessage) bool { return string(preset) == "null" }) // declined: see ingest.AddPresets
		o := offer{renders: body.Renders, cog: stac.COGOf(c.Body)}
		var seconds *float64
		if len(body.MaxAgeS) > 0 && json.Unmarshal(body.MaxAgeS, &seconds) == nil && seconds != nil && *seconds >= 0 {
			age := time.Duration(min(*seconds, mostMaxAge.Seconds()) * float64(time.Second))
			o.maxAge = &age
		}
		return o, nil
	})
	if err != nil {
		return offer{}, err
	}
	release()
	return o, nil
}

// presets returns what a collection offers under "renders".
func (r *Renderer) presets(ctx context.Context, collection string) (presets, error) {
	o, err := r.offerOf(ctx, collection)
	return o.renders, err
}

// MaxAge returns how long the pictures of a collection may be used without asking again: what its document says under
// "swath:picture_max_age_s" (seconds, a year at most), else what is usual.
func (r *Renderer) MaxAge(ctx context.Context, collection string, usual time.Duration) time.Duration {
	if o, err := r.offerOf(ctx, collection); err == nil && o.maxAge != nil {
		return *o.maxAge
	}
	return usual
}
