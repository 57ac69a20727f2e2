package render

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/image/webp"

	"swath/fault"
	"swath/internal/golden"
)

var stretches = map[string][2]float64{"ndvi": {-1, 1}, "reflectance": {0, 0.3}}

// The expected levels are rio-tiler 9.4.12's for float32 data; the values lie on the borders of levels, or one step beside.
func TestLevelsAgreeWithRioTiler(t *testing.T) {
	for _, tc := range []struct {
		value, low, high float64
		want             uint8
	}{
		{0.1450980305671692, -0.2, 0.9, 80}, {1682.35302734375, 0, 3000, 143}, {255.0, 0, 255, 255}, {1000.0000610351562, 1000, 4000.5, 0},
		{-25.000001907348633, -25, 5, 0}, {85.00000762939453, 0, 255, 85}, {-0.00392156932502985, -1, 1, 127}, {-20.764705657958984, -25, 5, 36},
		{2259.03369140625, 1000, 4000.5, 107}, {0.04588235169649124, -0.2, 0.9, 57}, {-0.9999999403953552, -1, 1, 0}, {83.99999237060547, 0, 255, 83},
		{0.6196078062057495, -0.2, 0.9, 189}, {5.0, -25, 5, 255}, {1094.11767578125, 0, 3000, 93}, {-15.470588684082031, -25, 5, 81},
		{0.061176471412181854, 0, 0.3, 52}, {3000.000244140625, 0, 3000, 255}, {1.0000001192092896, -1, 1, 255}, {-24.999998092651367, -25, 5, 0},
		{0.007058823015540838, 0, 0.3, 5}, {0.007058823946863413, 0, 0.3, 6}, {1.401298464324817e-45, 0, 255, 0}, {-20.764707565307617, -25, 5, 35},
		{147.99998474121094, 0, 255, 147}, {-0.003921568393707275, -1, 1, 127}, {3000.0, 0, 3000, 255}, {160.00001525878906, 0, 255, 160},
		{101.0, 0, 255, 101}, {0.8352940678596497, -0.2, 0.9, 239}, {4.999999523162842, -25, 5, 255}, {1294.1175537109375, 0, 3000, 109},
		{0.0, 0, 255, 0}, {0.04588234797120094, -0.2, 0.9, 57}, {0.30000004172325134, 0, 0.3, 255}, {-0.8901961445808411, -1, 1, 13},
		{255.00001525878906, 0, 255, 255}, {1294.11767578125, 0, 3000, 110}, {-0.20000001788139343, -0.2, 0.9, 0}, {-0.8901960253715515, -1, 1, 14},
		{85.0, 0, 255, 85}, {-0.0878431424498558, -0.2, 0.9, 25}, {1.7058823108673096, -25, 5, 227}, {2999.999755859375, 0, 3000, 254},
		{1094.1175537109375, 0, 3000, 92}, {2294.33349609375, 1000, 4000.5, 110}, {0.8666666150093079, -1, 1, 238}, {-17.47058868408203, -25, 5, 63},
	} {
		style := Style{Rescale: [][2]float64{{tc.low, tc.high}}}
		img := decode(t, PNG, must(Encode([][]float32{{float32(tc.value)}}, 1, 1, style, PNG)))
		if got := img.At(0, 0).(color.Gray).Y; got != tc.want {
			t.Errorf("level of %v in %v..%v = %d, want %d", tc.value, tc.low, tc.high, got, tc.want)
		}
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

func decode(t testing.TB, format Format, data []byte) image.Image {
	t.Helper()
	read := map[Format]func(*bytes.Reader) (image.Image, error){
		PNG:  func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) },
		JPEG: func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) },
		WebP: func(r *bytes.Reader) (image.Image, error) { return decodeWebP(r) },
	}[format]
	r := bytes.NewReader(data)
	img, err := read(r)
	if err != nil {
		t.Fatalf("%s of %d bytes: %v", format.ContentType(), len(data), err)
	}
	if r.Len() != 0 {
		t.Errorf("%s: %d bytes after the end", format.ContentType(), r.Len())
	}
	return img
}

// decodeWebP gives the planes of x/image/webp the colours that they have in WebP: BT.601 with luma 16..235 (RFC 6386, 9.2),
// where Go's YCbCr means JPEG's 0..255.
func decodeWebP(r *bytes.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	if err != nil {
		return nil, err
	}
	planes, alpha := &image.YCbCr{}, func(x, y int) uint8 { return 255 }
	switch img := img.(type) {
	case *image.YCbCr:
		planes = img
	case *image.NYCbCrA:
		planes, alpha = &img.YCbCr, func(x, y int) uint8 { return img.A[img.AOffset(x, y)] }
	}
	out := image.NewNRGBA(planes.Bounds())
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			c := planes.YCbCrAt(x, y)
			luma, cb, cr := 255./219*(float64(c.Y)-16), float64(c.Cb)-128, float64(c.Cr)-128
			part := func(v float64) uint8 { return uint8(min(max(v+0.5, 0), 255)) }
			out.SetNRGBA(x, y, color.NRGBA{part(luma + 1.596*cr), part(luma - 0.392*cb - 0.813*cr), part(luma + 2.017*cb), alpha(x, y)})
		}
	}
	return out, nil
}

// slowLevel is the rule of Style, written down plainly.
func slowLevel(value float32, limits [2]float64) uint8 {
	v := min(max(float64(value), limits[0]), limits[1])
	return uint8(float32((v - limits[0]) / (limits[1] - limits[0]) * 255))
}

// noise is a plane of values a little beyond low..high, one in every holes of them missing; none if holes is 0.
func noise(seed uint64, pixels int, low, high float32, holes int) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	plane := make([]float32, pixels)
	for i := range plane {
		if plane[i] = low + (high-low)*(r.Float32()*1.2-0.1); holes > 0 && r.IntN(holes) == 0 {
			plane[i] = nan
		}
	}
	return plane
}

// checkPixels fails unless every pixel is, channel by channel, within tolerance of want. Colour and opacity are compared
// without premultiplication; of what is transparent, only that.
func checkPixels(t *testing.T, img image.Image, width, height, tolerance int, want func(i int) color.NRGBA) {
	t.Helper()
	if size := img.Bounds().Size(); size != image.Pt(width, height) {
		t.Fatalf("size %v, want %d x %d", size, width, height)
	}
	far := func(a, b uint8) bool { return int(a)-int(b) > tolerance || int(b)-int(a) > tolerance }
	for i := range width * height {
		got := color.NRGBAModel.Convert(img.At(img.Bounds().Min.X+i%width, img.Bounds().Min.Y+i/width)).(color.NRGBA)
		w := want(i)
		if got.A != w.A || w.A > 0 && (far(got.R, w.R) || far(got.G, w.G) || far(got.B, w.B)) {
			t.Fatalf("pixel %d = %v, want %v within %d", i, got, w, tolerance)
		}
	}
}

var sizes = []image.Point{{1, 1}, {7, 3}, {256, 256}, {chunkPixels + 5, 2}, {3, 300}}

func TestPNGOfOnePlane(t *testing.T) {
	rdylgn := must2(ColormapByName("rdylgn"))
	limits := stretches["ndvi"]
	for _, size := range sizes {
		for _, holes := range []int{0, 3} {
			for _, cm := range []*Colormap{nil, rdylgn} {
				plane := noise(9, size.X*size.Y, -0.5, 0.4, holes) // not all levels appear
				colours := gray
				if cm != nil {
					colours = cm
				}
				data := must(Encode([][]float32{plane}, size.X, size.Y, Style{Rescale: [][2]float64{limits}, Colormap: cm}, PNG))
				checkPixels(t, decode(t, PNG, data), size.X, size.Y, 0, func(i int) color.NRGBA {
					if plane[i] != plane[i] {
						return color.NRGBA{}
					}
					return colours.colours[slowLevel(plane[i], limits)]
				})
				if colourType := data[25]; size.X == 256 && (colourType == pngGray) != (cm == nil) || colourType > pngPalette {
					t.Errorf("colour type %d", colourType)
				}
			}
		}
	}
}

func must2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestPNGOfAll256LevelsAndHoles(t *testing.T) {
	const rare = 77
	for name, cm := range map[string]*Colormap{"gray": nil, "viridis": must2(ColormapByName("viridis"))} {
		plane := make([]float32, 0, 4*256)
		for level := range 256 {
			plane = append(plane, float32(level), float32(level), float32(level), nan)
		}
		plane[4*rare] = rare + 1 // now 77 is the rarest
		colours := gray
		if cm != nil {
			colours = cm
		}
		img := decode(t, PNG, must(Encode([][]float32{plane}, 32, 32, Style{Colormap: cm}, PNG)))
		checkPixels(t, img, 32, 32, 0, func(i int) color.NRGBA {
			switch {
			case plane[i] != plane[i]:
				return color.NRGBA{}
			case plane[i] == rare:
				return colours.colours[rare-1]
			}
			return colours.colours[int(plane[i])]
		})
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestPNGOfThreePlanes(t *testing.T) {
	limits := [][2]float64{{0, 0.3}, {0.05, 0.25}, {-0.1, 0.2}}
	alphas := map[bool]int{}
	for _, size := range sizes {
		for _, holes := range []int{0, 5, 6} {
			n := size.X * size.Y
			planes := [][]float32{noise(1, n, 0, 0.3, holes), noise(2, n, 0, 0.3, holes), noise(3, n, 0, 0.3, 0)}
			if holes == 6 { // and something that is black
				planes[0][n/2], planes[1][n/2], planes[2][n/2] = 0, 0, -1
			}
			data := must(Encode(planes, size.X, size.Y, Style{Rescale: limits}, PNG))
			transparent := false
			want := func(i int) color.NRGBA {
				if planes[0][i] != planes[0][i] || planes[1][i] != planes[1][i] {
					transparent = true
					return color.NRGBA{}
				}
				return color.NRGBA{slowLevel(planes[0][i], limits[0]), slowLevel(planes[1][i], limits[1]), slowLevel(planes[2][i], limits[2]), 255}
			}
			checkPixels(t, decode(t, PNG, data), size.X, size.Y, 0, want)
			black := false
			for i := range n {
				black = black || want(i) == color.NRGBA{A: 255}
			}
			if n > 1 && (data[25] == pngRGBA) != (transparent && black) {
				t.Errorf("colour type %d, transparent pixels %v, black ones %v: an alpha channel is for both", data[25], transparent, black)
			}
			if keyed := bytes.Contains(data, []byte("tRNS")); n > 1 && keyed != (transparent && !black) {
				t.Errorf("a transparent colour: %v; transparent pixels %v, black ones %v", keyed, transparent, black)
			}
			alphas[transparent && black]++
		}
	}
	if alphas[true] == 0 || alphas[false] == 0 {
		t.Errorf("alpha channels needed and not: %v", alphas)
	}
}

func TestInfiniteValuesAreClipped(t *testing.T) {
	inf := float32(math.Inf(1))
	img := decode(t, PNG, must(Encode([][]float32{{-inf, 0.5, inf}}, 3, 1, Style{Rescale: [][2]float64{{0, 1}}}, PNG)))
	checkPixels(t, img, 3, 1, 0, func(i int) color.NRGBA { return gray.colours[[]int{0, 127, 255}[i]] })
}

func TestClassedColours(t *testing.T) {
	plane := []float32{nan, 0, 3, 4, 4.5, 11, 12, -1}
	none := color.NRGBA{}
	scl := []color.NRGBA{none, none, {100, 50, 0, 255}, {0, 160, 0, 255}, none, {255, 150, 255, 255}, none, none}
	for name, tc := range map[string]struct {
		colormap string
		rescale  [][2]float64
		want     []color.NRGBA
	}{
		"scene classes": {sceneClasses, nil, scl},
		"intervals, the last that fits": {`[[[0, 12], "#123"], [[3, 4.5], [1, 2, 3, 4]], [[-5, 0], "#aabbccdd"]]`, nil,
			[]color.NRGBA{none, {17, 34, 51, 255}, {1, 2, 3, 4}, {1, 2, 3, 4}, {17, 34, 51, 255}, {17, 34, 51, 255}, none, {170, 187, 204, 221}}},
		"fractions":         {`{"4.5": "#F00", "-1": "#0f08"}`, nil, []color.NRGBA{none, none, none, none, {255, 0, 0, 255}, none, none, {0, 255, 0, 136}}},
		"classes of levels": {`{"0": "#010203", "255": "#040506"}`, [][2]float64{{0, 12}}, []color.NRGBA{none, {1, 2, 3, 255}, none, none, none, none, {4, 5, 6, 255}, {1, 2, 3, 255}}},
	} {
		t.Run(name, func(t *testing.T) {
			style := Style{Rescale: tc.rescale, Colormap: must2(ParseColormap(tc.colormap))}
			img := decode(t, PNG, must(Encode([][]float32{plane}, 4, 2, style, PNG)))
			checkPixels(t, img, 4, 2, 0, func(i int) color.NRGBA { return tc.want[i] })
		})
	}
}

func TestLossyFormats(t *testing.T) {
	const width, height = 64, 48
	hole := func(i int) bool { return i%width < 16 } // on the border of JPEG's blocks
	smooth := func(shift int) []float32 {
		plane := make([]float32, width*height)
		for i := range plane {
			if plane[i] = float32(i%width+i/width+shift) / 180; hole(i) {
				plane[i] = nan
			}
		}
		return plane
	}
	planes, limits := [][]float32{smooth(0), smooth(30), smooth(60)}, [2]float64{0, 1}
	style := Style{Rescale: [][2]float64{limits}}
	viridis := must2(ColormapByName("viridis"))
	for name, tc := range map[string]struct {
		planes [][]float32
		style  Style
		colour func(i int) color.NRGBA
	}{
		"three planes": {planes, style, func(i int) color.NRGBA {
			return color.NRGBA{slowLevel(planes[0][i], limits), slowLevel(planes[1][i], limits), slowLevel(planes[2][i], limits), 255}
		}},
		"viridis": {planes[:1], Style{Rescale: style.Rescale, Colormap: viridis}, func(i int) color.NRGBA { return viridis.colours[slowLevel(planes[0][i], limits)] }},
	} {
		t.Run(name, func(t *testing.T) {
			img := decode(t, WebP, must(Encode(tc.planes, width, height, tc.style, WebP)))
			checkPixels(t, img, width, height, 14, func(i int) color.NRGBA {
				if hole(i) {
					return color.NRGBA{}
				}
				return tc.colour(i)
			})
			data := must(Encode(tc.planes, width, height, tc.style, JPEG))
			img = decode(t, JPEG, data)
			checkPixels(t, img, width, height, 14, func(i int) color.NRGBA {
				if hole(i) {
					return color.NRGBA{A: 255}
				}
				return tc.colour(i)
			})
			if ratio := img.(*image.YCbCr).SubsampleRatio; ratio != image.YCbCrSubsampleRatio420 {
				t.Errorf("JPEG of %v", ratio)
			}
		})
	}
}

func TestEmpty(t *testing.T) {
	for _, size := range sizes {
		plane := slices.Repeat([]float32{nan}, size.X*size.Y)
		for _, format := range []Format{PNG, JPEG, WebP} {
			want := color.NRGBA{}
			if format == JPEG {
				want.A = 255
			}
			data := must(Empty(size.X, size.Y, format))
			checkPixels(t, decode(t, format, data), size.X, size.Y, 0, func(int) color.NRGBA { return want })
			for _, planes := range [][][]float32{{plane}, {plane, plane, plane}} {
				if got := must(Encode(planes, size.X, size.Y, Style{}, format)); !bytes.Equal(got, data) {
					t.Errorf("%s: Encode of nothing but NaN is not Empty", format.ContentType())
				}
			}
		}
	}
	if data := must(Empty(256, 256, PNG)); len(data) > 200 {
		t.Errorf("an empty tile has %d bytes", len(data))
	}
}

// Drawings share memory one after the other, never at the same time.
func TestEncodeInParallel(t *testing.T) {
	const width, height = 100, 70
	type drawing struct {
		planes [][]float32
		format Format
		want   []byte
	}
	style := Style{Rescale: [][2]float64{{0, 1}}}
	var drawings []drawing
	for seed := range uint64(12) {
		planes := [][]float32{noise(seed, width*height, 0, 1, int(seed%3)*4)}
		if seed%2 == 0 {
			planes = append(planes, planes[0], planes[0])
		}
		format := Format(seed % 3)
		drawings = append(drawings, drawing{planes, format, must(Encode(planes, width, height, style, format))})
	}
	var group sync.WaitGroup
	for range 8 {
		for _, d := range drawings {
			group.Go(func() {
				if got, err := Encode(d.planes, width, height, style, d.format); err != nil || !bytes.Equal(got, d.want) {
					t.Errorf("%s drawn among others differs: %v", d.format.ContentType(), err)
				}
			})
		}
	}
	group.Wait()
}

func TestEncodeRefuses(t *testing.T) {
	one := []float32{1}
	viridis := must2(ColormapByName("viridis"))
	for want, tc := range map[string]struct {
		planes        [][]float32
		width, height int
		style         Style
		kind          fault.Kind
	}{
		"needs 1 or 3 planes, not 2":                {[][]float32{one, one}, 1, 1, Style{}, fault.Invalid},
		"needs 1 or 3 planes, not 0":                {nil, 1, 1, Style{}, fault.Invalid},
		"0 x 1 pixels is empty":                     {[][]float32{one}, 0, 1, Style{}, fault.Invalid},
		"-1 x -1 pixels is empty":                   {[][]float32{one}, -1, -1, Style{}, fault.Invalid},
		"at most 16383 each way":                    {[][]float32{one}, 16384, 1, Style{}, fault.TooLarge},
		"a plane of 1 values is not 2 x 1":          {[][]float32{one}, 2, 1, Style{}, fault.Internal},
		"rescale: 1,1 is not low,high":              {[][]float32{one}, 1, 1, Style{Rescale: [][2]float64{{1, 1}}}, fault.Invalid},
		"rescale: NaN,1 is not low,high":            {[][]float32{one}, 1, 1, Style{Rescale: [][2]float64{{math.NaN(), 1}}}, fault.Invalid},
		"rescale: -Inf,1 is not low,high":           {[][]float32{one}, 1, 1, Style{Rescale: [][2]float64{{math.Inf(-1), 1}}}, fault.Invalid},
		"2 limits for 3 planes":                     {[][]float32{one, one, one}, 1, 1, Style{Rescale: [][2]float64{{0, 1}, {0, 1}}}, fault.Invalid},
		"colormap: an image of 3 planes takes none": {[][]float32{one, one, one}, 1, 1, Style{Colormap: viridis}, fault.Invalid},
	} {
		if _, err := Encode(tc.planes, tc.width, tc.height, tc.style, PNG); err == nil || !strings.Contains(err.Error(), want) || !fault.Is(err, tc.kind) {
			t.Errorf("Encode: %v, want %q, %v", err, want, tc.kind)
		}
	}
}

func TestParseFormat(t *testing.T) {
	for text, want := range map[string]string{"png": "image/png", "jpg": "image/jpeg", "JPEG": "image/jpeg", "webp": "image/webp"} {
		if f, err := ParseFormat(text); err != nil || f.ContentType() != want {
			t.Errorf("ParseFormat(%q) = %v, %v, want %s", text, f, err, want)
		}
	}
	if _, err := ParseFormat("gif"); !fault.Is(err, fault.Invalid) {
		t.Errorf("ParseFormat(gif): %v", err)
	}
}

// hills is a scene of one index, -1..1, with a lake without values.
func hills(width, height int) []float32 {
	plane := make([]float32, width*height)
	for i := range plane {
		x, y := float64(i%width)/float64(width), float64(i/width)/float64(height)
		plane[i] = float32(0.9*x - 0.3 + 0.25*math.Sin(9*x+5*y) + 0.2*math.Cos(13*y-4*x*x))
		if math.Hypot(x-0.3, (y-0.6)/1.4) < 0.12 {
			plane[i] = nan
		}
	}
	return plane
}

func TestGoldenImages(t *testing.T) {
	const width, height = 192, 128
	plane := hills(width, height)
	bands := map[string][]float32{"a": plane}
	classes := eval(t, "floor((a+0.6)*6.5)", bands)[0]
	rgb := eval(t, "a; 0.4+a/2; 0.8-a", bands)
	ndvi := Style{Rescale: [][2]float64{{-1, 1}}, Colormap: must2(ColormapByName("rdylgn"))}
	for name, tc := range map[string]struct {
		planes [][]float32
		style  Style
		format Format
	}{
		"ndvi_rdylgn.png": {[][]float32{plane}, ndvi, PNG},
		"ndvi_rdylgn.jpg": {[][]float32{plane}, ndvi, JPEG},
		"gray.png":        {[][]float32{plane}, Style{Rescale: ndvi.Rescale}, PNG},
		"viridis.png":     {[][]float32{plane}, Style{Rescale: ndvi.Rescale, Colormap: must2(ColormapByName("viridis"))}, PNG},
		"scl.png":         {[][]float32{classes}, Style{Colormap: must2(ColormapByName("scl"))}, PNG},
		"rgb.png":         {rgb, Style{Rescale: [][2]float64{{0, 1}}}, PNG},
	} {
		golden.Image(t, name, must(Encode(tc.planes, width, height, tc.style, tc.format)), map[Format]int{JPEG: 2}[tc.format])
	}
}

func benchmarkEncode(b *testing.B, planes int, style Style, format Format) {
	const side = 256
	scene := make([][]float32, planes)
	for i := range scene { // texture like that of fields: smooth, with fine grain
		scene[i] = hills(side, side)
		for j, grain := range noise(uint64(i), side*side, -0.05, 0.05, 0) {
			if scene[i][j] != scene[i][j] {
				scene[i][j] = 0
			}
			scene[i][j] += grain
		}
	}
	var size int
	b.ReportAllocs()
	for b.Loop() {
		size = len(must(Encode(scene, side, side, style, format)))
	}
	b.ReportMetric(float64(size), "bytes")
}

func BenchmarkEncode(b *testing.B) {
	limits := [][2]float64{{-1, 1}}
	palette := Style{Rescale: limits, Colormap: must2(ColormapByName("rdylgn"))}
	for name, tc := range map[string]struct {
		planes int
		style  Style
		format Format
	}{
		"PalettePNG":  {1, palette, PNG},
		"RGBPNG":      {3, Style{Rescale: limits}, PNG},
		"RGBJPEG":     {3, Style{Rescale: limits}, JPEG},
		"PaletteJPEG": {1, palette, JPEG},
		"RGBWebP":     {3, Style{Rescale: limits}, WebP},
	} {
		b.Run(name, func(b *testing.B) { benchmarkEncode(b, tc.planes, tc.style, tc.format) })
	}
}

func BenchmarkEncodeEmptyPNG(b *testing.B) {
	for b.Loop() {
		must(Empty(256, 256, PNG))
	}
}
