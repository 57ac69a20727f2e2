package s1ortho

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"swath/chains"
	"swath/fault"
	"swath/raster"
	"swath/sar"
	"swath/sentinel/s1"
	"swath/sentinel/safe"
)

// slice is one product, ready to be looked into anywhere.
type slice struct {
	product *s1.Product
	grd     *sar.GRD
	bands   []band
	orbit   string // where the state vectors come from

	before, after *slice // whose lines go on where this one's begin and end; nil: none, or lines that do not fit
}

// goesOn reports whether the lines of another slice follow as if they were its own: real ones do, to a thousandth of a line.
func (sl *slice) goesOn(next *slice) bool {
	a, b := sl.grd, next.grd
	firstS := b.FirstLineS + b.Orbit.Epoch.Sub(a.Orbit.Epoch).Seconds()
	gap := (firstS - a.LineTime(float64(a.Lines))) / a.LineIntervalS
	fromM, _ := a.Slant(float64(a.Lines-1), 0)
	toM, _ := b.Slant(0, 0)
	return math.Abs(gap) < 0.02 && a.SpacingM == b.SpacingM && math.Abs(fromM-toM) < 0.02*a.SpacingM
}

// band is the image of one polarisation.
type band struct {
	polarisation   string
	lines, samples int
	digital        []uint16 // mapped from a file in the scratch folder
	calibration    *sar.Table
	noise          *sar.NoiseTable // nil: not known
	subtract       bool            // the noise
	border         *sar.Border     // nil: everything counts
	unmap          func()
}

// scene is what the slices of one pass have in common.
type scene struct {
	slices        []*slice
	polarisations []string // "VV", "VH", as the first product has them
	warnings      []string
}

func (s *scene) close() {
	for _, sl := range s.slices {
		for _, b := range sl.bands {
			b.unmap()
		}
	}
}

func (s *scene) warn(ws chains.Workspace, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.warnings = append(s.warnings, text)
	ws.Log.Warn(text)
}

// first is the slice that names come from.
func (s *scene) first() *s1.Product { return s.slices[0].product }

// openScene reads the products, in the order of time, and unpacks their images into files.
func openScene(ctx context.Context, in *Inputs, ws chains.Workspace) (_ *scene, err error) {
	s := &scene{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	var opened []*safe.Product
	defer func() {
		for _, p := range opened {
			p.Close()
		}
	}()
	for _, path := range in.Product {
		p, err := safe.Open(string(path))
		if err != nil {
			return nil, fmt.Errorf("product %s: %w", filepath.Base(string(path)), err)
		}
		opened = append(opened, p)
		product, err := s1.Read(p.FS, p.Name)
		if err != nil {
			return nil, fmt.Errorf("product %s: %w", p.Name, err)
		}
		if product.SAR.ProductType != "GRD" {
			return nil, fault.New(fault.Invalid, "product %s: is %s; only GRD products are orthorectified", p.Name, product.SAR.ProductType)
		}
		s.slices = append(s.slices, &slice{product: product})
	}
	order := make([]int, len(opened))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return s.slices[a].product.StartUTC.Compare(s.slices[b].product.StartUTC) })
	sorted, files := make([]*slice, len(order)), make([]*safe.Product, len(order))
	for i, k := range order {
		sorted[i], files[i] = s.slices[k], opened[k]
	}
	s.slices = sorted
	if err := s.agree(); err != nil {
		return nil, err
	}
	if s.polarisations, err = choose(s.first(), in.Polarisations); err != nil {
		return nil, err
	}
	for i, sl := range s.slices {
		if err := s.prepare(ctx, sl, files[i], in, ws, i > 0, i+1 < len(s.slices)); err != nil {
			return nil, fmt.Errorf("product %s: %w", sl.product.Name, err)
		}
	}
	for i, sl := range s.slices[1:] {
		if before := s.slices[i]; before.goesOn(sl) {
			before.after, sl.before = sl, before
		}
	}
	return s, nil
}

// agree holds slices to one pass of one satellite by one version of the processor: a mixture would leave steps.
func (s *scene) agree() error {
	a := s.first()
	for i, sl := range s.slices[1:] {
		b, before := sl.product, s.slices[i].product
		switch {
		case b.Platform != a.Platform || b.SAR.DataTakeID != a.SAR.DataTakeID || b.SAR.Mode != a.SAR.Mode:
			return fault.New(fault.Invalid, "product: %s and %s are not slices of one pass", a.Name, b.Name)
		case b.SoftwareVersion != a.SoftwareVersion:
			return fault.New(fault.Invalid, "product: %s is of processor version %s, %s of %s: their values do not fit together", a.Name, a.SoftwareVersion, b.Name, b.SoftwareVersion)
		case b.StartUTC.Sub(before.StopUTC) > 2*time.Second:
			return fault.New(fault.Invalid, "product: between %s and %s a slice is missing", before.Name, b.Name)
		case b.Name == before.Name:
			return fault.New(fault.Invalid, "product: %s is given twice", b.Name)
		}
	}
	return nil
}

// choose returns the polarisations that are asked for, all when none are.
func choose(p *s1.Product, asked []string) ([]string, error) {
	var has, chosen []string
	for _, m := range p.Measurements {
		if !slices.Contains(has, m.Polarisation) {
			has = append(has, m.Polarisation)
		}
	}
	slices.SortFunc(has, func(a, b string) int { return order(a) - order(b) })
	for _, pol := range has {
		if len(asked) == 0 || slices.ContainsFunc(asked, func(a string) bool { return strings.EqualFold(a, pol) }) {
			chosen = append(chosen, pol)
		}
	}
	for _, a := range asked {
		if !slices.Contains(chosen, strings.ToUpper(a)) {
			return nil, fault.New(fault.Invalid, "polarisations: %s has %s, not %q", p.Name, strings.Join(has, " and "), a)
		}
	}
	return chosen, nil
}

// order puts what is sent and received alike first: "vvvh", "hhhv".
func order(pol string) int {
	if len(pol) == 2 && pol[0] == pol[1] {
		return 0
	}
	return 1
}

// prepare reads geometry and tables of a slice, and unpacks its images, two at a time.
func (s *scene) prepare(ctx context.Context, sl *slice, p *safe.Product, in *Inputs, ws chains.Workspace, before, after bool) error {
	product := sl.product
	if product.Platform == "Sentinel-1B" && product.StartUTC.Format("2006-01-02") >= "2016-10-12" && product.StartUTC.Format("2006-01-02") <= "2016-10-13" {
		s.warn(ws, "%s: Sentinel-1B's clock was wrong on 12 and 13 October 2016; places may be off by kilometres", product.Name)
	}
	vectors, err := sl.vectors(in)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(max(1, ws.Threads))
	sl.bands = make([]band, len(s.polarisations))
	for i := range sl.bands {
		sl.bands[i].unmap = func() {}
	}
	warnings := make([]string, len(s.polarisations))
	for i, pol := range s.polarisations {
		k := slices.IndexFunc(product.Measurements, func(m s1.Measurement) bool { return m.Polarisation == pol })
		if k < 0 {
			return fault.New(fault.Invalid, "has no %s", pol)
		}
		m := &product.Measurements[k]
		if i == 0 {
			between := sar.Linear
			if in.SRGR == "nearest" {
				between = sar.Nearest
			}
			if sl.grd, err = sar.NewGRD(m, vectors, between); err != nil {
				return err
			}
		}
		b := &sl.bands[i]
		*b = band{polarisation: pol, lines: m.Lines, samples: m.Samples, unmap: func() {}}
		if warnings[i], err = b.tables(p, m, product, in); err != nil {
			return err
		}
		if m.Lines != sl.bands[0].lines || m.Samples != sl.bands[0].samples {
			return fault.New(fault.Invalid, "its images differ in size")
		}
		group.Go(func() error {
			file := filepath.Join(ws.Scratch, fmt.Sprintf("%s-%s.u16", product.Name, pol))
			return b.unpack(ctx, p.GDALPath(m.Path), file, before, after)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, w := range warnings {
		if b := &sl.bands[i]; w == "" && b.noise != nil && product.SoftwareVersion < "002.50" {
			mid := b.lines / 2
			if b.noise.MedianRatio(mid, b.digital[mid*b.samples:][:b.samples]) > 2 {
				b.noise, w = nil, fmt.Sprintf("%s %s: noise is annotated in another unit by processor %s; not subtracted", product.Name, b.polarisation, product.SoftwareVersion)
			}
		}
		if w != "" {
			s.warn(ws, "%s", w)
		}
	}
	return nil
}

// vectors returns the state vectors of the orbit files, or none when the annotation's own are to be used.
func (sl *slice) vectors(in *Inputs) ([]s1.StateVector, error) {
	if in.Orbit == "" {
		sl.orbit = "annotation"
		return nil, nil
	}
	p := sl.product
	f, err := sar.FindOrbitFile(string(in.Orbit), p.Name[:3], p.StartUTC, p.StopUTC)
	if err != nil {
		return nil, err
	}
	sl.orbit = filepath.Base(f.Path)
	return sar.ReadOrbitFile(f.Path, p.StartUTC, p.StopUTC)
}

// tables reads calibration and noise.
func (b *band) tables(p *safe.Product, m *s1.Measurement, product *s1.Product, in *Inputs) (warning string, err error) {
	if m.Calibration == "" || slices.Contains(product.Missing, m.Path) || slices.Contains(product.Missing, m.Calibration) {
		return "", fault.New(fault.Invalid, "%s: image or calibration is missing", b.polarisation)
	}
	c, err := s1.ReadCalibration(p.FS, m.Calibration)
	if err != nil {
		return "", err
	}
	of := map[string]sar.Of{"sigma": sar.Sigma, "beta": sar.Beta, "gamma": sar.Gamma, "gamma-rtc": sar.Beta}[in.Calibration]
	b.calibration = sar.CalibrationTable(c, of, m.Samples)
	if m.Noise == "" {
		if in.RemoveThermalNoise {
			warning = fmt.Sprintf("%s %s: has no noise annotation; noise is not subtracted", product.Name, b.polarisation)
		}
	} else {
		n, err := s1.ReadNoise(p.FS, m.Noise)
		if err != nil {
			return "", err
		}
		if b.noise = sar.NewNoiseTable(n, m.Samples); b.noise.Absent {
			b.noise = nil
			if in.RemoveThermalNoise {
				warning = fmt.Sprintf("%s %s: noise is annotated as zero by processor %s; not subtracted", product.Name, b.polarisation, product.SoftwareVersion)
			}
		}
	}
	if in.BorderNoise != "none" {
		guard := 3
		if product.SoftwareVersion < "002.90" {
			guard = 5
		}
		b.border = sar.NewBorder(m.Lines, m.Samples, guard)
	}
	b.subtract = in.RemoveThermalNoise
	return warning, nil
}

// unpack writes the digital numbers into a file and maps it, so that any window is at hand and memory is given back under pressure.
func (b *band) unpack(ctx context.Context, from, to string, before, after bool) error {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	size := 2 * b.lines * b.samples
	if err := f.Truncate(int64(size)); err != nil {
		return err
	}
	mapped, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map %s: %w", to, err)
	}
	b.unmap = func() {
		_ = syscall.Munmap(mapped)
		_ = os.Remove(to)
	}
	b.digital = unsafe.Slice((*uint16)(unsafe.Pointer(&mapped[0])), b.lines*b.samples)
	noise := make([]float32, b.samples)
	got := 0
	err = raster.EachStrip16(ctx, from, func(row int, strip []uint16) error {
		if got+len(strip) > len(b.digital) || len(strip)%b.samples != 0 {
			return fault.New(fault.Invalid, "%s: the image is not of %d lines of %d samples as annotated", b.polarisation, b.lines, b.samples)
		}
		got += copy(b.digital[row*b.samples:], strip)
		if b.border == nil {
			return nil
		}
		for ; len(strip) > 0; strip = strip[b.samples:] {
			known := noise
			if b.noise == nil {
				known = nil
			} else {
				b.noise.Row(noise, row, 0)
			}
			b.border.Line(row, strip[:b.samples], known)
			row++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", b.polarisation, err)
	}
	if got != len(b.digital) {
		return fault.New(fault.Invalid, "%s: the image is not of %d lines of %d samples as annotated", b.polarisation, b.lines, b.samples)
	}
	if b.border != nil {
		b.border.End(before, after)
	}
	return nil
}

// valid reports whether a sample was measured.
func (b *band) valid(line, sample int) bool {
	if line < 0 || sample < 0 || line >= b.lines || sample >= b.samples || b.digital[line*b.samples+sample] == 0 {
		return false
	}
	return b.border == nil || b.border.Valid(line, sample)
}
