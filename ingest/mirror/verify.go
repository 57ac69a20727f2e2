package mirror

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"swath/fault"
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
	if err := verifyZip(ctx, path); err != nil {
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

// verifyZip reads every file against its CRC.
func verifyZip(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(f, info.Size())
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return wrongf("not a sound zip: %v", err)
	}
	var all int64
	for _, entry := range archive.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := entry.Open()
		if err != nil {
			return wrongf("%q in the zip: %v", entry.Name, err)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, mostRatio*info.Size()-all+1))
		r.Close()
		if err != nil {
			return wrongf("%q in the zip: %v", entry.Name, err)
		}
		if all += n; all > mostRatio*info.Size() {
			return wrongf("the zip's files are more than %d times as large as the zip", mostRatio)
		}
	}
	return nil
}
