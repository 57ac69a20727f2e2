// Package hubtest is a hub for tests: it speaks the OData of the Copernicus Data Space Ecosystem over a made archive whose truth is known,
// and fails in the ways that real hubs do, repeatably by a seed.
package hubtest

import (
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// row is one row of the archive, by its id.
type row struct {
	id, name                      string
	kind                          string // what its life holds, see kinds
	version                       int
	published, modified, acquired time.Time
	visible                       bool
	deleted                       time.Time // zero: it lives
	silent                        bool      // left without a row among the deleted
	listedSum                     string    // empty: none
	listedBytes                   int64     // 0: not said
	body                          []byte    // nil: made
}

// kinds are the lives of products, with how many of a thousand have them.
var kinds = []struct {
	name  string
	among int
}{
	{"late", 50}, {"verylate", 30}, {"modify", 50}, {"delete", 50}, {"vanish", 10}, {"twin", 30}, {"dup", 30}, {"nochecksum", 80}, {"nolength", 80},
	{"bare", 30}, {"badmeta", 15}, {"sourcecorrupt", 15}, {"plain", 530},
}

// Archive is what a hub has. It is safe for concurrent use.
type Archive struct {
	seed uint64

	mu   sync.Mutex
	rows []*row
	ids  map[string]*row
}

// NewArchive makes so many products, acquired and published in the last days, many of them at the same moment.
func NewArchive(seed uint64, products int) *Archive {
	a := &Archive{seed: seed, ids: map[string]*row{}}
	random := rand.New(rand.NewPCG(seed, 1))
	now := time.Now().UTC()
	for i := range products {
		acquired := now.Add(-time.Duration(random.Int64N(int64(30 * 24 * time.Hour)))).Truncate(time.Millisecond)
		published := acquired.Add(3 * time.Hour).Truncate(time.Hour) // ties
		if limit := now.Add(-time.Hour); published.After(limit) {
			published = limit.Truncate(time.Hour)
		}
		r := &row{id: fmt.Sprintf("%08x-0000-4000-8000-%012d", uint32(random.Uint64()), i), kind: kindOf(random.IntN(1000)),
			name: productName(acquired, 1+random.IntN(143), i), acquired: acquired, published: published, modified: published}
		r.visible = r.kind != "late" && r.kind != "verylate"
		a.add(r)
	}
	return a
}

// productName is one by the rules, of its own for each i.
func productName(acquired time.Time, orbit, i int) string {
	const layout = "20060102T150405"
	return fmt.Sprintf("S2A_MSIL1C_%s_N0500_R%03d_T31TCJ_%s.SAFE", acquired.Format(layout), orbit, acquired.Add(time.Hour+time.Duration(i)*time.Second).Format(layout))
}

func kindOf(n int) string {
	for _, k := range kinds {
		if n -= k.among; n < 0 {
			return k.name
		}
	}
	return "plain"
}

func (a *Archive) add(r *row) {
	body := a.bytes(r)
	sum := md5.Sum(body)
	r.listedSum, r.listedBytes = hex.EncodeToString(sum[:]), int64(len(body))
	switch r.kind {
	case "nochecksum", "sourcecorrupt":
		r.listedSum = ""
	case "nolength":
		r.listedBytes = 0
	case "bare":
		r.listedSum, r.listedBytes = "", 0
	case "badmeta":
		r.listedSum = "00000000000000000000000000000000"
	}
	a.rows, a.ids[r.id] = append(a.rows, r), r
}

// Put adds a product that is given, published an hour ago.
func (a *Archive) Put(id, name string, zip []byte, acquired time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	published := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	a.add(&row{id: id, name: name, kind: "plain", body: zip, acquired: acquired, published: published, modified: published, visible: true})
}

// Delete takes a product away.
func (a *Archive) Delete(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids[id].deleted = time.Now().UTC()
}

// Live lets the archive's lives happen: late rows appear, others change, leave, or come again under another id.
func (a *Archive) Live() {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now().UTC().Truncate(time.Millisecond)
	for i, r := range a.rows {
		switch r.kind {
		case "late":
			r.visible, r.published, r.modified = true, now.Add(-10*time.Minute), now.Add(-10*time.Minute)
		case "verylate":
			r.visible = true // with its old date
		case "modify":
			r.version++
			r.modified = now
			sum := md5.Sum(a.bytes(r))
			r.listedSum, r.listedBytes = hex.EncodeToString(sum[:]), int64(len(a.bytes(r)))
		case "delete":
			r.deleted = now
		case "vanish":
			r.deleted, r.silent = now, true
		case "twin", "dup":
			again := *r
			again.id, again.kind, again.published, again.modified = fmt.Sprintf("%08x-1111-4000-8000-%012d", i, i), "plain", now, now
			if r.kind == "dup" {
				again.version++
			}
			r.kind = "plain"
			a.add(&again)
		}
	}
}

// bytes are those of a product's zip, in its version.
func (a *Archive) bytes(r *row) []byte {
	if r.body != nil {
		return r.body
	}
	sum := fnv.New64a()
	fmt.Fprint(sum, r.name, r.version)
	random := rand.New(rand.NewPCG(a.seed, sum.Sum64()))
	data := make([]byte, 2000+random.IntN(20_000))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	inner := md5.Sum(data)
	if r.kind == "sourcecorrupt" {
		inner[0]++
	}
	return zipOf(r.name, manifestOf(len(data), inner), data)
}

// manifestOf lists the one file of a made product.
func manifestOf(size int, sum [md5.Size]byte) string {
	return fmt.Sprintf(`<xfdu><metadataSection><metadataObject ID="measurementFrameSet"><metadataWrap><xmlData><frameSet><footPrint><coordinates>43 1 43 2 44 2 44 1 43 1</coordinates></footPrint></frameSet></xmlData></metadataWrap></metadataObject></metadataSection><dataObjectSection><dataObject ID="data"><byteStream size="%d"><fileLocation href="./measurement/data.bin"/><checksum checksumName="MD5">%x</checksum></byteStream></dataObject></dataObjectSection></xfdu>`, size, sum)
}

// Product makes the zip of a sound product.
func Product(name string, data []byte) []byte {
	return zipOf(name, manifestOf(len(data), md5.Sum(data)), data)
}

// zipOf packs a made product.
func zipOf(name, manifest string, data []byte) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, file := range []struct {
		name string
		body []byte
	}{{"manifest.safe", []byte(manifest)}, {"measurement/data.bin", data}} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name + "/" + file.name, Method: zip.Store})
		if err == nil {
			_, err = f.Write(file.body)
		}
		if err != nil {
			panic(err) // a buffer never fails
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// Repack makes the zip of a made product that came as a folder, as the archive has it.
func Repack(dir string) ([]byte, error) {
	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.safe"))
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, "measurement", "data.bin"))
	return zipOf(filepath.Base(dir), string(manifest), data), err
}

// newest returns of each name the row that was published last, of those that live.
func (a *Archive) newest() map[string]*row {
	newest := map[string]*row{}
	for _, r := range a.rows {
		if now := newest[r.name]; r.visible && r.deleted.IsZero() && (now == nil || r.published.After(now.published)) {
			newest[r.name] = r
		}
	}
	return newest
}

// Truth returns the MD5 of every product that lives and is sound, by its name without .SAFE, and how many bytes they have.
func (a *Archive) Truth() (sums map[string]string, size int64) { return a.TruthBut("") }

// TruthBut is the truth for those who take the products of one kind for sound, because they don't see what is wrong with them.
func (a *Archive) TruthBut(sound string) (sums map[string]string, size int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	newest := a.newest()
	sums = map[string]string{}
	for name, r := range newest {
		if r.kind != "badmeta" && r.kind != "sourcecorrupt" || r.kind == sound {
			body := a.bytes(r)
			sum := md5.Sum(body)
			sums[name[:len(name)-len(".SAFE")]] = hex.EncodeToString(sum[:])
			size += int64(len(body))
		}
	}
	return sums, size
}

// Sound returns the bytes of every product of the truth, by its name without .SAFE.
func (a *Archive) Sound() map[string][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	bodies := map[string][]byte{}
	for name, r := range a.newest() {
		if r.kind != "badmeta" && r.kind != "sourcecorrupt" {
			bodies[strings.TrimSuffix(name, ".SAFE")] = a.bytes(r)
		}
	}
	return bodies
}

// Kinds returns how many rows there are of each kind that a test looks at.
func (a *Archive) Kinds() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := map[string]int{}
	for _, r := range a.rows {
		n[r.kind]++
	}
	return n
}

// list returns the rows that meet all conditions, in the order of a date.
func (a *Archive) list(date func(*row) time.Time, deleted bool, conditions []func(*row) bool) []row {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []row
	for _, r := range a.rows {
		if r.visible && r.deleted.IsZero() != deleted && !(deleted && r.silent) && !slices.ContainsFunc(conditions, func(holds func(*row) bool) bool { return !holds(r) }) {
			out = append(out, *r)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if a, b := date(&out[i]), date(&out[j]); !a.Equal(b) {
			return a.Before(b)
		}
		return out[i].id < out[j].id
	})
	return out
}

// find returns a row that can be downloaded.
func (a *Archive) find(id string) (row, []byte, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.ids[id]
	if r == nil || !r.visible || !r.deleted.IsZero() {
		return row{}, nil, false
	}
	return *r, a.bytes(r), true
}
