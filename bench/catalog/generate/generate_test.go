package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

const documentsFolder = "../../../ingest/collections"

type item struct {
	ID         string
	Collection string
	BBox       []float64
	Geometry   struct {
		Type        string
		Coordinates json.RawMessage
	}
	Properties map[string]any
	Assets     map[string]struct{ Href, Type, Title string }
}

// theArchive is made once: its passes take a second.
var theArchive = sync.OnceValues(func() (*archive, error) {
	docs, err := readDocuments(documentsFolder)
	if err != nil {
		return nil, err
	}
	return newArchive(docs, 1, 1)
})

func open(t testing.TB, items int64, seed uint64) *archive {
	t.Helper()
	a, err := theArchive()
	if err != nil {
		t.Fatal(err)
	}
	return &archive{items: items, seed: seed, world: a.world, styles: a.styles}
}

func generate(t *testing.T, items, sample int64, seed uint64, workers int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := open(t, items, seed).write(&out, sample, workers); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(t *testing.T, text []byte) (items []item) {
	t.Helper()
	for line := range bytes.Lines(text) {
		var i item
		if err := json.Unmarshal(line, &i); err != nil {
			t.Fatalf("%v: %.300s", err, line)
		}
		items = append(items, i)
	}
	return items
}

// TestArchive: items are what was asked for: so many, in order of time, each once, in the shares of the missions, whole.
func TestArchive(t *testing.T) {
	const n = 12_000
	text := generate(t, n, 0, 1, 2)
	if mean := len(text) / n; mean < 6000 || mean > 7500 {
		t.Errorf("%d bytes an item", mean)
	}
	items := read(t, text)
	if len(items) != n {
		t.Fatalf("%d items, want %d", len(items), n)
	}
	count, ids, years := map[string]int{}, map[string]bool{}, map[int]int{}
	var last time.Time
	for _, i := range items {
		if ids[i.ID] {
			t.Fatalf("%s twice", i.ID)
		}
		ids[i.ID] = true
		count[i.Collection]++
		at, err := time.Parse(time.RFC3339Nano, i.Properties["datetime"].(string))
		if err != nil || at.Before(last) {
			t.Fatalf("%s: %v after %v, %v", i.ID, at, last, err)
		}
		last = at
		years[at.Year()]++
		checkPlace(t, i)
		if len(i.Assets) < 8 || len(i.Assets) > 12 {
			t.Errorf("%s: %d assets", i.ID, len(i.Assets))
		}
		for name, a := range i.Assets {
			if a.Href == "" || a.Title == "" {
				t.Errorf("%s: asset %s: %+v", i.ID, name, a)
			}
		}
	}
	for name, want := range map[string]float64{kindS1: 0.31, kindL1C: 0.41, kindL2A: 0.225, kindDIM: 0.053} {
		if share := float64(count[name]) / n; math.Abs(share-want) > 0.02 {
			t.Errorf("%s: share %.3f, want about %.3f", name, share, want)
		}
	}
	if years[2016] > years[2020]/2 || years[2025] < years[2020] {
		t.Errorf("no growth: %v", years)
	}
}

// checkPlace: the box holds the geometry, and is as large as a product of its mission.
func checkPlace(t *testing.T, i item) {
	t.Helper()
	var polygons [][][][2]float64
	var err error
	if i.Geometry.Type == "Polygon" {
		polygons = make([][][][2]float64, 1)
		err = json.Unmarshal(i.Geometry.Coordinates, &polygons[0])
	} else {
		err = json.Unmarshal(i.Geometry.Coordinates, &polygons)
	}
	b := i.BBox
	if err != nil || len(b) != 4 {
		t.Fatalf("%s: %v %v", i.ID, err, b)
	}
	for _, p := range polygons {
		for _, at := range p[0] {
			inside := at[0] >= b[0] && at[0] <= b[2] || b[0] > b[2] && (at[0] >= b[0] || at[0] <= b[2])
			if !inside || at[1] < b[1] || at[1] > b[3] || math.Abs(at[0]) > 180 || math.Abs(at[1]) > 90 {
				t.Errorf("%s: %v is not in %v", i.ID, at, b)
			}
		}
	}
	if height := b[3] - b[1]; height <= 0 || height > 12 {
		t.Errorf("%s: box %v", i.ID, b)
	}
}

// TestSame: a seed makes one archive, however many work on it, and a sample is a part of it.
func TestSame(t *testing.T) {
	one, three := generate(t, 7000, 0, 5, 1), generate(t, 7000, 0, 5, 3)
	if !bytes.Equal(one, three) {
		t.Error("three workers make another archive than one")
	}
	if bytes.Equal(one, generate(t, 7000, 0, 6, 2)) {
		t.Error("another seed makes the same archive")
	}
	all := map[string]bool{}
	for line := range bytes.Lines(one) {
		all[string(line)] = true
	}
	n := 0
	for line := range bytes.Lines(generate(t, 7000, 100, 5, 2)) {
		if n++; !all[string(line)] {
			t.Errorf("not in the archive: %.200s", line)
		}
	}
	if n < 80 || n > 120 {
		t.Errorf("a sample of %d, want about 100", n)
	}
}

// TestOrbits: real products have the model's orbit numbers, and lie where it says, as far as a circular orbit can.
func TestOrbits(t *testing.T) {
	for name, tc := range map[string]struct {
		platforms          []*platform
		index              int
		time               string
		absolute, relative int
		rightKm            float64 // of the track
		lonDeg, latDeg     float64
	}{
		"S1A_IW_GRDH_1SDV_20250312T052236 over Tunisia": {platformsS1, 0, "2025-03-12T05:22:48", 58267, 95, 472, 9.6, 33.6},
		"S1A_IW_GRDH_1SDV_20220428T034417 over Uganda":  {platformsS1, 0, "2022-04-28T03:44:29", 42968, 21, 472, 30.0, 2.1},
		"S2A_MSIL1C_20180101T105441":                    {platformsS2, 0, "2018-01-01T10:57:30", 13204, 51, 0, math.NaN(), 0},
		"S2A_MSIL2A_20230821T221941":                    {platformsS2, 0, "2023-08-21T22:21:00", 42640, 29, 0, math.NaN(), 0},
		"S2B_MSIL2A_20220413T150759":                    {platformsS2, 1, "2022-04-13T15:08:00", 26649, 25, 0, math.NaN(), 0},
		"S2B_MSIL2A_20210122T133229":                    {platformsS2, 1, "2021-01-22T13:41:00", 20270, 81, 0, math.NaN(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := tc.platforms[tc.index]
			at := utc(tc.time)
			r := p.at(at)
			if r.absolute != tc.absolute || r.relative != tc.relative {
				t.Errorf("orbit %d, relative %d; want %d, %d", r.absolute, r.relative, tc.absolute, tc.relative)
			}
			if math.IsNaN(tc.lonDeg) {
				return
			}
			got := p.frame(p.nodeLonDeg(r.relative), float64(at-r.nodeUs)/1e6).at(tc.rightKm, 0)
			if math.Abs(got[0]-tc.lonDeg) > 1.5 || math.Abs(got[1]-tc.latDeg) > 1.5 {
				t.Errorf("at %.2f, want %.2f %.2f", got, tc.lonDeg, tc.latDeg)
			}
		})
	}
}

// TestViews: real products show squares that the model sees from the same relative orbits, and as much of them.
func TestViews(t *testing.T) {
	w := open(t, 1, 1).world
	for name, tc := range map[string]struct {
		relative       int
		nodata, within float64
	}{
		"31TDH": {51, math.NaN(), 0}, "56JMM": {30, math.NaN(), 0},
		"13TEF": {141, 12.68, 1}, // S2B_MSIL2A_20240828T174909_R141_T13TEF_20240828T214916: cut in the east
	} {
		i := slices.IndexFunc(w.views[tc.relative], func(v view) bool { return v.square.name == name })
		if i < 0 {
			t.Errorf("%s is not seen from relative orbit %d", name, tc.relative)
		} else if v := w.views[tc.relative][i]; math.Abs(v.nodata-tc.nodata) > tc.within {
			t.Errorf("%s: %.1f %% of it is not seen, want %.1f", name, v.nodata, tc.nodata)
		}
	}
}

// TestSquares: the embedded squares are squares of the mission's grid, at the place that the mission says.
func TestSquares(t *testing.T) {
	squares, err := readSquares(squaresText)
	if err != nil || len(squares) < 18_000 {
		t.Fatalf("%d squares, %v", len(squares), err)
	}
	file, err := os.Open("../../../../shared/data/mgrs-grid/s2_tiling_grid.csv.gz")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the mission's grid is not there")
	} else if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(bufio.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	rows, grid := csv.NewReader(unzipped), map[string][]string{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		grid[row[0]] = row
	}
	for _, s := range squares {
		row := grid[s.name]
		if row == nil {
			t.Errorf("%s is not in the grid", s.name)
		} else if code := s.code.String()[5:]; row[1] != code || row[2] != text(s.box.MinX) || row[3] != text(s.box.MinY) {
			t.Errorf("%s: %s %v, want %v", s.name, code, s.box, row[1:4])
		}
	}
}

func text(v float64) string { return string(appendRounded(nil, v, 0)) }

func BenchmarkItems(b *testing.B) {
	a := open(b, 1_000_000, 1)
	var out []byte
	n := int64(0)
	for b.Loop() {
		out = a.stretch(out[:0], n%a.stretches(), perStretch)
		n++
	}
	b.SetBytes(int64(len(out)))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*perStretch), "ns/item")
}
