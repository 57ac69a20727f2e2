package s2

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"swath/sentinel/safe"
)

// files finds the files that the metadata names, and notes those that are not there.
type files struct {
	fsys    fs.FS
	product *Product
	granule string                       // folder of the granule
	folders map[string]map[string]string // names by stem, of folders already listed
}

// rasterExtensions are those that images have: JPEG 2000, or GeoTIFF where a publisher converted them.
var rasterExtensions = []string{".jp2", ".tif", ".tiff"}

// find returns the file that a reference means: as it is, or with a raster's extension added or exchanged. A file that is not
// there is noted.
func (f *files) find(reference string) (string, bool) {
	name, ok := safe.LocalName(reference)
	if !ok {
		f.product.Missing = append(f.product.Missing, reference)
		return "", false
	}
	if !strings.Contains(name, "/") && f.granule != "" { // masks of early baselines have no folder
		name = path.Join(f.granule, "QI_DATA", name)
	}
	if info, err := fs.Stat(f.fsys, name); err == nil && info.Mode().IsRegular() {
		return name, true
	}
	dir := path.Dir(name)
	if found, ok := f.folder(dir)[stem(path.Base(name))]; ok {
		return path.Join(dir, found), true
	}
	f.product.Missing = append(f.product.Missing, name)
	return "", false
}

// folder lists the rasters of a folder by stem; nothing when it is not there.
func (f *files) folder(dir string) map[string]string {
	if names, ok := f.folders[dir]; ok {
		return names
	}
	names := map[string]string{}
	entries, _ := fs.ReadDir(f.fsys, dir) // a folder that can't be read holds no files: all are missing
	for _, e := range entries {
		if e.Type().IsRegular() && slices.Contains(rasterExtensions, strings.ToLower(path.Ext(e.Name()))) {
			names[stem(e.Name())] = e.Name()
		}
	}
	if f.folders == nil {
		f.folders = map[string]map[string]string{}
	}
	f.folders[dir] = names
	return names
}

// stem returns a name without a raster's extension.
func stem(name string) string {
	if extension := path.Ext(name); slices.Contains(rasterExtensions, strings.ToLower(extension)) {
		return strings.TrimSuffix(name, extension)
	}
	return name
}

// imagePattern finds band and resolution in T31TCJ_20240612T105619_B04_10m; L1C names have no resolution.
var imagePattern = regexp.MustCompile(`_([A-Z0-9]{3})(?:_(\d{2})m)?$`)

func (f *files) images(references []string) {
	for _, reference := range references {
		m := imagePattern.FindStringSubmatch(stem(strings.TrimSpace(reference)))
		if m == nil {
			continue
		}
		resolution, err := strconv.Atoi(m[2])
		if err != nil {
			resolution = nativeResolutionM(f.product, m[1])
		}
		if name, ok := f.find(reference); ok {
			f.product.Images = append(f.product.Images, Image{Band: m[1], ResolutionM: resolution, Path: name})
		}
	}
	markNative(f.product)
}

// markNative marks, for each band, the image of its native resolution, or else the finest.
func markNative(p *Product) {
	best := map[string]int{}
	for i, image := range p.Images {
		native := nativeResolutionM(p, image.Band)
		j, seen := best[image.Band]
		if !seen || p.Images[j].ResolutionM != native && (image.ResolutionM == native || image.ResolutionM < p.Images[j].ResolutionM) {
			best[image.Band] = i
		}
	}
	for _, i := range best {
		p.Images[i].Native = true
	}
}

// resolutionPattern finds the resolution in MSK_CLDPRB_20m.jp2.
var resolutionPattern = regexp.MustCompile(`_(\d{2})m\.[A-Za-z0-9]+$`)

func (f *files) masks(t *tileXML) {
	r := &reader{} // a mask of an unknown band is left out
	for _, m := range t.Masks {
		band := r.bandOf(f.product, m.Band)
		name, ok := f.find(m.Path)
		if !ok || r.err != nil {
			r.err = nil
			continue
		}
		f.addMask(m.Type, band, name)
	}
}

func (f *files) addMask(kind, band, name string) {
	mask := Mask{Type: kind, Band: band, Path: name, Vector: strings.EqualFold(path.Ext(name), ".gml")}
	if m := resolutionPattern.FindStringSubmatch(name); m != nil {
		mask.ResolutionM, _ = strconv.Atoi(m[1]) // two digits
	}
	f.product.Masks = append(f.product.Masks, mask)
}

func (f *files) preview(reference string) {
	if reference = strings.TrimSpace(reference); reference != "" {
		f.product.Preview, _ = f.find(reference)
	}
}

// metadata lists the metadata files that are there.
func (f *files) metadata(product, tile string) {
	list := []File{{"product-metadata", product}, {"granule-metadata", tile}}
	if strips, err := fs.Glob(f.fsys, "DATASTRIP/*/MTD_DS.xml"); err == nil && len(strips) > 0 {
		list = append(list, File{"datastrip-metadata", strips[0]})
	}
	for _, other := range []File{{"safe-manifest", safe.ManifestName}, {"inspire-metadata", "INSPIRE.xml"}} {
		if _, err := fs.Stat(f.fsys, other.Path); err == nil {
			list = append(list, other)
		}
	}
	f.product.Metadata = list
}
