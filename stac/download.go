package stac

import "context"

type downloadKey struct{}

// WithDownload returns the context of a request that asks for a file of a collection's item.
func WithDownload(ctx context.Context, collection string) context.Context {
	return context.WithValue(ctx, downloadKey{}, collection)
}

// DownloadOf returns that collection; "" of other requests.
func DownloadOf(ctx context.Context) string {
	collection, _ := ctx.Value(downloadKey{}).(string)
	return collection
}
