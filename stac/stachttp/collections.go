package stachttp

import (
	"fmt"
	"slices"
	"sync"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
	"swath/stac"
)

// rendered keeps the answers of GET /collections for the addresses and scopes they were rendered for, as long as nothing has changed.
type rendered struct {
	mu         sync.Mutex
	generation uint64
	languages  []string // of all collections and of our own titles
	of         map[seenAt]answer
}

// seenAt is what an answer depends on beside the collections: preferences are those that can be met.
type seenAt struct{ base, scope, preferences string }

type answer struct {
	body      []byte
	tag       string
	languages string
}

// mostRendered bounds the answers that are kept: by one address or two there are as many as there are kinds of people.
const mostRendered = 16

// get returns a kept answer, or an empty one.
func (r *rendered) get(at seenAt, p stac.Preferences, generation uint64) answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.generation != generation {
		return answer{}
	}
	at.preferences = p.Among(r.languages).String()
	return r.of[at]
}

// put keeps an answer; offered are the languages of all collections, also of those that are not in it.
func (r *rendered) put(at seenAt, p stac.Preferences, generation uint64, offered []string, one answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil || r.generation != generation || len(r.of) >= mostRendered {
		r.generation, r.of, r.languages = generation, map[seenAt]answer{}, nil
	}
	for _, tag := range offered {
		if !slices.Contains(r.languages, tag) {
			r.languages = append(r.languages, tag)
			clear(r.of) // their preferences were told apart by fewer languages
		}
	}
	at.preferences = p.Among(r.languages).String()
	r.of[at] = one
}

// collections serves GET /collections: all, or those that a search asks for.
func (a API) collections(c *fiber.Ctx) error {
	l := links(c)
	plain := len(c.Context().URI().QueryString()) == 0 && !httpkit.WantsHTML(c)
	generation, here := uint64(0), seenAt{base: l.Base, scope: stac.ScopeOf(c.UserContext()).Key()}
	if plain {
		generation = a.Generation()
		if kept := a.kept.get(here, preferences(c), generation); kept.body != nil {
			say(c, kept.languages)
			return httpkit.SendTagged(c, stac.TypeJSON, kept.body, kept.tag)
		}
	}
	q, p, err := localQuery(c, stac.CollectionsParams...)
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
	var spoken string
	l, spoken = localize(l, p, page.Collections)
	body := appendCollections(l, page, s.Fields, at)
	say(c, spoken)
	tag := httpkit.Tag(body)
	if plain {
		a.kept.put(here, p, generation, offered(all), answer{body, tag, spoken})
	}
	return httpkit.SendTagged(c, stac.TypeJSON, body, tag)
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
	body = stac.AppendLink(body, "self", self, stac.TypeJSON, l.Text("Collections"))
	body = stac.AppendLink(append(body, ','), "root", l.Base+"/", stac.TypeJSON, l.Text("The catalog"))
	body = stac.AppendLink(append(body, ','), "parent", l.Base+"/", stac.TypeJSON, l.Text("The catalog"))
	body = stac.AppendLink(append(body, ','), "alternate", l.Base+"/collections?f=html", stac.TypeHTML, l.Text("Collections as a page"))
	if page.Next != "" {
		body = stac.AppendLink(append(body, ','), "next", at.next(page.Next), stac.TypeJSON, l.Text("Next page"))
	}
	return fmt.Appendf(body, `],"numberMatched":%d,"numberReturned":%d}`, page.Matched, len(page.Collections))
}

// children serves GET /children: what the child links of the root lead to.
func (a API) children(c *fiber.Ctx) error {
	_, p, err := localQuery(c)
	if err != nil {
		return err
	}
	all, err := a.Catalog.Collections(c.UserContext())
	if err != nil {
		return err
	}
	all = slices.Clone(all)
	l, spoken := localize(links(c), p, all)
	say(c, spoken)
	body := []byte(`{"children":[`)
	for _, one := range all {
		body = append(l.AppendCollection(body, one), ',')
	}
	tree, err := missions(l, all, "").document(l)
	if err != nil {
		return err
	}
	body = append(append(body, tree...), `],"links":[`...)
	body = stac.AppendLink(body, "self", l.Base+"/children", stac.TypeJSON, l.Text("The children of the root"))
	body = stac.AppendLink(append(body, ','), "root", l.Base+"/", stac.TypeJSON, l.Text("The catalog"))
	return httpkit.Send(c, stac.TypeJSON, append(body, "]}"...))
}

// collection serves GET /collections/{collection}.
func (a API) collection(c *fiber.Ctx) error {
	_, p, err := localQuery(c)
	if err != nil {
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
	l, one, spoken := localized(l, p, one)
	say(c, spoken)
	return httpkit.Send(c, stac.TypeJSON, l.AppendCollection(make([]byte, 0, len(one.Body)+stac.LinkBytes), one))
}
