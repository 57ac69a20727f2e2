package httpkit

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"

	"github.com/gofiber/fiber/v2"
)

//go:embed templates/frame.html
var frameFile embed.FS

// Pages are templates of pages that look alike: each begins with {{template "head" .}} and ends with {{template "foot"}}. What a page is
// made of is a map with "Base", the server's address, and "Title"; "Refresh", where it is given, is after how many seconds a browser
// asks again.
type Pages struct{ templates *template.Template }

// NewPages reads the templates of a folder. It panics when they are no templates, which any test of their door finds.
func NewPages(files fs.FS, pattern string) Pages {
	return Pages{template.Must(template.Must(template.New("").ParseFS(frameFile, "templates/frame.html")).ParseFS(files, pattern))}
}

// Send renders the whole page before the first byte leaves.
func (p Pages) Send(c *fiber.Ctx, name string, data fiber.Map) error {
	var page bytes.Buffer
	if err := p.templates.ExecuteTemplate(&page, name, data); err != nil {
		return err
	}
	return Send(c, fiber.MIMETextHTMLCharsetUTF8, page.Bytes())
}
