package shelf

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"swath/raster"
)

// Depth is how many folders below the repository root the rooms lie that use the scenes.
type Depth int

func (d Depth) root() string { return strings.Repeat("../", int(d)) }

// collection puts a collection document of the repository on the shelf.
func (s *Shelf) collection(d Depth, id string) {
	s.t.Helper()
	body, err := os.ReadFile(filepath.Join(d.root(), "ingest", "collections", id+".json"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.collections[id] = body
}

// T31TDH puts the crop of Sentinel-2 tile 31TDH of 2015-07-26 on the shelf, all bands at their own resolutions, as
// sentinel-2-l1c/T31TDH. It skips the test when the shared data are absent.
func (s *Shelf) T31TDH(d Depth) {
	s.t.Helper()
	folder := Data(s.t, d, "s2-crops/t31tdh-l1c-20150726/IMG_DATA")
	assets := map[string]Asset{}
	for _, band := range strings.Fields("B01 B02 B03 B04 B05 B06 B07 B08 B8A B09 B10 B11 B12 TCI") {
		key := "sentinel-2-l1c/T31TDH/1/" + band + ".tif"
		s.COG(key, filepath.Join(folder, "T31TDH_20150726T105026_"+band+".jp2"), raster.COGOptions{})
		assets[band] = Asset{
			"swath:object": key, "roles": []string{"data", "reflectance"}, "nodata": 0, "raster:scale": 0.0001, "raster:offset": 0,
			"bands": []map[string]any{{"name": band}},
		}
	}
	assets["TCI"] = Asset{"swath:object": "sentinel-2-l1c/T31TDH/1/TCI.tif", "roles": []string{"visual"}, "nodata": 0,
		"bands": []map[string]any{{"name": "red"}, {"name": "green"}, {"name": "blue"}}}
	s.Item("sentinel-2-l1c", "T31TDH", assets)
	s.collection(d, "sentinel-2-l1c")
}

// Spain puts the bundled crop of the flood of 2019 on the shelf: one raster of 13 bands and one of radar, both in degrees,
// as spain/s2 and spain/s1. The collection has no presets.
func (s *Shelf) Spain(d Depth) {
	s.t.Helper()
	folder := filepath.Join(d.root(), "testdata", "scenes", "spain-flood-2019")
	for id, file := range map[string]string{"s2": "S2_L1C_13band.tif", "s1": "S1_VV_VH_sigma0_dB.tif"} {
		var item struct {
			Assets map[string]Asset `json:"assets"`
		}
		body, err := os.ReadFile(filepath.Join(folder, id+".json"))
		if err == nil {
			err = json.Unmarshal(body, &item)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		key := fmt.Sprintf("spain/%s/1/%s", id, file)
		s.COG(key, filepath.Join(folder, file), raster.COGOptions{})
		assets := map[string]Asset{}
		for name, a := range item.Assets {
			if a["href"] == file {
				a["swath:object"] = key
				assets[name] = a
			}
		}
		s.Item("spain", id, assets)
	}
	s.Presets("spain", "{}")
}

// Barbellino puts the small bundled Alpine crop on the shelf as barbellino/l1c: 24 x 42 pixels.
func (s *Shelf) Barbellino(d Depth) {
	s.t.Helper()
	key := "barbellino/l1c/1/toa.tif"
	s.COG(key, filepath.Join(d.root(), "testdata", "scenes", "barbellino", "S2A1C_20190723_022_Barbellino_TOA_10.tif"), raster.COGOptions{})
	s.Item("barbellino", "l1c", map[string]Asset{"toa": {"swath:object": key, "raster:scale": 0.0001}})
	s.Presets("barbellino", `{"broken": {"assets": 7}, "red": {"title": "Band 4", "assets": ["toa_b4"], "rescale": [[0, 0.3]]}}`)
}

// JMM puts two bands of the bundled product of tile 56JMM on the shelf as jmm/jmm: a whole tile, its pixels thinned to 250 m.
func (s *Shelf) JMM(d Depth) {
	s.t.Helper()
	const product, granule = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042", "L1C_T56JMM_A015757_20180629T000241"
	assets := map[string]Asset{}
	for _, band := range []string{"B04", "B08"} {
		key := "jmm/jmm/1/" + band + ".tif"
		s.COG(key, "/vsizip/"+filepath.Join(d.root(), "testdata", "scenes", product+".zip", product+".SAFE", "GRANULE", granule, "IMG_DATA",
			"T56JMM_20180629T000241_"+band+".jp2"), raster.COGOptions{})
		assets[band] = Asset{"swath:object": key, "roles": []string{"data", "reflectance"}, "nodata": 0, "raster:scale": 0.0001,
			"bands": []map[string]any{{"name": band}}}
	}
	s.Item("jmm", "jmm", assets)
	s.Presets("jmm", `{"ndvi": {"expression": "(B08-B04)/(B08+B04)", "rescale": [[-0.2, 0.9]], "colormap_name": "rdylgn"}}`)
}
