package catalog

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/klauspost/compress/zstd"

	"swath/fault"
	"swath/internal/shelf"
	"swath/internal/testdb"
	"swath/stac"
)

// loadText loads lines as from standard input.
func loadText(t testing.TB, s *Store, options LoadOptions, text string) (Loaded, []Rejection) {
	t.Helper()
	source, err := NewLoadStream("text", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var rejected []Rejection
	options.Rejected = func(r Rejection) { rejected = append(rejected, r) }
	done, err := s.Load(t.Context(), source, options)
	if err != nil {
		t.Fatal(err)
	}
	return done, rejected
}

// dump returns what the database holds of items: every column but those that a second way would number anew.
func dump(t testing.TB, s *Store) (rows []string) {
	t.Helper()
	err := s.with(t.Context(), "dump", func(conn *pgxpool.Conn) error {
		found, err := conn.Query(t.Context(), `
			select c.id || ' ' || row(idh, idk, dt, i.begins, i.ends, cc, cell, x0, x1, y0, y1, g.text, orbit, p.text, ph, geom, st_astext(shape(geom)))::text, i.dict, i.body
			from item i join collection c on c.number = i.col
			left join word g on g.kind = 'g' and g.number = i.grid left join word p on p.kind = 'p' and p.number = i.plat`)
		if err != nil {
			return err
		}
		var text string
		var dict int16
		var packed []byte
		_, err = pgx.ForEachRow(found, []any{&text, &dict, &packed}, func() error {
			body, err := s.pack.decode(dict, packed)
			rows = append(rows, text+" "+string(body))
			return err
		})
		if err != nil {
			return err
		}
		for _, sql := range []string{
			"select 'day ' || c.id || row(day, decile, sum(n))::text from day_count d join collection c on c.number = d.col group by c.id, day, decile having sum(n) <> 0",
			"select 'cell ' || c.id || row(cell, sum(n))::text from cell_count d join collection c on c.number = d.col group by c.id, cell having sum(n) <> 0",
			"select 'covered ' || row(id, west, south, east, north, begins, ends, reach_before, reach_after)::text from collection",
			"select 'property ' || row(c.id, p.name, kinds, lo, hi, words, many)::text from property p join collection c on c.number = p.col",
		} {
			found, err := conn.Query(t.Context(), sql)
			if err != nil {
				return err
			}
			more, err := pgx.CollectRows(found, pgx.RowTo[string])
			if err != nil {
				return err
			}
			rows = append(rows, more...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(rows)
	return rows
}

// diff reports the first differences of two dumps.
func diff(t *testing.T, got, want []string) {
	t.Helper()
	shown := 0
	for _, r := range got {
		if _, ok := slices.BinarySearch(want, r); !ok && shown < 5 {
			shown++
			t.Errorf("there is   %.1500s", r)
		}
	}
	for _, r := range want {
		if _, ok := slices.BinarySearch(got, r); !ok && shown < 10 {
			shown++
			t.Errorf("it lacks   %.1500s", r)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
}

// realItems are lines of real catalogs: at most so many of each file.
func realItems(t testing.TB, each int) (lines []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(shelf.Data(t, 1, "stac-items"), "*.ndjson.gz"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		text := bufio.NewScanner(z)
		text.Buffer(nil, 16<<20)
		for n := 0; text.Scan() && n < each; n++ {
			lines = append(lines, text.Text())
		}
		if text.Err() != nil {
			t.Fatal(text.Err())
		}
	}
	return lines
}

// TestLoadIsPut: a bulk load of real and of odd items leaves what putting them one by one leaves, in every column, count and
// extent; and a second load, in which some are other, is the same again.
func TestLoadIsPut(t *testing.T) {
	lines := realItems(t, 60)
	for i, geometry := range []string{
		`null`, square, `{"type":"Point","coordinates":[180,10]}`, `{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}`,
		`{"type":"Polygon","coordinates":[[[170,0],[-170,0],[-170,10],[170,10],[170,0]]]}`,
		`{"type":"Polygon","coordinates":[[[-180,80],[-90,80],[0,80],[90,80],[180,80],[-180,80]]]}`,
		`{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[[[5,5],[6,5],[6,6],[5,5]]]]}`,
		`{"type":"LineString","coordinates":[[0,0],[0,0]]}`,
	} {
		lines = append(lines, string(itemOf("odd", fmt.Sprint("odd-", i), geometry, fmt.Sprintf(`{"datetime":null,"start_datetime":"1965-0%d-01T00:00:00Z","end_datetime":"2031-01-01T00:00:00.5Z","eo:cloud_cover":%d,"n":[1,"ä",{"x":null}],"platform":"P%d"}`, i+1, i*30-10, i%3)).Body))
	}
	ensure := func(s *Store) func(context.Context, string) error {
		return func(ctx context.Context, id string) error {
			return s.PutCollection(ctx, stac.Collection{ID: id, Body: fmt.Appendf(nil, `{"type":"Collection","id":%q}`, id)})
		}
	}
	bulk, single := newStore(t, "odd"), newStore(t, "odd")
	for round := range 2 {
		var refused int64
		for _, l := range lines {
			var name struct{ ID, Collection string }
			if err := json.Unmarshal([]byte(l), &name); err != nil {
				t.Fatal(err)
			}
			if name.Collection == "" {
				name.Collection = "odd"
			}
			if _, err := single.Collection(t.Context(), name.Collection); err != nil {
				if err := ensure(single)(t.Context(), name.Collection); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := single.PutItem(t.Context(), stac.Item{Collection: name.Collection, ID: name.ID, Body: []byte(l)}); err != nil {
				if !fault.Is(err, fault.Invalid) {
					t.Fatal(err)
				}
				refused++
			}
		}
		done, rejected := loadText(t, bulk, LoadOptions{EnsureCollection: ensure(bulk)}, strings.Join(lines, "\n"))
		for i, r := range rejected {
			if i < 3 {
				t.Logf("rejected: %+v", r)
			}
		}
		if done.Rejected != refused || done.Loaded+done.Unchanged+done.Replaced+done.Rejected != int64(len(lines)) {
			t.Errorf("round %d: %+v of %d lines, %d of which are refused one by one", round, done, len(lines), refused)
		}
		diff(t, dump(t, bulk), dump(t, single))
		for i := range lines { // the second time, every third is another
			if i%3 == 0 {
				lines[i] = strings.Replace(lines[i], `"properties":`, `"again":1,"properties":`, 1)
			}
			if i%9 == 0 {
				lines[i] = strings.Replace(lines[i], `"datetime":"20`, `"datetime":"19`, 1)
			}
		}
	}
}

// TestLoadRepeats: a load of an empty catalog does not look for what is stored, and still puts what comes again in a later batch.
func TestLoadRepeats(t *testing.T) {
	s := newStore(t)
	var text strings.Builder
	line := func(id, n int) {
		fmt.Fprintf(&text, `{"type":"Feature","id":"i%d","collection":"c","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"datetime":"2024-06-01T12:00:00Z","n":%d},"assets":{},"links":[]}`+"\n", id, n)
	}
	text.WriteString(`{"type":"Collection","id":"c","stac_version":"1.1.0","description":"d","license":"other","extent":{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}},"links":[]}` + "\n")
	for i := range batchRows + 1000 {
		line(i, 0)
	}
	for i := range 10 {
		line(i, i%2) // half of them are others
	}
	done, rejected := loadText(t, s, LoadOptions{}, text.String())
	if len(rejected) > 0 || done.Loaded != batchRows+1000 || done.Unchanged != 5 || done.Replaced != 5 {
		t.Fatalf("%+v, rejected %v", done, rejected)
	}
	for i := range 10 {
		it, err := s.Item(t.Context(), "c", fmt.Sprint("i", i))
		if err != nil || !strings.Contains(string(it.Body), fmt.Sprintf(`"n":%d`, i%2)) {
			t.Errorf("%s, %v", it.Body, err)
		}
	}
}

// TestLoadAfterRemoval: another process removes a collection and makes it again; the load that finds out says so, and the next one goes
// by the new number.
func TestLoadAfterRemoval(t *testing.T) {
	url, ctx := testdb.New(t), t.Context()
	var here, other *Store
	for _, s := range []**Store{&here, &other} {
		var err error
		if *s, err = Open(ctx, url, Config{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup((*s).Close)
	}
	load := func(id string) error {
		it := itemOf("c", id, square, noon)
		source, err := NewLoadStream("text", strings.NewReader(string(it.Body)+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		done, err := here.Load(ctx, source, LoadOptions{})
		if err == nil && done.Loaded != 1 {
			t.Errorf("%s: %+v", id, done)
		}
		return err
	}
	remake := func() {
		if err := other.PutCollection(ctx, stac.Collection{ID: "c", Body: []byte(`{"type":"Collection","id":"c"}`)}); err != nil {
			t.Fatal(err)
		}
	}
	remake()
	if err := load("a"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.ChangeCollection(ctx, "c", func(*stac.Collection) (*stac.Collection, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	remake()
	if err := load("b"); !fault.Is(err, fault.Conflict) {
		t.Errorf("by the old number: %v", err)
	}
	if err := load("b"); err != nil {
		t.Errorf("once more: %v", err)
	}
}

func TestLoadRejects(t *testing.T) {
	s := newStore(t)
	item := func(collection, id string) string {
		return fmt.Sprintf(`{"type":"Feature","collection":%q,"id":%q,"geometry":%s,"properties":%s}`, collection, id, square, noon)
	}
	bare := fmt.Sprintf(`{"type":"Feature","id":"n","geometry":%s,"properties":%s}`, square, noon)
	text := "\ufeff" + strings.Join([]string{
		`{"type":"Collection","id":"c","title":"first"}`,
		item("c", "a"),
		`{"type":"Feature","id":"b"`,
		item("none", "b"),
		"",
		bare,
		"{\"id\":\"\xff\"}",
		item("c", "a"),
		strings.Repeat("x", longestLineBytes+1),
		`{"type":"Collection","id":"c","title":"second"}`,
		item("c", "\u00e9"),
		strings.Replace(item("c", "a"), `"properties":`, `"x":1,"properties":`, 1),
		`{"type":"Collection"}`,
		`[]`,
		item("c", "z"), // without an end of line
	}, "\n")
	done, rejected := loadText(t, s, LoadOptions{}, text)
	want := Loaded{Lines: 15, Loaded: 3, Unchanged: 1, Replaced: 1, Rejected: 7, Put: 2}
	if done != want {
		t.Errorf("got  %+v\nwant %+v", done, want)
	}
	var got []string
	for _, r := range rejected {
		got = append(got, fmt.Sprintf("%d %s: %s", r.Line, r.Item, r.Reason))
	}
	wanted := []string{
		"3 b: not valid JSON", `4 b: there is no collection "none"`, `6 n: the document has no "collection"`, "7 ", "9 : the line is longer than 8 MiB",
		"13 : the collection has no id", "14 : not a JSON object",
	}
	slices.SortFunc(got, func(a, b string) int {
		return strings.Compare(fmt.Sprintf("%5s", strings.Fields(a)[0]), fmt.Sprintf("%5s", strings.Fields(b)[0]))
	})
	for i, w := range wanted {
		if i >= len(got) || !strings.HasPrefix(got[i], w) {
			t.Fatalf("rejected:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(wanted, "\n"))
		}
	}
	if c, err := s.Collection(t.Context(), "c"); err != nil || !strings.Contains(string(c.Body), "second") {
		t.Errorf("%s, %v", c.Body, err)
	}
	if found := all(t, s, stac.Search{}); len(found) != 3 {
		t.Errorf("found %v", found)
	}
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	var indexes int
	if err := s.pool.QueryRow(t.Context(), "select count(*) from pg_indexes where tablename = 'item'").Scan(&indexes); err != nil || indexes != 10 {
		t.Errorf("%d indexes, want 10 (%v)", indexes, err)
	}
	done, _ = loadText(t, s, LoadOptions{Collection: "c"}, item("d", "moved")+"\n"+bare)
	if done.Loaded != 2 {
		t.Errorf("into one collection: %+v", done)
	}
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	var options []string
	if err := s.pool.QueryRow(t.Context(), "select reloptions from pg_class where relname = 'item_terms'").Scan(&options); err != nil || !slices.Equal(options, []string{"fastupdate=on", "gin_pending_list_limit=64"}) {
		t.Errorf("item_terms has %v (%v)", options, err)
	}
	if it, err := s.Item(t.Context(), "c", "moved"); err != nil || !strings.Contains(string(it.Body), `"collection":"c"`) {
		t.Errorf("%s, %v", it.Body, err)
	}
}

// TestLoadSources: a file gives the same however it is packed; a cut one gives what is whole, says so, and is gone on with
// when it is mended.
func TestLoadSources(t *testing.T) {
	var plain, zipped, packed bytes.Buffer
	for i := range 3000 {
		plain.Write(append(bytes.ReplaceAll(itemOf("c", fmt.Sprint("item-", i), square, noon).Body, []byte(`"properties"`), fmt.Appendf(nil, `"noise":"%x","properties"`, strings.Repeat(fmt.Sprint(i*7919), 400))), '\n'))
	}
	z := gzip.NewWriter(&zipped)
	z.Write(plain.Bytes())
	z.Close()
	e, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	e.Write(plain.Bytes())
	e.Close()
	for name, text := range map[string][]byte{"plain": plain.Bytes(), "gzip": zipped.Bytes(), "zstd": packed.Bytes()} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, "c")
			path := filepath.Join(t.TempDir(), "items")
			load := func(ctx context.Context, text []byte, progress func(Loaded)) (Loaded, error) {
				if err := os.WriteFile(path, text, 0o644); err != nil {
					t.Fatal(err)
				}
				source, err := OpenLoadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				defer source.Close()
				return s.Load(ctx, source, LoadOptions{Progress: progress})
			}
			if name != "plain" {
				done, err := load(t.Context(), text[:len(text)/2], nil)
				if kind, public := fault.Of(err); kind != fault.Invalid || !strings.Contains(public, "cut") || !strings.Contains(public, fmt.Sprintf("behind line %d", done.Lines)) || done.Loaded == 0 || done.Loaded == 3000 {
					t.Errorf("cut: %+v, %v", done, err)
				}
				damaged := bytes.Clone(text)
				for i := range 64 {
					damaged[len(damaged)/2+i] ^= 0x55
				}
				if done, err = load(t.Context(), damaged, nil); err == nil {
					t.Errorf("damaged: %+v, no error", done)
				}
			}
			done, err := load(t.Context(), text, nil)
			if err != nil || done.Loaded+done.Unchanged != 3000 || done.From != 0 {
				t.Fatalf("whole: %+v, %v", done, err)
			}
			if n := len(all(t, s, stac.Search{Limit: 1000})); n != 3000 {
				t.Errorf("%d items, want 3000", n)
			}
			var marks int
			if err := s.pool.QueryRow(t.Context(), "select count(*) from load_mark").Scan(&marks); err != nil || marks > 2 {
				t.Errorf("%d marks are left (%v)", marks, err)
			}
		})
	}
}

// TestLoadOfShrinkingFile: a file that is cut while it is loaded ends the load with an error; what came before is there, and the mended file is
// gone on with.
func TestLoadOfShrinkingFile(t *testing.T) {
	s := newStore(t, "c")
	path := filepath.Join(t.TempDir(), "items.ndjson")
	var text bytes.Buffer
	const items = 6 * batchRows
	for i := range items {
		fmt.Fprintf(&text, `{"type":"Feature","collection":"c","id":"i%d","geometry":null,"properties":{"datetime":"2024-06-01T12:00:00Z"},"x":"%01000d"}`+"\n", i, i)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	source, err := OpenLoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if source.mapped == nil {
		t.Fatal("the file is not mapped")
	}
	done, err := s.Load(t.Context(), source, LoadOptions{Progress: func(Loaded) {
		if err := os.Truncate(path, 4096); err != nil {
			t.Error(err)
		}
	}})
	if kind, public := fault.Of(err); kind != fault.Invalid || !strings.Contains(public, "shorter") || done.Loaded == 0 || done.Loaded >= items {
		t.Fatalf("%+v, %v", done, err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := OpenLoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if done, err = s.Load(t.Context(), again, LoadOptions{}); err != nil || done.Loaded+done.Unchanged != items {
		t.Errorf("%+v, %v", done, err)
	}
}

// TestPackOfShrinkingFile: an item of a mapped file is packed without its text being read again, also when its collection has another dictionary by then:
// the text may be gone, and it is C that packs.
func TestPackOfShrinkingFile(t *testing.T) {
	d := trainedSample(t)
	p := newPacker(nil)
	p.dictionaries[d.number], p.ofCollection[1] = d, d
	body := formSample(rand.New(rand.NewPCG(9, 9)), false)
	path := filepath.Join(t.TempDir(), "items.ndjson")
	if err := os.WriteFile(path, body, 0o644); err != nil {
		t.Fatal(err)
	}
	source, err := OpenLoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	c := newCodec()
	read, ok := d.recognize(source.mapped, &c.scratch)
	if !ok {
		t.Fatal("the item is not recognized")
	}
	doc, err := readItem(stac.Item{}, read)
	if err != nil || &doc.body[0] != &source.mapped[0] {
		t.Fatalf("the item does not lie in the file: %v", err)
	}
	p.ofCollection[1] = &dictionary{number: d.number + 1, texts: d.texts}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	number, packed, err := p.encodeRead(c, 1, doc.body, doc.as)
	if err != nil || number != d.number {
		t.Fatalf("dictionary %d, %v", number, err)
	}
	if back, err := p.decode(number, bytes.Clone(packed)); err != nil || !bytes.Equal(back, body) {
		t.Errorf("%s\ncomes back as\n%s, %v", body, back, err)
	}
}

// TestLoadGoesOn: a load that is interrupted ends after a batch; the next one goes on behind it and reports the whole.
func TestLoadGoesOn(t *testing.T) {
	s := newStore(t, "c")
	path := filepath.Join(t.TempDir(), "items.ndjson")
	var text bytes.Buffer
	const items = 7*batchRows + 5
	for i := range items {
		fmt.Fprintf(&text, `{"type":"Feature","collection":"c","id":"i%d","geometry":null,"properties":{"datetime":"2024-06-01T12:00:00Z"},"x":"%01500d"}`+"\n", i, i)
		if i == 100 {
			fmt.Fprintln(&text, "no item")
		}
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var last Loaded
	runs, rejected := 0, 0
	for ; runs < 10; runs++ {
		source, err := OpenLoadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done, err := s.Load(ctx, source, LoadOptions{Rejected: func(Rejection) { rejected++ }, Progress: func(Loaded) { cancel() }})
		source.Close()
		cancel()
		if done.From != last.Lines || done.Lines <= last.Lines {
			t.Fatalf("went on at %+v after %+v", done, last)
		}
		// The index of names is set aside by the first run, and built before the next one writes.
		var aside bool
		if failed := s.pool.QueryRow(t.Context(), "select to_regclass('item_id') is null").Scan(&aside); failed != nil || aside != (runs == 0) {
			t.Errorf("run %d: the index of names is set aside: %v (%v)", runs, aside, failed)
		}
		if last = done; err == nil {
			break
		} else if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if runs == 0 || rejected != 1 || last.Loaded != items || last.Rejected != 1 || last.Unchanged+last.Replaced != 0 {
		t.Errorf("%d interruptions, %d rejections, %+v", runs, rejected, last)
	}
}

func FuzzLineReader(f *testing.F) {
	f.Add([]byte("a\n\n \r\nC\nb\nC"))
	f.Fuzz(func(t *testing.T, text []byte) {
		read := func(r *lineReader) (got []string) {
			for {
				c, err := r.chunk(func(text []byte) bool { return bytes.HasPrefix(text, []byte("C")) })
				for _, l := range c.lines {
					got = append(got, fmt.Sprint(l.number, string(l.text)))
				}
				if err != nil {
					if c.endOffset != int64(len(text)) {
						t.Fatalf("ends at %d of %d", c.endOffset, len(text))
					}
					return got
				}
			}
		}
		got, mapped := read(newLineReader(bytes.NewReader(text), 0, 0)), read(newMappedReader(append([]byte{}, text...), 0, 0))
		if !slices.Equal(got, mapped) {
			t.Fatalf("mapped %q, read %q", mapped, got)
		}
		var want []string
		for i, l := range bytes.Split(text, []byte("\n")) {
			l = bytes.TrimSpace(l)
			if i == 0 {
				l = bytes.TrimPrefix(l, []byte("\ufeff"))
			}
			if len(l) > 0 {
				want = append(want, fmt.Sprint(i+1, string(l)))
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

// TestLoadWithoutNames: a load that fills an empty catalog sets the index of names aside, until the end unless somebody needs it: who writes an
// item, another load, or a name that comes again. No item comes twice, and whoever writes does as ever.
func TestLoadWithoutNames(t *testing.T) {
	const items = 2*batchRows + 5
	line := func(id, says string) string {
		return fmt.Sprintf(`{"type":"Feature","collection":"c","id":"%s","geometry":null,"properties":{"datetime":"2024-06-01T12:00:00Z","says":"%s"}}`+"\n", id, says)
	}
	var text strings.Builder
	for i := range items {
		text.WriteString(line(fmt.Sprint("i", i), "file"))
	}
	item := func(id string) stac.Item { return stac.Item{Collection: "c", ID: id, Body: []byte(line(id, "one"))} }
	const late = "i20003" // in the last batch
	for name, tc := range map[string]struct {
		beside func(t *testing.T, s *Store) // after the first batch
		aside  bool                         // whether the index is still so then
		more   string                       // after the file's lines
		want   Loaded
		total  int
	}{
		"alone":           {func(*testing.T, *Store) {}, true, "", Loaded{Lines: items, Loaded: items}, items},
		"a name again":    {func(*testing.T, *Store) {}, true, line("i7", "again"), Loaded{Lines: items + 1, Loaded: items, Replaced: 1}, items},
		"the same again":  {func(*testing.T, *Store) {}, true, line("i7", "file"), Loaded{Lines: items + 1, Loaded: items, Unchanged: 1}, items},
		"somebody writes": {func(t *testing.T, s *Store) { put(t, s, item("other")); put(t, s, item("i7")) }, false, "", Loaded{Lines: items, Loaded: items}, items + 1},
		"somebody writes what comes": {func(t *testing.T, s *Store) {
			if _, created, err := s.CreateItem(t.Context(), item(late)); !created || err != nil {
				t.Errorf("create: %v, %v", created, err)
			}
			if _, created, err := s.CreateItem(t.Context(), item("i7")); created || err != nil {
				t.Errorf("create what is there: %v, %v", created, err)
			}
		}, false, "", Loaded{Lines: items, Loaded: items - 1, Replaced: 1}, items},
		"somebody loads": {func(t *testing.T, s *Store) {
			if done, _ := loadText(t, s, LoadOptions{}, line(late, "other")+line("i7", "file")); done.Loaded != 1 || done.Unchanged != 1 {
				t.Errorf("beside: %+v", done)
			}
		}, false, "", Loaded{Lines: items, Loaded: items - 1, Replaced: 1}, items},
		"somebody deletes": {func(t *testing.T, s *Store) {
			if err := s.DeleteItem(t.Context(), "c", "i7"); err != nil {
				t.Error(err)
			}
		}, true, line("i7", "again"), Loaded{Lines: items + 1, Loaded: items + 1}, items},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, "c")
			first := true
			aside := func() (is bool) {
				if err := s.pool.QueryRow(t.Context(), "select to_regclass('item_id') is null").Scan(&is); err != nil {
					t.Fatal(err)
				}
				return is
			}
			done, rejected := loadText(t, s, LoadOptions{Progress: func(Loaded) {
				if first {
					first = false
					if !aside() {
						t.Error("the index of names is there while nobody needs it")
					}
					if tc.beside(t, s); aside() != tc.aside {
						t.Errorf("it is set aside: %v, want %v", !tc.aside, tc.aside)
					}
				}
			}}, text.String()+tc.more)
			if done != tc.want || rejected != nil {
				t.Errorf("%+v, want %+v; %v", done, tc.want, rejected)
			}
			if err := s.Settle(t.Context()); err != nil || aside() {
				t.Fatalf("after the load the index of names is not there: %v", err)
			}
			var total int
			if err := s.pool.QueryRow(t.Context(), "select count(distinct (col, idh)) from item having count(*) = count(distinct (col, idh))").Scan(&total); err != nil || total != tc.total {
				t.Errorf("%d items, want %d (%v)", total, tc.total, err)
			}
		})
	}
}
