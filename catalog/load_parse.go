package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

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
	training chan struct{} // holds as many as may train at a time: it takes 50 MB for a quarter of a second
}

// slab is memory of many small things that live and die together.
type slab[T any] []T

// slabSize is how many things share memory: somewhat more than a chunk has.
const slabSize = 64 << 10

// keep returns a copy.
func (s *slab[T]) keep(all []T) []T {
	if cap(*s)-len(*s) < len(all) {
		*s = make(slab[T], 0, max(len(all), slabSize))
	}
	from := len(*s)
	*s = append(*s, all...)
	return (*s)[from:len(*s):len(*s)]
}

// parse makes rows of a chunk's lines. The error is one of the database; what is wrong with a line is a rejection.
func (p *parser) parse(ctx context.Context, c chunk) (parsed, error) {
	out := parsed{rows: make([]loadRow, 0, len(c.lines)), wider: map[int16][]document{}, endLine: c.endLine, endBytes: c.endOffset}
	for _, number := range c.tooLong {
		out.rejected = append(out.rejected, Rejection{Line: number, Reason: public(errLongLine)})
	}
	workspace := lineSpace{codec: p.store.pack.codecs.Get().(*codec), covered: map[int16]*widening{}}
	defer p.store.pack.codecs.Put(workspace.codec)
	for _, l := range c.lines {
		row, err := p.line(ctx, &workspace, l, &out)
		switch kind, reason := fault.Of(err); {
		case err == nil:
			out.rows = append(out.rows, row)
		case kind == fault.Invalid || kind == fault.NotFound || kind == fault.Conflict:
			id, _ := jsonparser.GetString(l.text, "id")
			out.rejected = append(out.rejected, Rejection{Line: l.number, Item: strings.ToValidUTF8(id, "\ufffd"), Reason: reason})
		default:
			return out, err
		}
	}
	for collection, w := range workspace.covered {
		if !w.longer {
			continue
		}
		for _, at := range []time.Time{*w.extent.begins, *w.extent.ends} {
			out.wider[collection] = append(out.wider[collection], document{when: period{at, at, at}})
		}
	}
	return out, nil
}

// lineSpace is what the lines of a chunk are read in.
type lineSpace struct {
	codec *codec
	bytes slab[byte]
	terms slab[int32]

	covered map[int16]*widening
}

// widening is what a collection covers, with the lines of a chunk.
type widening struct {
	extent extent
	held   *coverage // the properties
	own    bool      // that is of this chunk alone
	longer bool      // Items mostly come in the order of time: those that widen nothing else are not noted one by one.
}

// widen notes what a document adds to what its collection covers.
func (p *parser) widen(ctx context.Context, space *lineSpace, collection int16, doc document, out *parsed) error {
	w := space.covered[collection]
	if w == nil {
		known, err := p.store.coverage(ctx, p.store.pool, collection)
		if err != nil {
			return classify(err)
		}
		w = &widening{extent: known.extent, held: known}
		space.covered[collection] = w
	}
	before := w.extent
	farther := false
	w.extent, farther = before.with(doc)
	news := w.held.news(doc)
	switch {
	case len(news) > 0:
		if !w.own {
			w.held, w.own = w.held.copied(), true
		}
		w.held.learn(news)
	case !farther:
		return nil
	case w.extent.box == before.box && w.extent.reachBefore == before.reachBefore && w.extent.reachAfter == before.reachAfter:
		w.longer = true
		return nil
	}
	out.wider[collection] = append(out.wider[collection], doc.slim(news))
	return nil
}

// line makes the row of one line, but for its words.
func (p *parser) line(ctx context.Context, space *lineSpace, l textLine, out *parsed) (loadRow, error) {
	doc, collection, err := p.document(space.codec, l.text)
	if err != nil {
		return loadRow{}, err
	}
	number, err := p.number(ctx, collection)
	if err != nil {
		return loadRow{}, err
	}
	geom, err := shapeOf(ctx, p.store.pool, &doc.where)
	if err != nil {
		return loadRow{}, classify(err)
	}
	r := loadRow{line: l.number, collection: number, row: doc.row(geom), worded: doc.properties.worded}
	r.row.terms = space.terms.keep(r.row.terms)
	if r.row.body, err = p.sample(ctx, number, doc.body); err != nil {
		return loadRow{}, err
	}
	if r.row.body != nil {
		r.row.dict = notPacked
	} else if r.row.dict, r.row.body, err = p.store.pack.encodeRead(space.codec, number, doc.body, doc.as); err != nil {
		return loadRow{}, err
	} else {
		r.row.body = space.bytes.keep(r.row.body)
	}
	return r, p.widen(ctx, space, number, doc, out)
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

// sample keeps a body of a collection that has no dictionary yet, and returns the copy, or nil. When enough of them have come by it
// trains one: whoever has more of them waits.
func (p *parser) sample(ctx context.Context, collection int16, body []byte) (kept []byte, err error) {
	known, ok := p.trainers.Load(collection)
	if !ok {
		known, _ = p.trainers.LoadOrStore(collection, &trainer{done: p.store.pack.has(collection)})
	}
	t := known.(*trainer)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done {
		return nil, nil
	}
	kept = bytes.Clone(body)
	if t.samples = append(t.samples, kept); len(t.samples) < dictionarySamples {
		return kept, nil
	}
	samples := t.samples
	t.samples, t.done = nil, true
	p.training <- struct{}{}
	defer func() { <-p.training }()
	return kept, p.store.trainOne(ctx, p.store.pool, collection, samples)
}

// slim returns a document with what is new of it alone, without the text that it was read from.
func (d document) slim(news []namedValue) document {
	out := document{when: d.when, where: footprint{box: d.where.box}}
	if !d.where.empty() {
		out.where.parts = []part{}
	}
	for _, v := range news {
		out.properties.all = append(out.properties.all, namedValue{name: v.name, raw: bytes.Clone(v.raw)})
	}
	return out
}
