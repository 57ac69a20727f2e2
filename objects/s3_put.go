package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"swath/fault"
)

const (
	partBytes     = 8 << 20 // one request carries this much; smaller objects go in one piece
	maxParts      = 10000   // Amazon S3 User Guide, "Amazon S3 multipart upload limits"
	parallelParts = 4
	abortTimeout  = 30 * time.Second
)

func (s *s3Store) Put(ctx context.Context, key, contentType string, r io.Reader) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	info, err := s.put(ctx, key, contentType, r)
	if err != nil {
		return Info{}, fmt.Errorf("objects: put %s: %w", key, err)
	}
	return info, nil
}

func (s *s3Store) put(ctx context.Context, key, contentType string, r io.Reader) (Info, error) {
	if have, err := s.Stat(ctx, key); err == nil {
		return repeat(ctx, have, r)
	} else if !fault.Is(err, fault.NotFound) {
		return Info{}, err
	}
	c, err := read(ctx, r)
	if err != nil {
		return Info{}, err
	}
	defer c.done()
	upload := s.whole
	if c.Size() > partBytes {
		upload = s.parts
	}
	err = upload(ctx, key, contentType, c)
	have, statErr := s.Stat(ctx, key)
	switch {
	case statErr == nil: // ours, or that of a faster Put, or ours whose answer was lost and which was sent again
		return settle(have, c.sum)
	case status(err) == http.StatusConflict || status(err) == http.StatusPreconditionFailed:
		return Info{}, fault.Wrap(fault.Unavailable, err, "object %q is being written by someone else: try again", key)
	case err != nil:
		return Info{}, err
	}
	return Info{}, statErr
}

// content is bytes that can be read more than once, and their SHA-256.
type content struct {
	*io.SectionReader
	sum  string
	done func() error
}

// read learns the SHA-256 of r's bytes and keeps them where they can be read again.
func read(ctx context.Context, r io.Reader) (content, error) {
	if at, size, ok := rereadable(r); ok {
		c := content{SectionReader: at, done: func() error { return nil }}
		var err error
		c.sum, _, err = drain(ctx, io.Discard, io.NewSectionReader(at, 0, size))
		return c, err
	}
	var short bytes.Buffer
	sum, n, err := drain(ctx, &short, io.LimitReader(r, partBytes+1))
	if err != nil {
		return content{}, err
	} else if n <= partBytes {
		return content{io.NewSectionReader(bytes.NewReader(short.Bytes()), 0, n), sum, func() error { return nil }}, nil
	}
	spool, err := os.CreateTemp("", "swath-put-*")
	if err != nil {
		return content{}, err
	}
	err = os.Remove(spool.Name()) // the open file remains usable, and nothing remains of it after a crash
	if err == nil {
		sum, n, err = drain(ctx, spool, io.MultiReader(&short, r))
	}
	if err != nil {
		return content{}, errors.Join(err, spool.Close())
	}
	return content{io.NewSectionReader(spool, 0, n), sum, spool.Close}, nil
}

// rereadable returns the rest of a file or buffer as a section.
func rereadable(r io.Reader) (*io.SectionReader, int64, bool) {
	f, ok := r.(interface {
		io.ReaderAt
		io.Seeker
	})
	if !ok {
		return nil, 0, false
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, 0, false // a pipe
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, false
	}
	return io.NewSectionReader(f, at, end-at), end - at, true
}

// whole uploads in one request.
func (s *s3Store) whole(ctx context.Context, key, contentType string, c content) error {
	return s.create(ctx, key, func(ifNoneMatch *string) error {
		_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &s.bucket, Key: s.name(key), ContentType: &contentType, Metadata: map[string]string{sumKey: c.sum},
			Body: io.NewSectionReader(c, 0, c.Size()), ContentLength: aws.Int64(c.Size()), IfNoneMatch: ifNoneMatch,
		})
		return err
	})
}

// parts uploads piece by piece, straight from c; nothing shows before the last request, and nothing remains after a failure.
func (s *s3Store) parts(ctx context.Context, key, contentType string, c content) (err error) {
	begun, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &s.bucket, Key: s.name(key), ContentType: &contentType, Metadata: map[string]string{sumKey: c.sum},
	})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
			defer cancel()
			err = errors.Join(err, s.abort(ctx, s.name(key), begun.UploadId))
		}
	}()
	part := max(partBytes, (c.Size()+maxParts-1)/maxParts)
	done := make([]types.CompletedPart, (c.Size()+part-1)/part)
	g, partCtx := errgroup.WithContext(ctx)
	g.SetLimit(parallelParts)
	for i := range done {
		g.Go(func() error {
			off, number := int64(i)*part, aws.Int32(int32(i+1))
			body := io.NewSectionReader(c, off, min(part, c.Size()-off))
			out, err := s.client.UploadPart(partCtx, &s3.UploadPartInput{
				Bucket: &s.bucket, Key: s.name(key), UploadId: begun.UploadId, PartNumber: number,
				Body: body, ContentLength: aws.Int64(body.Size()),
			})
			if err != nil {
				return fmt.Errorf("part %d: %w", i+1, err)
			}
			done[i] = types.CompletedPart{ETag: out.ETag, PartNumber: number}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return s.create(ctx, key, func(ifNoneMatch *string) error {
		_, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &s.bucket, Key: s.name(key), UploadId: begun.UploadId, IfNoneMatch: ifNoneMatch,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
		})
		return err
	})
}

// create lets the server refuse to overwrite. A server that can't is asked whether the key is free just before.
func (s *s3Store) create(ctx context.Context, key string, publish func(ifNoneMatch *string) error) error {
	err := publish(aws.String("*"))
	if status(err) != http.StatusNotImplemented {
		return err
	}
	if _, err := s.Stat(ctx, key); !fault.Is(err, fault.NotFound) {
		return err // nil: the caller compares
	}
	return publish(nil)
}
