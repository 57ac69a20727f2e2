// Package objecthttp lets clients download the files of items, whole or by byte ranges.
//
//	GET …/assets/{asset} ─▶ Asset: which object? ─▶ objects.Open ─▶ conditions ─▶ 304, 412, 416
//	GET /datalake/…  ─▶ folder or file? ─────────────────▲
//	GET …/product    ─▶ the files of an item as one zip ─▲
//	                                                      └─ stream ◀─ ranges ◀─────┘ 200, 206
//
// A file is never held in memory: a local one goes from disk to socket inside the kernel, one in S3 passes through a small buffer.
// A file that is in the archive alone is ordered by asking for it; the answer says when to ask again.
package objecthttp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/fault"
	"swath/objects"
	"swath/objects/staging"
	"swath/stac"
)

// Asset is what the catalog says about one file of an item.
type Asset struct {
	Key         string // the object; empty when others keep the file
	Href        string // where others keep it
	ContentType string // empty: the object's own
	FileName    string // what to call it on the client's disk; empty: the last part of Key
	Platform    string // of the item, if it says so

	done func(status int, bytes int64) // is told when it was sent; nil: nobody
}

// API is the door to the files.
type API struct {
	Objects objects.Store
	// Asset finds a file by its item, or returns fault.NotFound.
	Asset func(ctx context.Context, collection, item, asset string) (Asset, error)
	// Admit lets a download begin, and returns what is to be called when it has ended; or fault.OverQuota. nil lets all.
	Admit func(ctx context.Context) (leave func(), err error)
	// Done is told of a download that has ended, with the bytes that were really sent; nil: nobody wants to know.
	Done func(ctx context.Context, collection, item, asset string, status int, bytes int64, took time.Duration)
	// Allowances says what is left of the quotas of who asks; nil: nothing is said.
	Allowances func(ctx context.Context) []auth.Allowance
	// Accel is where a proxy in front, nginx, serves the folder of the objects itself; empty: nowhere.
	Accel string
	// Presign returns an address at which the object store serves an object itself; nil: it does not.
	Presign func(ctx context.Context, key, disposition, contentType string) (string, error)
	// CRC32 returns that of an object, for zips.
	CRC32 func(ctx context.Context, o objects.Object) (uint32, error)
	// Desk takes orders of what is in the archive; nil: there is none.
	Desk    *staging.Desk
	Catalog stac.Catalog // that orders and folders search in
	Analyst stac.Analyst // that folders are counted by

	kept *kept // counts of tiles
}

// Mount adds the routes; GET brings HEAD with it.
func (a API) Mount(r fiber.Router) {
	a.kept = &kept{}
	r.Get("/collections/:collection/items/:item/assets/:asset", unmistaken(a.download))
	r.Get("/collections/:collection/items/:item/product", unmistaken(a.product))
	r.Get("/datalake", a.datalake)
	r.Get("/datalake/*", unmistaken(a.datalake))
	r.Get("/orders", a.orders)
	r.Post("/orders", a.newOrder)
	r.Get("/orders/:order", a.order)
	r.Delete("/orders/:order", a.cancelOrder)
}

// download serves GET and HEAD /collections/{collection}/items/{item}/assets/{asset}.
func (a API) download(c *fiber.Ctx) error {
	return a.Send(c, c.Params("collection"), c.Params("item"), c.Params("asset"))
}

// Send answers with an asset of an item, or orders it where it is in the archive: for doors that name it in another way.
func (a API) Send(c *fiber.Ctx, collection, item, name string) error {
	asset, err := a.Asset(c.UserContext(), collection, item, name)
	if err != nil {
		return err
	}
	if asset.Key == "" {
		return fault.New(fault.NotFound, "asset %q of item %q is not kept here but by %s", name, item, holder(asset.Href))
	}
	return a.sendAsset(c, collection, item, name, asset)
}

// sendAsset does so with one that was found and is kept here.
func (a API) sendAsset(c *fiber.Ctx, collection, item, name string, asset Asset) error {
	if c.Method() == fiber.MethodGet {
		c.SetUserContext(stac.WithDownload(c.UserContext(), stac.Download{Collection: collection, Platform: asset.Platform}))
	}
	o, err := a.Objects.Open(c.UserContext(), asset.Key)
	if fault.Is(err, fault.Offline) && a.Desk != nil {
		return a.cold(c, collection, item, []file{{asset: name, object: asset.Key}})
	} else if err != nil {
		return err
	}
	return a.begin(c, o, a.noted(c, asset, collection, item, name))
}

// noted lets who keeps accounts of downloads hear of one that begins now.
func (a API) noted(c *fiber.Ctx, asset Asset, collection, item, name string) Asset {
	if a.Done == nil || c.Method() != fiber.MethodGet {
		return asset
	}
	ctx, begun := context.WithoutCancel(c.UserContext()), time.Now()
	asset.done = func(status int, bytes int64) { a.Done(ctx, collection, item, name, status, bytes, time.Since(begun)) }
	return asset
}

// SendObject answers with an object that is no asset of an item, such as a result of a job: it is for who asks alone.
func (a API) SendObject(c *fiber.Ctx, key, name, contentType string) error {
	o, err := a.Objects.Open(c.UserContext(), key)
	if err != nil {
		return err
	}
	err = a.begin(c, o, Asset{Key: key, FileName: name, ContentType: contentType})
	if c.Response().StatusCode() != fiber.StatusTemporaryRedirect { // to an address that ends
		c.Set(fiber.HeaderCacheControl, "private, max-age=3600, immutable")
	}
	return err
}

// begin sends an open object, when the one who asks may have another download.
func (a API) begin(c *fiber.Ctx, o objects.Object, asset Asset) (err error) {
	asset.ContentType = cmp.Or(asset.ContentType, o.Info().ContentType, fiber.MIMEOctetStream)
	asset.FileName = cmp.Or(asset.FileName, path.Base(o.Info().Key))
	leave := func() {}
	if a.Admit != nil && c.Method() == fiber.MethodGet {
		leave, err = a.Admit(c.UserContext())
		if a.Allowances != nil {
			sayAllowances(c, a.Allowances(c.UserContext()))
		}
		if err != nil {
			return errors.Join(err, o.Close())
		}
	}
	return a.send(c, o, asset, leave)
}

// sayAllowances tells what is left of quotas (draft-ietf-httpapi-ratelimit-headers-10).
func sayAllowances(c *fiber.Ctx, all []auth.Allowance) {
	for _, one := range all {
		policy, left := fmt.Sprintf("%q;q=%d;qu=%q", one.Name, one.Quota, one.Unit), fmt.Sprintf("%q;r=%d", one.Name, one.Left)
		if one.Window > 0 {
			policy += ";w=" + seconds(one.Window)
		}
		if one.Reset > 0 {
			left += ";t=" + seconds(one.Reset)
		}
		c.Append("RateLimit-Policy", policy)
		c.Append("RateLimit", left)
	}
}

// holder names who keeps a foreign file: the href, without what may be a secret in it.
func holder(href string) string {
	u, err := url.Parse(href)
	if err != nil || u.Host == "" {
		return "its source"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
