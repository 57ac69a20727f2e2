// Package openapi holds the contract of the HTTP surface.
//
//	openapi.yaml (written by hand) ──▶ Document: the same as JSON ──▶ /api, /api.html, internal/contract
//
// The document comes first; a route that it does not know does not pass the tests.
package openapi

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"

	"gopkg.in/yaml.v3"
)

//go:embed openapi.yaml
var source []byte

// MediaType is that of Document, for links and answers: OpenAPI 3.0, because many clients read nothing newer.
const MediaType = "application/vnd.oai.openapi+json;version=3.0"

// Document returns the document as JSON. The bytes are shared and must not be changed.
var Document = sync.OnceValue(func() []byte {
	var tree any
	err := yaml.Unmarshal(source, &tree)
	if err != nil {
		panic(fmt.Sprintf("openapi: openapi.yaml: %v", err))
	}
	body, err := json.Marshal(tree)
	if err != nil {
		panic(fmt.Sprintf("openapi: openapi.yaml: %v", err))
	}
	return body
})
