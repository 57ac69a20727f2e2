package ingest

import (
	"fmt"
	"io/fs"
	"strings"

	"swath/raster"
	"swath/sentinel/s2"
)

// class is one value of a classification (STAC extension classification).
type class struct {
	Value       int    `json:"value"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	NoData      bool   `json:"nodata,omitempty"`
}

// sceneClasses are the values of SCL (Sentinel-2 L2A, S2-PDGS-MPC-L2A-PFS, scene classification).
var sceneClasses = []class{
	{0, "no_data", "", true}, {1, "saturated_or_defective", "", false}, {2, "dark_area", "Topographic shadow and other dark areas", false},
	{3, "cloud_shadow", "", false}, {4, "vegetation", "", false}, {5, "not_vegetated", "", false}, {6, "water", "", false},
	{7, "unclassified", "", false}, {8, "cloud_medium_probability", "", false}, {9, "cloud_high_probability", "", false},
	{10, "thin_cirrus", "", false}, {11, "snow_or_ice", "", false},
}

// Flags of the masks that hold one flag a band, in the order of their bands (S2-PDGS-TAS-DI-PSD, quality masks).
var (
	qualityFlags = []string{"ancillary_lost", "ancillary_degraded", "msi_lost", "msi_degraded", "defective", "nodata", "partially_corrected_crosstalk", "saturated"}
	cloudFlags   = []string{"opaque", "cirrus", "snow"}
)

// sentinel2Mask is one raster mask; false for those of a kind that we do not know, which stay in the product.
func sentinel2Mask(m s2.Mask, path string) (layer, bool, error) {
	l := layer{path: path, options: raster.COGOptions{Overviews: raster.Mode}}
	switch m.Type {
	case "MSK_CLDPRB":
		l.asset, l.fields, l.options.Overviews = "CLDPRB", part("Cloud probability", "data", "cloud"), raster.Average
		l.fields["unit"] = "%"
	case "MSK_SNWPRB":
		l.asset, l.fields, l.options.Overviews = "SNWPRB", part("Snow probability", "data", "snow-ice"), raster.Average
		l.fields["unit"] = "%"
	case "MSK_CLASSI":
		l.asset, l.fields = "CLASSI", part("Cloud, cirrus and snow mask", "data", "cloud")
		return l, true, l.flag(cloudFlags)
	case "MSK_QUALIT":
		l.asset, l.fields = "QUALIT_"+m.Band, part("Quality of "+m.Band, "metadata", "quality")
		return l, true, l.flag(qualityFlags)
	case "MSK_DETFOO":
		l.asset, l.fields = "DETFOO_"+m.Band, part("Detectors of "+m.Band, "metadata", "classification")
		detectors := []class{{0, "none", "No detector saw the pixel", true}}
		for i := 1; i <= 12; i++ {
			detectors = append(detectors, class{i, fmt.Sprintf("detector_%02d", i), "", false})
		}
		l.fields["classification:classes"] = detectors
	default:
		return layer{}, false, nil
	}
	return l, true, nil
}

// flag names the bands of a mask that holds one flag a band. A mask that a publisher reduced to fewer bands names none.
func (l *layer) flag(flags []string) error {
	d, err := raster.Inspect(l.path)
	if err != nil || d.Bands != len(flags) {
		return err
	}
	bands := make([]map[string]any, len(flags))
	for i, name := range flags {
		bands[i] = map[string]any{"name": name, "classification:classes": []class{{0, "not_" + name, "", false}, {1, name, "", false}}}
	}
	l.fields["bands"] = bands
	return nil
}

// vectorMasks are the GML masks of the baselines before 04.00, by type: asset, title and role.
var vectorMasks = map[string][3]string{
	"MSK_CLOUDS": {"cloud-mask", "Cloud and cirrus polygons", "cloud"},
	"MSK_DETFOO": {"detector-footprint", "Detector footprints", "quality"},
	"MSK_DEFECT": {"defective-pixels", "Defective pixels", "quality"},
	"MSK_SATURA": {"saturated-pixels", "Saturated pixels", "saturation"},
	"MSK_NODATA": {"nodata-pixels", "Pixels without data", "quality"},
	"MSK_TECQUA": {"technical-quality", "Technical quality", "quality"},
}

// sentinel2VectorMask keeps a GML mask as it is. Of the many that are empty, only the cloud mask says something: no clouds.
func sentinel2VectorMask(fsys fs.FS, m s2.Mask) (file, bool, error) {
	known, ok := vectorMasks[m.Type]
	if !ok {
		return file{}, false, nil
	}
	if m.Type != "MSK_CLOUDS" {
		mask, err := s2.ReadMask(fsys, m.Path)
		if err != nil {
			return file{}, false, err
		}
		if len(mask.Polygons) == 0 {
			return file{}, false, nil
		}
	}
	asset, title := known[0], known[1]
	if m.Band != "" && m.Type != "MSK_CLOUDS" {
		asset, title = asset+"-"+m.Band, title+" of "+strings.TrimSpace(m.Band)
	}
	return fileOf(fsys, asset, m.Path, mediaGML, part(title, "metadata", known[2])), true, nil
}
