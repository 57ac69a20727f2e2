package cdse

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
	"swath/ingest/hub/wire"
)

var _ hub.Orderer = (*Client)(nil)

// defaultOrderWait is how long an order is left alone by which nothing is said.
const defaultOrderWait = 5 * time.Minute

// order is one as the hub tells of it.
type order struct {
	ID            string `json:"Id"`
	Status        string
	EstimatedDate odataTime
}

// Order orders a product by OData.CSC.Order and looks at the order. Where the hub takes none, the bytes are asked for, which is an order to
// some (202): source: ESA's Production Interface Delivery Point specification, Order; the user manual of DHuS.
func (c *Client) Order(ctx context.Context, p hub.Product) error {
	call := wire.Call{Method: http.MethodPost, Address: c.product(p.ID) + "/OData.CSC.Order", JSON: struct{}{}}
	id, ordered := c.orders.Load(p.ID)
	if ordered {
		call = wire.Call{Address: c.cfg.Catalogue + "/odata/v1/Orders(" + url.PathEscape(id.(string)) + ")"}
	}
	var o order
	after := time.Duration(-1)
	call.Answered = func(r *http.Response) {
		if r.Header.Get("Retry-After") != "" {
			after = fetch.RetryAfter(r)
		}
	}
	now, err := c.wire.JSON(ctx, call, &o)
	switch {
	case err != nil && ordered:
		c.orders.Delete(p.ID) // another look orders it anew
		return err
	case fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) || fault.Is(err, fault.Forbidden):
		return c.orderByAsking(ctx, p)
	case err != nil:
		return err
	}
	switch o.Status {
	case "completed":
		c.orders.Delete(p.ID)
		return nil
	case "failed", "cancelled", "canceled":
		c.orders.Delete(p.ID)
		return fault.New(fault.Unavailable, "hub: the order of %s has %s", p.Name, o.Status)
	}
	if o.ID != "" {
		c.orders.Store(p.ID, o.ID)
	}
	if after < 0 {
		after = defaultOrderWait
		if estimate := o.EstimatedDate.Sub(now); !o.EstimatedDate.IsZero() && estimate > 0 {
			after = min(estimate, time.Hour)
		}
	}
	return &fetch.Retry{After: after, Err: fault.New(fault.Offline, "it is ordered at the hub: %.40s", o.Status)}
}

// orderByAsking asks for the bytes of a product, of which none is read.
func (c *Client) orderByAsking(ctx context.Context, p hub.Product) error {
	body, err := c.zip(ctx, p.ID, 0, "")
	switch {
	case err == nil:
		return body.Close()
	case fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) || fault.Is(err, fault.Forbidden):
		return fault.Wrap(fault.Offline, err, "the hub has it offline and takes no order")
	}
	return err
}
