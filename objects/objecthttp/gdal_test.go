package objecthttp

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"swath/fault"
	"swath/objects"
)

// TestGDALReadsRanges: GDAL finds the same raster behind the door as on disk, by ranges and not by a whole download.
func TestGDALReadsRanges(t *testing.T) {
	for _, program := range []string{"gdal_create", "gdal_translate", "gdalinfo"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("SWATH_TEST_REQUIRE_ALL") == "1" {
			t.Fatalf("%s is missing: apt-get install gdal-bin", program)
		} else if err != nil {
			t.Skipf("%s is missing: apt-get install gdal-bin", program)
		}
	}
	dir := t.TempDir()
	plain, cog := filepath.Join(dir, "plain.tif"), filepath.Join(dir, "cog.tif")
	gdal(t, "gdal_create", "-q", "-outsize", "2048", "2048", "-bands", "1", "-ot", "UInt16", "-burn", "1234",
		"-a_srs", "EPSG:32631", "-a_ullr", "300000", "4900020", "320480", "4879540", plain)
	gdal(t, "gdal_translate", "-q", "-of", "COG", "-co", "BLOCKSIZE=256", "-co", "COMPRESS=NONE", plain, cog)
	store, err := objects.OpenFolder(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(cog)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := store.Put(t.Context(), "c/i/r/cog.tif", "image/tiff; application=geotiff; profile=cloud-optimized", f); err != nil {
		t.Fatal(err)
	}
	url := listen(t, API{Objects: store, Asset: func(_ context.Context, _, _, asset string) (Asset, error) {
		if asset != "B04" { // GDAL looks for B04.aux.xml, B04.IMD … beside it
			return Asset{}, fault.New(fault.NotFound, "there is no asset %q", asset)
		}
		return Asset{Key: "c/i/r/cog.tif"}, nil
	}})
	info := func(name string) string { // all but the lines that name the file
		_, text, _ := strings.Cut(gdal(t, "gdalinfo", "-checksum", "-norat", name), "Size is")
		return text
	}
	local, remote := info(cog), info("/vsicurl/"+url+"B04")
	if local != remote || !strings.Contains(local, "Checksum=") || !strings.Contains(local, "LAYOUT=COG") {
		t.Errorf("over HTTP GDAL sees\n%s\nand on disk\n%s", remote, local)
	}
	talk := gdal(t, "gdalinfo", "--config", "CPL_CURL_VERBOSE", "YES", "/vsicurl/"+url+"B04")
	if !strings.Contains(talk, "206 Partial Content") {
		t.Errorf("GDAL did not read by ranges:\n%s", talk)
	}
}

func gdal(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}
