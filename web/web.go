// Package web is the page at / and its files under /ui/, built from web/app and embedded.
//
//	web/app (TypeScript, MapLibre) ─▶ npm run build ─▶ web/dist ─▶ go:embed ─▶ GET /, GET /ui/…
//
// Nothing is loaded from another host. Files whose name holds the sum of their content may be kept for ever by browsers.
package web

import (
	"embed"
	"errors"
	"io/fs"
	"mime"
	"path"
	"regexp"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
)

//go:embed all:dist
var dist embed.FS

// hashed matches the names that the build gives to scripts and styles.
var hashed = regexp.MustCompile(`-[A-Z0-9]{8}\.(js|css)$`)

// mediaTypes adds to what the machine's own table may lack.
var mediaTypes = map[string]string{
	".geojson": "application/geo+json", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".md": "text/markdown; charset=utf-8",
}

// API serves the page.
type API struct{}

// Mount adds the routes. The STAC landing page comes first on / and passes browsers on to here.
func (a API) Mount(r fiber.Router) {
	r.Get("/", a.index)
	r.Get("/ui/*", a.file)
	r.Get("/favicon.ico", a.icon)
}

// icon serves what browsers ask for beside pages that name no icon, pictures and documents.
func (API) icon(c *fiber.Ctx) error { return send(c, "icon.svg") }

// index serves the page itself, which names its scripts and so must always be asked for anew.
func (API) index(c *fiber.Ctx) error {
	body, err := dist.ReadFile("dist/index.html")
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "this binary was built without its web page; `make build` builds both")
	} else if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return httpkit.Send(c, fiber.MIMETextHTMLCharsetUTF8, body)
}

// file serves GET /ui/….
func (API) file(c *fiber.Ctx) error { return send(c, c.Params("*")) }

func send(c *fiber.Ctx, file string) error {
	name := path.Join("dist/ui", path.Clean("/"+file))
	body, err := dist.ReadFile(name)
	if err != nil {
		return fault.New(fault.NotFound, "the page has no file %q", c.Path())
	}
	media, ok := mediaTypes[path.Ext(name)]
	if !ok {
		media = mime.TypeByExtension(path.Ext(name))
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	if hashed.MatchString(name) {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	return httpkit.Send(c, media, body)
}
