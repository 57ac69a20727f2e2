package raster

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/airbusgeo/godal"
)

// tileOf reads the first bytes of a file's codestream and one of its tiles.
func tileOf(t testing.TB, path string, tile int) (*codestream, tileBody) {
	t.Helper()
	c := openFile(t, path)
	s := c.Levels[0].pixels.tiles.codestream
	body, err := s.body(c.src, tile)
	if err != nil {
		t.Fatal(err)
	}
	return s, body
}

// TestSmallBlocksAgainstOpenJPEG: our own decoder understands these files, and gives OpenJPEG's samples of every tile, resolution
// and window.
func TestSmallBlocksAgainstOpenJPEG(t *testing.T) {
	for name, s := range map[string]scene{
		"as ESA packs":            small(1, godal.UInt16, esa("NBITS=15")...),
		"true colour":             small(3, godal.Byte, esa("YCC=YES")...),
		"bands apart, by RLCP":    small(2, godal.UInt16, esa("YCC=NO", "PROGRESSION=RLCP", "BLOCKXSIZE=96", "BLOCKYSIZE=128")...),
		"signed":                  small(1, godal.Int16, esa()...),
		"odd tiles":               small(1, godal.UInt16, esa("BLOCKXSIZE=77", "BLOCKYSIZE=91")...),
		"precincts that differ":   small(1, godal.UInt16, esa("PRECINCTS={128,64},{64,32},{32,32},{16,32},{8,16}")...),
		"without precincts":       small(1, godal.UInt16, jp2("REVERSIBLE=YES", "RESOLUTIONS=4", "CODEBLOCK_WIDTH=4", "CODEBLOCK_HEIGHT=4", "BLOCKXSIZE=128", "BLOCKYSIZE=128")...),
		"one resolution":          small(1, godal.UInt16, jp2("REVERSIBLE=YES", "RESOLUTIONS=1", "CODEBLOCK_WIDTH=4", "CODEBLOCK_HEIGHT=4")...),
		"samples of few bits":     small(1, godal.Byte, esa()...),
		"bits thrown away":        small(1, godal.UInt16, esa("QUALITY=30")...),
		"most bits thrown away":   small(3, godal.Byte, esa("QUALITY=5")...),
		"more resolutions (9)":    small(1, godal.UInt16, esa("RESOLUTIONS=9", "PRECINCTS={64,64}")...),
		"tile-parts (components)": small(2, godal.UInt16, esa("YCC=NO", "PLT=YES")...),
	} {
		t.Run(name, func(t *testing.T) {
			path := s.writeJP2(t, t.TempDir())
			random := rand.New(rand.NewPCG(1, 2))
			code, _ := tileOf(t, path, 0)
			if code.small == nil {
				t.Fatal("the layout is not understood")
			}
			for tile := range code.parts {
				_, body := tileOf(t, path, tile)
				for level := range code.resolutions + 1 {
					x0, y0, x1, y1 := code.extent(tile, level)
					if x0 == x1 || y0 == y1 {
						continue
					}
					whole := Window{x0, y0, x1 - x0, y1 - y0}
					x, y := x0+random.IntN(x1-x0), y0+random.IntN(y1-y0)
					for _, w := range []Window{whole, {x, y, 1 + random.IntN(x1-x), 1 + random.IntN(y1-y)}} {
						got := make([]int32, w.Width*w.Height*code.components)
						if err := code.small.decode(code, body.data, tile, level, w, got); err != nil {
							t.Fatalf("tile %d, level %d, window %v: %v", tile, level, w, err)
						}
						theirs := *code
						theirs.small = nil
						want, err := theirs.decode(body, tile, level, w)
						if err != nil {
							t.Fatal(err)
						}
						if !slices.Equal(got, want) {
							i := 0
							for got[i] == want[i] {
								i++
							}
							t.Fatalf("tile %d, level %d, window %v, sample %d: %d, want %d", tile, level, w, i, got[i], want[i])
						}
					}
				}
			}
		})
	}
}

// FuzzSmallBlocks: whatever the packets, decoding ends in an answer.
func FuzzSmallBlocks(f *testing.F) {
	s := small(2, godal.UInt16, esa("YCC=NO")...)
	s.width, s.height = 130, 90
	path := s.writeJP2(f, f.TempDir())
	code, body := tileOf(f, path, 0)
	f.Add(body.data, 0, 0, 0, 130, 90)
	f.Add(body.data[:len(body.data)/2], 2, 3, 4, 7, 11)
	f.Fuzz(func(t *testing.T, packets []byte, level, x, y, wide, high int) {
		if level < 0 || level > code.resolutions || wide < 1 || high < 1 || wide > 200 || high > 200 {
			return
		}
		_ = code.small.decode(code, packets, 0, level, Window{x, y, wide, high}, make([]int32, 2*wide*high))
	})
}

func BenchmarkJPEG2000Tile(b *testing.B) {
	path := os.Getenv("SWATH_JP2") // a band as large as real ones are
	if path == "" {
		path = real(b, realB01)
	}
	code, body := tileOf(b, path, len(tileParts(b, path))/2)
	x0, y0, x1, y1 := code.extent(len(tileParts(b, path))/2, 0)
	whole := Window{x0, y0, x1 - x0, y1 - y0}
	part := Window{x0 + whole.Width/4, y0 + whole.Height/4, min(256, whole.Width/2), min(256, whole.Height/2)}
	theirs := *code
	theirs.small = nil
	for name, s := range map[string]*codestream{"own": code, "OpenJPEG": &theirs} {
		for what, w := range map[string]Window{"whole": whole, "part": part, "pixel": {part.Col, part.Row, 1, 1}} {
			b.Run(fmt.Sprint(name, "/", what), func(b *testing.B) {
				b.SetBytes(int64(len(body.data)))
				for b.Loop() {
					if _, err := s.decode(body, len(tileParts(b, path))/2, 0, w); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func tileParts(t testing.TB, path string) [][]tilePart {
	return openFile(t, path).Levels[0].pixels.tiles.parts
}
