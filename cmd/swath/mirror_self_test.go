package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMirrorOfSwath: a running Swath is a hub of another: what it has, the other has byte for byte, and what it deletes leaves there.
func TestMirrorOfSwath(t *testing.T) {
	needsProgram(t)
	cut, err := os.ReadFile("../../testdata/scenes/" + mirrored + ".zip")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	product := filepath.Join(folder, mirrored+".zip")
	if err := os.WriteFile(product, mended(t, cut), 0o644); err != nil {
		t.Fatal(err)
	}
	from, to := dataFolder(t), dataFolder(t)
	if code, out, errs := swath(t, "ingest", "--data", from, product); code != exitDone {
		t.Fatalf("ingest: exit code %d\n%s%s", code, out, errs)
	}
	const user, password = "ada", "a password of Ada"
	add := program(t, "user", "add", user, "--data", from, "--password-stdin")
	add.Stdin = strings.NewReader(password)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("user add: %v\n%s", err, out)
	}
	hub, _ := serveData(t, from)
	config := filepath.Join(to, "swath.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `mirrors:
  - name: self
    hub: {type: cdse, catalogue: %q, token: %q, user: %q, password_env: TEST_HUB_PASSWORD}
    collection: SENTINEL-2
    area: [150, -35, 160, -25]
    since: 2015-01-01
`, hub, hub+"/auth/realms/CDSE/protocol/openid-connect/token", user), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_HUB_PASSWORD", password)
	once := func() {
		t.Helper()
		if code, out, errs := swath(t, "mirror", "--data", to, "--config", config, "--once"); code != exitDone {
			t.Fatalf("mirror: exit code %d\n%s%s", code, out, errs)
		}
	}
	once()
	const path = "/collections/sentinel-2-l1c/items/" + mirrored
	copied, server := serveData(t, to)
	sum := func(base string) any {
		t.Helper()
		status, item := getJSON(t, base+path)
		if status != http.StatusOK {
			t.Fatalf("%s: status %d", base, status)
		}
		return item["assets"].(map[string]any)["product"].(map[string]any)["file:checksum"]
	}
	if a, b := sum(hub), sum(copied); a != b || a == nil {
		t.Errorf("the copy has %v, the hub %v", b, a)
	}
	server.Process.Signal(os.Interrupt) //nolint:errcheck // it is waited for
	server.Wait()                       //nolint:errcheck // how it ended is not the question

	request, err := http.NewRequest(http.MethodDelete, hub+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if r.Body.Close(); r.StatusCode >= 300 {
		t.Fatalf("deletion: %s", r.Status)
	}
	if status, rows := getJSON(t, hub+"/odata/v1/DeletedProducts?$count=true"); status != http.StatusOK || rows["@odata.count"] != 1.0 {
		t.Errorf("deleted products: %d, %v", status, rows)
	}
	once()
	copied, _ = serveData(t, to)
	if status, _ := getJSON(t, copied+path); status != http.StatusNotFound {
		t.Errorf("a deleted product: status %d at the copy", status)
	}
}
