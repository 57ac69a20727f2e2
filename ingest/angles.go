package ingest

import (
	"math"

	"swath/geo"
	"swath/raster"
	"swath/sentinel/s2"
)

// angleLayer is the directions to Sun and instrument on the product's 5 km grid: four planes in degrees. The view is the mean
// over bands and detectors of each node.
func angleLayer(d *s2.Product) (layer, bool) {
	g := d.Sun
	if g.Rows*g.Columns == 0 || len(g.Nodes) != g.Rows*g.Columns {
		return layer{}, false
	}
	names := []string{"sun_zenith", "sun_azimuth", "view_zenith", "view_azimuth"}
	planes := make([][]float32, len(names))
	for i := range planes {
		planes[i] = make([]float32, len(g.Nodes))
	}
	for i, sun := range g.Nodes {
		view := meanView(d.Views, i)
		for j, deg := range []float64{sun.ZenithDeg, sun.AzimuthDeg, view.ZenithDeg, view.AzimuthDeg} {
			planes[j][i] = float32(deg)
		}
	}
	bands := make([]map[string]any, len(names))
	for i, name := range names {
		bands[i] = map[string]any{"name": name}
	}
	fields := part("Sun and mean view angles on the 5 km grid", "metadata", "sun-zenith", "sun-azimuth", "incidence-angle", "azimuth")
	fields["bands"], fields["unit"], fields["gsd"] = bands, "deg", g.StepX
	return layer{asset: "angles", fields: fields, made: &raster.Planes{
		CRS: d.EPSG, Width: g.Columns, Height: g.Rows, Values: planes,
		// A node is the centre of its pixel.
		Transform: geo.Affine{g.OriginX - g.StepX/2, g.StepX, 0, g.OriginY + g.StepY/2, 0, -g.StepY},
	}}, true
}

// meanView averages the directions of one node as vectors; NaN where no detector sees it.
func meanView(views []s2.ViewGrid, node int) s2.Angles {
	var east, north, up float64
	for _, v := range views {
		if node >= len(v.Nodes) || math.IsNaN(v.Nodes[node].ZenithDeg) || math.IsNaN(v.Nodes[node].AzimuthDeg) {
			continue
		}
		zenith, azimuth := v.Nodes[node].ZenithDeg*math.Pi/180, v.Nodes[node].AzimuthDeg*math.Pi/180
		east += math.Sin(zenith) * math.Sin(azimuth)
		north += math.Sin(zenith) * math.Cos(azimuth)
		up += math.Cos(zenith)
	}
	if up == 0 {
		return s2.Angles{ZenithDeg: math.NaN(), AzimuthDeg: math.NaN()}
	}
	azimuth := math.Atan2(east, north) * 180 / math.Pi
	return s2.Angles{ZenithDeg: math.Atan2(math.Hypot(east, north), up) * 180 / math.Pi, AzimuthDeg: math.Mod(azimuth+360, 360)}
}
