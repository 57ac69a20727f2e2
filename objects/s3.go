package objects

import (
	"context"
	"errors"
	"fmt"
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

// S3Config says where the bucket is.
type S3Config struct {
	Endpoint  string // http://host:port; empty: the region's own of AWS
	Region    string // empty: us-east-1, which most other servers take
	Bucket    string
	Prefix    string // what goes before each key; empty: nothing
	AccessKey string
	SecretKey Secret
	PathStyle bool // the bucket in the path, not in the host name
}

// s3Store keeps objects in a bucket, each with its SHA-256 in its metadata.
//
// The metadata of an S3 object is fixed when its upload begins, so the sum must be known before: Put reads a file or a buffer
// twice, keeps a short stream in memory and a long one in an unlinked file in os.TempDir. The object and its sum become visible
// in one step, and that step carries If-None-Match: *, so of two Puts the server lets one win.
type s3Store struct {
	client *s3.Client
	bucket string
	prefix string // empty, or ends in a slash
	stall  time.Duration
}

// sumKey is the metadata key of the SHA-256 (x-amz-meta-sha256).
const sumKey = "sha256"

// OpenS3 returns the store in a bucket that exists. It asks the server for the bucket, so a wrong address, name or key shows now.
func OpenS3(ctx context.Context, c S3Config) (Store, error) {
	if c.Bucket == "" || c.AccessKey == "" || c.SecretKey == "" {
		return nil, fault.New(fault.Invalid, "an S3 store needs a bucket, an access key and a secret key")
	}
	prefix := strings.Trim(c.Prefix, "/")
	if prefix != "" {
		if err := checkKey(prefix); err != nil {
			return nil, fmt.Errorf("objects: S3 prefix: %w", err)
		}
		prefix += "/"
	}
	options := s3.Options{
		Region:           c.Region,
		Credentials:      credentials.NewStaticCredentialsProvider(c.AccessKey, string(c.SecretKey), ""),
		UsePathStyle:     c.PathStyle,
		RetryMaxAttempts: 5,
		// Signed requests carry a SHA-256 of their payload already; CRC trailers are not known to every server.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = 64 // tiles read many ranges at once
		}),
	}
	if options.Region == "" {
		options.Region = "us-east-1"
	}
	if c.Endpoint != "" {
		options.BaseEndpoint = aws.String(c.Endpoint)
	}
	s := &s3Store{s3.New(options), c.Bucket, prefix, stallTimeout}
	_, err := s.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.bucket}, func(o *s3.Options) {
		o.RetryMaxAttempts = 2 // someone is waiting at a terminal
	})
	switch status(err) {
	case http.StatusBadRequest:
		return nil, fault.Wrap(fault.Invalid, err, "S3 bucket name %q is refused at %s", c.Bucket, c.where())
	case http.StatusNotFound:
		return nil, fault.New(fault.NotFound, "S3 bucket %q does not exist at %s: create it first", c.Bucket, c.where())
	case http.StatusForbidden:
		return nil, fault.New(fault.Forbidden, "S3 bucket %q at %s is closed to access key %q", c.Bucket, c.where(), c.AccessKey)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "S3 bucket %q at %s can't be reached", c.Bucket, c.where())
	}
	return s, nil
}

func (c S3Config) where() string {
	if c.Endpoint == "" {
		return "AWS " + c.Region
	}
	return c.Endpoint
}

// status returns the server's answer behind err; 0 means that there was none.
func status(err error) int {
	var re *awshttp.ResponseError
	if errors.As(err, &re) {
		return re.HTTPStatusCode()
	}
	return 0
}

func (s *s3Store) name(key string) *string { return aws.String(s.prefix + key) }

func (s *s3Store) Stat(ctx context.Context, key string) (Info, error) {
	info, _, err := s.head(ctx, key)
	return info, err
}

// head describes an object, and names its version by the ETag.
func (s *s3Store) head(ctx context.Context, key string) (Info, *string, error) {
	info, out, err := s.describe(ctx, key)
	if err != nil {
		return info, nil, err
	}
	return info, out.ETag, nil
}

// describe describes an object, and returns what the server said of it.
func (s *s3Store) describe(ctx context.Context, key string) (Info, *s3.HeadObjectOutput, error) {
	if err := checkKey(key); err != nil {
		return Info{}, nil, err
	}
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: s.name(key)})
	if status(err) == http.StatusNotFound {
		err = unknown(key)
	} else if err == nil && out.Metadata[sumKey] == "" {
		err = errors.New("it has no SHA-256 in its metadata: something else wrote it")
	}
	if err != nil {
		return Info{}, nil, fmt.Errorf("objects: stat %s: %w", key, err)
	}
	return Info{
		Key: key, Size: aws.ToInt64(out.ContentLength), SHA256: out.Metadata[sumKey],
		ContentType: aws.ToString(out.ContentType), Modified: aws.ToTime(out.LastModified).UTC(),
	}, out, nil
}

func (s *s3Store) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if _, _, err := splitPrefix(prefix); err != nil {
			yield(Info{}, err)
			return
		}
		pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: s.name(prefix)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Info{}, fmt.Errorf("objects: list %s: %w", prefix, err))
				return
			}
			for _, o := range page.Contents {
				key := strings.TrimPrefix(aws.ToString(o.Key), s.prefix)
				if checkKey(key) != nil {
					continue // a "folder/" that some other tool made
				}
				if !yield(Info{Key: key, Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified).UTC()}, nil) {
					return
				}
			}
		}
	}
}

func (s *s3Store) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: s.name(key)})
	if err != nil && status(err) != http.StatusNotFound {
		return fmt.Errorf("objects: delete %s: %w", key, err)
	}
	return nil
}

func (s *s3Store) Sweep(ctx context.Context, age time.Duration) error {
	pages := s3.NewListMultipartUploadsPaginator(s.client, &s3.ListMultipartUploadsInput{Bucket: &s.bucket, Prefix: &s.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("objects: sweep: %w", err)
		}
		for _, u := range page.Uploads {
			if time.Since(aws.ToTime(u.Initiated)) < age {
				continue
			}
			if err := s.abort(ctx, u.Key, u.UploadId); err != nil {
				return fmt.Errorf("objects: sweep: %w", err)
			}
		}
	}
	return nil
}

// abort gives up an upload; one that is gone already is no error.
func (s *s3Store) abort(ctx context.Context, name, upload *string) error {
	_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: name, UploadId: upload})
	if status(err) == http.StatusNotFound {
		return nil
	}
	return err
}
