package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"swath/objects"
)

// Downloads says who sends the bytes of files, beside this server.
type Downloads struct {
	Accel      string        `yaml:"accel"`       // internal location of nginx that serves {data}/objects/bytes; empty: none
	Redirect   string        `yaml:"redirect"`    // presigned: files in S3 are sent from there; empty: from here
	S3Endpoint string        `yaml:"s3_endpoint"` // by which clients reach it; empty: s3.endpoint
	Life       time.Duration `yaml:"life"`        // of an address; 1h
}

// presigned is what Redirect may say.
const presigned = "presigned"

// usualLife is how long an address of S3 is good of which nothing is said: longer than a download is likely to wait for its turn.
const usualLife = time.Hour

// mistakes names every mistake with its key.
func (d Downloads) mistakes(s3 bool) (wrong []string) {
	bad := func(key, format string, args ...any) {
		wrong = append(wrong, "downloads."+key+": "+fmt.Sprintf(format, args...))
	}
	if d.Accel != "" && (len(d.Accel) < 3 || !strings.HasPrefix(d.Accel, "/") || !strings.HasSuffix(d.Accel, "/")) {
		bad("accel", "%q is not a location such as /internal/", d.Accel)
	} else if d.Accel != "" && s3 {
		bad("accel", "is for objects in a folder, and these are in S3")
	}
	if d.Redirect != "" && d.Redirect != presigned {
		bad("redirect", "%q is not %s", d.Redirect, presigned)
	} else if d.Redirect != "" && !s3 {
		bad("redirect", "is for objects in S3, and these are in a folder")
	}
	if u, err := url.Parse(d.S3Endpoint); d.S3Endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		bad("s3_endpoint", "%q is not an http address", d.S3Endpoint)
	}
	if d.Life < 0 || d.Life > 7*24*time.Hour {
		bad("life", "%s is not between nothing and the seven days that S3 signs for", d.Life)
	}
	return wrong
}

// presign returns who signs addresses of files in S3; nil for nobody.
func (d Downloads) presign(store objects.Store) func(ctx context.Context, key, disposition, contentType string) (string, error) {
	signer, can := store.(objects.Presigner)
	if d.Redirect != presigned || !can {
		return nil
	}
	life := d.Life
	if life == 0 {
		life = usualLife
	}
	return func(ctx context.Context, key, disposition, contentType string) (string, error) {
		return signer.Presign(ctx, key, d.S3Endpoint, disposition, contentType, life)
	}
}
