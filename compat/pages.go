package compat

import (
	"container/list"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

// Searcher is what is asked for pages.
type Searcher interface {
	Search(ctx context.Context, s stac.Search) (stac.Page, error)
}

// Pages finds pages by the number of items before them, in a catalog that knows only what comes behind a page. Where the page before
// was asked here, its token is remembered, and the next costs no more than it; else the items before are passed over.
type Pages struct {
	Catalog Searcher

	mu     sync.Mutex
	order  list.List // of *turn, the newest first
	tokens map[string]*list.Element
}

// turn is where a page begins.
type turn struct{ key, token string }

const (
	mostTurns = 4096
	// MostSkip bounds how many items are passed over.
	MostSkip = 100_000
	stride   = 10_000 // items passed over in one search
)

// At returns the page of a search behind some items.
func (p *Pages) At(ctx context.Context, s stac.Search, skip int) (stac.Page, error) {
	if skip > MostSkip {
		return stac.Page{}, fault.New(fault.Invalid, "no more than %d products can be passed over: narrow the search by time, or go on from the last date", MostSkip)
	}
	base := question(ctx, s)
	limit := s.Limit
	for left := skip; left > 0; {
		if token, ok := p.get(base, skip); ok && s.Token == "" {
			s.Token = token
			break
		}
		before := s
		before.Limit, before.Uncounted = min(left, stride), true
		page, err := p.Catalog.Search(ctx, before)
		if err != nil {
			return stac.Page{}, err
		}
		page.Release()
		if page.Next == "" { // there is nothing behind
			s.Limit, s.Token = 1, ""
			counted, err := p.Catalog.Search(ctx, s)
			counted.Release()
			return stac.Page{Matched: counted.Matched, Estimated: counted.Estimated}, err
		}
		s.Token, left = page.Next, left-before.Limit
	}
	s.Limit = limit
	page, err := p.Catalog.Search(ctx, s)
	if err == nil && page.Next != "" {
		p.put(base, skip+len(page.Items), page.Next)
	}
	return page, err
}

// question names a search, whatever its page, and who asks.
func question(ctx context.Context, s stac.Search) string {
	filter := ""
	if s.Filter != nil {
		filter = cql2.String(s.Filter)
	}
	text := fmt.Sprintf("%#v", s.Text)
	s.Filter, s.Text, s.Limit, s.Token = nil, nil, 0, ""
	asked, _ := json.Marshal(s) // finite numbers and valid JSON
	return strings.Join([]string{string(asked), filter, text, stac.ScopeOf(ctx).Key()}, "\x00")
}

func (p *Pages) get(base string, skip int) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.tokens[fmt.Sprint(skip, base)]
	if !ok {
		return "", false
	}
	p.order.MoveToFront(e)
	return e.Value.(*turn).token, true
}

func (p *Pages) put(base string, skip int, token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tokens == nil {
		p.tokens = map[string]*list.Element{}
	}
	key := fmt.Sprint(skip, base)
	if e, ok := p.tokens[key]; ok {
		e.Value.(*turn).token = token
		p.order.MoveToFront(e)
		return
	}
	p.tokens[key] = p.order.PushFront(&turn{key, token})
	if p.order.Len() > mostTurns {
		oldest := p.order.Back()
		p.order.Remove(oldest)
		delete(p.tokens, oldest.Value.(*turn).key)
	}
}
