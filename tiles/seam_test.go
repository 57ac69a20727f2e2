package tiles

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"
	"math"
	"testing"

	"swath/geo"
	"swath/internal/shelf"
	"swath/raster"
	"swath/render"
)

// TestTilesJoin compares the middle of four tiles with a picture drawn across their common corner: any resampling that
// looked at a tile alone would show there.
func TestTilesJoin(t *testing.T) {
	s := shelf.New(t)
	s.T31TDH(depth)
	r := New(s.Catalog(), s.Open, Options{})
	for _, how := range []string{"nearest", "bilinear", "cubic"} {
		t.Run(how, func(t *testing.T) {
			v, err := r.View(t.Context(), Request{Collection: "sentinel-2-l1c", Item: "T31TDH", Expression: "B04;B05;B01", Resampling: how})
			if err != nil {
				t.Fatal(err)
			}
			lon, lat := v.item.center()
			first := geo.TileAt(15, lon, lat)
			joined := make([][]float32, 3) // 512 x 512 of four tiles
			for i := range joined {
				joined[i] = make([]float32, 512*512)
			}
			for n := range 4 {
				tile := geo.Tile{Z: 15, X: first.X + n%2, Y: first.Y + n/2}
				planes, err := v.planes(t.Context(), raster.Grid{CRS: geo.WebMercator, Transform: tile.Transform(256), Width: 256, Height: 256}, nil)
				if err != nil {
					t.Fatal(err)
				}
				for i, plane := range planes {
					for y := range 256 {
						copy(joined[i][(n/2*256+y)*512+n%2*256:], plane[y*256:(y+1)*256])
					}
				}
			}
			across := raster.Grid{CRS: geo.WebMercator, Transform: first.Transform(256), Width: 200, Height: 200}
			across.Transform[0], across.Transform[3] = first.Transform(256).Apply(156, 156)
			planes, err := v.planes(t.Context(), across, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, plane := range planes {
				differ, valid := 0, 0
				for y := range 200 {
					for x := range 200 {
						a, b := plane[y*200+x], joined[i][(156+y)*512+156+x]
						if !isNaN(a) {
							valid++
						}
						if isNaN(a) != isNaN(b) || math.Abs(float64(a-b)) > 1e-4 {
							differ++
						}
					}
				}
				if valid < 20000 || differ > valid/1000 {
					t.Errorf("plane %d: %d of %d pixels differ across the seams", i, differ, valid)
				}
			}
		})
	}
}

// TestLargeTileIsItsFourChildren compares a picture of 512 pixels with the four of 256 one level deeper.
func TestLargeTileIsItsFourChildren(t *testing.T) {
	s := shelf.New(t)
	s.T31TDH(depth)
	r := New(s.Catalog(), s.Open, Options{})
	for _, preset := range []string{"true-color", "ndvi"} {
		t.Run(preset, func(t *testing.T) {
			q := Request{Collection: "sentinel-2-l1c", Item: "T31TDH", Render: preset}
			small, err := r.View(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			q.SizePx = 512
			large, err := r.View(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			lon, lat := small.item.center()
			parent := geo.TileAt(13, lon, lat)
			want := decode(t, large, parent)
			got := image.NewNRGBA(image.Rect(0, 0, 512, 512))
			for n := range 4 {
				child := decode(t, small, geo.Tile{Z: 14, X: 2*parent.X + n%2, Y: 2*parent.Y + n/2})
				draw.Draw(got, image.Rect(n%2*256, n/2*256, n%2*256+256, n/2*256+256), child, image.Point{}, draw.Src)
			}
			differ, drawn := 0, 0
			for i := 0; i < len(got.Pix); i += 4 {
				if got.Pix[i+3] != 0 {
					drawn++
				}
				if !bytes.Equal(got.Pix[i:i+4], want.Pix[i:i+4]) {
					differ++
				}
			}
			if drawn < 10000 || differ > drawn/1000 {
				t.Errorf("%d of %d drawn pixels differ", differ, drawn)
			}
		})
	}
}

func decode(t *testing.T, v *View, tile geo.Tile) *image.NRGBA {
	t.Helper()
	body, err := v.Tile(t.Context(), tile, render.PNG)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewNRGBA(m.Bounds())
	draw.Draw(out, m.Bounds(), m, image.Point{}, draw.Src)
	return out
}
