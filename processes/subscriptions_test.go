package processes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"swath/auth"
	"swath/fault"
	"swath/processes"
	"swath/stac"
)

// putItem stores an item of a collection, with a file that a job can read.
func (h *house) putItem(t *testing.T, collection, id string, cloud int) {
	t.Helper()
	key := "products/" + collection + "/" + id + ".zip"
	info, err := h.config.Objects.Put(t.Context(), key, "application/zip", strings.NewReader("product "+id))
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"type":"Feature","stac_version":"1.1.0","id":%q,"collection":%q,"geometry":{"type":"Point","coordinates":[1,43]},"bbox":[1,43,1,43],
		"properties":{"datetime":"2024-06-%02dT10:00:00Z","eo:cloud_cover":%d},"links":[],"assets":{"product":{"href":"x","swath:object":%q,"file:size":%d}}}`,
		id, collection, 1+cloud%28, cloud, key, info.Size)
	if _, err := h.catalog.PutItem(t.Context(), stac.Item{Collection: collection, ID: id, Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
}

// beside opens another process over the same database and objects.
func (h *house) beside(t *testing.T, change func(*processes.Config)) *house {
	t.Helper()
	other, err := openHouse(t.Context(), h.url, h.data, change)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.engine.Close(); other.catalog.Close() })
	return other
}

func (h *house) putCollection(t *testing.T, id string) {
	t.Helper()
	body := fmt.Sprintf(`{"type":"Collection","stac_version":"1.1.0","id":%q,"description":"d","license":"other","links":[],"extent":{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}}}`, id)
	if err := h.catalog.PutCollection(t.Context(), stac.Collection{ID: id, Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
}

// until waits for the figures of a subscription.
func (h *house) until(t *testing.T, ctx context.Context, id string, there func(processes.Subscription) bool) processes.Subscription {
	t.Helper()
	var s processes.Subscription
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(100 * time.Millisecond) {
		var err error
		if s, err = h.engine.Subscription(ctx, id); err != nil {
			t.Fatal(err)
		}
		if there(s) {
			return s
		}
	}
	t.Fatalf("figures stay at %+v", s.Figures)
	return s
}

func TestSubscription(t *testing.T) {
	var barred atomic.Bool
	h := newHouse(t, false, nil)
	with := func(c *processes.Config) {
		c.Arrivals = h.catalog
		c.As = func(ctx context.Context, account string) (context.Context, error) {
			if barred.Load() {
				return nil, fault.New(fault.Unauthenticated, "no such account")
			}
			return stac.WithScope(auth.With(ctx, auth.Principal{User: account, Role: auth.Centre}), stac.Hiding("secret")), nil
		}
	}
	// Two processes at it, as in an installation with several servers.
	first := h.beside(t, with)
	second := h.beside(t, with)
	first.work(t)
	second.work(t)
	centre := as(t.Context(), "theia", auth.Centre)
	for _, c := range []string{"s2", "other", "secret"} {
		h.putCollection(t, c)
	}
	h.putItem(t, "s2", "before", 3)

	for name, tc := range map[string]struct {
		s    processes.Subscription
		says string
	}{
		"no process":     {processes.Subscription{Process: "x"}, "process"},
		"no search":      {processes.Subscription{Process: "echo"}, "search"},
		"all":            {processes.Subscription{Process: "echo", Search: json.RawMessage(`{}`)}, "collections"},
		"another input":  {processes.Subscription{Process: "echo", Input: "stringInput", Search: json.RawMessage(`{"collections":["s2"]}`)}, "productInput"},
		"wrong input":    {processes.Subscription{Process: "echo", Search: json.RawMessage(`{"collections":["s2"]}`), Request: asked(t, `{"doubleInput":"x"}`)}, "doubleInput"},
		"twice":          {processes.Subscription{Process: "echo", Search: json.RawMessage(`{"collections":["s2"]}`), Request: asked(t, `{"productInput":"x"}`)}, "productInput"},
		"not its filter": {processes.Subscription{Process: "echo", Search: json.RawMessage(`{"collections":["s2"],"filter":"a ="}`)}, ""},
	} {
		if _, err := first.engine.Subscribe(centre, tc.s); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want one that says %q", name, err, tc.says)
		}
	}
	s, err := first.engine.Subscribe(centre, processes.Subscription{Name: "clear", Process: "echo", Request: asked(t, `{"stringInput":"hello"}`),
		Search: json.RawMessage(`{"collections":["s2","secret"],"filter":{"op":"<","args":[{"property":"eo:cloud_cover"},20]},"filter-lang":"cql2-json"}`)})
	if err != nil || s.Input != "productInput" {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := first.engine.Subscription(as(t.Context(), "ann", auth.Centre), s.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("others see it: %v", err)
	}

	for i := range 20 {
		h.putItem(t, "s2", fmt.Sprint("clear-", i), i)
		h.putItem(t, "s2", fmt.Sprint("cloudy-", i), 20+i)
		h.putItem(t, "other", fmt.Sprint("clear-", i), i)
		h.putItem(t, "secret", fmt.Sprint("hidden-", i), i)
	}
	s = first.until(t, centre, s.ID, func(s processes.Subscription) bool { return s.Figures.Jobs[processes.Successful] >= 20 })
	h.putItem(t, "s2", "clear-1", 1) // again: it is no new item
	if s, err = first.engine.PauseSubscription(centre, s.ID, true); err != nil || !s.Paused {
		t.Fatalf("%+v, %v", s, err)
	}
	h.putItem(t, "s2", "late", 2)
	first.until(t, centre, s.ID, func(s processes.Subscription) bool { return s.Figures.Waiting == 1 })
	time.Sleep(time.Second)
	if s = first.until(t, centre, s.ID, func(processes.Subscription) bool { return true }); s.Figures.Matched != 21 || s.Figures.Jobs[processes.Successful] != 20 {
		t.Errorf("while paused: %+v", s.Figures)
	}
	if _, err := first.engine.PauseSubscription(centre, s.ID, false); err != nil {
		t.Fatal(err)
	}
	since, until := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 6, 30, 0, 0, 0, 0, time.UTC)
	if _, err := first.engine.Backfill(centre, s.ID, since, until); err != nil {
		t.Fatal(err)
	}
	s = first.until(t, centre, s.ID, func(s processes.Subscription) bool {
		return s.Figures.Jobs[processes.Successful] == 22 && s.Figures.Backfills == 0
	})
	page, err := first.engine.Jobs(centre, processes.JobFilter{Subscription: s.ID, Limit: 100})
	if err != nil || len(page.Jobs) != 22 {
		t.Fatalf("%d jobs, %v", len(page.Jobs), err)
	}
	items := map[string]int{}
	for _, j := range page.Jobs {
		items[string(j.Request.Inputs["productInput"])]++
		if string(j.Request.Inputs["stringInput"]) != `"hello"` || j.Owner != "theia" {
			t.Errorf("job %+v", j.Request)
		}
	}
	if len(items) != 22 || items[`{"item": "before", "collection": "s2"}`] != 1 {
		t.Errorf("items %v", items)
	}

	barred.Store(true)
	h.putItem(t, "s2", "after", 1)
	if s = first.until(t, centre, s.ID, func(s processes.Subscription) bool { return s.Paused }); !strings.Contains(s.Reason, "no such account") {
		t.Errorf("paused for %q", s.Reason)
	}
	if err := first.engine.Unsubscribe(centre, s.ID); err != nil {
		t.Error(err)
	}
	if all, err := first.engine.Subscriptions(centre); err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
}
