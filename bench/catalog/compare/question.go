package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// question is one kind of request with what makes its parameters: the n-th is the same for both servers.
type question struct {
	name, title string
	make        func(s server, n int) (request, bool)
	prepare     func(s server) (time.Duration, error) // once for each server, before all else
	tidy        func(s server) error                  // once for each server, after all else
	compare     bool                                  // the answers say the same items
}

// sampleItem is one item of the archive, as generated.
type sampleItem struct {
	ID, Collection string
	BBox           []float64
	Properties     struct{ Datetime time.Time }
	line           []byte
}

func readSample(path string) (items []sampleItem, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var i sampleItem
		if err := json.Unmarshal(lines.Bytes(), &i); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		i.line = bytes.Clone(lines.Bytes())
		items = append(items, i)
	}
	if len(items) == 0 && lines.Err() == nil {
		return nil, fmt.Errorf("%s: no items", path)
	}
	return items, lines.Err()
}

var france = []float64{-5, 42, 8.5, 51.2}

const l2a, l1c = "sentinel-2-l2a", "sentinel-2-l1c"

// object is JSON.
type object = map[string]any

func and(args ...any) object { return object{"op": "and", "args": args} }
func op(op, name string, v any) object {
	return object{"op": op, "args": []any{object{"property": name}, v}}
}

// newQuestions returns the questions a to k. Places and times are those of items of the archive.
func newQuestions(items, fresh []sampleItem, seed uint64) []question {
	at := func(n int, salt uint64) (*rand.Rand, sampleItem) {
		random := rand.New(rand.NewPCG(seed<<32|uint64(n), salt))
		return random, items[random.IntN(len(items))]
	}
	of := func(n int, salt uint64, collection string) (*rand.Rand, sampleItem) {
		for {
			random, i := at(n, salt)
			if i.Collection == collection && i.BBox[0] < min(i.BBox[2], 175) {
				return random, i
			}
			salt += 1000
		}
	}
	search := func(body object, empty bool) (request, bool) {
		text, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		return request{"POST", "/search", text, 200, empty}, true
	}
	month := func(random *rand.Rand) string {
		begin := time.Date(2017+random.IntN(8), time.Month(1+random.IntN(12)), 1, 0, 0, 0, 0, time.UTC)
		return begin.Format(time.RFC3339) + "/" + begin.AddDate(0, 1, 0).Add(-time.Second).Format(time.RFC3339)
	}
	pages := &pages{next: map[string]request{}}
	var posted once
	all := []question{
		{name: "a", title: "newest 10 of all", compare: true, make: func(server, int) (request, bool) {
			return request{"GET", "/search?limit=10", nil, 200, false}, true
		}},
		{name: "b", title: "box of 1° + month, 10", compare: true, make: func(_ server, n int) (request, bool) {
			_, i := of(n, 1, []string{l1c, l2a}[n%2])
			x, y, t := (i.BBox[0]+i.BBox[2])/2, (i.BBox[1]+i.BBox[3])/2, i.Properties.Datetime
			begin := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
			return search(object{"collections": []string{i.Collection}, "bbox": box(x-0.5, y-0.5, x+0.5, y+0.5), "limit": 10,
				"datetime": begin.Format(time.RFC3339) + "/" + begin.AddDate(0, 1, 0).Add(-time.Second).Format(time.RFC3339)}, false)
		}},
		{name: "c", title: "France + cloud < 20, 100", compare: true, make: func(_ server, n int) (request, bool) {
			random, _ := at(n, 7)
			return search(object{"collections": []string{[]string{l1c, l2a}[n%2]}, "bbox": nearly(france, random), "limit": 100,
				"filter-lang": "cql2-json", "filter": op("<", "eo:cloud_cover", 20)}, false)
		}},
		{name: "d", title: "5 ids", compare: true, make: func(_ server, n int) (request, bool) {
			var ids []string
			for k := range 5 {
				_, i := at(n*5+k, 2)
				ids = append(ids, i.ID)
			}
			return search(object{"ids": ids}, false)
		}},
		{name: "e", title: "polygon + year by cloud, 20", compare: true, make: func(_ server, n int) (request, bool) {
			random, i := of(n, 3, l2a)
			x, y, size := i.BBox[0], i.BBox[1], 1+1.5*random.Float64()
			year := i.Properties.Datetime.Year()
			return search(object{"collections": []string{l2a}, "limit": 20, "datetime": fmt.Sprintf("%d-01-01T00:00:00Z/%d-12-31T23:59:59Z", year, year),
				"intersects": object{"type": "Polygon", "coordinates": [][][2]float64{{{x, y}, {x + size, y + size/4}, {x + size*1.2, y + size}, {x + size/3, y + size*1.1}, {x, y}}}},
				"sortby":     []object{{"field": "properties.eo:cloud_cover", "direction": "asc"}}}, true)
		}},
		{name: "f1", title: "CQL2 orbit + vegetation, 10", compare: true, make: func(_ server, n int) (request, bool) {
			random, _ := at(n, 4)
			return search(object{"collections": []string{l2a}, "limit": 10, "filter-lang": "cql2-json",
				"filter": and(op("=", "sat:relative_orbit", 1+random.IntN(143)), op(">", "s2:vegetation_percentage", 50+random.IntN(30)))}, true)
		}},
		{name: "f2", title: "CQL2 rare value, no collection", compare: true, make: func(server, int) (request, bool) {
			return search(object{"limit": 10, "filter-lang": "cql2-json", "filter": op("=", "processing:facility", "Airbus DS-Newport")}, false)
		}},
		{name: "g", title: "page 50 of 100", compare: true, prepare: pages.walk, make: func(s server, _ int) (request, bool) { return pages.of(s) }},
		{name: "h", title: "/collections", make: func(server, int) (request, bool) {
			return request{"GET", "/collections", nil, 200, false}, true
		}},
		{name: "i", title: "one item", compare: true, make: func(_ server, n int) (request, bool) {
			_, i := at(n, 5)
			return request{"GET", "/collections/" + i.Collection + "/items/" + i.ID, nil, 200, false}, true
		}},
		{name: "j", title: "France + month, counted", compare: true, make: func(s server, n int) (request, bool) {
			random, _ := at(n, 6)
			body := object{"collections": []string{[]string{l1c, l2a}[n%2]}, "bbox": nearly(france, random), "limit": 1, "datetime": month(random)}
			if s.peers {
				body["conf"] = object{"context": "on"}
			}
			return search(body, true)
		}},
	}
	if len(fresh) > 0 {
		all = append(all, question{name: "k", title: "POST one item", make: func(s server, _ int) (request, bool) {
			n := posted.next(s.name)
			if n >= len(fresh) {
				return request{}, false
			}
			body := append([]byte(`{"links":[],`), fresh[n].line[1:]...) // the peer wants links
			return request{"POST", "/collections/" + fresh[n].Collection + "/items", body, 201, true}, true
		}, tidy: func(s server) error { return remove(s, fresh[:min(len(fresh), posted.next(s.name))]) }})
	}
	return all
}

// nearly moves a box by up to a tenth of a degree, so that no answer can be remembered.
func nearly(box []float64, random *rand.Rand) []float64 {
	moved := slices.Clone(box)
	for i := range moved {
		moved[i] += math.Round(2000*random.Float64()-1000) / 10000
	}
	return moved
}

func box(west, south, east, north float64) []float64 {
	return []float64{max(-180, west), max(-90, south), min(180, east), min(90, north)}
}

// remove takes items away again.
func remove(s server, items []sampleItem) error {
	response := fasthttp.AcquireResponse()
	defer fasthttp.ReleaseResponse(response)
	for _, i := range items {
		status, body, err := ask(s, request{method: "DELETE", path: "/collections/" + i.Collection + "/items/" + i.ID}, response)
		if err == nil && status >= 500 {
			err = fmt.Errorf("status %d: %.200s", status, body)
		}
		if err != nil {
			return fmt.Errorf("remove %s: %w", i.ID, err)
		}
	}
	return nil
}

// once counts for each server what can be asked once.
type once struct {
	mu   sync.Mutex
	used map[string]int
}

func (o *once) next(name string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.used == nil {
		o.used = map[string]int{}
	}
	o.used[name]++
	return o.used[name] - 1
}

// pages is how far question g has walked: it asks for the fiftieth page.
type pages struct{ next map[string]request }

func (p *pages) of(s server) (request, bool) { r, ok := p.next[s.name]; return r, ok }

// walk follows the links of 49 pages.
func (p *pages) walk(s server) (time.Duration, error) {
	begin := time.Now()
	r := request{"GET", "/search?collections=" + l1c + "&limit=100", nil, 200, false}
	response := fasthttp.AcquireResponse()
	defer fasthttp.ReleaseResponse(response)
	for page := 1; page < 50; page++ {
		status, body, err := ask(s, r, response)
		if err = check(r, status, body, err); err != nil {
			return 0, fmt.Errorf("page %d: %w", page, err)
		}
		var answer struct {
			Links []struct {
				Rel, Href, Method string
				Body              json.RawMessage
			}
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return 0, fmt.Errorf("page %d: %w", page, err)
		}
		found := false
		for _, l := range answer.Links {
			if l.Rel == "next" {
				found = true
				path, ok := strings.CutPrefix(l.Href, s.base)
				if !ok || l.Method == "POST" {
					return 0, fmt.Errorf("page %d: a next link to %s %s", page, l.Method, l.Href)
				}
				r.path = path
			}
		}
		if !found {
			return 0, fmt.Errorf("page %d is the last", page)
		}
	}
	p.next[s.name] = r
	return time.Since(begin), nil
}
