package objecthttp

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/objects"
)

// Who else may send the bytes of a file, once it is known that the client may have them:
//
//	the proxy in front   X-Accel-Redirect: {Accel}{key}; ranges are its work, from a folder that it sees too
//	the object store     307 to an address that is signed and good for a while, and needs no header
//
// What depends on our ETag, which neither of them knows, is sent from here.

// A proxy says by this header that it serves files itself: who comes without one gets them from here.
const (
	capability = "X-Sendfile-Type"
	accel      = "X-Accel-Redirect"
)

// sentElsewhere lets somebody else send a file; false: nobody does.
func (a API) sentElsewhere(c *fiber.Ctx, o objects.Object, asset Asset) (bool, error) {
	if c.Method() != fiber.MethodGet || asset.Key == "" || c.Get(fiber.HeaderIfMatch) != "" {
		return false, nil
	}
	if a.Accel != "" && c.Get(capability) == accel {
		c.Set(accel, a.Accel+strings.ReplaceAll(url.PathEscape(asset.Key), "%2F", "/"))
		return true, nil
	}
	if a.Presign == nil || c.Get(fiber.HeaderIfRange) != "" {
		return false, nil
	}
	address, err := a.Presign(c.UserContext(), asset.Key, disposition(asset.FileName), asset.ContentType)
	if err != nil {
		return false, err
	}
	for _, name := range []string{fiber.HeaderETag, fiber.HeaderLastModified, fiber.HeaderAcceptRanges, fiber.HeaderContentDisposition, fiber.HeaderContentType} {
		c.Response().Header.Del(name) // of the file; this is not it
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderLocation, address)
	c.Status(fiber.StatusTemporaryRedirect)
	return true, nil
}

// bytesOf are those that are asked for, of a file of a size: what somebody else sends is counted as if all of it arrived.
func bytesOf(spans []span, size int64) (n int64) {
	if len(spans) == 0 {
		return size
	}
	for _, s := range spans {
		n += s.n
	}
	return n
}
