package objecthttp

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/fault"
	"swath/httpkit"
	"swath/objects/copies"
	"swath/stac"
)

// Limits of orders.
const (
	mostFiles   = 10_000 // of an order
	mostShown   = 1000   // files of an order that are listed
	ordersPage  = 20
	mostOrders  = 200
	searchPage  = 500
	mostMatched = 10_000 // items of a search that are looked through
)

// orderBody is an order as it is told.
type orderBody struct {
	ID         string     `json:"id"`
	Status     string     `json:"status"`
	Lane       string     `json:"lane"`
	Created    time.Time  `json:"created"`
	Finished   *time.Time `json:"finished,omitempty"`
	RetryAfter *int       `json:"retry_after_s,omitempty"` // when to look again
	Bytes      int64      `json:"bytes"`
	Files      fileCounts `json:"files"`
	Assets     []fileBody `json:"assets,omitempty"`
	Links      []linkBody `json:"links"`
}

type fileCounts struct {
	Total    int `json:"total"`
	Waiting  int `json:"waiting"`
	Shipping int `json:"shipping"`
	Ready    int `json:"succeeded"`
	Failed   int `json:"failed"`
	Canceled int `json:"canceled"`
}

// fileBody is one file of an order.
type fileBody struct {
	Collection string     `json:"collection"`
	Item       string     `json:"item"`
	Asset      string     `json:"asset"`
	Href       string     `json:"href"`
	Bytes      int64      `json:"bytes"`
	Status     string     `json:"status"`
	Expires    *time.Time `json:"expires,omitempty"`
	Reason     string     `json:"reason,omitempty"`
}

type linkBody struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
	Type string `json:"type"`
}

// desk refuses orders where there is no archive.
func (a API) desk() error {
	if a.Desk == nil {
		return fault.New(fault.NotFound, "there is no archive here: every file can be downloaded at once")
	}
	return nil
}

// orders serves GET /orders: those of the one who asks.
func (a API) orders(c *fiber.Ctx) error {
	if err := a.desk(); err != nil {
		return err
	}
	p := auth.From(c.UserContext())
	if err := p.Require(auth.Reader); err != nil {
		return err // a stranger knows an order by its id
	}
	limit, err := strconv.Atoi(c.Query("limit", strconv.Itoa(ordersPage)))
	if err != nil || limit < 1 || limit > mostOrders {
		return fault.New(fault.Invalid, "limit is not 1 to %d", mostOrders)
	}
	behind, err := parseToken(c.Query("token"))
	if err != nil {
		return err
	}
	all, err := a.Desk.Copies.Orders(c.UserContext(), p.User, behind, limit+1)
	if err != nil {
		return err
	}
	base, next := httpkit.BaseURL(c), ""
	if len(all) > limit {
		all = all[:limit]
		next = base + "/orders?" + url.Values{"limit": {strconv.Itoa(limit)}, "token": {tokenOf(all[limit-1])}}.Encode()
	}
	page := struct {
		Orders []orderBody `json:"orders"`
		Links  []linkBody  `json:"links"`
	}{[]orderBody{}, []linkBody{{"self", base + "/orders", stac.TypeJSON}}}
	for _, o := range all {
		body, err := a.body(c, o)
		if err != nil {
			return err
		}
		page.Orders = append(page.Orders, body)
	}
	if next != "" {
		page.Links = append(page.Links, linkBody{"next", next, stac.TypeJSON})
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(page)
}

// tokenOf and parseToken carry a place in the list of orders.
func tokenOf(o copies.Order) string {
	return base64.RawURLEncoding.EncodeToString([]byte(o.Created.UTC().Format(time.RFC3339Nano) + " " + o.ID))
}

func parseToken(text string) (o copies.Order, err error) {
	if text == "" {
		return o, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		var at string
		at, o.ID, _ = strings.Cut(string(raw), " ")
		o.Created, err = time.Parse(time.RFC3339Nano, at)
	}
	if err != nil || o.ID == "" {
		return o, fault.New(fault.Invalid, "token is not one of this list")
	}
	return o, nil
}

// body tells of an order without its files.
func (a API) body(c *fiber.Ctx, o copies.Order) (orderBody, error) {
	self := httpkit.BaseURL(c) + "/orders/" + o.ID
	b := orderBody{ID: o.ID, Status: o.Status(), Lane: o.Lane, Created: o.Created.UTC(), Bytes: o.Bytes,
		Files: fileCounts{o.Files, o.Open, o.Shipping, o.Served, o.Failed, o.Canceled}, Links: []linkBody{{"self", self, stac.TypeJSON}}}
	if o.Open == 0 {
		b.Finished = o.Done
		return b, nil
	}
	state := copies.Queued
	if o.Shipping > 0 {
		state = copies.Restoring
	}
	wait, err := a.Desk.Estimate(c.UserContext(), state)
	s := int(wait.Seconds())
	b.RetryAfter = &s
	return b, err
}

// find returns an order that the one who asks may see: their own, a stranger's whose id they know, any for an operator.
func (a API) find(c *fiber.Ctx) (o copies.Order, err error) {
	if err := a.desk(); err != nil {
		return o, err
	}
	o, err = a.Desk.Copies.OrderOf(c.UserContext(), c.Params("order"))
	p := auth.From(c.UserContext())
	if err == nil && o.Owner != "" && o.Owner != p.User && p.Role < auth.Operator {
		err = fault.New(fault.NotFound, "there is no order %.60q", c.Params("order"))
	}
	return o, err
}

// order serves GET /orders/{order}.
func (a API) order(c *fiber.Ctx) error {
	o, err := a.find(c)
	if err != nil {
		return err
	}
	return a.tell(c, o, fiber.StatusOK)
}

// tell answers with an order and its files.
func (a API) tell(c *fiber.Ctx, o copies.Order, status int) error {
	b, err := a.body(c, o)
	if err != nil {
		return err
	}
	files, err := a.Desk.Copies.Files(c.UserContext(), o.ID, mostShown)
	if err != nil {
		return err
	}
	l := stac.Links{Base: httpkit.BaseURL(c)}
	for _, f := range files {
		b.Assets = append(b.Assets, fileBody{f.Collection, f.Item, f.Asset, l.ItemURL(f.Collection, f.Item) + "/assets/" + url.PathEscape(f.Asset), f.Bytes, fileStatus(f), f.Expires, f.Reason})
	}
	if b.RetryAfter != nil {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(*b.RetryAfter))
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(status).JSON(b)
}

// fileStatus says what became of a file, in the words of STAC's order extension.
func fileStatus(f copies.Ordered) string {
	switch {
	case f.Outcome == "canceled", f.Outcome == "failed":
		return f.Outcome
	case f.Outcome == "served" && f.State == copies.Online:
		return "succeeded"
	case f.Outcome == "served":
		return "orderable" // it was there, and has gone
	case f.State == copies.Restoring || f.State == copies.Verifying:
		return "shipping"
	}
	return "ordered"
}

// cancelOrder serves DELETE /orders/{order}. Of what nobody else waits for, nothing is brought any more.
func (a API) cancelOrder(c *fiber.Ctx) error {
	o, err := a.find(c)
	if err != nil {
		return err
	}
	if err := a.Desk.Copies.Cancel(c.UserContext(), o.ID, o.Owner); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// wanted is what POST /orders asks for.
type wanted struct {
	Items []struct {
		Collection string   `json:"collection"`
		ID         string   `json:"id"`
		Assets     []string `json:"assets"`
	} `json:"items"`
	Search json.RawMessage `json:"search"`
	Assets []string        `json:"assets"` // keys or roles; empty: all
}
