package staging

import (
	"context"

	"swath/auth"
	"swath/objects/copies"
	"swath/stac"
)

// statusOf says the state of a copy in the words of STAC's order extension.
var statusOf = map[copies.State]string{
	copies.Cold: "orderable", copies.Evicting: "orderable", copies.Queued: "ordered", copies.Failed: "ordered",
	copies.Restoring: "shipping", copies.Verifying: "shipping", copies.Online: "succeeded", copies.Unavailable: "failed",
}

// Tell puts into the bodies of items which of their assets are in the archive, as the one who asks sees it. Base is the server's address.
// Items without a copy cost one look into memory each.
func (d *Desk) Tell(ctx context.Context, base string, items []stac.Item) error {
	var collections, ids []string
	for _, it := range items {
		if d.Copies.MayHave(it.Collection, it.ID) {
			collections, ids = append(collections, it.Collection), append(ids, it.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	all, err := d.Copies.OfItems(ctx, auth.From(ctx).User, collections, ids)
	if err != nil {
		return err
	}
	of := map[[2]string]map[string]stac.Archived{}
	for _, c := range all {
		at := [2]string{c.Collection, c.Item}
		if of[at] == nil {
			of[at] = map[string]stac.Archived{}
		}
		of[at][c.Key] = stac.Archived{Status: statusOf[c.State], Order: c.Order, Expires: c.Expires}
	}
	for i, it := range items {
		if copied := of[[2]string{it.Collection, it.ID}]; copied != nil {
			items[i].Body, items[i].Served = stac.WithArchived(it.Body, base, copied), nil
		}
	}
	return nil
}
