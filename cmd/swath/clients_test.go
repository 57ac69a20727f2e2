package main

import (
	"os"
	"os/exec"
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
