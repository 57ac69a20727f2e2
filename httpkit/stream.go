package httpkit

import (
	"bufio"
	"context"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// longestStream bounds how long one answer may flow.
const longestStream = 6 * time.Hour

// Stream answers with what write makes, as it is made: compressed as the client accepts where the type is text, and never
// held whole. The context ends when the client leaves. When write fails, the connection is cut, so that the client does not
// take a part for the whole.
func Stream(c *fiber.Ctx, contentType, filename string, write func(ctx context.Context, w io.Writer) error) error {
	c.Set(fiber.HeaderContentType, contentType)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+url.PathEscape(filename)+`"`)
	c.Vary(fiber.HeaderAccept)
	if c.Method() == fiber.MethodHead {
		return nil
	}
	coding := ""
	if compressible([]byte(contentType)) || strings.HasSuffix(contentType, "ndjson") || strings.HasSuffix(contentType, "json-seq") {
		c.Vary(fiber.HeaderAcceptEncoding)
		if coding = streamCoding(c.Get(fiber.HeaderAcceptEncoding)); coding != "" {
			c.Set(fiber.HeaderContentEncoding, coding)
		}
	}
	conn, gone, f, path := c.Context().Conn(), ClientGone(c), frameOf(c), c.Path()
	request := context.WithoutCancel(c.UserContext())
	c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		ctx, cancel := context.WithTimeout(request, longestStream)
		defer cancel()
		watch(ctx, cancel, gone)
		sent := &counted{to: out}
		if f.cfg.Sent != nil {
			defer func() { f.cfg.Sent(ctx, 0, sent.n) }()
		}
		if err := writeOrPanic(ctx, sent, coding, write); err != nil {
			if !gone() {
				f.cfg.Log.ErrorContext(ctx, "stream cut off", "id", f.requestID, "path", path, "err", err)
			}
			conn.Close() //nolint:errcheck // that it ends is all that matters
		}
	})
	return nil
}

// streamCoding returns what of zstd and gzip the client likes more, or "".
func streamCoding(header string) string {
	if zstd, gzip := quality(header, "zstd"), quality(header, "gzip"); zstd > 0 && zstd >= gzip {
		return "zstd"
	} else if gzip > 0 {
		return "gzip"
	}
	return ""
}

// counted counts what is written to it.
type counted struct {
	to *bufio.Writer
	n  int64
}

func (w *counted) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.n += int64(n)
	return n, err
}

func (w *counted) Flush() error { return w.to.Flush() }

// SendStream answers with a body of a known size as it is read, and closes it in the end. What is really sent is counted.
func SendStream(c *fiber.Ctx, body io.ReadCloser, size int) {
	if f := frameOf(c); f.cfg.Sent != nil {
		body = &metered{ReadCloser: body, sent: f.cfg.Sent, ctx: context.WithoutCancel(c.UserContext())}
	}
	c.Context().SetBodyStream(body, size)
}

// CountSent counts bytes that somebody else sends for this server.
func CountSent(c *fiber.Ctx, n int64) {
	if f := frameOf(c); f.cfg.Sent != nil {
		f.cfg.Sent(c.UserContext(), 0, n)
	}
}

// metered counts what is taken out of a body.
type metered struct {
	io.ReadCloser
	n    int64
	sent func(ctx context.Context, requests, bytes int64)
	ctx  context.Context
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	m.n += int64(n)
	return n, err
}

// WriteTo lets a body that knows a shorter way to the socket take it.
func (m *metered) WriteTo(w io.Writer) (int64, error) {
	n, err := io.Copy(w, m.ReadCloser)
	m.n += n
	return n, err
}

func (m *metered) Close() error {
	m.sent(m.ctx, 0, m.n)
	m.n = 0
	return m.ReadCloser.Close()
}

// writeOrPanic is writeCoded, of which a panic becomes an error: a stream is written by a goroutine of its own, where nobody else
// would recover it.
func writeOrPanic(ctx context.Context, out *counted, coding string, write func(context.Context, io.Writer) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return writeCoded(ctx, out, coding, write)
}

func writeCoded(ctx context.Context, out *counted, coding string, write func(context.Context, io.Writer) error) error {
	var w io.WriteCloser
	switch coding {
	case "zstd":
		encoder, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		if err != nil {
			return err
		}
		w = encoder
	case "gzip":
		encoder, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
		if err != nil {
			return err
		}
		w = encoder
	default:
		if err := write(ctx, out); err != nil {
			return err
		}
		return out.Flush()
	}
	if err := write(ctx, w); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return out.Flush()
}
