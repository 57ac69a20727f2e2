// Package render turns planes of pixels into the bytes of a web image.
//
//	bands ──Compile("(B08-B04)/(B08+B04)").Eval──▶ planes ──stretch──▶ levels 0..255 ──Formula, Colormap──▶ colours ──Encode──▶ PNG
//	                                                 │                                                                        JPEG
//	                                              NaN: no value ──────────────────────────────────────────▶ transparent       WebP
//
// Between planes and stretch an Algorithm may make other planes (hillshade, slope), and a Selector one image of several.
// Arrays in, image out: no files, no places, no products. Loops over pixels are C that works on eight pixels at a time;
// each is entered once per image. Where the peer TiTiler has a rule (syntax, names, rounding), it is the rule here.
package render

import (
	"math"
	"slices"
	"strings"

	"swath/fault"
)

// Format is the encoding of an image.
type Format int

// The formats. JPEG has no transparency: what has no value is black.
const (
	PNG  Format = iota // lossless; 8-bit palette for one plane
	JPEG               // quality 85, colour at half resolution
	WebP               // lossy, quality 75, with transparency
	NPY                // no picture: the values themselves, see EncodeNPY
	TIFF               // no picture: the values with their place, which Encode does not know
	rgba               // R, G, B, A bytes: see Colours
)

// Values reports whether a format holds values instead of colours.
func (f Format) Values() bool { return f == NPY || f == TIFF }

// ParseFormat returns the format of a file name extension: "png", "jpg", "jpeg", "webp", "npy", "tif" or "tiff".
func ParseFormat(extension string) (Format, error) {
	switch strings.ToLower(extension) {
	case "png":
		return PNG, nil
	case "jpg", "jpeg":
		return JPEG, nil
	case "webp":
		return WebP, nil
	case "npy":
		return NPY, nil
	case "tif", "tiff":
		return TIFF, nil
	}
	return 0, fault.New(fault.Invalid, "format: %.20q is none of png, jpg, jpeg, webp, npy, tif", extension)
}

// ContentType returns the media type.
func (f Format) ContentType() string {
	return [...]string{"image/png", "image/jpeg", "image/webp", "application/x-binary", "image/tiff; application=geotiff"}[f]
}

// Style says how values become colours.
//
// A value is clipped to its plane's limits (low, high) and becomes the level (value-low)/(high-low)·255, in float64,
// rounded to float32 and cut to a whole number: rio-tiler's rule. No Rescale at all means that values are levels already.
type Style struct {
	Rescale  [][2]float64 // none, one for all planes, or one per plane
	Formula  *Formula     // of the levels; nil changes nothing
	Colormap *Colormap    // for one plane; nil is gray
}

// MaxSidePx bounds the width and the height of an image; it is the limit of WebP.
const MaxSidePx = 16383

// Encode draws one plane, in gray or in the style's colours, or three planes as red, green and blue. Each has
// width·height values, row by row from the top; a pixel that is NaN in any plane is transparent. The colours of a PNG are
// exact, with one exception: a one-plane image that has transparent pixels and also uses all 256 levels
// shows its rarest level as the neighbouring one, to free a place in the palette.
func Encode(planes [][]float32, width, height int, style Style, format Format) ([]byte, error) {
	if format == NPY { // any number of planes
		return EncodeNPY(planes, width, height)
	}
	if err := check(planes, width, height); err != nil {
		return nil, err
	}
	limits, err := style.limits(len(planes))
	if err != nil {
		return nil, err
	}
	c := canvases.Get().(*canvas)
	defer canvases.Put(c)
	c.width, c.height = width, height
	transparent := countNaN(planes)
	switch {
	case transparent == width*height && format == rgba:
		return make([]byte, 4*width*height), nil
	case transparent == width*height:
		return Empty(width, height, format)
	case len(planes) == 3:
		return c.truecolour(planes, style.Formula, limits, transparent, format)
	}
	return c.onePlane(planes[0], style, limits[0], transparent, format)
}

// Empty returns an image without a single value: transparent, or black where the format knows no transparency.
func Empty(width, height int, format Format) ([]byte, error) {
	if err := checkSize(width, height); err != nil {
		return nil, err
	}
	c := canvases.Get().(*canvas)
	defer canvases.Put(c)
	c.width, c.height = width, height
	if format == PNG {
		return c.emptyPNG()
	}
	channels := channelsOf(format, true)
	c.pixels = sized(c.pixels, width*height*channels)
	clear(c.pixels)
	return c.encode(channels, format)
}

// limits returns the stretch of each plane.
func (s Style) limits(planes int) ([][2]float64, error) {
	if s.Colormap != nil && planes != 1 {
		return nil, fault.New(fault.Invalid, "colormap: an image of %d planes takes none", planes)
	}
	if s.Formula != nil && planes == 1 && s.Formula.needsThreePlanes() {
		return nil, fault.New(fault.Invalid, "color formula: saturation needs 3 planes, this image has 1")
	}
	for _, r := range s.Rescale {
		if !(r[0] < r[1]) || math.IsInf(r[1]-r[0], 0) {
			return nil, fault.New(fault.Invalid, "rescale: %g,%g is not low,high with low < high", r[0], r[1])
		}
	}
	switch len(s.Rescale) {
	case 0:
		return slices.Repeat([][2]float64{{0, 255}}, planes), nil
	case 1:
		return slices.Repeat(s.Rescale, planes), nil
	case planes:
		return s.Rescale, nil
	}
	return nil, fault.New(fault.Invalid, "rescale: %d limits for %d planes; give one, or one each", len(s.Rescale), planes)
}

func check(planes [][]float32, width, height int) error {
	if err := checkSize(width, height); err != nil {
		return err
	}
	if len(planes) != 1 && len(planes) != 3 {
		return fault.New(fault.Invalid, "image: needs 1 or 3 planes, not %d", len(planes))
	}
	for _, plane := range planes {
		if len(plane) != width*height {
			return fault.New(fault.Internal, "image: a plane of %d values is not %d x %d", len(plane), width, height)
		}
	}
	return nil
}

func checkSize(width, height int) error {
	if width < 1 || height < 1 {
		return fault.New(fault.Invalid, "image: %d x %d pixels is empty", width, height)
	}
	if width > MaxSidePx || height > MaxSidePx {
		return fault.New(fault.TooLarge, "image: %d x %d pixels; at most %d each way", width, height, MaxSidePx)
	}
	return nil
}
