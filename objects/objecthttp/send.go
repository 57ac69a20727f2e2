package objecthttp

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
	"swath/objects"
)

// An object never changes, but the asset's address leads to another one after a product was made anew: hence an hour, not for ever.
const cacheControl = "public, max-age=3600, immutable"

// send answers with o, or the ranges of it that are asked for, and closes it and leaves in the end.
func (a API) send(c *fiber.Ctx, o objects.Object, asset Asset, leave func()) error {
	body, err := a.answer(c, o, asset)
	if err != nil || body == nil {
		leave()
		return errors.Join(err, o.Close())
	}
	body.leave = leave
	if asset.done != nil {
		status := c.Response().StatusCode()
		body.done = func(bytes int64) { asset.done(status, bytes) }
	}
	httpkit.SendStream(c, body, int(body.size))
	return nil
}

// answer writes the status and the headers. No body means that these say it all.
func (a API) answer(c *fiber.Ctx, o objects.Object, asset Asset) (*body, error) {
	info := o.Info()
	tag := strconv.Quote(info.SHA256)
	modified := info.Modified.Truncate(time.Second)
	if failed(c, tag, modified) {
		return nil, fiber.NewError(fiber.StatusPreconditionFailed, "the file is not the one that the request names")
	}
	var spans []span // none: the whole file
	if c.Method() == fiber.MethodGet && sameFile(c.Get(fiber.HeaderIfRange), tag, modified) {
		var ok bool
		if spans, ok = parseRange(c.Get(fiber.HeaderRange), info.Size); !ok {
			c.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes */%d", info.Size))
			return nil, fiber.NewError(fiber.StatusRequestedRangeNotSatisfiable, fmt.Sprintf("the file has only %d bytes", info.Size))
		}
	}
	c.Set(fiber.HeaderCacheControl, cacheControl)
	c.Set(fiber.HeaderLastModified, modified.Format(http.TimeFormat))
	if httpkit.NotModified(c, tag) {
		return nil, nil
	}
	if since, err := http.ParseTime(c.Get(fiber.HeaderIfModifiedSince)); err == nil && c.Get(fiber.HeaderIfNoneMatch) == "" && !modified.After(since) {
		c.Status(fiber.StatusNotModified)
		return nil, nil
	}
	c.Set(fiber.HeaderAcceptRanges, "bytes")
	c.Set(fiber.HeaderContentType, asset.ContentType)
	c.Set(fiber.HeaderContentDisposition, disposition(asset.FileName))
	if elsewhere, err := a.sentElsewhere(c, o, asset); err != nil {
		return nil, err
	} else if elsewhere {
		n := bytesOf(spans, info.Size)
		httpkit.CountSent(c, n)
		if asset.done != nil {
			asset.done(c.Response().StatusCode(), n)
		}
		return nil, nil
	}
	switch len(spans) {
	case 0:
		return newBody(o, info.Size, objects.Stream(o, 0, info.Size)), nil
	case 1:
		c.Status(fiber.StatusPartialContent).Set(fiber.HeaderContentRange, spans[0].contentRange(info.Size))
		return newBody(o, spans[0].n, objects.Stream(o, spans[0].off, spans[0].n)), nil
	}
	b, boundary := byteranges(o, spans, asset.ContentType)
	c.Status(fiber.StatusPartialContent).Set(fiber.HeaderContentType, "multipart/byteranges; boundary="+boundary)
	return b, nil
}

// failed reports whether the request asks for another state of the file (RFC 9110, 13.2.2, steps 1 and 2).
func failed(c *fiber.Ctx, tag string, modified time.Time) bool {
	if list := c.Get(fiber.HeaderIfMatch); list != "" {
		for candidate := range strings.SplitSeq(list, ",") {
			if candidate = strings.TrimSpace(candidate); candidate == "*" || candidate == tag {
				return false
			}
		}
		return true
	}
	since, err := http.ParseTime(c.Get(fiber.HeaderIfUnmodifiedSince))
	return err == nil && modified.After(since)
}

// sameFile evaluates If-Range (RFC 9110, 13.1.5): may the ranges be joined to what the client holds?
func sameFile(ifRange, tag string, modified time.Time) bool {
	if ifRange == "" || ifRange == tag {
		return true
	}
	date, err := http.ParseTime(ifRange)
	return err == nil && date.Equal(modified)
}

// disposition names the file so plainly that scripts which cut the header at "filename=" get it right too.
func disposition(name string) string {
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`/\"%`, r) {
			return '_'
		}
		return r
	}, name)
	return mime.FormatMediaType("attachment", map[string]string{"filename": ascii})
}

// body streams an answer and closes the object behind it, also when the client has left.
type body struct {
	io.Reader
	size    int64 // bytes
	sent    int64 // bytes
	closers []io.Closer
	leave   func()
	done    func(sent int64)
}

func newBody(o objects.Object, size int64, stream io.ReadCloser) *body {
	return &body{Reader: stream, size: size, closers: []io.Closer{stream, o}}
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.sent += int64(n)
	return n, err
}

// WriteTo lets a local file find its way to the socket through the kernel.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	n, err := io.Copy(w, b.Reader)
	b.sent += n
	return n, err
}

func (b *body) Close() error {
	if b.leave != nil {
		defer b.leave()
	}
	if b.done != nil {
		b.done(b.sent)
		b.done = nil
	}
	var errs []error
	for _, c := range b.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
