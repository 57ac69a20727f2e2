package processes

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"swath/auth"
	"swath/chains"
	"swath/fault"
	"swath/stac"
)

// bound is one input as a job keeps it: nothing of it has to be looked for again.
type bound struct {
	Many    bool     `json:"many,omitempty"`
	Sources []source `json:"sources"`
}

// source is one value of an input. One of its fields is set, beside Media.
type source struct {
	Value  json.RawMessage `json:"value,omitempty"`  // plain JSON
	Item   *PinnedItem     `json:"item,omitempty"`   // a product
	Object *PinnedFile     `json:"object,omitempty"` // a file of ours
	Items  []PinnedItem    `json:"items,omitempty"`  // products that a file of ours is of, or was made of
	Of     []string        `json:"of,omitempty"`     // their collections, in jobs that were accepted before items were noted
	Href   string          `json:"href,omitempty"`   // a file of others
	Folder string          `json:"folder,omitempty"` // a folder of the operator
	Data   []byte          `json:"data,omitempty"`   // a file that was given by value
	Upload *upload         `json:"-"`                // a file that came with the request, until it is an object of ours
	Media  string          `json:"media,omitempty"`  // of a file, as the request says
}

const (
	mostItems = 1000     // products of one job
	mostData  = 16 << 20 // bytes of files that are given by value, together
)

// bind resolves the inputs of a request and holds them against the process' schemas. Wrong ones are fault.Invalid, naming the input.
func (e *Engine) bind(ctx context.Context, chain chains.Chain, r Request) (map[string]bound, error) {
	for name := range r.Inputs {
		if _, ok := chain.Input(name); !ok {
			return nil, fault.New(fault.Invalid, "input %q: the process %q has none of this name; it has %s", name, chain.ID, strings.Join(chains.Names(chain.Inputs), ", "))
		}
	}
	all, items, data := map[string]bound{}, 0, 0
	for _, f := range chain.Inputs {
		raw, given := r.Inputs[f.Name]
		if given = given && string(bytes.TrimSpace(raw)) != "null"; !given && f.Required {
			return nil, fault.New(fault.Invalid, "input %q: is required", f.Name)
		} else if !given {
			continue
		}
		b, err := e.bindOne(ctx, f, r, raw)
		if err != nil {
			return nil, err
		}
		for _, s := range b.Sources {
			if s.Item != nil {
				items++
			}
			data += len(s.Data)
		}
		if items > mostItems || data > mostData {
			return nil, fault.New(fault.TooLarge, "input %q: a job takes %d products and %d bytes of files given by value at most", f.Name, mostItems, mostData)
		}
		all[f.Name] = b
	}
	for _, u := range r.Uploads {
		if !u.taken && u.Bytes > 0 {
			return nil, fault.New(fault.TooLarge, "a text of %d bytes stands where none is taken", u.Bytes)
		}
	}
	return all, nil
}

// bindOne resolves one input with all its values.
func (e *Engine) bindOne(ctx context.Context, f chains.Field, r Request, raw json.RawMessage) (bound, error) {
	values := []json.RawMessage{raw}
	if f.Many {
		if q, ok := qualified(raw); ok && isArray(q.value) {
			raw = q.value
		}
		if isArray(raw) {
			values = nil
			if err := json.Unmarshal(raw, &values); err != nil {
				return bound{}, fault.New(fault.Invalid, "input %q: is not JSON", f.Name)
			}
		}
	}
	b := bound{Many: f.Many}
	for _, value := range values {
		found, err := e.sources(ctx, f, r, value)
		if err != nil {
			if fault.Is(err, fault.NotFound) {
				_, public := fault.Of(err)
				err = fault.New(fault.Invalid, "%s", public)
			}
			return bound{}, ofInput(f.Name, err)
		}
		b.Sources = append(b.Sources, found...)
	}
	if n := len(b.Sources); n < f.Min || f.Max > 0 && n > f.Max {
		return bound{}, fault.New(fault.Invalid, "input %q: has %d values; it takes %s", f.Name, n, counted(f))
	}
	if f.Kind == chains.Value && !slices.ContainsFunc(b.Sources, func(s source) bool { return s.Value == nil }) {
		return b, f.Validate(b.plain())
	}
	return b, nil
}

// ofInput says of which input a failure is, to those who may read it too.
func ofInput(name string, err error) error {
	if kind, public := fault.Of(err); kind != fault.Internal {
		return fault.Wrap(kind, err, "input %q: %s", name, public)
	}
	return fmt.Errorf("input %q: %w", name, err)
}

func counted(f chains.Field) string {
	text := func(v any) string { b, _ := json.Marshal(v); return string(b) } //nolint:errcheck // a number
	switch {
	case f.Max == 0:
		return "at least " + text(f.Min)
	case f.Min == f.Max:
		return text(f.Min)
	}
	return text(f.Min) + " to " + text(f.Max)
}

// plain returns the JSON of an input whose sources are all plain values.
func (b bound) plain() json.RawMessage {
	values := make([]json.RawMessage, len(b.Sources))
	for i, s := range b.Sources {
		values[i] = s.Value
	}
	return joined(values, b.Many)
}

// joined makes one value, or a list of several.
func joined(values []json.RawMessage, many bool) json.RawMessage {
	if !many {
		return values[0]
	}
	list, err := json.Marshal(values)
	if err != nil {
		panic(err) // each of them was read as JSON
	}
	return list
}

// sources resolves one value: usually to one source, a search to as many as it finds.
func (e *Engine) sources(ctx context.Context, f chains.Field, r Request, raw json.RawMessage) ([]source, error) {
	q, isForm := qualified(raw)
	if isForm && q.href == "" {
		raw = q.value
	}
	if f.Kind != chains.AFile || !isText(raw) {
		var err error
		if raw, err = r.restored(raw); err != nil {
			return nil, err
		}
	}
	switch f.Kind {
	case chains.AProduct, chains.AnItem:
		if q.href != "" {
			raw, _ = json.Marshal(q.href) //nolint:errcheck // a text
		}
		return e.products(ctx, raw)
	case chains.AFolder:
		var name string
		if json.Unmarshal(raw, &name) != nil || q.href != "" {
			return nil, fault.New(fault.Invalid, "takes the name of a folder: %s", e.folderNames())
		}
		if _, ok := e.cfg.Folders[name]; !ok {
			return nil, fault.New(fault.Invalid, "there is no folder %.60q; there are %s", name, e.folderNames())
		}
		return []source{{Folder: name}}, nil
	}
	if q.href != "" {
		return e.reference(ctx, q.href, q.media)
	}
	if f.Kind == chains.AFile {
		return r.fileByValue(raw, cmp.Or(q.media, f.Media), q.encoding)
	}
	return []source{{Value: raw}}, nil
}

// Folders are the names of those that requests may name.
func (e *Engine) Folders() []string { return slices.Sorted(maps.Keys(e.cfg.Folders)) }

func (e *Engine) folderNames() string {
	if len(e.cfg.Folders) == 0 {
		return "none here"
	}
	return strings.Join(e.Folders(), ", ")
}

// qualification is what stands around a value: its address, or itself with what it is.
type qualification struct {
	href            string
	value           json.RawMessage
	media, encoding string
}

// qualified reads OGC's forms around a value: {"href":…,"type":…} and {"value":…,"mediaType":…,"encoding":…}.
func qualified(raw json.RawMessage) (q qualification, ok bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return q, false
	}
	only := func(names ...string) bool {
		for name := range fields {
			if !slices.Contains(names, name) {
				return false
			}
		}
		return true
	}
	text := func(name string) (s string) {
		if json.Unmarshal(fields[name], &s) != nil {
			return ""
		}
		return s
	}
	if fields["href"] != nil && only("href", "type", "rel", "title", "hreflang", "length") {
		q.href, q.media = text("href"), text("type")
		return q, q.href != ""
	}
	if fields["value"] != nil && only("value", "mediaType", "encoding", "schema", "format") {
		var format struct {
			MediaType string `json:"mediaType"`
			Encoding  string `json:"encoding"`
		}
		_ = json.Unmarshal(fields["format"], &format) // another form says nothing
		q.value, q.media, q.encoding = fields["value"], cmp.Or(text("mediaType"), format.MediaType), cmp.Or(text("encoding"), format.Encoding)
		return q, true
	}
	return q, false
}

func isText(raw json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte(`"`)) }

func isArray(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 0 && raw[0] == '['
}

// fileByValue takes a file from the request: base64 where it is that, the text where the media type is one and no encoding is named, and JSON
// as it stands.
func (r Request) fileByValue(raw json.RawMessage, media, encoding string) ([]source, error) {
	if encoding != "" && encoding != "base64" {
		return nil, fault.New(fault.Invalid, "the encoding %.60q is not known: a file given by value is text or base64", encoding)
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		if media != "" && !strings.HasSuffix(media, "json") {
			return nil, fault.New(fault.Invalid, "a file given by value is base64, as text or as the value of {\"value\": …, \"mediaType\": %q}", media)
		}
		return []source{{Data: raw, Media: media}}, nil
	}
	if u, ok := r.Uploads[text]; ok && u.Bytes > 0 {
		u.taken = true
		return []source{{Upload: &upload{u, u.Said && (encoding != "" || !textual(media))}, Media: media}}, nil
	} else if ok {
		text = ""
	}
	data := []byte(text)
	if encoding != "" || !textual(media) {
		var err error
		if data, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, fault.New(fault.Invalid, "a file given by value is base64, or text with a mediaType that says so")
		}
	}
	if len(data) == 0 {
		return nil, fault.New(fault.Invalid, "the file is empty")
	}
	return []source{{Data: data, Media: media}}, nil
}

// textual reports whether a file of a media type is a text, which JSON can hold as it is.
func textual(media string) bool {
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "json") || strings.HasSuffix(media, "xml")
}

// products are those that a value is, or was made of.
func (s source) products() []PinnedItem {
	if s.Item != nil {
		return []PinnedItem{*s.Item}
	}
	return s.Items
}

// productsOf returns the products that inputs are, or were made of, each once and without its files.
func productsOf(inputs map[string]bound) (all []PinnedItem) {
	for _, b := range inputs {
		for _, s := range b.Sources {
			for _, p := range s.products() {
				p.Files = nil
				all = append(all, p)
			}
		}
	}
	names := func(a, b PinnedItem) int {
		return cmp.Or(strings.Compare(a.Collection, b.Collection), strings.Compare(a.ID, b.ID))
	}
	slices.SortFunc(all, names)
	return slices.CompactFunc(all, func(a, b PinnedItem) bool { return names(a, b) == 0 })
}

// products resolves one value of an input that is a product.
func (e *Engine) products(ctx context.Context, raw json.RawMessage) ([]source, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if strings.Contains(text, "://") || strings.HasPrefix(text, "/") {
			return e.reference(ctx, text, "")
		}
		return e.itemNamed(ctx, "", text)
	}
	var form struct {
		Item       string          `json:"item"`
		Collection string          `json:"collection"`
		Search     json.RawMessage `json:"search"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&form); err != nil || (form.Item == "") == (form.Search == nil) {
		return nil, fault.New(fault.Invalid, `a product is the id of an item, {"item":"id","collection":"c"}, {"href":"address of an item"} or {"search":{…}}`)
	}
	if form.Search != nil {
		return e.searched(ctx, form.Search)
	}
	return e.itemNamed(ctx, form.Collection, form.Item)
}

// itemNamed finds an item by its id, and its collection when that is known.
func (e *Engine) itemNamed(ctx context.Context, collection, id string) ([]source, error) {
	if collection == "" {
		page, err := e.cfg.Catalog.Search(ctx, stac.Search{IDs: []string{id}, Limit: 2, Uncounted: true})
		if err != nil {
			return nil, err
		}
		switch len(page.Items) {
		case 0:
			return nil, fault.New(fault.NotFound, "there is no item %.100q", id)
		case 2:
			return nil, fault.New(fault.Invalid, "several collections have an item %.100q: name the collection too", id)
		}
		return pinned(page.Items)
	}
	it, err := e.cfg.Catalog.Item(ctx, collection, id)
	if err != nil {
		return nil, err
	}
	return pinned([]stac.Item{it})
}

// searched resolves a search to the items that it finds now.
func (e *Engine) searched(ctx context.Context, raw json.RawMessage) ([]source, error) {
	q, err := stac.SearchFromJSON(raw)
	if err != nil {
		return nil, err
	}
	var limit struct {
		Limit int `json:"limit"`
	}
	_ = json.Unmarshal(raw, &limit) // it was read before
	most := limit.Limit
	if most <= 0 || most > mostItems {
		most = mostItems
	}
	s := q.Search
	s.Uncounted = true
	var all []source
	for {
		s.Limit = min(most-len(all), 250)
		page, err := e.cfg.Catalog.Search(ctx, s)
		if err != nil {
			return nil, err
		}
		found, err := pinned(page.Items)
		if err != nil {
			return nil, err
		}
		if all = append(all, found...); page.Next == "" || len(all) >= most {
			break
		}
		s.Token = page.Next
	}
	if len(all) == 0 {
		return nil, fault.New(fault.Invalid, "the search finds no item")
	}
	return all, nil
}

// pinned notes items as they are now.
func pinned(items []stac.Item) ([]source, error) {
	all := make([]source, len(items))
	for i, it := range items {
		p, err := pin(it)
		if err != nil {
			return nil, err
		}
		all[i] = source{Item: &p}
	}
	return all, nil
}

// pin notes an item and the files that a run reads of it: the product as its agency packed it where that is here, else all assets.
func pin(it stac.Item) (PinnedItem, error) {
	p := PinnedItem{Collection: it.Collection, ID: it.ID, Updated: it.Updated}
	assets, err := assetsOf(it)
	if err != nil {
		return p, err
	}
	if a, ok := assets[stac.ProductAsset]; ok && a.Object != "" {
		p.Files = []PinnedFile{a.file(stac.ProductAsset, it.ID+path.Ext(a.Object))}
		return p, nil
	}
	for name, a := range assets {
		if a.Object != "" {
			p.Files = append(p.Files, a.file(name, path.Base(a.Object)))
		}
	}
	if len(p.Files) == 0 {
		return p, fault.New(fault.Invalid, "item %q has no file that is held here", it.ID)
	}
	slices.SortFunc(p.Files, func(a, b PinnedFile) int { return strings.Compare(a.Asset, b.Asset) })
	return p, nil
}

// asset is what matters here of an item's asset.
type asset struct {
	Href     string `json:"href"`
	Type     string `json:"type"`
	Object   string `json:"swath:object"`
	Checksum string `json:"file:checksum"`
	Size     int64  `json:"file:size"`
}

func (a asset) file(name, fileName string) PinnedFile {
	return PinnedFile{Asset: name, Object: a.Object, Name: fileName, Checksum: a.Checksum, Media: a.Type, Bytes: a.Size}
}

func assetsOf(it stac.Item) (map[string]asset, error) {
	var body struct {
		Assets map[string]asset `json:"assets"`
	}
	return body.Assets, json.Unmarshal(it.Body, &body)
}

// reference resolves an address: an item or an asset of ours, or a file of others for those who may have it fetched.
func (e *Engine) reference(ctx context.Context, href, media string) ([]source, error) {
	at, ours := e.own(ctx, href)
	if !ours {
		if err := auth.From(ctx).Require(auth.Centre); err != nil {
			return nil, fault.Wrap(fault.Forbidden, err, "%.200q is not an address of this server, and only thematic centres may have others fetched", href)
		}
		if err := e.cfg.Egress.Check(href); err != nil {
			return nil, err
		}
		return []source{{Href: href, Media: media}}, nil
	}
	u, err := url.Parse(at)
	wrong := fault.New(fault.Invalid, "%.200q names neither an item, nor an asset of one, nor a result of a job", href)
	if err != nil {
		return nil, wrong
	}
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	for i, part := range parts {
		if parts[i], err = url.PathUnescape(part); err != nil {
			return nil, wrong
		}
	}
	named := len(parts) >= 4 && parts[0] == "collections" && parts[2] == "items" && u.RawQuery == ""
	switch {
	case named && len(parts) == 4:
		return e.itemNamed(ctx, parts[1], parts[3])
	case named && len(parts) == 6 && parts[4] == "assets":
		it, err := e.cfg.Catalog.Item(ctx, parts[1], parts[3])
		if err != nil {
			return nil, err
		}
		assets, err := assetsOf(it)
		if err != nil {
			return nil, err
		}
		a, ok := assets[parts[5]]
		if !ok || a.Object == "" {
			return nil, fault.New(fault.NotFound, "item %q has no asset %q that is held here", it.ID, parts[5])
		}
		name := path.Base(a.Object)
		if parts[5] == stac.ProductAsset {
			name = it.ID + path.Ext(a.Object)
		}
		f := a.file(parts[5], name)
		of := PinnedItem{Collection: it.Collection, ID: it.ID, Updated: it.Updated, Files: []PinnedFile{f}}
		return []source{{Object: &f, Items: []PinnedItem{of}, Media: media}}, nil
	case len(parts) == 4 && parts[0] == "jobs" && parts[2] == "results":
		return e.resultsOf(ctx, parts[1], parts[3], u.Query().Get("part"))
	}
	return nil, wrong
}

// resultsOf returns the values of an output of a job that has ended well, or the one that part numbers, from 1.
func (e *Engine) resultsOf(ctx context.Context, job, output, part string) (all []source, err error) {
	results, err := e.Results(ctx, job)
	if err != nil {
		return nil, err
	}
	var inputs map[string]bound
	if err := e.pool.QueryRow(ctx, "select inputs from job where id = $1", job).Scan(&inputs); err != nil {
		return nil, jobsErr("inputs", err)
	}
	for _, r := range results {
		for i, p := range r.Parts {
			if r.Name != output || part != "" && part != strconv.Itoa(i+1) {
				continue
			}
			if p.Item == "" {
				f := PinnedFile{Object: p.Object, Name: p.Name, Checksum: p.Checksum, Media: r.Media, Bytes: p.Bytes}
				all = append(all, source{Object: &f, Items: productsOf(inputs), Of: collectionsOf(inputs)})
				continue
			}
			item, err := e.itemNamed(ctx, p.Collection, p.Item)
			if err != nil {
				return nil, err
			}
			all = append(all, item...)
		}
	}
	if all == nil {
		return nil, fault.New(fault.NotFound, "the job has no such file or item among its results")
	}
	return all, nil
}
