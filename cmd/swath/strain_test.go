package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"swath/geo"
	"swath/raster"
)

// long says that a test has time: SWATH_TEST_LONG=1.
func long() bool { return os.Getenv("SWATH_TEST_LONG") == "1" }

// manyScenes ingests so many scenes of noise, side pixels wide, side by side around Toulouse, and returns the data folder and the
// box of each in degrees.
func manyScenes(t *testing.T, scenes, side int) (data string, boxes []geo.Box) {
	t.Helper()
	t.Setenv("SWATH_LOG_LEVEL", "error")
	data, from := dataFolder(t), t.TempDir()
	rnd := rand.New(rand.NewPCG(4, 4))
	utm, _ := geo.ProjectionOf(32631)
	for i := range scenes {
		folder := filepath.Join(from, fmt.Sprint("s", i))
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		values := make([]float32, side*side)
		for j := range values {
			values[j] = float32(1 + rnd.IntN(3000))
		}
		west, north := 300000+float64(i%20*side*10), 4900000-float64(i/20*side*10)
		if err := raster.WritePlanes(filepath.Join(folder, "B04.tif"), raster.Planes{CRS: 32631, Transform: geo.Affine{west, 10, 0, north, 0, -10},
			Width: side, Height: side, Values: [][]float32{values}}); err != nil {
			t.Fatal(err)
		}
		item, err := json.Marshal(map[string]any{"type": "Feature", "stac_version": "1.1.0", "id": fmt.Sprint("s", i), "collection": "many", "geometry": nil,
			"links": []any{}, "properties": map[string]any{"datetime": "2024-06-01T00:00:00Z"},
			"assets": map[string]any{"B04": map[string]any{"href": "B04.tif", "type": "image/tiff; application=geotiff", "roles": []string{"data"}, "bands": []map[string]any{{"name": "B04"}}}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "item.json"), item, 0o644); err != nil {
			t.Fatal(err)
		}
		lon, lat := utm.ToLonLat(west, north)
		east, south := utm.ToLonLat(west+float64(side*10), north-float64(side*10))
		boxes = append(boxes, geo.Box{MinX: lon, MinY: south, MaxX: east, MaxY: lat})
	}
	if code, out, errs := swath(t, "ingest", "--data", data, from); code != exitDone {
		t.Fatalf("ingest: exit code %d\n%s%s", code, out, errs)
	}
	return data, boxes
}

// anyTile is the address of a random tile of a random scene, of six levels from one on.
func anyTile(boxes []geo.Box, coarsest int, query string) string {
	i := rand.IntN(len(boxes))
	b := boxes[i]
	tile := geo.TileAt(coarsest+rand.IntN(6), b.MinX+rand.Float64()*(b.MaxX-b.MinX), b.MinY+rand.Float64()*(b.MaxY-b.MinY))
	return fmt.Sprintf("/collections/many/items/s%d/tiles/WebMercatorQuad/%d/%d/%d.png?assets=B04&rescale=0,3000%s", i, tile.Z, tile.X, tile.Y, query)
}

// ask gets an address and returns the status and what the answer says of asking again.
func ask(client *http.Client, address string) (status int, retryAfter string, err error) {
	r, err := client.Get(address)
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	_, err = io.Copy(io.Discard, r.Body)
	return r.StatusCode, r.Header.Get("Retry-After"), err
}

// peakMiB returns the most memory that a process had at a time.
func peakMiB(t *testing.T, process *exec.Cmd) float64 {
	t.Helper()
	peak, err := readPeakMiB(process.Process.Pid)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no /proc: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return peak
}

func readPeakMiB(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kB, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	peak, err := strconv.ParseFloat(kB, 64)
	return peak / 1024, err
}

// watchPeak looks at the memory of a process that ends by itself, until what it returns is called. What the system counts of a
// process that has ended is no measure: it begins with the memory of whoever started it.
func watchPeak(t *testing.T, process *exec.Cmd) (peakMiB func() float64) {
	t.Helper()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skipf("no /proc: %v", err)
	}
	stop, peak := make(chan struct{}), make(chan float64)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		most := 0.0
		for {
			if now, err := readPeakMiB(process.Process.Pid); err == nil {
				most = max(most, now)
			}
			select {
			case <-tick.C:
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	return func() float64 {
		close(stop)
		return <-peak
	}
}

// TestMemoryOfTiles draws random tiles of many scenes, which together are larger than the cache of blocks: the server's memory stays
// below that cache and 200 MiB. SWATH_TEST_LONG=1 draws 10,000 of 200 scenes rather than 1,500 of 40.
func TestMemoryOfTiles(t *testing.T) {
	needsProgram(t)
	const cacheMiB, besideMiB = 64, 200
	scenes, tiles := 40, 1500
	if long() {
		scenes, tiles = 200, 10_000
	}
	data, boxes := manyScenes(t, scenes, 1000)
	t.Setenv("SWATH_BLOCK_CACHE_MIB", fmt.Sprint(cacheMiB))
	base, server := serveData(t, data)
	idle := peakMiB(t, server)
	var asked atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for asked.Add(1) <= int64(tiles) {
				if status, _, err := ask(http.DefaultClient, base+anyTile(boxes, 10, "")); status != http.StatusOK {
					t.Errorf("status %d, %v", status, err)
					return
				}
			}
		})
	}
	all.Wait()
	peak := peakMiB(t, server)
	t.Logf("%d tiles of %d scenes of %d MiB decoded: %.0f MiB at most, %.0f idle; the cache may have %d", tiles, scenes, scenes*4, peak, idle, cacheMiB)
	if peak > cacheMiB+besideMiB {
		t.Errorf("the server took %.0f MiB, more than its cache of %d MiB and %d", peak, cacheMiB, besideMiB)
	}
}

// TestOverload asks for five times as many tiles as can be drawn: what is too much is refused with 503 and Retry-After, nearly as many
// as before are drawn, and when it is over the server answers at once. SWATH_TEST_LONG=1 does so for 20 s rather than 4.
func TestOverload(t *testing.T) {
	needsProgram(t)
	span, least := 4*time.Second, 0.5 // the machine may be shared
	if long() {
		span, least = 20*time.Second, 0.8
	}
	data, boxes := manyScenes(t, 4, 1000)
	base, _ := serveData(t, data)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4096}, Timeout: 30 * time.Second}
	// Of finer levels, where there are so many tiles that hardly two ask for the same at a time, which would be drawn once.
	heavy := func() string { return base + anyTile(boxes, 15, "&tilesize=512&resampling=lanczos") }
	// rate is how many tiles a second eight clients get who wait for each.
	rate := func() float64 {
		var drawn atomic.Int64
		var all sync.WaitGroup
		start := time.Now()
		for range 8 {
			all.Go(func() {
				for time.Since(start) < span {
					if status, _, err := ask(client, heavy()); status != http.StatusOK {
						t.Errorf("at a load that can be borne: status %d, %v", status, err)
						return
					}
					drawn.Add(1)
				}
			})
		}
		all.Wait()
		return float64(drawn.Load()) / time.Since(start).Seconds()
	}
	rate() // fills the caches
	before := rate()
	offered := max(5*before, before+4*64*float64(runtime.NumCPU())/span.Seconds()) // at the least, four times what may wait comes in

	var drawn, shed, other, silent atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	ticks := time.NewTicker(time.Duration(float64(time.Second) / offered))
	defer ticks.Stop()
	for due := 0.0; time.Since(start) < span; <-ticks.C {
		for ; due < offered*time.Since(start).Seconds(); due++ { // also those of ticks that were missed
			all.Go(func() {
				switch status, retryAfter, err := ask(client, heavy()); {
				case status == http.StatusOK && time.Since(start) < span:
					drawn.Add(1)
				case status == http.StatusOK:
				case status == http.StatusServiceUnavailable && retryAfter == "":
					silent.Add(1)
				case status == http.StatusServiceUnavailable:
					shed.Add(1)
				default:
					other.Add(1)
					t.Logf("status %d, %v", status, err)
				}
			})
		}
	}
	over := time.Now()
	status, _, err := ask(client, heavy())
	for status != http.StatusOK && time.Since(over) < 30*time.Second {
		time.Sleep(50 * time.Millisecond)
		status, _, err = ask(client, heavy())
	}
	recovered := time.Since(over)
	all.Wait()
	after := rate()
	goodput := float64(drawn.Load()) / span.Seconds()
	t.Logf("%.0f tiles/s before, %.0f after; of %.0f/s asked for %.0f/s are drawn, %d refused in all; the next answer took %s", before, after, offered, goodput, shed.Load(), recovered)
	if shed.Load() == 0 || silent.Load() > 0 || other.Load() > 0 {
		t.Errorf("%d refused with Retry-After, %d without, %d answered otherwise", shed.Load(), silent.Load(), other.Load())
	}
	if goodput < least*min(before, after) {
		t.Errorf("%.0f tiles/s are drawn of the %.0f before and %.0f after", goodput, before, after)
	}
	if recovered > 10*time.Second || status != http.StatusOK {
		t.Errorf("after %s: status %d, %v", recovered, status, err)
	}
}
