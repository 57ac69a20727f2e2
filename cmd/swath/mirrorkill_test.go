package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"swath/internal/hubtest"
	"swath/internal/testdb"
)

// TestMirrorKilled: a mirror of a hub that fails in every way, killed at random moments while it comes and after everything changed, ends
// with the catalog as the hub is, every object whole, in few bytes and, all counted, three requests a product and one for 100 rows. With SWATH_TEST_LONG=1 these are 1,000 products and 50 kills.
func TestMirrorKilled(t *testing.T) {
	needsProgram(t)
	products, kills, longest := 60, 6, 600*time.Millisecond
	if os.Getenv("SWATH_TEST_LONG") == "1" {
		products, kills, longest = 1000, 50, 3*time.Second
	}
	whole, _ := mirrorKilled(t, products, 0, longest, hubtest.None)
	hub, starts := mirrorKilled(t, products, kills, longest, hubtest.Nasty)
	clean, spent, lists, rows := whole.Bytes.Load(), hub.Bytes.Load(), hub.Lists.Load(), hub.Rows.Load()
	others := hub.Requests.Load() - lists
	t.Logf("%d products, %d kills, %d starts: %d bytes, %.2f times those of a clean run; %.2f requests a product beside %d for lists of %d rows", products, kills, starts, spent,
		float64(spent)/float64(clean), float64(others)/float64(products), lists, rows)
	if float64(spent) > 1.6*float64(clean) {
		t.Errorf("%d bytes, of a clean run %d", spent, clean)
	}
	// Tokens, redirects, refusals, and what was begun again when it was killed are requests, too. A page has 100 rows; whoever starts looks at
	// the three lists and at the days, whatever is in them, which is little only where there are many products.
	most := int64(3*products) + rows/100
	if products < 1000 {
		most += int64(4 * starts)
	}
	if others+lists > most {
		t.Errorf("%d requests, %d of them for lists of %d rows: more than %d", others+lists, lists, rows, most)
	}
}

// mirrorKilled keeps a mirror by processes that are killed, and compares its end with the truth.
func mirrorKilled(t *testing.T, products, kills int, longest time.Duration, profile hubtest.Profile) (s *hubtest.Server, starts int) {
	t.Helper()
	archive := hubtest.NewArchive(21, products, hubtest.Nasty)
	s = hubtest.Serve(t, archive, hubtest.Options{Seed: 13, Profile: profile})
	data, database := dataFolder(t), testdb.New(t)
	config := filepath.Join(data, "swath.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `mirrors:
  - name: killed
    hub: {type: cdse, catalogue: %q, download: %q, token: %q, user: %q, password_env: TEST_HUB_PASSWORD, page: 100, retry: 5ms}
    since: 2015-01-01
    originals: true
    sweep_days: 35
    backoff: 20ms
    stall: 300ms
`, s.Catalogue, "http://"+s.Download, s.Token, hubtest.User), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_HUB_PASSWORD", hubtest.Password)
	arguments := []string{"mirror", "--data", data, "--database", database, "--config", config, "--once"}
	random := rand.New(rand.NewPCG(5, 5))
	once := func(kills int) {
		for {
			c := program(t, arguments...)
			var errs bytes.Buffer
			c.Stderr = &errs
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			starts++
			killed := false
			if kills > 0 {
				kills--
				killed = true
				timer := time.AfterFunc(longest/15+time.Duration(random.Int64N(int64(longest))), func() { c.Process.Kill() }) //nolint:errcheck // it may have ended
				defer timer.Stop()
			}
			err := c.Wait()
			if code := c.ProcessState.ExitCode(); code == 0 || code == 3 {
				if kills > 0 {
					continue // it was quicker than its end: looking again may be killed, too
				}
				return
			} else if !killed {
				t.Fatalf("%v\n%s", err, errs.String())
			}
		}
	}
	once((kills + 1) / 2)
	archive.Live()
	once(kills / 2)
	t.Logf("requests by kind and status: %v", s.Asked())
	sameAsHub(t, archive, data, database)
	if left, err := os.ReadDir(filepath.Join(data, "work", "mirror", "killed")); err != nil || len(left) > 0 {
		t.Errorf("%d folders of parts stay, %v", len(left), err)
	}
	return s, starts
}

// sameAsHub compares what a catalog holds with what the hub has, product by product and byte by byte.
func sameAsHub(t *testing.T, archive *hubtest.Archive, data, database string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "all.ndjson")
	if code, out, errs := swath(t, "export", "--data", data, "--database", database, "-o", file); code != 0 {
		t.Fatalf("export: %d\n%s%s", code, out, errs)
	}
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	truth, outdated := archive.Sound(), archive.Outdated()
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var item struct {
			ID         string
			Properties struct{ Deprecated bool }
			Assets     map[string]struct {
				Checksum string `json:"file:checksum"`
				Size     int    `json:"file:size"`
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
			t.Fatal(err)
		}
		want, is := truth[item.ID]
		if !is {
			t.Errorf("%s is here and not at the hub, or twice", item.ID)
			continue
		}
		sum := sha256.Sum256(want)
		if got := item.Assets["product"]; got.Checksum != "1220"+hex.EncodeToString(sum[:]) || got.Size != len(want) {
			t.Errorf("%s has other bytes", item.ID)
		}
		if is := slices.Contains(outdated, item.ID); is != item.Properties.Deprecated {
			t.Errorf("%s: deprecated is %t, want %t", item.ID, item.Properties.Deprecated, is)
		}
		delete(truth, item.ID)
	}
	if len(truth) > 0 {
		t.Errorf("%d products of the hub are not here", len(truth))
	}
	if code, out, errs := swath(t, "check", "--data", data, "--database", database, "--deep"); code != 0 {
		t.Errorf("check: %d\n%s%s", code, out, errs)
	} else if strings.Contains(out, "missing") {
		t.Log(out)
	}
}
