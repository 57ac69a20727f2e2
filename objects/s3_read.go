package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"swath/fault"
)

const (
	stallTimeout = 30 * time.Second // a server that sends nothing for so long is asked again
	maxStalls    = 3                // in a row, without a byte between them
)

// s3Object is an open object of a bucket.
type s3Object struct {
	store  *s3Store
	info   Info
	etag   *string
	ctx    context.Context // from Open to Close
	cancel context.CancelFunc
}

func (s *s3Store) Open(ctx context.Context, key string) (Object, error) {
	info, out, err := s.describe(ctx, key)
	if err != nil {
		return nil, err
	}
	if placeOf(out) != Online {
		return nil, fault.New(fault.Offline, "object %q is of a cold storage class and has to be restored first", key)
	}
	etag := out.ETag
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return &s3Object{s, info, etag, life, cancel}, nil
}

// Presign signs the address of an object.
func (s *s3Store) Presign(ctx context.Context, key, endpoint, disposition, contentType string, life time.Duration) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: s.name(key), ResponseContentDisposition: &disposition, ResponseContentType: &contentType}
	signed, err := s3.NewPresignClient(s.client).PresignGetObject(ctx, in, s3.WithPresignExpires(life), func(o *s3.PresignOptions) {
		if endpoint != "" {
			o.ClientOptions = append(o.ClientOptions, func(o *s3.Options) { o.BaseEndpoint = &endpoint })
		}
	})
	if err != nil {
		return "", fmt.Errorf("objects: sign an address of %s: %w", key, err)
	}
	return signed.URL, nil
}

func (o *s3Object) Info() Info { return o.info }

func (o *s3Object) Close() error {
	o.cancel()
	return nil
}

func (o *s3Object) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("objects: read %s: negative offset", o.info.Key)
	}
	whole := p
	p = p[:max(0, min(int64(len(p)), o.info.Size-off))]
	r := o.Stream(off, int64(len(p)))
	defer r.Close()
	n, err := io.ReadFull(r, p)
	if err == nil && n < len(whole) {
		err = io.EOF
	}
	return n, err
}

// Stream asks for the bytes in a single request.
func (o *s3Object) Stream(off, n int64) io.ReadCloser { return &s3Range{o: o, off: off, end: off + n} }

// s3Range reads off..end in one request, and goes on in another when the connection breaks or stalls.
type s3Range struct {
	o        *s3Object
	off, end int64
	body     io.ReadCloser // nil: to be asked for
	watch    *time.Timer   // cancels the request when it fires; runs only while a Read waits
	cancel   context.CancelFunc
	stalls   int
}

func (r *s3Range) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.off < r.end {
		n, err := r.readOnce(p)
		r.off += int64(n)
		if n > 0 {
			r.stalls = 0
			return n, nil // what err says, the next Read will find again
		}
		if err == nil {
			continue
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		r.Close()
		if r.stalls++; r.stalls >= maxStalls || status(err) != 0 || r.o.ctx.Err() != nil {
			return 0, fmt.Errorf("objects: read %s at %d: %w", r.o.info.Key, r.off, err)
		}
	}
	return 0, io.EOF
}

func (r *s3Range) readOnce(p []byte) (int, error) {
	if r.body == nil {
		var ctx context.Context
		ctx, r.cancel = context.WithCancel(r.o.ctx)
		r.watch = time.AfterFunc(r.o.store.stall, r.cancel)
		out, err := r.o.store.client.GetObject(ctx, &s3.GetObjectInput{
			Bucket: &r.o.store.bucket, Key: r.o.store.name(r.o.info.Key), IfMatch: r.o.etag,
			Range: aws.String(fmt.Sprintf("bytes=%d-%d", r.off, r.end-1)),
		})
		if code(err) == "InvalidObjectState" {
			return 0, fault.Wrap(fault.Offline, err, "object %q went back to a cold storage class", r.o.info.Key)
		} else if err != nil {
			return 0, err
		}
		r.body = out.Body
		if aws.ToInt64(out.ContentLength) != r.end-r.off {
			return 0, errors.New("the server ignored the range")
		}
	}
	r.watch.Reset(r.o.store.stall)
	defer r.watch.Stop()
	return r.body.Read(p[:min(int64(len(p)), r.end-r.off)])
}

// Close gives the connection back.
func (r *s3Range) Close() error {
	if r.cancel != nil {
		r.watch.Stop()
		r.cancel()
		r.cancel = nil
	}
	if r.body == nil {
		return nil
	}
	body := r.body
	r.body = nil
	return body.Close()
}
