package tilehttp

import (
	"errors"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
	"swath/tiles"
)

// query is the parameters of an address, in their order.
type query map[string][]string

// known are the parameters that say what to draw.
var known = []string{"render", "assets", "expression", "rescale", "colormap_name", "colormap", "nodata", "resampling", "unscale",
	"tilesize", "scale", "buffer", "padding", "bidx", "asset_bidx", "asset_as_band", "reproject", "return_mask", "mask", "mask_buffer",
	"color_formula", "colormap_type", "algorithm", "algorithm_params"}

// repeatable are the parameters that hold lists.
var repeatable = []string{"assets", "rescale", "asset_bidx", "bidx", "c", "p"}

// request reads the path and the query. Further parameters that the route knows are its own business.
func request(c *fiber.Ctx, alsoKnown ...string) (tiles.Request, error) {
	r, err := parse(queryOf(c), alsoKnown...)
	r.Collection, r.Item = itemOf(c)
	return r, err
}

func queryOf(c *fiber.Ctx) query {
	q := query{}
	for key, value := range c.Context().QueryArgs().All() {
		q[string(key)] = append(q[string(key)], string(value))
	}
	return q
}

// parse reads what to draw.
func parse(q query, alsoKnown ...string) (tiles.Request, error) {
	var r tiles.Request
	for name, values := range q {
		if !slices.Contains(known, name) && !slices.Contains(alsoKnown, name) {
			return r, fault.New(fault.Invalid, "parameter %.60q is not known here; there are %s", name, strings.Join(slices.Concat(known, alsoKnown), ", "))
		}
		if len(values) > 1 && !slices.Contains(repeatable, name) {
			return r, fault.New(fault.Invalid, "parameter %q is given %d times", name, len(values))
		}
	}
	r.Render, r.Expression, r.ColorFormula = q.one("render"), q.one("expression"), q.one("color_formula")
	r.ColormapName, r.Colormap, r.Resampling = q.one("colormap_name"), []byte(q.one("colormap")), q.one("resampling")
	r.Algorithm, r.AlgorithmParams = q.one("algorithm"), q.one("algorithm_params")
	switch kind := strings.ToLower(q.one("colormap_type")); kind {
	case "", "explicit":
	case "linear":
		r.ColormapLinear = true
	default:
		return r, fault.New(fault.Invalid, "colormap_type %.20q is neither explicit nor linear", kind)
	}
	if r.Resampling == "" { // TiTiler's two steps are one here
		r.Resampling = q.one("reproject")
	}
	var errs [12]error
	r.Assets, errs[7] = q.assets()
	r.Percentiles = percentiles(q["rescale"])
	if r.Percentiles == nil {
		r.Rescale, errs[0] = rescale(q["rescale"])
	}
	for name := range strings.SplitSeq(q.one("mask"), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			r.Mask = append(r.Mask, name)
		}
	}
	slices.Sort(r.Mask)
	if buffer, err := q.number("mask_buffer"); err != nil {
		errs[8] = err
	} else if buffer != nil {
		r.MaskBufferM = *buffer
	}
	bands, err := q.numbers("bidx")
	errs[9] = err
	for _, n := range bands {
		r.Bidx = append(r.Bidx, int(n))
	}
	visible, err := q.flag("return_mask", true)
	r.Opaque, errs[10] = !visible, err
	_, errs[11] = q.flag("asset_as_band", false) // one-band assets are bands anyway
	r.NoData, errs[1] = q.number("nodata")
	unscale, err := q.flag("unscale", true)
	r.Stored, errs[2] = !unscale, err
	r.SizePx, errs[3] = q.whole("tilesize")
	r.Scale, errs[4] = q.whole("scale")
	if buffer, err := q.number("buffer"); err != nil {
		errs[5] = err
	} else if buffer != nil {
		r.BufferPx = *buffer
	}
	_, errs[6] = q.natural("padding") // tiles have no seams, so that nothing has to be read around them
	return r, errors.Join(errs[:]...)
}

// rescale reads pairs "min,max", repeated or in one comma list.
func rescale(lists []string) ([][2]float64, error) {
	var pairs [][2]float64
	for _, list := range lists {
		parts := strings.Split(list, ",")
		if len(parts)%2 != 0 {
			return nil, fault.New(fault.Invalid, "rescale %.60q is not pairs min,max", list)
		}
		for i := 0; i < len(parts); i += 2 {
			var pair [2]float64
			for j := range pair {
				var err error
				if pair[j], err = strconv.ParseFloat(strings.TrimSpace(parts[i+j]), 64); err != nil {
					return nil, fault.New(fault.Invalid, "rescale %.60q: %.60q is not a number", list, parts[i+j])
				}
			}
			pairs = append(pairs, pair)
		}
	}
	return pairs, nil
}

func (q query) one(name string) string {
	if len(q[name]) == 0 {
		return ""
	}
	return q[name][0]
}

// number reads a number or nan; nil when it is not given.
func (q query) number(name string) (*float64, error) {
	text := q.one(name)
	if text == "" {
		return nil, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		return nil, fault.New(fault.Invalid, "%s %.60q is not a number", name, text)
	}
	return &v, nil
}

func (q query) flag(name string, otherwise bool) (bool, error) {
	text := q.one(name)
	if text == "" {
		return otherwise, nil
	}
	v, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil {
		return false, fault.New(fault.Invalid, "%s %.60q is neither true nor false", name, text)
	}
	return v, nil
}

// natural reads a whole number from 0.
func (q query) natural(name string) (int, error) {
	if q.one(name) == "0" {
		return 0, nil
	}
	return q.whole(name)
}

// whole reads a whole number from 1; 0 when it is not given.
func (q query) whole(name string) (int, error) {
	text := q.one(name)
	if text == "" {
		return 0, nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < 1 {
		return 0, fault.New(fault.Invalid, "%s %.60q is not a whole number from 1", name, text)
	}
	return v, nil
}

// hint reminds of the commonest mistake: a plus sign that the address turned into a space.
func hint(q tiles.Request, err error) error {
	if err == nil || !fault.Is(err, fault.Invalid) || !strings.Contains(q.Expression, " ") {
		return err
	}
	_, public := fault.Of(err)
	return fault.Wrap(fault.Invalid, err, "%s (in an address, a plus sign is written %%2B)", public)
}

// itemURL is the address of the item whose pictures are asked for.
func itemURL(c *fiber.Ctx) string {
	collection, item := itemOf(c)
	return httpkit.BaseURL(c) + "/collections/" + url.PathEscape(collection) + "/items/" + url.PathEscape(item)
}

// drawing is the query without the parameters that are not for drawing, with its question mark; "" when nothing is left.
func drawing(c *fiber.Ctx, without ...string) string {
	q := url.Values(queryOf(c))
	for _, name := range without {
		q.Del(name)
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// only refuses all parameters but these. f may say json.
func only(c *fiber.Ctx, names ...string) error {
	for name, values := range queryOf(c) {
		if name == "f" && values[0] == "json" {
			continue
		}
		if !slices.Contains(names, name) {
			return fault.New(fault.Invalid, "parameter %.60q is not known here", name)
		}
	}
	return nil
}
