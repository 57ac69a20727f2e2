package stachttp

import (
	"bytes"
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/buger/jsonparser"
	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/fault"
	"swath/httpkit"
	"swath/stac"
)

// Who may change the catalog.
const (
	Local  = "local"  // clients on this machine, as long as no proxy is known to stand in front
	Open   = "open"   // everybody: something in front decides
	Closed = "closed" // nobody
	Roles  = "roles"  // accounts with the role of an operator
)

// mountTransactions adds the routes that change something.
func (a API) mountTransactions(r fiber.Router) {
	r.Post("/collections", a.mayChange, a.createCollection)
	r.Put("/collections/:collection", a.mayChange, a.replaceCollection)
	r.Patch("/collections/:collection", a.mayChange, a.patchCollection)
	r.Delete("/collections/:collection", a.mayChange, a.deleteCollection)
	r.Post("/collections/:collection/items", a.mayChange, a.createItems)
	r.Post("/collections/:collection/bulk_items", a.mayChange, a.bulkItems)
	r.Put("/collections/:collection/items/:item", a.mayChange, a.replaceItem)
	r.Patch("/collections/:collection/items/:item", a.mayChange, a.patchItem)
	r.Delete("/collections/:collection/items/:item", a.mayChange, a.deleteItem)
}

// mayChange refuses those who may not change the catalog, and pages of other sites that a browser runs.
func (a API) mayChange(c *fiber.Ctx) error {
	may := auth.From(c.UserContext()).Require(auth.Operator)
	switch a.Changes {
	case Open:
	case Roles:
		if may != nil {
			return may
		}
	case Local:
		if may == nil {
			break
		}
		if ip := net.ParseIP(c.IP()); ip == nil || !ip.IsLoopback() {
			return fault.New(fault.Forbidden, "only clients on the server's own machine may change the catalog")
		}
	default:
		return fault.New(fault.Forbidden, "this server's catalog can't be changed over HTTP")
	}
	if origin := c.Get(fiber.HeaderOrigin); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != string(c.Request().Host()) {
			return fault.New(fault.Forbidden, "pages of other sites may not change the catalog")
		}
	}
	return c.Next()
}

// received reads a body of one of these media types; application/json is always one.
func received(c *fiber.Ctx, types ...string) (kind string, body []byte, err error) {
	if _, err := query(c); err != nil {
		return "", nil, err
	}
	kind, _, _ = strings.Cut(strings.ToLower(c.Get(fiber.HeaderContentType)), ";")
	kind = strings.TrimSpace(kind)
	if kind != "" && kind != stac.TypeJSON && !slices.Contains(types, kind) {
		return "", nil, fiber.NewError(fiber.StatusUnsupportedMediaType, "the body is "+kind+"; it may be "+strings.Join(append(types, stac.TypeJSON), ", "))
	}
	if len(bytes.TrimSpace(c.Body())) == 0 {
		return "", nil, fault.New(fault.Invalid, "the body is empty")
	}
	return kind, c.Body(), nil
}

// head is what is read of a document that is put.
type head struct {
	Type     string            `json:"type"`
	ID       string            `json:"id"`
	Features []json.RawMessage `json:"features"`
}

// readHead reads what a document says that it is. A Feature need not be valid JSON.
func readHead(body []byte) (head, error) {
	kind, _ := jsonparser.GetString(body, "type")
	if id, err := jsonparser.GetString(body, "id"); err == nil && kind == "Feature" && id != "" {
		return head{Type: kind, ID: id}, nil // who stores it reads all of it
	}
	var h head
	if err := json.Unmarshal(body, &h); err != nil {
		return h, fault.New(fault.Invalid, "the body is not a JSON object of a known kind: %v", err)
	}
	return h, nil
}

const typeNDJSON = "application/x-ndjson"

// createItems serves POST /collections/{collection}/items: an item, a FeatureCollection of them, or one item a line.
func (a API) createItems(c *fiber.Ctx) error {
	kind, body, err := received(c, stac.TypeGeoJSON, typeNDJSON)
	if err != nil {
		return err
	}
	collection := c.Params("collection")
	if kind == typeNDJSON {
		return a.createAll(c, collection, lines(body), true)
	}
	h, err := readHead(body)
	if err != nil {
		return err
	}
	if h.Type == "FeatureCollection" {
		return a.createAll(c, collection, h.Features, true)
	}
	if h.ID == "" {
		return fault.New(fault.Invalid, "the item has no id")
	}
	l := links(c)
	stored, err := l.Received(body, nil)
	if err != nil {
		return err
	}
	it, created, err := a.Editor.CreateItem(c.UserContext(), stac.Item{Collection: collection, ID: h.ID, Body: stored})
	if err != nil {
		return err
	}
	if !created {
		return fault.New(fault.Conflict, "item %q is in collection %q already; PUT replaces it", h.ID, collection)
	}
	c.Set(fiber.HeaderLocation, l.ItemURL(collection, h.ID))
	return a.sendItem(c.Status(fiber.StatusCreated), it)
}

// lines splits a body of one item a line.
func lines(body []byte) (all []json.RawMessage) {
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			all = append(all, line)
		}
	}
	return all
}

// createAll puts items into a collection, all or none.
func (a API) createAll(c *fiber.Ctx, collection string, bodies []json.RawMessage, insert bool) error {
	if len(bodies) == 0 {
		return fault.New(fault.Invalid, "there is no item in the body")
	}
	l := links(c)
	items, ids, names := make([]stac.Item, len(bodies)), make([]string, len(bodies)), make([]stac.CartItem, len(bodies))
	for i, body := range bodies {
		h, err := readHead(body)
		if err != nil {
			return fault.New(fault.Invalid, "item %d of %d is not a JSON object", i+1, len(bodies))
		}
		ids[i], names[i] = h.ID, stac.CartItem{Collection: collection, ID: h.ID}
	}
	before := map[string]*stac.Item{}
	if !insert {
		there, _, err := a.itemsOf(c.UserContext(), names)
		if err != nil {
			return err
		}
		for i, it := range there {
			before[it.ID] = &there[i]
		}
	}
	for i, body := range bodies {
		stored, err := l.Received(body, before[ids[i]])
		if err != nil {
			return err
		}
		items[i] = stac.Item{Collection: collection, ID: ids[i], Body: stored}
	}
	if err := a.Editor.PutItems(c.UserContext(), collection, items, insert); err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"collection": collection, "ids": ids, "numberPut": len(ids)})
}

// bulkItems serves POST /collections/{collection}/bulk_items, in the form that stac-fastapi has.
func (a API) bulkItems(c *fiber.Ctx) error {
	_, body, err := received(c)
	if err != nil {
		return err
	}
	var bulk struct {
		Items  map[string]json.RawMessage `json:"items"`
		Method string                     `json:"method"`
	}
	if err := json.Unmarshal(body, &bulk); err != nil {
		return fault.New(fault.Invalid, `the body is not {"items": {id: item, …}, "method": "insert" or "upsert"}`)
	}
	if bulk.Method != "" && bulk.Method != "insert" && bulk.Method != "upsert" {
		return fault.New(fault.Invalid, "method %.60q is neither insert nor upsert", bulk.Method)
	}
	ids := make([]string, 0, len(bulk.Items))
	for id := range bulk.Items {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	bodies := make([]json.RawMessage, len(ids))
	for i, id := range ids {
		if h, err := readHead(bulk.Items[id]); err != nil || h.ID != id {
			return fault.New(fault.Invalid, "the item under %q does not have this id", id)
		}
		bodies[i] = bulk.Items[id]
	}
	return a.createAll(c, c.Params("collection"), bodies, bulk.Method != "upsert")
}

// replaceItem serves PUT /collections/{collection}/items/{item}.
func (a API) replaceItem(c *fiber.Ctx) error {
	_, body, err := received(c, stac.TypeGeoJSON)
	if err != nil {
		return err
	}
	it, err := a.changeItem(c, func(l stac.Links, old *stac.Item) (json.RawMessage, error) { return l.Received(body, old) })
	if err != nil {
		return err
	}
	return a.changedItem(c, it)
}

// patchItem serves PATCH /collections/{collection}/items/{item}.
func (a API) patchItem(c *fiber.Ctx) error {
	kind, patch, err := received(c, stac.TypeMergePatch, stac.TypeJSONPatch, stac.TypeGeoJSON)
	if err != nil {
		return err
	}
	it, err := a.changeItem(c, func(l stac.Links, old *stac.Item) (json.RawMessage, error) {
		patched, err := stac.Patch(old.Body, patch, kind)
		if err != nil {
			return nil, err
		}
		return l.Received(patched, old)
	})
	if err != nil {
		return err
	}
	return a.changedItem(c, it)
}

// changedItem answers with an item as it is now to a client that prefers this (RFC 7240), and with nothing to others.
func (a API) changedItem(c *fiber.Ctx, it stac.Item) error {
	if !wantsChanged(c) {
		return c.SendStatus(fiber.StatusNoContent)
	}
	return a.sendItem(c, it)
}

// wantsChanged reports whether a client wants to see what it has changed.
func wantsChanged(c *fiber.Ctx) bool {
	for preference := range strings.SplitSeq(c.Get("Prefer"), ",") {
		if strings.EqualFold(strings.TrimSpace(preference), "return=representation") {
			c.Set("Preference-Applied", "return=representation")
			return true
		}
	}
	return false
}

// deleteItem serves DELETE /collections/{collection}/items/{item}. An item that is not there is gone as the client wished, so that
// a request may be repeated when its answer was lost; only a precondition says more.
func (a API) deleteItem(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	if _, err := a.Catalog.Collection(c.UserContext(), c.Params("collection")); err != nil {
		return err
	}
	_, err := a.changeItem(c, nil)
	if kind, _ := fault.Of(err); err != nil && (kind != fault.NotFound || c.Get(fiber.HeaderIfMatch) != "") {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// changeItem changes an item that is there, under the client's preconditions; a nil change removes it.
func (a API) changeItem(c *fiber.Ctx, change func(l stac.Links, old *stac.Item) (json.RawMessage, error)) (stac.Item, error) {
	collection, id := c.Params("collection"), c.Params("item")
	l := a.itemLinks(c, collection)
	return a.Editor.ChangeItem(c.UserContext(), collection, id, func(old *stac.Item) (*stac.Item, error) {
		if old == nil {
			return nil, fault.New(fault.NotFound, "item %q is not in collection %q", id, collection)
		}
		told, err := a.tagsTold(c, l, *old)
		if err != nil {
			return nil, err
		}
		if err := httpkit.IfMatch(c, httpkit.Tag(l.AppendItem(nil, *old)), told...); err != nil {
			return nil, err
		}
		if change == nil {
			return nil, nil
		}
		body, err := change(l, old)
		return &stac.Item{Collection: collection, ID: id, Body: body}, err
	})
}

// tagsTold returns the tag that an item has when it is served with what is told of its files, if the client asks for one.
func (a API) tagsTold(c *fiber.Ctx, l stac.Links, it stac.Item) ([]string, error) {
	if a.Tell == nil || c.Get(fiber.HeaderIfMatch)+c.Get(fiber.HeaderIfNoneMatch) == "" {
		return nil, nil
	}
	one := []stac.Item{it}
	if err := a.Tell(c.UserContext(), l.Base, one); err != nil {
		return nil, err
	}
	return []string{httpkit.Tag(l.AppendItem(nil, one[0]))}, nil
}

// sendItem answers with an item as GET would.
func (a API) sendItem(c *fiber.Ctx, it stac.Item) error {
	body := a.itemLinks(c, it.Collection).AppendItem(make([]byte, 0, len(it.Body)+stac.LinkBytes), it)
	c.Set(fiber.HeaderETag, httpkit.Tag(body))
	c.Set(fiber.HeaderContentType, stac.TypeGeoJSON)
	return c.Send(body)
}

// createCollection serves POST /collections.
func (a API) createCollection(c *fiber.Ctx) error {
	_, body, err := received(c)
	if err != nil {
		return err
	}
	h, err := readHead(body)
	if err != nil {
		return err
	}
	if h.ID == "" || strings.ContainsRune(h.ID, '/') {
		return fault.New(fault.Invalid, "the collection has no id, or one with a slash")
	}
	if err := whole(body); err != nil {
		return err
	}
	one, err := a.Editor.ChangeCollection(c.UserContext(), h.ID, func(old *stac.Collection) (*stac.Collection, error) {
		if old != nil {
			return nil, fault.New(fault.Conflict, "there is a collection %q already; PUT replaces it", h.ID)
		}
		return &stac.Collection{ID: h.ID, Body: body}, nil
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, links(c).CollectionURL(h.ID))
	return a.sendCollection(c.Status(fiber.StatusCreated), one)
}

// replaceCollection serves PUT /collections/{collection}.
func (a API) replaceCollection(c *fiber.Ctx) error {
	_, body, err := received(c)
	if err != nil {
		return err
	}
	one, err := a.changeCollection(c, func(*stac.Collection) (json.RawMessage, error) { return body, nil })
	if err != nil {
		return err
	}
	return a.changedCollection(c, one)
}

// patchCollection serves PATCH /collections/{collection}.
func (a API) patchCollection(c *fiber.Ctx) error {
	kind, patch, err := received(c, stac.TypeMergePatch, stac.TypeJSONPatch)
	if err != nil {
		return err
	}
	one, err := a.changeCollection(c, func(old *stac.Collection) (json.RawMessage, error) { return stac.Patch(old.Body, patch, kind) })
	if err != nil {
		return err
	}
	return a.changedCollection(c, one)
}

// changedCollection answers as changedItem does.
func (a API) changedCollection(c *fiber.Ctx, one stac.Collection) error {
	if !wantsChanged(c) {
		return c.SendStatus(fiber.StatusNoContent)
	}
	return a.sendCollection(c, one)
}

// deleteCollection serves DELETE /collections/{collection}: its items go with it.
func (a API) deleteCollection(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	if _, err := a.changeCollection(c, nil); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// changeCollection changes a collection that is there, under the client's preconditions; a nil change removes it.
func (a API) changeCollection(c *fiber.Ctx, change func(old *stac.Collection) (json.RawMessage, error)) (stac.Collection, error) {
	id := c.Params("collection")
	return a.Editor.ChangeCollection(c.UserContext(), id, func(old *stac.Collection) (*stac.Collection, error) {
		if old == nil {
			return nil, fault.New(fault.NotFound, "there is no collection %q", id)
		}
		l, seen, _ := localized(links(c), preferences(c), *old)
		if err := httpkit.IfMatch(c, httpkit.Tag(l.AppendCollection(nil, seen))); err != nil {
			return nil, err
		}
		if change == nil {
			return nil, nil
		}
		body, err := change(&seen)
		if err == nil {
			err = whole(body)
		}
		return &stac.Collection{ID: id, Body: stac.Translate(body, stac.LanguageOf(old.Body))}, err
	})
}

// whole checks that a collection has what the standard requires and nobody but the client can know; the extent and the links follow.
func whole(body json.RawMessage) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return fault.New(fault.Invalid, "the collection is not a JSON object")
	}
	for _, name := range []string{"stac_version", "description", "license"} {
		var text string
		if json.Unmarshal(members[name], &text) != nil || text == "" {
			return fault.New(fault.Invalid, "the collection's %s is missing, or is no text", name)
		}
	}
	return stac.CheckTranslations(body)
}

// sendCollection answers with a collection as GET would.
func (a API) sendCollection(c *fiber.Ctx, one stac.Collection) error {
	l, one, spoken := localized(links(c), preferences(c), one)
	say(c, spoken)
	body := l.AppendCollection(make([]byte, 0, len(one.Body)+stac.LinkBytes), one)
	c.Set(fiber.HeaderETag, httpkit.Tag(body))
	c.Set(fiber.HeaderContentType, stac.TypeJSON)
	return c.Send(body)
}
