package tilehttp

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// usual is what parameters are when they are not given.
var usual = map[string]string{
	"resampling": "nearest", "unscale": "true", "scale": "1", "buffer": "0", "return_mask": "true", "mask_buffer": "0", "tile_format": "png",
}

// insensitive are the parameters whose case does not matter.
var insensitive = []string{"colormap_name", "colormap_type", "algorithm", "resampling", "unscale", "return_mask", "mask"}

// meaningless are the parameters that change nothing here.
var meaningless = []string{"padding", "asset_as_band"}

// canonical is the one address of all that mean the same picture: parameters by name, those that say the usual left out, lists with
// commas, the format in lower case, jpeg as jpg and tiff as tif.
func canonical(c *fiber.Ctx) string {
	q := url.Values{}
	for name, values := range queryOf(c) {
		if slices.Contains(meaningless, name) {
			continue
		}
		value := strings.Join(values, ",")
		if name != "expression" && name != "colormap" && name != "color_formula" && name != "algorithm_params" {
			value = strings.ReplaceAll(value, " ", "")
		}
		if slices.Contains(insensitive, name) {
			value = strings.ToLower(value)
		}
		if name == "mask" {
			classes := strings.Split(value, ",")
			slices.Sort(classes)
			value = strings.Join(classes, ",")
		}
		if value != "" && value != usual[name] {
			q.Set(name, value)
		}
	}
	path := (&url.URL{Path: pathOf(c)}).EscapedPath()
	if at := strings.LastIndexByte(path, '.'); at > strings.LastIndexByte(path, '/') {
		if extension := strings.ToLower(path[at+1:]); slices.Contains([]string{"png", "jpg", "jpeg", "webp", "npy", "tif", "tiff"}, extension) {
			path = path[:at+1] + strings.NewReplacer("jpeg", "jpg", "tiff", "tif").Replace(extension)
		}
	}
	path = strings.Replace(path, "@1x", "", 1)
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
