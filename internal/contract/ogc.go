package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// ogcFolder holds the schemas of OGC API Processes.
const ogcFolder = "schemas/schemas.opengis.net/ogcapi/processes/part1/1.0/openapi/schemas"

// openOGC reads the schemas of OGC API Processes, by their names.
var openOGC = sync.OnceValues(func() (openapi3.Schemas, error) {
	entries, err := schemas.ReadDir(ogcFolder)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	all := map[string]any{}
	for _, e := range entries {
		all[strings.TrimSuffix(e.Name(), ".yaml")] = map[string]string{"$ref": e.Name()}
	}
	document, err := json.Marshal(map[string]any{"openapi": "3.0.3", "info": map[string]string{"title": "OGC", "version": "1.0"}, "paths": map[string]any{},
		"components": map[string]any{"schemas": all}})
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	loader := &openapi3.Loader{IsExternalRefsAllowed: true, ReadFromURIFunc: func(_ *openapi3.Loader, at *url.URL) ([]byte, error) {
		body, err := schemas.ReadFile(at.Path)
		if path.Base(at.Path) == "inputValueNoObject.yaml" {
			// An integer is a number, too, and bytes are a text: "one of" fits none of these (issue 54 of its test suite).
			body = bytes.Replace(body, []byte("oneOf:"), []byte("anyOf:"), 1)
		}
		return body, err
	}}
	read, err := loader.LoadFromDataWithPath(document, &url.URL{Path: path.Join(ogcFolder, "all.json")})
	if err != nil {
		return nil, fmt.Errorf("contract: schemas of OGC API Processes: %w", err)
	}
	return read.Components.Schemas, nil
})

// ogcSchemas names the schema of what an operation answers in JSON.
var ogcSchemas = map[string]string{
	"GET /": "landingPage", "GET /conformance": "confClasses", "GET /processes": "processList", "GET /processes/{process}": "process",
	"POST /processes/{process}/execution": "results", "GET /jobs": "jobList", "GET /jobs/{job}": "statusInfo", "DELETE /jobs/{job}": "statusInfo",
	"GET /jobs/{job}/results": "results", "POST /processes": "processSummary",
}

// ogcSchema is the schema of the standard for an answer in JSON; nil where there is none, as of results that are sent raw.
func ogcSchema(operation string, query url.Values, asked string, got Response) (*openapi3.Schema, error) {
	name, known := ogcSchemas[operation]
	switch {
	case !known || query.Has("dryRun"):
		return nil, nil
	case got.Status >= 400:
		name = "exception"
	case name == "results" && got.Status == 201:
		name = "statusInfo"
	case name == "results" && strings.Contains(asked, `"raw"`):
		return nil, nil
	}
	all, err := openOGC()
	if err != nil {
		return nil, err
	}
	return all[name].Value, nil
}
