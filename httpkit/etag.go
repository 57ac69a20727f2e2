package httpkit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/gofiber/fiber/v2"

	"swath/fault"
)

// Send answers GET and HEAD with body under a strong ETag made from its bytes; a client that holds them gets 304.
// The body must not be changed afterwards.
func Send(c *fiber.Ctx, contentType string, body []byte) error {
	return SendTagged(c, contentType, body, Tag(body))
}

// SendTagged is Send for a body whose Tag is known.
func SendTagged(c *fiber.Ctx, contentType string, body []byte, tag string) error {
	if NotModified(c, tag) {
		return nil
	}
	c.Set(fiber.HeaderContentType, contentType)
	return c.Send(body)
}

// Room is memory for the body of an answer that is sent with SendRoom: that of an answer before it.
func Room(c *fiber.Ctx) []byte { return c.Response().SwapBody(nil)[:0] }

// SendRoom is Send for a body in memory from Room, of which a hash is known. It must not be used after that.
func SendRoom(c *fiber.Ctx, contentType string, body []byte, sum uint64) error {
	if !NotModified(c, tag(sum)) {
		c.Set(fiber.HeaderContentType, contentType)
		c.Response().SwapBody(body)
	}
	return nil
}

// Tag is the strong ETag of a body.
func Tag(body []byte) string { return tag(xxhash.Sum64(body)) }

func tag(sum uint64) string { return strconv.Quote(strconv.FormatUint(sum, 36)) }

// IfMatch checks the preconditions of a change: fault.Stale when the client's If-Match does not name the tag of what is
// there ("" is nothing), nor one of the further tags under which it is served, or its If-None-Match does.
func IfMatch(c *fiber.Ctx, tag string, further ...string) error {
	names := func(header string) bool {
		return tag != "" && (matching(header, tag) != "" || slices.ContainsFunc(further, func(tag string) bool { return matching(header, tag) != "" }))
	}
	if header := c.Get(fiber.HeaderIfMatch); header != "" && !names(header) {
		return fault.New(fault.Stale, "it has changed since you read it, or is not there: read it again")
	}
	if header := c.Get(fiber.HeaderIfNoneMatch); header != "" && names(header) {
		return fault.New(fault.Stale, "it is there already")
	}
	return nil
}

// NotModified sets the ETag, a quoted string, and answers 304 when the client's If-None-Match names it, also in the form
// that it got with a compressed body.
func NotModified(c *fiber.Ctx, tag string) bool {
	c.Set(fiber.HeaderETag, tag)
	held := matching(c.Get(fiber.HeaderIfNoneMatch), tag)
	if held == "" || (c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead) {
		return false
	}
	c.Set(fiber.HeaderETag, held)
	c.Status(fiber.StatusNotModified)
	return true
}

// matching returns the tag of an If-None-Match list that names the same representation, whatever its coding; or "".
func matching(header, tag string) string {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" {
			return tag
		}
		plain := strings.TrimPrefix(candidate, "W/")
		for _, coding := range codings {
			if bare, cut := strings.CutSuffix(plain, "-"+coding.name+`"`); cut {
				plain = bare + `"`
			}
		}
		if plain == tag {
			return candidate
		}
	}
	return ""
}
