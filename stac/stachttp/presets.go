package stachttp

import (
	"sync"

	"github.com/gofiber/fiber/v2"

	"swath/stac"
)

// presets keeps what collections offer to draw, as long as no collection has changed.
type presets struct {
	mu         sync.Mutex
	generation uint64
	of         map[string][]stac.Preset
}

// itemLinks renders a single item: with links to its tiles in every preset of its collection. On a page of items they would
// weigh more than the items.
func (a API) itemLinks(c *fiber.Ctx, collection string) stac.Links {
	l, generation := links(c), a.Generation()
	a.presets.mu.Lock()
	if a.presets.of == nil || a.presets.generation != generation {
		a.presets.generation, a.presets.of = generation, map[string][]stac.Preset{}
	}
	offered, known := a.presets.of[collection]
	a.presets.mu.Unlock()
	if l.Presets = offered; known {
		return l
	}
	one, err := a.Catalog.Collection(c.UserContext(), collection)
	if err != nil {
		return l // what asks for an item of it says the same
	}
	l.Presets = stac.Presets(one.Body)
	a.presets.mu.Lock()
	defer a.presets.mu.Unlock()
	if a.presets.generation == generation {
		a.presets.of[collection] = l.Presets
	}
	return l
}
