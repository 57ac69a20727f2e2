package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"strings"
	"sync"

	"github.com/buger/jsonparser"

	"swath/fault"
	"swath/stac"
)

// loadRow is a line of a bulk load that is ready to be written.
type loadRow struct {
	line       int64
	collection int16
	row        row
	worded     worded // of the row, which have no numbers yet
}

// parsed is what became of a chunk.
type parsed struct {
	rows     []loadRow
	rejected []Rejection
	wider    map[int16][]document // those that a collection did not cover, without their bodies
	endLine  int64
	endBytes int64
}

// parser makes rows of lines. It is used by several goroutines at once.
type parser struct {
	store    *Store
	options  LoadOptions
	trainers sync.Map // *trainer by collection number
	missing  sync.Mutex
	training sync.Mutex
}

// parse makes rows of a chunk's lines. The error is one of the database; what is wrong with a line is a rejection.
func (p *parser) parse(ctx context.Context, c chunk) (parsed, error) {
	out := parsed{rows: make([]loadRow, 0, len(c.lines)), wider: map[int16][]document{}, endLine: c.endLine, endBytes: c.endOffset}
	for _, number := range c.tooLong {
		out.rejected = append(out.rejected, Rejection{Line: number, Reason: public(errLongLine)})
	}
	docs := make([]document, 0, len(c.lines))
	workspace := p.store.pack.codecs.Get().(*codec)
	defer p.store.pack.codecs.Put(workspace)
	for _, l := range c.lines {
		doc, row, err := p.line(ctx, workspace, l)
		switch kind, reason := fault.Of(err); {
		case err == nil:
			docs, out.rows = append(docs, doc), append(out.rows, row)
		case kind == fault.Invalid || kind == fault.NotFound || kind == fault.Conflict:
			id, _ := jsonparser.GetString(l.text, "id")
			out.rejected = append(out.rejected, Rejection{Line: l.number, Item: strings.ToValidUTF8(id, "\ufffd"), Reason: reason})
		default:
			return out, err
		}
	}
	return out, p.widen(ctx, &out, docs)
}

// widen notes what documents add to what their collections cover.
func (p *parser) widen(ctx context.Context, out *parsed, docs []document) error {
	own := map[int16]*coverage{} // wider than what is known of a collection
	for i, doc := range docs {
		collection := out.rows[i].collection
		covered := own[collection]
		if covered == nil {
			known, err := p.store.coverage(ctx, p.store.pool, collection)
			if err != nil {
				return classify(err)
			}
			covered = known
		}
		extent, farther := covered.extent.with(doc)
		news := covered.news(doc)
		if !farther && len(news) == 0 {
			continue
		}
		if own[collection] == nil {
			covered = &coverage{properties: maps.Clone(covered.properties)}
			own[collection] = covered
		}
		covered.extent = extent
		for _, v := range news {
			covered.properties[v.name] = covered.properties[v.name].with(v)
		}
		out.wider[collection] = append(out.wider[collection], doc.slim(news))
	}
	return nil
}

// line makes the row of one line, but for its words.
func (p *parser) line(ctx context.Context, c *codec, l textLine) (document, loadRow, error) {
	doc, collection, err := p.document(c, l.text)
	if err != nil {
		return doc, loadRow{}, err
	}
	number, err := p.number(ctx, collection)
	if err != nil {
		return doc, loadRow{}, err
	}
	geom, err := shapeOf(ctx, p.store.pool, doc.where)
	if err != nil {
		return doc, loadRow{}, classify(err)
	}
	if err := p.train(ctx, number, doc.body); err != nil {
		return doc, loadRow{}, err
	}
	r := loadRow{line: l.number, collection: number, row: doc.row(geom), worded: doc.properties.worded}
	r.row.dict, r.row.body, err = p.store.pack.encodeRead(c, number, doc.body, doc.as)
	doc.as = nil // the next line is read in its place
	return doc, r, err
}

// document reads an item, and finds out which collection it belongs to.
func (p *parser) document(c *codec, text []byte) (doc document, collection string, err error) {
	read, err := p.read(c, text)
	if err != nil {
		return doc, p.options.Collection, err
	}
	if collection = p.options.Collection; collection == "" {
		doc, err = readItem(stac.Item{}, read)
		return doc, doc.collection, err
	}
	if doc, err = readItem(stac.Item{Collection: collection}, read); err == nil {
		return doc, collection, nil
	}
	if own, lookup := jsonparser.GetString(text, "collection"); lookup != nil || own == collection {
		return doc, collection, err
	}
	read, err = open(text) // it moves to the collection that was asked for
	if err != nil {
		return doc, collection, err
	}
	name, _ := json.Marshal(collection) // a string always can
	doc, err = parseItem(stac.Item{Collection: collection, Body: object(set(read.members, "collection", name))})
	return doc, collection, err
}

// read reads an item, by one of the forms of its collection if it has one of them.
func (p *parser) read(c *codec, text []byte) (scanned, error) {
	id := p.options.Collection
	if id == "" { // a guess: it is looked for in the text
		const before = `"collection":"`
		if at := bytes.Index(text, []byte(before)); at >= 0 {
			rest := text[at+len(before):]
			id = string(rest[:max(bytes.IndexByte(rest, '"'), 0)])
		}
	}
	if number, known := p.store.numbers.Load(id); known {
		if d := p.store.pack.of(number.(int16)); d != nil {
			if read, ok := d.recognize(text, &c.scratch); ok {
				return read, nil
			}
		}
	}
	return scan(text)
}

// number returns the number of a collection, which is made when it is missing.
func (p *parser) number(ctx context.Context, id string) (int16, error) {
	number, err := p.store.number(ctx, p.store.pool, id)
	if !fault.Is(err, fault.NotFound) || p.options.EnsureCollection == nil {
		return number, classify(err)
	}
	p.missing.Lock()
	defer p.missing.Unlock()
	if err := p.options.EnsureCollection(ctx, id); err != nil {
		return 0, err
	}
	number, err = p.store.number(ctx, p.store.pool, id)
	return number, classify(err)
}

// trainer collects the first bodies of a collection that has no dictionary.
type trainer struct {
	mu      sync.Mutex
	samples [][]byte
	done    bool
}

// train trains a collection's dictionary when enough of its bodies have come by. Whoever has more of them waits.
func (p *parser) train(ctx context.Context, collection int16, body []byte) error {
	known, ok := p.trainers.Load(collection)
	if !ok {
		known, _ = p.trainers.LoadOrStore(collection, &trainer{done: p.store.pack.has(collection)})
	}
	t := known.(*trainer)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done {
		return nil
	}
	if t.samples = append(t.samples, bytes.Clone(body)); len(t.samples) < dictionarySamples {
		return nil
	}
	samples := t.samples
	t.samples, t.done = nil, true
	p.training.Lock() // it takes 100 MB for a second
	defer p.training.Unlock()
	return p.store.trainOne(ctx, p.store.pool, collection, samples)
}

// slim returns a document with what is new of it alone, without the text that it was read from.
func (d document) slim(news []namedValue) document {
	out := document{when: d.when, where: footprint{box: d.where.box}}
	if !d.where.empty() {
		out.where.parts = []part{}
	}
	for _, v := range news {
		out.properties.all = append(out.properties.all, namedValue{v.name, bytes.Clone(v.raw)})
	}
	return out
}
