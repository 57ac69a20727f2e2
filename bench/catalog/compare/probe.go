package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"

	"github.com/valyala/fasthttp"
)

// probeItem is what a probe looks at.
type probeItem struct {
	ID         string
	BBox       []float64
	Properties map[string]any
}

// probe questions have answers that can be judged by looking at them.
type probeQuestion struct {
	title string
	request
	right func([]probeItem) error // for a status of 200
}

type probeResult struct{ Server, Probe, Wrong string } // Wrong: empty when right

func searchBody(v object) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return body
}

func number(i probeItem, name string) float64 {
	if v, ok := i.Properties[name].(float64); ok {
		return v
	}
	return math.NaN()
}

func every(test func(probeItem) bool) func([]probeItem) error {
	return func(items []probeItem) error {
		if len(items) == 0 {
			return fmt.Errorf("no item")
		}
		for _, i := range items {
			if !test(i) {
				return fmt.Errorf("%s does not belong there: box %v", i.ID, i.BBox)
			}
		}
		return nil
	}
}

// probes are the questions that the peer is known to answer wrongly, at its defaults.
var probes = []probeQuestion{
	{"sort by cloud cover is by number", request{"POST", "/search", searchBody(object{"collections": []string{l2a}, "limit": 200, "bbox": france,
		"datetime": "2019-01-01T00:00:00Z/2024-12-31T23:59:59Z", "sortby": []object{{"field": "properties.eo:cloud_cover", "direction": "asc"}}}), 200, false},
		func(items []probeItem) error {
			if !slices.IsSortedFunc(items, func(a, b probeItem) int {
				return int(math.Copysign(1, number(a, "eo:cloud_cover")-number(b, "eo:cloud_cover")))
			}) {
				return fmt.Errorf("begins %v, %v, %v", number(items[0], "eo:cloud_cover"), number(items[1], "eo:cloud_cover"), number(items[2], "eo:cloud_cover"))
			}
			return nil
		}},
	{"a box over the antimeridian", request{"GET", "/search?limit=50&bbox=178,-20,-178,-14", nil, 200, false}, every(func(i probeItem) bool {
		b := i.BBox
		return b[3] >= -20 && b[1] <= -14 && (b[0] > b[2] || b[2] >= 178 || b[0] <= -178)
	})},
	{"arithmetic in CQL2", request{"GET", "/search?limit=10&collections=" + l2a + "&filter-lang=cql2-text&filter=" +
		url.QueryEscape(`"s2:vegetation_percentage" + "s2:water_percentage" > 60`), nil, 200, false},
		every(func(i probeItem) bool {
			return number(i, "s2:vegetation_percentage")+number(i, "s2:water_percentage") > 60
		})},
	{"property against property", request{"GET", "/search?limit=100&collections=" + l2a + "&filter-lang=cql2-text&filter=" +
		url.QueryEscape(`"s2:not_vegetated_percentage" > "s2:cloud_shadow_percentage"`), nil, 200, false},
		every(func(i probeItem) bool {
			return number(i, "s2:not_vegetated_percentage") > number(i, "s2:cloud_shadow_percentage")
		})},
	{"a box with heights", request{"GET", "/search?limit=10&bbox=0,40,0,10,50,1000", nil, 200, false},
		every(func(i probeItem) bool { b := i.BBox; return b[0] <= 10 && b[2] >= 0 && b[1] <= 50 && b[3] >= 40 })},
	{"query and filter together are both obeyed or refused", request{"POST", "/search", searchBody(object{"limit": 10, "query": object{"eo:cloud_cover": object{"lt": 10}},
		"filter-lang": "cql2-json", "filter": op(">", "s2:vegetation_percentage", 50)}), 0, false},
		every(func(i probeItem) bool {
			return number(i, "eo:cloud_cover") < 10 && number(i, "s2:vegetation_percentage") > 50
		})},
}

func probe(s server) (results []probeResult) {
	response := fasthttp.AcquireResponse()
	defer fasthttp.ReleaseResponse(response)
	for _, p := range probes {
		result := probeResult{Server: s.name, Probe: p.title}
		status, body, err := ask(s, p.request, response)
		if err != nil {
			status, body, err = ask(s, p.request, response) // after an internal error a server may close the connection
		}
		var answer struct{ Features []probeItem }
		switch {
		case err != nil:
			result.Wrong = err.Error()
		case p.status == 0 && status == 400:
		case status != 200:
			result.Wrong = fmt.Sprintf("status %d", status)
		default:
			if err = json.Unmarshal(body, &answer); err == nil {
				err = p.right(answer.Features)
			}
			if err != nil {
				result.Wrong = err.Error()
			}
		}
		results = append(results, result)
	}
	return results
}
