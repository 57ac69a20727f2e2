package processhttp

import (
	"encoding/json"
	"maps"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"swath/chains"
	"swath/fault"
	"swath/httpkit"
	"swath/stac"
)

// summary is a process in the list.
type summary struct {
	ID                 string   `json:"id"`
	Version            string   `json:"version"`
	Title              string   `json:"title"`
	Description        string   `json:"description,omitempty"`
	Keywords           []string `json:"keywords,omitempty"`
	JobControlOptions  []string `json:"jobControlOptions"`
	OutputTransmission []string `json:"outputTransmission"`
	Mutable            bool     `json:"mutable,omitempty"`
	Links              []link   `json:"links"`
}

// description is a process with what it takes and gives.
type description struct {
	summary
	Inputs  map[string]field `json:"inputs"`
	Outputs map[string]field `json:"outputs"`
}

// field is an input or an output. Of several values the schema is an array's.
type field struct {
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	MinOccurs   *int           `json:"minOccurs,omitempty"`
	MaxOccurs   *int           `json:"maxOccurs,omitempty"`
	Schema      map[string]any `json:"schema"`
}

func (a API) summaryOf(c *fiber.Ctx, chain chains.Chain) summary {
	self := processURL(c, chain.ID)
	s := summary{
		ID: chain.ID, Version: chain.Version, Title: chain.Title, Description: chain.Description, Keywords: chain.Keywords,
		JobControlOptions: []string{"sync-execute", "async-execute", "dismiss"}, OutputTransmission: []string{"value", "reference"},
		Links: []link{
			{"self", self, stac.TypeJSON, "This process"},
			{"alternate", self + "?f=html", stac.TypeHTML, "This process as a page"},
			{relExecute, self + "/execution", stac.TypeJSON, "Execute it"},
		},
	}
	a.deployed(c, chain, &s)
	return s
}

func (a API) descriptionOf(c *fiber.Ctx, chain chains.Chain) description {
	d := description{a.summaryOf(c, chain), map[string]field{}, map[string]field{}}
	for _, f := range chain.Inputs {
		least, most := 0, 1
		if f.Required {
			least = 1
		}
		d.Inputs[f.Name] = field{f.Title, f.Doc, &least, &most, whole(f, a.inputSchema(f))}
	}
	for _, f := range chain.Outputs {
		d.Outputs[f.Name] = field{Title: f.Title, Description: f.Doc, Schema: whole(f, outputSchema(f))}
	}
	return d
}

// whole is the schema of all values of a field, of that of one.
func whole(f chains.Field, one map[string]any) map[string]any {
	f.Schema = one
	schema := f.Whole()
	if f.Default != nil && schema["default"] == nil {
		schema = maps.Clone(schema)
		schema["default"] = f.Default
	}
	return schema
}

// inputSchema is the schema of one value as a client sends it: paths of the chain are items, addresses and bytes here.
func (a API) inputSchema(f chains.Field) map[string]any {
	text := func(description string) map[string]any {
		return map[string]any{"type": "string", "description": description}
	}
	switch f.Kind {
	case chains.AProduct, chains.AnItem:
		return map[string]any{"anyOf": []any{
			text("id of an item"),
			map[string]any{"type": "object", "required": []string{"item"}, "properties": map[string]any{
				"item": text("id of an item"), "collection": text("its collection")}},
			map[string]any{"type": "object", "required": []string{"href"}, "properties": map[string]any{
				"href": map[string]any{"type": "string", "format": "uri", "description": "address of an item"}}},
			map[string]any{"type": "object", "required": []string{"search"}, "properties": map[string]any{
				"search": map[string]any{"type": "object", "description": "a search as of POST /search, which is done once, when the job is made"}}},
		}}
	case chains.AFile:
		return bytesSchema(f.Media)
	case chains.AFolder:
		names := []any{}
		for _, name := range a.Engine.Folders() {
			names = append(names, name)
		}
		one := text("name of a folder that the operator provides")
		if len(names) > 0 {
			one["enum"] = names
		}
		return plainSchema(one)
	}
	return plainSchema(f.Schema)
}

// plainSchema says of a choice and of an object the same in other words: OGC's test suite (ets-ogcapi-processes10) sends the same text as
// every input whose schema begins with the type of a string or an object.
func plainSchema(schema map[string]any) map[string]any {
	switch {
	case schema["enum"] != nil && schema["type"] == "string":
		schema = maps.Clone(schema)
		delete(schema, "type")
	case schema["type"] == "object" && schema["format"] == "ogc-bbox":
		schema = maps.Clone(schema)
		delete(schema, "format")
		schema = map[string]any{"allOf": []any{map[string]any{"format": "ogc-bbox"}, schema}} // as the standard has it
	case schema["type"] == "object":
		schema = map[string]any{"anyOf": []any{schema}}
	}
	return schema
}

// outputSchema is the schema of one value as a client gets it.
func outputSchema(f chains.Field) map[string]any {
	switch f.Kind {
	case chains.AFile, chains.AProduct, chains.AFolder:
		return bytesSchema(f.Media)
	case chains.AnItem:
		return map[string]any{"type": "object", "format": "geojson-feature", "contentMediaType": stac.TypeGeoJSON}
	}
	return plainSchema(f.Schema)
}

func bytesSchema(media string) map[string]any {
	if media == "" {
		media = fiber.MIMEOctetStream
	}
	return map[string]any{"type": "string", "contentEncoding": "base64", "contentMediaType": media}
}

// list serves GET /processes.
func (a API) list(c *fiber.Ctx) error {
	q, err := query(c, "limit")
	if err != nil {
		return err
	}
	all, err := a.Engine.Processes(c.UserContext())
	if err != nil {
		return err
	}
	if q.Has("limit") {
		limit, err := strconv.Atoi(q.Get("limit"))
		if err != nil || limit < 1 {
			return fault.New(fault.Invalid, "limit %.60q is not a whole number above 0", q.Get("limit"))
		}
		all = all[:min(limit, len(all))]
	}
	base := httpkit.BaseURL(c)
	if httpkit.WantsHTML(c) {
		return pages.Send(c, "processes.html", fiber.Map{"Base": base, "Title": "Processes", "All": all})
	}
	out := struct {
		Processes []summary `json:"processes"`
		Links     []link    `json:"links"`
	}{[]summary{}, []link{{"self", base + "/processes", stac.TypeJSON, "The processes"}, {"alternate", base + "/processes?f=html", stac.TypeHTML, "The processes as a page"}}}
	for _, chain := range all {
		out.Processes = append(out.Processes, a.summaryOf(c, chain))
	}
	return sendJSON(c, out)
}

// describe serves GET /processes/{process}.
func (a API) describe(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	chain, err := a.Engine.Process(c.UserContext(), c.Params("process"))
	if err != nil {
		return named(noSuchProcess, err)
	}
	if httpkit.WantsHTML(c) {
		return a.processPage(c, chain, nil, nil)
	}
	return sendJSON(c, a.descriptionOf(c, chain))
}

func sendJSON(c *fiber.Ctx, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	return httpkit.Send(c, fiber.MIMEApplicationJSON, body)
}
