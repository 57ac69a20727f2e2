package objects

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"swath/fault"
)

// drain copies r to w up to its end and returns the SHA-256 and the number of the bytes. It looks at ctx before every read.
func drain(ctx context.Context, w io.Writer, r io.Reader) (sum string, size int64, err error) {
	h := sha256.New()
	size, err = io.CopyBuffer(io.MultiWriter(h, w), ctxReader{ctx, r}, make([]byte, 1<<20))
	return hex.EncodeToString(h.Sum(nil)), size, err
}

type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// repeat answers a Put of a key that is there already, without keeping the bytes anywhere.
func repeat(ctx context.Context, have Info, r io.Reader) (Info, error) {
	sum, _, err := drain(ctx, io.Discard, r)
	if err != nil {
		return Info{}, err
	}
	return settle(have, sum)
}

// settle decides between the same content, which changes nothing, and a conflict.
func settle(have Info, sum string) (Info, error) {
	if have.SHA256 != sum {
		return Info{}, fault.New(fault.Conflict, "object %q exists with other content (SHA-256 %s, not %s)", have.Key, have.SHA256, sum)
	}
	return have, nil
}

func unknown(key string) error { return fault.New(fault.NotFound, "there is no object %q", key) }
