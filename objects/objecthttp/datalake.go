package objecthttp

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/stac"
)

//go:embed templates/*.html
var pages embed.FS

var templates = template.Must(template.New("").ParseFS(pages, "templates/*.html"))

// The tree of folders, which is stored nowhere: folders are counts of the catalog's, items and files a page of a search.
//
//	/datalake/ ─▶ a collection ─▶ its levels (year, month, day, tile, item) ─▶ files, sent as an asset is
const datalakePath = "/datalake/"

// Entries of a page. Where the files of items lie side by side, an entry of the limit is an item.
const (
	usualEntries = 500
	mostEntries  = 1000
	mostOwners   = 100 // ids that a file's name may begin with
)

// entry is a folder or a file.
type entry struct {
	Name    string     `json:"name"`
	Type    string     `json:"type"`            // folder or file
	Items   int64      `json:"items,omitempty"` // below a folder
	Bytes   *int64     `json:"size,omitempty"`
	Changed *time.Time `json:"mtime,omitempty"`
	SHA256  string     `json:"sha256,omitempty"`
	Storage string     `json:"storage,omitempty"` // disk, tape, or staging: on its way from tape
	Kind    string     `json:"media_type,omitempty"`
	Href    string     `json:"href"`
	Product string     `json:"product,omitempty"` // all files of an item as one

	Relative string `json:"-"` // Href, from the folder's own address
}

// listing is a page of a folder.
type listing struct {
	entries []entry
	next    string // token; empty on the last page
}

// datalake serves GET and HEAD /datalake/…: a folder, or a file.
func (a API) datalake(c *fiber.Ctx) error {
	limit, token, err := listingQuery(c)
	if err != nil {
		return err
	}
	path := strings.Trim(c.Params("*"), "/")
	slash := strings.HasSuffix(c.Path(), "/")
	var parts []string
	if path != "" {
		parts = strings.Split(path, "/")
	}
	all, err := a.Catalog.Collections(c.UserContext())
	if err != nil {
		return err
	}
	roots := layouts(all)
	if len(parts) == 0 && slash {
		return a.sendListing(c, nil, rootFolders(roots))
	} else if len(parts) == 0 {
		return toFolder(c, nil)
	}
	l, known := roots[parts[0]]
	if !known {
		return noSuch(parts)
	}
	if !slash {
		sent, err := a.sendNamed(c, l, parts[1:])
		if sent || err != nil {
			return err
		}
	}
	p, ok := l.within(parts[1:])
	if !ok {
		return noSuch(parts)
	}
	p.search.Limit, p.search.Token = limit, token
	found, err := a.list(c, p, token)
	if err != nil {
		return err
	}
	if len(found.entries) == 0 && found.next == "" && token == "" && p.depth > 0 {
		return noSuch(parts)
	}
	if !slash {
		return toFolder(c, parts)
	}
	return a.sendListing(c, parts, found)
}

// toFolder leads to a folder whose slash is missing: the links of its page go out from there.
func toFolder(c *fiber.Ctx, parts []string) error {
	return c.Redirect(httpkit.BaseURL(c)+address(parts)+query(c), fiber.StatusMovedPermanently)
}

func noSuch(parts []string) error {
	return fault.New(fault.NotFound, "there is no %.300q in the data lake", strings.Join(parts, "/"))
}

// listingQuery reads the parameters of a folder. Those of a file that comes by a signed link have been taken out.
func listingQuery(c *fiber.Ctx) (limit int, token string, err error) {
	q, err := url.ParseQuery(string(c.Context().URI().QueryString()))
	if err != nil {
		return 0, "", fault.New(fault.Invalid, "the query is not well formed")
	}
	if err := stac.OnlyParams(q, "format", "limit", "token", "order"); err != nil {
		return 0, "", err
	}
	for _, name := range []string{"f", "format"} {
		if f := q.Get(name); q.Has(name) && f != "json" && f != "html" {
			return 0, "", fault.New(fault.Invalid, "%s is %.40q; it may be json or html", name, f)
		}
	}
	limit = usualEntries
	if text := q.Get("limit"); q.Has("limit") {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > mostEntries {
			return 0, "", fault.New(fault.Invalid, "limit is not 1 to %d", mostEntries)
		}
	}
	return limit, q.Get("token"), nil
}

func query(c *fiber.Ctx) string {
	if q := string(c.Context().URI().QueryString()); q != "" {
		return "?" + q
	}
	return ""
}

// address is the path of a folder, with a slash at its end.
func address(parts []string) string {
	text := datalakePath
	for _, part := range parts {
		text += segment(part) + "/"
	}
	return text
}

func segment(name string) string { return strings.ReplaceAll(url.PathEscape(name), "+", "%2B") }

func rootFolders(roots map[string]layout) (found listing) {
	for name := range roots {
		found.entries = append(found.entries, entry{Name: name, Type: "folder"})
	}
	slices.SortFunc(found.entries, byName)
	return found
}

func byName(a, b entry) int { return strings.Compare(a.Name, b.Name) }

// list returns a page of what is in a folder.
func (a API) list(c *fiber.Ctx, p place, token string) (found listing, err error) {
	if p.item != "" {
		it, err := a.itemIn(c.UserContext(), p)
		if err != nil {
			return found, err
		}
		all, err := a.tellFiles(c, []stac.Item{it})
		if err == nil {
			for _, f := range all[0].files {
				found.entries = append(found.entries, entryOf(all[0], f, f.name))
			}
		}
		return found, err
	}
	if p.depth < len(p.levels) && p.levels[p.depth] != levelItem {
		return a.folders(c.UserContext(), p, token)
	}
	page, err := a.Catalog.Search(c.UserContext(), p.search)
	if err != nil {
		return found, err
	}
	all, err := a.tellFiles(c, page.Items)
	found.next = page.Next
	for _, one := range all {
		switch {
		case !p.holds(one):
		case p.depth < len(p.levels):
			changed := one.updated
			found.entries = append(found.entries, entry{Name: one.id, Type: "folder", Changed: &changed, Product: stac.Links{Base: httpkit.BaseURL(c)}.ItemURL(one.collection, one.id) + "/product"})
		default:
			for _, f := range one.files {
				found.entries = append(found.entries, entryOf(one, f, one.alone(f)))
			}
		}
	}
	return found, err
}

// tellFiles reads the files of items, with what is in the archive.
func (a API) tellFiles(c *fiber.Ctx, items []stac.Item) (all []contents, err error) {
	if a.Desk != nil {
		if err := a.Desk.Tell(c.UserContext(), httpkit.BaseURL(c), items); err != nil {
			return nil, err
		}
	}
	for _, it := range items {
		one, err := contentsOf(it)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// storage are resto's words for where a file is, by the status of its order.
var storage = map[string]string{"": "disk", "succeeded": "disk", "ordered": "staging", "shipping": "staging"}

func entryOf(c contents, f file, name string) entry {
	e := entry{Name: name, Type: "file", SHA256: f.sha256, Storage: cmp.Or(storage[f.status], "tape"), Kind: f.kind}
	if f.bytes >= 0 {
		e.Bytes = &f.bytes
	}
	if !c.updated.IsZero() {
		e.Changed = &c.updated
	}
	return e
}

// folders counts the items below each folder of the next level.
func (a API) folders(ctx context.Context, p place, token string) (found listing, err error) {
	asked := map[string][]stac.Aggregation{
		levelYear: {{Name: "datetime_frequency", Interval: "year"}}, levelMonth: {{Name: "datetime_frequency", Interval: "month"}},
		levelDay: {{Name: "datetime_frequency", Interval: "day"}}, levelTile: {{Name: "grid_code_frequency"}, {Name: "total_count"}},
	}[p.levels[p.depth]]
	q := p.search
	q.Limit, q.Token = 0, ""
	var answers []stac.Aggregated
	if p.depth == 0 && p.levels[0] == levelTile {
		answers, err = a.tiles(ctx, p.collection)
	} else {
		answers, err = a.Analyst.Aggregate(ctx, q, asked)
	}
	if err != nil {
		return found, err
	}
	onTiles := answers[0].Overflow
	for _, b := range answers[0].Buckets {
		name := folderOf(b.Key)
		if p.levels[p.depth] == levelTile {
			onTiles += b.Count
		} else if !strings.HasPrefix(b.Key, p.prefix) {
			continue // an item with a period, which lies in the folder of its beginning
		} else {
			name = map[string]string{levelYear: b.Key[:4], levelMonth: b.Key[5:7], levelDay: b.Key[8:10]}[p.levels[p.depth]]
		}
		found.entries = append(found.entries, entry{Name: name, Type: "folder", Items: b.Count})
	}
	if len(answers) > 1 {
		if total, _ := answers[1].Value.(int64); total > onTiles {
			found.entries = append(found.entries, entry{Name: elsewhere, Type: "folder", Items: total - onTiles})
		}
	}
	slices.SortFunc(found.entries, byName)
	begin, _ := slices.BinarySearchFunc(found.entries, token, func(e entry, after string) int { return strings.Compare(e.Name, after) })
	if begin < len(found.entries) && found.entries[begin].Name == token {
		begin++
	}
	found.entries = found.entries[begin:]
	if len(found.entries) > p.search.Limit {
		found.entries = found.entries[:p.search.Limit]
		found.next = found.entries[p.search.Limit-1].Name
	}
	return found, nil
}

// tiles counts all items of a collection by tile, which nothing counts as they come, in the shape of an aggregation beside their total.
func (a API) tiles(ctx context.Context, collection string) ([]stac.Aggregated, error) {
	counts, err := a.kept.get(ctx, stac.ScopeOf(ctx).Key()+"\n"+collection, func(ctx context.Context, progress func(counted, of int64)) (c tileCounts, err error) {
		c.tiles, c.elsewhere, err = a.Analyst.Tiles(ctx, collection, progress)
		return c, err
	})
	total := counts.elsewhere
	for _, b := range counts.tiles {
		total += b.Count
	}
	return []stac.Aggregated{{Buckets: counts.tiles}, {Value: total}}, err
}

// itemIn returns the item of a place, when it lies there.
func (a API) itemIn(ctx context.Context, p place) (stac.Item, error) {
	q := p.search
	q.IDs, q.Limit, q.Token = []string{p.item}, 1, ""
	page, err := a.Catalog.Search(ctx, q)
	if err != nil {
		return stac.Item{}, err
	}
	if len(page.Items) == 1 {
		if c, err := contentsOf(page.Items[0]); err != nil || p.holds(c) {
			return page.Items[0], err
		}
	}
	return stac.Item{}, fault.New(fault.NotFound, "there is no item %.200q in this folder", p.item)
}

// sendNamed sends the file that a path names; false when it names none, which a folder may do.
func (a API) sendNamed(c *fiber.Ctx, l layout, parts []string) (sent bool, err error) {
	if len(parts) != len(l.levels)+1 {
		return false, nil
	}
	name := parts[len(parts)-1]
	p, ok := l.within(parts[:len(parts)-1])
	if !ok {
		return false, nil
	}
	q := p.search
	q.IDs = owners(name)
	if p.item != "" {
		q.IDs = []string{p.item}
	}
	if len(q.IDs) > mostOwners {
		return false, nil
	}
	q.Limit = len(q.IDs)
	page, err := a.Catalog.Search(c.UserContext(), q)
	if err != nil {
		return false, err
	}
	for _, it := range page.Items {
		one, err := contentsOf(it)
		if err != nil {
			return false, err
		}
		for _, f := range one.files {
			if p.holds(one) && (p.item != "" && f.name == name || p.item == "" && one.alone(f) == name) {
				return true, a.sendAsset(c, one.collection, one.id, f.asset, Asset{Key: f.object, Platform: one.platform, ContentType: f.kind, FileName: name})
			}
		}
	}
	return false, nil
}

// wantsPage reports whether a client wants a page. One that takes anything does, unlike elsewhere: wget follows the links of pages.
func wantsPage(c *fiber.Ctx) bool {
	if asked := cmp.Or(c.Query("f"), c.Query("format")); asked != "" {
		return asked == "html"
	}
	c.Vary(fiber.HeaderAccept)
	return c.Accepts(fiber.MIMETextHTML, fiber.MIMEApplicationJSON) != fiber.MIMEApplicationJSON
}

// sendListing answers with a page of a folder, for people or for programs.
func (a API) sendListing(c *fiber.Ctx, parts []string, found listing) error {
	here, base := address(parts), httpkit.BaseURL(c)
	for i := range found.entries {
		e := &found.entries[i]
		e.Relative = segment(e.Name)
		if e.Type == "folder" {
			e.Relative += "/"
		}
		e.Href = base + here + e.Relative
		e.Relative = "./" + e.Relative // a name may hold a colon
	}
	next := ""
	if found.next != "" {
		next = "?" + url.Values{"limit": {strconv.Itoa(c.QueryInt("limit", usualEntries))}, "token": {found.next}}.Encode()
	}
	if wantsPage(c) {
		parent := ""
		if len(parts) > 0 {
			parent = "../"
		}
		var page bytes.Buffer
		if err := templates.ExecuteTemplate(&page, "folder.html", fiber.Map{"Path": datalakePath + strings.Join(append(parts, ""), "/"), "Parent": parent, "Entries": found.entries, "Next": next}); err != nil {
			return fmt.Errorf("folder page: %w", err)
		}
		return httpkit.Send(c, fiber.MIMETextHTMLCharsetUTF8, page.Bytes())
	}
	links := []linkBody{{"self", base + here + query(c), stac.TypeJSON}, {"root", base + datalakePath, stac.TypeJSON}}
	if len(parts) > 0 {
		links = append(links, linkBody{"parent", base + address(parts[:len(parts)-1]), stac.TypeJSON})
	}
	if next != "" {
		links = append(links, linkBody{"next", base + here + next + "&f=json", stac.TypeJSON})
	}
	body, err := json.Marshal(fiber.Map{"path": datalakePath + strings.Join(append(parts, ""), "/"), "entries": append([]entry{}, found.entries...), "links": links})
	if err != nil {
		return err
	}
	return httpkit.Send(c, stac.TypeJSON, body)
}
