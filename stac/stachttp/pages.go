package stachttp

import (
	"embed"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
	"swath/stac"
)

//go:embed templates/*.html
var files embed.FS

var pages = httpkit.NewPages(files, "templates/*.html")

// resource is what pages show of a stored body. What is missing or of another shape stays empty.
type resource struct {
	ID          string                     `json:"id"`
	Collection  string                     `json:"collection"`
	Title       string                     `json:"title"`
	Description string                     `json:"description"`
	License     string                     `json:"license"`
	BBox        []float64                  `json:"bbox"`
	Properties  map[string]json.RawMessage `json:"properties"`
	Assets      map[string]asset           `json:"assets"`
	Renders     map[string]json.RawMessage `json:"renders"`
	Extent      struct {
		Spatial  struct{ BBox [][]float64 }
		Temporal struct{ Interval [][]*string }
	} `json:"extent"`
	Keywords []string `json:"keywords"`
}

// asset is one file as a page shows it.
type asset struct {
	Key   string   `json:"-"`
	Href  string   `json:"href"`
	Type  string   `json:"type"`
	Title string   `json:"title"`
	Roles []string `json:"roles"`
	Size  int64    `json:"file:size"`
	Order string   `json:"order:status"` // of a file that has a copy in the archive
}

// read decodes as much of a body as fits: a foreign item with one odd field still has a page.
func read(body json.RawMessage) resource {
	var r resource
	json.Unmarshal(body, &r) //nolint:errcheck // the body was validated when it was stored; odd fields are left out
	return r
}

// name returns the title, or the id where there is none.
func (r resource) name() string {
	if r.Title != "" {
		return r.Title
	}
	return r.ID
}

// When returns the datetime as it was written.
func (r resource) When() string {
	for _, key := range []string{"datetime", "start_datetime"} {
		var text string
		if json.Unmarshal(r.Properties[key], &text) == nil && text != "" {
			return text
		}
	}
	return ""
}

// Thumbnail returns the address of a small picture that a browser can show, or "".
func (r resource) Thumbnail() string {
	for _, role := range []string{"thumbnail", "overview"} {
		for _, key := range slices.Sorted(maps.Keys(r.Assets)) {
			a := r.Assets[key]
			if slices.Contains(a.Roles, role) && slices.Contains([]string{"image/png", "image/jpeg", "image/webp"}, a.Type) {
				return a.Href
			}
		}
	}
	return ""
}

// Fields returns the properties by name, as text.
func (r resource) Fields() [][2]string {
	var all [][2]string
	for _, key := range slices.Sorted(maps.Keys(r.Properties)) {
		text := string(r.Properties[key])
		var plain string
		if json.Unmarshal(r.Properties[key], &plain) == nil && plain != "" {
			text = plain
		}
		all = append(all, [2]string{key, text})
	}
	return all
}

// Files returns the assets by key.
func (r resource) Files() []asset {
	var all []asset
	for _, key := range slices.Sorted(maps.Keys(r.Assets)) {
		a := r.Assets[key]
		a.Key = key
		all = append(all, a)
	}
	return all
}

// view is a resource with its addresses.
type view struct {
	resource
	URL, MapURL string
}

func viewOf(l stac.Links, it stac.Item) view {
	r := read(it.Body)
	for key, a := range r.Assets {
		if rest, own := strings.CutPrefix(a.Href, stac.HrefPrefix+"/"); own {
			a.Href = l.Base + "/" + rest
			r.Assets[key] = a
		}
	}
	q := url.Values{"collection": {it.Collection}, "item": {it.ID}}
	return view{r, l.ItemURL(it.Collection, it.ID), l.Base + "/?" + q.Encode()}
}

func collectionsPage(c *fiber.Ctx, l stac.Links, page stac.CollectionPage, at list) error {
	views := make([]view, len(page.Collections))
	for i, one := range page.Collections {
		views[i] = view{resource: read(one.Body), URL: l.CollectionURL(one.ID)}
	}
	next := ""
	if page.Next != "" {
		next = at.next(page.Next)
	}
	return pages.Send(c, "collections.html", fiber.Map{"Base": l.Base, "Title": "Collections", "Collections": views, "Next": next})
}

func collectionPage(c *fiber.Ctx, l stac.Links, one stac.Collection) error {
	r := read(one.Body)
	return pages.Send(c, "collection.html", fiber.Map{"Base": l.Base, "Title": r.name(), "Collection": view{
		r, l.CollectionURL(one.ID), l.Base + "/?" + url.Values{"collection": {one.ID}}.Encode()}})
}

func itemsPage(c *fiber.Ctx, l stac.Links, found stac.Page, at list) error {
	views := make([]view, len(found.Items))
	for i, it := range found.Items {
		views[i] = viewOf(l, it)
	}
	next := ""
	if found.Next != "" {
		next = at.next(found.Next)
	}
	return pages.Send(c, "items.html", fiber.Map{"Base": l.Base, "Title": at.title, "Items": views, "Next": next,
		"Matched": found.Matched, "Collection": at.collection})
}

func itemPage(c *fiber.Ctx, l stac.Links, it stac.Item) error {
	return pages.Send(c, "item.html", fiber.Map{"Base": l.Base, "Title": it.ID, "Item": viewOf(l, it), "Collection": l.CollectionURL(it.Collection)})
}
