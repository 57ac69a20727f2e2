package tiles

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"swath/fault"
	"swath/internal/shelf"
	"swath/raster"
	"swath/render"
)

// openCache opens a cache for the length of a test, counted.
func openCache(t testing.TB, folder string, most int64) *DiskCache {
	t.Helper()
	d, err := OpenDiskCache(folder, most, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	<-d.counted
	return d
}

func TestDiskCacheSurvivesARestart(t *testing.T) {
	folder := t.TempDir()
	d := openCache(t, folder, 1<<20)
	body := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 5000+i) }
	for i := range 20 {
		d.Put(fmt.Sprint("tag", i), body(i))
	}
	if _, err := OpenDiskCache(folder, 1<<20, slog.New(slog.DiscardHandler)); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second process: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	// What a killed process leaves, old enough not to be another's.
	left := filepath.Join(folder, "00", unfinished+"1")
	os.MkdirAll(filepath.Dir(left), 0o755)
	os.WriteFile(left, []byte("half"), 0o600)
	long := time.Now().Add(-time.Hour)
	os.Chtimes(left, long, long)

	d = openCache(t, folder, 1<<20)
	if s := d.Stats(); s.Files != 20 || s.Bytes != 20*2*diskUnit {
		t.Errorf("after the restart: %+v", s)
	}
	for i := range 20 {
		if got, ok := d.Get(fmt.Sprint("tag", i)); !ok || !bytes.Equal(got, body(i)) {
			t.Errorf("tag %d: %v, %d bytes", i, ok, len(got))
		}
	}
	if _, ok := d.Get("tag20"); ok {
		t.Error("what was never put is there")
	}
	if s := d.Stats(); s.Hits != 20 || s.Misses != 1 {
		t.Errorf("counts: %+v", s)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("an unfinished file stays: %v", err)
	}
}

func TestDiskCacheForgetsTheLongestUnused(t *testing.T) {
	folder := t.TempDir()
	const room = 10 * 2 * diskUnit // ten files of 5000 bytes
	d := openCache(t, folder, room)
	body := make([]byte, 5000)
	for i := range 10 {
		d.Put(fmt.Sprint(i), body)
	}
	d.Get("0") // used again
	for i := 10; i < 15; i++ {
		d.Put(fmt.Sprint(i), body)
	}
	d.Put("too large", make([]byte, room/largestShare+1))
	there := func(d *DiskCache) (names []int) {
		for i := range 15 {
			if _, err := os.Stat(d.path(digestOf(fmt.Sprint(i)))); err == nil {
				names = append(names, i)
			}
		}
		return names
	}
	if got, want := there(d), []int{0, 6, 7, 8, 9, 10, 11, 12, 13, 14}; !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	if s := d.Stats(); s.Bytes != room || s.Files != 10 {
		t.Errorf("%+v, want %d bytes", s, room)
	}
	if _, ok := d.Get("too large"); ok {
		t.Error("a picture as large as an eighth of the cache was kept")
	}
	// A smaller cache opened on the same folder keeps the latest, by the files' times.
	for age, i := range []int{12, 0, 7} {
		at := time.Now().Add(time.Duration(10-age) * time.Hour)
		os.Chtimes(d.path(digestOf(fmt.Sprint(i))), at, at)
	}
	d.Close()
	if got, want := there(openCache(t, folder, 3*2*diskUnit)), []int{0, 7, 12}; !slices.Equal(got, want) {
		t.Errorf("a smaller cache kept %v, want %v", got, want)
	}
}

// TestDiskCacheNeverServesDamage flips, cuts, swaps and replaces files.
func TestDiskCacheNeverServesDamage(t *testing.T) {
	d := openCache(t, t.TempDir(), 1<<20)
	rnd := rand.New(rand.NewPCG(1, 1))
	body := make([]byte, 3000)
	for i := range body {
		body[i] = byte(rnd.Uint32())
	}
	path := d.path(digestOf("tag"))
	d.Put("tag", body)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d.Put("other", body)
	other, _ := os.ReadFile(d.path(digestOf("other")))
	damaged := map[string][]byte{"empty": {}, "one byte": whole[:1], "half": whole[:len(whole)/2], "longer": append(slices.Clone(whole), 0),
		"another picture's": other, "zeros": make([]byte, len(whole)), "a head": whole[:diskHeadBytes]}
	for i := range 200 {
		flipped := slices.Clone(whole)
		flipped[i*len(flipped)/200] ^= 1 << rnd.UintN(8)
		damaged[fmt.Sprint("flipped ", i)] = flipped
	}
	for name, content := range damaged {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, ok := d.Get("tag"); ok {
			t.Errorf("%s: served", name)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: not thrown away", name)
		}
	}
	d.Put("tag", body)
	if got, ok := d.Get("tag"); !ok || !bytes.Equal(got, body) {
		t.Error("put again, it is not there")
	}
	// A folder in the place of a file cannot be read: a miss, not a failure.
	os.Remove(path)
	os.Mkdir(path, 0o755)
	if _, ok := d.Get("tag"); ok {
		t.Error("a folder was served")
	}
}

func TestDiskCacheByMany(t *testing.T) {
	d := openCache(t, t.TempDir(), 40*diskUnit)
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			rnd := rand.New(rand.NewPCG(7, uint64(n)))
			for range 500 {
				i := rnd.IntN(100)
				want := bytes.Repeat([]byte{byte(i)}, 100+i)
				if got, ok := d.Get(fmt.Sprint(i)); ok && !bytes.Equal(got, want) {
					t.Errorf("%d: %d bytes of another", i, len(got))
				} else if !ok {
					d.Put(fmt.Sprint(i), want)
				}
			}
		})
	}
	group.Wait()
	if s := d.Stats(); s.Bytes > 40*diskUnit || s.Hits+s.Misses != 4000 {
		t.Errorf("%+v", s)
	}
}

// TestRecencyAgainstAList runs random operations on the index and on a plain slice.
func TestRecencyAgainstAList(t *testing.T) {
	var r recency
	type thing struct {
		key   digest
		bytes int64
	}
	var model []thing // latest first
	rnd := rand.New(rand.NewPCG(2, 3))
	find := func(k digest) int { return slices.IndexFunc(model, func(x thing) bool { return x.key == k }) }
	for step := range 20_000 {
		k := digest{byte(rnd.UintN(40))}
		size := int64(1 + rnd.UintN(20))
		switch rnd.UintN(8) {
		case 0:
			r.drop(k)
			if i := find(k); i >= 0 {
				model = slices.Delete(model, i, i+1)
			}
		case 1:
			r.addLast(k, size*diskUnit)
			if find(k) < 0 {
				model = append(model, thing{k, size})
			}
		case 2:
			most := int64(rnd.UintN(300))
			gone := r.shrink(most * diskUnit)
			total := int64(0)
			for _, x := range model {
				total += x.bytes
			}
			var want []digest
			for total > most {
				last := model[len(model)-1]
				model, total, want = model[:len(model)-1], total-last.bytes, append(want, last.key)
			}
			if !slices.Equal(gone, want) {
				t.Fatalf("step %d: gone %v, want %v", step, gone, want)
			}
		default:
			r.use(k, size*diskUnit, time.Unix(int64(step), 0))
			if i := find(k); i >= 0 {
				model = slices.Delete(model, i, i+1)
			}
			model = slices.Insert(model, 0, thing{k, size})
		}
		total := int64(0)
		for _, x := range model {
			total += x.bytes
		}
		if r.bytes != total*diskUnit || len(r.at) != len(model) {
			t.Fatalf("step %d: %d things of %d bytes, want %d of %d", step, len(r.at), r.bytes, len(model), total*diskUnit)
		}
	}
}

// TestKeptPicturesAreNotDrawnAgain draws tiles, then has another renderer serve them while no raster can be read.
func TestKeptPicturesAreNotDrawnAgain(t *testing.T) {
	s := shelf.New(t)
	s.JMM(depth)
	folder := t.TempDir()
	cache := openCache(t, folder, 1<<24)
	q := Request{Collection: "jmm", Item: "jmm", Assets: []string{"B08"}, Rescale: [][2]float64{{0, 0.4}}}
	r := New(s.Catalog(), s.Open, Options{Pictures: cache})
	draw := func(r *Renderer) ([]byte, error) {
		v, err := r.View(t.Context(), q)
		if err != nil {
			return nil, err
		}
		frame, err := v.PreviewFrame(t.Context(), Size{MaxPx: 200}, 3857)
		if err != nil {
			return nil, err
		}
		return v.Picture(t.Context(), frame, render.PNG)
	}
	first, err := draw(r)
	if err != nil {
		t.Fatal(err)
	}
	nothing := func(context.Context, string) (raster.Source, error) {
		return nil, fault.New(fault.Unavailable, "no raster can be read")
	}
	again, err := draw(New(s.Catalog(), nothing, Options{Pictures: cache}))
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("kept: %v, %d bytes, want %d", err, len(again), len(first))
	}
	q.Rescale[0][1] = 0.5
	if _, err := draw(New(s.Catalog(), nothing, Options{Pictures: cache})); !fault.Is(err, fault.Unavailable) {
		t.Errorf("another stretch was found: %v", err)
	}
}

func BenchmarkDiskCache(b *testing.B) {
	d := openCache(b, b.TempDir(), 1<<30)
	body := make([]byte, 30_000)
	b.Run("put", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			d.Put(fmt.Sprint(i), body)
		}
	})
	b.Run("get", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, ok := d.Get(fmt.Sprint(i % 1000)); !ok {
				b.Fatal("a miss")
			}
		}
	})
}
