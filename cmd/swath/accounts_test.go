package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestAccountsOfASite walks through what an operator and the people of a site do, beside a running server: accounts, keys, a private
// collection, quotas, what was sent, links, and that a person is forgotten.
func TestAccountsOfASite(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	if code, out, errs := swath(t, "ingest", "--data", data, scenes+"/barbellino"); code != exitDone {
		t.Fatalf("ingest: exit code %d\n%s%s", code, out, errs)
	}
	config := filepath.Join(t.TempDir(), "swath.yaml")
	if err := os.WriteFile(config, []byte("accounts: {quotas: {centre: {downloads: 2}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	base, server := serveData(t, data, "--config", config)
	run := func(want int, args ...string) (out, errs string) {
		t.Helper()
		code, out, errs := swath(t, append(args, "--data", data)...)
		if code != want {
			t.Fatalf("swath %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, out, errs)
		}
		return out, errs
	}
	key := func(name string) (key, access, secret string) {
		t.Helper()
		out, errs := run(exitDone, "token", "create", "--user", name)
		pair := regexp.MustCompile(`access key (\S+) and secret key (\S+)`).FindStringSubmatch(errs)
		if pair == nil {
			t.Fatalf("no access key in %q", errs)
		}
		return strings.TrimSpace(out), pair[1], pair[2]
	}
	get := func(path, key string) (*http.Response, []byte) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			req.Header.Set("X-API-Key", key)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, body
	}

	run(exitDone, "user", "add", "ada", "--role", "reader", "--email", "ada@example.org", "--country", "fr")
	run(exitDone, "user", "add", "bob", "--role", "centre")
	run(exitDone, "user", "add", "carol")
	run(exitFailed, "user", "add", "ada")
	run(exitWrongUse, "user", "add", "dan", "--role", "king")
	run(exitWrongUse, "user", "role", "ada")
	run(exitFailed, "user", "role", "nobody", "admin")
	run(exitWrongUse, "user", "delete", "ada")
	run(exitDone, "user", "quota", "carol", "--bytes-a-day", "1K")
	ada, access, secret := key("ada")
	bob, _, _ := key("bob")
	carol, _, _ := key("carol")
	run(exitDone, "access", "private", "barbellino")
	run(exitDone, "access", "grant", "barbellino", "--user", "ada")
	run(exitDone, "access", "grant", "barbellino", "--role", "reader")
	run(exitDone, "access", "withdraw", "barbellino", "--role", "reader")
	run(exitDone, "access", "grant", "barbellino", "--user", "carol")
	run(exitFailed, "access", "grant", "none", "--user", "ada")
	if out, _ := run(exitDone, "access", "list"); !strings.Contains(out, "ada") || strings.Contains(out, "readers") {
		t.Errorf("access list: %s", out)
	}
	within(t, 15*time.Second, "the collection is private", func() bool {
		resp, _ := get("/collections/barbellino", "")
		return resp.StatusCode == 404
	})

	var page struct {
		Features []struct {
			ID     string
			Assets map[string]struct {
				Href string
				Size int64 `json:"file:size"`
			}
		}
	}
	if _, body := get("/collections/barbellino/items", ada); json.Unmarshal(body, &page) != nil || len(page.Features) == 0 {
		t.Fatalf("ada sees %s", body)
	}
	item := page.Features[0]
	asset, path, size := "", "", int64(0)
	for name, a := range item.Assets {
		if a.Size > 1000 && strings.HasPrefix(a.Href, base) {
			asset, path, size = name, strings.TrimPrefix(a.Href, base), a.Size
		}
	}
	if resp, body := get(path, ada); resp.StatusCode != 200 || int64(len(body)) != size {
		t.Fatalf("%s: %s, %d bytes of %d", path, resp.Status, len(body), size)
	}
	for _, who := range []string{"", bob} {
		if resp, body := get(path, who); resp.StatusCode != 404 {
			t.Errorf("%s as %.6q: %s %s", path, who, resp.Status, body)
		}
	}
	first, _ := get(path, carol)
	second, body := get(path, carol)
	if first.StatusCode != 200 || second.StatusCode != 429 || second.Header.Get("Retry-After") == "" {
		t.Errorf("carol's quota: %s, then %s %s", first.Status, second.Status, body)
	}

	if python := os.Getenv("SWATH_PYTHON"); python == "" {
		t.Log("without SWATH_PYTHON boto3 signs no links")
	} else if out, err := exec.Command(python, "testdata/links.py", base, access, secret, "barbellino", item.ID, asset, jsonOf(t, size)).CombinedOutput(); err != nil {
		t.Errorf("links.py: %v\n%s", err, out)
	}
	out, _ := run(exitDone, "token", "list", "--user", "ada")
	if !strings.Contains(out, access) {
		t.Errorf("token list: %s", out)
	}

	server.Process.Signal(os.Interrupt) //nolint:errcheck // it is waited for
	if err := server.Wait(); err != nil {
		t.Error(err)
	}
	var exported struct {
		Account struct{ Email, Country string }
		Use     []struct{ Bytes, Downloads, Requests int64 }
	}
	out, _ = run(exitDone, "user", "export", "ada")
	if err := json.Unmarshal([]byte(out), &exported); err != nil || exported.Account.Email != "ada@example.org" || exported.Account.Country != "FR" || len(exported.Use) != 1 ||
		exported.Use[0].Downloads < 1 || exported.Use[0].Bytes < size || exported.Use[0].Bytes > 3*size+100_000 {
		t.Errorf("what ada used, after the server has stopped: %v\n%s", err, out)
	}
	run(exitDone, "token", "revoke", ada)
	run(exitDone, "user", "delete", "ada", "--yes")
	if out, _ = run(exitDone, "user", "list", "--json"); strings.Contains(out, "ada") || !strings.Contains(out, "erased") {
		t.Errorf("after ada was deleted: %s", out)
	}
}

// within waits until something is so.
func within(t *testing.T, patience time.Duration, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after %s", what, patience)
		}
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
