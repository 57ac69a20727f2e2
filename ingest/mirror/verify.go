package mirror

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"swath/eo"
	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
	"swath/ingest/ledger"
	"swath/sentinel/safe"
)

// verify compares what was fetched with all that is known of it: the hub's size and checksums, the sums inside the zip, and those of the
// product's manifest. What differs is wrong bytes.
func verify(ctx context.Context, name string, f hub.File, h ledger.Holding, path string) error {
	if err := agrees(f, h.Bytes, h.Checksums); err != nil {
		return err
	}
	err := verifyInside(ctx, name, path, true)
	if bad := (*wrong)(nil); errors.As(err, &bad) { // the hub has the same bytes, if it said so
		bad.final = slices.ContainsFunc(f.Sums, func(sum fetch.Sum) bool { return slices.Contains(h.Checksums, sum) })
	}
	return err
}

// agrees compares a file's size and sums with what the hub says.
func agrees(f hub.File, size int64, sums []fetch.Sum) error {
	if f.Bytes > 0 && size != f.Bytes {
		return wrongf("%d bytes instead of the %d that the hub says", size, f.Bytes)
	}
	for _, want := range f.Sums {
		for _, got := range sums {
			if got.Algorithm == want.Algorithm && got.Value != want.Value {
				return wrongf("%s %s instead of the %s that the hub says", got.Algorithm, got.Value, want.Value)
			}
		}
	}
	return nil
}

// verifyInside looks into a product: the CRCs of a zip, the sums of the manifest.
func verifyInside(ctx context.Context, name, path string, zipped bool) error {
	if zipped {
		var unsound *fetch.Unsound
		if err := fetch.CheckZip(ctx, path, mostRatio); errors.As(err, &unsound) {
			return wrongf("%v", unsound)
		} else if err != nil {
			return err
		}
	}
	if !isSAFE(name, path, zipped) {
		return nil
	}
	product, err := safe.Open(path)
	if err == nil {
		defer product.Close()
		var manifest *safe.Manifest
		if manifest, err = safe.ReadManifest(product.FS); err == nil {
			var differ []safe.Mismatch
			if differ, err = manifest.Verify(ctx, product.FS); err == nil && len(differ) > 0 {
				return wrongf("%d of %d files are not as the manifest says, the first: %s", len(differ), len(manifest.Files), differ[0])
			}
		}
	}
	if err != nil && fault.Is(err, fault.Invalid) {
		return wrongf("%s", err)
	}
	return err
}

// isSAFE reports whether a product must have a manifest: hubs call some Sentinel products without their extension.
func isSAFE(name, path string, zipped bool) bool {
	name = filepath.Base(name)
	if strings.HasSuffix(strings.TrimSuffix(name, ".zip"), ".SAFE") {
		return true
	}
	if !zipped {
		_, err := os.Stat(filepath.Join(path, safe.ManifestName))
		return err == nil
	}
	mission, err := eo.MissionOf(name)
	return err == nil && (mission == eo.Sentinel1 || mission == eo.Sentinel2)
}

// mostRatio bounds how many times larger than the zip its files may be: Sentinel's are up to some tens.
const mostRatio = 500
