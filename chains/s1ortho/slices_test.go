package s1ortho

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"swath/sentinel/safe"
)

// unpacked copies a product's files into a folder of another name, with one change to its metadata.
func unpacked(t *testing.T, from, name string, change func(path string, body []byte) []byte) string {
	t.Helper()
	p, err := safe.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	root := filepath.Join(t.TempDir(), name+".SAFE")
	err = fs.WalkDir(p.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := p.FS.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		body, err := io.ReadAll(f)
		if err != nil {
			return err
		}
		to := filepath.Join(root, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, change(path, body), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

var (
	lineTag   = regexp.MustCompile(`<(line|firstAzimuthLine|lastAzimuthLine)( count="\d+")?>([-\d ]+)<`)
	gridPoint = regexp.MustCompile(`(?s)<geolocationGridPoint>.*?</geolocationGridPoint>`)
	firstTag  = regexp.MustCompile(`<productFirstLineUtcTime>([^<]*)<`)
	stepTag   = regexp.MustCompile(`<azimuthTimeInterval>([^<]*)<`)
)

const stampDigits = "2006-01-02T15:04:05.000000000"

// cut makes a product of some lines of another.
func cut(t *testing.T, from, name string, first, count int) string {
	t.Helper()
	p, err := safe.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var begin, end string
	annotations, _ := fs.Glob(p.FS, "annotation/*.xml")
	body, err := fs.ReadFile(p.FS, annotations[0])
	if err != nil {
		t.Fatal(err)
	}
	start, err := time.Parse("2006-01-02T15:04:05.999999999", string(firstTag.FindSubmatch(body)[1]))
	if err != nil {
		t.Fatal(err)
	}
	step, err := strconv.ParseFloat(string(stepTag.FindSubmatch(body)[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	at := func(line int) string {
		return start.Add(time.Duration(math.Round(float64(line) * step * 1e9))).Format(stampDigits)
	}
	begin, end = at(first), at(first+count-1)
	replace := func(body []byte, tag, value string) []byte {
		return regexp.MustCompile(`<`+tag+`>[^<]*<`).ReplaceAll(body, []byte("<"+tag+">"+value+"<"))
	}
	root := unpacked(t, from, name, func(path string, body []byte) []byte {
		switch {
		case path == "manifest.safe":
			return replace(replace(body, "safe:startTime", begin), "safe:stopTime", end)
		case strings.HasSuffix(path, ".xml"):
			body = lineTag.ReplaceAllFunc(body, func(tag []byte) []byte {
				m := lineTag.FindSubmatch(tag)
				var moved []string
				for _, word := range strings.Fields(string(m[3])) {
					n, _ := strconv.Atoi(word)
					if n -= first; string(m[1]) != "line" { // ends of blocks
						n = max(0, min(n, count-1))
					}
					moved = append(moved, strconv.Itoa(n))
				}
				return []byte(fmt.Sprintf("<%s%s>%s<", m[1], m[2], strings.Join(moved, " ")))
			})
			body = gridPoint.ReplaceAllFunc(body, func(point []byte) []byte { // points of the grid lie on the image
				if n, _ := strconv.Atoi(string(lineTag.FindSubmatch(point)[3])); n < 0 || n >= count {
					return nil
				}
				return point
			})
			body = replace(replace(body, "productFirstLineUtcTime", begin), "productLastLineUtcTime", end)
			return replace(body, "numberOfLines", strconv.Itoa(count))
		}
		return body
	})
	images, _ := filepath.Glob(filepath.Join(root, "measurement", "*.tiff"))
	for _, image := range images {
		out, err := exec.Command("gdal_translate", "-q", "-of", "GTiff", "-srcwin", "0", strconv.Itoa(first), "2600", strconv.Itoa(count), image, image+".cut").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, bytes.TrimSpace(out))
		}
		if err := os.Rename(image+".cut", image); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// Two slices of a pass make the tile that the whole makes: pixel by pixel, across the seam too.
func TestSlices(t *testing.T) {
	if _, err := exec.LookPath("gdal_translate"); err != nil {
		t.Skip("cutting needs gdal_translate")
	}
	product, heights, _ := simulated(t)
	const seam = 1300
	a := cut(t, product, "S1B_IW_GRDH_1SDV_20211223T051134_20211223T051136_030148_039993_0001", 0, seam)
	b := cut(t, product, "S1B_IW_GRDH_1SDV_20211223T051136_20211223T051138_030148_039993_0002", seam, 2600-seam)
	for _, calibration := range []string{"gamma", "gamma-rtc"} {
		in := map[string]any{"product": []string{product}, "dem": heights, "min_coverage": 0.05, "zip": false, "polarisations": []string{"VV"}, "tiles": []string{"33TVG"}, "calibration": calibration}
		_, out := ortho(t, in)
		whole := load(t, out, "*_vv_*.tif")
		in["product"] = []string{b, a} // in any order
		_, out = ortho(t, in)
		if names, _ := filepath.Glob(filepath.Join(out, "*", "s1b_33TVG_vv_DES_022_20211223txxxxxx*.tif")); len(names) != 1 {
			t.Errorf("the file of two slices is called %v", names)
		}
		both := load(t, out, "*_vv_*.tif")
		measured, worst, beyond := 0, 0.0, 0
		for i, v := range whole.v {
			w := both.v[i]
			if (v == v) != (w == w) {
				t.Fatalf("%s, pixel %d: %g of the whole, %g of the slices", calibration, i, v, w)
			}
			if v > 1e-3 {
				measured++
				d := math.Abs(10 * math.Log10(float64(w)/float64(v)))
				worst = math.Max(worst, d)
				if d > 0.0011 { // a unit of the twelfth bit, which either may fall on, is 0.00106 dB
					beyond++
				}
			}
		}
		t.Logf("%s: %d pixels, off by %.6f dB at most; %d by more than the last bit that is kept", calibration, measured, worst, beyond)
		// The slices' grids have fewer points, from which times come: a millionth of a line.
		if beyond > 20 || worst > 0.004 || measured < 1e6 {
			t.Errorf("%s: %d of %d pixels are off, by %.4f dB at most", calibration, beyond, measured, worst)
		}
	}
}
