package render

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"strings"
	"time"

	"swath/fault"
)

// Motion is the encoding of an animation.
type Motion int

// The motions.
const (
	GIF          Motion = iota // one palette of 255 colours for all frames, chosen for them; pixels are opaque or transparent
	AnimatedWebP               // lossy, quality 75, with transparency
)

// ParseMotion returns the motion of a file name extension: "gif" or "webp".
func ParseMotion(extension string) (Motion, error) {
	switch strings.ToLower(extension) {
	case "gif":
		return GIF, nil
	case "webp":
		return AnimatedWebP, nil
	}
	return 0, fault.New(fault.Invalid, "animation: %.20q is neither gif nor webp", extension)
}

// ContentType returns the media type.
func (m Motion) ContentType() string { return [...]string{"image/gif", "image/webp"}[m] }

// Animator makes an animation of frames that come one after the other. It runs for ever.
type Animator interface {
	// Add takes the next frame: R, G, B, A bytes as Colours returns them. They must not be changed afterwards.
	Add(pixels []byte) error
	// Bytes ends the animation.
	Bytes() ([]byte, error)
	// Close gives its memory back; it may follow anything.
	Close()
}

// NewAnimator begins an animation of frames of one size, each shown so long. Times are kept in hundredths of a second by GIF, in
// thousandths by WebP.
func NewAnimator(m Motion, width, height int, each time.Duration) (Animator, error) {
	if err := checkSize(width, height); err != nil {
		return nil, err
	}
	if m == AnimatedWebP {
		return newWebPAnimator(width, height, each)
	}
	return &gifAnimator{width: width, height: height, each: each, colours: newQuantizer()}, nil
}

// Colours draws planes like Encode, but returns the pixels: R, G, B, A bytes, zeros where there is no value.
func Colours(planes [][]float32, width, height int, style Style) ([]byte, error) {
	return Encode(planes, width, height, style, rgba)
}

// gifAnimator keeps the frames, because the palette is of all of them.
type gifAnimator struct {
	width, height int
	each          time.Duration
	colours       *quantizer
	frames        [][]byte
	holes         bool // some pixel is transparent
}

func (a *gifAnimator) Close() {}

func (a *gifAnimator) Add(pixels []byte) error {
	if len(pixels) != 4*a.width*a.height {
		return fault.New(fault.Internal, "animation: a frame of %d bytes is not %d x %d pixels", len(pixels), a.width, a.height)
	}
	a.colours.add(pixels)
	for i := 3; i < len(pixels) && !a.holes; i += 4 {
		a.holes = pixels[i] < opaqueFrom
	}
	a.frames = append(a.frames, pixels)
	return nil
}

func (a *gifAnimator) Bytes() ([]byte, error) {
	if len(a.frames) == 0 {
		return nil, fault.New(fault.Invalid, "animation: there are no frames")
	}
	palette, place := a.colours.palette()
	hole := uint8(len(palette))
	palette = append(palette, color.NRGBA{})
	file := gif.GIF{Config: image.Config{ColorModel: palette, Width: a.width, Height: a.height}, BackgroundIndex: hole}
	delay := max(2, int((a.each+5*time.Millisecond)/(10*time.Millisecond)))
	shown, next := make([]uint8, a.width*a.height), make([]uint8, a.width*a.height)
	for i, pixels := range a.frames {
		vanishes := false
		for j := range next {
			next[j] = hole
			if p := pixels[4*j : 4*j+4]; p[3] >= opaqueFrom {
				next[j] = place(p[0], p[1], p[2])
			}
			vanishes = vanishes || i > 0 && next[j] == hole && shown[j] != hole
		}
		frame := image.NewPaletted(image.Rect(0, 0, a.width, a.height), palette)
		copy(frame.Pix, next)
		switch {
		case vanishes: // what was there must not shine through
			file.Disposal[i-1] = gif.DisposalBackground
		case i > 0: // what stays is left out
			for j, colour := range next {
				if colour == shown[j] {
					frame.Pix[j] = hole
				}
			}
		}
		a.frames[i] = nil // its memory may go
		file.Image, file.Delay, file.Disposal = append(file.Image, frame), append(file.Delay, delay), append(file.Disposal, gif.DisposalNone)
		shown, next = next, shown
	}
	if a.holes { // the first frame follows
		file.Disposal[len(file.Disposal)-1] = gif.DisposalBackground
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, &file); err != nil {
		return nil, fmt.Errorf("render: gif: %w", err)
	}
	return out.Bytes(), nil
}
