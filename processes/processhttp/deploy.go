package processhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/chains"
	"swath/fault"
	"swath/httpkit"
	"swath/processes"
)

// The media types of packages (OGC 20-044, Part 2; CWL's own).
const (
	mediaPackage = "application/ogcapppkg+json"
	mediaCWL     = "application/cwl"
	mediaCWLJSON = "application/cwl+json"
	mediaCWLYAML = "application/cwl+yaml"
)

// The problems of Part 2.
const (
	deployProblems      = "http://www.opengis.net/def/exceptions/ogcapi-processes-2/1.0/"
	duplicatedProcess   = deployProblems + "duplicated-process"
	immutableProcess    = deployProblems + "immutable-process"
	unsupportedDocument = deployProblems + "unsupported-media-type"
)

// executionUnit is the document in an application package: as a value, which is JSON, or YAML in a text.
type executionUnit struct {
	MediaType string          `json:"mediaType,omitempty"`
	Type      string          `json:"type,omitempty"`
	Value     json.RawMessage `json:"value,omitempty"`
	Href      string          `json:"href,omitempty"`
}

// deploymentOf reads a package from the body of a request.
func deploymentOf(c *fiber.Ctx) (d processes.Deployment, err error) {
	q, err := query(c, "w")
	if err != nil {
		return d, err
	}
	d.Workflow = q.Get("w")
	media, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType)) //nolint:errcheck // "" is refused below
	switch media {
	case mediaCWL, mediaCWLJSON, mediaCWLYAML, "application/x-yaml", "application/yaml":
		d.Document = bytes.Clone(c.Body())
	case mediaPackage, fiber.MIMEApplicationJSON:
		d.Document, err = documentIn(c.Body())
	default:
		err = httpkit.OfType(unsupportedDocument, fiber.NewError(fiber.StatusUnsupportedMediaType,
			"a package is "+strings.Join([]string{mediaPackage, mediaCWL, mediaCWLJSON, mediaCWLYAML}, ", ")))
	}
	return d, err
}

// documentIn returns the document of an application package, or the body where that is the document itself.
func documentIn(body []byte) ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, fault.New(fault.Invalid, "the package is not JSON: %v", err)
	}
	if _, ok := all["cwlVersion"]; ok {
		return bytes.Clone(body), nil
	}
	unit, ok := all["executionUnit"]
	if !ok {
		return nil, fault.New(fault.Invalid, "the package has no executionUnit")
	}
	var units []executionUnit
	if err := json.Unmarshal(unit, &units); err != nil {
		units = make([]executionUnit, 1)
		if err := json.Unmarshal(unit, &units[0]); err != nil {
			return nil, fault.New(fault.Invalid, "executionUnit: %v", err)
		}
	}
	switch {
	case len(units) != 1:
		return nil, fault.New(fault.Invalid, "executionUnit: there are %d; one is run", len(units))
	case units[0].Href != "":
		return nil, fault.New(fault.Invalid, "executionUnit: a package is sent as a value: addresses are not fetched")
	case len(units[0].Value) == 0: // the document stands in the unit's place
		var plain struct {
			Version string `json:"cwlVersion"`
		}
		if json.Unmarshal(unit, &plain) == nil && plain.Version != "" {
			return unit, nil
		}
		return nil, fault.New(fault.Invalid, "executionUnit: has no value")
	}
	if media := units[0].MediaType + units[0].Type; media != "" && !strings.HasPrefix(media, mediaCWL) {
		return nil, httpkit.OfType(unsupportedDocument, fiber.NewError(fiber.StatusUnsupportedMediaType, "executionUnit: only "+mediaCWL+" is run"))
	}
	var text string
	if json.Unmarshal(units[0].Value, &text) == nil { // YAML
		return []byte(text), nil
	}
	return units[0].Value, nil
}

// deployProblem gives what went wrong the type that Part 2 has for it.
func deployProblem(err error) error {
	switch {
	case errors.Is(err, processes.ErrDuplicated):
		return httpkit.OfType(duplicatedProcess, err)
	case errors.Is(err, processes.ErrImmutable):
		return httpkit.OfType(immutableProcess, err)
	}
	return named(noSuchProcess, err)
}

// deploy serves POST /processes.
func (a API) deploy(c *fiber.Ctx) error {
	fresh(c)
	d, err := deploymentOf(c)
	if err != nil {
		return err
	}
	chain, err := a.Engine.Deploy(c.UserContext(), d)
	if err != nil {
		return deployProblem(err)
	}
	c.Set(fiber.HeaderLocation, processURL(c, chain.ID))
	return c.Status(fiber.StatusCreated).JSON(a.summaryOf(c, chain))
}

// replace serves PUT /processes/{process}.
func (a API) replace(c *fiber.Ctx) error {
	fresh(c)
	d, err := deploymentOf(c)
	if err != nil {
		return err
	}
	if _, err := a.Engine.Replace(c.UserContext(), c.Params("process"), d); err != nil {
		return deployProblem(err)
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// undeploy serves DELETE /processes/{process}.
func (a API) undeploy(c *fiber.Ctx) error {
	fresh(c)
	if err := a.Engine.Undeploy(c.UserContext(), c.Params("process")); err != nil {
		return deployProblem(err)
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// document serves GET /processes/{process}/package: the document as it was deployed, or around it an application package.
func (a API) document(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	fresh(c)
	d, err := a.Engine.Package(c.UserContext(), c.Params("process"))
	if err != nil {
		return named(noSuchProcess, err)
	}
	if c.Accepts(mediaPackage, mediaCWL) == mediaCWL && c.Get(fiber.HeaderAccept) != "" {
		c.Set(fiber.HeaderContentType, mediaCWL)
		return c.Send(d.Document)
	}
	unit := executionUnit{MediaType: mediaCWLJSON, Value: d.Document}
	if !json.Valid(d.Document) {
		unit.MediaType = mediaCWL
		if unit.Value, err = json.Marshal(string(d.Document)); err != nil {
			return err
		}
	}
	body, err := json.Marshal(map[string]executionUnit{"executionUnit": unit})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, mediaPackage)
	return c.Send(body)
}

// deployed tells of a process whether it may be replaced, and where its package is.
func (a API) deployed(c *fiber.Ctx, chain chains.Chain, s *summary) {
	if s.Mutable = a.Engine.Mutable(chain.ID); s.Mutable {
		s.Links = append(s.Links, link{"http://www.opengis.net/def/rel/ogc/1.0/package", processURL(c, chain.ID) + "/package", mediaPackage, "Its package"})
	}
}
