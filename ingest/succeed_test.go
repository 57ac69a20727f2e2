package ingest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"swath/internal/hubtest"
)

// TestSuccession: of a tile that was processed again the newest baseline lives and the others are deprecated, each with links to its
// neighbours; when the newest leaves, the one before lives again, and its bytes stay for the grace.
func TestSuccession(t *testing.T) {
	in := newIngester(t)
	m := &Mirrored{Ingester: in, Original: true}
	const (
		oldest  = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"
		middle  = "S2A_MSIL1C_20180629T000241_N0400_R030_T56JMM_20210629T012042"
		newest  = "S2A_MSIL1C_20180629T000241_N0500_R030_T56JMM_20230629T012042"
		another = "S2A_MSIL1C_20180629T000241_N0500_R030_T56JMN_20230629T012042"
	)
	add := func(name string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), name+".zip")
		if err := os.WriteFile(file, hubtest.Product(name+".SAFE", []byte(name)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, item, err := m.Add(t.Context(), file); err != nil || item != name {
			t.Fatal(item, err)
		}
	}
	says := func(name string, deprecated bool, before, after string) {
		t.Helper()
		it, err := in.Catalog.Item(t.Context(), "sentinel-2-l1c", name)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Properties struct{ Deprecated bool }
			Links      []struct{ Rel, Href string }
		}
		if err := json.Unmarshal(it.Body, &got); err != nil {
			t.Fatal(err)
		}
		links := map[string]string{}
		for _, l := range got.Links {
			links[l.Rel] = filepath.Base(l.Href)
		}
		if got.Properties.Deprecated != deprecated || links["predecessor-version"] != before || links["successor-version"] != after {
			t.Errorf("%s: deprecated %v, links %v", name, got.Properties.Deprecated, links)
		}
	}
	add(newest)
	add(oldest)
	add(another)
	says(newest, false, oldest, "")
	says(oldest, true, "", newest)
	says(another, false, "", "")
	add(middle)
	add(oldest)
	says(newest, false, middle, "")
	says(middle, true, oldest, newest)
	says(oldest, true, "", middle)
	it, err := in.Catalog.Item(t.Context(), "sentinel-2-l1c", newest)
	if err != nil {
		t.Fatal(err)
	}
	var held struct {
		Assets map[string]map[string]any
	}
	if err := json.Unmarshal(it.Body, &held); err != nil {
		t.Fatal(err)
	}
	object, _ := held.Assets["product"]["swath:object"].(string)
	if err := m.Remove(t.Context(), "sentinel-2-l1c", newest); err != nil {
		t.Fatal(err)
	}
	says(middle, false, oldest, "")
	if err := m.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Objects.Stat(t.Context(), object); err != nil {
		t.Errorf("within the grace: %v", err)
	}
	m.Grace = 1
	if err := m.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Objects.Stat(t.Context(), object); err == nil {
		t.Error("the bytes stay behind the grace")
	}
	if _, err := in.Objects.Stat(t.Context(), retirement{"sentinel-2-l1c", newest, "x"}.under(removed)); err == nil {
		t.Error("the record stays")
	}
}
