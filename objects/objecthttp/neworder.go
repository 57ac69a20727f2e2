package objecthttp

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/objects/copies"
	"swath/stac"
)

// newOrder serves POST /orders: the files of items, or of what a search finds. Files that are not in the archive need no order.
func (a API) newOrder(c *fiber.Ctx) error {
	if err := a.desk(); err != nil {
		return err
	}
	if err := a.Desk.May(c.UserContext()); err != nil {
		return err
	}
	var w wanted
	d := json.NewDecoder(bytes.NewReader(c.Body()))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return fault.New(fault.Invalid, "the body is not an order: %v", err)
	}
	if (len(w.Items) > 0) == (w.Search != nil) {
		return fault.New(fault.Invalid, "an order names items, or a search: one of the two")
	}
	files, err := a.filesOf(c.UserContext(), w)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fault.New(fault.Conflict, "none of the files is in the archive: they can be downloaded at once")
	}
	id, err := a.Desk.Order(c.UserContext(), files, false)
	if err != nil {
		return err
	}
	o, err := a.Desk.Copies.OrderOf(c.UserContext(), id)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, httpkit.BaseURL(c)+"/orders/"+id)
	return a.tell(c, o, fiber.StatusCreated)
}

// filesOf returns those files of what is wanted that are in the archive.
func (a API) filesOf(ctx context.Context, w wanted) (files []copies.File, err error) {
	add := func(items []stac.Item, assets []string) error {
		more, err := a.archived(ctx, items, assets)
		if files = append(files, more...); err == nil && len(files) > mostFiles {
			err = fault.New(fault.TooLarge, "more than %d files: make several orders", mostFiles)
		}
		return err
	}
	for _, one := range w.Items {
		it, err := a.Catalog.Item(ctx, one.Collection, one.ID)
		if err != nil {
			return nil, err
		}
		assets := one.Assets
		if len(assets) == 0 {
			assets = w.Assets
		}
		if err := add([]stac.Item{it}, assets); err != nil {
			return nil, err
		}
	}
	if w.Search == nil {
		return files, nil
	}
	q, err := stac.SearchFromJSON(w.Search)
	if err != nil {
		return nil, err
	}
	q.Limit, q.Uncounted = searchPage, true
	for seen := 0; ; {
		page, err := a.Catalog.Search(ctx, q.Search)
		if err != nil {
			return nil, err
		}
		if seen += len(page.Items); seen > mostMatched {
			return nil, fault.New(fault.TooLarge, "the search finds more than %d items: make several orders", mostMatched)
		}
		if err := add(page.Items, w.Assets); err != nil {
			return nil, err
		}
		if q.Token = page.Next; q.Token == "" {
			return files, nil
		}
	}
}

// archived returns those files of items that are in the archive, of these assets or roles.
func (a API) archived(ctx context.Context, items []stac.Item, assets []string) (files []copies.File, err error) {
	var collections, ids []string
	for _, it := range items {
		if a.Desk.Copies.MayHave(it.Collection, it.ID) {
			collections, ids = append(collections, it.Collection), append(ids, it.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := a.Desk.Copies.OfItems(ctx, "", collections, ids)
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for _, one := range all {
		have[one.Key] = true
	}
	for _, it := range items {
		var body struct {
			Assets map[string]struct {
				Object string   `json:"swath:object"`
				Roles  []string `json:"roles"`
			} `json:"assets"`
		}
		if err := json.Unmarshal(it.Body, &body); err != nil {
			return nil, err
		}
		for name, asset := range body.Assets {
			wanted := len(assets) == 0 || slices.Contains(assets, name) || slices.ContainsFunc(asset.Roles, func(r string) bool { return slices.Contains(assets, r) })
			if have[asset.Object] && wanted {
				files = append(files, copies.File{Key: asset.Object, Asset: name})
			}
		}
	}
	return files, nil
}
