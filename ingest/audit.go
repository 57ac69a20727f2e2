package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"swath/fault"
	"swath/objects"
	"swath/stac"
)

// orphanAge is how long an object must have been there to be called an orphan: a younger one may be of an ingest under way.
const orphanAge = time.Hour

// Audit compares items with the objects that their assets name. Items first, then Orphans.
type Audit struct {
	Objects objects.Store
	Deep    bool // reads every object and compares its checksum

	seed  maphash.Seed
	named map[uint64]struct{} // hashes of the keys that items name
}

// Item returns what is wrong with the objects of an item: they are missing, or have another size or checksum than it says.
func (a *Audit) Item(ctx context.Context, it stac.Item) (wrong []string, err error) {
	if a.named == nil {
		a.seed, a.named = maphash.MakeSeed(), map[uint64]struct{}{}
	}
	var item struct {
		Assets map[string]struct {
			Object   string `json:"swath:object"`
			Size     *int64 `json:"file:size"`
			Checksum string `json:"file:checksum"`
		} `json:"assets"`
	}
	if err := json.Unmarshal(it.Body, &item); err != nil {
		return []string{fmt.Sprintf("its assets can't be read: %v", err)}, nil
	}
	for key, asset := range item.Assets {
		if asset.Object == "" {
			continue // it lies elsewhere
		}
		a.named[maphash.String(a.seed, asset.Object)] = struct{}{}
		info, err := a.Objects.Stat(ctx, asset.Object)
		switch {
		case err == nil:
		case ctx.Err() != nil || fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout):
			return wrong, err
		case fault.Is(err, fault.NotFound):
			wrong = append(wrong, fmt.Sprintf("asset %q: the object %s is missing", key, asset.Object))
			continue
		default:
			wrong = append(wrong, fmt.Sprintf("asset %q: %v", key, err))
			continue
		}
		if asset.Size != nil && info.Size != *asset.Size {
			wrong = append(wrong, fmt.Sprintf("asset %q: the object %s has %d bytes, not %d", key, asset.Object, info.Size, *asset.Size))
			continue
		}
		want, said := strings.CutPrefix(asset.Checksum, "1220") // a multihash: SHA-256 of 32 bytes
		if !said {
			want = info.SHA256
		}
		sum := info.SHA256
		if a.Deep {
			if sum, err = a.sum(ctx, asset.Object); err != nil {
				return wrong, err
			}
		}
		if sum != "" && want != "" && sum != want {
			wrong = append(wrong, fmt.Sprintf("asset %q: the object %s has the SHA-256 %s, not %s", key, asset.Object, sum, want))
		}
	}
	slices.Sort(wrong)
	return wrong, nil
}

// sum reads an object.
func (a *Audit) sum(ctx context.Context, key string) (string, error) {
	o, err := a.Objects.Open(ctx, key)
	if err != nil {
		return "", err
	}
	defer o.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(o, 0, o.Info().Size)); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), ctx.Err()
}

// Orphans calls each with every object that no item names: what interrupted ingests and removed items left. What is kept for a while of
// products that left their hub is none.
func (a *Audit) Orphans(ctx context.Context, each func(objects.Info)) error {
	kept := map[string]bool{}
	for info, err := range a.Objects.List(ctx, removed) {
		if err != nil {
			return err
		}
		kept[strings.TrimSuffix(strings.TrimPrefix(info.Key, removed), ".json")] = true
	}
	for info, err := range a.Objects.List(ctx, "") {
		if err != nil {
			return err
		}
		if strings.HasPrefix(info.Key, "quarantine/") || strings.HasPrefix(info.Key, "_cog/") || strings.HasPrefix(info.Key, "_begin/") || strings.HasPrefix(info.Key, removed) || kept[path.Dir(info.Key)] || time.Since(info.Modified) < orphanAge {
			continue
		}
		if _, ok := a.named[maphash.String(a.seed, info.Key)]; a.named == nil || !ok {
			each(info)
		}
	}
	return nil
}
