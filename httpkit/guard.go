package httpkit

import (
	"bytes"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
)

// ContentSecurityPolicy is sent with every HTML answer that sets none of its own: scripts and styles of this server only
// (no inline script), images from anywhere, because items of other archives show their own thumbnails.
const ContentSecurityPolicy = "default-src 'self'; img-src * data: blob:; style-src 'self' 'unsafe-inline'; " +
	"worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

// guard refuses what no handler should have to think of, and sets the headers that protect browsers.
func guard(c *fiber.Ctx) error {
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "strict-origin-when-cross-origin")
	if !clean(c.Path()) {
		return fault.New(fault.Invalid, "the path holds a control character or is not UTF-8")
	}
	for key, value := range c.Context().QueryArgs().All() {
		if !clean(string(key)) || !clean(string(value)) {
			return fault.New(fault.Invalid, "the query holds a control character or is not UTF-8")
		}
	}
	if enc := c.Get(fiber.HeaderContentEncoding); enc != "" && enc != "identity" {
		return fiber.NewError(fiber.StatusUnsupportedMediaType, "request bodies must not be compressed")
	}
	err := c.Next()
	header := &c.Response().Header
	if bytes.HasPrefix(header.ContentType(), []byte(fiber.MIMETextHTML)) && len(header.Peek(fiber.HeaderContentSecurityPolicy)) == 0 {
		c.Set(fiber.HeaderContentSecurityPolicy, ContentSecurityPolicy)
	}
	return err
}

// clean reports whether text from outside may go into a database or a log as it is.
func clean(s string) bool {
	for i := 0; i < len(s); i++ {
		if b := s[i]; b < ' ' && b != '\t' && b != '\n' && b != '\r' || b == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}

// cors opens every route to every origin, without credentials.
func cors(c *fiber.Ctx) error {
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set(fiber.HeaderAccessControlExposeHeaders,
		"Accept-Ranges, Content-Crs, Content-Encoding, Content-Length, Content-Range, ETag, Link, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, "+
			"Swath-Job-Ended, Swath-Next-Offset, X-Request-Id, X-Storage")
	if c.Method() != fiber.MethodOptions {
		return c.Next()
	}
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
	c.Set(fiber.HeaderAccessControlAllowHeaders, "Accept, Authorization, Content-Type, If-Match, If-None-Match, If-Range, Prefer, Range, X-API-Key, X-Request-Id")
	c.Set(fiber.HeaderAccessControlMaxAge, "86400")
	return c.SendStatus(fiber.StatusNoContent)
}
