package httpkit

import (
	"bytes"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"
)

// Below this many bytes a body fits one packet and compression gains nothing.
const minCompressBytes = 1200

// The fastest level of each: a page of 100 items costs about 1 ms, the next levels 5 times that for a tenth of the bytes.
var (
	zstdWriter, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest)) // EncodeAll is safe for all requests at once
	gzipWriters   = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return w }}
)

// codings are what we can encode, best first.
var codings = []struct {
	name   string
	encode func(dst, src []byte) []byte
}{
	{"zstd", func(dst, src []byte) []byte { return zstdWriter.EncodeAll(src, dst) }},
	{"br", func(dst, src []byte) []byte {
		return fasthttp.AppendBrotliBytesLevel(dst, src, fasthttp.CompressBrotliBestSpeed)
	}},
	{"gzip", gzipped},
}

func gzipped(dst, src []byte) []byte {
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	buf := bytes.NewBuffer(dst)
	w.Reset(buf)
	w.Write(src) //nolint:errcheck // a bytes.Buffer takes everything
	w.Close()    //nolint:errcheck // likewise
	return buf.Bytes()
}

// compress encodes whole text bodies as the client accepts. Images, ranges, streams, 304 and what is already encoded pass.
func compress(c *fiber.Ctx) error {
	if err := c.Next(); err != nil {
		return err
	}
	resp := c.Response()
	if resp.IsBodyStream() || !compressible(resp.Header.ContentType()) || len(resp.Header.ContentEncoding()) > 0 {
		return nil
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	body := resp.Body()
	if resp.StatusCode() != fiber.StatusOK || len(body) < minCompressBytes || c.Method() == fiber.MethodHead {
		return nil
	}
	i := acceptedCoding(c.Get(fiber.HeaderAcceptEncoding))
	if i < 0 {
		return nil
	}
	resp.SetBodyRaw(codings[i].encode(make([]byte, 0, len(body)/8), body))
	resp.Header.SetContentEncoding(codings[i].name)
	if tag := resp.Header.Peek(fiber.HeaderETag); len(tag) > 2 && tag[0] == '"' { // other bytes, other strong tag
		c.Set(fiber.HeaderETag, string(tag[:len(tag)-1])+"-"+codings[i].name+`"`)
	}
	return nil
}

// compressible reports whether a media type is text that has not been compressed by its format.
func compressible(contentType []byte) bool {
	mediaType, _, _ := bytes.Cut(contentType, []byte(";"))
	for _, prefix := range []string{"text/", "application/json", "application/javascript", "application/xml", "application/wasm", "image/svg"} {
		if bytes.HasPrefix(mediaType, []byte(prefix)) {
			return true
		}
	}
	return bytes.HasSuffix(mediaType, []byte("+json")) || bytes.HasSuffix(mediaType, []byte("+xml"))
}
