package safe_test

import (
	"context"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"swath/sentinel/safe"
)

const data = "../../../shared/data"

// open opens one of the real products, or skips the test.
func open(t testing.TB, pattern string) *safe.Product {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(data, pattern))
	if err != nil || len(paths) != 1 {
		t.Skipf("%s is not there (%d matches)", filepath.Join(data, pattern), len(paths))
	}
	p, err := safe.Open(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestManifestOfSentinel1(t *testing.T) {
	p := open(t, "s1-safe/S1A_IW_SLC__1SDV_20200511T135117*.zip")
	if p.Name != "S1A_IW_SLC__1SDV_20200511T135117_20200511T135144_032518_03C421_7768" {
		t.Errorf("name %q", p.Name)
	}
	m, err := safe.ReadManifest(p.FS)
	if err != nil {
		t.Fatal(err)
	}
	if m.Platform != "Sentinel-1A" || m.Instrument != "SAR" || m.AbsoluteOrbit != 32518 || m.StopAbsoluteOrbit != 32518 || m.RelativeOrbit != 71 ||
		m.CycleNumber != 200 || m.Pass != "descending" || m.Software != "Sentinel-1 IPF" || m.SoftwareVersion != "003.20" {
		t.Errorf("manifest %+v", m)
	}
	if want := time.Date(2020, 5, 11, 13, 51, 17, 603718000, time.UTC); !m.StartUTC.Equal(want) {
		t.Errorf("start %v, want %v", m.StartUTC, want)
	}
	s := m.SAR
	if s.Mode != "IW" || len(s.Swaths) != 3 || len(s.Polarisations) != 2 || s.ProductType != "SLC" || s.Timeliness != "Fast-24h" || s.Slice != 5 || s.Slices != 13 || s.DataTakeID != 246817 {
		t.Errorf("SAR %+v", s)
	}
	if r := m.Footprints[0]; len(r) != 5 || r[0] != [2]float64{-115.650406, 37.133995} || r[4] != r[0] {
		t.Errorf("footprint %v", r)
	}
	wrong, err := m.Verify(context.Background(), p.FS) // measurements were emptied, the rest is genuine or absent
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		if !w.Missing && filepath.Ext(w.Name) != ".tiff" {
			t.Errorf("%v", w)
		}
	}
	if len(wrong) == 0 || len(wrong) > len(m.Files)-18 {
		t.Errorf("%d of %d files differ", len(wrong), len(m.Files))
	}
}

func TestManifestOfSentinel2(t *testing.T) {
	p := open(t, "s2-safe/S2A_MSIL1C_20180629*.zip")
	m, err := safe.ReadManifest(p.FS)
	if err != nil {
		t.Fatal(err)
	}
	if m.Platform != "Sentinel-2A" || m.Instrument != "MSI" || m.AbsoluteOrbit != 15757 || m.RelativeOrbit != 30 || m.Pass != "descending" ||
		!m.StartUTC.Equal(time.Date(2018, 6, 29, 0, 2, 41, 24e6, time.UTC)) || !m.StopUTC.IsZero() {
		t.Errorf("manifest %+v", m)
	}
	if r := m.Footprints[0]; len(m.Footprints) != 1 || len(r) != 12 || r[0] != [2]float64{152.91582530574115, -29.82977371763171} {
		t.Errorf("footprints %v", m.Footprints)
	}
	wrong, err := m.Verify(context.Background(), p.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong { // its rasters are downsampled
		if !w.Missing && filepath.Ext(w.Name) != ".jp2" {
			t.Errorf("%v", w)
		}
	}
	if len(wrong) != 15 {
		t.Errorf("%d files differ, want the 15 rasters: %v", len(wrong), wrong)
	}
}

// TestEveryManifest reads all that are there: every mission, level and processor version.
func TestEveryManifest(t *testing.T) {
	var paths []string
	for _, pattern := range []string{"s1-safe/*.zip", "s1-safe/*/*.zip", "s1-sim/*.zip", "s2-safe/*.zip", "s2-safe-metadata/*.SAFE"} {
		found, _ := filepath.Glob(filepath.Join(data, pattern))
		paths = append(paths, found...)
	}
	if len(paths) == 0 {
		t.Skip("../shared/data is not there")
	}
	for _, path := range paths {
		p, err := safe.Open(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		m, err := safe.ReadManifest(p.FS)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if len(m.Footprints) == 0 || m.Pass == "" || m.AbsoluteOrbit == 0 || m.RelativeOrbit == 0 || m.StartUTC.IsZero() || len(m.Files) == 0 {
			t.Errorf("%s: %+v", path, m)
		}
		p.Close()
	}
}

func FuzzReadManifest(f *testing.F) {
	f.Add([]byte(`<x xmlns:s="urn:s"><metadataSection><metadataObject><metadataWrap><xmlData><s:frameSet><s:footPrint><s:coordinates>1 2 3 4 5 6</s:coordinates></s:footPrint></s:frameSet>
<s:orbitReference><s:orbitNumber type="start" groundTrackDirection="ascending">7</s:orbitNumber></s:orbitReference></xmlData></metadataWrap></metadataObject></metadataSection>
<dataObjectSection><dataObject><byteStream size="5"><fileLocation href="./a"/><checksum checksumName="MD5">00</checksum></byteStream></dataObject></dataObjectSection></x>`))
	f.Add([]byte("<!DOCTYPE x>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		fsys := fstest.MapFS{"manifest.safe": {Data: body}}
		m, err := safe.ReadManifest(fsys)
		if err != nil {
			return
		}
		for _, r := range m.Footprints {
			if len(r) < 4 || r[0] != r[len(r)-1] {
				t.Fatalf("footprint %v", r)
			}
		}
		if _, err := m.Verify(context.Background(), fsys); err != nil {
			t.Fatal(err)
		}
	})
}
