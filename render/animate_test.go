package render

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/image/webp"
)

// meadow is a frame of many colours that change smoothly, with some noise, a little farther at each step; a hole is transparent.
func meadow(width, height, step int, hole bool) []byte {
	rnd := rand.New(rand.NewPCG(7, uint64(step)))
	out := make([]byte, 0, 4*width*height)
	for y := range height {
		for x := range width {
			u, v := float64(x+3*step)/float64(width), float64(y)/float64(height)
			level := func(a, b, c float64) byte {
				return byte(math.Max(0, math.Min(255, 128+90*math.Sin(a*u+b*v+c)+6*rnd.NormFloat64())))
			}
			p := []byte{level(5, 1, 0), level(2, 6, 1), level(1, 3, 2), 255}
			if hole && x < width/4 && y < height/4 {
				p = []byte{0, 0, 0, 0}
			}
			out = append(out, p...)
		}
	}
	return out
}

// psnr is the peak signal-to-noise ratio of the opaque pixels, in dB.
func psnr(pixels []byte, img image.Image) float64 {
	sum, n, width := 0.0, 0.0, img.Bounds().Dx()
	for i := 0; i < len(pixels); i += 4 {
		if pixels[i+3] == 0 {
			continue
		}
		c := color.NRGBAModel.Convert(img.At(i/4%width, i/4/width)).(color.NRGBA)
		for k, v := range []byte{c.R, c.G, c.B} {
			d := float64(v) - float64(pixels[i+k])
			sum, n = sum+d*d, n+1
		}
	}
	return 10 * math.Log10(255*255/(sum/n))
}

func animate(t *testing.T, m Motion, width, height int, each time.Duration, frames ...[]byte) []byte {
	t.Helper()
	a, err := NewAnimator(m, width, height, each)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, f := range frames {
		if err := a.Add(bytes.Clone(f)); err != nil {
			t.Fatal(err)
		}
	}
	file, err := a.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// played returns what a viewer shows of each frame (GIF89a, 23.c.iv: what becomes of a frame before the next).
func played(file *gif.GIF) (shown []*image.NRGBA) {
	canvas := image.NewNRGBA(image.Rect(0, 0, file.Config.Width, file.Config.Height))
	for i, img := range file.Image {
		draw.Draw(canvas, img.Bounds(), img, img.Bounds().Min, draw.Over)
		shown = append(shown, &image.NRGBA{Pix: bytes.Clone(canvas.Pix), Stride: canvas.Stride, Rect: canvas.Rect})
		if file.Disposal[i] == gif.DisposalBackground {
			draw.Draw(canvas, img.Bounds(), image.Transparent, image.Point{}, draw.Src)
		}
	}
	return shown
}

// TestGIFLeavesOutWhatStays: what does not change from one frame to the next costs next to nothing, with and without holes.
func TestGIFLeavesOutWhatStays(t *testing.T) {
	const width, height, count = 160, 120, 6
	for _, hole := range []bool{false, true} {
		still := meadow(width, height, 0, hole)
		var frames [][]byte
		for step := range count {
			frame := bytes.Clone(still)
			for y := 50; y < 60; y++ {
				for x := 60 + 10*step; x < 70+10*step; x++ {
					copy(frame[4*(y*width+x):], []byte{250, 20, 20, 255})
				}
			}
			frames = append(frames, frame)
		}
		one, all := animate(t, GIF, width, height, time.Second, frames[0]), animate(t, GIF, width, height, time.Second, frames...)
		if len(all) > len(one)*3/2 {
			t.Errorf("%d frames take %d bytes, one %d", count, len(all), len(one))
		}
		file, err := gif.DecodeAll(bytes.NewReader(all))
		if err != nil {
			t.Fatal(err)
		}
		for i, img := range played(file) {
			if db := psnr(frames[i], img); db < 30 {
				t.Errorf("frame %d: %.1f dB", i, db)
			}
			if _, _, _, alpha := img.At(3, 3).RGBA(); (alpha == 0) != hole {
				t.Errorf("frame %d: alpha %d in the corner", i, alpha)
			}
		}
	}
}

// TestGIF: the shared palette is chosen for the frames, and clearly better than one that is made for everything; what is transparent
// stays so, and nothing shines through.
func TestGIF(t *testing.T) {
	const width, height = 160, 120
	var frames [][]byte
	for step := range 4 {
		frames = append(frames, meadow(width, height, 10*step, step%2 == 1))
	}
	file, err := gif.DecodeAll(bytes.NewReader(animate(t, GIF, width, height, 250*time.Millisecond, frames...)))
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Image) != 4 || file.LoopCount != 0 || len(file.Config.ColorModel.(color.Palette)) != 256 {
		t.Fatalf("%d frames, %d loops, %d colours", len(file.Image), file.LoopCount, len(file.Config.ColorModel.(color.Palette)))
	}
	for i, img := range played(file) {
		if file.Delay[i] != 25 || (file.Disposal[i] == gif.DisposalBackground) != (i != 1) || file.Image[i].Bounds() != image.Rect(0, 0, width, height) {
			t.Errorf("frame %d: delay %d, disposal %d, %v", i, file.Delay[i], file.Disposal[i], file.Image[i].Bounds())
		}
		if _, _, _, alpha := img.At(3, 3).RGBA(); (alpha == 0) != (i%2 == 1) {
			t.Errorf("frame %d: alpha %d in the corner", i, alpha)
		}
		plain := image.NewPaletted(img.Bounds(), webSafe())
		for j := range plain.Pix {
			p := frames[i][4*j:]
			plain.Set(j%width, j/width, color.NRGBA{p[0], p[1], p[2], 255})
		}
		if ours, theirs := psnr(frames[i], img), psnr(frames[i], plain); ours < 32.5 || ours < theirs+7 {
			t.Errorf("frame %d: %.1f dB, with a fixed palette %.1f", i, ours, theirs)
		}
	}
}

// webSafe is the 6 x 6 x 6 cube.
func webSafe() (p color.Palette) {
	for i := range 216 {
		p = append(p, color.NRGBA{uint8(i / 36 * 51), uint8(i / 6 % 6 * 51), uint8(i % 6 * 51), 255})
	}
	return p
}

// TestGIFKeepsFewColours: up to 255 colours are kept to the last bit.
func TestGIFKeepsFewColours(t *testing.T) {
	const width, height = 51, 10
	var frames [][]byte
	for step := range 5 {
		frame := make([]byte, 0, 4*width*height)
		for i := range width * height {
			v := byte(i%51 + 51*step)
			frame = append(frame, v, 255-v, v/2, 255)
		}
		frames = append(frames, frame)
	}
	file, err := gif.DecodeAll(bytes.NewReader(animate(t, GIF, width, height, time.Millisecond, frames...)))
	if err != nil {
		t.Fatal(err)
	}
	for i, img := range played(file) {
		if db := psnr(frames[i], img); !math.IsInf(db, 1) || file.Disposal[i] != gif.DisposalNone || file.Delay[i] != 2 {
			t.Errorf("frame %d: %g dB, disposal %d, delay %d", i, db, file.Disposal[i], file.Delay[i])
		}
	}
}

// TestAnimatedWebP reads the container chunk by chunk (developers.google.com/speed/webp/docs/riff_container) and decodes the first
// frame.
func TestAnimatedWebP(t *testing.T) {
	const width, height = 160, 120
	var frames [][]byte
	for step := range 4 {
		frames = append(frames, meadow(width, height, 10*step, false))
	}
	file := animate(t, AnimatedWebP, width, height, 400*time.Millisecond, frames...)
	if string(file[:4]) != "RIFF" || string(file[8:12]) != "WEBP" || int(binary.LittleEndian.Uint32(file[4:]))+8 != len(file) {
		t.Fatalf("%q", file[:12])
	}
	count, durations, loops, first := 0, 0, -1, []byte(nil)
	for at := 12; at+8 <= len(file); {
		kind, size := string(file[at:at+4]), int(binary.LittleEndian.Uint32(file[at+4:]))
		data := file[at+8 : at+8+size]
		switch kind {
		case "VP8X":
			if w, h := 1+(int(data[4])|int(data[5])<<8), 1+(int(data[7])|int(data[8])<<8); w != width || h != height || data[0]&2 == 0 {
				t.Errorf("canvas of %d x %d, flags %x", w, h, data[0])
			}
		case "ANIM":
			loops = int(binary.LittleEndian.Uint16(data[4:]))
		case "ANMF":
			count, durations = count+1, durations+(int(data[12])|int(data[13])<<8)
			if count == 1 {
				first = data[16:]
			}
		}
		at += 8 + size + size%2
	}
	if count != 4 || durations != 1600 || loops != 0 {
		t.Errorf("%d frames of %d ms in all, %d loops", count, durations, loops)
	}
	still := append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+len(first))), "WEBP"...)
	img, err := webp.Decode(bytes.NewReader(append(still, first...)))
	if err != nil {
		t.Fatal(err)
	}
	if db := psnr(frames[0], img); db < 27 { // noise is what it leaves out
		t.Errorf("first frame: %.1f dB", db)
	}
}

// TestColours: the pixels are those of the PNG.
func TestColours(t *testing.T) {
	nan := float32(math.NaN())
	viridis, err := ColormapByName("viridis")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		planes [][]float32
		style  Style
	}{
		"three":       {[][]float32{{0, 100, nan, 255}, {1, 2, 3, 4}, {9, 8, 7, 6}}, Style{}},
		"three whole": {[][]float32{{0, 100, 7, 255}, {1, 2, 3, 4}, {9, 8, 7, 6}}, Style{}},
		"one":         {[][]float32{{0, 0.5, nan, 1}}, Style{Rescale: [][2]float64{{0, 1}}, Colormap: viridis}},
		"gray":        {[][]float32{{0, 50, 100, 255}}, Style{}},
		"nothing":     {[][]float32{{nan, nan, nan, nan}}, Style{}},
	} {
		got, err := Colours(tc.planes, 2, 2, tc.style)
		if err != nil || len(got) != 16 {
			t.Fatalf("%s: %v, %v", name, got, err)
		}
		body, err := Encode(tc.planes, 2, 2, tc.style, PNG)
		if err != nil {
			t.Fatal(err)
		}
		img, _, err := image.Decode(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			want := color.NRGBAModel.Convert(img.At(i%2, i/2)).(color.NRGBA)
			if p := (color.NRGBA{got[4*i], got[4*i+1], got[4*i+2], got[4*i+3]}); p.A != want.A || p.A > 0 && p != want {
				t.Errorf("%s: pixel %d is %v, want %v", name, i, p, want)
			}
		}
	}
}

func TestWrongAnimations(t *testing.T) {
	if _, err := ParseMotion("mp4"); err == nil {
		t.Error("mp4")
	}
	for _, m := range []Motion{GIF, AnimatedWebP} {
		if _, err := NewAnimator(m, 0, 5, time.Second); err == nil {
			t.Errorf("%d: no pixels", m)
		}
		a, err := NewAnimator(m, 4, 4, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Add(make([]byte, 5)); err == nil {
			t.Errorf("%d: five bytes", m)
		}
		if _, err := a.Bytes(); err == nil {
			t.Errorf("%d: no frames", m)
		}
		a.Close()
	}
}

func BenchmarkGIF(b *testing.B) {
	frame := meadow(512, 512, 3, true)
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		a, _ := NewAnimator(GIF, 512, 512, time.Second)
		_ = a.Add(frame)
		if _, err := a.Bytes(); err != nil {
			b.Fatal(err)
		}
	}
}
