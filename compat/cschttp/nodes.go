package cschttp

import (
	"archive/zip"
	"errors"
	"io"
	"mime"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/stac"
)

var nodePart = regexp.MustCompile(`^Nodes\(([^/]*)\)$`)

// nodes serves GET /odata/v1/Products(ID)/Nodes(A)/Nodes(B)/Nodes, a list of what is in a folder of the product, and …/$value, a file.
func (a API) nodes(c *fiber.Ctx) error {
	steps := strings.Split(strings.Trim(c.Params("*"), "/"), "/")
	last := steps[len(steps)-1]
	if last != "Nodes" && last != "$value" {
		return fault.New(fault.NotFound, "there is nothing at this address; a product has $value and Nodes")
	}
	var names []string
	for _, step := range steps[:len(steps)-1] {
		m := nodePart.FindStringSubmatch(step)
		if m == nil || m[1] == "" {
			return fault.New(fault.NotFound, "%.80q is not Nodes(NAME)", step)
		}
		names = append(names, strings.Trim(m[1], "'"))
	}
	it, err := a.find(c)
	if err != nil {
		return err
	}
	f, size, err := a.Open(c.UserContext(), it.Collection, it.ID, stac.ProductAsset)
	if err != nil {
		return err
	}
	z, err := zip.NewReader(f, size)
	if err != nil {
		return errors.Join(fault.Wrap(fault.NotFound, err, "the product is not a zip: it has no nodes"), f.Close())
	}
	at := strings.Join(names, "/")
	if last == "$value" {
		return sendNode(c, f, z, at)
	}
	defer f.Close()
	children := list(z, at)
	if len(children) == 0 && at != "" {
		return fault.New(fault.NotFound, "the product has no folder %.200q", at)
	}
	base := httpkit.BaseURL(c) + "/odata/v1/Products(" + stac.UUID(it.Collection, it.ID) + ")"
	for _, name := range names {
		base += "/Nodes(" + url.PathEscape(name) + ")"
	}
	rows := []any{}
	for _, child := range children {
		rows = append(rows, map[string]any{"Id": child.name, "Name": child.name, "ContentLength": child.size, "ChildrenNumber": child.children,
			"Nodes": map[string]string{"uri": base + "/Nodes(" + url.PathEscape(child.name) + ")/Nodes"}})
	}
	return c.JSON(map[string]any{"result": rows})
}

type node struct {
	name     string
	size     int64
	children int
}

// list returns what is directly in a folder of a zip, by name.
func list(z *zip.Reader, folder string) []node {
	prefix := folder + "/"
	if folder == "" {
		prefix = ""
	}
	found, grand := map[string]*node{}, map[string]bool{}
	for _, f := range z.File {
		rest, in := strings.CutPrefix(f.Name, prefix)
		name, below, deeper := strings.Cut(rest, "/")
		if !in || name == "" {
			continue
		}
		if found[name] == nil {
			found[name] = &node{name: name}
		}
		if !deeper {
			found[name].size = int64(f.UncompressedSize64)
		} else if child, _, _ := strings.Cut(below, "/"); child != "" && !grand[name+"/"+child] {
			grand[name+"/"+child] = true
			found[name].children++
		}
	}
	var out []node
	for _, n := range found {
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b node) int { return strings.Compare(a.name, b.name) })
	return out
}

// sendNode sends one file of a zip.
func sendNode(c *fiber.Ctx, f File, z *zip.Reader, name string) error {
	for _, one := range z.File {
		if one.Name != name || strings.HasSuffix(one.Name, "/") {
			continue
		}
		r, err := one.Open()
		if err != nil {
			return errors.Join(err, f.Close())
		}
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" || strings.HasPrefix(kind, "text/html") { // nothing of a product is a page of ours
			kind = fiber.MIMEOctetStream
		}
		c.Set(fiber.HeaderContentType, kind)
		c.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(name)}))
		httpkit.SendStream(c, &unpacked{r, f}, int(one.UncompressedSize64))
		return nil
	}
	return errors.Join(fault.New(fault.NotFound, "the product has no file %.200q", name), f.Close())
}

// unpacked closes the object behind a file of a zip.
type unpacked struct {
	io.ReadCloser
	object File
}

func (u *unpacked) Close() error { return errors.Join(u.ReadCloser.Close(), u.object.Close()) }
