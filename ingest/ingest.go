package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"swath/fault"
	"swath/objects"
	"swath/stac"
)

// Ingester is the way into the catalog.
type Ingester struct {
	Objects objects.Store
	Catalog Catalog
	Work    string // folder for temporary files, on a disk with room for one product
	Log     *slog.Logger
}

// Catalog is what is written to: items as a whole, and changes of what is stored.
type Catalog interface {
	stac.Catalog
	// ChangeItem and PutItems: see stac.Editor.
	ChangeItem(ctx context.Context, collection, id string, change func(old *stac.Item) (*stac.Item, error)) (stac.Item, error)
	PutItems(ctx context.Context, collection string, items []stac.Item, insert bool) error
}

// Options of one run.
type Options struct {
	Collection string // for rasters and STAC items; empty: the item's own, or "rasters"
	COG        string // when rasters become COGs (stac.COGEager and so on); empty: what the collection says
	Original   bool   // zipped Sentinel products stay as they are, their zip the item's one file; no pixel is read
}

// Result is what became of one product.
type Result struct {
	Path             string
	Collection, Item string // empty for a collection document, and when the product was refused early
	Changed          bool
	Err              error // why it was refused; nil when it is in the catalog
}

// Ingest brings every product at path into the catalog and reports each. A product that is refused is recorded in quarantine
// and does not stop the others. The error is for what stops everything: no such path, a cancelled context, no database.
func (in *Ingester) Ingest(ctx context.Context, path string, opts Options) ([]Result, error) {
	products, err := find(path)
	if err != nil {
		return nil, err
	}
	if len(products) == 0 {
		return nil, fault.New(fault.Invalid, "%s: no product in this folder", path)
	}
	var results []Result
	for _, product := range products {
		start := time.Now()
		r := in.one(ctx, product, opts)
		if r.Err != nil && stops(ctx, r.Err) {
			return results, fmt.Errorf("ingest: %s: %w", product.path, r.Err)
		}
		if r.Err != nil {
			in.Log.Warn("product refused", "product", r.Path, "err", r.Err)
			if err := in.quarantine(ctx, r); err != nil {
				return results, err
			}
		} else if r.Item != "" {
			in.Log.Info("product catalogued", "product", r.Item, "collection", r.Collection, "changed", r.Changed, "dur", time.Since(start))
			if err := in.release(ctx, r.Path); err != nil {
				return results, err
			}
		}
		results = append(results, r)
	}
	if err := in.collect(ctx, grace); err != nil { // the products are in: the next ingest tries again
		in.Log.Warn("replaced objects stay", "err", err)
	}
	return results, nil
}

// stops reports whether an error is of the kind that the next product would meet as well.
func stops(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.Canceled) || fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout)
}

// one brings one product in.
func (in *Ingester) one(ctx context.Context, product found, opts Options) Result {
	r := Result{Path: product.path}
	if product.kind == kindCollection {
		r.Err = in.putCollectionDocument(ctx, product.path)
		return r
	}
	p, closePlan, err := in.plan(ctx, product, opts)
	if err != nil {
		r.Err = err
		return r
	}
	defer closePlan()
	r.Collection, r.Item = p.collection, p.id
	if err := in.EnsureCollection(ctx, p.collection); err != nil {
		r.Err = err
		return r
	}
	if r.Err = in.whenCOG(ctx, &p, opts.COG); r.Err != nil {
		return r
	}
	if r.Changed, r.Err = in.publish(ctx, p); r.Err == nil {
		r.Err = in.succeed(ctx, p.collection, p.id)
	}
	return r
}

// plan reads a product and says what it becomes. The function it returns closes the product.
func (in *Ingester) plan(ctx context.Context, product found, opts Options) (plan, func(), error) {
	switch product.kind {
	case kindSAFE:
		if opts.Original {
			return planOriginal(product.path)
		}
		return planSAFE(product.path)
	case kindDIMAP:
		return planSPOT(product.path)
	case kindRaster:
		return planRaster(product.path, opts.Collection)
	default:
		return planItem(product.path, opts.Collection)
	}
}

// whenCOG decides when the plan's rasters become COGs: as it is asked for, else as the collection says. What was asked for on its own
// is written into the item.
func (in *Ingester) whenCOG(ctx context.Context, p *plan, asked string) error {
	p.cog = asked
	if asked == "" {
		c, err := in.Catalog.Collection(ctx, p.collection)
		if err != nil {
			return err
		}
		p.cog = stac.COGOf(c.Body)
	} else if asked == stac.COGOnDemand {
		p.properties[stac.COGField] = asked
	}
	return nil
}
