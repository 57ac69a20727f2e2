package wire

import (
	"context"
	"errors"
	"strings"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
	"swath/objects"
)

// S3 reads a hub's S3 server under its own quota.
type S3 struct {
	Server *objects.Remote
	Quota  *Quota
	client *Client // for its patience
}

// NewS3 makes one; its quota and patience are those of a configuration.
func NewS3(server *objects.Remote, cfg Config) *S3 {
	c := New(cfg)
	return &S3{server, c.Quota(), c}
}

// passing says that what a server refused for now may pass.
func passing(err error) error {
	if errors.Is(err, objects.ErrRefused) {
		return &fetch.Passing{Err: err}
	}
	return err
}

// Open asks once for an object's bytes.
func (s *S3) Open(ctx context.Context, bucket, key string, from int64, tag string) (*fetch.Body, error) {
	return s.Quota.Held(ctx, func() (*fetch.Body, error) {
		if err := s.Quota.Request(ctx); err != nil {
			return nil, err
		}
		if tag == "" {
			from = 0
		}
		body, o, err := s.Server.Get(ctx, bucket, key, from, tag)
		if err != nil {
			return nil, passing(err)
		}
		return &fetch.Body{ReadCloser: body, From: from, Total: o.Size, Tag: o.ETag}, nil
	})
}

// Folder returns the files below a prefix, which are those of a product. What the listing calls a folder is none.
func (s *S3) Folder(ctx context.Context, bucket, prefix string) (files []hub.File, err error) {
	prefix = strings.Trim(prefix, "/") + "/"
	err = s.client.Tried(ctx, func() error {
		files = nil
		for o, err := range s.Server.List(ctx, bucket, prefix, func() error { return s.Quota.Request(ctx) }) {
			if err != nil {
				return passing(err)
			}
			if strings.HasSuffix(o.Key, "/") {
				continue
			}
			key := o.Key
			files = append(files, hub.File{Path: strings.TrimPrefix(key, prefix), Bytes: o.Size, Open: func(ctx context.Context, from int64, tag string) (body *fetch.Body, err error) {
				err = s.client.Tried(ctx, func() (err error) {
					body, err = s.Open(ctx, bucket, key, from, tag)
					return err
				})
				return body, err
			}})
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = fault.New(fault.NotFound, "there is nothing below s3://%s/%s", bucket, prefix)
	}
	return files, err
}
