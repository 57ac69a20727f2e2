package geo

import (
	"fmt"
	"math"
	"strings"
)

const (
	mgrsBands = "CDEFGHJKLMNPQRSTUVWX" // latitude bands of 8 degrees from 80 south; X has 12
	mgrsRows  = "ABCDEFGHJKLMNPQRSTUV" // 100 km rows, repeating each 2,000 km
)

// mgrsColumns are the 100 km columns, from 100 km east, of zones 1, 2, 3 and so on in turn.
var mgrsColumns = [3]string{"ABCDEFGH", "JKLMNPQR", "STUVWXYZ"}

// mgrsBandKm is the northing of the lowest whole 100 km square that reaches into each band (NGA.STND.0037, table of
// minimum northings; band C begins lower, because the mission's grid goes on to 84 south).
var mgrsBandKm = [20]int{500, 2000, 2800, 3700, 4600, 5500, 6400, 7300, 8200, 9100, 0, 800, 1700, 2600, 3500, 4400, 5300, 6200, 7000, 7900}

// Tile geometry of Sentinel-2's grid.
const (
	mgrsTileM  = 109800
	mgrsAlignM = 60 // edges lie on multiples of the coarsest pixel
)

// MGRSTile returns the coordinate system and box, in metres, of a Sentinel-2 tile such as "31TCJ": the 100 km square of that
// name, aligned to 60 m and grown to 109.8 km. It is an error if no such square can be; whether the mission images it is not known here.
func MGRSTile(name string) (EPSG, Box, error) {
	bad := fmt.Errorf("geo: %q is not the name of an MGRS tile", name)
	if len(name) != 5 || name[0] < '0' || name[0] > '6' || name[1] < '0' || name[1] > '9' {
		return 0, Box{}, bad
	}
	zone := int(name[0]-'0')*10 + int(name[1]-'0')
	if zone < 1 || zone > 60 {
		return 0, Box{}, bad
	}
	band := strings.IndexByte(mgrsBands, name[2])
	column := strings.IndexByte(mgrsColumns[(zone-1)%3], name[3])
	row := strings.IndexByte(mgrsRows, name[4])
	if band < 0 || column < 0 || row < 0 {
		return 0, Box{}, bad
	}
	if zone%2 == 0 {
		row = (row + 15) % 20 // even zones begin with F
	}
	northKm := mgrsBandKm[band]
	northKm += ((row*100-northKm)%2000 + 2000) % 2000
	code, south := EPSG(32600+zone), 0.0
	if band < 10 {
		code, south = EPSG(32700+zone), utmSouthM
	}
	minX := mgrsAlignM * math.Floor(float64(column+1)*100000/mgrsAlignM)
	maxY := south + mgrsAlignM*math.Ceil((float64(northKm+100)*1000-south)/mgrsAlignM)
	return code, Box{minX, maxY - mgrsTileM, minX + mgrsTileM, maxY}, nil
}
