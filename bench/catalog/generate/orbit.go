package main

import (
	"math"
	"time"

	"swath/geo"
)

const (
	earthKm = 6371.0
	rad     = math.Pi / 180
)

// orbit is a circular, sun-synchronous orbit whose ground track repeats after whole days.
type orbit struct {
	days, cycle    int // cycle revolutions take days
	inclinationRad float64
	nodeHour       float64 // local mean time of the ascending node
}

var (
	orbitS1   = orbit{12, 175, 98.18 * rad, 18}
	orbitS2   = orbit{10, 143, 98.62 * rad, 22.478} // nominally 22.5; so that the swath's edge falls on that of T13TEF
	orbitSPOT = orbit{26, 379, 98.2 * rad, 22.25}
)

// periodS is the time from one ascending node to the next.
func (o *orbit) periodS() float64 { return float64(o.days) * 86400 / float64(o.cycle) }

// platform is a satellite. The orbit that begins at epoch has the absolute number absolute and the relative number relative.
type platform struct {
	*orbit
	name, short, designator string
	epochUs                 int64
	absolute, relative      int
	fromUs, toUs            int64 // when it delivered
}

func utc(text string) int64 {
	t, err := time.Parse("2006-01-02T15:04:05", text)
	if err != nil {
		panic(err)
	}
	return t.UnixMicro()
}

// Phases and orbit numbers: Sentinel-1 from S1A_IW_GRDH_1SSH_20250731T135702 (orbit 60328, relative 56), Sentinel-2 from
// S2B_MSIL2A_20240828T174909 (orbit 39063, relative 141); their partners fly the same tracks half a cycle later, and the numbers
// follow ESA's rules, relative = (absolute-73) mod 175 + 1 (S1A; 27 for S1B, 172 for S1C), (absolute-141) mod 143 + 1 (S2A; 27 for S2B).
var (
	platformsS1 = []*platform{
		{&orbitS1, "sentinel-1a", "S1A", "2014-016A", utc("2025-07-31T12:31:13"), 60328, 56, utc("2015-07-06T00:00:00"), utc("2026-01-01T00:00:00")},
		{&orbitS1, "sentinel-1b", "S1B", "2016-025A", utc("2021-12-25T12:31:13"), 30182, 56, utc("2016-09-26T00:00:00"), utc("2021-12-23T00:00:00")},
		{&orbitS1, "sentinel-1c", "S1C", "2024-228A", utc("2025-08-06T12:31:13"), 3552, 56, utc("2025-03-26T00:00:00"), utc("2026-01-01T00:00:00")},
	}
	platformsS2 = []*platform{
		{&orbitS2, "sentinel-2a", "S2A", "2015-028A", utc("2024-09-02T17:22:54"), 48043, 141, utc("2015-07-06T00:00:00"), utc("2025-01-21T00:00:00")},
		{&orbitS2, "sentinel-2b", "S2B", "2017-013A", utc("2024-08-28T17:22:54"), 39063, 141, utc("2017-03-16T00:00:00"), utc("2026-01-01T00:00:00")},
		{&orbitS2, "sentinel-2c", "S2C", "2024-157A", utc("2025-01-20T17:22:54"), 1966, 141, utc("2025-01-21T00:00:00"), utc("2026-01-01T00:00:00")},
	}
	platformsSPOT = []*platform{
		{&orbitSPOT, "spot-6", "SPOT6", "2012-047A", utc("2020-01-01T20:10:00"), 37000, 1, utc("2015-07-06T00:00:00"), utc("2026-01-01T00:00:00")},
		{&orbitSPOT, "spot-7", "SPOT7", "2014-034A", utc("2020-01-14T20:10:00"), 28000, 1, utc("2015-07-06T00:00:00"), utc("2023-03-17T00:00:00")},
	}
)

// revolution is one turn of a platform around the Earth, from its ascending node.
type revolution struct {
	platform           *platform
	absolute, relative int
	nodeUs             int64
}

// at returns the revolution that a time falls into.
func (p *platform) at(us int64) revolution {
	period := p.periodS() * 1e6
	n := int(math.Floor(float64(us-p.epochUs) / period))
	relative := (p.relative-1+n)%p.cycle + 1
	if relative < 1 {
		relative += p.cycle
	}
	return revolution{p, p.absolute + n, relative, p.epochUs + int64(math.Round(float64(n)*period))}
}

// nodeLonDeg is the longitude of a relative orbit's ascending node: the tracks lie evenly, one after the other to the west.
func (p *platform) nodeLonDeg(relative int) float64 {
	hour := math.Mod(float64(p.epochUs)/3.6e9, 24)
	return geo.WrapLon(15*(p.nodeHour-hour) - float64(relative-p.relative)*360*float64(p.days)/float64(p.cycle))
}

// vector is a place on the unit sphere, or a direction.
type vector [3]float64

func place(lonDeg, latDeg float64) vector {
	sinLon, cosLon := math.Sincos(lonDeg * rad)
	sinLat, cosLat := math.Sincos(latDeg * rad)
	return vector{cosLat * cosLon, cosLat * sinLon, sinLat}
}

func (v vector) lonLat() [2]float64 {
	return [2]float64{math.Atan2(v[1], v[0]) / rad, math.Asin(max(-1, min(1, v[2]))) / rad}
}

func (v vector) dot(w vector) float64 { return v[0]*w[0] + v[1]*w[1] + v[2]*w[2] }

func (v vector) cross(w vector) vector {
	return vector{v[1]*w[2] - v[2]*w[1], v[2]*w[0] - v[0]*w[2], v[0]*w[1] - v[1]*w[0]}
}

// frame is the satellite's point on the ground and the directions of its track, as seen from the turning Earth.
type frame struct{ below, forward, right vector }

// below returns the ground point dtS after the ascending node.
func (o *orbit) below(nodeLonDeg, dtS float64) vector {
	sinU, cosU := math.Sincos(2 * math.Pi * dtS / o.periodS())
	sinI, cosI := math.Sincos(o.inclinationRad)
	lon := nodeLonDeg + math.Atan2(cosI*sinU, cosU)/rad - dtS*360/86400
	return place(lon, math.Asin(sinI*sinU)/rad)
}

func (o *orbit) frame(nodeLonDeg, dtS float64) frame {
	f := frame{below: o.below(nodeLonDeg, dtS)}
	a, b := o.below(nodeLonDeg, dtS-0.5), o.below(nodeLonDeg, dtS+0.5)
	forward := vector{b[0] - a[0], b[1] - a[1], b[2] - a[2]}
	length := math.Sqrt(forward.dot(forward))
	f.forward = vector{forward[0] / length, forward[1] / length, forward[2] / length}
	f.right = f.forward.cross(f.below)
	return f
}

// at returns the place so far to the right of the ground point and ahead of it.
func (f frame) at(rightKm, aheadKm float64) [2]float64 {
	sinR, cosR := math.Sincos(rightKm / earthKm)
	sinA, cosA := math.Sincos(aheadKm / earthKm)
	var v vector
	for i := range v {
		v[i] = cosA*(cosR*f.below[i]+sinR*f.right[i]) + sinA*f.forward[i]
	}
	return v.lonLat()
}

// of is the inverse of at.
func (f frame) of(v vector) (rightKm, aheadKm float64) {
	return earthKm * math.Atan2(v.dot(f.right), v.dot(f.below)), earthKm * math.Asin(max(-1, min(1, v.dot(f.forward))))
}

// groundSpeedKmS is how fast the ground point moves, to half a percent.
func (o *orbit) groundSpeedKmS() float64 { return 2 * math.Pi * earthKm / o.periodS() }
