package stachttp

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/stac"
)

// mostAggregations bounds one request.
const mostAggregations = 20

// aggregations serves GET /aggregations and GET /collections/{collection}/aggregations.
func (a API) aggregations(c *fiber.Ctx) error {
	if _, err := query(c); err != nil {
		return err
	}
	l, id := links(c), c.Params("collection")
	all, err := a.Analyst.Aggregations(c.UserContext(), id)
	if err != nil {
		return err
	}
	under := l.Base
	if id != "" {
		under = l.CollectionURL(id)
	}
	list := make([]fiber.Map, len(all))
	for i, one := range all {
		list[i] = fiber.Map{"name": one.Name, "data_type": one.DataType}
		if one.BucketType != "" {
			list[i]["frequency_distribution_data_type"] = one.BucketType
		}
	}
	if httpkit.WantsHTML(c) {
		return pages.Send(c, "aggregations.html", fiber.Map{"Base": l.Base, "Title": "Aggregations", "Under": under, "All": all})
	}
	body, err := json.Marshal(fiber.Map{"aggregations": list, "links": []stac.Link{
		{Rel: "root", Href: l.Base + "/", Type: stac.TypeJSON, Title: "The catalog"},
		{Rel: "self", Href: under + "/aggregations", Type: stac.TypeJSON, Title: "What can be counted"},
		{Rel: "aggregate", Href: under + "/aggregate", Type: stac.TypeJSON, Title: "Count it"},
	}})
	if err != nil {
		return err
	}
	return httpkit.Send(c, stac.TypeJSON, body)
}

// aggregateParams are those of an aggregation beside those of a search.
var aggregateParams = []string{"aggregations", "datetime_frequency_interval", "centroid_geohash_grid_frequency_precision", "centroid_geotile_grid_frequency_precision"}

// aggregateByQuery serves GET /aggregate and GET /collections/{collection}/aggregate.
func (a API) aggregateByQuery(c *fiber.Ctx) error {
	known := slices.DeleteFunc(append(slices.Clone(stac.SearchParams), aggregateParams...), func(name string) bool {
		return slices.Contains([]string{"bbox-crs", "crs", "fields", "limit", "sortby", "token"}, name)
	})
	q, err := query(c, known...)
	if err != nil {
		return err
	}
	s, err := stac.SearchFromQuery(q, known)
	if err != nil {
		return err
	}
	r := aggregateRequest{Aggregations: strings.Split(q.Get("aggregations"), ","), Interval: q.Get(aggregateParams[1])}
	for i, into := range []**int{&r.Geohash, &r.Geotile} {
		if name := aggregateParams[2+i]; q.Has(name) {
			n, err := strconv.Atoi(q.Get(name))
			if err != nil {
				return fault.New(fault.Invalid, "%s %.20q is not a whole number", name, q.Get(name))
			}
			*into = &n
		}
	}
	if !q.Has("aggregations") {
		r.Aggregations = nil
	}
	return a.aggregate(c, s.Search, r)
}

// aggregateByBody serves POST /aggregate and POST /collections/{collection}/aggregate.
func (a API) aggregateByBody(c *fiber.Ctx) error {
	_, body, err := received(c)
	if err != nil {
		return err
	}
	s, err := stac.SearchFromJSON(body)
	if err != nil {
		return err
	}
	var r aggregateRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return fault.New(fault.Invalid, "the body's aggregations are not an array of names, or a precision is not a whole number")
	}
	return a.aggregate(c, s.Search, r)
}

// aggregateRequest is what is asked beside a search.
type aggregateRequest struct {
	Aggregations []string `json:"aggregations"`
	Interval     string   `json:"datetime_frequency_interval"`
	Geohash      *int     `json:"centroid_geohash_grid_frequency_precision"`
	Geotile      *int     `json:"centroid_geotile_grid_frequency_precision"`
}

func (a API) aggregate(c *fiber.Ctx, s stac.Search, r aggregateRequest) error {
	l, id := links(c), c.Params("collection")
	under := l.Base
	if id != "" {
		if _, err := a.Catalog.Collection(c.UserContext(), id); err != nil {
			return err
		}
		s.Collections, under = []string{id}, l.CollectionURL(id)
	}
	if len(r.Aggregations) == 0 || len(r.Aggregations) > mostAggregations {
		return fault.New(fault.Invalid, "aggregations names %d of them; it may be 1 to %d of those that %s/aggregations lists", len(r.Aggregations), mostAggregations, under)
	}
	asked := make([]stac.Aggregation, len(r.Aggregations))
	for i, name := range r.Aggregations {
		asked[i] = stac.Aggregation{Name: strings.TrimSpace(name), Interval: r.Interval}
		for prefix, precision := range map[string]*int{"centroid_geohash": r.Geohash, "centroid_geotile": r.Geotile} {
			if strings.HasPrefix(name, prefix) && precision != nil {
				if asked[i].Precision = *precision; *precision == 0 {
					asked[i].Precision = -1 // which is refused, as 0 is the catalog's choice
				}
			}
		}
	}
	answers, err := a.Analyst.Aggregate(c.UserContext(), s, asked)
	if err != nil {
		return err
	}
	list := make([]fiber.Map, len(answers))
	for i, answer := range answers {
		list[i] = aggregated(answer)
	}
	body, err := json.Marshal(fiber.Map{"type": "AggregationCollection", "aggregations": list, "links": []stac.Link{
		{Rel: "self", Href: under + "/aggregate", Type: stac.TypeJSON, Title: "This answer"},
		{Rel: "root", Href: l.Base + "/", Type: stac.TypeJSON, Title: "The catalog"},
	}})
	if err != nil {
		return err
	}
	return httpkit.Send(c, stac.TypeJSON, body)
}

// aggregated writes an answer as the extension has it.
func aggregated(a stac.Aggregated) fiber.Map {
	out := fiber.Map{"name": a.Name, "data_type": a.DataType}
	if a.Buckets == nil {
		out["value"] = a.Value
		return out
	}
	buckets := make([]fiber.Map, len(a.Buckets))
	for i, b := range a.Buckets {
		buckets[i] = fiber.Map{"key": b.Key, "data_type": "string", "frequency": b.Count}
		if b.From != nil {
			buckets[i]["from"] = *b.From
		}
		if b.To != nil {
			buckets[i]["to"] = *b.To
		}
	}
	out["buckets"], out["overflow"] = buckets, a.Overflow
	return out
}
