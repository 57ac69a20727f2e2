package stachttp

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
	"swath/openapi"
)

// document serves GET /api.
func (a API) document(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	return httpkit.Send(c, openapi.MediaType, a.Document())
}

// described is what the page shows of the OpenAPI document.
type described struct {
	Info  struct{ Title, Version, Description string }
	Tags  []struct{ Name, Description string }
	Paths map[string]struct {
		Parameters                    []parameter
		Get, Post, Put, Patch, Delete *operation
	}
	Components struct{ Parameters map[string]parameter }
}

type operation struct {
	Summary    string
	Tags       []string
	Parameters []parameter
}

type parameter struct {
	Ref                   string `json:"$ref"`
	Name, In, Description string
	Required              bool
}

// line is one operation of the page.
type line struct {
	Method, Path, Summary string
	Parameters            []parameter
}

// group is the operations of one tag.
type group struct {
	Name, Description string
	Lines             []line
}

// documentPage serves GET /api.html.
func (a API) documentPage(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	var d described
	if err := json.Unmarshal(a.Document(), &d); err != nil {
		return err
	}
	groups := make([]group, len(d.Tags))
	for i, tag := range d.Tags {
		groups[i] = group{Name: tag.Name, Description: tag.Description, Lines: d.lines(tag.Name)}
	}
	return pages.Send(c, "api.html", fiber.Map{"Base": links(c).Base, "Title": d.Info.Title + " API", "Info": d.Info, "Groups": groups})
}

// lines returns the operations of a tag, by path.
func (d described) lines(tag string) []line {
	var all []line
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		item := d.Paths[path]
		for _, op := range []struct {
			method string
			*operation
		}{{fiber.MethodGet, item.Get}, {fiber.MethodPost, item.Post}, {fiber.MethodPut, item.Put}, {fiber.MethodPatch, item.Patch},
			{fiber.MethodDelete, item.Delete}} {
			if op.operation != nil && slices.Contains(op.Tags, tag) {
				all = append(all, line{op.method, path, op.Summary, d.resolve(slices.Concat(item.Parameters, op.Parameters))})
			}
		}
	}
	return all
}

// resolve replaces references by what they refer to.
func (d described) resolve(parameters []parameter) []parameter {
	const prefix = "#/components/parameters/"
	for i, p := range parameters {
		if len(p.Ref) > len(prefix) {
			parameters[i] = d.Components.Parameters[p.Ref[len(prefix):]]
		}
	}
	return parameters
}
