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
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// row is one row of the archive, by its id.
type row struct {
	id, name                      string
	listed                        string // the name as the catalogue says it
	kind                          string // what its life holds, see lives
	version                       int
	published, modified, acquired time.Time
	visible                       bool
	deleted                       time.Time // zero: it lives
	silent                        bool      // left without a row among the deleted
	after                         int64     // requests after which it appears; 0: it does not by itself
	offline                       bool
	asked                         int    // times, that somebody wanted it to be online
	listedSum                     string // empty: none
	listedBytes                   int64  // 0: not said
	body                          []byte // nil: made
}

// life is what may become of a product, and the mildest profile in which it does.
type life struct {
	kind   string
	among  int // of a thousand products
	from   Profile
	unsafe bool // its bytes must never be served
}

// lives of products. Those that are not named have a plain one.
var lives = []life{
	{"late", 40, Mild, false},          // published after others that have a later date
	{"verylate", 30, Nasty, false},     // with a date of long ago
	{"timeline", 40, Nasty, false},     // while the lists are being read
	{"modify", 40, Mild, false},        // its bytes change
	{"delete", 40, Mild, false},        // it leaves
	{"vanish", 10, Nasty, false},       // it leaves without a row among the deleted
	{"twin", 30, Nasty, false},         // it comes again under another id
	{"dup", 30, Nasty, false},          // and with other bytes
	{"baseline", 30, Nasty, false},     // its acquisition is processed again
	{"offline", 30, Nasty, false},      // it must be ordered
	{"nochecksum", 60, Mild, false},    // [{}]
	{"nolength", 60, Mild, false},      // neither 0 nor null
	{"bare", 30, Nasty, false},         // neither checksum nor length
	{"nofootprint", 20, Nasty, false},  // null
	{"weirdname", 20, Nasty, false},    // that is no file name
	{"badmeta", 15, Nasty, true},       // its checksum is wrong for ever
	{"sourcecorrupt", 15, Nasty, true}, // a sound zip whose files are not as its manifest says
	{"bomb", 10, Hostile, true},
	{"traversal", 10, Hostile, true},
	{"symlink", 10, Hostile, true},
	{"xxe", 10, Hostile, true},
	{"hugemanifest", 5, Hostile, true},
}

// isUnsafe reports whether the bytes of a kind must never be served.
func isUnsafe(kind string) bool {
	return slices.ContainsFunc(lives, func(l life) bool { return l.kind == kind && l.unsafe })
}

// Archive is what a hub has. It is safe for concurrent use.
type Archive struct {
	// Ordering is how offline products are brought: "odata" by an order, "dhus" by asking for the bytes, "" not at all: they come by
	// themselves when the lives happen. It is set before the archive is served.
	Ordering string
	// Outside is a folder that hostile products want to read or write, and Callback an address that they want to be asked. They are set
	// before hostile products are added.
	Outside, Callback string

	seed  uint64
	began time.Time

	mu       sync.Mutex
	rows     []*row
	ids      map[string]*row
	coming   []*row // that appear after some requests
	requests int64
	events   []event
}

// NewArchive makes so many products, acquired and published in the last days, many of them at the same moment, with the lives of a profile.
// Hostile products are added apart.
func NewArchive(seed uint64, products int, profile Profile) *Archive {
	a := &Archive{seed: seed, ids: map[string]*row{}, Ordering: "odata", began: time.Now()}
	random := rand.New(rand.NewPCG(seed, 1))
	now := time.Now().UTC()
	for i := range products {
		acquired := now.Add(-time.Duration(random.Int64N(int64(30 * 24 * time.Hour)))).Truncate(time.Millisecond)
		published := acquired.Add(3 * time.Hour).Truncate(time.Hour) // ties
		if limit := now.Add(-time.Hour); published.After(limit) {
			published = limit.Truncate(time.Hour)
		}
		r := &row{id: fmt.Sprintf("%08x-0000-4000-8000-%012d", uint32(random.Uint64()), i), kind: kindOf(random.IntN(1000), min(profile, Nasty)),
			name: productName(acquired, 1+random.IntN(143), i), acquired: acquired, published: published, modified: published}
		after := 1 + random.Int64N(int64(max(1, products/2)))
		switch r.kind {
		case "late", "verylate":
		case "timeline":
			r.after = after
			a.coming = append(a.coming, r)
		default:
			r.visible = true
		}
		r.offline = r.kind == "offline"
		if r.kind == "weirdname" {
			r.listed = weird(r.name, i)
		}
		a.add(r)
	}
	return a
}

// weird makes a name that is no file name of one that is.
func weird(name string, i int) string {
	base := strings.TrimSuffix(name, ".SAFE")
	return []string{base, name + ".zip", "../../" + name, "it's 100 % of " + name, base + "\u0000.SAFE", name + strings.Repeat(" x", 150)}[i%6]
}

var properName = regexp.MustCompile(`S2[AB]_MSIL1C_[0-9A-Z_]+`)

// Proper returns the product's name in a text, which is without .SAFE; the text itself where there is none.
func Proper(text string) string {
	if name := properName.FindString(text); name != "" {
		return name
	}
	return text
}

// productName is one by the rules, of its own for each i.
func productName(acquired time.Time, orbit, i int) string {
	const layout = "20060102T150405"
	return fmt.Sprintf("S2A_MSIL1C_%s_N0500_R%03d_T31TCJ_%s.SAFE", acquired.Format(layout), orbit, acquired.Add(time.Hour+time.Duration(i)*time.Second).Format(layout))
}

func kindOf(n int, profile Profile) string {
	for _, l := range lives {
		if n -= l.among; n < 0 {
			if l.from <= profile {
				return l.kind
			}
			break
		}
	}
	return "plain"
}

func (a *Archive) add(r *row) {
	if r.listed == "" {
		r.listed = r.name
	}
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
	if r.visible {
		a.tell("created", r)
	}
}

// event is what a subscription tells of.
type event struct {
	kind string // created, modified or deleted
	id   string
	name string
	at   time.Time
}

func (a *Archive) tell(kind string, r *row) {
	a.events = append(a.events, event{kind, r.id, r.listed, time.Now().UTC()})
}

var aDate = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)

// undated writes the dates of a filter as days since the archive began, so that the same test asks the same on another day.
func (a *Archive) undated(filter string) string {
	return aDate.ReplaceAllStringFunc(filter, func(text string) string {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return text
		}
		return fmt.Sprint(int(at.Sub(a.began) / (24 * time.Hour)))
	})
}

// tick counts a request to the hub, after which some products appear.
func (a *Archive) tick() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests++
	a.coming = slices.DeleteFunc(a.coming, func(r *row) bool {
		if r.after > a.requests {
			return false
		}
		now := time.Now().UTC().Truncate(time.Millisecond)
		r.visible, r.published, r.modified = true, now, now
		a.tell("created", r)
		return true
	})
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
	a.tell("deleted", a.ids[id])
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
			a.tell("created", r)
		case "verylate":
			r.visible = true // with its old date
			a.tell("created", r)
		case "modify":
			r.version++
			r.modified = now
			sum := md5.Sum(a.bytes(r))
			r.listedSum, r.listedBytes = hex.EncodeToString(sum[:]), int64(len(a.bytes(r)))
			a.tell("modified", r)
		case "delete":
			r.deleted = now
			a.tell("deleted", r)
		case "vanish":
			r.deleted, r.silent = now, true
		case "offline":
			if r.offline {
				r.offline, r.modified = false, now
				a.tell("modified", r)
			}
		case "twin", "dup":
			again := *r
			again.id, again.kind, again.published, again.modified = fmt.Sprintf("%08x-1111-4000-8000-%012d", i, i), "plain", now, now
			if r.kind == "dup" {
				again.version++
			}
			r.kind = "plain"
			a.add(&again)
		case "baseline":
			again := *r
			again.id, again.kind, again.published, again.modified = fmt.Sprintf("%08x-2222-4000-8000-%012d", i, i), "reprocessed", now, now
			again.name = strings.Replace(r.name, "_N0500_", "_N0511_", 1)
			again.listed = ""
			r.kind = "outdated"
			a.add(&again)
		}
	}
}

// ask asks for a product to be online, by which it may become that, and returns how often it was asked for.
func (a *Archive) ask(id string) (times int, online bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.ids[id]
	if r.asked++; r.asked > 2 && r.offline {
		r.offline, r.modified = false, time.Now().UTC().Truncate(time.Millisecond)
		a.tell("modified", r)
	}
	return r.asked, !r.offline
}

// bytes are those of a product's zip, in its version.
func (a *Archive) bytes(r *row) []byte {
	if r.body != nil {
		return r.body
	}
	if l := slices.IndexFunc(lives, func(l life) bool { return l.kind == r.kind && l.from == Hostile }); l >= 0 {
		r.body = a.hostile(r)
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
	return zipOf(Proper(filepath.Base(dir))+".SAFE", string(manifest), data), err
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

// Truth returns the MD5 of every product that lives, is sound and can be had, by its name without .SAFE, and how many bytes they have.
func (a *Archive) Truth() (sums map[string]string, size int64) { return a.TruthBut("") }

// TruthBut is the truth for those who take the products of one kind for sound, because they don't see what is wrong with them.
func (a *Archive) TruthBut(sound string) (sums map[string]string, size int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	newest := a.newest()
	sums = map[string]string{}
	for name, r := range newest {
		if (!isUnsafe(r.kind) || r.kind == sound) && (!r.offline || a.Ordering != "") {
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
		if !isUnsafe(r.kind) && (!r.offline || a.Ordering != "") {
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

// Rows returns how many there ever were.
func (a *Archive) Rows() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.rows)
}

// Unsafe returns how many rows there are whose bytes must never be served.
func (a *Archive) Unsafe() (n int) {
	for kind, rows := range a.Kinds() {
		if isUnsafe(kind) {
			n += rows
		}
	}
	return n
}

// Outdated returns the names, without .SAFE, of the products whose acquisition was processed again.
func (a *Archive) Outdated() (names []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.rows {
		if r.kind == "outdated" && r.deleted.IsZero() {
			names = append(names, strings.TrimSuffix(r.name, ".SAFE"))
		}
	}
	return names
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
