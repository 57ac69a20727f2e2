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

// cold answers for a file that is in the archive: 202 without a body, because clients save a body as the file. GET orders it unless
// ?order=false, HEAD never does.
func (a API) cold(c *fiber.Ctx, key, collection, item, asset string) error {
	found, err := a.Desk.Find(c.UserContext(), key, collection, item)
	if err != nil {
		return err
	}
	wanted := c.Query("order", "true")
	if wanted != "true" && wanted != "false" {
		return fault.New(fault.Invalid, "order is %.40q; it may be true or false", wanted)
	}
	if wanted == "false" {
		return fault.New(fault.Conflict, "asset %q of item %q is in the archive; it is ordered by asking for it without order=false", asset, item)
	}
	state := found.State
	if c.Method() == fiber.MethodGet {
		id, err := a.Desk.Order(c.UserContext(), []copies.File{{Key: key, Asset: asset}}, true)
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderLink, fmt.Sprintf(`<%s/orders/%s>; rel="status"`, httpkit.BaseURL(c), id))
	}
	wait, err := a.Desk.Estimate(c.UserContext(), state)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderRetryAfter, seconds(wait))
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Storage", "cold")
	c.Status(fiber.StatusAccepted)
	return nil
}

func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }
