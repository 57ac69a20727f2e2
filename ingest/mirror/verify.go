package mirror

import (
	"context"
	"errors"
	"strings"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
	"swath/ingest/ledger"
	"swath/sentinel/safe"
)

// verify compares what was fetched with all that is known of it: the hub's size and checksums, the sums inside the zip, and those of the
// product's manifest. What differs is wrong bytes.
func verify(ctx context.Context, p hub.Product, h ledger.Holding, path string) error {
	if p.Bytes > 0 && h.Bytes != p.Bytes {
		return wrongf("%d bytes instead of the %d that the hub says", h.Bytes, p.Bytes)
	}
	agree := false
	for _, want := range p.Checksums {
		for _, got := range h.Checksums {
			if got.Algorithm != want.Algorithm {
				continue
			}
			if got.Value != want.Value {
				return wrongf("%s %s instead of the %s that the hub says", got.Algorithm, got.Value, want.Value)
			}
			agree = true
		}
	}
	err := verifyInside(ctx, p, path)
	if bad := (*wrong)(nil); errors.As(err, &bad) {
		bad.final = agree
	}
	return err
}

// verifyInside looks into the zip.
func verifyInside(ctx context.Context, p hub.Product, path string) error {
	var unsound *fetch.Unsound
	if err := fetch.CheckZip(ctx, path, mostRatio); errors.As(err, &unsound) {
		return wrongf("%v", unsound)
	} else if err != nil {
		return err
	}
	if !strings.HasSuffix(p.Name, ".SAFE") {
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

// mostRatio bounds how many times larger than the zip its files may be: Sentinel's are up to some tens.
const mostRatio = 500
