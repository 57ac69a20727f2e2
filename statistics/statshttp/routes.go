// Package statshttp serves the figures of the archive and its use as JSON.
//
//	GET /stats ─▶ statistics.Figures of the collections that who asks may see, and what each mirror has
package statshttp

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"swath/stac"
	"swath/statistics"
)

// API is the door.
type API struct {
	Statistics *statistics.Store
	// Mirrors tells of each mirror what it has, waits for and failed at, as JSON; nil: there are none.
	Mirrors func(ctx context.Context) (any, error)
}

// Mount adds the route.
func (a API) Mount(r fiber.Router) { r.Get("/stats", a.stats) }

// stats serves GET /stats.
func (a API) stats(c *fiber.Ctx) error {
	ctx := c.UserContext()
	figures, err := a.Statistics.Figures(ctx, stac.ScopeOf(ctx).Sees)
	if err != nil {
		return err
	}
	answer := struct {
		statistics.Figures
		Mirrors any `json:"mirrors"`
	}{figures, []any{}}
	if a.Mirrors != nil {
		if answer.Mirrors, err = a.Mirrors(ctx); err != nil {
			return err
		}
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(answer)
}
