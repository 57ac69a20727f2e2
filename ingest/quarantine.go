package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"time"
)

// refusal is the record of a product that was refused.
type refusal struct {
	Product string    `json:"product"` // where it was found
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"` // UTC
}

// quarantine records why a product was refused. The product itself stays where it is.
func (in *Ingester) quarantine(ctx context.Context, r Result) error {
	body, err := json.MarshalIndent(refusal{r.Path, r.Err.Error(), time.Now().UTC()}, "", "  ")
	if err != nil {
		return err
	}
	if err := in.release(ctx, r.Path); err != nil {
		return err
	}
	if _, err := in.Objects.Put(ctx, quarantineKey(r.Path), "application/json", bytes.NewReader(body)); err != nil {
		return fmt.Errorf("ingest: quarantine of %s: %w", r.Path, err)
	}
	return nil
}

// release removes the record of a product that is fine now.
func (in *Ingester) release(ctx context.Context, path string) error {
	return in.Objects.Delete(ctx, quarantineKey(path))
}

// quarantineKey names the record of a product: its name for people, the sum of its place to tell namesakes apart.
func quarantineKey(product string) string {
	sum := sha256.Sum256([]byte(product))
	name := []rune(filepath.Base(product))
	return path.Join("quarantine", string(name[:min(len(name), 60)])+"-"+hex.EncodeToString(sum[:4])+".json")
}
