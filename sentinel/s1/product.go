package s1

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"swath/eo"
	"swath/fault"
	"swath/sentinel/safe"
)

// Product is one Sentinel-1 product. Its manifest tells platform, times, orbits, pass, data take, slice, the processor's
// version (SoftwareVersion, e.g. "003.40") and the footprint.
type Product struct {
	Name string // without .SAFE
	safe.Manifest
	ResolutionClass string // "F", "H" or "M"; empty for SLC
	Measurements    []Measurement
	Quicklook       string   // path of the quick-look image; empty when there is none
	Missing         []string // files of measurements that are listed, and absent or empty
}

// schemas are the kinds of file of a measurement, as manifests of every version name them.
const (
	measurementSchema = "s1Level1MeasurementSchema"
	annotationSchema  = "s1Level1ProductSchema"
	calibrationSchema = "s1Level1CalibrationSchema"
	noiseSchema       = "s1Level1NoiseSchema"
	quicklookSchema   = "s1Level1QuickLookSchema"
)

// Read reads the manifest and the annotation of a product whose root is fsys. The name is that of its folder, without .SAFE:
// the resolution class stands nowhere else.
func Read(fsys fs.FS, name string) (*Product, error) {
	manifest, err := safe.ReadManifest(fsys)
	if err != nil {
		return nil, err
	}
	p := &Product{Name: name, Manifest: *manifest}
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := p.measurements(fsys); err != nil {
		return nil, err
	}
	p.ResolutionClass = resolutionClass(name, p.SAR.ProductType, p.Measurements[0].RangeSpacingM)
	return p, nil
}

// check holds the manifest to what it must say of a level-1 product.
func (p *Product) check() error {
	invalid := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "%s: "+format, append([]any{safe.ManifestName}, args...)...)
	}
	switch {
	case !strings.HasPrefix(p.Platform, "Sentinel-1"):
		return invalid("platform %.40q is not a Sentinel-1", p.Platform)
	case p.SAR.ProductType != "GRD" && p.SAR.ProductType != "SLC":
		return invalid("productType %.40q is neither GRD nor SLC", p.SAR.ProductType)
	case !slices.Contains([]string{"SM", "IW", "EW", "WV"}, p.SAR.Mode):
		return invalid("mode %.40q", p.SAR.Mode)
	case len(p.SAR.Polarisations) == 0:
		return invalid("transmitterReceiverPolarisation is not given")
	case p.StartUTC.IsZero() || p.StopUTC.Before(p.StartUTC):
		return invalid("acquisitionPeriod from %v to %v", p.StartUTC, p.StopUTC)
	case p.AbsoluteOrbit < 1:
		return invalid("orbitNumber is not given")
	case p.RelativeOrbit < 1 || p.RelativeOrbit > 175:
		return invalid("relativeOrbitNumber %d is not in 1..175", p.RelativeOrbit)
	case p.Pass != "ascending" && p.Pass != "descending":
		return invalid("pass %.40q", p.Pass)
	case len(p.Footprints) == 0:
		return invalid("footPrint is not given")
	}
	return nil
}

// measurements reads the annotation of every image that the manifest lists, in its order.
func (p *Product) measurements(fsys fs.FS) error {
	files := map[string]string{} // by schema and the name that an image's files share
	for _, f := range p.Files {
		files[f.Schema+" "+stem(f.Name)] = f.Name
		if f.Schema == quicklookSchema {
			if there, err := present(fsys, f.Name); err != nil {
				return err
			} else if there {
				p.Quicklook = f.Name
			}
		}
	}
	listed := 0
	for _, f := range p.Files {
		if f.Schema != measurementSchema {
			continue
		}
		listed++
		key := " " + stem(f.Name)
		m := Measurement{Path: f.Name, Annotation: files[annotationSchema+key], Calibration: files[calibrationSchema+key], Noise: files[noiseSchema+key]}
		if m.Annotation == "" {
			return fault.New(fault.Invalid, "%s: %s has no annotation", safe.ManifestName, f.Name)
		}
		annotated := true
		for _, name := range []string{m.Path, m.Annotation, m.Calibration, m.Noise} {
			if there, err := present(fsys, name); err != nil {
				return err
			} else if name != "" && !there {
				p.Missing = append(p.Missing, name)
				annotated = annotated && name != m.Annotation
			}
		}
		if !annotated {
			continue
		}
		if err := m.read(fsys); err != nil {
			return err
		}
		p.Measurements = append(p.Measurements, m)
	}
	if len(p.Measurements) == 0 {
		return fault.New(fault.Invalid, "%s lists %d images, and the annotation of none is there", safe.ManifestName, listed)
	}
	return nil
}

// stem is what the names of an image, its annotation, calibration and noise share.
func stem(name string) string {
	base := strings.TrimSuffix(path.Base(name), path.Ext(name))
	return strings.TrimPrefix(strings.TrimPrefix(base, "calibration-"), "noise-")
}

// present tells whether a file is there and holds something.
func present(fsys fs.FS, name string) (bool, error) {
	if name == "" {
		return false, nil
	}
	info, err := fs.Stat(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("s1: %w", err)
	}
	return info.Mode().IsRegular() && info.Size() > 0, nil
}

// resolutionClass is part of a GRD's name; a product that was renamed has it by its pixels (full 3.5 to 4, high 10 or 25,
// medium 40 m).
func resolutionClass(name, productType string, spacingM float64) string {
	if parsed, err := eo.ParseName(name); err == nil {
		if n, ok := parsed.(eo.S1Name); ok {
			return n.Resolution
		}
	}
	switch {
	case productType != "GRD":
		return ""
	case spacingM < 5:
		return "F"
	case spacingM < 30:
		return "H"
	}
	return "M"
}

// Resolution is what an image can tell apart, and how many looks were averaged for it.
type Resolution struct {
	RangeM, AzimuthM         float64
	RangeLooks, AzimuthLooks int
	EquivalentLooks          float64
}

// resolutions by mode and resolution class: ESA, Sentinel-1 Product Definition (S1-RS-MDA-52-7440), and user guide,
// "Resolutions". Those of SLC, which has no class, hold for the lowest incidence angle, and range is slant range.
var resolutions = map[string]Resolution{
	"SM ": {1.7, 4.3, 1, 1, 1}, "SM F": {9, 9, 2, 2, 3.7}, "SM H": {23, 23, 6, 6, 29.7}, "SM M": {84, 84, 22, 22, 398.4},
	"IW ": {2.7, 22, 1, 1, 1}, "IW H": {20, 22, 5, 1, 4.4}, "IW M": {88, 87, 22, 5, 81.8},
	"EW ": {7.9, 43, 1, 1, 1}, "EW H": {50, 50, 3, 1, 2.7}, "EW M": {93, 87, 6, 2, 10.7},
	"WV ": {2.0, 4.8, 1, 1, 1}, "WV M": {52, 51, 13, 13, 123.7},
}

// Resolution returns the nominal resolution of the product; false for a combination that the mission does not make.
func (p *Product) Resolution() (Resolution, bool) {
	r, ok := resolutions[p.SAR.Mode+" "+p.ResolutionClass]
	return r, ok
}
