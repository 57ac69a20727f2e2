package s1ortho

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"swath/dem"
	"swath/geo"
	"swath/raster"
	"swath/sar"
	"swath/sentinel/s1"
	"swath/sentinel/safe"
)

// Interpolated places against exact ones, over 3 km of relief.
func TestLattice(t *testing.T) {
	paths, _ := filepath.Glob(filepath.Join(shared, "s1-safe/*GRDH*.zip"))
	if len(paths) == 0 {
		t.Skip("no real products here")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, path := range paths {
		p, err := safe.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		product, err := s1.Read(p.FS, p.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, between := range []sar.Between{sar.Linear, sar.Nearest} {
			checkLattice(t, product, between, rnd)
		}
	}
}

func checkLattice(t *testing.T, product *s1.Product, between sar.Between, rnd *rand.Rand) {
	grd, err := sar.NewGRD(&product.Measurements[0], nil, between)
	if err != nil {
		t.Fatal(err)
	}
	{
		worst := 0.0
		for range 40 {
			line, pixel := rnd.Float64()*float64(grd.Lines), rnd.Float64()*float64(grd.Samples)
			lon, lat := grd.Place(line, pixel, 500)
			utm := geo.UTMOf(lon, lat)
			projection, _ := geo.ProjectionOf(utm)
			e, n := projection.FromLonLat(lon, lat)
			g := raster.Grid{CRS: utm, Width: tilePx, Height: tilePx, Transform: geo.Affine{e - 1000, 10, 0, n + 1000, 0, -10}}
			lowest := float32(rnd.Float64() * 2000)
			highest := lowest + 1000
			l, ok := solve(g, projection, grd, 0, 0, blockSide, blockSide, lowest, highest)
			if !ok {
				t.Fatal("not solved")
			}
			heights, lines, pixels := make([]float32, blockSide), make([]float32, blockSide), make([]float32, blockSide)
			for i := range heights {
				heights[i] = lowest + float32(rnd.Float64())*(highest-lowest)
			}
			y := rnd.IntN(blockSide)
			originLine, originPixel := math.Floor(l.minLine), math.Floor(l.minPixel)
			l.places(lines, pixels, heights, float64(y), 1, originLine, originPixel)
			for i, h := range heights {
				e, n := g.Transform.Apply(float64(i)+0.5, float64(y)+0.5)
				lon, lat := projection.ToLonLat(e, n)
				at, r := grd.Orbit.ZeroDoppler(sar.ToECEF(lon, lat, float64(h)), 0)
				line, pixel := grd.Image(at, r)
				if between == sar.Nearest && (grd.Piece(line+0.01) != grd.Piece(line-0.01)) {
					continue // on the step itself
				}
				worst = math.Max(worst, math.Hypot(line-originLine-float64(lines[i]), pixel-originPixel-float64(pixels[i])))
			}
		}
		t.Logf("%s: %.5f pixels at worst", product.Name[:32], worst)
		if worst > 0.01 {
			t.Errorf("%s: places are off by %.4f pixels", product.Name, worst)
		}
	}
}

// The ground between the relief's own pixels: what is a cubic along both axes comes out exactly in the middle of the tile.
func TestReliefFill(t *testing.T) {
	r := &relief{Heights: &dem.Heights{Grid: raster.Grid{Width: 500, Height: 500}, M: make([]float32, 500*500)}}
	surface := func(x, y float64) float64 { return 100 + 0.02*x*x - 0.7*x + 0.01*y*y + 0.3*y } // of pixels of the relief after the margin
	for j := range 500 {
		for i := range 500 {
			r.M[j*500+i] = float32(surface(float64(i-reliefMargin), float64(j-reliefMargin)))
		}
	}
	var scratch []float32
	for _, fine := range []int{1, 2} {
		for _, at := range [][2]int{{0, 0}, {-7, 5}, {100, -33}, {11, 101}} {
			const w, h = 37, 23
			got := make([]float32, w*h)
			r.fill(got, at[0], at[1], w, h, fine, &scratch)
			f := float64(reliefStep * fine)
			for y := range h {
				for x := range w {
					want := surface((float64(at[0]+x)+0.5)/f-0.5, (float64(at[1]+y)+0.5)/f-0.5)
					if d := math.Abs(float64(got[y*w+x]) - want); d > 0.002 {
						t.Fatalf("fine %d, at %v + %d, %d: %g, not %g", fine, at, x, y, got[y*w+x], want)
					}
				}
			}
		}
	}
}
