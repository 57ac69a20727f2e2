package stachttp

import (
	"context"
	"io"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/stac"
	"swath/stac/geoparquet"
)

// streamed are the forms in which a whole search is sent, by their name in f.
var streamed = map[string]struct{ mediaType, extension string }{
	"ndjson":     {typeNDJSON, ".ndjson"},
	"geojsonseq": {"application/geo+json-seq", ".geojsons"}, // RFC 8142
	"parquet":    {"application/vnd.apache.parquet", ".parquet"},
}

const (
	streamPage  = 1000 // items of one search behind a stream
	mostStreams = 8    // at once
)

// streamOf returns the form that a client asks for by f or by its Accept header; "" is a page.
func streamOf(c *fiber.Ctx) string {
	if f := c.Query("f"); f != "" {
		if _, ok := streamed[f]; ok {
			return f
		}
		return ""
	}
	accept := strings.ToLower(c.Get(fiber.HeaderAccept))
	for name, form := range streamed {
		if strings.HasPrefix(accept, form.mediaType) {
			return name
		}
	}
	return ""
}

// stream sends every item of a search, or as many as limit says when it was given, page by page: each is a short statement, and
// none is held longer than it takes to send.
func (a API) stream(c *fiber.Ctx, l stac.Links, s stac.Question, most int, form, name string) error {
	select {
	case a.streams <- struct{}{}:
	default:
		return fault.New(fault.Unavailable, "%d whole searches are being sent already", mostStreams)
	}
	left := most
	sending := false
	defer func() {
		if !sending {
			<-a.streams
		}
	}()
	next := func(ctx context.Context) (stac.Page, error) {
		s.Limit = streamPage
		if most > 0 {
			s.Limit = min(streamPage, left)
		}
		page, err := a.Catalog.Search(ctx, s.Search)
		left -= len(page.Items)
		s.Token = page.Next
		if err == nil && a.Tell != nil {
			err = a.Tell(ctx, l.Base, page.Items)
		}
		return page, err
	}
	page, err := next(c.UserContext()) // what is wrong is said before anything is sent
	if err != nil {
		return err
	}
	sending = c.Method() != fiber.MethodHead
	as := streamed[form]
	return httpkit.Stream(c, as.mediaType, name+as.extension, func(ctx context.Context, w io.Writer) error {
		defer func() { <-a.streams }()
		put, finish := itemWriter(form, w)
		var body []byte
		for {
			for _, it := range page.Items {
				if it.Body, err = s.CRS.Apply(it.Body); err != nil {
					return err
				}
				body = l.AppendFields(body[:0], it, s.Fields)
				if err := put(body); err != nil {
					return err
				}
			}
			if page.Next == "" || most > 0 && left <= 0 {
				return finish()
			}
			if page, err = next(ctx); err != nil {
				return err
			}
		}
	})
}

// itemWriter writes items in one of the forms.
func itemWriter(form string, w io.Writer) (put func(item []byte) error, finish func() error) {
	if form == "parquet" {
		table := geoparquet.NewWriter(w, geoparquet.Options{})
		return func(item []byte) error { return table.Write(append([]byte(nil), item...)) }, table.Close
	}
	separator := ""
	if form == "geojsonseq" {
		separator = "\x1e"
	}
	return func(item []byte) error {
		if _, err := io.WriteString(w, separator); err != nil {
			return err
		}
		_, err := w.Write(append(item, '\n'))
		return err
	}, func() error { return nil }
}
