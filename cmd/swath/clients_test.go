package main

import (
	"os"
	"os/exec"
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
	python, older := os.Getenv("SWATH_PYTHON_HUB"), os.Getenv("SWATH_PYTHON_EODAG3")
	for _, one := range []string{python, older} {
		if _, err := exec.LookPath(one); err != nil {
			unavailable(t, "the Python clients are not installed (SWATH_PYTHON_HUB=%q, SWATH_PYTHON_EODAG3=%q): make test-deps", python, older)
		}
	}
	base, data := demo(t)
	const user, password = "ada", "a password of Ada"
	add := program(t, "user", "add", user, "--data", data, "--password-stdin")
	add.Stdin = strings.NewReader(password)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("user add: %v\n%s", err, out)
	}
	code, out, errs := swath(t, "token", "create", "--data", data, "--user", user)
	pair := regexp.MustCompile(`(?s)access\S* key\W+(\S+).*secret\S* key\W+(\S+)`).FindStringSubmatch(out + errs)
	if code != exitDone || pair == nil {
		t.Fatalf("token create: exit code %d\n%s%s", code, out, errs)
	}
	for _, run := range [][]string{{older, "eodag_peps.py"}, {older, "peps_requests.py"}, {python, "eodag_stac.py", "cdse"}, {python, "hub_clients.py", pair[1], pair[2]}} {
		arguments := append([]string{"testdata/" + run[1], base, user, password}, run[2:]...)
		out, err := exec.Command(run[0], arguments...).CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Fatal(run[1], ": ", err)
		}
	}
}
