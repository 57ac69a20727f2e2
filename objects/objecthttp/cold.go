package objecthttp

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/objects/copies"
)

// savesAnything matches clients that take the empty body of a 202 for the file: EODAG's download of all files, and stac-asset, which is aiohttp.
// They are told 409 instead, which they show as an error, and order all the same.
var savesAnything = regexp.MustCompile(`^eodag/|^stac-asset/|^Python/\S+ aiohttp/`)

// unmistaken tells them.
func unmistaken(h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := h(c)
		if err == nil && c.Response().StatusCode() == fiber.StatusAccepted && savesAnything.MatchString(c.Get(fiber.HeaderUserAgent)) {
			return fault.New(fault.Conflict, "the file is in the archive and is being ordered: ask again in %s seconds", c.GetRespHeader(fiber.HeaderRetryAfter))
		}
		return err
	}
}

// cold answers for files of an item that are in the archive: 202 without a body, because clients save a body as the file. GET orders them
// unless ?order=false, HEAD never does.
func (a API) cold(c *fiber.Ctx, collection, item string, away []file) error {
	wanted := c.Query("order", "true")
	if wanted != "true" && wanted != "false" {
		return fault.New(fault.Invalid, "order is %.40q; it may be true or false", wanted)
	}
	var files []copies.File
	var longest time.Duration
	for _, f := range away {
		found, err := a.Desk.Find(c.UserContext(), f.object, collection, item)
		if err != nil {
			return err
		}
		wait, err := a.Desk.Estimate(c.UserContext(), found.State)
		if err != nil {
			return err
		}
		files, longest = append(files, copies.File{Key: f.object, Asset: f.asset}), max(longest, wait)
	}
	if wanted == "false" {
		return fault.New(fault.Conflict, "asset %q of item %q is in the archive; it is ordered by asking for it without order=false", away[0].asset, item)
	}
	if c.Method() == fiber.MethodGet {
		id, err := a.Desk.Order(c.UserContext(), files, true)
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderLink, fmt.Sprintf(`<%s/orders/%s>; rel="status"`, httpkit.BaseURL(c), id))
	}
	c.Set(fiber.HeaderRetryAfter, seconds(longest))
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Storage", "cold")
	c.Status(fiber.StatusAccepted)
	return nil
}

func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }
