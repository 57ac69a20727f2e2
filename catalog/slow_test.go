package catalog

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"swath/internal/testdb"
	"swath/stac"
	"swath/stac/cql2"
)

// TestSlowSearchesAreLogged: with their route, statement and plan, without the values asked for in the statement, and not all of them.
func TestSlowSearchesAreLogged(t *testing.T) {
	s, err := Open(t.Context(), testdb.New(t), Config{SlowSearch: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.PutCollection(t.Context(), titled("a")); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	filter, err := cql2.ParseText(`"eo:cloud_cover" < 12.25 and secret like '%nobody%'`)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := s.Search(t.Context(), stac.Search{Filter: filter}); err != nil {
			t.Fatal(err)
		}
	}
	text := log.String()
	if n := strings.Count(text, "slow search"); n != 1 {
		t.Errorf("%d searches were logged, want 1:\n%s", n, text)
	}
	for _, want := range []string{"route=walk", "i.cc <", "Index", "dur="} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "nobody") {
		t.Errorf("the log repeats what was asked:\n%s", text)
	}
}
