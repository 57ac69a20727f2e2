package restohttp

import (
	"encoding/xml"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
)

// An OpenSearch description (OpenSearch 1.1, with the parameters of the Earth Observation extension as resto named them).
type description struct {
	XMLName     xml.Name `xml:"http://a9.com/-/spec/opensearch/1.1/ OpenSearchDescription"`
	TimeNS      string   `xml:"xmlns:time,attr"`
	GeoNS       string   `xml:"xmlns:geo,attr"`
	EONS        string   `xml:"xmlns:eo,attr"`
	RestoNS     string   `xml:"xmlns:resto,attr"`
	ShortName   string   `xml:"ShortName"`
	Description string   `xml:"Description"`
	URL         template `xml:"Url"`
}

type template struct {
	Type     string `xml:"type,attr"`
	Rel      string `xml:"rel,attr"`
	Template string `xml:"template,attr"`
}

// templates are the parameters with what OpenSearch calls them.
var templates = []struct{ parameter, means string }{
	{"q", "searchTerms"}, {"maxRecords", "count"}, {"index", "startIndex"}, {"page", "startPage"}, {"lang", "language"}, {"geometry", "geo:geometry"},
	{"box", "geo:box"}, {"lat", "geo:lat"}, {"lon", "geo:lon"}, {"radius", "geo:radius"}, {"startDate", "time:start"}, {"completionDate", "time:end"},
	{"identifier", "geo:uid"}, {"productIdentifier", "eo:productIdentifier"}, {"productType", "eo:productType"}, {"processingLevel", "eo:processingLevel"},
	{"platform", "eo:platform"}, {"instrument", "eo:instrument"}, {"sensorMode", "eo:sensorMode"}, {"orbitNumber", "eo:orbitNumber"},
	{"relativeOrbitNumber", "resto:relativeOrbitNumber"}, {"orbitDirection", "eo:orbitDirection"}, {"polarisation", "eo:polarisationChannels"},
	{"cloudCover", "eo:cloudCover"}, {"snowCover", "eo:snowCover"}, {"tileid", "resto:tileid"}, {"updated", "resto:updated"},
	{"publishedBegin", "resto:publishedBegin"}, {"publishedEnd", "resto:publishedEnd"}, {"isNrt", "resto:isNrt"}, {"realtime", "resto:realtime"},
}

// describe serves GET /resto/api/collections/{collection}/describe.xml.
func (a API) describe(c *fiber.Ctx) error {
	name := c.Params("collection")
	if _, err := a.members(c.UserContext(), name); err != nil {
		return err
	}
	parts := make([]string, len(templates))
	for i, t := range templates {
		parts[i] = t.parameter + "={" + t.means + "?}"
	}
	out, err := xml.MarshalIndent(description{TimeNS: "http://a9.com/-/opensearch/extensions/time/1.0/", GeoNS: "http://a9.com/-/opensearch/extensions/geo/1.0/",
		EONS: "http://a9.com/-/opensearch/extensions/eo/1.0/", RestoNS: "http://mapshup.info/-/resto/2.0/", ShortName: name, Description: "Products of collection " + name,
		URL: template{"application/json", "results", httpkit.BaseURL(c) + "/resto/api/collections/" + url.PathEscape(name) + "/search.json?" + strings.Join(parts, "&")}}, "", " ")
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/opensearchdescription+xml")
	return c.Send(append([]byte(xml.Header), out...))
}
