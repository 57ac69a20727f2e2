package mirrorhttp_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"swath/httpkit"
	"swath/ingest/mirrorhttp"
)

// TestHook: who knows the path and its account lets a mirror look at its hub's lists, nobody else does, and the path is in no log.
func TestHook(t *testing.T) {
	const secret = "a-secret-path-of-many-letters"
	var log bytes.Buffer
	var hinted []string
	app := httpkit.New(httpkit.Config{Metrics: prometheus.NewRegistry(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	api := mirrorhttp.API{Hooks: []mirrorhttp.Hook{{Mirror: "other", Secret: "another", User: "x", Password: "y"}, {Mirror: "s2", Secret: secret, User: "hub", Password: "it's:me"}},
		Hint: func(_ context.Context, mirror string) error {
			hinted = append(hinted, mirror)
			return nil
		}}
	api.Frame(app)
	api.Mount(app)
	for _, c := range []struct {
		method, path, user, password string
		want                         int
	}{
		{"POST", "/hooks/" + secret, "hub", "it's:me", 204},
		{"POST", "/hooks/" + secret, "hub", "wrong", 401},
		{"POST", "/hooks/" + secret, "x", "y", 401},
		{"POST", "/hooks/" + secret, "", "", 401},
		{"POST", "/hooks/" + secret[1:], "hub", "it's:me", 404},
		{"POST", "/hooks/", "hub", "it's:me", 404},
		{"GET", "/hooks/" + secret, "hub", "it's:me", 405},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(strings.Repeat(`{"value":`, 1000)))
		if c.user != "" {
			r.SetBasicAuth(c.user, c.password)
		}
		answer, err := app.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != c.want {
			t.Errorf("%s %s as %q: %d %s, want %d (%s)", c.method, c.path, c.user, answer.StatusCode, http.StatusText(answer.StatusCode), c.want, body)
		}
	}
	if len(hinted) != 1 || hinted[0] != "s2" {
		t.Errorf("hinted at %v", hinted)
	}
	if strings.Contains(log.String(), secret[1:]) || !strings.Contains(log.String(), "/hooks") {
		t.Errorf("the log: %s", log.String())
	}
}
