package tilehttp

import (
	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/stac"
)

// drawn mounts routes of what is drawn. What lies in the archive alone is 404 there, not the 202 of a download: a map shows what there is,
// and orders nothing. What is sent is counted as drawn.
type drawn struct{ fiber.Router }

func (d drawn) Group(prefix string, handlers ...fiber.Handler) fiber.Router {
	return drawn{d.Router.Group(prefix, handlers...)}
}

func (d drawn) Get(path string, handlers ...fiber.Handler) fiber.Router {
	return d.Router.Get(path, stored(handlers[0]))
}

func (d drawn) Post(path string, handlers ...fiber.Handler) fiber.Router {
	return d.Router.Post(path, stored(handlers[0]))
}

func stored(serve fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.SetUserContext(stac.WithDrawing(c.UserContext()))
		err := serve(c)
		if !fault.Is(err, fault.Offline) {
			return err
		}
		c.Set("X-Storage", "cold")
		return fault.Wrap(fault.NotFound, err, "what would be drawn is in the archive: its files have to be ordered first")
	}
}
