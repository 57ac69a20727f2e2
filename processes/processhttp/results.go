package processhttp

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/objects"
	"swath/processes"
	"swath/stac"
)

// mostInline is how large a file may be that stands in a document; larger ones are links there.
const mostInline = 1 << 20

const reference = "reference"

// results serves GET /jobs/{job}/results, in the form that the execution asked for.
func (a API) results(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	j, err := a.find(c)
	if err != nil {
		return err
	}
	all, err := a.Engine.ResultsOf(c.UserContext(), j)
	if err != nil {
		return named(noSuchJob, err)
	}
	if c.Query("f") == "html" {
		return a.jobPage(c, j)
	}
	return a.answer(c, j, all)
}

// answer sends results: a document of them, or themselves.
func (a API) answer(c *fiber.Ctx, j processes.Job, all []processes.Result) error {
	asked := all[:0:0]
	for _, r := range all {
		if _, ok := j.Request.Outputs[r.Name]; ok || len(j.Request.Outputs) == 0 {
			asked = append(asked, r)
		}
	}
	if j.Request.Response == "raw" {
		return a.raw(c, j, asked)
	}
	document := map[string]any{}
	for _, r := range asked {
		var err error
		if document[r.Name], err = a.entry(c, j, r); err != nil {
			return err
		}
	}
	return c.JSON(document)
}

// entry is a result in a document: as it is where JSON tells it from the forms of the standard, else qualified, or a link.
func (a API) entry(c *fiber.Ctx, j processes.Job, r processes.Result) (any, error) {
	how := j.Request.Outputs[r.Name].Transmission
	if r.Parts == nil {
		if how == reference {
			return link{"item", resultURL(c, j, r, 0), mediaOf(r), r.Name}.plain(), nil
		}
		if bytes.HasPrefix(bytes.TrimSpace(r.Value), []byte("{")) && !isBox(r.Value) {
			return map[string]any{"value": r.Value, "mediaType": mediaOf(r)}, nil
		}
		return r.Value, nil
	}
	list := make([]any, len(r.Parts))
	for i, part := range r.Parts {
		var err error
		switch {
		case part.Item != "" && how == "value":
			var body []byte
			if body, err = a.item(c, part); err == nil {
				list[i] = map[string]any{"value": json.RawMessage(body), "mediaType": stac.TypeGeoJSON}
			}
		case part.Item != "":
			list[i] = link{"item", itemURL(c, part), stac.TypeGeoJSON, part.Item}.plain()
		case how == reference || part.Bytes > mostInline:
			list[i] = link{"item", resultURL(c, j, r, i), mediaOf(r), part.Name}.plain()
		default:
			var body []byte
			if body, err = a.read(c.UserContext(), part); err == nil {
				list[i] = map[string]any{"value": base64.StdEncoding.EncodeToString(body), "mediaType": mediaOf(r), "encoding": "base64", "title": part.Name}
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if r.Many {
		return list, nil
	}
	return list[0], nil
}

// plain is a link without its relation, as results hold it.
func (l link) plain() map[string]string {
	return map[string]string{"href": l.Href, "type": l.Type, "title": l.Title}
}

// isBox reports whether an object is a box in the standard's own form.
func isBox(value json.RawMessage) bool {
	var box struct {
		BBox []float64 `json:"bbox"`
		Type string    `json:"type"`
	}
	return json.Unmarshal(value, &box) == nil && box.BBox != nil && box.Type == ""
}

// piece is one value of a raw answer.
type piece struct {
	result processes.Result
	index  int
	ref    bool
}

// raw sends results themselves: one as it is, several as parts, references as links.
func (a API) raw(c *fiber.Ctx, j processes.Job, asked []processes.Result) error {
	var pieces []piece
	refs := 0
	for _, r := range asked {
		ref := j.Request.Outputs[r.Name].Transmission == reference
		for i := range max(len(r.Parts), 1) {
			pieces = append(pieces, piece{r, i, ref})
			if ref {
				refs++
			}
		}
	}
	switch {
	case refs == len(pieces):
		for _, p := range pieces {
			c.Append(fiber.HeaderLink, fmt.Sprintf(`<%s>; rel="item"; title=%q; type=%q`, a.address(c, j, p), p.result.Name, p.media()))
		}
		return c.SendStatus(fiber.StatusNoContent)
	case len(pieces) == 1:
		return a.sendPiece(c, pieces[0])
	}
	return a.multipart(c, j, pieces)
}

// address is where one value is.
func (a API) address(c *fiber.Ctx, j processes.Job, p piece) string {
	if p.result.Parts != nil && p.result.Parts[p.index].Item != "" {
		return itemURL(c, p.result.Parts[p.index])
	}
	return resultURL(c, j, p.result, p.index)
}

func (p piece) media() string {
	if p.result.Parts != nil && p.result.Parts[p.index].Item != "" {
		return stac.TypeGeoJSON
	}
	return mediaOf(p.result)
}

// Address is where one value of a result is.
type Address struct{ Output, Name, Href, Media string }

// Addresses returns where the values of results are, each file and item for itself.
func (a API) Addresses(c *fiber.Ctx, j processes.Job, all []processes.Result) (list []Address) {
	for _, r := range all {
		for i := range max(len(r.Parts), 1) {
			p := piece{r, i, true}
			one := Address{Output: r.Name, Href: a.address(c, j, p), Media: p.media()}
			if r.Parts != nil {
				one.Name = r.Parts[i].Name + r.Parts[i].Item
			}
			list = append(list, one)
		}
	}
	return list
}

// SendOutput answers with one result itself; of several parts the first.
func (a API) SendOutput(c *fiber.Ctx, all []processes.Result, name string) error {
	for _, r := range all {
		if r.Name == name {
			return a.sendPiece(c, piece{r, 0, false})
		}
	}
	return fault.New(fault.NotFound, "the job has no result %.60q", name)
}

// sendPiece sends one value as it is.
func (a API) sendPiece(c *fiber.Ctx, p piece) error {
	if p.result.Parts == nil {
		c.Set(fiber.HeaderContentType, p.media())
		return c.Send(plainBody(p.result))
	}
	part := p.result.Parts[p.index]
	if part.Item == "" {
		return a.Send(c, part.Object, part.Name, p.media())
	}
	body, err := a.item(c, part)
	if err != nil {
		return err
	}
	return httpkit.Send(c, stac.TypeGeoJSON, body)
}

// multipart sends several values, each with its name, as they are read.
func (a API) multipart(c *fiber.Ctx, j processes.Job, pieces []piece) error {
	addresses, items := make([]string, len(pieces)), make([][]byte, len(pieces))
	for i, p := range pieces { // what needs the request, before the answer begins
		addresses[i] = a.address(c, j, p)
		if p.result.Parts != nil && p.result.Parts[p.index].Item != "" && !p.ref {
			var err error
			if items[i], err = a.item(c, p.result.Parts[p.index]); err != nil {
				return err
			}
		}
	}
	boundary := multipart.NewWriter(io.Discard).Boundary()
	err := httpkit.Stream(c, "multipart/related; boundary="+boundary, j.ID, func(ctx context.Context, w io.Writer) error {
		m := multipart.NewWriter(w)
		if err := m.SetBoundary(boundary); err != nil {
			return err
		}
		for i, p := range pieces {
			header := textproto.MIMEHeader{"Content-Id": {"<" + p.result.Name + ">"}, "Content-Type": {p.media()}}
			if p.ref {
				header.Set("Content-Location", addresses[i])
			}
			part, err := m.CreatePart(header)
			if err != nil {
				return err
			}
			switch {
			case p.ref:
			case items[i] != nil:
				_, err = part.Write(items[i])
			case p.result.Parts == nil:
				_, err = part.Write(plainBody(p.result))
			default:
				err = a.copyObject(ctx, part, p.result.Parts[p.index])
			}
			if err != nil {
				return err
			}
		}
		return m.Close()
	})
	c.Response().Header.Del(fiber.HeaderContentDisposition)
	return err
}

func (a API) copyObject(ctx context.Context, w io.Writer, part processes.Part) error {
	o, err := a.Objects.Open(ctx, part.Object)
	if err != nil {
		return err
	}
	defer o.Close()
	stream := objects.Stream(o, 0, o.Info().Size)
	defer stream.Close()
	_, err = io.Copy(w, stream)
	return err
}

// read returns the bytes of a small file.
func (a API) read(ctx context.Context, part processes.Part) ([]byte, error) {
	var body bytes.Buffer
	err := a.copyObject(ctx, &body, part)
	return body.Bytes(), err
}

// item returns a published item as the catalog serves it.
func (a API) item(c *fiber.Ctx, part processes.Part) ([]byte, error) {
	it, err := a.Catalog.Item(c.UserContext(), part.Collection, part.Item)
	if err != nil {
		return nil, err
	}
	return stac.Links{Base: httpkit.BaseURL(c)}.AppendItem(nil, it), nil
}

// result serves GET /jobs/{job}/results/{output}: the value itself; of several the one that part= names, or a list of where they are.
func (a API) result(c *fiber.Ctx) error {
	q, err := query(c, "part")
	if err != nil {
		return err
	}
	j, err := a.find(c)
	if err != nil {
		return err
	}
	all, err := a.Engine.ResultsOf(c.UserContext(), j)
	if err != nil {
		return named(noSuchJob, err)
	}
	for _, r := range all {
		if r.Name != c.Params("output") {
			continue
		}
		index := 1
		if q.Has("part") {
			if index, err = strconv.Atoi(q.Get("part")); err != nil || index < 1 || index > max(len(r.Parts), 1) {
				return fault.New(fault.NotFound, "the output %q has the parts 1 to %d", r.Name, max(len(r.Parts), 1))
			}
		} else if r.Many && r.Parts != nil && len(r.Parts) != 1 {
			list := make([]map[string]string, len(r.Parts))
			for i := range r.Parts {
				p := piece{r, i, true}
				list[i] = link{"item", a.address(c, j, p), p.media(), r.Parts[i].Name}.plain()
			}
			return c.JSON(list)
		}
		return a.sendPiece(c, piece{r, index - 1, false})
	}
	return fault.New(fault.NotFound, "the job has no result %.60q", c.Params("output"))
}

// plainBody is a plain value as bytes: a text is itself.
func plainBody(r processes.Result) []byte {
	var text string
	if json.Unmarshal(r.Value, &text) == nil {
		return []byte(text)
	}
	return r.Value
}

func mediaOf(r processes.Result) string {
	switch {
	case r.Parts != nil && r.Media != "":
		return r.Media
	case r.Parts != nil:
		return fiber.MIMEOctetStream
	case strings.HasPrefix(string(bytes.TrimSpace(r.Value)), `"`):
		return fiber.MIMETextPlainCharsetUTF8
	case r.Media != "":
		return r.Media
	}
	return fiber.MIMEApplicationJSON
}

// resultURL is the address of one value.
func resultURL(c *fiber.Ctx, j processes.Job, r processes.Result, index int) string {
	address := jobURL(c, j.ID) + "/results/" + url.PathEscape(r.Name)
	if len(r.Parts) > 1 {
		address += "?part=" + strconv.Itoa(index+1)
	}
	return address
}

func itemURL(c *fiber.Ctx, part processes.Part) string {
	return stac.Links{Base: httpkit.BaseURL(c)}.ItemURL(part.Collection, part.Item)
}
