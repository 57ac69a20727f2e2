package objects

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"swath/fault"
)

// glacier is an Archive in the bucket itself: objects of a cold storage class, which RestoreObject makes readable for some days. The server
// takes the room back when they are over, and not before. (Amazon S3 User Guide, "Working with archived objects".)
type glacier struct {
	store *s3Store
	class types.StorageClass
	piece int64 // bytes that one request copies
}

// OpenGlacier returns the archive in the bucket of an S3 store; class is GLACIER unless it says.
func OpenGlacier(store Store, class string) (Archive, error) {
	s, ok := store.(*s3Store)
	if !ok {
		return nil, fault.New(fault.Invalid, "an archive in S3 needs objects in S3")
	}
	if class == "" {
		class = string(types.StorageClassGlacier)
	}
	return &glacier{s, types.StorageClass(class), 5 << 30}, nil
}

// placeOf reads where an object's bytes are from the description of it.
func placeOf(out *s3.HeadObjectOutput) Place {
	if out.StorageClass != types.StorageClassGlacier && out.StorageClass != types.StorageClassDeepArchive {
		return Online
	}
	switch restore := aws.ToString(out.Restore); {
	case strings.Contains(restore, `ongoing-request="true"`):
		return Restoring
	case strings.Contains(restore, `ongoing-request="false"`):
		return Online
	}
	return Archived
}

// code returns the name that the server gives to an error.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// requests is how many objects are asked about at a time.
const requests = 16

func (g *glacier) Status(ctx context.Context, keys []string) ([]Holding, error) {
	all := make([]Holding, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requests)
	for i, key := range keys {
		group.Go(func() error {
			all[i].Key = key
			out, err := g.store.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &g.store.bucket, Key: g.store.name(key)})
			switch {
			case status(err) == http.StatusNotFound:
				return nil
			case err != nil:
				return fault.Wrap(fault.Unavailable, err, "the archive does not say where %q is", key)
			}
			all[i].Place = placeOf(out)
			return nil
		})
	}
	return all, group.Wait()
}

func (g *glacier) Restore(ctx context.Context, keys []string, days int, tier string) (refused map[string]error, err error) {
	if tier == "" {
		tier = string(types.TierStandard)
	}
	refused = map[string]error{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requests)
	for _, key := range keys {
		group.Go(func() error {
			_, err := g.store.client.RestoreObject(ctx, &s3.RestoreObjectInput{Bucket: &g.store.bucket, Key: g.store.name(key), RestoreRequest: &types.RestoreRequest{
				Days: aws.Int32(int32(days)), GlacierJobParameters: &types.GlacierJobParameters{Tier: types.Tier(tier)}}}, func(o *s3.Options) {
				o.RetryMaxAttempts = 2 // the keeper asks again
			})
			switch {
			case err == nil, code(err) == "RestoreAlreadyInProgress":
				return nil
			case code(err) == "InvalidObjectState", code(err) == "ObjectAlreadyInActiveTierError": // it is not cold
				return nil
			case status(err) >= 400 && status(err) < 500 || code(err) == "GlacierExpeditedRetrievalNotAvailable":
				mu.Lock()
				refused[key] = err
				mu.Unlock()
				return nil
			}
			return fault.Wrap(fault.Unavailable, err, "the archive does not restore %q", key)
		})
	}
	return refused, group.Wait()
}

// Cancel does nothing: a restore that began ends.
func (g *glacier) Cancel(context.Context, []string) error { return nil }

// Release does nothing: what was restored goes when its days are over.
func (g *glacier) Release(context.Context, []string) error { return nil }

// Remove does nothing: the object and its copy are one, which the store deletes.
func (g *glacier) Remove(context.Context, []string) error { return nil }

// Keep gives objects the cold class, by copying each onto itself.
func (g *glacier) Keep(ctx context.Context, keys []string) error {
	for _, key := range keys {
		out, err := g.store.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &g.store.bucket, Key: g.store.name(key)})
		if err == nil && out.StorageClass != g.class {
			if aws.ToInt64(out.ContentLength) <= g.piece {
				err = g.copyWhole(ctx, key)
			} else {
				err = g.copyPieces(ctx, key, out)
			}
		}
		if err != nil {
			return fmt.Errorf("objects: archive %s: %w", key, err)
		}
	}
	return nil
}

func (g *glacier) source(key string) *string {
	return aws.String((&url.URL{Path: g.store.bucket + "/" + *g.store.name(key)}).EscapedPath())
}

func (g *glacier) copyWhole(ctx context.Context, key string) error {
	_, err := g.store.client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &g.store.bucket, Key: g.store.name(key), CopySource: g.source(key),
		StorageClass: g.class, MetadataDirective: types.MetadataDirectiveCopy})
	return err
}

// copyPieces copies what is larger than one request may copy.
func (g *glacier) copyPieces(ctx context.Context, key string, out *s3.HeadObjectOutput) (err error) {
	begun, err := g.store.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &g.store.bucket, Key: g.store.name(key), StorageClass: g.class,
		ContentType: out.ContentType, Metadata: out.Metadata})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
			defer cancel()
			err = errors.Join(err, g.store.abort(ctx, g.store.name(key), begun.UploadId))
		}
	}()
	size := aws.ToInt64(out.ContentLength)
	done := make([]types.CompletedPart, (size+g.piece-1)/g.piece)
	group, part := errgroup.WithContext(ctx)
	group.SetLimit(parallelParts)
	for i := range done {
		group.Go(func() error {
			from, number := int64(i)*g.piece, aws.Int32(int32(i+1))
			piece, err := g.store.client.UploadPartCopy(part, &s3.UploadPartCopyInput{Bucket: &g.store.bucket, Key: g.store.name(key), UploadId: begun.UploadId, PartNumber: number,
				CopySource: g.source(key), CopySourceIfMatch: out.ETag, CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", from, min(from+g.piece, size)-1))})
			if err == nil {
				done[i] = types.CompletedPart{ETag: piece.CopyPartResult.ETag, PartNumber: number}
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	_, err = g.store.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: &g.store.bucket, Key: g.store.name(key), UploadId: begun.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: done}})
	return err
}
