package raster

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/airbusgeo/godal"

	"swath/geo"
)

// inside reports whether a point lies in a ring.
func inside(r geo.Ring, p [2]float64) bool {
	in := false
	for i := 1; i < len(r); i++ {
		a, b := r[i-1], r[i]
		if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < a[0]+(p[1]-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
			in = !in
		}
	}
	return in
}

// TestValidFootprint: each valid pixel, moved by one mask pixel towards the inside, lies in the outline; each invalid one,
// away from the valid ones by two, does not.
func TestValidFootprint(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			path := s.write(t, t.TempDir())
			rings, err := ValidFootprint(context.Background(), path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(rings) != 1 {
				t.Fatalf("%d outlines", len(rings))
			}
			if n := len(rings[0]); n > 80 {
				t.Errorf("%d points are not simple", n)
			}
			c := openFile(t, path)
			m, err := validMask(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			sx, sy := float64(s.width)/float64(m.width), float64(s.height)/float64(m.height)
			place := func(x, y float64) [2]float64 {
				lon, lat := c.placeOf(t, x*sx, y*sy)
				return [2]float64{rings[0][0][0] + geo.WrapLon(lon-rings[0][0][0]), lat}
			}
			around := func(x, y, reach int) (all, none bool) {
				all, none = true, true
				for dy := -reach; dy <= reach; dy++ {
					for dx := -reach; dx <= reach; dx++ {
						all, none = all && m.at(x+dx, y+dy), none && !m.at(x+dx, y+dy)
					}
				}
				return all, none
			}
			for y := 0; y < m.height; y += 7 {
				for x := 0; x < m.width; x += 5 {
					all, none := around(x, y, 2)
					in := inside(rings[0], place(float64(x)+0.5, float64(y)+0.5))
					if all && !in || none && in {
						t.Fatalf("pixel %d %d of %d x %d: inside %v, valid around %v", x, y, m.width, m.height, in, all)
					}
				}
			}
			parts := geo.SplitAntimeridian(rings[0])
			crosses := s.name == "antimeridian" || s.name == "degrees over 180"
			if (len(parts) == 2) != crosses {
				t.Errorf("%d parts", len(parts))
			}
		})
	}
}

func TestOutlines(t *testing.T) {
	picture := func(rows ...string) *mask {
		m := &mask{width: len(rows[0]), height: len(rows)}
		for _, row := range rows {
			for _, c := range row {
				m.valid = append(m.valid, c == '#')
			}
		}
		return m
	}
	for name, tc := range map[string]struct {
		mask  *mask
		areas []float64
	}{
		"nothing":       {picture("...", "..."), nil},
		"one pixel":     {picture("...", ".#.", "..."), []float64{1}},
		"everything":    {picture("###", "###"), []float64{6}},
		"a ring":        {picture("####", "#..#", "#..#", "####"), []float64{16}},
		"a diagonal":    {picture("#..", ".#.", "..#"), []float64{3}},
		"other way":     {picture("..#", ".#.", "#.."), []float64{3}},
		"two":           {picture("#.#", "#.#"), []float64{2, 2}},
		"island inside": {picture("#####", "#...#", "#.#.#", "#...#", "#####"), []float64{25, 1}},
		"a bay":         {picture("#.#", "###"), []float64{5}},
	} {
		t.Run(name, func(t *testing.T) {
			var areas []float64
			for _, r := range tc.mask.outlines() {
				areas = append(areas, geo.Area(r))
			}
			if !slices.Equal(areas, tc.areas) {
				t.Errorf("areas %v, want %v", areas, tc.areas)
			}
		})
	}
}

func TestValidFootprintOfNothingAndMuch(t *testing.T) {
	empty := small(1, godal.UInt16, cog()...)
	empty.transform[1] = 10
	dir := t.TempDir()
	path := empty.write(t, dir)
	program(t, "gdal_calc.py", "--quiet", "--overwrite", "-A", path, "--calc=A*0", "--NoDataValue=0", "--outfile="+filepath.Join(dir, "zero.tif"))
	rings, err := ValidFootprint(context.Background(), filepath.Join(dir, "zero.tif"), nil)
	if err != nil || rings != nil {
		t.Errorf("nothing valid: %v %v", rings, err)
	}
	// A chequerboard of single pixels, far enough apart to be pieces: one hull.
	m := &mask{width: 40, height: 40, valid: make([]bool, 1600)}
	for i := 0; i < 40; i += 3 {
		for j := 0; j < 40; j += 3 {
			m.valid[i*40+j] = true
		}
	}
	if h := hull(slices.Concat(m.outlines()...)); geo.Area(h) != 1600 || len(h) != 5 {
		t.Errorf("hull %v", h)
	}
}

func TestReadOverview(t *testing.T) {
	s := scenes()[0]
	path := s.write(t, t.TempDir())
	o, err := ReadOverview(context.Background(), path, nil, 343)
	if err != nil {
		t.Fatal(err)
	}
	if o.Width != 343 || o.Height != 325 || len(o.Planes) != 1 {
		t.Fatalf("%d x %d, %d planes", o.Width, o.Height, len(o.Planes))
	}
	// Half of an overview of 686 x 650 pixels.
	program(t, "gdal_translate", "-q", "-r", "average", "-outsize", "343", "325", "-ot", "Float32", path, path+".small.tif")
	want := readAll(t, path+".small.tif")[0]
	var off, n int
	for i, v := range o.Planes[0] {
		if !isNaN(float64(v)) && !isNaN(want[i]) {
			n++
			if math.Abs(float64(v)-want[i]) > 0.51 { // GDAL rounds means of integers
				off++
			}
		}
	}
	if n < 80000 || off > 0 {
		t.Errorf("%d of %d pixels differ", off, n)
	}
	if !isNaN(float64(o.Planes[0][0])) {
		t.Error("the nodata corner has a value")
	}
	if o, err = ReadOverview(context.Background(), path, nil, 1e6); err != nil || o.Width != s.width {
		t.Errorf("not larger than the raster: %d, %v", o.Width, err)
	}
}
