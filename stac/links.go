package stac

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
	gostac "github.com/planetlabs/go-stac"
)

// Version is the STAC version of what Swath itself says of its catalog.
const Version = "1.1.0"

// Link is a STAC link.
type Link = gostac.Link

// Root is a STAC landing page.
type Root = gostac.Catalog

// Media types of what is served.
const (
	TypeJSON    = "application/json"
	TypeGeoJSON = "application/geo+json"
	TypeSchema  = "application/schema+json"
	TypeHTML    = "text/html"
)

// Links renders stored bodies for one address: it puts their links in and completes the hrefs of our own assets. Bodies
// are not parsed; a page of a hundred items costs little more than copying it.
type Links struct {
	Base    string   // the server's address without a trailing slash, safe inside a JSON string
	Presets []Preset // in which each drawable item gets links to its tiles

	Language string // of titles (see TitleLanguages); empty is DefaultLanguage
}

// CollectionURL returns the address of a collection.
func (l Links) CollectionURL(id string) string { return l.Base + "/collections/" + segment(id) }

// ItemURL returns the address of an item.
func (l Links) ItemURL(collection, id string) string {
	return l.CollectionURL(collection) + "/items/" + segment(id)
}

// segment escapes a name for one segment of a path. A plus is escaped too: some servers read it as a space.
func segment(name string) string { return strings.ReplaceAll(url.PathEscape(name), "+", "%2B") }

// The stored prefix of our own hrefs as it stands in a body, and the sign of an item that tiles can be drawn of.
var (
	href       = []byte(`"href":"`)
	ours       = []byte(HrefPrefix)
	storedHref = []byte(HrefPrefix + "/")
	ownObject  = []byte(`"` + ObjectField + `":`)
	geotiff    = []byte(`"image/tiff; application=geotiff`)
	jpeg2000   = []byte(`"image/jp2`)
)

// LinkBytes is about how much longer a body becomes when it is served.
const LinkBytes = 2048

// Served keeps what serving a body finds out about it. Whoever keeps bodies keeps it with them.
type Served struct{ head atomic.Pointer[head] }

// head is how an item begins that is served at an address.
type head struct {
	base string
	text []byte
	of   holding
	sum  atomic.Uint64 // of the body of an item that is not drawn and its head, see AppendSummed; 0 is not known
	body *byte         // where that body is
}

// AppendSummed appends what is wanted of an item, and returns a hash of that: of one that is served again, without reading it.
func (l Links) AppendSummed(dst []byte, it Item, f *Fields) ([]byte, uint64) {
	from := len(dst)
	dst = l.AppendFields(dst, it, f)
	if f != nil || it.Served == nil {
		return dst, xxhash.Sum64(dst[from:])
	}
	h := it.Served.head.Load()
	if h.base != l.Base || h.of == drawn || h.body != &it.Body[0] { // what is drawn depends on more than the item
		return dst, xxhash.Sum64(dst[from:])
	}
	sum := h.sum.Load()
	if sum == 0 {
		sum = xxhash.Sum64(dst[from:])
		h.sum.Store(sum)
	}
	return dst, sum
}

// AppendItem appends an item as it is served.
func (l Links) AppendItem(dst []byte, it Item) []byte {
	if it.Served == nil {
		return l.appendItem(dst, it, holdingOf(it.Body))
	}
	h := it.Served.head.Load()
	if h == nil || h.base != l.Base {
		h = &head{base: l.Base, text: l.appendHead(nil, it), of: holdingOf(it.Body), body: &it.Body[0]}
		it.Served.head.Store(h)
	}
	return l.appendRest(append(dst, h.text...), it, h.of)
}

// holding says how much of an item is ours.
type holding int

const (
	foreign holding = iota // nothing: its body goes out as it is
	held                   // hrefs, perhaps
	drawn                  // a raster, of which tiles can be drawn
)

// holdingOf finds that out. Most bodies of a catalog of other archives are looked through once.
func holdingOf(body []byte) holding {
	switch {
	case !bytes.Contains(body, ours):
		return foreign
	case bytes.Contains(body, ownObject) && (bytes.Contains(body, geotiff) || bytes.Contains(body, jpeg2000)):
		return drawn
	}
	return held
}

func (l Links) appendItem(dst []byte, it Item, of holding) []byte {
	return l.appendRest(l.appendHead(dst, it), it, of)
}

// appendHead appends the links that every item has.
func (l Links) appendHead(dst []byte, it Item) []byte {
	collection := l.CollectionURL(it.Collection)
	self := collection + "/items/" + segment(it.ID)
	dst = append(dst, `{"links":[`...)
	dst = AppendLink(dst, "self", self, TypeGeoJSON, "This item")
	dst = AppendLink(append(dst, ','), "parent", collection, TypeJSON, "Its collection")
	dst = AppendLink(append(dst, ','), "collection", collection, TypeJSON, "Its collection")
	dst = AppendLink(append(dst, ','), "root", l.Base+"/", TypeJSON, "The catalog")
	return AppendLink(append(dst, ','), "alternate", self+"?f=html", TypeHTML, "This item as a page")
}

// appendRest appends the links of what can be drawn, and the body.
func (l Links) appendRest(dst []byte, it Item, of holding) []byte {
	if of == drawn {
		self := l.ItemURL(it.Collection, it.ID)
		dst = AppendLink(append(dst, ','), "preview", self+"/preview.png", "image/png", "Preview")
		dst = AppendLink(append(dst, ','), "tilejson", self+"/tilejson.json", TypeJSON, "Map tiles")
		dst = AppendLink(append(dst, ','), "xyz", self+"/tiles/WebMercatorQuad/{z}/{x}/{y}.png", "image/png", "Map tiles")
		dst = l.appendPresets(dst, self, it.Body)
	}
	return l.appendBody(dst, it.Body, of)
}

// AppendFields appends what is wanted of an item; nil is all.
func (l Links) AppendFields(dst []byte, it Item, f *Fields) []byte {
	if f == nil {
		return l.AppendItem(dst, it)
	}
	whole := it.Body
	it.Body = f.dated(f.Apply(whole), it)
	if !f.Links() {
		return l.completed(dst, it.Body)
	}
	return l.appendItem(dst, it, holdingOf(whole))
}

// AppendCollection appends a collection as it is served.
func (l Links) AppendCollection(dst []byte, c Collection) []byte {
	self := l.CollectionURL(c.ID)
	dst = append(dst, '{')
	if !bytes.Contains(c.Body, []byte(`"crs":`)) && !bytes.Contains(c.Body, []byte(`"storageCrs":`)) {
		dst = append(dst, crsMembers...)
	}
	dst = append(dst, `"links":[`...)
	dst = AppendLink(dst, "self", self, TypeJSON, l.Text("This collection"))
	dst = AppendLink(append(dst, ','), "parent", l.Base+"/", TypeJSON, l.Text("The catalog"))
	dst = AppendLink(append(dst, ','), "root", l.Base+"/", TypeJSON, l.Text("The catalog"))
	dst = AppendLink(append(dst, ','), "items", self+"/items", TypeGeoJSON, l.Text("Its items"))
	dst = AppendLink(append(dst, ','), RelQueryables, self+"/queryables", TypeSchema, l.Text("What its items can be searched by"))
	dst = AppendLink(append(dst, ','), "aggregations", self+"/aggregations", TypeJSON, l.Text("What can be counted"))
	dst = AppendLink(append(dst, ','), "aggregate", self+"/aggregate", TypeJSON, l.Text("Counts of its items"))
	dst = AppendLink(append(dst, ','), "child", self+"/browse", TypeJSON, l.Text("Its items, by year and place"))
	dst = AppendLink(append(dst, ','), RelTileSets, self+"/tiles", TypeJSON, l.Text("Map tiles of its items"))
	if bytes.Contains(c.Body, renders) {
		for _, p := range Presets(c.Body) {
			dst = p.appendLinks(dst, self)
		}
	}
	dst = AppendLink(append(dst, ','), "alternate", self+"?f=html", TypeHTML, l.Text("This collection as a page"))
	return l.appendBody(dst, c.Body, held)
}

// crsMembers say of a collection in which coordinates its items can be had.
var crsMembers = func() []byte {
	list, _ := json.Marshal(SystemURIs()) // texts always can
	return []byte(`"crs":` + string(list) + `,"storageCrs":"` + StorageCRS + `",`)
}()

// RelDeletions is the relation of a link to what left the catalog: ours, for nobody else has such a list.
const RelDeletions = "deletions"

// RelQueryables is the relation of a link to queryables.
const RelQueryables = "http://www.opengis.net/def/rel/ogc/1.0/queryables"

// renders is how what a collection offers to draw is called in its body.
var renders = []byte(`"renders"`)

// RelTileSets is the relation of a link to the tile sets of maps (OGC 20-057, classes dataset-tilesets and geodata-tilesets).
const RelTileSets = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-map"

// AppendLink appends one link. Addresses are escaped and titles are ours, so that nothing in them needs JSON escaping.
func AppendLink(dst []byte, rel, href, mediaType, title string) []byte {
	dst = append(append(dst, `{"rel":"`...), rel...)
	dst = append(append(dst, `","href":"`...), href...)
	dst = append(append(dst, `","type":"`...), mediaType...)
	return append(append(append(dst, `","title":"`...), title...), `"}`...)
}

// keptLinks is how a stored object begins that has links of its own; there is one at least.
var keptLinks = []byte(`{"links":[`)

// appendBody ends the links with those of a stored object and appends its other members, with the hrefs of our own assets made
// whole.
func (l Links) appendBody(dst, body []byte, of holding) []byte {
	if rest, ok := bytes.CutPrefix(body, keptLinks); ok {
		dst, body = append(dst, ','), rest
	} else {
		dst = append(dst, ']')
		if body = body[1:]; body[0] != '"' { // what is stored is compact
			body = bytes.TrimLeft(body, " \t\r\n")
		}
		if body[0] != '}' {
			dst = append(dst, ',')
		}
	}
	if of == foreign {
		return append(dst, body...)
	}
	return l.completed(dst, body)
}

// completed appends a body with the hrefs of our own assets made whole.
func (l Links) completed(dst, body []byte) []byte {
	for from := 0; ; { // looking for the rarer half first is twice as fast
		i := bytes.Index(body[from:], storedHref)
		if i < 0 {
			return append(dst, body...)
		}
		i += from
		if from = i + 1; !bytes.HasSuffix(body[:i], href) {
			continue
		}
		dst = append(append(dst, body[:i]...), l.Base...)
		body, from = body[i+len(HrefPrefix):], 0
	}
}
