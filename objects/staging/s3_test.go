package staging

import (
	"bytes"
	"context"
	"testing"
	"time"

	"swath/auth"
	"swath/fault"
	"swath/internal/s3test"
	"swath/internal/testdb"
	"swath/objects"
	"swath/objects/copies"
)

// TestColdBucket: objects of a cold storage class go through the same states, whether they were archived here or by a rule of the bucket.
func TestColdBucket(t *testing.T) {
	server, vault := s3test.StartCold(t)
	plain, err := objects.OpenS3(t.Context(), objects.S3Config{Endpoint: server.Endpoint, Bucket: server.Bucket, AccessKey: server.AccessKey, SecretKey: objects.Secret(server.SecretKey), PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := objects.OpenGlacier(plain, "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := copies.Open(t.Context(), testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	l := &library{t: t, copies: c, plain: plain, tape: archive, store: NewStore(plain, c, archive), bytes: map[string][]byte{}}
	for _, key := range []string{"c/ours/r/a.tif", "c/rule/r/b.tif"} {
		l.bytes[key] = []byte("what " + key + " is")
		if _, err := plain.Put(t.Context(), key, "image/tiff", bytes.NewReader(l.bytes[key])); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.store.Archive(t.Context(), []Archived{{"c/ours/r/a.tif", "c", "ours"}}); err != nil {
		t.Fatal(err)
	}
	vault.Archive(server.Bucket, "c/rule/r/b.tif")
	cfg := quick()
	cfg.Keep = 48 * time.Hour
	k, desk := l.keeper(cfg), NewDesk(l.store, cfg, copies.Quota{}, false)
	me := auth.With(t.Context(), auth.Principal{User: "me", Role: auth.Processor})
	for _, asked := range []struct{ key, item string }{{"c/ours/r/a.tif", "ours"}, {"c/rule/r/b.tif", "rule"}} {
		if err := k.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.read(asked.key); !fault.Is(err, fault.Offline) {
			t.Fatalf("%s: %v", asked.key, err)
		}
		if found, err := desk.Find(t.Context(), asked.key, "c", asked.item); err != nil || found.State != copies.Cold || found.SHA256 == "" {
			t.Fatalf("%+v, %v", found, err)
		}
		files := []copies.File{{Key: asked.key, Asset: "data"}}
		if _, err := desk.Order(context.Background(), files, true); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("an order of a stranger: %v", err)
		}
		if _, err := desk.Order(me, files, true); err != nil {
			t.Fatal(err)
		}
		if err := k.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	l.states(map[copies.State]int{copies.Restoring: 2})
	vault.Finish()
	if err := k.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.states(map[copies.State]int{copies.Online: 2})
	for key := range l.bytes {
		if err := l.read(key); err != nil {
			t.Error(err)
		}
	}
	if vault.Restores != 2 || vault.Days != 2 || vault.Tier != "Standard" {
		t.Errorf("%d restores, the last for %d days at %s", vault.Restores, vault.Days, vault.Tier)
	}
	if err := l.store.Delete(t.Context(), "c/ours/r/a.tif"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), "c/ours/r/a.tif"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a deleted object has a copy: %v", err)
	}
}
