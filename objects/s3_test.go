package objects_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"swath/fault"
	"swath/internal/s3test"
	"swath/objects"
	"swath/objects/objectstest"
)

func config(s s3test.Server) objects.S3Config {
	return objects.S3Config{
		Endpoint: s.Endpoint, Region: s.Region, Bucket: s.Bucket, AccessKey: s.AccessKey, SecretKey: objects.Secret(s.SecretKey), PathStyle: true,
	}
}

func bucket(t testing.TB, c objects.S3Config) objects.Store {
	t.Helper()
	s, err := objects.OpenS3(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestS3(t *testing.T) {
	c := config(s3test.Start(t))
	var stores atomic.Int32
	objectstest.Run(t, func(t testing.TB) objects.Store {
		c := c
		c.Prefix = fmt.Sprintf("store-%d/objects", stores.Add(1))
		return bucket(t, c)
	})
}

func TestS3ListsPages(t *testing.T) {
	s := bucket(t, config(s3test.Start(t)))
	const many = 1005 // a page has 1000 keys
	for i := range many {
		if _, err := s.Put(t.Context(), fmt.Sprintf("many/%04d", i), "", strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
	}
	next := 0
	for info, err := range s.List(t.Context(), "many/") {
		if want := fmt.Sprintf("many/%04d", next); err != nil || info.Key != want {
			t.Fatalf("key %d is %q, %v", next, info.Key, err)
		}
		next++
	}
	if next != many {
		t.Errorf("%d keys were listed, want %d", next, many)
	}
}

func TestOpenS3Refuses(t *testing.T) {
	c := config(s3test.Start(t))
	for name, tc := range map[string]struct {
		change func(*objects.S3Config)
		want   fault.Kind
	}{
		"bucket missing":  {func(c *objects.S3Config) { c.Bucket = "not-there" }, fault.NotFound},
		"wrong secret":    {func(c *objects.S3Config) { c.SecretKey = "wrong" }, fault.Forbidden},
		"no key":          {func(c *objects.S3Config) { c.AccessKey = "" }, fault.Invalid},
		"no bucket":       {func(c *objects.S3Config) { c.Bucket = "" }, fault.Invalid},
		"prefix escapes":  {func(c *objects.S3Config) { c.Prefix = "a/../b" }, fault.Invalid},
		"nobody listens":  {func(c *objects.S3Config) { c.Endpoint = "http://127.0.0.1:1" }, fault.Unavailable},
		"not an address":  {func(c *objects.S3Config) { c.Endpoint = "127.0.0.1" }, fault.Unavailable},
		"odd bucket name": {func(c *objects.S3Config) { c.Bucket = "Not/A bucket" }, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			c := c
			tc.change(&c)
			if _, err := objects.OpenS3(t.Context(), c); !fault.Is(err, tc.want) {
				t.Errorf("OpenS3: %v, want %v", err, tc.want)
			}
		})
	}
}

func TestSecretHides(t *testing.T) {
	c := objects.S3Config{SecretKey: "hunter2"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, c.SecretKey); got != "***" && got != `"***"` && got != "2a2a2a" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func BenchmarkS3ReadAt(b *testing.B) { benchmarkReadAt(b, bucket(b, config(s3test.Start(b)))) }
