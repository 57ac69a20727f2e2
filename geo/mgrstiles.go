package geo

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"math"
	"sync"
)

// mgrsTilesGz has a bit for each name in order of zone, band, column and row: 1 when the mission makes that tile. From ESA's tiling grid,
// S2A_OPER_GIP_TILPAR_MPC__20151209T095117_V20150622T000000_21000101T000000_B00.
//
//go:embed mgrstiles.gz
var mgrsTilesGz []byte

var mgrsTiles = sync.OnceValue(func() []byte {
	z, err := gzip.NewReader(bytes.NewReader(mgrsTilesGz))
	if err != nil {
		panic(err) // it is part of the program
	}
	bits, err := io.ReadAll(z)
	if err != nil {
		panic(err)
	}
	return bits
})

// MGRSTilesOver returns the names of the 56,686 tiles that Sentinel-2 is imaged on which may meet an outline: those that meet its bounding
// box in the tile's own zone, west to east.
func MGRSTilesOver(outline Ring) []string {
	var names []string
	u := Unwrap(outline)
	west, east := math.Inf(1), math.Inf(-1)
	for _, p := range u {
		west, east = math.Min(west, p[0]), math.Max(east, p[0])
	}
	for zone := 1; zone <= 60; zone++ {
		const reachDeg = 12 // of a zone's tiles from its middle, in the far north more than its own 3
		middle := float64(6*zone - 183)
		if off := WrapLon(middle - (west+east)/2); math.Abs(off) > (east-west)/2+reachDeg {
			continue
		}
		for _, north := range []bool{true, false} {
			if box := boxIn(newUTM(zone, north), u); box.MinX <= box.MaxX {
				names = append(names, tilesOfZone(zone, north, box)...)
			}
		}
	}
	return names
}

// boxIn is the box of an outline's corners, and of places between them, in a projection.
func boxIn(p Projection, outline Ring) Box {
	b := Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for i := range len(outline) - 1 {
		const parts = 8
		for k := range parts {
			f := float64(k) / parts
			x, y := p.FromLonLat(outline[i][0]+f*(outline[i+1][0]-outline[i][0]), outline[i][1]+f*(outline[i+1][1]-outline[i][1]))
			if x == x {
				b = Box{math.Min(b.MinX, x), math.Min(b.MinY, y), math.Max(b.MaxX, x), math.Max(b.MaxY, y)}
			}
		}
	}
	return b
}

// tilesOfZone returns the tiles of half a zone that meet a box.
func tilesOfZone(zone int, north bool, box Box) (names []string) {
	bits := mgrsTiles()
	columns := mgrsColumns[(zone-1)%3]
	bands := mgrsBands[:10]
	if north {
		bands = mgrsBands[10:]
	}
	for b := range len(bands) {
		for c := range len(columns) {
			for r := range len(mgrsRows) {
				band := b
				if north {
					band += 10
				}
				i := (((zone-1)*20+band)*8+c)*20 + r
				if bits[i/8]>>(i%8)&1 == 0 {
					continue
				}
				name := string([]byte{byte('0' + zone/10), byte('0' + zone%10), bands[b], columns[c], mgrsRows[r]})
				if _, t, err := MGRSTile(name); err == nil && t.MinX <= box.MaxX && t.MaxX >= box.MinX && t.MinY <= box.MaxY && t.MaxY >= box.MinY {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// IsMGRSTile reports whether the mission images a tile of this name.
func IsMGRSTile(name string) bool {
	if _, _, err := MGRSTile(name); err != nil {
		return false
	}
	zone := int(name[0]-'0')*10 + int(name[1]-'0')
	index := func(letters string, b byte) int { return bytes.IndexByte([]byte(letters), b) }
	i := (((zone-1)*20+index(mgrsBands, name[2]))*8+index(mgrsColumns[(zone-1)%3], name[3]))*20 + index(mgrsRows, name[4])
	return mgrsTiles()[i/8]>>(i%8)&1 == 1
}
