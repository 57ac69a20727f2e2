package stachttp

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/stac"
)

// item serves GET /collections/{collection}/items/{item}.
func (a API) item(c *fiber.Ctx) error {
	q, err := query(c, "crs")
	if err != nil {
		return err
	}
	crs, err := stac.ParseCRS("crs", q.Get("crs"))
	if err != nil {
		return err
	}
	it, err := a.Catalog.Item(c.UserContext(), c.Params("collection"), c.Params("item"))
	if err != nil {
		return err
	}
	l := a.itemLinks(c, it.Collection)
	if a.Tell != nil {
		one := []stac.Item{it}
		if err := a.Tell(c.UserContext(), l.Base, one); err != nil {
			return err
		}
		it = one[0]
	}
	if httpkit.WantsHTML(c) {
		return itemPage(c, l, it)
	}
	if it.Body, err = crs.Apply(it.Body); err != nil {
		return err
	}
	contentCRS(c, crs)
	return httpkit.Send(c, stac.TypeGeoJSON, l.AppendItem(make([]byte, 0, len(it.Body)+stac.LinkBytes), it))
}

// items serves GET /collections/{collection}/items.
func (a API) items(c *fiber.Ctx) error {
	q, err := query(c, stac.ItemsParams...)
	if err != nil {
		return err
	}
	s, err := stac.SearchFromQuery(q, stac.ItemsParams)
	if err != nil {
		return err
	}
	one, err := a.Catalog.Collection(c.UserContext(), c.Params("collection"))
	if err != nil {
		return err
	}
	if len(s.Collections) > 0 && !slices.Contains(s.Collections, one.ID) {
		return fault.New(fault.Invalid, "collections does not name %q, whose items these are", one.ID)
	}
	s.Collections = []string{one.ID}
	l := links(c)
	if form := streamOf(c); form != "" {
		return a.stream(c, l, s, limitOf(q), form, one.ID)
	}
	return a.page(c, l, s, list{title: read(one.Body).name(), self: l.CollectionURL(one.ID) + "/items", query: q, collection: l.CollectionURL(one.ID)})
}

// search serves GET /search.
func (a API) search(c *fiber.Ctx) error {
	q, err := query(c, stac.SearchParams...)
	if err != nil {
		return err
	}
	s, err := stac.SearchFromQuery(q, stac.SearchParams)
	if err != nil {
		return err
	}
	l := links(c)
	if form := streamOf(c); form != "" {
		return a.stream(c, l, s, limitOf(q), form, "search")
	}
	return a.page(c, l, s, list{title: "Search", self: l.Base + "/search", query: q})
}

// limitOf returns the limit that was asked for, or 0. It was checked before.
func limitOf(q url.Values) int {
	n, _ := strconv.Atoi(q.Get("limit"))
	return n
}

// searchByBody serves POST /search.
func (a API) searchByBody(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	s, err := stac.SearchFromJSON(c.Body())
	if err != nil {
		return err
	}
	l := links(c)
	if form := streamOf(c); form != "" {
		var asked struct{ Limit int }
		_ = json.Unmarshal(c.Body(), &asked) // it was read before
		return a.stream(c, l, s, asked.Limit, form, "search")
	}
	return a.page(c, l, s, list{title: "Search", self: l.Base + "/search", byBody: true})
}

// contentCRS says which coordinates an answer has.
func contentCRS(c *fiber.Ctx, crs *stac.CRS) {
	uri := stac.StorageCRS
	if crs != nil {
		uri = crs.URI
	}
	c.Set("Content-Crs", "<"+uri+">")
}

// list is where a page of items stands.
type list struct {
	title, self string
	query       url.Values
	collection  string // address of the one collection it is of, or ""
	byBody      bool
	fields      *stac.Fields // what is wanted of each item; nil is all
}

// next returns the address of the page that begins at token.
func (p list) next(token string) string {
	q := maps.Clone(p.query)
	q.Set("token", token)
	return p.self + "?" + q.Encode()
}

// page runs a search and sends what it found.
func (a API) page(c *fiber.Ctx, l stac.Links, s stac.Question, at list) error {
	found, err := a.Catalog.Search(c.UserContext(), s.Search)
	if err != nil {
		return err
	}
	if a.Tell != nil {
		if err := a.Tell(c.UserContext(), l.Base, found.Items); err != nil {
			return err
		}
	}
	if !at.byBody && httpkit.WantsHTML(c) {
		return itemsPage(c, l, found, at)
	}
	at.fields = s.Fields
	if !s.CRS.Stored() {
		for i := range found.Items {
			if found.Items[i].Body, err = s.CRS.Apply(found.Items[i].Body); err != nil {
				return err
			}
		}
	}
	contentCRS(c, s.CRS)
	body, sum, err := appendPage(httpkit.Room(c), l, found, at)
	found.Release()
	if err != nil {
		return err
	}
	return httpkit.SendRoom(c, stac.TypeGeoJSON, body, sum)
}

// appendPage renders a page of items, with a hash of it. Only its own few links are made; the items are copied.
func appendPage(room []byte, l stac.Links, found stac.Page, at list) (body []byte, sum uint64, err error) {
	size := stac.LinkBytes
	for _, it := range found.Items {
		size += len(it.Body) + stac.LinkBytes
	}
	body = append(slices.Grow(room, size), `{"type":"FeatureCollection","features":[`...)
	sums, sumOf := xxhash.New(), [8]byte{}
	for i, it := range found.Items {
		if i > 0 {
			body = append(body, ',')
		}
		body, sum = l.AppendSummed(body, it, at.fields)
		binary.LittleEndian.PutUint64(sumOf[:], sum)
		_, _ = sums.Write(sumOf[:]) // never fails
	}
	items := len(body)
	body = append(body, `],"links":[`...)
	self := at.self
	if len(at.query) > 0 {
		self += "?" + at.query.Encode()
	}
	body = stac.AppendLink(body, "self", self, stac.TypeGeoJSON, "This page")
	body = stac.AppendLink(append(body, ','), "root", l.Base+"/", stac.TypeJSON, "The catalog")
	if at.collection != "" {
		body = stac.AppendLink(append(body, ','), "parent", at.collection, stac.TypeJSON, "Its collection")
		body = stac.AppendLink(append(body, ','), "collection", at.collection, stac.TypeJSON, "Its collection")
	}
	if found.Next != "" && !at.byBody {
		body = stac.AppendLink(append(body, ','), "next", at.next(found.Next), stac.TypeGeoJSON, "Next page")
	} else if found.Next != "" {
		token, err := json.Marshal(found.Next)
		if err != nil {
			return nil, 0, err
		}
		body = fmt.Appendf(append(body, ','), `{"rel":"next","href":"%s","type":"%s","title":"Next page","method":"POST","merge":true,"body":{"token":%s}}`,
			at.self, stac.TypeGeoJSON, token)
	}
	body = append(body, `],"numberReturned":`...)
	body = strconv.AppendInt(body, int64(len(found.Items)), 10)
	if found.Matched != nil {
		body = append(body, `,"numberMatched":`...)
		body = strconv.AppendInt(body, *found.Matched, 10)
		if found.Estimated {
			body = append(body, `,"numberMatchedEstimated":true`...)
		}
	}
	body = append(body, '}')
	_, _ = sums.Write(body[items:])
	return body, sums.Sum64(), nil
}
