package stachttp

import (
	"encoding/json"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
	"swath/stac"
)

// collections serves GET /collections.
func (a API) collections(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	all, err := a.Catalog.Collections(c.UserContext())
	if err != nil {
		return err
	}
	l := links(c)
	if httpkit.WantsHTML(c) {
		return collectionsPage(c, l, all)
	}
	size := stac.LinkBytes
	for _, one := range all {
		size += len(one.Body) + stac.LinkBytes
	}
	body := append(make([]byte, 0, size), `{"collections":[`...)
	for i, one := range all {
		if i > 0 {
			body = append(body, ',')
		}
		body = l.AppendCollection(body, one)
	}
	body = append(body, `],"links":[`...)
	body = stac.AppendLink(body, "self", l.Base+"/collections", stac.TypeJSON, "Collections")
	body = stac.AppendLink(append(body, ','), "root", l.Base+"/", stac.TypeJSON, "The catalog")
	body = stac.AppendLink(append(body, ','), "parent", l.Base+"/", stac.TypeJSON, "The catalog")
	body = stac.AppendLink(append(body, ','), "alternate", l.Base+"/collections?f=html", stac.TypeHTML, "Collections as a page")
	body = fmt.Appendf(body, `],"numberMatched":%d,"numberReturned":%d}`, len(all), len(all))
	return httpkit.Send(c, stac.TypeJSON, body)
}

// collection serves GET /collections/{collection}.
func (a API) collection(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	one, err := a.Catalog.Collection(c.UserContext(), c.Params("collection"))
	if err != nil {
		return err
	}
	l := links(c)
	if httpkit.WantsHTML(c) {
		return collectionPage(c, l, one)
	}
	return httpkit.Send(c, stac.TypeJSON, l.AppendCollection(make([]byte, 0, len(one.Body)+stac.LinkBytes), one))
}

// queryables serves GET /queryables.
func (a API) queryables(c *fiber.Ctx) error {
	return sendQueryables(c, links(c).Base, "all collections")
}

// collectionQueryables serves GET /collections/{collection}/queryables.
func (a API) collectionQueryables(c *fiber.Ctx) error {
	one, err := a.Catalog.Collection(c.UserContext(), c.Params("collection"))
	if err != nil {
		return err
	}
	return sendQueryables(c, links(c).CollectionURL(one.ID), one.ID)
}

// sendQueryables answers with what a search can compare: today the same for every collection.
func sendQueryables(c *fiber.Ctx, under, of string) error {
	if _, err := query(c); err != nil {
		return err
	}
	body, err := json.Marshal(fiber.Map{
		"$schema": "https://json-schema.org/draft/2019-09/schema", "$id": under + "/queryables",
		"type": "object", "title": "Queryables of " + of, "additionalProperties": false,
		"properties": fiber.Map{
			"id":         fiber.Map{"title": "Item ID", "type": "string"},
			"collection": fiber.Map{"title": "Collection ID", "type": "string"},
			"geometry":   fiber.Map{"title": "Footprint", "$ref": "https://geojson.org/schema/Geometry.json"},
			"datetime":   fiber.Map{"title": "Acquired", "type": "string", "format": "date-time"},
		},
	})
	if err != nil {
		return err
	}
	return httpkit.Send(c, stac.TypeSchema, body)
}
