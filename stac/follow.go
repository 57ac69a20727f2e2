package stac

import "maps"

// PageLink is a link of a page of another STAC API's answer.
type PageLink struct {
	Rel, Href, Method string
	Merge             bool
	Body              map[string]any
}

// NextPage returns the link to the page behind one that was asked for with a body, complete with method and body; false on the last page.
func NextPage(links []PageLink, asked map[string]any) (next PageLink, more bool) {
	for _, l := range links {
		if l.Rel != "next" {
			continue
		}
		if l.Method == "" {
			l.Method = "GET"
		}
		if l.Merge {
			body := maps.Clone(asked)
			maps.Copy(body, l.Body)
			l.Body = body
		}
		next, more = l, true
	}
	return next, more
}
