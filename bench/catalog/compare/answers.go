package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/valyala/fasthttp"
)

// hasItem is a cheap look: an answer of items has a feature in it, one of collections a collection.
func hasItem(body []byte) bool {
	head := body[:min(len(body), 4096)]
	return bytes.Contains(head, []byte(`"Feature"`)) || bytes.Contains(head, []byte(`"Collection"`)) ||
		bytes.Contains(body, []byte(`"Feature"`)) || bytes.Contains(body, []byte(`"Collection"`))
}

// answer is what two servers must agree on.
type answer struct {
	ids     []string
	matched int // -1: not counted
}

func parseAnswer(body []byte) (answer, error) {
	var a struct {
		ID            string
		NumberMatched *int
		Features      []struct{ ID, Collection string }
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return answer{}, err
	}
	out := answer{matched: -1}
	if a.NumberMatched != nil {
		out.matched = *a.NumberMatched
	}
	if a.ID != "" {
		out.ids = append(out.ids, a.ID)
	}
	for _, f := range a.Features {
		out.ids = append(out.ids, f.Collection+"/"+f.ID)
	}
	return out, nil
}

// comparison is how the answers to one question agree.
type comparison struct {
	Question             string
	Asked, Same, Order   int // Order: the same items in another order
	CountsDiffer, Failed int
	Example              string // the first that differs
}

func compareAnswers(q question, servers []server, n int) comparison {
	c := comparison{Question: q.name}
	if !q.compare {
		return c
	}
	response := fasthttp.AcquireResponse()
	defer fasthttp.ReleaseResponse(response)
	for k := range n {
		var got [2]answer
		var last request
		failed := false
		for i, s := range servers {
			r, _ := q.make(s, 1_000_000+k)
			status, body, err := ask(s, r, response)
			if err == nil && status != r.status {
				err = fmt.Errorf("status %d: %.300s", status, body)
			}
			if err == nil {
				got[i], err = parseAnswer(body)
			}
			if err != nil {
				failed = true
				c.example(fmt.Sprintf("%s: %s %s: %v", s.name, r.path, r.body, err))
			}
			last = r
		}
		c.Asked++
		if failed {
			c.Failed++
			continue
		}
		if a, b := got[0].matched, got[1].matched; a >= 0 && b >= 0 && a != b {
			c.CountsDiffer++
			c.example(fmt.Sprintf("%s %s: %d and %d matched", last.path, last.body, a, b))
		}
		sorted := [2][]string{slices.Sorted(slices.Values(got[0].ids)), slices.Sorted(slices.Values(got[1].ids))}
		switch {
		case slices.Equal(got[0].ids, got[1].ids):
			c.Same++
		case slices.Equal(sorted[0], sorted[1]):
			c.Order++
		default:
			c.example(fmt.Sprintf("%s %s: only %s: %v, only %s: %v", last.path, last.body,
				servers[0].name, few(without(sorted[0], sorted[1])), servers[1].name, few(without(sorted[1], sorted[0]))))
		}
		if q.name == "a" || q.name == "f2" || q.name == "g" {
			break // there is only one of it
		}
	}
	return c
}

func (c *comparison) example(text string) {
	if c.Example == "" {
		c.Example = text
	}
}

func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// few names the first and says how many more there are.
func few(ids []string) string {
	if len(ids) < 2 {
		return fmt.Sprint(ids)
	}
	return fmt.Sprintf("[%s and %d more]", ids[0], len(ids)-1)
}
