package stac

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"swath/fault"
)

// PageLink is a link of a page of another STAC API's answer.
type PageLink struct {
	Rel, Href, Method string
	Merge             bool
	Body              map[string]any
}

// Walk asks for the pages of a search, each by the link of the one before it with its address made whole. Ask returns a page's links, and
// whether what stands behind it is wanted.
func Walk(first PageLink, ask func(PageLink) (links []PageLink, on bool, err error)) error {
	base, err := url.Parse(first.Href)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "not an address: %q", first.Href)
	}
	for at := first; ; {
		links, on, err := ask(at)
		if err != nil || !on {
			return err
		}
		next, more := nextPage(links, at.Body)
		if !more {
			return nil
		}
		address, err := url.Parse(next.Href)
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "a next link that is no address: %q", next.Href)
		}
		if next.Href = base.ResolveReference(address).String(); next.Href == at.Href && next.Method == at.Method && reflect.DeepEqual(next.Body, at.Body) {
			return fault.New(fault.Unavailable, "a next link that leads to its own page: %q", next.Href)
		}
		at = next
	}
}

// nextPage returns the link to the page behind one that was asked for with a body, complete with method and body; false on the last page.
func nextPage(links []PageLink, asked map[string]any) (next PageLink, more bool) {
	for _, l := range links {
		if l.Rel != "next" {
			continue
		}
		if l.Method = strings.ToUpper(l.Method); l.Method == "" {
			l.Method = "GET"
		}
		if l.Merge {
			body := map[string]any{}
			maps.Copy(body, asked)
			maps.Copy(body, l.Body)
			l.Body = body
		}
		next, more = l, true
	}
	return next, more
}

// SearchesBy tells from the conformance classes of another STAC API whether its search knows an extension: filter, query or sort.
func SearchesBy(conformsTo []string, extension string) bool {
	return slices.ContainsFunc(conformsTo, func(class string) bool {
		return strings.Contains(class, "/item-search") && (strings.HasSuffix(class, "#"+extension) || strings.HasSuffix(class, "#"+extension+":"+extension))
	})
}
