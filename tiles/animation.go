package tiles

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"swath/fault"
	"swath/geo"
	"swath/raster"
	"swath/render"
)

// AnimationRequest asks for one animation of a search's items in an area: a frame for each date, the oldest first.
//
//	search, limited to the area ─▶ items ─▶ Scene of each date ─▶ planes ─▶ colours ─▶ render.Animator
//	                                   └─▶ ETag: no pixel is read
type AnimationRequest struct {
	MosaicRequest
	Box             *geo.Box // degrees; nil: that of the search
	System          geo.EPSG // in which it is drawn
	Size            Size     // 512 pixels on the longer side when it says nothing
	Per             string   // what one frame is of: item, date (default), month or year
	FPS             float64  // frames a second
	MinValidPercent float64  // frames with fewer valid pixels are left out, and in any case those without any
}

// Bounds of an animation.
const (
	mostFrames          = 100
	mostAnimationPixels = 32 << 20 // of all frames together: 4 bytes each in memory, and one more in a GIF
	mostFrameSide       = 2048     // pixels
	animationSide       = 512      // pixels of the longer side when the request does not say
	leastFPS, mostFPS   = 0.05, 50 // browsers show a GIF no faster
)

// perLetters is how much of a date-time names the frame.
var perLetters = map[string]int{"": len("2006-01-02"), "date": len("2006-01-02"), "month": len("2006-01"), "year": len("2006"), "item": 0}

// Animation is an animation whose frames are known, and of which no pixel was read.
type Animation struct {
	renderer *Renderer
	scenes   []*Scene
	style    render.Style // of all
	each     time.Duration
	least    float64 // share of a frame that is valid
	limited  bool
	only     string
	key      string
}

// Frames returns how many frames there are at most, and whether there are more items than the request's limit.
func (a *Animation) Frames() (n int, limited bool) { return len(a.scenes), a.limited }

// Items returns of how many items the frames are.
func (a *Animation) Items() (n int) {
	for _, s := range a.scenes {
		n += len(s.views)
	}
	return n
}

// Collection returns the collection that alone is searched, "" when there are several.
func (a *Animation) Collection() string { return a.only }

// ETag names the bytes of the animation for ever, without drawing it.
func (a *Animation) ETag(m render.Motion) string { return fmt.Sprintf(`"%s-%d"`, a.key, m) }

// Animation finds the items of an animation, and refuses what one request may not ask for.
func (r *Renderer) Animation(ctx context.Context, q AnimationRequest) (*Animation, error) {
	letters, known := perLetters[q.Per]
	switch {
	case !known:
		return nil, fault.New(fault.Invalid, "frame %.20q is none of item, date, month, year", q.Per)
	case !(q.FPS >= leastFPS && q.FPS <= mostFPS):
		return nil, fault.New(fault.Invalid, "fps %g: %g to %d frames a second", q.FPS, leastFPS, mostFPS)
	case !(q.MinValidPercent >= 0 && q.MinValidPercent <= 100):
		return nil, fault.New(fault.Invalid, "min_valid_percent %g: 0 to 100", q.MinValidPercent)
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	frame, box, err := q.frame()
	if err != nil {
		return nil, err
	}
	whole, err := r.scene(ctx, q.MosaicRequest, frame, box)
	if err != nil {
		return nil, err
	}
	if len(whole.views) == 0 {
		return nil, fault.New(fault.NotFound, "the search finds no item in the area: there is nothing to animate")
	}
	style, err := whole.style()
	if err != nil {
		return nil, err
	}
	scenes := whole.apart(letters)
	pixels := len(scenes) * frame.Grid.Width * frame.Grid.Height
	if len(scenes) > mostFrames {
		return nil, fault.New(fault.TooLarge, "%d frames: an animation has at most %d; ask for fewer items (items_limit) or a longer time a frame (frame=month)", len(scenes), mostFrames)
	}
	if pixels > mostAnimationPixels {
		return nil, fault.New(fault.TooLarge, "%d frames of %d x %d are %d pixels; an animation has at most %d", len(scenes), frame.Grid.Width, frame.Grid.Height, pixels, mostAnimationPixels)
	}
	for _, s := range scenes {
		if err := s.affordable(); err != nil {
			return nil, err
		}
	}
	return &Animation{
		renderer: r, scenes: scenes, style: style, each: time.Duration(float64(time.Second) / q.FPS), least: q.MinValidPercent / 100, limited: whole.limited, only: whole.only,
		key: fmt.Sprintf("a%x", xxhash.Sum64String(fmt.Sprintf("%s %d %g %g", whole.key, letters, q.FPS, q.MinValidPercent))),
	}, nil
}

// frame is the grid of the area that is shown, and its box in degrees, whose east may be beyond 180.
func (q AnimationRequest) frame() (Frame, geo.Box, error) {
	box := q.Box
	if box == nil {
		box = q.Search.BBox
	}
	if box == nil {
		return Frame{}, geo.Box{}, fault.New(fault.Invalid, "say which area is shown: bbox=west,south,east,north")
	}
	b := *box
	if b.MinX > b.MaxX {
		b.MaxX += 360
	}
	if err := q.Size.check(); err != nil {
		return Frame{}, b, err
	}
	size := q.Size
	if size == (Size{}) {
		size.MaxPx = animationSide
	}
	drawn := b
	if q.System == geo.WebMercator {
		drawn.MinY, drawn.MaxY = max(b.MinY, -mercatorEdgeDeg), min(b.MaxY, mercatorEdgeDeg)
	}
	in, err := raster.ProjectBox(geo.WGS84, q.System, drawn)
	if err == nil && !(in.MaxX > in.MinX && in.MaxY > in.MinY && !math.IsInf(in.MaxX-in.MinX, 0) && !math.IsInf(in.MaxY-in.MinY, 0)) {
		err = fault.New(fault.Invalid, "the box %g,%g,%g,%g has no extent in %s", b.MinX, b.MinY, b.MaxX, b.MaxY, q.System)
	}
	if err != nil {
		return Frame{}, b, err
	}
	f := Frame{Grid: gridOver(in, q.System, size)}
	if f.Grid.Width > mostFrameSide || f.Grid.Height > mostFrameSide {
		return Frame{}, b, fault.New(fault.TooLarge, "%d x %d pixels: a frame of an animation has at most %d each way", f.Grid.Width, f.Grid.Height, mostFrameSide)
	}
	return f, b, nil
}

// apart returns a scene for each time, the oldest first: for each that the first letters of a date in UTC name, or with none for each
// item. Within a scene the items keep their order.
func (s *Scene) apart(letters int) []*Scene {
	byTime := map[string]*Scene{}
	var scenes []*Scene
	for i, v := range s.views {
		name := timeOf(s.times[i]).Format(time.DateOnly)[:letters]
		one := byTime[name]
		if one == nil || letters == 0 {
			one = &Scene{renderer: s.renderer, how: s.how, frame: s.frame, only: s.only}
			byTime[name] = one
			scenes = append(scenes, one)
		}
		one.views, one.times = append(one.views, v), append(one.times, s.times[i])
	}
	slices.SortStableFunc(scenes, func(a, b *Scene) int { return timeOf(a.times[0]).Compare(timeOf(b.times[0])) })
	return scenes
}

// timeOf is an item's time in UTC, the zero time where it says none.
func timeOf(datetime string) time.Time {
	at, err := time.Parse(time.RFC3339, datetime)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// Draw draws the animation, once for all who ask for the same at the same time.
func (a *Animation) Draw(ctx context.Context, m render.Motion) ([]byte, error) {
	return a.renderer.picture(ctx, a.ETag(m), func(ctx context.Context) ([]byte, error) {
		leave, err := a.renderer.animating.enter(ctx)
		if err != nil {
			return nil, err
		}
		defer leave()
		return a.draw(ctx, m)
	})
}

func (a *Animation) draw(ctx context.Context, m render.Motion) ([]byte, error) {
	grid := a.scenes[0].frame.Grid
	movie, err := render.NewAnimator(m, grid.Width, grid.Height, a.each)
	if err != nil {
		return nil, err
	}
	defer movie.Close()
	drawn := 0
	for _, s := range a.scenes {
		planes, from, err := s.selected(ctx)
		if err != nil {
			return nil, err
		}
		valid := 0
		for _, item := range from {
			if item >= 0 {
				valid++
			}
		}
		if valid == 0 || float64(valid) < a.least*float64(len(from)) {
			continue
		}
		pixels, err := render.Colours(planes, grid.Width, grid.Height, a.style)
		if err != nil {
			return nil, err
		}
		if err := movie.Add(pixels); err != nil {
			return nil, err
		}
		drawn++
	}
	if drawn == 0 {
		return nil, fault.New(fault.NotFound, "none of %d frames has the valid pixels that are asked for", len(a.scenes))
	}
	return movie.Bytes()
}
