package stac

import "context"

type downloadKey struct{}

// Download is what a request asks for that wants a file of an item.
type Download struct {
	Collection string
	Platform   string // of the item; empty: it does not say
}

// WithDownload returns the context of a request that asks for a file of an item.
func WithDownload(ctx context.Context, d Download) context.Context {
	return context.WithValue(ctx, downloadKey{}, d)
}

// DownloadOf returns what a request wants; nothing of other requests.
func DownloadOf(ctx context.Context) Download {
	d, _ := ctx.Value(downloadKey{}).(Download)
	return d
}

type drawingKey struct{}

// WithDrawing returns the context of a request for what is drawn, or worked out, of items' files: tiles, previews, values.
func WithDrawing(ctx context.Context) context.Context {
	return context.WithValue(ctx, drawingKey{}, true)
}

// IsDrawing reports whether a request asks for that.
func IsDrawing(ctx context.Context) bool { return ctx.Value(drawingKey{}) != nil }
