package processes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"swath/auth"
	"swath/chains"
	"swath/fault"
	"swath/internal/s3test"
	"swath/internal/testdb"
	"swath/objects"
	"swath/objects/copies"
	"swath/objects/staging"
	"swath/processes"
	"swath/processes/runner"
	"swath/stac"
)

// put stores an item with one or two files.
func (h *house) put(t testing.TB, collection, id string, files map[string]string) {
	t.Helper()
	if err := h.config.Publish.EnsureCollection(t.Context(), collection); err != nil {
		t.Fatal(err)
	}
	assets := map[string]any{}
	for name, text := range files {
		key := collection + "/" + id + "/r/" + name + ".bin"
		info, err := h.config.Objects.Put(t.Context(), key, "application/octet-stream", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		assets[name] = map[string]any{"href": "swath:/collections/" + collection + "/items/" + id + "/assets/" + name, "type": "application/octet-stream",
			"swath:object": key, "file:checksum": "1220" + info.SHA256, "file:size": info.Size}
	}
	body, err := json.Marshal(map[string]any{"type": "Feature", "stac_version": "1.1.0", "id": id, "collection": collection, "bbox": []float64{1, 43, 2, 44},
		"geometry":   map[string]any{"type": "Polygon", "coordinates": [][][2]float64{{{1, 43}, {2, 43}, {2, 44}, {1, 44}, {1, 43}}}},
		"properties": map[string]any{"datetime": "2024-05-01T00:00:00Z"}, "links": []any{}, "assets": assets})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.catalog.PutItem(t.Context(), stac.Item{Collection: collection, ID: id, Body: body}); err != nil {
		t.Fatal(err)
	}
}

// readIn are the inputs of a chain that tells what it was given.
type readIn struct {
	Products []chains.Product `json:"products" minItems:"1" maxItems:"3" doc:"products"`
	DEM      chains.Folder    `json:"dem,omitempty" doc:"a folder"`
	Publish  bool             `json:"publish" default:"false" doc:"an item is made"`
}
type readOut struct {
	Files []string     `json:"files" doc:"names and what they say"`
	Said  chains.File  `json:"said" media:"text/plain" doc:"the same in a file"`
	Item  *chains.Item `json:"item,omitempty" doc:"an item"`
}

func reader() chains.Chain {
	return chains.Define(chains.About{ID: "read", Version: "2", Title: "Read", Collection: "made", MemoryMiB: 64, Minutes: 1}, func(_ context.Context, in readIn, ws chains.Workspace, progress chains.Progress) (out readOut, err error) {
		for _, p := range append(slices.Clone(in.Products), chains.Product(in.DEM)) {
			if p == "" {
				continue
			}
			err = filepath.Walk(string(p), func(path string, info os.FileInfo, err error) error {
				if err != nil || info.IsDir() {
					return err
				}
				body, err := os.ReadFile(path)
				rel, _ := filepath.Rel(filepath.Dir(string(p)), path) //nolint:errcheck // it is below
				if filepath.Base(path) == "item.json" {
					body = nil
				}
				out.Files = append(out.Files, rel+"="+string(body))
				return err
			})
			if err != nil {
				return out, err
			}
		}
		out.Said = chains.File(filepath.Join(ws.Out, "said.txt"))
		if err := os.WriteFile(string(out.Said), []byte(strings.Join(out.Files, "\n")), 0o600); err != nil {
			return out, err
		}
		if in.Publish {
			path := filepath.Join(ws.Out, "made.json")
			err = os.WriteFile(path, []byte(`{"type":"Feature","stac_version":"1.1.0","id":"made","collection":"whose","bbox":[1,43,2,44],"geometry":{"type":"Point","coordinates":[1.5,43.5]},
				"properties":{"datetime":"2024-05-01T00:00:00Z"},"links":[{"rel":"derived_from","href":"../B","title":"B"}],"assets":{}}`), 0o600)
			item := chains.Item(path)
			out.Item = &item
		}
		return out, err
	})
}

func reading(c *processes.Config) {
	c.List = func() []chains.Chain { return []chains.Chain{reader()} }
	c.Executor = runner.Local{Command: append(c.Executor.(runner.Local).Command[:1:1], "reader")}
}

// read runs the chain and returns what it was given.
func (h *house) read(t testing.TB, ctx context.Context, inputs string) []string {
	t.Helper()
	j, err := h.engine.Submit(ctx, "read", asked(t, inputs))
	if err != nil {
		t.Fatal(err)
	}
	if j, err = h.engine.Wait(ctx, j.ID); err != nil {
		t.Fatal(err)
	}
	results, err := h.engine.Results(ctx, j.ID)
	if err != nil {
		t.Fatalf("%+v: %v", j, err)
	}
	var files []string
	for _, r := range results {
		if r.Name == "files" {
			if err := json.Unmarshal(r.Value, &files); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

// TestHeightsOfABucket: a run finds those of a bucket around its products, in a folder.
func TestHeightsOfABucket(t *testing.T) {
	server := s3test.Start(t)
	config := objects.S3Config{Endpoint: server.Endpoint, Region: server.Region, Bucket: server.Bucket, AccessKey: server.AccessKey, SecretKey: objects.Secret(server.SecretKey), PathStyle: true}
	store, err := objects.OpenS3(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range []string{"N43E001", "N43E002", "N50E010"} {
		if _, err := store.Put(t.Context(), "srtm/"+cell+".hgt", "application/octet-stream", strings.NewReader(cell)); err != nil {
			t.Fatal(err)
		}
	}
	h := newHouse(t, true, func(c *processes.Config) {
		reading(c)
		c.Folders = map[string]processes.Folder{"srtm": {Path: filepath.Join(t.TempDir(), "srtm"),
			Cells: &processes.Cells{From: objects.OpenRemote(config), Bucket: server.Bucket, Key: "srtm/{lat}{lon}.hgt"}}}
	})
	h.put(t, "safes", "S1A", map[string]string{"product": "zip"})
	const want = "S1A.bin=zip srtm/N43E001.hgt=N43E001 srtm/N43E002.hgt=N43E002"
	if got := strings.Join(h.read(t, t.Context(), `{"products":["S1A"],"dem":"srtm"}`), " "); got != want {
		t.Errorf("given %q, want %q", got, want)
	}
}

// TestProducts: all ways to name a product bring the same, and a folder is one of the operator's.
func TestProducts(t *testing.T) {
	dem := t.TempDir()
	if err := os.WriteFile(filepath.Join(dem, "n43.tif"), []byte("heights"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, true, func(c *processes.Config) { reading(c); c.Folders = map[string]processes.Folder{"dem": {Path: dem}} })
	h.put(t, "safes", "S1A", map[string]string{"product": "zip"})
	h.put(t, "cogs", "B", map[string]string{"red": "r", "nir": "n"})
	for name, tc := range map[string]struct{ inputs, want string }{
		"id":              {`{"products":"S1A"}`, "S1A.bin=zip"},
		"id in a list":    {`{"products":["S1A"]}`, "S1A.bin=zip"},
		"value":           {`{"products":[{"value":"S1A"}]}`, "S1A.bin=zip"},
		"item":            {`{"products":[{"item":"S1A","collection":"safes"}]}`, "S1A.bin=zip"},
		"address":         {`{"products":[{"href":"https://here.example/collections/safes/items/S1A"}]}`, "S1A.bin=zip"},
		"path":            {`{"products":["/collections/safes/items/S1A"]}`, "S1A.bin=zip"},
		"asset":           {`{"products":[{"href":"https://here.example/collections/safes/items/S1A/assets/product"}]}`, "S1A.bin=zip"},
		"search":          {`{"products":[{"search":{"collections":["safes"],"bbox":[1.2,43.2,1.3,43.3]}}]}`, "S1A.bin=zip"},
		"assets":          {`{"products":["B"]}`, "B/item.json= B/nir.bin=n B/red.bin=r"},
		"several":         {`{"products":["S1A",{"item":"B"}]}`, "S1A.bin=zip B/item.json= B/nir.bin=n B/red.bin=r"},
		"with a folder":   {`{"products":["S1A"],"dem":"dem"}`, "S1A.bin=zip " + filepath.Base(dem) + "/n43.tif=heights"},
		"all by a search": {`{"products":[{"search":{"ids":["S1A","B"],"sortby":[{"field":"id","direction":"desc"}]}}]}`, "S1A.bin=zip B/item.json= B/nir.bin=n B/red.bin=r"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(h.read(t, t.Context(), tc.inputs), " "); got != tc.want {
				t.Errorf("given %q, want %q", got, tc.want)
			}
		})
	}
	for name, inputs := range map[string]string{
		"none": `{"products":[]}`, "a path of theirs": `{"products":["S1A"],"dem":"/etc"}`, "an empty search": `{"products":[{"search":{"ids":["x"]}}]}`,
		"too many": `{"products":["S1A","S1A","S1A","S1A"]}`, "a wrong form": `{"products":[{"product":"S1A"}]}`, "a wrong search": `{"products":[{"search":{"bbox":[1]}}]}`,
		"a path in it": `{"products":["/collections/safes/items/..%2f..%2fx"]}`,
	} {
		if _, err := h.engine.Submit(t.Context(), "read", asked(t, inputs)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	hidden := stac.WithScope(t.Context(), stac.Hiding("safes"))
	for _, inputs := range []string{`{"products":["S1A"]}`, `{"products":["/collections/safes/items/S1A"]}`, `{"products":[{"search":{"collections":["safes"]}}]}`} {
		if _, err := h.engine.Submit(hidden, "read", asked(t, inputs)); !fault.Is(err, fault.Invalid) {
			t.Errorf("a hidden product by %s: %v", inputs, err)
		}
	}
	plan, err := h.engine.Plan(t.Context(), "read", asked(t, `{"products":["S1A","B"]}`))
	if err != nil || len(plan.Items) != 2 || plan.Bytes != 5 || plan.StageBytes != 0 || plan.Version != "2" || plan.Items[0].Files[0].Checksum == "" {
		t.Errorf("plan %+v, %v", plan, err)
	}
}

// TestProvenance: an item says what it was made of, and the job's PROV document names inputs with their sums, and outputs.
func TestProvenance(t *testing.T) {
	h := newHouse(t, true, reading)
	h.put(t, "safes", "S1A", map[string]string{"product": "zip"})
	ctx := is(t, "ada", auth.Processor)
	j, err := h.engine.Submit(ctx, "read", asked(t, `{"products":["S1A"],"publish":true}`))
	if err != nil {
		t.Fatal(err)
	}
	if j, err = h.engine.Wait(ctx, j.ID); err != nil || j.Status != processes.Successful {
		t.Fatalf("%+v, %v", j, err)
	}
	item, err := h.catalog.Item(ctx, "made", "made")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := h.config.Objects.Stat(ctx, "safes/S1A/r/product.bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"rel":"derived_from"`, `swath:/collections/safes/items/S1A`, stored.SHA256, `"processing:software"`} {
		if !strings.Contains(strings.ReplaceAll(string(item.Body), `": `, `":`), want) {
			t.Errorf("the item does not say %s: %s", want, item.Body)
		}
	}
	plain, err := h.engine.Submit(ctx, "read", asked(t, `{"products":[{"href":"https://here.example/collections/safes/items/S1A/assets/product"}],"publish":true}`))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err = h.engine.Wait(ctx, plain.ID); err != nil || plain.Status != processes.Successful {
		t.Fatalf("%+v, %v", plain, err)
	}
	if of, err := h.catalog.Item(ctx, "made", "made"); err != nil || string(of.Body) != string(item.Body) {
		t.Errorf("made of the product's file alone, the item says %s, %v", of.Body, err)
	}
	body, err := h.engine.Provenance(ctx, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	var prov struct {
		Entity         map[string]map[string]any `json:"entity"`
		Activity       map[string]map[string]any `json:"activity"`
		Agent          map[string]any            `json:"agent"`
		Used           map[string]map[string]any `json:"used"`
		WasGeneratedBy map[string]map[string]any `json:"wasGeneratedBy"`
		WasDerivedFrom map[string]map[string]any `json:"wasDerivedFrom"`
	}
	if err := json.Unmarshal(body, &prov); err != nil {
		t.Fatal(err)
	}
	in := prov.Entity["item:safes/S1A"]
	if in == nil || fmt.Sprint(in["swath:checksums"]) != "map[product:1220"+stored.SHA256+"]" || prov.Entity["item:made/made"] == nil || len(prov.Used) != 1 ||
		len(prov.WasGeneratedBy) != 3 || len(prov.WasDerivedFrom) != 3 || prov.Agent["account:ada"] == nil || prov.Activity["job:"+j.ID]["swath:version"] != "2" {
		t.Errorf("%s", body)
	}
}

// TestCold: products on tape are ordered, and the job takes no place while it waits.
func TestCold(t *testing.T) {
	url, data := testdb.New(t), t.TempDir()
	c, err := copies.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	plain, err := objects.OpenFolder(filepath.Join(data, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	tape, err := objects.OpenTape(filepath.Join(data, "tape"), plain, objects.TapeConfig{})
	if err != nil {
		t.Fatal(err)
	}
	tiered := staging.NewStore(plain, c, tape)
	pace := staging.Config{Keep: time.Hour, LeastLife: time.Nanosecond, BatchWait: time.Nanosecond, Tick: 2 * time.Millisecond, Backoff: time.Millisecond, Tries: 100}
	h, err := openHouse(t.Context(), url, data, func(c *processes.Config) {
		reading(c)
		c.Objects, c.Workers, c.Publish.Objects = tiered, 1, tiered
		c.Desk = staging.NewDesk(tiered, pace, copies.Quota{}, true)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.engine.Close(); h.catalog.Close() })
	h.put(t, "safes", "cold", map[string]string{"product": "frozen"})
	h.put(t, "safes", "warm", map[string]string{"product": "liquid"})
	if _, err := tiered.Archive(t.Context(), []staging.Archived{{Key: "safes/cold/r/product.bin", Collection: "safes", Item: "cold"}}); err != nil {
		t.Fatal(err)
	}
	keeper := staging.NewKeeper(c, tape, plain, pace)
	if err := keeper.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	plan, err := h.engine.Plan(t.Context(), "read", asked(t, `{"products":["cold","warm"]}`))
	if err != nil || plan.StageBytes != 6 || plan.Bytes != 12 {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	h.work(t)
	j, err := h.engine.Submit(t.Context(), "read", asked(t, `{"products":["cold"]}`))
	if err != nil {
		t.Fatal(err)
	}
	until(t, 20*time.Second, "the job waits for the archive", func() bool {
		now, err := h.engine.Job(t.Context(), j.ID)
		return err == nil && now.Status == processes.Accepted && strings.Contains(now.Message, "archive")
	})
	if got := h.read(t, t.Context(), `{"products":["warm"]}`); fmt.Sprint(got) != "[warm.bin=liquid]" {
		t.Errorf("the one place is not free meanwhile: %v", got)
	}
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		for ctx.Err() == nil {
			keeper.Once(ctx) //nolint:errcheck // it ends with the test
			time.Sleep(20 * time.Millisecond)
		}
	})
	defer func() { stop(); group.Wait() }()
	if j = h.wait(t, j.ID); j.Status != processes.Successful || j.Attempts != 1 {
		t.Errorf("%+v", j)
	}
}
