package tilehttp

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/tiles"
)

// counting are the parameters of statistics.
var counting = []string{"categorical", "c", "p", "histogram_bins", "histogram_range", "max_size", "width", "height"}

// mostFeatures may be asked for at once.
const mostFeatures = 500

// statistics serves those of the whole item.
func (a API) statistics(c *fiber.Ctx) error {
	all, err := a.countItem(c)
	if err != nil {
		return err
	}
	return sendJSON(c, all)
}

// histogram serves the histograms alone.
func (a API) histogram(c *fiber.Ctx) error {
	all, err := a.countItem(c)
	if err != nil {
		return err
	}
	out := map[string]fiber.Map{}
	for name, s := range all {
		out[name] = fiber.Map{"counts": s.Histogram[0], "edges": s.Histogram[1]}
	}
	return sendJSON(c, out)
}

func (a API) countItem(c *fiber.Ctx) (map[string]tiles.BandStatistics, error) {
	q := queryOf(c)
	options, err := q.statistics()
	if err != nil {
		return nil, err
	}
	size, err := q.size()
	if err != nil {
		return nil, err
	}
	view, err := a.view(c, counting...)
	if err != nil {
		return nil, err
	}
	frame, err := view.StatisticsFrame(c.UserContext(), size)
	if err != nil {
		return nil, err
	}
	all, err := view.Statistics(c.UserContext(), frame, options)
	return byBand(c, view, all, err)
}

// zonalStatistics serves those of the features of the body, each in its property "statistics".
func (a API) zonalStatistics(c *fiber.Ctx) error {
	q := queryOf(c)
	options, err := q.statistics()
	if err != nil {
		return err
	}
	size, err := q.size()
	if err != nil {
		return err
	}
	coords, err := q.system("coord_crs", 4326)
	if err != nil {
		return err
	}
	system, err := q.system("dst_crs", 0)
	if err != nil {
		return err
	}
	view, err := a.view(c, append([]string{"coord_crs", "dst_crs"}, counting...)...)
	if err != nil {
		return err
	}
	return eachFeature(c, func(feature json.RawMessage) (map[string]tiles.BandStatistics, error) {
		frame, err := view.ZonalFrame(c.UserContext(), feature, coords, system, size)
		if err != nil {
			return nil, err
		}
		all, err := view.Statistics(c.UserContext(), frame, options)
		return byBand(c, view, all, err)
	})
}

// mosaicStatistics serves those of the features of the body in the pixels that a search's items make.
func (a API) mosaicStatistics(c *fiber.Ctx) error {
	options, err := queryOf(c).statistics()
	if err != nil {
		return err
	}
	coords, system, size, err := gridOf(c)
	if err != nil {
		return err
	}
	q, _, _, err := a.mosaicOf(c, append([]string{"coord_crs", "dst_crs"}, counting...)...)
	if err != nil {
		return err
	}
	return eachFeature(c, func(feature json.RawMessage) (map[string]tiles.BandStatistics, error) {
		s, err := a.Renderer.FeatureScene(c.UserContext(), q, feature, coords, system, size)
		if err != nil {
			return nil, hint(q.Request, err)
		}
		return s.Statistics(c.UserContext(), options)
	})
}

// eachFeature answers with the feature or the features of the body, each with what is counted in it.
func eachFeature(c *fiber.Ctx, count func(feature json.RawMessage) (map[string]tiles.BandStatistics, error)) error {
	answer := func(feature json.RawMessage) (json.RawMessage, error) {
		counted, err := count(feature)
		if err != nil {
			return nil, err
		}
		return withStatistics(feature, counted)
	}
	var collection struct {
		Type     string            `json:"type"`
		Features []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(c.Body(), &collection); err != nil {
		return fault.Wrap(fault.Invalid, err, "the body is not a GeoJSON Feature or FeatureCollection")
	}
	if collection.Type != "FeatureCollection" {
		out, err := answer(c.Body())
		return send(c, out, "application/geo+json", err)
	}
	if len(collection.Features) > mostFeatures {
		return fault.New(fault.TooLarge, "%d features are given; one request may give %d", len(collection.Features), mostFeatures)
	}
	for i, feature := range collection.Features {
		var err error
		if collection.Features[i], err = answer(feature); err != nil {
			kind, public := fault.Of(err)
			if kind == fault.Internal {
				return err
			}
			return fault.Wrap(kind, err, "feature %d: %s", i, public)
		}
	}
	body, err := json.Marshal(collection)
	return send(c, body, "application/geo+json", err)
}

// withStatistics adds a property to a feature; a bare geometry becomes a feature.
func withStatistics(feature json.RawMessage, counted map[string]tiles.BandStatistics) (json.RawMessage, error) {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(feature, &members); err != nil {
		return nil, fmt.Errorf("tilehttp: feature: %w", err)
	}
	if string(members["type"]) != `"Feature"` {
		members = map[string]json.RawMessage{"type": json.RawMessage(`"Feature"`), "geometry": feature}
	}
	properties := map[string]json.RawMessage{}
	if p := members["properties"]; len(p) > 0 {
		if err := json.Unmarshal(p, &properties); err != nil {
			return nil, fault.New(fault.Invalid, "the feature's properties are not an object")
		}
	}
	if properties == nil {
		properties = map[string]json.RawMessage{}
	}
	var err, more error
	properties["statistics"], err = json.Marshal(counted)
	members["properties"], more = json.Marshal(properties)
	if err = errors.Join(err, more); err != nil {
		return nil, fmt.Errorf("tilehttp: feature: %w", err)
	}
	return json.Marshal(members)
}

// itemBounds serves the item's box.
func (a API) itemBounds(c *fiber.Ctx) error {
	q, err := request(c)
	if err != nil {
		return err
	}
	_, b, err := a.Renderer.Sets(c.UserContext(), q.Collection, q.Item)
	if err != nil {
		return err
	}
	return sendJSON(c, fiber.Map{"bounds": [4]float64{b.MinX, b.MinY, b.MaxX, b.MaxY}, "crs": crs84})
}

// itemAssets serves the keys of the assets that can be drawn.
func (a API) itemAssets(c *fiber.Ctx) error {
	q, err := request(c)
	if err != nil {
		return err
	}
	info, err := a.Renderer.Info(c.UserContext(), q.Collection, q.Item, nil)
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(info.Assets))
	for _, asset := range info.Assets {
		keys = append(keys, asset.Key)
	}
	return sendJSON(c, keys)
}

// infoFeature serves what the rasters of an item are, as the properties of a GeoJSON feature.
func (a API) infoFeature(c *fiber.Ctx) error {
	q, err := request(c)
	if err != nil {
		return err
	}
	info, err := a.Renderer.Info(c.UserContext(), q.Collection, q.Item, q.Assets)
	if err != nil {
		return err
	}
	b := info.Bounds
	box := func(w, e float64) [][][2]float64 {
		return [][][2]float64{{{w, b[1]}, {e, b[1]}, {e, b[3]}, {w, b[3]}, {w, b[1]}}}
	}
	geometry := fiber.Map{"type": "Polygon", "coordinates": box(b[0], b[2])}
	if b[0] > b[2] {
		geometry = fiber.Map{"type": "MultiPolygon", "coordinates": [][][][2]float64{box(b[0], 180), box(-180, b[2])}}
	}
	properties := any(info)
	if ofFile(c) {
		properties = info.Assets[0]
	}
	body, err := json.Marshal(fiber.Map{"type": "Feature", "bbox": b, "geometry": geometry, "properties": properties})
	if err != nil {
		return fmt.Errorf("tilehttp: info: %w", err)
	}
	c.Set(fiber.HeaderCacheControl, cacheControl)
	return httpkit.Send(c, "application/geo+json", body)
}
