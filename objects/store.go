// Package objects keeps bytes by name: COGs, original products, metadata files, results.
//
//	Put ─▶ temporary name ─▶ sync ─▶ rename ─▶ visible, whole, with its SHA-256
//
// An object is written once and never changes: a reader that has seen a key may keep what it read for ever.
// There are two stores, a local folder (OpenFolder) and any S3 server (OpenS3); both pass the same suite (objectstest).
package objects

import (
	"context"
	"io"
	"iter"
	"os"
	"time"
)

// Info describes an object.
type Info struct {
	Key         string    // slash-separated, no leading slash, no "." or ".." segment
	Size        int64     // bytes
	SHA256      string    // lower-case hex of the whole content
	ContentType string    // media type as given to Put
	Modified    time.Time // UTC
}

// Object is an open object. ReadAt may be called from several goroutines at once. It lives until Close, not until the end of
// the context it was opened with, so that a cache may hold it.
type Object interface {
	io.ReaderAt
	io.Closer
	Info() Info
}

// Given is a file that nobody will change any more, read from its beginning: a store may give it another name, where it would copy the bytes
// of others.
type Given struct{ *os.File }

// Store keeps objects. Keys that are empty, absolute, hold an empty, "." or ".." segment, a backslash or a control character,
// are not UTF-8, or are longer than 1024 bytes or 255 in one segment are fault.Invalid; unknown keys are fault.NotFound.
// A key that continues another one ("a/b" beside "a") may be fault.Conflict, because a folder can't hold both.
type Store interface {
	// Put publishes the bytes of r under key, all or nothing. Putting a key that exists is fault.Conflict, unless the content
	// is the same (by SHA-256), which changes nothing and returns what is there. A file behind r must not change meanwhile.
	Put(ctx context.Context, key, contentType string, r io.Reader) (Info, error)
	// Open prepares ranged reads.
	Open(ctx context.Context, key string) (Object, error)
	// Stat describes one object.
	Stat(ctx context.Context, key string) (Info, error)
	// List walks the keys that begin with prefix, in byte order. SHA256 and ContentType may be empty.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Delete removes an object; an unknown key is no error.
	Delete(ctx context.Context, key string) error
	// Sweep removes what interrupted Puts left behind (temporary files, unfinished multipart uploads) older than age.
	Sweep(ctx context.Context, age time.Duration) error
}

// Presigner is a Store that serves its objects also to others, at addresses that are signed.
type Presigner interface {
	// Presign returns the address of an object at an endpoint, which others know the store by ("" is the store's own), that is good for life
	// and needs no header. The answer has this Content-Disposition and type.
	Presign(ctx context.Context, key, endpoint, disposition, contentType string, life time.Duration) (string, error)
}
