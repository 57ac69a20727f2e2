package stachttp

import (
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
	"swath/stac"
)

// queryables serves GET /queryables and GET /collections/{collection}/queryables: what items can be searched by, with the
// ranges and values that they have. Properties that are not listed can be searched by too.
func (a API) queryables(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	l, id := links(c), c.Params("collection")
	under, of := l.Base, "all collections"
	if id != "" {
		under, of = l.CollectionURL(id), id
	}
	all, err := a.Analyst.Queryables(c.UserContext(), id)
	if err != nil {
		return err
	}
	properties := fiber.Map{
		"id":         fiber.Map{"title": "Item ID", "type": "string", "minLength": 1},
		"collection": fiber.Map{"title": "Collection ID", "type": "string", "minLength": 1},
		"geometry":   fiber.Map{"title": "Footprint", "$ref": "https://geojson.org/schema/Geometry.json", "x-ogc-role": "primary-geometry"},
		"datetime":   fiber.Map{"title": "Acquired", "type": "string", "format": "date-time", "x-ogc-role": "primary-instant"},
	}
	for name, title := range map[string]string{stac.Published: "When it came", stac.Modified: "When it changed last"} {
		properties[name] = fiber.Map{"title": title, "type": "string", "format": "date-time"}
	}
	for _, q := range all {
		if properties[q.Name] == nil {
			properties[q.Name] = describe(q)
		}
	}
	if httpkit.WantsHTML(c) {
		return pages.Send(c, "queryables.html", fiber.Map{"Base": l.Base, "Title": "Queryables of " + of, "Under": under, "All": all})
	}
	body, err := json.Marshal(fiber.Map{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": under + "/queryables",
		"type": "object", "title": "Queryables of " + of, "additionalProperties": true, "properties": properties,
	})
	if err != nil {
		return err
	}
	return httpkit.Send(c, stac.TypeSchema, body)
}

// describe writes a queryable as JSON Schema.
func describe(q stac.Queryable) fiber.Map {
	out := fiber.Map{"title": q.Name}
	if q.Type != "" {
		out["type"] = q.Type
	}
	if q.Format != "" {
		out["format"] = q.Format
	}
	if q.Min != nil {
		out["minimum"] = *q.Min
	}
	if q.Max != nil {
		out["maximum"] = *q.Max
	}
	if len(q.Enum) > 0 {
		out["enum"] = q.Enum
	}
	return out
}
