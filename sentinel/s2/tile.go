package s2

import (
	"math"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"swath/eo"
	"swath/geo"
)

// Limits of a tile, generous: real ones have 10980 pixels and 23 nodes a side.
const (
	maxPixels = 1 << 16
	maxNodes  = 1 << 10
)

// tileIDPattern finds platform, orbit, tile and baseline in S2A_OPER_MSI_L1C_TL_EPAE_20180629T012042_A015757_T56JMM_N02.06.
var tileIDPattern = regexp.MustCompile(`^(S2[A-D])_.*_A(\d{6})_T(\d{2}[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V])_N(\d{2}\.\d{2})$`)

// tile fills in what MTD_TL.xml says. Its bands must be there already.
func (r *reader) tile(p *Product, d *tileXML) {
	p.TileID, p.DatastripID = strings.TrimSpace(d.TileID), strings.TrimSpace(d.Datastrip)
	p.SensedUTC = r.time("SENSING_TIME", d.Sensed)
	if m := tileIDPattern.FindStringSubmatch(p.TileID); m != nil {
		p.AbsoluteOrbit = r.int("TILE_ID", m[2], 0, 999999)
		p.Tile = m[3]
	} else {
		r.fail("TILE_ID %.80q is not one of Sentinel-2", p.TileID)
	}
	r.geocoding(p, d)
	p.MeanSun = r.mean("Mean_Sun_Angle", d.MeanSun)
	for _, v := range d.MeanViews {
		p.Bands[r.int("Mean_Viewing_Incidence_Angle bandId", v.Band, 0, len(p.Bands)-1)].MeanView = r.mean("Mean_Viewing_Incidence_Angle", v.meanXML)
	}
	if len(p.Grids) > 0 {
		x, y := p.Grids[0].Transform[0], p.Grids[0].Transform[3]
		p.Sun = r.grid("Sun_Angles_Grid", d.Sun, x, y)
		for _, v := range d.Views {
			band := r.int("Viewing_Incidence_Angles_Grids bandId", v.Band, 0, len(p.Bands)-1)
			detector := r.int("Viewing_Incidence_Angles_Grids detectorId", v.Detector, 1, 12)
			p.Views = append(p.Views, ViewGrid{p.Bands[band].Name, detector, r.grid("Viewing_Incidence_Angles_Grids", v.anglePairXML, x, y)})
		}
	}
	p.Percents = map[string]float64{}
	for _, q := range d.Content.Values {
		switch name := q.XMLName.Local; {
		case name == "CLOUDY_PIXEL_PERCENTAGE":
			p.CloudPercent = r.float(name, q.Text)
		case strings.HasSuffix(name, "_PERCENTAGE"):
			p.Percents[strings.ToLower(name)] = r.float(name, q.Text)
		}
	}
}

func (r *reader) geocoding(p *Product, d *tileXML) {
	code, known := strings.CutPrefix(strings.TrimSpace(d.CRS), "EPSG:")
	zone := r.int("HORIZONTAL_CS_CODE", code, 32601, 32760)
	if !known || zone > 32660 && zone < 32701 {
		r.fail("HORIZONTAL_CS_CODE %.40q is not a UTM zone", d.CRS)
	}
	p.EPSG = geo.EPSG(zone)
	if len(d.Sizes) != len(d.Positions) || len(d.Sizes) == 0 || len(d.Sizes) > 3 {
		r.fail("Tile_Geocoding: %d sizes and %d positions, up to 3 pairs are expected", len(d.Sizes), len(d.Positions))
		return
	}
	for _, s := range d.Sizes {
		for _, g := range d.Positions {
			if s.Resolution != g.Resolution {
				continue
			}
			dx, dy := r.positive("XDIM", g.DX), r.float("YDIM", g.DY)
			if !(dy < 0) {
				r.fail("YDIM: %.40q is not below zero", g.DY)
			}
			p.Grids = append(p.Grids, Grid{
				ResolutionM: r.int("resolution", s.Resolution, 1, 1000),
				Width:       r.int("NCOLS", s.Columns, 1, maxPixels), Height: r.int("NROWS", s.Rows, 1, maxPixels),
				Transform: geo.Affine{r.float("ULX", g.X), dx, 0, r.float("ULY", g.Y), 0, dy},
			})
		}
	}
	if len(p.Grids) != len(d.Sizes) {
		r.fail("Tile_Geocoding: sizes and positions are of different resolutions")
	}
	sort.Slice(p.Grids, func(i, j int) bool { return p.Grids[i].ResolutionM < p.Grids[j].ResolutionM })
}

// mean reads a mean direction; one that is not given, or is NaN, is not known.
func (r *reader) mean(element string, d meanXML) Angles {
	if z, a := strings.TrimSpace(d.Zenith), strings.TrimSpace(d.Azimuth); z == "" || a == "" || z == "NaN" || a == "NaN" {
		return noAngles
	}
	return Angles{r.float(element, d.Zenith), r.float(element, d.Azimuth)}
}

// grid reads directions from their zenith and azimuth tables; a grid that is not given has no nodes.
func (r *reader) grid(element string, d anglePairXML, x, y float64) AngleGrid {
	if len(d.Zenith.Rows) == 0 && len(d.Azimuth.Rows) == 0 {
		return AngleGrid{}
	}
	g := AngleGrid{OriginX: x, OriginY: y, StepX: r.positive(element+" COL_STEP", d.Zenith.ColumnStep), StepY: r.positive(element+" ROW_STEP", d.Zenith.RowStep)}
	zenith, columns := r.table(element, d.Zenith.Rows)
	azimuth, same := r.table(element, d.Azimuth.Rows)
	if len(zenith) != len(azimuth) || columns != same {
		r.fail("%s: zenith and azimuth differ in size", element)
		return AngleGrid{}
	}
	g.Rows, g.Columns = len(d.Zenith.Rows), columns
	g.Nodes = make([]Angles, len(zenith))
	for i := range zenith {
		g.Nodes[i] = Angles{zenith[i], azimuth[i]}
	}
	return g
}

// table reads rows of equally many numbers, NaN allowed.
func (r *reader) table(element string, rows []string) (values []float64, columns int) {
	if len(rows) > maxNodes {
		r.fail("%s: %d rows are more than %d", element, len(rows), maxNodes)
		return nil, 0
	}
	for i, row := range rows {
		words := strings.Fields(row)
		if i == 0 {
			columns = len(words)
		}
		if len(words) != columns || columns == 0 || columns > maxNodes {
			r.fail("%s: row %d has %d values, %d are expected", element, i+1, len(words), columns)
			return nil, 0
		}
		for _, w := range words {
			v, err := strconv.ParseFloat(w, 64)
			if err != nil || math.IsInf(v, 0) {
				r.fail("%s: %.40q in row %d is not a number", element, w, i+1)
			}
			values = append(values, v)
		}
	}
	return values, columns
}

// bands returns the platform's bands with nothing known of their radiometry yet.
func bands(p eo.Platform) []Band {
	var out []Band
	for _, b := range eo.Bands(p) {
		out = append(out, Band{Band: b, SolarIrradiance: math.NaN(), MeanView: noAngles})
	}
	return out
}
