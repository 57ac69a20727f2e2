package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"swath/ingest"
	"swath/internal/contract"
)

// TestOrdersContract holds orders, and what is said of archived files, against the OpenAPI document.
func TestOrdersContract(t *testing.T) {
	needsProgram(t)
	cfg, log := defaultConfig(), slog.New(slog.NewTextHandler(io.Discard, nil))
	cfg.Data, cfg.Archive = dataFolder(t), ArchiveConfig{Type: "sim", BatchWait: time.Nanosecond, Quota: ArchiveQuota{Files: 4}}
	s, err := openStores(t.Context(), cfg, log, owner)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	in := &ingest.Ingester{Objects: s.objects, Catalog: s.catalog, Work: s.work, Log: log}
	if _, err := in.Ingest(t.Context(), zip56JMM, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	m := migration{Policy: Policy{Collection: "sentinel-2-l1c", AfterDays: 1}, log: log}
	if err := m.run(t.Context(), s); err != nil || m.files != 14 {
		t.Fatal(m.files, err)
	}
	keeper := s.archivist(cfg, log)
	if err := keeper.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	client := contract.Client(t, newApp(s, cfg, log, nil, nil))
	if got := client.Get(item56JMM + "?f=html"); !strings.Contains(string(got.Body), "in the archive: orderable") {
		t.Errorf("the page of a cold item: %s", got.Body)
	}
	for filter, want := range map[string]int{"Online eq false": 1, "Online eq true": 0, "Online ne true and ContentLength gt 1000000": 1, "Online eq false and ContentLength gt 5000000": 0,
		"ContentLength le 1808322": 1, "ContentLength lt 1808322": 0, "DeletionCause eq 'Other'": 1, "Online eq false and Name eq 'x'": 0} {
		got := client.Get("/odata/v1/Products?" + url.Values{"$filter": {filter}, "$count": {"true"}}.Encode())
		if got.Status != 200 || strings.Count(string(got.Body), `"Online":`) != want || !strings.Contains(string(got.Body), fmt.Sprintf(`"@odata.count":%d`, want)) {
			t.Errorf("%s: %d %.300s", filter, got.Status, got.Body)
		}
	}
	if got := client.Get("/odata/v1/Products?" + url.Values{"$filter": {"Online eq true or Name eq 'a'"}}.Encode()); got.Status != 400 {
		t.Errorf("Online within or: %d %s", got.Status, got.Body)
	}
	id := path.Base(item56JMM)
	items := func(assets string) string {
		return `{"items":[{"collection":"sentinel-2-l1c","id":"` + id + `","assets":[` + assets + `]}]}`
	}
	for _, c := range []struct {
		method, target, body string
		want                 int
	}{
		{"GET", item56JMM, "", 200}, {"GET", "/search?ids=" + id, "", 200}, {"HEAD", item56JMM + "/assets/B04", "", 202},
		{"GET", item56JMM + "/assets/B04?order=false", "", 409}, {"GET", item56JMM + "/assets/B04", "", 202}, {"GET", item56JMM + "/assets/B04", "", 202},
		{"POST", "/orders", items(`"B02","B03"`), 201}, {"POST", "/orders", items(`"B01","B05"`), 429}, {"POST", "/orders", `{}`, 400}, {"POST", "/orders", `{"items":[],"x":1}`, 400},
		{"POST", "/orders", `{"search":{"ids":["none"]}}`, 409}, {"POST", "/orders", strings.Replace(items(`"B01"`), id, "none", 1), 404}, {"GET", "/orders", "", 401}, {"GET", "/orders/none", "", 404},
		{"DELETE", "/orders/none", "", 404}, {"GET", "/orders?limit=0", "", 401},
	} {
		got := client.Do(c.method, c.target, c.body)
		if got.Status != c.want {
			t.Errorf("%s %s %s: %d, want %d: %.300s", c.method, c.target, c.body, got.Status, c.want, got.Body)
		}
		if (got.Status == 202 || got.Status == 429) && got.Header.Get("Retry-After") == "" || got.Status == 202 && len(got.Body) > 0 {
			t.Errorf("%s %s: %v %q", c.method, c.target, got.Header, got.Body)
		}
	}
	link, _, _ := strings.Cut(strings.TrimPrefix(client.Get(item56JMM+"/assets/B04").Header.Get("Link"), "<"), ">")
	order := "/orders/" + path.Base(link)
	if got := client.Get(order); got.Status != 200 || !strings.Contains(string(got.Body), `"status":"ordered"`) {
		t.Errorf("%s: %d %s", order, got.Status, got.Body)
	}
	if err := keeper.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := client.Get(order); !strings.Contains(string(got.Body), `"status":"succeeded"`) {
		t.Errorf("%s: %s", order, got.Body)
	}
	for _, target := range []string{item56JMM, item56JMM + "/assets/B04", item56JMM + "?f=html"} {
		if got := client.Get(target); got.Status != 200 {
			t.Errorf("%s: %d", target, got.Status)
		}
	}
	if got := client.Do(http.MethodDelete, order, ""); got.Status != 204 {
		t.Errorf("DELETE: %d", got.Status)
	}
}
