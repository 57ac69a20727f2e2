package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"swath/fault"
)

// Remote is an S3 server of others, which is only read; its objects are not ours and need no SHA-256. What fails is not tried again here:
// the caller counts requests.
type Remote struct{ client *s3.Client }

// RemoteObject is an object there.
type RemoteObject struct {
	Key      string
	Size     int64
	ETag     string // strong, with its quotes
	Modified time.Time
}

// OpenRemote makes a client of a server; Bucket and Prefix of the configuration do not matter, and without keys it is anonymous.
func OpenRemote(c S3Config) *Remote {
	options := s3.Options{
		Region: c.Region, UsePathStyle: c.PathStyle, RetryMaxAttempts: 1,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = 64 }),
	}
	if c.AccessKey != "" {
		options.Credentials = credentials.NewStaticCredentialsProvider(c.AccessKey, string(c.SecretKey), "")
	} else {
		options.Credentials = aws.AnonymousCredentials{}
	}
	if options.Region == "" {
		options.Region = "us-east-1"
	}
	if c.Endpoint != "" {
		options.BaseEndpoint = aws.String(c.Endpoint)
	}
	return &Remote{s3.New(options)}
}

// ErrRefused says that a server has no ear for us now: too many requests, or trouble of its own.
var ErrRefused = errors.New("the S3 server refuses for now")

// List walks the objects whose keys begin with a prefix, a page of at most 1000 for each call of before, which may wait.
func (r *Remote) List(ctx context.Context, bucket, prefix string, before func() error) iter.Seq2[RemoteObject, error] {
	return func(yield func(RemoteObject, error) bool) {
		pages := s3.NewListObjectsV2Paginator(r.client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
		for pages.HasMorePages() {
			err := before()
			var page *s3.ListObjectsV2Output
			if err == nil {
				page, err = pages.NextPage(ctx)
			}
			if err != nil {
				yield(RemoteObject{}, remoteFault(err, "list s3://%s/%s", bucket, prefix))
				return
			}
			for _, o := range page.Contents {
				if !yield(RemoteObject{Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), ETag: aws.ToString(o.ETag), Modified: aws.ToTime(o.LastModified).UTC()}, nil) {
					return
				}
			}
		}
	}
}

// Get opens an object from a byte on, if it still has the tag (else fault.Stale); without tag from the first.
func (r *Remote) Get(ctx context.Context, bucket, key string, from int64, tag string) (io.ReadCloser, RemoteObject, error) {
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &key}
	if from > 0 && tag != "" {
		in.Range, in.IfMatch = aws.String(fmt.Sprintf("bytes=%d-", from)), &tag
	} else {
		from = 0
	}
	out, err := r.client.GetObject(ctx, in)
	if err != nil {
		return nil, RemoteObject{}, remoteFault(err, "get s3://%s/%s", bucket, key)
	}
	o := RemoteObject{Key: key, Size: from + aws.ToInt64(out.ContentLength), ETag: aws.ToString(out.ETag), Modified: aws.ToTime(out.LastModified).UTC()}
	if from > 0 && !strings.HasPrefix(aws.ToString(out.ContentRange), fmt.Sprintf("bytes %d-", from)) {
		out.Body.Close()
		return nil, o, fault.New(fault.Stale, "s3://%s/%s: the server ignored the range", bucket, key)
	}
	return out.Body, o, nil
}

func remoteFault(err error, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	switch code := status(err); {
	case code == http.StatusNotFound:
		return fault.Wrap(fault.NotFound, err, "%s", what)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fault.Wrap(fault.Forbidden, err, "%s", what)
	case code == http.StatusPreconditionFailed || code == http.StatusRequestedRangeNotSatisfiable:
		return fault.Wrap(fault.Stale, err, "%s", what)
	case code == http.StatusTooManyRequests || code >= 500 || code == 0 && !errors.Is(err, context.Canceled):
		return fmt.Errorf("objects: %s: %w: %w", what, ErrRefused, err)
	}
	return fmt.Errorf("objects: %s: %w", what, err)
}
