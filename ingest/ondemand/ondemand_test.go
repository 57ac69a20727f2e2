package ondemand

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"swath/catalog"
	"swath/fault"
	"swath/geo"
	"swath/ingest"
	"swath/internal/testdb"
	"swath/objects"
	"swath/raster"
	"swath/render"
	"swath/stac"
	"swath/tiles"
)

const jmm = "../../testdata/scenes/S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.zip"

// house is an installation with one Sentinel-2 product whose images stayed JPEG 2000.
type house struct {
	t       *testing.T
	url     string
	store   objects.Store
	catalog *catalog.Store
	work    string
	item    ingest.Result
}

func newHouse(t *testing.T, opts ingest.Options, document map[string]any) *house {
	t.Helper()
	if testing.Short() {
		t.Skip("converts products")
	}
	h := &house{t: t, url: testdb.New(t), work: t.TempDir()}
	var err error
	if h.catalog, err = catalog.Open(t.Context(), h.url, catalog.Config{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.catalog.Close)
	if h.store, err = objects.OpenFolder(filepath.Join(t.TempDir(), "objects")); err != nil {
		t.Fatal(err)
	}
	in := &ingest.Ingester{Objects: h.store, Catalog: h.catalog, Work: h.work, Log: slog.New(slog.DiscardHandler)}
	if document != nil {
		body, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.catalog.PutCollection(t.Context(), stac.Collection{ID: document["id"].(string), Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	results, err := in.Ingest(t.Context(), jmm, opts)
	if err != nil || len(results) != 1 || results[0].Err != nil {
		t.Fatal(err, results)
	}
	h.item = results[0]
	return h
}

// shelf runs one more server's shelf until the test ends.
func (h *house) shelf(cfg Config) *Shelf {
	h.t.Helper()
	cfg.Objects, cfg.Work, cfg.Log = h.store, h.work, slog.New(slog.DiscardHandler)
	cfg.Look, cfg.Sweep, cfg.Grace = 20*time.Millisecond, 50*time.Millisecond, 100*time.Millisecond
	if cfg.Bytes == 0 {
		cfg.Bytes = 1 << 40
	}
	if cfg.Age == 0 {
		cfg.Age = time.Hour
	}
	s, err := Open(h.t.Context(), h.url, cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	h.t.Cleanup(func() {
		cancel()
		running.Wait()
		s.Close()
	})
	return s
}

// renderer draws the house's item with the COGs of a shelf.
func (h *house) renderer(s *Shelf) *tiles.Renderer {
	return tiles.New(h.catalog, func(ctx context.Context, key string) (raster.Source, error) {
		o, err := h.store.Open(ctx, key)
		if err != nil {
			return nil, err
		}
		return source{o}, nil
	}, tiles.Options{Standins: s})
}

type source struct{ objects.Object }

func (s source) Size() int64 { return s.Info().Size }
func (s source) ID() string  { return s.Info().Key }

// values draws a band at full resolution, and tells the ETag.
func (h *house) values(r *tiles.Renderer) (tag string, body []byte) {
	h.t.Helper()
	v, err := r.View(h.t.Context(), tiles.Request{Collection: h.item.Collection, Item: h.item.Item, Assets: []string{"B04"}, Stored: true})
	if err != nil {
		h.t.Fatal(err)
	}
	b := h.document().BBox
	frame, err := v.TileFrame(tiles.WebMercatorQuad, geo.TileAt(14, (b[0]+b[2])/2, (b[1]+b[3])/2))
	if err != nil {
		h.t.Fatal(err)
	}
	if tag, err = v.ETag(frame, render.NPY); err != nil {
		h.t.Fatal(err)
	}
	if body, err = v.Picture(h.t.Context(), frame, render.NPY); err != nil {
		h.t.Fatal(err)
	}
	return tag, body
}

type document struct {
	BBox   [4]float64
	Assets map[string]struct {
		Object string `json:"swath:object"`
	}
}

// document is the house's item.
func (h *house) document() (d document) {
	h.t.Helper()
	it, err := h.catalog.Item(h.t.Context(), h.item.Collection, h.item.Item)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := json.Unmarshal(it.Body, &d); err != nil {
		h.t.Fatal(err)
	}
	return d
}

// key is the object of the item's B04.
func (h *house) key() string { return h.document().Assets["B04"].Object }

func (h *house) eventually(what string, is func() bool) {
	h.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("never: %s", what)
		}
	}
}

// TestMadeAtFirstView: what is looked at gets a COG, which shows the same pixels under another ETag, to every server; it leaves when
// there is too much, its bytes as well, and is drawn on from the original.
func TestMadeAtFirstView(t *testing.T) {
	h := newHouse(t, ingest.Options{COG: stac.COGOnDemand}, nil)
	key := h.key()
	if !strings.HasSuffix(key, ".jp2") {
		t.Fatalf("B04 is %s", key)
	}
	s, other := h.shelf(Config{}), h.shelf(Config{})
	r := h.renderer(s)
	before, raw := h.values(r)
	h.eventually("a COG is made", func() bool { return s.COG(key) != "" })
	h.eventually("another server knows it", func() bool { return other.COG(key) == s.COG(key) })
	if s.COG(strings.Replace(key, "B04", "B03", 1)) != "" {
		t.Error("a band that nobody looked at was converted")
	}
	after, made := h.values(r)
	h.eventually("it is drawn from", func() bool { after, made = h.values(r); return after != before })
	if !bytes.Equal(raw, made) {
		t.Error("the COG shows other pixels")
	}
	cog := s.COG(key)
	info, err := h.store.Stat(t.Context(), cog)
	if err != nil || info.ContentType != mediaCOG || !strings.HasPrefix(cog, Prefix) {
		t.Fatalf("%+v %v", info, err)
	}
	h.shelf(Config{Bytes: info.Size - 1})
	h.eventually("it leaves", func() bool { return s.COG(key) == "" && other.COG(key) == "" })
	h.eventually("its bytes leave", func() bool { _, err := h.store.Stat(t.Context(), cog); return fault.Is(err, fault.NotFound) })
	if _, again := h.values(h.renderer(other)); !bytes.Equal(again, raw) {
		t.Error("drawn from the original again it is another one")
	}
	if left, err := os.ReadDir(h.work); err != nil || len(left) > 0 {
		for _, e := range left {
			if !strings.HasPrefix(e.Name(), "cog-") { // one is being made again
				t.Errorf("left in the work folder: %v %v", e.Name(), err)
			}
		}
	}
}

// TestCollectionSays: without a word of the command, the document of the collection decides, for what comes in and what is drawn.
func TestCollectionSays(t *testing.T) {
	document := func(when any) map[string]any {
		return map[string]any{"type": "Collection", "stac_version": "1.1.0", "id": "sentinel-2-l1c", "description": "d", "license": "other", "swath:cog": when,
			"extent": map[string]any{"spatial": map[string]any{"bbox": [][]float64{{-180, -90, 180, 90}}}, "temporal": map[string]any{"interval": [][]any{{nil, nil}}}}}
	}
	t.Run("on-demand", func(t *testing.T) {
		h := newHouse(t, ingest.Options{}, document(stac.COGOnDemand))
		key, s := h.key(), h.shelf(Config{})
		h.values(h.renderer(s))
		h.eventually("a COG is made", func() bool { return s.COG(key) != "" })
		// What was not used for long leaves; so does the COG of an original that is gone.
		if err := h.store.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		h.eventually("the COG of what is gone leaves", func() bool { return s.COG(key) == "" })
	})
	t.Run("none", func(t *testing.T) {
		h := newHouse(t, ingest.Options{}, document(stac.COGNone))
		key, s := h.key(), h.shelf(Config{})
		if h.values(h.renderer(s)); !strings.HasSuffix(key, ".jp2") {
			t.Errorf("B04 is %s", key)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.asked) > 0 {
			t.Error("a COG is wanted of what stays JPEG 2000")
		}
	})
	t.Run("not understood", func(t *testing.T) {
		if key := newHouse(t, ingest.Options{}, document(42)).key(); !strings.HasSuffix(key, ".tif") {
			t.Errorf("B04 is %s", key)
		}
	})
}

// TestClaims: of many servers that want the same one makes it; what can't be made is not tried again at once; what a dead server
// claimed is free again after a time; unused COGs leave by age.
func TestClaims(t *testing.T) {
	h := newHouse(t, ingest.Options{COG: stac.COGOnDemand}, nil)
	key := h.key()
	if _, err := h.store.Put(t.Context(), "c/i/r/broken.jp2", "image/jp2", strings.NewReader("this is no image")); err != nil {
		t.Fatal(err)
	}
	a, b := h.shelf(Config{}), h.shelf(Config{})
	count := func(query string, args ...any) (n int) {
		t.Helper()
		if err := a.pool.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	made := make([]bool, 2)
	var both sync.WaitGroup
	for i, s := range []*Shelf{a, b} {
		both.Go(func() {
			var err error
			if made[i], err = s.makeOne(t.Context(), original{key: key, checksum: "x"}); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if made[0] == made[1] {
		t.Errorf("made %v", made)
	}
	a.Use("c/i/r/broken.jp2", "y", nil)
	h.eventually("it failed", func() bool { return count("select count(*) from cog_on_demand where state = 'failed'") == 1 })
	if made, err := b.makeOne(t.Context(), original{key: "c/i/r/broken.jp2", checksum: "y"}); made || err != nil {
		t.Errorf("tried again: %v %v", made, err)
	}
	if _, err := a.pool.Exec(t.Context(), "update cog_on_demand set used = used - interval '2 hours' where state = 'ready'"); err != nil {
		t.Fatal(err)
	}
	h.eventually("the unused one leaves", func() bool { return count("select count(*) from cog_on_demand where source = $1", key) == 0 })
	if _, err := a.pool.Exec(t.Context(), "insert into cog_on_demand (source, object, state, since) values ('c/dead.jp2', '_cog/c/dead.tif', 'making', now() - interval '2 hours')"); err != nil {
		t.Fatal(err)
	}
	h.eventually("a dead server's claim ends", func() bool { return count("select count(*) from cog_on_demand where source = 'c/dead.jp2'") == 0 })
}

// bareShelf is a shelf that does nothing by itself.
func bareShelf(t *testing.T, url string, store objects.Store) *Shelf {
	t.Helper()
	s, err := Open(t.Context(), url, Config{Objects: store, Bytes: 1 << 40, Age: time.Hour, Grace: time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// slowDelete is a store whose first deletion waits.
type slowDelete struct {
	objects.Store
	once    sync.Once
	begun   chan struct{}
	release chan struct{}
}

func (s *slowDelete) Delete(ctx context.Context, key string) error {
	s.once.Do(func() {
		close(s.begun)
		<-s.release
	})
	return s.Store.Delete(ctx, key)
}

// TestRemoveAgainstMake: a server that removes a COG slowly does not remove the one that is made again under its name.
func TestRemoveAgainstMake(t *testing.T) {
	url, ctx := testdb.New(t), t.Context()
	store, err := objects.OpenFolder(filepath.Join(t.TempDir(), "objects"))
	if err != nil {
		t.Fatal(err)
	}
	slow := &slowDelete{Store: store, begun: make(chan struct{}), release: make(chan struct{})}
	a, b := bareShelf(t, url, store), bareShelf(t, url, slow)
	const source, object = "c/i/r/B04.jp2", Prefix + "c/i/r/B04-1.tif"
	makeIt := func() error {
		if tag, err := a.pool.Exec(ctx, claimSQL, source, object); err != nil || tag.RowsAffected() != 1 {
			return fmt.Errorf("claimed %v: %w", tag, err)
		}
		if _, err := store.Put(ctx, object, mediaCOG, strings.NewReader("II*")); err != nil {
			return err
		}
		_, err := a.pool.Exec(ctx, settleSQL, source, "ready", 3)
		return err
	}
	if err := makeIt(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.pool.Exec(ctx, leaveSQL, source); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond) // the grace
	slowly, again := make(chan error, 1), make(chan error, 1)
	go func() { slowly <- b.remove(ctx) }()
	<-slow.begun
	go func() {
		err := a.remove(ctx)
		if err == nil {
			err = makeIt()
		}
		again <- err
	}()
	select {
	case err := <-again:
		again <- err
	case <-time.After(300 * time.Millisecond): // it waits for the other
	}
	close(slow.release)
	for _, end := range []chan error{slowly, again} {
		if err := <-end; err != nil {
			t.Fatal(err)
		}
	}
	if err := a.look(ctx); err != nil || a.COG(source) != object {
		t.Fatalf("%q is known, %v", a.COG(source), err)
	}
	if _, err := store.Stat(ctx, object); err != nil {
		t.Errorf("the COG that is known: %v", err)
	}
}

// TestUsesAreNotLost: what was used while the database did not answer is written down when it does.
func TestUsesAreNotLost(t *testing.T) {
	s := bareShelf(t, testdb.New(t), nil)
	const source = "c/i/r/B04.jp2"
	if _, err := s.pool.Exec(t.Context(), "insert into cog_on_demand (source, object, state, used) values ($1, 'o', 'ready', now() - interval '1 day')", source); err != nil {
		t.Fatal(err)
	}
	if err := s.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Use(source, "", nil)
	ended, end := context.WithCancel(t.Context())
	end()
	if err := s.note(ended); err == nil {
		t.Fatal("noted after the end")
	}
	if err := s.note(t.Context()); err != nil {
		t.Fatal(err)
	}
	var lately bool
	if err := s.pool.QueryRow(t.Context(), "select used > now() - interval '1 hour' from cog_on_demand").Scan(&lately); err != nil || !lately {
		t.Errorf("used lately: %t, %v", lately, err)
	}
}

// TestLooks: the one who makes COGs and the one who follows others look at the same time (go test -race).
func TestLooks(t *testing.T) {
	s := bareShelf(t, testdb.New(t), nil)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 40 {
				if _, err := s.pool.Exec(t.Context(), "insert into cog_on_demand (source, object, state) values ($1, 'o', 'ready')", fmt.Sprint(i, j)); err != nil {
					t.Error(err)
				}
				if err := s.look(t.Context()); err != nil || s.COG(fmt.Sprint(i, j)) == "" {
					t.Errorf("%d %d is unknown, %v", i, j, err)
				}
			}
		})
	}
	all.Wait()
}
