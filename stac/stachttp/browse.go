package stachttp

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/stac"
	"swath/stac/cql2"
)

// The tree in which every item can be reached by links alone:
//
//	root ─▶ /browse ─▶ /browse/{mission} ─▶ a collection, which is a level ─▶ …/browse ─▶ …/{year} ─▶ …/{year}/{tile or month} ─▶ items
//
// Its catalogs are made of counts, and stored nowhere.

// elsewhere names the items of a year that lie on no tile.
const elsewhere = "other"

// itemsPerLeaf is how many items a catalog of the tree links to; further ones are on its next page.
const itemsPerLeaf = 100

// missionOf returns what a collection's items were taken by.
func missionOf(one stac.Collection) string {
	var body struct {
		Summaries map[string]json.RawMessage `json:"summaries"`
	}
	_ = json.Unmarshal(one.Body, &body) // a collection of another shape has no summaries
	for _, name := range []string{"constellation", "mission"} {
		var values []string
		if json.Unmarshal(body.Summaries[name], &values) == nil && len(values) > 0 && values[0] != "" {
			return strings.ToLower(values[0])
		}
	}
	parts := strings.SplitN(one.ID, "-", 3)
	return strings.Join(parts[:min(len(parts), 2)], "-")
}

// branch is a catalog of the tree.
type branch struct {
	path, parent       string // of addresses
	id, title          string
	description        string
	children, products []stac.Link
	next               string
}

// document is a branch as a STAC catalog.
func (b branch) document(l stac.Links) ([]byte, error) {
	all := []*stac.Link{
		{Rel: "self", Href: l.Base + b.path, Type: stac.TypeJSON, Title: b.title},
		{Rel: "root", Href: l.Base + "/", Type: stac.TypeJSON, Title: "The catalog"},
		{Rel: "parent", Href: l.Base + b.parent, Type: stac.TypeJSON, Title: "Up"},
	}
	for i := range b.children {
		all = append(all, &b.children[i])
	}
	for i := range b.products {
		all = append(all, &b.products[i])
	}
	if b.next != "" {
		all = append(all, &stac.Link{Rel: "next", Href: b.next, Type: stac.TypeJSON, Title: "More of it"})
	}
	return stac.Root{Version: stac.Version, Id: b.id, Title: b.title, Description: b.description, Links: all}.MarshalJSON()
}

func (a API) sendBranch(c *fiber.Ctx, b branch) error {
	l := links(c)
	if httpkit.WantsHTML(c) {
		return pages.Send(c, "branch.html", fiber.Map{"Base": l.Base, "Title": b.title, "Parent": l.Base + b.parent, "Description": b.description,
			"Children": b.children, "Items": b.products, "Next": b.next})
	}
	body, err := b.document(l)
	if err != nil {
		return err
	}
	return httpkit.Send(c, stac.TypeJSON, body)
}

func child(href, title string) stac.Link {
	return stac.Link{Rel: "child", Href: href, Type: stac.TypeJSON, Title: title}
}

// browse serves GET /browse and GET /browse/{mission}.
func (a API) browse(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	all, err := a.Catalog.Collections(c.UserContext())
	if err != nil {
		return err
	}
	b := missions(links(c), all, c.Params("mission"))
	if b.children == nil && c.Params("mission") != "" {
		return fault.New(fault.NotFound, "there is no collection of the mission %.60q", c.Params("mission"))
	}
	return a.sendBranch(c, b)
}

// missions is the branch of all missions, or of the levels of one.
func missions(l stac.Links, all []stac.Collection, mission string) branch {
	b := branch{path: "/browse", parent: "/", id: "browse", title: "Missions", description: "All items, by mission, level, year and tile."}
	if mission != "" {
		b = branch{path: "/browse/" + url.PathEscape(mission), parent: "/browse", id: "browse-" + mission, title: mission, description: "The levels of " + mission + "."}
	}
	var names []string
	for _, one := range all {
		switch of := missionOf(one); {
		case mission == of:
			b.children = append(b.children, child(l.CollectionURL(one.ID), read(one.Body).name()))
		case mission == "" && !slices.Contains(names, of):
			names = append(names, of)
		}
	}
	slices.Sort(names)
	for _, of := range names {
		b.children = append(b.children, child(l.Base+"/browse/"+url.PathEscape(of), of))
	}
	return b
}

// browseCollection serves GET /collections/{collection}/browse, its years, and their tiles or months.
func (a API) browseCollection(c *fiber.Ctx) error {
	q, err := query(c, "token")
	if err != nil {
		return err
	}
	one, err := a.Catalog.Collection(c.UserContext(), c.Params("collection"))
	if err != nil {
		return err
	}
	l, year, leaf := links(c), c.Params("year"), c.Params("leaf")
	root := strings.TrimPrefix(l.CollectionURL(one.ID), l.Base)
	b := branch{path: root + "/browse", parent: root, id: one.ID, title: read(one.Body).name(), description: "The years of " + one.ID + "."}
	s := stac.Search{Collections: []string{one.ID}, Limit: itemsPerLeaf, Token: q.Get("token")}
	if year == "" {
		years, err := a.frequencies(c, s, stac.Aggregation{Name: "datetime_frequency", Interval: "year"})
		if err != nil {
			return err
		}
		for _, bucket := range years {
			b.children = append(b.children, child(l.Base+b.path+"/"+bucket.Key[:4], bucket.Key[:4]+" ("+strconv.FormatInt(bucket.Count, 10)+")"))
		}
		return a.sendBranch(c, b)
	}
	first, err := time.Parse("2006", year)
	if err != nil {
		return fault.New(fault.NotFound, "%.20q is not a year", year)
	}
	last := first.AddDate(1, 0, 0).Add(-time.Microsecond)
	s.Datetime = &stac.Interval{Start: &first, End: &last}
	b = branch{path: b.path + "/" + year, parent: b.path, id: one.ID + "-" + year, title: b.title + ", " + year, description: "What was taken in " + year + ", by place or month."}
	if leaf == "" {
		return a.browseYear(c, l, s, b)
	}
	if s, err = within(s, first, leaf); err != nil {
		return err
	}
	found, err := a.Catalog.Search(c.UserContext(), s)
	if err != nil {
		return err
	}
	b = branch{path: b.path + "/" + url.PathEscape(leaf), parent: b.path, id: b.id + "-" + leaf, title: b.title + ", " + leaf, description: "Items of " + one.ID + " in " + year + ", " + leaf + "."}
	for _, it := range found.Items {
		b.products = append(b.products, stac.Link{Rel: "item", Href: l.ItemURL(it.Collection, it.ID), Type: stac.TypeGeoJSON, Title: it.ID})
	}
	if found.Next != "" {
		b.next = l.Base + b.path + "?token=" + url.QueryEscape(found.Next)
	}
	return a.sendBranch(c, b)
}

// browseYear lists the tiles of a year, or its months where nothing lies on tiles.
func (a API) browseYear(c *fiber.Ctx, l stac.Links, s stac.Search, b branch) error {
	tiles, err := a.frequencies(c, s, stac.Aggregation{Name: "grid_code_frequency"})
	if err != nil {
		return err
	}
	months, err := a.frequencies(c, s, stac.Aggregation{Name: "datetime_frequency", Interval: "month"})
	if err != nil {
		return err
	}
	var onTiles, all int64
	for _, m := range months {
		all += m.Count
		if len(tiles) == 0 {
			b.children = append(b.children, child(l.Base+b.path+"/"+m.Key[5:7], m.Key[:7]+" ("+strconv.FormatInt(m.Count, 10)+")"))
		}
	}
	slices.SortFunc(tiles, func(x, y stac.Bucket) int { return strings.Compare(x.Key, y.Key) })
	for _, t := range tiles {
		onTiles += t.Count
		b.children = append(b.children, child(l.Base+b.path+"/"+url.PathEscape(t.Key), t.Key+" ("+strconv.FormatInt(t.Count, 10)+")"))
	}
	if len(tiles) > 0 && all > onTiles {
		b.children = append(b.children, child(l.Base+b.path+"/"+elsewhere, "On no tile ("+strconv.FormatInt(all-onTiles, 10)+")"))
	}
	return a.sendBranch(c, b)
}

// within narrows a search of a year to a month, a tile, or what lies on no tile.
func within(s stac.Search, year time.Time, leaf string) (stac.Search, error) {
	const code, tile = cql2.Property("grid:code"), cql2.Property("s2:mgrs_tile")
	if month, err := strconv.Atoi(leaf); err == nil && len(leaf) == 2 && month >= 1 && month <= 12 {
		first := year.AddDate(0, month-1, 0)
		last := first.AddDate(0, 1, 0).Add(-time.Microsecond)
		s.Datetime = &stac.Interval{Start: &first, End: &last}
		return s, nil
	}
	if leaf == elsewhere {
		s.Filter = cql2.And{cql2.IsNull{Value: code}, cql2.IsNull{Value: tile}}
		return s, nil
	}
	if len(leaf) > 100 {
		return s, fault.New(fault.NotFound, "there is no tile %.60q", leaf)
	}
	s.Filter = cql2.Or{cql2.Compare{Op: cql2.Equal, Left: code, Right: cql2.Text(leaf)},
		cql2.Compare{Op: cql2.Equal, Left: tile, Right: cql2.Text(strings.TrimPrefix(leaf, "MGRS-"))}}
	return s, nil
}

func (a API) frequencies(c *fiber.Ctx, s stac.Search, asked stac.Aggregation) ([]stac.Bucket, error) {
	s.Token, s.Limit = "", 0
	answers, err := a.Analyst.Aggregate(c.UserContext(), s, []stac.Aggregation{asked})
	if err != nil {
		return nil, err
	}
	return answers[0].Buckets, nil
}
