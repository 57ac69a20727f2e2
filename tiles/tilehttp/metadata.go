package tilehttp

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// angles serves the directions to Sun and instrument of a Sentinel-2 item, of all bands or of those of bands=.
func (a API) angles(c *fiber.Ctx) error {
	if err := only(c, "bands"); err != nil {
		return err
	}
	var bands []string
	for _, list := range queryOf(c)["bands"] {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				bands = append(bands, name)
			}
		}
	}
	found, err := a.Renderer.Angles(c.UserContext(), c.Params("collection"), c.Params("item"), bands)
	if err != nil {
		return err
	}
	return sendJSON(c, found)
}

// orbit serves the state vectors of a Sentinel-1 item.
func (a API) orbit(c *fiber.Ctx) error {
	if err := only(c); err != nil {
		return err
	}
	found, err := a.Renderer.Orbit(c.UserContext(), c.Params("collection"), c.Params("item"))
	if err != nil {
		return err
	}
	return sendJSON(c, found)
}
