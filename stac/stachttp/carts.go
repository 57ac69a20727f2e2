package stachttp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/fault"
	"swath/httpkit"
	"swath/stac"
)

const (
	cartPage     = 100
	mostCartPage = 1000
	cartSearch   = 1000 // items of a page of the search that fills a cart
	mostTitle    = 200  // bytes
)

// mountCarts adds the routes of carts.
func (a API) mountCarts(r fiber.Router) {
	r.Get("/carts", a.carts)
	r.Post("/carts", a.newCart)
	r.Get("/carts/:cart", a.cart)
	r.Delete("/carts/:cart", a.deleteCart)
	r.Post("/carts/:cart/items", a.addToCart)
	r.Delete("/carts/:cart/items/:collection/:item", a.takeFromCart)
}

// cartBody is a cart as it is told.
type cartBody struct {
	ID      string       `json:"id"`
	Title   string       `json:"title,omitempty"`
	Created time.Time    `json:"created"`
	Updated time.Time    `json:"updated"`
	Items   int          `json:"items"`
	Links   []*stac.Link `json:"links"`
}

func cartURL(l stac.Links, id string) string { return l.Base + "/carts/" + id }

func cartOf(l stac.Links, c stac.Cart) cartBody {
	return cartBody{c.ID, c.Title, c.Created, c.Updated, c.Items, []*stac.Link{{Rel: "items", Href: cartURL(l, c.ID), Type: stac.TypeGeoJSON, Title: "Its items"}}}
}

// carts serves GET /carts: those of the account that asks.
func (a API) carts(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	p := auth.From(c.UserContext())
	if err := p.Require(auth.Reader); err != nil {
		return err // a stranger knows a cart by its id
	}
	all, err := a.Carts.CartsOf(c.UserContext(), p.User)
	if err != nil {
		return err
	}
	l, list := links(c), []cartBody{}
	for _, one := range all {
		list = append(list, cartOf(l, one))
	}
	return c.JSON(fiber.Map{"carts": list, "links": []*stac.Link{{Rel: "self", Href: l.Base + "/carts", Type: stac.TypeJSON}}})
}

// filling is what a client puts into a cart.
type filling struct {
	Title  string          `json:"title"`
	Items  []stac.CartItem `json:"items"`
	Search json.RawMessage `json:"search"`
}

// filling reads what is to be put into a cart, and finds its items: all of them have to be there.
func (a API) filling(c *fiber.Ctx) (f filling, err error) {
	_, body, err := received(c)
	if err != nil {
		return f, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fault.New(fault.Invalid, "the body is not what a cart is filled with: %v", err)
	}
	if len(f.Title) > mostTitle {
		return f, fault.New(fault.Invalid, "the title is longer than %d bytes", mostTitle)
	}
	if len(f.Items) > stac.MostCartItems {
		return f, tooFull()
	}
	if _, missing, err := a.itemsOf(c.UserContext(), f.Items); err != nil {
		return f, err
	} else if len(missing) > 0 {
		return f, fault.New(fault.NotFound, "item %q is not in collection %q", missing[0].ID, missing[0].Collection)
	}
	if f.Search == nil {
		return f, nil
	}
	q, err := stac.SearchFromJSON(f.Search)
	if err != nil {
		return f, err
	}
	q.Limit, q.Uncounted = cartSearch, true
	for {
		page, err := a.Catalog.Search(c.UserContext(), q.Search)
		if err != nil {
			return f, err
		}
		for _, it := range page.Items {
			f.Items = append(f.Items, stac.CartItem{Collection: it.Collection, ID: it.ID})
		}
		if q.Token = page.Next; len(f.Items) > stac.MostCartItems {
			return f, tooFull()
		} else if q.Token == "" {
			return f, nil
		}
	}
}

func tooFull() error {
	return fault.New(fault.TooLarge, "a cart holds %d items: fill several", stac.MostCartItems)
}

// itemsOf returns items in the order of their names, and the names of those that are not there.
func (a API) itemsOf(ctx context.Context, names []stac.CartItem) (items []stac.Item, missing []stac.CartItem, err error) {
	ids := map[string][]string{}
	for _, n := range names {
		ids[n.Collection] = append(ids[n.Collection], n.ID)
	}
	found := map[stac.CartItem]stac.Item{}
	for collection, of := range ids {
		for some := range slices.Chunk(of, cartSearch) {
			page, err := a.Catalog.Search(ctx, stac.Search{Collections: []string{collection}, IDs: some, Limit: len(some), Uncounted: true})
			if err != nil {
				return nil, nil, err
			}
			for _, it := range page.Items {
				found[stac.CartItem{Collection: it.Collection, ID: it.ID}] = it
			}
		}
	}
	for _, n := range names {
		if it, ok := found[n]; ok {
			items = append(items, it)
		} else {
			missing = append(missing, n)
		}
	}
	return items, missing, nil
}

// newCart serves POST /carts.
func (a API) newCart(c *fiber.Ctx) error {
	f, err := a.filling(c)
	if err != nil {
		return err
	}
	one, err := a.Carts.NewCart(c.UserContext(), auth.From(c.UserContext()).User, f.Title, f.Items)
	if err != nil {
		return err
	}
	l := links(c)
	c.Set(fiber.HeaderLocation, cartURL(l, one.ID))
	return c.Status(fiber.StatusCreated).JSON(cartOf(l, one))
}

// addToCart serves POST /carts/{cart}/items.
func (a API) addToCart(c *fiber.Ctx) error {
	f, err := a.filling(c)
	if err != nil {
		return err
	}
	one, err := a.Carts.AddToCart(c.UserContext(), c.Params("cart"), auth.From(c.UserContext()).User, f.Items)
	if err != nil {
		return err
	}
	return c.JSON(cartOf(links(c), one))
}

// cart serves GET /carts/{cart}: its items, as a search would have found them, in the order in which they came.
func (a API) cart(c *fiber.Ctx) error {
	q, err := query(c, "limit", "token")
	if err != nil {
		return err
	}
	limit, behind := cartPage, int64(0)
	if q.Has("limit") {
		if limit, err = strconv.Atoi(q.Get("limit")); err != nil || limit < 1 || limit > mostCartPage {
			return fault.New(fault.Invalid, "limit is not 1 to %d", mostCartPage)
		}
	}
	if q.Has("token") {
		if behind, err = strconv.ParseInt(q.Get("token"), 10, 64); err != nil || behind < 0 {
			return fault.New(fault.Invalid, "token is not one of this cart")
		}
	}
	ctx, l := c.UserContext(), links(c)
	one, err := a.Carts.Cart(ctx, c.Params("cart"))
	if err != nil {
		return err
	}
	names, next, err := a.Carts.CartItems(ctx, one.ID, behind, limit)
	if err != nil {
		return err
	}
	items, missing, err := a.itemsOf(ctx, names)
	if err != nil {
		return err
	}
	if a.Tell != nil {
		if err := a.Tell(ctx, l.Base, items); err != nil {
			return err
		}
	}
	matched := int64(one.Items)
	found := stac.Page{Items: items, Matched: &matched}
	if next > 0 {
		found.Next = strconv.FormatInt(next, 10)
	}
	at := list{title: one.Title, self: cartURL(l, one.ID), query: url.Values{}}
	if q.Has("limit") {
		at.query.Set("limit", q.Get("limit"))
	}
	body, _, err := appendPage(nil, l, found, at)
	if err != nil {
		return err
	}
	about, err := json.Marshal(struct {
		ID      string          `json:"id"`
		Title   string          `json:"title,omitempty"`
		Created time.Time       `json:"created"`
		Updated time.Time       `json:"updated"`
		Missing []stac.CartItem `json:"missing,omitempty"`
	}{one.ID, one.Title, one.Created, one.Updated, missing})
	if err != nil {
		return err
	}
	body = fmt.Appendf(body[:len(body)-1], `,"cart":%s}`, about)
	return httpkit.Send(c, stac.TypeGeoJSON, body)
}

// takeFromCart serves DELETE /carts/{cart}/items/{collection}/{item}.
func (a API) takeFromCart(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	err := a.Carts.TakeFromCart(c.UserContext(), c.Params("cart"), auth.From(c.UserContext()).User, stac.CartItem{Collection: c.Params("collection"), ID: c.Params("item")})
	if err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// deleteCart serves DELETE /carts/{cart}.
func (a API) deleteCart(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	if err := a.Carts.DeleteCart(c.UserContext(), c.Params("cart"), auth.From(c.UserContext()).User); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
