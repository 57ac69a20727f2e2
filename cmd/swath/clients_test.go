package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"swath/internal/contract"
)

// TestClients lets pystac-client, stac-validator, odc-stac, stackstac, rasterio and rio-cogeo work with a running server, and
// stac-api-validator judge it.
func TestClients(t *testing.T) {
	needsProgram(t)
	python := os.Getenv("SWATH_PYTHON")
	if _, err := exec.LookPath(python); err != nil {
		unavailable(t, "the Python clients are not installed (SWATH_PYTHON=%q): make test-deps", python)
	}
	schemas := t.TempDir()
	if err := contract.WriteSchemas(schemas); err != nil {
		t.Fatal(err)
	}
	base, _ := demo(t)
	for _, script := range []string{"clients.py", "judge.py", "search.py", "titiler.py"} {
		out, err := exec.Command(python, "testdata/"+script, base, schemas).CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Fatal(script, ": ", err)
		}
	}
}

// TestHeritageClients lets EODAG 3 with its provider "peps", and what peps_download.py asks, download from a running server; then EODAG 4 as
// of a STAC API and as of the Copernicus Data Space, cdsetool, stac-asset, pystac-client, and boto3 by a link that it signs.
func TestHeritageClients(t *testing.T) {
	needsProgram(t)
	python, older := hubClients(t)
	base, data := demo(t)
	access, secret := addAda(t, data)
	for _, run := range [][]string{{older, "eodag_peps.py"}, {older, "peps_requests.py"}, {python, "eodag_stac.py", "cdse"}, {python, "hub_clients.py", access, secret}} {
		client(t, base, run...)
	}
}

// TestClientsOfTheArchive lets the same clients ask for a product whose files are all on tape. Each has the right bytes in the end, and none
// saves a wrong file before.
func TestClientsOfTheArchive(t *testing.T) {
	needsProgram(t)
	python, older := hubClients(t)
	data := dataFolder(t)
	config := filepath.Join(t.TempDir(), "swath.yaml")
	yaml := "archive: {type: sim, batch_wait: 100ms, buffer_gib: 1, quota: {files: 100}, sim: {mount: 1s, seek: 100ms, drives: 2}}\n"
	if err := os.WriteFile(config, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"ingest", "--data", data, zip56JMM},
		{"archive", "migrate", "--data", data, "--config", config, "--collection", "sentinel-2-l1c", "--older-than", "90d"}} {
		if code, out, errs := swath(t, args...); code != exitDone {
			t.Fatalf("%v: exit code %d\n%s%s", args, code, out, errs)
		}
	}
	access, secret := addAda(t, data)
	for _, run := range [][]string{{older, "cold_eodag3.py"}, {older, "peps_requests.py", "60"}, {python, "cold_clients.py", access, secret, "EODAG 4"},
		{python, "cold_clients.py", access, secret, "pystac-client"}, {python, "cold_clients.py", access, secret, "stac-asset"},
		{python, "cold_clients.py", access, secret, "cdsetool"}, {python, "cold_clients.py", access, secret, "boto3"}} {
		t.Run(run[len(run)-1], func(t *testing.T) {
			own := filepath.Join(dataFolder(t), "data") // each begins with all on tape
			if out, err := exec.Command("cp", "-a", data, own).CombinedOutput(); err != nil {
				t.Fatalf("cp: %v\n%s", err, out)
			}
			base, _ := serveData(t, own, "--config", config)
			client(t, base, run...)
		})
	}
}

// hubClients returns the Python of today's clients of hubs, and of EODAG 3.
func hubClients(t *testing.T) (python, older string) {
	t.Helper()
	python, older = os.Getenv("SWATH_PYTHON_HUB"), os.Getenv("SWATH_PYTHON_EODAG3")
	for _, one := range []string{python, older} {
		if _, err := exec.LookPath(one); err != nil {
			unavailable(t, "the Python clients are not installed (SWATH_PYTHON_HUB=%q, SWATH_PYTHON_EODAG3=%q): make test-deps", python, older)
		}
	}
	return python, older
}

// The account that the clients use.
const ada, adasPassword = "ada", "a password of Ada"

// addAda adds that account to a data folder, and returns a pair of keys for links that it signs.
func addAda(t *testing.T, data string) (access, secret string) {
	t.Helper()
	add := program(t, "user", "add", ada, "--data", data, "--password-stdin")
	add.Stdin = strings.NewReader(adasPassword)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("user add: %v\n%s", err, out)
	}
	code, out, errs := swath(t, "token", "create", "--data", data, "--user", ada)
	pair := regexp.MustCompile(`(?s)access\S* key\W+(\S+).*secret\S* key\W+(\S+)`).FindStringSubmatch(out + errs)
	if code != exitDone || pair == nil {
		t.Fatalf("token create: exit code %d\n%s%s", code, out, errs)
	}
	return pair[1], pair[2]
}

// client runs a Python script of testdata against a server, as Ada.
func client(t *testing.T, base string, run ...string) {
	t.Helper()
	arguments := append([]string{"testdata/" + run[1], base, ada, adasPassword}, run[2:]...)
	out, err := exec.Command(run[0], arguments...).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(run[1], ": ", err)
	}
}
