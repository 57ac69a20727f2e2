package main

import (
	"os"
	"os/exec"
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

// TestHeritageClients lets EODAG 3 with its provider "peps", and what peps_download.py asks, download from a running server.
func TestHeritageClients(t *testing.T) {
	needsProgram(t)
	python := os.Getenv("SWATH_PYTHON_EODAG3")
	if _, err := exec.LookPath(python); err != nil {
		unavailable(t, "EODAG 3 is not installed (SWATH_PYTHON_EODAG3=%q): make test-deps", python)
	}
	base, data := demo(t)
	user, password := "ada", "a password of Ada"
	add := program(t, "user", "add", user, "--data", data, "--password-stdin")
	add.Stdin = strings.NewReader(password)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("user add: %v\n%s", err, out)
	}
	for _, script := range []string{"eodag_peps.py", "peps_requests.py"} {
		out, err := exec.Command(python, "testdata/"+script, base, user, password).CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Fatal(script, ": ", err)
		}
	}
}
