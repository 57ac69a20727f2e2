package tiles

import (
	"bytes"
	"fmt"
	"image/color"
	"image/gif"
	"testing"

	"swath/fault"
	"swath/geo"
	"swath/render"
)

// TestAnimation: layers of one value each become frames in the order of their times, one for each item, date, month or year.
func TestAnimation(t *testing.T) {
	tile := geo.Tile{Z: 10, X: 516, Y: 372}
	r, asked := layersAt(t, tile, map[string]string{"a": "2024-03-05T10:00:00Z", "b": "2024-01-05T10:00:00Z", "c": "2024-03-06T01:00:00+17:00"})
	box := tile.LonLatBox()
	q := AnimationRequest{MosaicRequest: MosaicRequest{Request: Request{Assets: []string{"v"}, Rescale: [][2]float64{{0, 255}}}}, Box: &box, System: geo.WebMercator, Size: Size{MaxPx: 64}, FPS: 2}
	for per, want := range map[string][]string{ // gray of the north-west, north-east and south-west quarters; -1 is nothing
		"item":  {"20 -1 20", "60 60 -1", "10 -1 -1"},
		"date":  {"20 -1 20", "10 60 -1"},
		"month": {"20 -1 20", "10 60 -1"},
		"year":  {"10 60 20"},
	} {
		q.Per = per
		movie, err := r.Animation(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		body, err := movie.Draw(t.Context(), render.GIF)
		if err != nil {
			t.Fatal(err)
		}
		file, err := gif.DecodeAll(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, img := range file.Image {
			text := ""
			for _, at := range [][2]int{{16, 16}, {48, 16}, {16, 48}} {
				c, level := color.NRGBAModel.Convert(img.At(at[0], at[1])).(color.NRGBA), -1
				if c.A > 0 {
					level = int(c.R)
				}
				text += fmt.Sprint(" ", level)
			}
			got = append(got, text[1:])
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || file.Delay[0] != 50 {
			t.Errorf("%s: %q, want %q; delay %d", per, got, want, file.Delay[0])
		}
		if n, limited := movie.Frames(); n != len(want) || limited {
			t.Errorf("%s: %d frames, limited %t", per, n, limited)
		}
	}
	if asked.BBox == nil || asked.BBox.MinX != box.MinX {
		t.Errorf("searched in %+v", asked.BBox)
	}
	// Frames that show little are left out; when none is left, it is said.
	q.Per, q.MinValidPercent = "item", 45
	movie, err := r.Animation(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	body, err := movie.Draw(t.Context(), render.GIF)
	if err != nil {
		t.Fatal(err)
	}
	if file, err := gif.DecodeAll(bytes.NewReader(body)); err != nil || len(file.Image) != 2 {
		t.Errorf("%v: %d frames, want those of b and c", err, len(file.Image))
	}
	q.MinValidPercent = 99
	if movie, err = r.Animation(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if _, err := movie.Draw(t.Context(), render.AnimatedWebP); !fault.Is(err, fault.NotFound) {
		t.Errorf("nothing left: %v", err)
	}
	// Tags follow what is drawn.
	tags := map[string]bool{movie.ETag(render.GIF): true, movie.ETag(render.AnimatedWebP): true}
	for _, change := range []func(*AnimationRequest){func(q *AnimationRequest) { q.FPS = 3 }, func(q *AnimationRequest) { q.MinValidPercent = 0 },
		func(q *AnimationRequest) { q.Size.MaxPx = 65 }, func(q *AnimationRequest) { q.Per = "year" }, func(q *AnimationRequest) { q.Search.Limit = 2 }} {
		other := q
		change(&other)
		m, err := r.Animation(t.Context(), other)
		if err != nil || tags[m.ETag(render.GIF)] {
			t.Errorf("%+v: the same tag, %v", other, err)
		}
	}
	for _, size := range []Size{{WidthPx: 2049, HeightPx: 1}, {WidthPx: 20_000}} {
		q.Size = size
		if _, err := r.Animation(t.Context(), q); !fault.Is(err, fault.TooLarge) {
			t.Errorf("%v: %v", size, err)
		}
	}
}
