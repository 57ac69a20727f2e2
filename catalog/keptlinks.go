package catalog

import (
	"bytes"
	"slices"

	"swath/stac"
)

// madeLinks are the relations between the documents of a catalog. Where it was before is no news of a document: the server
// makes these links itself.
var madeLinks = []string{"self", "root", "parent", "collection", "item", "items", "child", "children", "data", "search", "conformance", "service-desc",
	"service-doc", "next", "prev", "first", "last", "aggregate", "aggregations", "queryables", stac.RelQueryables}

// drawnLinks are relations that the server makes links of too, but of which others may have their own.
var drawnLinks = []string{"alternate", "preview", "tilejson", "xyz"}

// keepLinks puts first what a document links to beside the documents of its catalog (its licence, its other versions, what it
// was derived from), and takes the other links away. First is where they cost least to serve: ours go before them.
func keepLinks(members []member) []member {
	at := slices.IndexFunc(members, func(m member) bool { return m.name == "links" })
	if at < 0 {
		return members
	}
	kept := foreignLinks(members[at].raw)
	members = slices.Delete(members, at, at+1)
	if len(kept) == 0 {
		return members
	}
	return slices.Insert(members, 0, member{name: "links", key: []byte(`"links"`), raw: kept})
}

// foreignLinks returns what is kept of a compact array of links, or nil when nothing is.
func foreignLinks(raw []byte) []byte {
	if len(raw) == 0 || raw[0] != '[' {
		return nil
	}
	var kept []byte
	for at := 1; raw[at] != ']'; {
		if raw[at] == ',' {
			at++
		}
		end := skipValue(raw, at)
		if link := raw[at:end]; foreign(link) {
			kept = append(append(kept, ','), link...)
		}
		at = end
	}
	if kept == nil {
		return nil
	}
	kept[0] = '['
	return append(kept, ']')
}

// foreign reports whether a compact value is a link that the server would not make.
func foreign(link []byte) bool {
	if link[0] != '{' {
		return false
	}
	var rel, href []byte
	for at := 1; link[at] != '}'; {
		if link[at] == ',' {
			at++
		}
		end := skipValue(link, at)
		key := link[at:end]
		at = end + 1 // the colon
		end = skipValue(link, at)
		switch string(key) {
		case `"rel"`:
			rel = link[at:end]
		case `"href"`:
			href = link[at:end]
		}
		at = end
	}
	if !isText(rel) || !isText(href) {
		return false
	}
	name := textOf(rel)
	ours := bytes.HasPrefix(href, []byte(`"`+stac.HrefPrefix+"/"))
	return !slices.Contains(madeLinks, name) && !(ours && slices.Contains(drawnLinks, name))
}
