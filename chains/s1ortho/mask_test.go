package s1ortho

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"swath/dem"
	"swath/geo"
	"swath/raster"
	"swath/sar"
	"swath/sentinel/s1"
	"swath/sentinel/safe"
)

// geometry of a product, as the chain has it.
func geometryOfProduct(t testing.TB, path string) *sar.GRD {
	t.Helper()
	p, err := safe.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	product, err := s1.Read(p.FS, p.Name)
	if err != nil {
		t.Fatal(err)
	}
	grd, err := sar.NewGRD(&product.Measurements[0], nil, sar.Linear)
	if err != nil {
		t.Fatal(err)
	}
	return grd
}

// radarMask reads the simulation's own mask, in the radar's geometry: 1 layover, 2 shadow.
func radarMask(t testing.TB) []float32 {
	t.Helper()
	f, err := os.Open(filepath.Join(shared, "s1-sim", "truth_radar_mask.tif"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	c, err := raster.OpenCOG(t.Context(), file{f, info.Size()})
	if err != nil {
		t.Fatal(err)
	}
	planes, err := raster.NewReader(0).Read(t.Context(), c, 0, raster.Window{Width: c.Levels[0].Width, Height: c.Levels[0].Height}, []int{1})
	if err != nil {
		t.Fatal(err)
	}
	return planes[0]
}

// The mask of the map against the simulation's, pixel by pixel of the map, seen where exact geometry says.
func TestMaskAgainstSimulation(t *testing.T) {
	product, heights, _ := simulated(t)
	_, out := ortho(t, map[string]any{"product": []string{product}, "dem": heights, "min_coverage": 0.05, "zip": false, "mask": true,
		"polarisations": []string{"VV"}, "tiles": []string{"33TVG"}})
	mask, truth := load(t, out, "*_mask_*.tif"), radarMask(t)
	grd := geometryOfProduct(t, product)
	geoid, err := dem.EGM96()
	if err != nil {
		t.Fatal(err)
	}
	model, err := dem.Open(heights, geoid)
	if err != nil {
		t.Fatal(err)
	}
	g, p, err := gridOf("33TVG")
	if err != nil {
		t.Fatal(err)
	}
	ground, err := loadRelief(t.Context(), model, g)
	if err != nil {
		t.Fatal(err)
	}
	lines, samples := grd.Lines, grd.Samples
	near := func(line, pixel float64, reach int) (any, all bool) {
		all = true
		for j := -reach; j <= reach; j++ {
			for i := -reach; i <= reach; i++ {
				y, x := int(line+0.5)+j, int(pixel+0.5)+i
				on := y >= 0 && x >= 0 && y < lines && x < samples && int(truth[y*samples+x])&1 != 0
				any, all = any || on, all && on
			}
		}
		return any, all
	}
	seen := make([]bool, len(truth))
	var both, ours, theirs, neither, far, shadowed int
	guess := 0.0
	for y := mask.row; y < mask.row+mask.h; y++ {
		for x := mask.col; x < mask.col+mask.w; x++ {
			m := int(mask.at(x, y))
			if m&unmasked != 0 {
				continue
			}
			if m&shadow != 0 {
				shadowed++
			}
			if m == 0 && (x%4 != 0 || y%4 != 0) && ground.at((float64(x)+0.5)/reliefStep-0.5+reliefMargin, (float64(y)+0.5)/reliefStep-0.5+reliefMargin) < 400 {
				neither++ // plains are looked at now and then
				continue
			}
			e, n := g.Transform.Apply(float64(x)+0.5, float64(y)+0.5)
			lon, lat := p.ToLonLat(e, n)
			s := &shader{r: ground}
			cx, cy := s.coarse(x, y)
			var r float64
			guess, r = grd.Orbit.ZeroDoppler(sar.ToECEF(lon, lat, ground.at(cx, cy)), guess)
			line, pixel := grd.Image(guess, r)
			if line < 0 || pixel < 0 || line > float64(lines-1) || pixel > float64(samples-1) {
				continue
			}
			is, _ := near(line, pixel, 0)
			switch mine := m&layover != 0; {
			case mine && is:
				both++
			case mine:
				ours++
				if around, _ := near(line, pixel, 1); !around {
					far++
				}
			case is:
				theirs++
				if _, deep := near(line, pixel, 1); deep {
					far++
				}
			default:
				neither++
			}
			if m&layover != 0 {
				seen[int(line+0.5)*samples+int(pixel+0.5)] = true
			}
		}
	}
	all, found := 0, 0
	for i, v := range truth {
		if int(v)&1 == 0 {
			continue
		}
		all++
		for j := -1; j <= 1; j++ {
			for k := -1; k <= 1; k++ {
				if at := i + j*samples + k; at >= 0 && at < len(seen) && seen[at] {
					found, j, k = found+1, 2, 2
				}
			}
		}
	}
	total := float64(both + ours + theirs + neither)
	t.Logf("layover: %d pixels of the map in both, %d only here, %d only there (%d beyond a sample's edge), %.4f %% agree; overlap %.3f; %d of %d samples of the truth are found; %d in shadow, and there 0",
		both, ours, theirs, far, 100*float64(both+neither)/total, float64(both)/float64(both+ours+theirs), found, all, shadowed)
	if agree := float64(both+neither) / total; agree < 0.9995 {
		t.Errorf("%.3f %% agree", 100*agree)
	}
	if far > both/100 { // elsewhere than at the edge of what lies over, where a sample is one or the other
		t.Errorf("%d pixels differ by more than a sample", far)
	}
	if float64(found) < 0.97*float64(all) {
		t.Errorf("%d of %d samples of the truth are found", found, all)
	}
	if shadowed != 0 {
		t.Errorf("%d pixels are in shadow; the simulation has none", shadowed)
	}
}

// A wall across the line of sight: behind it shadow is as long as it is high times tan θ, before it layover is as long as it is high by tan θ.
func TestShadowOfAWall(t *testing.T) {
	const w, h, stepM, highM, wall = 120, 9, 30, 300, 60
	r := &relief{&dem.Heights{Grid: raster.Grid{Width: w, Height: h, Transform: geo.Affine{0, stepM, 0, 0, 0, -stepM}}, M: make([]float32, w*h)}}
	for y := range h {
		r.M[y*w+wall] = highM
	}
	for _, degrees := range []float64{29, 37, 45.5} {
		tan := math.Tan(degrees * math.Pi / 180)
		s := &shader{r: r, scale: 1, tan: tan, east: 1, highest: highM} // the satellite is in the east
		for x := wall - 40; x <= wall+40; x++ {
			if x == wall {
				continue
			}
			m := s.shade(float64(x), 4, 0)
			away := float64(x-wall) * stepM
			if want := away < 0 && -away < highM*tan; (m&shadow != 0) != want {
				t.Errorf("%g°, %g m from the wall: shadow %v", degrees, away, !want)
			}
			if want := away > 0 && away <= highM/tan; (m&layover != 0) != want {
				t.Errorf("%g°, %g m from the wall: layover %v", degrees, away, !want)
			}
		}
	}
}
