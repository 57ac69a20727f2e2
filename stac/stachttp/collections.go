package stachttp

import (
	"fmt"
	"sync"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
	"swath/stac"
)

// rendered keeps the answers of GET /collections for the addresses and scopes they were rendered for, as long as nothing has changed.
type rendered struct {
	mu         sync.Mutex
	generation uint64
	of         map[seenAt]answer
}

// seenAt is what an answer depends on beside the collections.
type seenAt struct{ base, scope string }

type answer struct {
	body []byte
	tag  string
}

// mostRendered bounds the answers that are kept: by one address or two there are as many as there are kinds of people.
const mostRendered = 16

// get returns a kept answer, or an empty one.
func (r *rendered) get(at seenAt, generation uint64) answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.generation != generation {
		return answer{}
	}
	return r.of[at]
}

func (r *rendered) put(at seenAt, generation uint64, body []byte) answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil || r.generation != generation || len(r.of) >= mostRendered {
		r.generation, r.of = generation, map[seenAt]answer{}
	}
	r.of[at] = answer{body, httpkit.Tag(body)}
	return r.of[at]
}

// collections serves GET /collections: all, or those that a search asks for.
func (a API) collections(c *fiber.Ctx) error {
	l := links(c)
	plain := len(c.Context().URI().QueryString()) == 0 && !httpkit.WantsHTML(c)
	generation, here := uint64(0), seenAt{l.Base, stac.ScopeOf(c.UserContext()).Key()}
	if plain {
		generation = a.Generation()
		if kept := a.kept.get(here, generation); kept.body != nil {
			return httpkit.SendTagged(c, stac.TypeJSON, kept.body, kept.tag)
		}
	}
	q, err := query(c, stac.CollectionsParams...)
	if err != nil {
		return err
	}
	s, err := stac.CollectionsFromQuery(q)
	if err != nil {
		return err
	}
	all, err := a.Catalog.Collections(c.UserContext())
	if err != nil {
		return err
	}
	page, err := stac.SearchCollections(all, s)
	if err != nil {
		return err
	}
	at := list{self: l.Base + "/collections", query: q}
	if httpkit.WantsHTML(c) {
		return collectionsPage(c, l, page, at)
	}
	body := appendCollections(l, page, s.Fields, at)
	if !plain {
		return httpkit.Send(c, stac.TypeJSON, body)
	}
	return httpkit.SendTagged(c, stac.TypeJSON, body, a.kept.put(here, generation, body).tag)
}

// appendCollections renders a page of collections.
func appendCollections(l stac.Links, page stac.CollectionPage, fields *stac.Fields, at list) []byte {
	size := stac.LinkBytes
	for _, one := range page.Collections {
		size += len(one.Body) + stac.LinkBytes
	}
	body := append(make([]byte, 0, size), `{"collections":[`...)
	for i, one := range page.Collections {
		if i > 0 {
			body = append(body, ',')
		}
		if fields != nil {
			one.Body = fields.Apply(one.Body)
		}
		body = l.AppendCollection(body, one)
	}
	body = append(body, `],"links":[`...)
	self := at.self
	if len(at.query) > 0 {
		self += "?" + at.query.Encode()
	}
	body = stac.AppendLink(body, "self", self, stac.TypeJSON, "Collections")
	body = stac.AppendLink(append(body, ','), "root", l.Base+"/", stac.TypeJSON, "The catalog")
	body = stac.AppendLink(append(body, ','), "parent", l.Base+"/", stac.TypeJSON, "The catalog")
	body = stac.AppendLink(append(body, ','), "alternate", l.Base+"/collections?f=html", stac.TypeHTML, "Collections as a page")
	if page.Next != "" {
		body = stac.AppendLink(append(body, ','), "next", at.next(page.Next), stac.TypeJSON, "Next page")
	}
	return fmt.Appendf(body, `],"numberMatched":%d,"numberReturned":%d}`, page.Matched, len(page.Collections))
}

// children serves GET /children: what the child links of the root lead to.
func (a API) children(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	all, err := a.Catalog.Collections(c.UserContext())
	if err != nil {
		return err
	}
	l := links(c)
	body := []byte(`{"children":[`)
	for _, one := range all {
		body = append(l.AppendCollection(body, one), ',')
	}
	tree, err := missions(l, all, "").document(l)
	if err != nil {
		return err
	}
	body = append(append(body, tree...), `],"links":[`...)
	body = stac.AppendLink(body, "self", l.Base+"/children", stac.TypeJSON, "The children of the root")
	body = stac.AppendLink(append(body, ','), "root", l.Base+"/", stac.TypeJSON, "The catalog")
	return httpkit.Send(c, stac.TypeJSON, append(body, "]}"...))
}

// collection serves GET /collections/{collection}.
func (a API) collection(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	one, err := a.Catalog.Collection(c.UserContext(), c.Params("collection"))
	if err != nil {
		return err
	}
	l := links(c)
	if httpkit.WantsHTML(c) {
		return collectionPage(c, l, one)
	}
	return httpkit.Send(c, stac.TypeJSON, l.AppendCollection(make([]byte, 0, len(one.Body)+stac.LinkBytes), one))
}
