package eo_test

import (
	"strings"
	"testing"
	"time"

	"swath/eo"
)

func TestParseName(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for s, want := range map[string]eo.Name{
		"S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042": eo.S2Name{
			Unit: "S2A", Level: "L1C", DatatakeUTC: at("2018-06-29T00:02:41Z"), Baseline: "0206", RelativeOrbit: 30, Tile: "56JMM", Discriminator: at("2018-06-29T01:20:42Z")},
		"S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126": eo.S2Name{
			Unit: "S2B", Level: "L2A", DatatakeUTC: at("2022-04-13T15:07:59Z"), Baseline: "0400", RelativeOrbit: 25, Tile: "33XWJ", Discriminator: at("2022-04-14T08:21:26Z")},
		"S2A_OPER_PRD_MSIL1C_PDMC_20160318T145513_R108_V20160104T102914_20160104T102915": eo.S2OldName{
			Unit: "S2A", Class: "OPER", Level: "L1C", Site: "PDMC", CreatedUTC: at("2016-03-18T14:55:13Z"), RelativeOrbit: 108, StartUTC: at("2016-01-04T10:29:14Z"), StopUTC: at("2016-01-04T10:29:15Z")},
		"S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8": eo.S1Name{
			Unit: "S1A", Mode: "IW", Type: "GRD", Resolution: "H", Level: 1, Class: "S", Polarisation: "DV", StartUTC: at("2021-08-09T17:39:53Z"), StopUTC: at("2021-08-09T17:40:18Z"), AbsoluteOrbit: 39156, DataTake: "049F13", Unique: "6FF8"},
		"S1A_S6_SLC__1SSH_20141031T095929_20141031T100002_003072_003842_91FC": eo.S1Name{
			Unit: "S1A", Mode: "S6", Type: "SLC", Level: 1, Class: "S", Polarisation: "SH", StartUTC: at("2014-10-31T09:59:29Z"), StopUTC: at("2014-10-31T10:00:02Z"), AbsoluteOrbit: 3072, DataTake: "003842", Unique: "91FC"},
	} {
		got, err := eo.ParseName(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", s, got, want)
		}
		if got.String() != s {
			t.Errorf("%s: String is %q", s, got.String())
		}
		if mission, err := eo.MissionOf(s); err != nil || mission != got.Platform().Mission {
			t.Errorf("%s: mission %q, %v; platform %v", s, mission, err, got.Platform())
		}
	}
}

func TestParseNameRefuses(t *testing.T) {
	good := "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"
	for _, s := range []string{
		"", "LC08_L1TP_190024_20200101_20200113_01_T1", good + ".SAFE", strings.Replace(good, "T56", "T61", 1), strings.Replace(good, "R030", "R144", 1),
		strings.Replace(good, "20180629T000241", "20180631T000241", 1), strings.Replace(good, "S2A", "S2E", 1), strings.Replace(good, "56JMM", "56IMM", 1),
		"S2A_MSIL1C_20200717T221941_R029_T01LAC_20200717T234135",
	} {
		if n, err := eo.ParseName(s); err == nil || s != "" && !strings.Contains(err.Error(), s) {
			t.Errorf("%q: %v, error %v; want an error that names it", s, n, err)
		}
	}
}

func TestMissionOf(t *testing.T) {
	for name, want := range map[string]eo.Mission{
		"S2A_MSIL1C_20200717T221941_R029_T01LAC_20200717T234135": eo.Sentinel2, "s1b_iw_x": eo.Sentinel1, "SPOT5-HRG": eo.SPOT,
		"LC08_L1TP": "", "S3A_OL_1_EFR": "", "": "", "S2": "", "S2E_MSIL1C": "", "S1": "",
	} {
		got, err := eo.MissionOf(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", name, got, err, want)
		}
		if err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%q: error %q does not name it", name, err)
		}
	}
}

func TestPlatforms(t *testing.T) {
	if n := len(eo.Platforms()); n != 15 {
		t.Errorf("%d platforms, want 15", n)
	}
	for spelling, want := range map[string]string{
		"Sentinel-2B": "sentinel-2b", "S1C": "sentinel-1c", "SENTINEL-1A": "sentinel-1a", "sentinel2d": "sentinel-2d", "SPOT 5": "spot-5", "SPOT5": "spot-5", "S5": "", "": "", "Sentinel-3A": "",
	} {
		if p, ok := eo.PlatformByName(spelling); p.Name != want || ok != (want != "") {
			t.Errorf("%q: %v, want %q", spelling, p, want)
		}
	}
}

func TestBands(t *testing.T) {
	for _, p := range eo.Platforms() {
		bands := eo.Bands(p)
		if want := map[eo.Mission]int{eo.Sentinel1: 0, eo.Sentinel2: 13}[p.Mission]; p.Mission != eo.SPOT && len(bands) != want {
			t.Errorf("%s: %d bands, want %d", p.Name, len(bands), want)
		}
		for _, b := range bands {
			if b.Name == "" || b.CommonName == "" || b.CenterUm < 0.4 || b.CenterUm > 2.3 || b.WidthUm <= 0 || b.GSDM <= 0 {
				t.Errorf("%s: band %+v", p.Name, b)
			}
			if got, ok := eo.BandByName(p, b.Name); !ok || got != b {
				t.Errorf("%s: BandByName(%s) = %+v", p.Name, b.Name, got)
			}
		}
	}
	a, _ := eo.PlatformByName("S2A")
	bands := eo.Bands(a)
	bands[0].Name = "changed"
	if eo.Bands(a)[0].Name != "B01" {
		t.Error("a caller can change the table")
	}
	spot5, _ := eo.PlatformByName("spot-5")
	spot4, _ := eo.PlatformByName("spot-4")
	if b, _ := eo.BandByName(spot5, "XS1"); b.GSDM != 10 {
		t.Errorf("SPOT 5 XS1 has %g m, want 10", b.GSDM)
	}
	if b, _ := eo.BandByName(spot4, "XS1"); b.GSDM != 20 {
		t.Errorf("SPOT 4 XS1 has %g m, want 20", b.GSDM)
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("S2B_MSIL1C_20240612T105619_N0510_R094_T31TCJ_20240612T130042")
	f.Add("S2A_OPER_PRD_MSIL1C_PDMC_20160318T145513_R108_V20160104T102914_20160104T102914")
	f.Add("S1A_IW_SLC__1SDV_20200511T135117_20200511T135144_032518_03C421_7768")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := eo.ParseName(s)
		if err != nil {
			return
		}
		if n.String() != s {
			t.Fatalf("ParseName(%q).String() = %q", s, n)
		}
		if n.Platform().Name == "" {
			t.Fatalf("ParseName(%q) has no platform", s)
		}
	})
}
