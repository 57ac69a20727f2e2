package statistics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"swath/catalog"
	"swath/internal/testdb"
	"swath/stac"
	"swath/statistics"
)

func pool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	p, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestNothingYet: the figures of an empty archive have the same members, lists that are empty among them: pages walk them.
func TestNothingYet(t *testing.T) {
	url := testdb.New(t)
	c, err := catalog.Open(t.Context(), url, catalog.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := statistics.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := s.Figures(t.Context(), func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "null") {
		t.Errorf("a member is null: %s", text)
	}
}

// TestFigures: what comes, changes and leaves is in the figures at once, folded or not; what is hidden is not, and what was asked and sent
// is there when it was written down.
func TestFigures(t *testing.T) {
	url := testdb.New(t)
	c, err := catalog.Open(t.Context(), url, catalog.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	put := func(collection, id, day, platform string, size int) {
		t.Helper()
		body := fmt.Sprintf(`{"type":"Feature","stac_version":"1.1.0","id":%q,"collection":%q,"geometry":null,"properties":{"datetime":"%sT00:00:00Z","platform":%q},
			"assets":{"product":{"href":"swath:/x","file:size":%d,"swath:object":"k"}}}`, id, collection, day, platform, size)
		if size == 0 {
			body = strings.Replace(body, `,"swath:object":"k"`, "", 1)
		}
		if _, err := c.PutItem(t.Context(), stac.Item{Collection: collection, ID: id, Body: json.RawMessage(body)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"open", "secret"} {
		body := fmt.Sprintf(`{"type":"Collection","stac_version":"1.1.0","id":%q,"description":"d","license":"other","extent":{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}},"links":[]}`, name)
		if err := c.PutCollection(t.Context(), stac.Collection{ID: name, Body: json.RawMessage(body)}); err != nil {
			t.Fatal(err)
		}
	}
	put("open", "a", "2024-01-01", "sentinel-2a", 100)
	put("open", "b", "2024-02-01", "sentinel-2b", 10)
	put("open", "bare", "2024-01-01", "sentinel-2a", 0)
	put("secret", "s", "2024-01-01", "sentinel-1a", 1000)
	put("open", "gone", "2023-01-01", "sentinel-2a", 7)
	if err := c.DeleteItem(t.Context(), "open", "gone"); err != nil {
		t.Fatal(err)
	}
	put("open", "b", "2024-03-01", "sentinel-2b", 20)

	look := func() statistics.Figures {
		t.Helper()
		s, err := statistics.Open(t.Context(), url, slog.New(slog.DiscardHandler)) // a new one remembers nothing
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		f, err := s.Figures(t.Context(), func(collection string) bool { return collection != "secret" })
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	s, err := statistics.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, state := range []string{"as it came", "folded", "folded twice"} {
		f := look()
		totals := fmt.Sprint(f.Products, f.Bytes, f.Collections, f.Missions)
		if want := "2 120 [{open 3 2 120}] [{sentinel-2a 0 1 100} {sentinel-2b 0 1 20}]"; totals != want {
			t.Errorf("%s: %s, want %s", state, totals, want)
		}
		months := map[string]int64{}
		for _, m := range f.Acquired.Months {
			months[m.When] = m.Bytes
		}
		if months["2024-01"] != 100 || months["2024-02"] != 0 || months["2024-03"] != 20 || months["2023-01"] != 0 {
			t.Errorf("%s: acquired %v", state, months)
		}
		if len(f.In.Days) != 1 || f.In.Days[0].Bytes != 137 || f.In.Days[0].Products != 4 {
			t.Errorf("%s: came in %+v", state, f.In.Days)
		}
		if err := s.Fold(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	s.Meter.Sent(t.Context(), 1, 5)
	s.Meter.Answered(t.Context(), time.Second)
	download := stac.WithDownload(context.Background(), stac.Download{Collection: "open", Platform: "sentinel-2a"})
	s.Meter.Sent(download, 1, 0)
	s.Meter.Sent(download, 0, 100)
	s.Meter.Answered(download, 3*time.Second)
	s.Meter.Sent(stac.WithDownload(context.Background(), stac.Download{Collection: "secret", Platform: "spot-5"}), 1, 1000)
	s.Meter.Sent(stac.WithDrawing(context.Background()), 2, 30)
	for range 2 { // the second has nothing to write
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f := look()
	want := fmt.Sprintf("{When:%d Requests:5 Bytes:1135 Downloads:2 DownloadBytes:1100 Drawn:2 DrawnBytes:30 MeanS:0.8}", time.Now().UTC().Year())
	if len(f.Out.Years) != 1 || fmt.Sprintf("%+v", f.Out.Years[0]) != want {
		t.Errorf("sent %+v", f.Out.Years)
	}
	r := f.Response
	if r.Requests != 5 || r.MeanS != 0.8 || r.Downloads != 2 || r.DownloadMeanS != 1.5 {
		t.Errorf("response %+v", r)
	}
	_, err = pool(t, url).Exec(t.Context(), `with o as (insert into stage_order (id, owner, lane, single) values ('o', 'u', 'user', false) returning id), c as (insert into copy (key, collection, item, bytes, sha256, content_type, modified, state) values ('k', 'open', 'a', 1, '', '', now(), 'online') returning key)
		insert into stage_request (order_id, key, asset, owner, lane, bytes, outcome, asked_at, done_at)
		select id, key, 'product', 'u', 'user', 1, 'served', now() - interval '1 minute', now() from o, c`)
	if err != nil {
		t.Fatal(err)
	}
	if r := look().Response; r.DownloadMeanS < 31.4 || r.DownloadMeanS > 31.6 {
		t.Errorf("with a minute of waiting for the archive: %+v", r)
	}
	if fmt.Sprint(f.Downloaded) != "[{open 0 1 100}]" {
		t.Errorf("downloaded %v", f.Downloaded)
	}
	s.Meter.Sent(stac.WithDownload(context.Background(), stac.Download{Collection: "open", Platform: "sentinel-2b"}), 2, 10)
	s.Meter.Sent(stac.WithDownload(context.Background(), stac.Download{Collection: "other", Platform: "sentinel-2b"}), 1, 1)
	s.Meter.Sent(stac.WithDownload(context.Background(), stac.Download{Collection: "other"}), 1, 3)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(look().DownloadedMissions); got != "[{sentinel-2b 0 3 11} { 0 1 3} {sentinel-2a 0 1 100}]" {
		t.Errorf("downloaded by mission %s", got)
	}
}
