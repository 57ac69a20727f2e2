package s1

import (
	"io/fs"
	"time"

	"swath/fault"
	"swath/sentinel/safe"
)

// Calibration turns the digital numbers of one image into backscatter: DN² / A², with A interpolated bilinearly between the
// vectors' lines and pixels.
type Calibration struct {
	AbsoluteConstant float64
	Vectors          []CalibrationVector
}

// CalibrationVector is the values of A along one line. In an SLC the line may lie before the first or behind the last.
type CalibrationVector struct {
	TimeUTC                            time.Time
	Line                               int
	Pixels                             []int // increasing
	SigmaNought, BetaNought, Gamma, DN []float64
}

// ReadCalibration reads the file that Measurement.Calibration names.
func ReadCalibration(fsys fs.FS, name string) (*Calibration, error) {
	var doc struct {
		Constant number `xml:"calibrationInformation>absoluteCalibrationConstant"`
		Vectors  []struct {
			Time   instant  `xml:"azimuthTime"`
			Line   integer  `xml:"line"`
			Pixels integers `xml:"pixel"`
			Sigma  numbers  `xml:"sigmaNought"`
			Beta   numbers  `xml:"betaNought"`
			Gamma  numbers  `xml:"gamma"`
			DN     numbers  `xml:"dn"`
		} `xml:"calibrationVectorList>calibrationVector"`
	}
	if err := safe.DecodeXML(fsys, name, &doc); err != nil {
		return nil, err
	}
	if !(doc.Constant > 0) || len(doc.Vectors) == 0 {
		return nil, fault.New(fault.Invalid, "%s: absoluteCalibrationConstant %g, %d calibrationVector", name, float64(doc.Constant), len(doc.Vectors))
	}
	c := &Calibration{AbsoluteConstant: float64(doc.Constant)}
	for i, v := range doc.Vectors {
		for _, lut := range []numbers{v.Sigma, v.Beta, v.Gamma, v.DN} {
			if err := checkLUT(v.Pixels, lut, true); err != nil {
				return nil, fault.New(fault.Invalid, "%s: calibrationVector %d: %v", name, i+1, err)
			}
		}
		if i > 0 && int(v.Line) <= c.Vectors[i-1].Line {
			return nil, fault.New(fault.Invalid, "%s: calibrationVector %d: line %d does not follow %d", name, i+1, v.Line, c.Vectors[i-1].Line)
		}
		c.Vectors = append(c.Vectors, CalibrationVector{v.Time.Time, int(v.Line), v.Pixels, v.Sigma, v.Beta, v.Gamma, v.DN})
	}
	return c, nil
}

// Noise is the thermal noise of one image in units of DN²: the range value, interpolated between vectors, times the azimuth
// value of the block that holds the sample (1 outside of blocks).
type Noise struct {
	Range   []NoiseRangeVector
	Azimuth []NoiseAzimuthVector // empty before IPF 2.90
}

// NoiseRangeVector is the noise along one line.
type NoiseRangeVector struct {
	TimeUTC time.Time
	Line    int
	Pixels  []int // increasing
	LUT     []float64
}

// NoiseAzimuthVector is the factor down the lines of one block; both ends of the block belong to it.
type NoiseAzimuthVector struct {
	Swath                   string
	FirstLine, LastLine     int
	FirstSample, LastSample int
	Lines                   []int // increasing
	LUT                     []float64
}

// noiseRangeXML has the names of both forms: noiseLut before IPF 2.90, noiseRangeLut since.
type noiseRangeXML struct {
	Time   instant  `xml:"azimuthTime"`
	Line   integer  `xml:"line"`
	Pixels integers `xml:"pixel"`
	Old    numbers  `xml:"noiseLut"`
	New    numbers  `xml:"noiseRangeLut"`
}

// ReadNoise reads the file that Measurement.Noise names. Some processors before IPF 2.50 wrote zeros, or values of a wrong
// scale: they are returned as they are.
func ReadNoise(fsys fs.FS, name string) (*Noise, error) {
	var doc struct {
		Old     []noiseRangeXML `xml:"noiseVectorList>noiseVector"`
		New     []noiseRangeXML `xml:"noiseRangeVectorList>noiseRangeVector"`
		Azimuth []struct {
			Swath       string   `xml:"swath"`
			FirstLine   integer  `xml:"firstAzimuthLine"`
			LastLine    integer  `xml:"lastAzimuthLine"`
			FirstSample integer  `xml:"firstRangeSample"`
			LastSample  integer  `xml:"lastRangeSample"`
			Lines       integers `xml:"line"`
			LUT         numbers  `xml:"noiseAzimuthLut"`
		} `xml:"noiseAzimuthVectorList>noiseAzimuthVector"`
	}
	if err := safe.DecodeXML(fsys, name, &doc); err != nil {
		return nil, err
	}
	n := &Noise{}
	for i, v := range append(doc.Old, doc.New...) {
		lut := append(v.Old, v.New...)
		if err := checkLUT(v.Pixels, lut, false); err != nil {
			return nil, fault.New(fault.Invalid, "%s: noise range vector %d: %v", name, i+1, err)
		}
		n.Range = append(n.Range, NoiseRangeVector{v.Time.Time, int(v.Line), v.Pixels, lut})
	}
	if len(n.Range) == 0 {
		return nil, fault.New(fault.Invalid, "%s: neither noiseVector nor noiseRangeVector", name)
	}
	for i, v := range doc.Azimuth {
		if err := checkLUT(v.Lines, v.LUT, false); err != nil {
			return nil, fault.New(fault.Invalid, "%s: noiseAzimuthVector %d: %v", name, i+1, err)
		}
		n.Azimuth = append(n.Azimuth, NoiseAzimuthVector{
			v.Swath, int(v.FirstLine), int(v.LastLine), int(v.FirstSample), int(v.LastSample), v.Lines, v.LUT,
		})
	}
	return n, nil
}

// checkLUT holds a table to one value for each position, at increasing positions, none negative or, where asked, zero.
func checkLUT(at []int, values []float64, positive bool) error {
	if len(at) == 0 || len(at) != len(values) {
		return fault.New(fault.Invalid, "%d values at %d positions", len(values), len(at))
	}
	for i, v := range values {
		if i > 0 && at[i] <= at[i-1] {
			return fault.New(fault.Invalid, "position %d does not follow %d", at[i], at[i-1])
		}
		if v < 0 || positive && v == 0 {
			return fault.New(fault.Invalid, "value %g at %d", v, at[i])
		}
	}
	return nil
}
