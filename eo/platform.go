// Package eo holds the plain words of Earth observation: platforms, their bands, and the identifiers of products.
//
//	"S2A_MSIL1C_20180629T000241_N0206_…" ─ParseName▶ Name ─▶ Platform ─▶ Bands: B02, blue, 0.4927 µm, 10 m
//
// Standard library only, no I/O. Every name that is read is written back as it was.
package eo

import (
	"fmt"
	"strings"
)

// Mission is a family of satellites as STAC's constellation writes it.
type Mission string

// The missions that Swath reads.
const (
	Sentinel1 Mission = "sentinel-1"
	Sentinel2 Mission = "sentinel-2"
	SPOT      Mission = "spot"
)

// Platform is one satellite.
type Platform struct {
	Name        string // STAC's platform: "sentinel-2a", "spot-5"
	Mission     Mission
	Instruments []string // STAC's instruments: "msi", "c-sar", "hrv"
}

// spotInstruments are the cameras of SPOT 1 to 7, two of a kind on each.
var spotInstruments = [...]string{"hrv", "hrv", "hrv", "hrvir", "hrg", "naomi", "naomi"}

// Platforms returns all platforms, by mission and age.
func Platforms() []Platform {
	var all []Platform
	for _, unit := range "abcd" {
		all = append(all, Platform{"sentinel-1" + string(unit), Sentinel1, []string{"c-sar"}})
	}
	for _, unit := range "abcd" {
		all = append(all, Platform{"sentinel-2" + string(unit), Sentinel2, []string{"msi"}})
	}
	for i, instrument := range spotInstruments {
		all = append(all, Platform{fmt.Sprintf("spot-%d", i+1), SPOT, []string{instrument}})
	}
	return all
}

// PlatformByName finds a platform by any of its spellings: "sentinel-2a", "Sentinel-2A", "SENTINEL2A", "S2A", "SPOT 5".
func PlatformByName(name string) (Platform, bool) {
	plain := strings.NewReplacer("-", "", " ", "", "_", "").Replace(strings.ToLower(name))
	for _, p := range Platforms() {
		long := strings.ReplaceAll(p.Name, "-", "")
		if plain == long || p.Mission != SPOT && plain == "s"+strings.TrimPrefix(long, "sentinel") {
			return p, true
		}
	}
	return Platform{}, false
}
