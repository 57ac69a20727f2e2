package sar

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"swath/fault"
	"swath/sentinel/s1"
)

// orbitName are the names of orbit files: mission, kind, and the time that they hold for.
var orbitName = regexp.MustCompile(`^(S1[A-D])_OPER_AUX_(POEORB|RESORB|PREORB)_OPOD_\d{8}T\d{6}_V(\d{8}T\d{6})_(\d{8}T\d{6})\.EOF$`)

// OrbitFile is what the name of a file of state vectors says.
type OrbitFile struct {
	Path           string
	Unit           string // "S1A"
	Kind           string // "POEORB" is precise, "RESORB" restituted, "PREORB" predicted
	FromUTC, ToUTC time.Time
}

// ParseOrbitFile reads the name of an orbit file; false when it is none.
func ParseOrbitFile(path string) (OrbitFile, bool) {
	m := orbitName.FindStringSubmatch(filepath.Base(path))
	if m == nil {
		return OrbitFile{}, false
	}
	from, err1 := time.Parse("20060102T150405", m[3])
	to, err2 := time.Parse("20060102T150405", m[4])
	if err1 != nil || err2 != nil {
		return OrbitFile{}, false
	}
	return OrbitFile{path, m[1], m[2], from, to}, true
}

// orbitMargin is how long before and after a scene an orbit file must hold.
const orbitMargin = 60 * time.Second

// FindOrbitFile returns the best orbit file, at a path or in a folder, for a scene of a satellite such as "S1A": precise before restituted
// before predicted, the last made of equals. It is fault.Invalid when none holds for the scene and a minute around it.
func FindOrbitFile(path, unit string, from, to time.Time) (OrbitFile, error) {
	names := []string{path}
	if info, err := os.Stat(path); err != nil {
		return OrbitFile{}, fault.New(fault.Invalid, "orbit: %s can't be read", filepath.Base(path))
	} else if info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return OrbitFile{}, fault.Wrap(fault.Invalid, err, "orbit: the folder can't be read")
		}
		names = names[:0]
		for _, e := range entries {
			names = append(names, filepath.Join(path, e.Name()))
		}
	}
	rank := map[string]int{"PREORB": 1, "RESORB": 2, "POEORB": 3}
	var best OrbitFile
	for _, name := range names { // by name, so by time of making
		f, ok := ParseOrbitFile(name)
		if ok && f.Unit == strings.ToUpper(unit) && rank[f.Kind] >= rank[best.Kind] &&
			!f.FromUTC.After(from.Add(-orbitMargin)) && !f.ToUTC.Before(to.Add(orbitMargin)) {
			best = f
		}
	}
	if best.Path == "" {
		return OrbitFile{}, fault.New(fault.Invalid, "orbit: no file in %s holds for %s from %s to %s and a minute around it",
			filepath.Base(path), unit, from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	return best, nil
}

// maxOrbitBytes of a file: a day of vectors has 4.4 MB.
const maxOrbitBytes = 64 << 20

// ReadOrbitFile returns the state vectors of an orbit file between two times, and what is needed around them for interpolation. They are
// fault.Invalid in another frame than the Earth's own.
func ReadOrbitFile(path string, from, to time.Time) ([]s1.StateVector, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "orbit: the file can't be read")
	}
	defer f.Close()
	vectors, err := ParseOrbits(io.LimitReader(f, maxOrbitBytes), from.Add(-orbitMargin), to.Add(orbitMargin))
	if err != nil {
		return nil, fmt.Errorf("sar: %s: %w", filepath.Base(path), err)
	}
	if len(vectors) < 4 {
		return nil, fault.New(fault.Invalid, "orbit: %s has %d state vectors from %s to %s", filepath.Base(path), len(vectors), from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	return vectors, nil
}

// osv is one state vector of an EOF file.
type osv struct {
	UTC     string  `xml:"UTC"`
	X       float64 `xml:"X"`
	Y       float64 `xml:"Y"`
	Z       float64 `xml:"Z"`
	VX      float64 `xml:"VX"`
	VY      float64 `xml:"VY"`
	VZ      float64 `xml:"VZ"`
	Quality string  `xml:"Quality"`
}

// ParseOrbits reads the state vectors between two times of an EOF file (ESA, PE-TN-ESA-GS-0001, Earth Explorer file format), one at a time.
func ParseOrbits(r io.Reader, from, to time.Time) ([]s1.StateVector, error) {
	bad := func(err error) error {
		return fault.Wrap(fault.Invalid, err, "orbit: the file is not one of state vectors")
	}
	d := xml.NewDecoder(r)
	var vectors []s1.StateVector
	for {
		token, err := d.Token()
		if err == io.EOF {
			return vectors, nil
		} else if err != nil {
			return nil, bad(err)
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
			continue
		case start.Name.Local == "Ref_Frame":
			var frame string
			if err := d.DecodeElement(&frame, &start); err != nil {
				return nil, bad(err)
			}
			if strings.TrimSpace(frame) != "EARTH_FIXED" {
				return nil, fault.New(fault.Invalid, "orbit: state vectors in the frame %q, not EARTH_FIXED", frame)
			}
		case start.Name.Local == "OSV":
			var v osv
			if err := d.DecodeElement(&v, &start); err != nil {
				return nil, bad(err)
			}
			t, err := time.Parse("UTC=2006-01-02T15:04:05.999999", v.UTC)
			if err != nil {
				return nil, bad(err)
			}
			if t.Before(from) || t.After(to) {
				continue
			}
			vectors = append(vectors, s1.StateVector{TimeUTC: t, PositionM: [3]float64{v.X, v.Y, v.Z}, VelocityMPerS: [3]float64{v.VX, v.VY, v.VZ}})
		}
	}
}
