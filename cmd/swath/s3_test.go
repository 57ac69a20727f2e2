package main

import (
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"swath/geo"
	"swath/internal/s3test"
	"swath/objects"
	"swath/raster"
)

// TestTilesFromS3 draws tiles of a COG in a bucket that is 20 ms away, each with nothing in the cache: once the file is open, a tile
// takes at most three range requests, one for each row of blocks that it sees, and since they are made side by side little more than
// one way there and back. Few tiles may see a fourth row.
func TestTilesFromS3(t *testing.T) {
	const away, side = 20 * time.Millisecond, 3000
	server := s3test.Start(t)
	target, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var ranges atomic.Int64
	real := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // the signature covers it
	}, ErrorLog: log.New(io.Discard, "", 0)}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			ranges.Add(1)
		}
		time.Sleep(away)
		real.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	store, err := objects.OpenS3(t.Context(), objects.S3Config{Endpoint: proxy.URL, Region: server.Region, Bucket: server.Bucket,
		AccessKey: server.AccessKey, SecretKey: objects.Secret(server.SecretKey), PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}

	plain, cog := filepath.Join(t.TempDir(), "plain.tif"), filepath.Join(t.TempDir(), "B04.tif")
	rnd := rand.New(rand.NewPCG(8, 8))
	values := make([]float32, side*side)
	for i := range values {
		values[i] = float32(1 + rnd.IntN(3000))
	}
	planes := raster.Planes{CRS: 32631, Transform: geo.Affine{300000, 10, 0, 4900000, 0, -10}, Width: side, Height: side, Values: [][]float32{values}}
	if err := raster.WritePlanes(plain, planes); err != nil {
		t.Fatal(err)
	}
	if err := raster.WriteCOG(t.Context(), plain, cog, raster.COGOptions{}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(cog)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := store.Put(t.Context(), "scene/B04.tif", "image/tiff", f); err != nil {
		t.Fatal(err)
	}

	src, err := openRaster(store)(t.Context(), "scene/B04.tif")
	if err != nil {
		t.Fatal(err)
	}
	defer src.(io.Closer).Close()
	c, err := raster.OpenCOG(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	if n := ranges.Swap(0); n != 1 {
		t.Errorf("%d range requests open the file, want 1: its tables are short", n)
	}
	utm, _ := geo.ProjectionOf(32631)
	const tiles = 60
	var took time.Duration
	counts := map[int64]int{}
	for range tiles {
		lon, lat := utm.ToLonLat(300000+rnd.Float64()*side*10, 4900000-rnd.Float64()*side*10)
		tile := geo.TileAt(9+rnd.IntN(6), lon, lat)
		start := time.Now()
		if _, err := raster.NewReader(0).Warp(t.Context(), c, raster.Grid{CRS: geo.WebMercator, Transform: tile.Transform(256), Width: 256, Height: 256},
			[]int{1}, raster.Nearest); err != nil {
			t.Fatal(err)
		}
		took += time.Since(start)
		counts[ranges.Swap(0)]++
	}
	t.Logf("tiles by range requests: %v; %s each", counts, took/tiles)
	few, most := 0, int64(0)
	for n, tiles := range counts {
		if n <= 3 {
			few += tiles
		}
		most = max(most, n)
	}
	if few < tiles*9/10 || most > 4 {
		t.Errorf("%d of %d tiles take 3 requests or fewer, one takes %d", few, tiles, most)
	}
	if each := took / tiles; each < away || each > 5*away {
		t.Errorf("a tile takes %s, with the bucket %s away", each, away)
	}
}
