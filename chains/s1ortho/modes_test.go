package s1ortho

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"swath/internal/contract"
	"swath/sar"
	"swath/sentinel/s1"
)

var mergeTag = regexp.MustCompile(`(?s)<swathMergeList.*</swathMergeList>`)

// inMode is the simulated product as another mode makes it: horizontal polarisation, other names, and of a stripmap one swath that nothing was merged of.
func inMode(t *testing.T, from, mode, swath string) string {
	t.Helper()
	words := []string{"1SDV", "1SDH", ">VV<", ">HH<", ">VH<", ">HV<", "grd-vv", "grd-hh", "grd-vh", "grd-hv", "-iw-", "-" + strings.ToLower(swath) + "-",
		"<mode>IW<", "<mode>" + mode + "<", "<s1sarl1:mode>IW<", "<s1sarl1:mode>" + mode + "<", "_IW_", "_" + swath + "_", ">IW<", ">" + swath + "<"}
	if mode == "SM" {
		words = append(words, ">IW1<", ">"+swath+"<", ">IW2<", ">"+swath+"<", ">IW3<", ">"+swath+"<")
	} else {
		words = append(words, ">IW", ">"+swath)
	}
	said := strings.NewReplacer(words...)
	root := unpacked(t, from, said.Replace("S1B_IW_GRDH_1SDV_20211223T051134_20211223T051138_030148_039993_CEB4"), func(path string, body []byte) []byte {
		if strings.HasSuffix(path, ".tiff") {
			return body
		}
		text := said.Replace(string(body))
		if mode == "SM" {
			text = mergeTag.ReplaceAllString(text, `<swathMergeList count="0"/>`)
		}
		return []byte(text)
	})
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if err := os.Rename(path, filepath.Join(filepath.Dir(path), said.Replace(filepath.Base(path)))); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestModes brings stripmaps and extra wide swaths of horizontal polarisation to tiles: reflectors and backscatter are the truth's.
func TestModes(t *testing.T) {
	product, heights, truth := simulated(t)
	for mode, swath := range map[string]string{"SM": "S3", "EW": "EW"} {
		t.Run(mode, func(t *testing.T) {
			outputs, out := ortho(t, map[string]any{"product": []string{inMode(t, product, mode, swath)}, "dem": heights, "min_coverage": 0.05, "zip": false, "tiles": []string{"33TVG"}})
			hh, hv := load(t, out, "s1b_33TVG_hh_DES_022_20211223t051134.tif"), load(t, out, "s1b_33TVG_hv_DES_022_20211223t051134.tif")
			for kind, rms := range reflectors(t, hh, truth) {
				limit := 0.15
				if kind == "flat" {
					limit = 0.10
				}
				if rms > limit {
					t.Errorf("reflectors, %s: %.3f pixels rms", kind, rms)
				}
			}
			regions(t, hh, truth, "VV", func(i int) map[string]float64 { return truth.Regions[i].Gamma })
			regions(t, hv, truth, "VH", func(i int) map[string]float64 { return truth.Regions[i].Gamma })
			var items []string
			if err := json.Unmarshal(outputs["items"], &items); err != nil || len(items) != 1 {
				t.Fatalf("%s: %v", outputs["items"], err)
			}
			body, err := os.ReadFile(items[0])
			if err != nil {
				t.Fatal(err)
			}
			contract.ValidateItem(t, body)
			var item struct {
				ID     string
				Assets map[string]any
				P      struct {
					Mode          string   `json:"sar:instrument_mode"`
					Polarisations []string `json:"sar:polarizations"`
				} `json:"properties"`
			}
			if err := json.Unmarshal(body, &item); err != nil {
				t.Fatal(err)
			}
			if item.P.Mode != mode || strings.Join(item.P.Polarisations, " ") != "HH HV" || item.Assets["hh"] == nil || item.Assets["hv"] == nil {
				t.Errorf("%+v", item)
			}
		})
	}
}

// old is the simulated product as a processor before IPF 2.90 annotates it: noise in range alone, here with what it is down the lines in it.
func old(t *testing.T, from string) string {
	t.Helper()
	return unpacked(t, from, strings.TrimSuffix(filepath.Base(from), ".zip"), func(path string, body []byte) []byte {
		switch {
		case path == "manifest.safe":
			return versionTag.ReplaceAll(body, []byte(`name="Sentinel-1 IPF" version="002.84"`))
		case !strings.Contains(path, "calibration/noise-"):
			return body
		}
		n, err := s1.ReadNoise(fstest.MapFS{"noise.xml": {Data: body}}, "noise.xml")
		if err != nil {
			t.Fatal(err)
		}
		const samples, lines, step = 2600, 2600, 10
		table, row := sar.NewNoiseTable(n, samples), make([]float32, samples)
		var vectors strings.Builder
		for line := 0; line < lines; line += step {
			table.Row(row, line, 0)
			var at, lut strings.Builder
			for p := 0; p < samples; p += step {
				fmt.Fprintf(&at, "%d ", p)
				fmt.Fprintf(&lut, "%e ", row[p])
			}
			fmt.Fprintf(&vectors, "<noiseVector><azimuthTime>2021-12-23T05:11:34.5</azimuthTime><line>%d</line><pixel>%s</pixel><noiseLut>%s</noiseLut></noiseVector>", line, &at, &lut)
		}
		return []byte("<noise><noiseVectorList>" + vectors.String() + "</noiseVectorList></noise>")
	})
}

var versionTag = regexp.MustCompile(`name="Sentinel-1 IPF" version="[\d.]+"`)

// TestOldProcessor holds backscatter of a product whose noise is annotated as before IPF 2.90 to the truth, and what is measured at the borders to
// the newer product's.
func TestOldProcessor(t *testing.T) {
	product, heights, truth := simulated(t)
	in := map[string]any{"product": []string{old(t, product)}, "dem": heights, "min_coverage": 0.05, "zip": false, "tiles": []string{"33TVG"}}
	outputs, out := ortho(t, in)
	vv, vh := load(t, out, "*_vv_*.tif"), load(t, out, "*_vh_*.tif")
	regions(t, vv, truth, "VV", func(i int) map[string]float64 { return truth.Regions[i].Gamma })
	regions(t, vh, truth, "VH", func(i int) map[string]float64 { return truth.Regions[i].Gamma })
	var items []string
	if err := json.Unmarshal(outputs["items"], &items); err != nil || len(items) != 1 {
		t.Fatalf("%s: %v", outputs["items"], err)
	}
	if body, err := os.ReadFile(items[0]); err != nil || !strings.Contains(string(body), `"s1ortho:processor_version": "002.84"`) {
		t.Errorf("%v: the item says no such processor", err)
	}
	in["product"] = []string{product}
	_, out = ortho(t, in)
	newer, fewer, measured := load(t, out, "*_vv_*.tif"), 0, 0
	for i, v := range newer.v {
		switch w := vv.v[i]; {
		case v == v && w == w:
			measured++
		case v == v:
			fewer++
		case w == w:
			t.Fatalf("pixel %d is measured in the old product alone", i)
		}
	}
	t.Logf("%d pixels, %d fewer than of the newer processor", measured, fewer)
	// Two samples and lines more are left out along each side of the image.
	if fewer < 5_000 || fewer > 30_000 {
		t.Errorf("%d pixels fewer of %d", fewer, measured)
	}
}
