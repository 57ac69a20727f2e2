package eo

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Name is a product identifier taken apart, without extension.
type Name interface {
	String() string // the identifier as it was parsed
	Platform() Platform
}

// S2Name is a Sentinel-2 product since December 2016: one tile.
type S2Name struct {
	Unit          string    // "S2A"
	Level         string    // "L1C" or "L2A"
	DatatakeUTC   time.Time // start of the datatake
	Baseline      string    // "0206"
	RelativeOrbit int       // 1..143
	Tile          string    // "56JMM"
	Discriminator time.Time // tells products of one datatake and tile apart; about the time of processing
}

// S2OldName is a Sentinel-2 product before December 2016: up to some dozens of tiles.
type S2OldName struct {
	Unit          string // "S2A"
	Class         string // "OPER", "USER"
	Level         string // "L1C" or "L2A"
	Site          string // processing centre, "PDMC"
	CreatedUTC    time.Time
	RelativeOrbit int
	StartUTC      time.Time // validity, that is sensing
	StopUTC       time.Time
}

// S1Name is a Sentinel-1 product.
type S1Name struct {
	Unit          string // "S1A"
	Mode          string // "IW", "EW", "WV", "S1".."S6" for stripmap
	Type          string // "GRD", "SLC", "RAW", "OCN"
	Resolution    string // of a GRD: "F", "H" or "M"; else empty
	Level         int    // 0, 1 or 2
	Class         string // "S" standard, "A" annotation, "N" noise, "C" calibration
	Polarisation  string // "SV", "SH", "DV", "DH", "VV", "HH", "VH", "HV"
	StartUTC      time.Time
	StopUTC       time.Time
	AbsoluteOrbit int
	DataTake      string // hexadecimal, "049F13"
	Unique        string // hexadecimal, "6FF8"
}

var (
	s2Pattern    = regexp.MustCompile(`^(S2[A-D])_MSI(L1C|L2A)_(\d{8}T\d{6})_N(\d{4})_R(\d{3})_T(\d{2}[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V])_(\d{8}T\d{6})$`)
	s2OldPattern = regexp.MustCompile(`^(S2[A-D])_([A-Z]{4})_PRD_MSI(L1C|L2A)_([A-Z0-9_]{4})_(\d{8}T\d{6})_R(\d{3})_V(\d{8}T\d{6})_(\d{8}T\d{6})$`)
	s1Pattern    = regexp.MustCompile(`^(S1[A-D])_(IW|EW|WV|S[1-6]|EN|IM|N[1-6])_(GRD|SLC|RAW|OCN)([FHM_])_([012])([SANC])(SV|SH|DV|DH|VV|VH|HV|HH)_(\d{8}T\d{6})_(\d{8}T\d{6})_(\d{6})_([0-9A-F]{6})_([0-9A-F]{4})$`)
)

const timeLayout = "20060102T150405"

// ParseName takes a product identifier apart. The error names what it is not.
func ParseName(s string) (Name, error) {
	p := fields{}
	var name Name
	if m := s2Pattern.FindStringSubmatch(s); m != nil {
		name = S2Name{Unit: m[1], Level: m[2], DatatakeUTC: p.time(m[3]), Baseline: m[4], RelativeOrbit: p.int(m[5], 1, 143), Tile: m[6], Discriminator: p.time(m[7])}
		p.int(m[6][:2], 1, 60)
	} else if m := s2OldPattern.FindStringSubmatch(s); m != nil {
		name = S2OldName{Unit: m[1], Class: m[2], Level: m[3], Site: m[4], CreatedUTC: p.time(m[5]), RelativeOrbit: p.int(m[6], 1, 143), StartUTC: p.time(m[7]), StopUTC: p.time(m[8])}
	} else if m := s1Pattern.FindStringSubmatch(s); m != nil {
		name = S1Name{
			Unit: m[1], Mode: m[2], Type: m[3], Resolution: strings.TrimSuffix(m[4], "_"), Level: p.int(m[5], 0, 2), Class: m[6], Polarisation: m[7],
			StartUTC: p.time(m[8]), StopUTC: p.time(m[9]), AbsoluteOrbit: p.int(m[10], 0, 999999), DataTake: m[11], Unique: m[12],
		}
	} else {
		return nil, fmt.Errorf("%.100q is not a Sentinel-1 or Sentinel-2 product name", s)
	}
	if p.err != nil {
		return nil, fmt.Errorf("product name %.100q: %w", s, p.err)
	}
	return name, nil
}

// MissionOf tells the mission by the first letters of a product's name, for choosing its reader. The rest of the name may be
// anything, as test products and reprocessings are not always named by the rules.
func MissionOf(name string) (Mission, error) {
	upper := strings.ToUpper(name)
	for prefix, mission := range map[string]Mission{"S1": Sentinel1, "S2": Sentinel2, "SPOT": SPOT} {
		if rest, ok := strings.CutPrefix(upper, prefix); ok && rest != "" && (mission == SPOT || len(rest) > 1 && rest[0] >= 'A' && rest[0] <= 'D' && rest[1] == '_') {
			return mission, nil
		}
	}
	return "", fmt.Errorf("product %.100q is of no mission that Swath knows (Sentinel-1, Sentinel-2, SPOT)", name)
}

func (n S2Name) String() string {
	return fmt.Sprintf("%s_MSI%s_%s_N%s_R%03d_T%s_%s", n.Unit, n.Level, n.DatatakeUTC.Format(timeLayout), n.Baseline, n.RelativeOrbit, n.Tile, n.Discriminator.Format(timeLayout))
}

func (n S2OldName) String() string {
	return fmt.Sprintf("%s_%s_PRD_MSI%s_%s_%s_R%03d_V%s_%s", n.Unit, n.Class, n.Level, n.Site, n.CreatedUTC.Format(timeLayout), n.RelativeOrbit, n.StartUTC.Format(timeLayout), n.StopUTC.Format(timeLayout))
}

func (n S1Name) String() string {
	resolution := n.Resolution
	if resolution == "" {
		resolution = "_"
	}
	return fmt.Sprintf("%s_%s_%s%s_%d%s%s_%s_%s_%06d_%s_%s", n.Unit, n.Mode, n.Type, resolution, n.Level, n.Class, n.Polarisation,
		n.StartUTC.Format(timeLayout), n.StopUTC.Format(timeLayout), n.AbsoluteOrbit, n.DataTake, n.Unique)
}

// Platform returns the satellite.
func (n S2Name) Platform() Platform    { return platformOf(n.Unit) }
func (n S2OldName) Platform() Platform { return platformOf(n.Unit) }
func (n S1Name) Platform() Platform    { return platformOf(n.Unit) }

// platformOf is for units that a pattern has accepted.
func platformOf(unit string) Platform {
	p, _ := PlatformByName(unit)
	return p
}

// fields reads parts that matched a pattern and keeps the first that is out of range.
type fields struct{ err error }

func (p *fields) time(s string) time.Time {
	t, err := time.Parse(timeLayout, s)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("%s is not a time", s)
	}
	return t
}

func (p *fields) int(s string, low, high int) int {
	n, err := strconv.Atoi(s)
	if (err != nil || n < low || n > high) && p.err == nil {
		p.err = fmt.Errorf("%s is not within %d to %d", s, low, high)
	}
	return n
}
