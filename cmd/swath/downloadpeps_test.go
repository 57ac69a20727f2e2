package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// heritage are products such as PEPS held, about Toulouse.
var heritage = []struct {
	collection, id, datetime, platform, tile, kind string
	relative, absolute, cloud                      int
	lon                                            float64
}{
	{"sentinel-2-l1c", "S2A_MSIL1C_20170105T105429_N0204_R051_T31TCJ_20170105T105425", "2017-01-05T10:54:29Z", "sentinel-2a", "31TCJ", "S2MSI1C", 51, 8042, 12, 1.3},
	{"sentinel-2-l1c", "S2A_MSIL1C_20170112T104411_N0204_R008_T31TCJ_20170112T104412", "2017-01-12T10:44:11Z", "sentinel-2a", "31TCJ", "S2MSI1C", 8, 8142, 80, 1.3},
	{"sentinel-2-l1c", "S2A_MSIL1C_20170201T104251_N0204_R008_T31TCJ_20170201T104245", "2017-02-01T10:42:51Z", "sentinel-2a", "31TCJ", "S2MSI1C", 8, 8428, 3, 1.3},
	{"sentinel-2-l1c", "S2A_MSIL1C_20170105T105429_N0204_R051_T30TYP_20170105T105425", "2017-01-05T10:54:29Z", "sentinel-2a", "30TYP", "S2MSI1C", 51, 8042, 5, -0.2},
	{"sentinel-2-l1c", "S2A_OPER_PRD_MSIL1C_PDMC_20151111T165810_R051_V20151110T105233", "2015-11-10T10:52:33Z", "sentinel-2a", "31TCJ", "S2MSI1C", 51, 2022, 7, 1},
	{"sentinel-2-l1c", "S2A_OPER_PRD_MSIL1C_PDMC_20151121T165810_R008_V20151120T105233", "2015-11-20T10:52:33Z", "sentinel-2a", "31TCJ", "S2MSI1C", 8, 2165, 7, 1},
	{"sentinel-1-grd", "S1A_IW_GRDH_1SDV_20151103T060000_20151103T060025_008423_00BE5C_1111", "2015-11-03T06:00:00Z", "sentinel-1a", "", "GRD", 126, 8423, -1, 1.4},
	{"sentinel-1-slc", "S1A_IW_SLC__1SDV_20151103T060000_20151103T060027_008423_00BE5C_2222", "2015-11-03T06:00:00Z", "sentinel-1a", "", "SLC", 126, 8423, -1, 1.4},
	{"sentinel-1-grd", "S1A_IW_GRDH_1SDV_20151203T060000_20151203T060025_008860_00BE5C_3333", "2015-12-03T06:00:00Z", "sentinel-1a", "", "GRD", 38, 8860, -1, 1.4},
	{"spot-swh-l1a", "SPOT4_HRVIR1_XS_20060101_1", "2006-01-01T10:30:00Z", "spot-4", "", "SWH1A", 0, 0, -1, 1.4},
	{"spot-swh-l1a", "SPOT5_HRG1_XS_20060101_1", "2006-01-01T10:30:00Z", "spot-5", "", "SWH1A", 0, 0, -1, 1.4},
}

// writeHeritage writes them as items with their zips.
func writeHeritage(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for _, p := range heritage {
		dir := filepath.Join(folder, p.id)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, "original"))
		if err != nil {
			t.Fatal(err)
		}
		w := zip.NewWriter(f)
		for _, name := range []string{"manifest.safe", "data/a.bin"} {
			one, err := w.Create(p.id + ".SAFE/" + name)
			if err == nil {
				_, err = fmt.Fprintln(one, name, p.id)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		properties := map[string]any{"datetime": p.datetime, "platform": p.platform, "product:type": p.kind, "title": "Toulouse"}
		for name, value := range map[string]int{"sat:relative_orbit": p.relative, "sat:absolute_orbit": p.absolute, "eo:cloud_cover": p.cloud} {
			if value > 0 {
				properties[name] = value
			}
		}
		if p.tile != "" {
			properties["grid:code"] = "MGRS-" + p.tile
		}
		if p.collection[:4] == "sent" {
			properties["constellation"] = p.platform[:len("sentinel-1")]
			properties["sar:instrument_mode"] = "IW"
		}
		w0, e0 := p.lon-0.3, p.lon+0.3
		item, err := json.Marshal(map[string]any{"type": "Feature", "stac_version": "1.1.0", "id": p.id, "collection": p.collection, "bbox": []float64{w0, 43.2, e0, 43.8}, "links": []any{}, "properties": properties,
			"geometry": map[string]any{"type": "Polygon", "coordinates": [][][2]float64{{{w0, 43.2}, {e0, 43.2}, {e0, 43.8}, {w0, 43.8}, {w0, 43.2}}}},
			"assets":   map[string]any{"product": map[string]any{"href": "original", "type": "application/zip", "roles": []string{"source"}}}})
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "item.json"), item, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// resto finds and fetches products as peps_download.py does: by resto's search, what it then leaves out itself, and resto's download.
func resto(t *testing.T, base, user, password, collection, query string, keep func(name string, cloud float64, orbit int) bool) (sums map[string]string) {
	t.Helper()
	sums = map[string]string{}
	status, page := getJSON(t, base+"/resto/api/collections/"+collection+"/search.json?"+query+"&maxRecords=500")
	if status != http.StatusOK {
		t.Fatalf("resto: %d %v", status, page)
	}
	for _, one := range page["features"].([]any) {
		feature := one.(map[string]any)
		p := feature["properties"].(map[string]any)
		name := p["productIdentifier"].(string)
		if !keep(name, p["cloudCover"].(float64), int(p["orbitNumber"].(float64))) {
			continue
		}
		q, err := http.NewRequest(http.MethodGet, base+"/resto/collections/"+collection+"/"+feature["id"].(string)+"/download/?issuerId=peps", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.SetBasicAuth(user, password)
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK || n != int64(p["resourceSize"].(float64)) {
			t.Fatalf("%s: %d, %d bytes, %v", name, r.StatusCode, n, err)
		}
		sums[name+".zip"] = hex.EncodeToString(h.Sum(nil))
	}
	return sums
}

// TestPepsLines: the example lines of peps_download.py, its program's name changed, give the files that it gets from the same server.
func TestPepsLines(t *testing.T) {
	needsProgram(t)
	data := dataFolder(t)
	if code, out, errs := swath(t, "ingest", "--data", data, writeHeritage(t)); code != exitDone {
		t.Fatalf("ingest: exit code %d\n%s%s", code, out, errs)
	}
	const user, password = "ada", "secret-of-ada"
	add := program(t, "user", "add", user, "--data", data, "--password-stdin")
	add.Stdin = strings.NewReader(password)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("user add: %v\n%s", err, out)
	}
	base, _ := serveData(t, data)
	t.Setenv("SWATH_URL", base)
	account := filepath.Join(t.TempDir(), "peps.txt")
	if err := os.WriteFile(account, []byte(user+" "+password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := func(string, float64, int) bool { return true }
	for _, c := range []struct {
		line, collection, query string
		keep                    func(name string, cloud float64, orbit int) bool
		files                   int
	}{
		{"-c S2ST -l Toulouse -d 2017-01-01 -f 2017-02-01", "S2ST", "q=Toulouse&startDate=2017-01-01&completionDate=2017-02-01", all, 3},
		{"-c S2ST -t 31TCJ -d 2017-01-01 -f 2017-02-01", "S2ST", "tileid=31TCJ&startDate=2017-01-01&completionDate=2017-02-01", all, 2},
		{"-c S2ST --lon 1 --lat 43.5 -d 2015-11-01 -f 2015-12-01 -o 51", "S2ST", "lat=43.500000&lon=1.000000&startDate=2015-11-01&completionDate=2015-12-01",
			func(name string, _ float64, _ int) bool { return strings.Contains(name, "_R051") }, 1},
		{"-c S1 --lonmin 1 --lonmax 2 --latmin 43 --latmax 44 -d 2015-11-01 -f 2015-12-01", "S1", "box=1.0,43.0,2.0,44.0&startDate=2015-11-01&completionDate=2015-12-01", all, 2},
		{"-c S1 -p GRD -l Toulouse -d 2015-11-01 -f 2015-12-01", "S1", "q=Toulouse&startDate=2015-11-01&completionDate=2015-12-01&productType=GRD&sensorMode=", all, 1},
		{"-l Toulouse -d 2016-12-06 -f 2017-02-01 -c S2ST", "S2ST", "q=Toulouse&startDate=2016-12-06&completionDate=2017-02-01", all, 3},
		{"--lon 1 --lat 43.5 -d 2015-11-01 -f 2015-12-01 -c S2", "S2", "lat=43.5&lon=1&startDate=2015-11-01&completionDate=2015-12-01", all, 2},
		{"-t T31TCJ -c S2ST --cc 20 --sat S2A -m INS-NOBS -p S2MSI1C -d 2017-01-01 -f 2017-02-02", "S2ST", "tileid=31TCJ&startDate=2017-01-01&completionDate=2017-02-02&productType=S2MSI1C&sensorMode=INS-NOBS",
			func(_ string, cloud float64, _ int) bool { return cloud <= 20 }, 2},
		{"-c S1 -m IW -t 31TCJ -d 2015-11-01 -f 2016-01-01", "S1", "tileid=31TCJ&startDate=2015-11-01&completionDate=2016-01-01&productType=&sensorMode=IW", all, 0},
		{"-c S1 -m IW -l Toulouse -d 2015-11-01 -f 2016-01-01 --orbit 38", "S1", "q=Toulouse&startDate=2015-11-01&completionDate=2016-01-01&productType=&sensorMode=IW",
			func(_ string, _ float64, orbit int) bool { return (orbit-73)%175+1 == 38 }, 1},
	} {
		want := resto(t, base, user, password, c.collection, c.query, c.keep)
		folder := t.TempDir()
		words := append([]string{"download", "-a", account, "--write_dir", folder}, strings.Fields(c.line)...)
		code, out, errs := swath(t, words...)
		got := sumsOf(t, folder, ".zip")
		if wants := map[bool]int{true: exitDone, false: exitNothing}[c.files > 0]; len(want) != c.files || code != wants || !maps.Equal(got, want) {
			t.Errorf("%s: exit code %d\n%v, want %v\n%s%s", c.line, code, got, want, out, errs)
		}
	}
	t.Run("extracted", func(t *testing.T) {
		folder := t.TempDir()
		t.Chdir(folder)
		line := []string{"download", "-a", account, "-c", "S2ST", "-t", "31TCJ", "-d", "2017-01-01", "-f", "2017-02-01", "-x"}
		if code, out, errs := swath(t, append(line, "-n", "--json", "found.json")...); code != exitDone || !strings.Contains(out, "2  products to download") || !strings.Contains(out, heritage[0].id+" disk") {
			t.Errorf("-n: %d\n%s%s", code, out, errs)
		}
		if raw, err := os.ReadFile("found.json"); err != nil || strings.Count(string(raw), `"Feature"`) != 2 {
			t.Errorf("--json: %.200s, %v", raw, err)
		}
		for _, want := range []string{"2 downloaded", "2 were there"} {
			if code, out, errs := swath(t, line...); code != exitDone || !strings.Contains(out, want) {
				t.Errorf("-x: %d, want %q\n%s%s", code, want, out, errs)
			}
		}
		for _, p := range heritage[:2] {
			if raw, err := os.ReadFile(filepath.Join(folder, p.id+".SAFE", "manifest.safe")); err != nil || string(raw) != "manifest.safe "+p.id+"\n" {
				t.Errorf("%s: %q, %v", p.id, raw, err)
			}
		}
		if len(sumsOf(t, folder, ".zip")) > 0 {
			t.Error("zips are left")
		}
	})
	for want, words := range map[int]string{exitForbidden: "-c S2ST -t 31TCJ -a " + filepath.Join(t.TempDir(), "wrong.txt"), exitDownloadUse: "-c S2ST -t 31TCJ -a /nowhere"} {
		fields := strings.Fields(words)
		if want == exitForbidden {
			if err := os.WriteFile(fields[len(fields)-1], []byte("ada wrong"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if code, _, errs := swath(t, append([]string{"download", "-w", t.TempDir()}, fields...)...); code != want {
			t.Errorf("%s: %d, want %d: %s", words, code, want, errs)
		}
	}
	t.Run("signed", func(t *testing.T) { signedLists(t, user, password) })
}

// signedLists: the addresses that are printed for other programs are good without an account.
func signedLists(t *testing.T, user, password string) {
	t.Setenv("SWATH_USER", user)
	t.Setenv("SWATH_PASSWORD", password)
	code, out, errs := swath(t, "download", "-c", "sentinel-1-slc", "--aria2", "-o", t.TempDir())
	address, _, _ := strings.Cut(out, "\n")
	u, err := url.Parse(address)
	if code != exitDone || err != nil || u.Query().Get("X-Amz-Signature") == "" {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r.Body); err != nil || r.StatusCode != http.StatusOK || !strings.Contains(out, "checksum=sha-256="+hex.EncodeToString(h.Sum(nil))) {
		t.Errorf("%s: %d, %v", address, r.StatusCode, err)
	}
}

// sumsOf returns the SHA-256 of the files in a folder whose names end so.
func sumsOf(t *testing.T, folder, ending string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ending) {
			return err
		}
		raw, err := os.ReadFile(path)
		sum := sha256.Sum256(raw)
		name, _ := filepath.Rel(folder, path)
		sums[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}
