package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"swath/fault"
	"swath/objects"
)

// retired begins the keys of the records of revisions whose item is about to point elsewhere. No collection is called so.
const retired = "_retired/"

// removed begins the keys of the records of revisions whose item was taken out because its product left the hub.
const removed = "_removed/"

// grace is how long a replaced revision's objects stay: longer than any tile, download or cached item that refers to them.
const grace = time.Hour

// retirement is the record of a replaced revision.
type retirement struct {
	Collection string `json:"collection"`
	Item       string `json:"item"`
	Revision   string `json:"revision"`
}

func (r retirement) under(prefix string) string {
	return prefix + path.Join(r.Collection, r.Item, r.Revision) + ".json"
}
func (r retirement) objects() string { return path.Join(r.Collection, r.Item, r.Revision) + "/" }

// retire records that an item is about to leave a revision. A record of a revision that stays after all does no harm:
// collect looks at the item again.
func (in *Ingester) retire(ctx context.Context, r retirement) error { return in.note(ctx, r, retired) }

// note writes a record.
func (in *Ingester) note(ctx context.Context, r retirement, prefix string) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := in.Objects.Put(ctx, r.under(prefix), "application/json", bytes.NewReader(body)); err != nil {
		return fmt.Errorf("ingest: retire %s: %w", r.objects(), err)
	}
	return nil
}

// collect removes the objects of revisions that were replaced longer than age ago and that no item points to.
func (in *Ingester) collect(ctx context.Context, age time.Duration) error {
	return in.collectUnder(ctx, retired, age)
}

func (in *Ingester) collectUnder(ctx context.Context, prefix string, age time.Duration) error {
	var due []objects.Info
	for info, err := range in.Objects.List(ctx, prefix) {
		if err != nil {
			return fmt.Errorf("ingest: retired revisions: %w", err)
		}
		if time.Since(info.Modified) > age {
			due = append(due, info)
		}
	}
	for _, info := range due {
		if err := in.collectOne(ctx, prefix, info.Key); err != nil {
			return fmt.Errorf("ingest: %s: %w", info.Key, err)
		}
	}
	return nil
}

// collectOne removes one revision, its record last, so that what is interrupted is taken up again. Before each object the record and
// the item are asked: the revision may come back at any moment, and its record goes before its objects are put again.
func (in *Ingester) collectOne(ctx context.Context, prefix, record string) error {
	o, err := in.Objects.Open(ctx, record)
	if fault.Is(err, fault.NotFound) {
		return nil // another process was quicker
	} else if err != nil {
		return err
	}
	body, err := io.ReadAll(io.NewSectionReader(o, 0, o.Info().Size))
	o.Close()
	if err != nil {
		return err
	}
	var r retirement
	if err := json.Unmarshal(body, &r); err != nil || r.under(prefix) != record || strings.Contains(r.Revision, "/") || r.Revision == "" {
		return fault.New(fault.Internal, "the record %.200q does not name its revision", body)
	}
	var keys []string
	for info, err := range in.Objects.List(ctx, r.objects()) {
		if err != nil {
			return err
		}
		keys = append(keys, info.Key)
	}
	for _, key := range keys {
		if _, err := in.Objects.Stat(ctx, record); fault.Is(err, fault.NotFound) {
			return nil
		} else if err != nil {
			return err
		}
		current, err := in.revisionOf(ctx, r.Collection, r.Item)
		if err != nil {
			return err
		}
		if current == r.Revision {
			break
		}
		if err := in.Objects.Delete(ctx, key); err != nil {
			return err
		}
	}
	return in.Objects.Delete(ctx, record)
}
