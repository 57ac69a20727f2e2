package parcel

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swath/internal/testdb"
	"swath/migrations"
	"swath/objects"
)

var at = time.Date(2018, 7, 20, 10, 50, 31, 0, time.UTC)

// memory is an object of bytes.
type memory struct {
	*bytes.Reader
	sha string
}

func inMemory(text string) memory {
	sum := sha256.Sum256([]byte(text))
	return memory{bytes.NewReader([]byte(text)), hex.EncodeToString(sum[:])}
}

func (m memory) Info() objects.Info {
	return objects.Info{Size: m.Size(), SHA256: m.sha, Modified: at}
}
func (m memory) Close() error { return nil }

// zeros is an object that is larger than a disk would like.
type zeros int64

func (z zeros) ReadAt(p []byte, off int64) (int, error) { clear(p); return len(p), nil }
func (z zeros) Info() objects.Info {
	return objects.Info{Size: int64(z), SHA256: strings.Repeat("0", 64)}
}
func (z zeros) Close() error { return nil }

// reads works a CRC-32 out of all bytes.
func reads(_ context.Context, o objects.Object) (uint32, error) {
	h := crc32.NewIEEE()
	_, err := io.Copy(h, io.NewSectionReader(o, 0, o.Info().Size))
	return h.Sum32(), err
}

// some are files of all sizes that matter here: none, one byte, and more than buffers hold.
func some() (files []File, texts map[string]string) {
	r := rand.New(rand.NewPCG(1, 2))
	texts = map[string]string{"é/empty": "", "é/one": "1", "é/b 04.tif": "", "é/a.xml": "<a/>"}
	large := make([]byte, 300_000)
	for i := range large {
		large[i] = byte(r.Uint32())
	}
	texts["é/b 04.tif"] = string(large)
	for name, text := range texts {
		files = append(files, File{name, inMemory(text)})
	}
	return files, texts
}

func whole(t *testing.T, z *Zip) []byte {
	t.Helper()
	var b bytes.Buffer
	if n, err := io.Copy(&b, z.Stream(0, z.Info().Size)); err != nil || n != z.Info().Size {
		t.Fatal(n, z.Info().Size, err)
	}
	return b.Bytes()
}

// TestOthersReadIt: Go's, Python's and Info-ZIP's readers find every file with its bytes.
func TestOthersReadIt(t *testing.T) {
	files, texts := some()
	z, err := New(t.Context(), "x.zip", files, at, reads)
	if err != nil {
		t.Fatal(err)
	}
	all := whole(t, z)
	r, err := zip.NewReader(bytes.NewReader(all), int64(len(all)))
	if err != nil || len(r.File) != len(texts) {
		t.Fatal(err, r)
	}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(in)
		if err != nil || string(got) != texts[f.Name] || f.Method != zip.Store || !f.Modified.Equal(at.Add(-time.Second)) || f.Mode() != 0o644 {
			t.Errorf("%s: %d bytes, %v, %s, %s", f.Name, len(got), err, f.Modified, f.Mode())
		}
	}
	path := filepath.Join(t.TempDir(), "x.zip")
	if err := os.WriteFile(path, all, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tool := range [][]string{{"unzip", "-tq", path}, {"python3", "-m", "zipfile", "-t", path}} {
		if _, err := exec.LookPath(tool[0]); err != nil {
			t.Logf("%s is not installed", tool[0])
			continue
		}
		if out, err := exec.CommandContext(t.Context(), tool[0], tool[1:]...).CombinedOutput(); err != nil || bytes.Contains(out, []byte("corrupt")) {
			t.Errorf("%v: %v: %s", tool, err, out)
		}
	}
}

// TestRanges: any range of the zip is that of the whole, from another Zip of the same files in another order, however it is read.
func TestRanges(t *testing.T) {
	files, _ := some()
	first, err := New(t.Context(), "x.zip", files, at, reads)
	if err != nil {
		t.Fatal(err)
	}
	all := whole(t, first)
	files = append(files[2:], files[:2]...)
	z, err := New(t.Context(), "x.zip", files, at, reads)
	if err != nil {
		t.Fatal(err)
	}
	if z.Info() != first.Info() {
		t.Errorf("the same files make %+v and %+v", z.Info(), first.Info())
	}
	r := rand.New(rand.NewPCG(3, 4))
	size := len(all)
	for range 2000 {
		off := r.IntN(size)
		n := 1 + r.IntN(min(size-off, 1<<r.IntN(19)+1))
		if off+n > size {
			n = size - off
		}
		var got bytes.Buffer
		if r.IntN(2) == 0 {
			_, err = io.Copy(&got, z.Stream(int64(off), int64(n)))
		} else {
			_, err = io.Copy(struct{ io.Writer }{&got}, struct{ io.Reader }{z.Stream(int64(off), int64(n))})
		}
		if err != nil || !bytes.Equal(got.Bytes(), all[off:off+n]) {
			t.Fatalf("%d bytes from %d: %d, %v", n, off, got.Len(), err)
		}
		p := make([]byte, n)
		if m, err := z.ReadAt(p, int64(off)); m != n || err != nil || !bytes.Equal(p, all[off:off+n]) {
			t.Fatalf("%d bytes at %d: %d, %v", n, off, m, err)
		}
	}
}

// TestTagIsOfTheBytes: what changes the bytes changes the tag.
func TestTagIsOfTheBytes(t *testing.T) {
	tags := map[string]string{}
	for what, files := range map[string][]File{
		"one": {{"a", inMemory("x")}}, "another content": {{"a", inMemory("y")}}, "another name": {{"b", inMemory("x")}}, "two": {{"a", inMemory("x")}, {"b", inMemory("x")}},
	} {
		z, err := New(t.Context(), "x.zip", files, at, reads)
		if err != nil {
			t.Fatal(err)
		}
		if other, same := tags[z.Info().SHA256]; same {
			t.Errorf("%s and %s have the same tag", what, other)
		}
		tags[z.Info().SHA256] = what
	}
	z, err := New(t.Context(), "x.zip", []File{{"a", inMemory("x")}}, at.Add(time.Hour), reads)
	if err != nil || tags[z.Info().SHA256] != "" {
		t.Error("another time has the same tag", err)
	}
	for _, files := range [][]File{{{"a", inMemory("x")}, {"a", inMemory("y")}}, {{"", inMemory("x")}}, {{strings.Repeat("x", 70_000), inMemory("x")}}} {
		if _, err := New(t.Context(), "x.zip", files, at, reads); err == nil {
			t.Errorf("a zip of %d files that can't be", len(files))
		}
	}
}

// TestLarge: files and offsets beyond 4 GiB, and more files than 65,535, are found by other readers.
func TestLarge(t *testing.T) {
	none := func(context.Context, objects.Object) (uint32, error) { return 0, nil }
	files := []File{{"a", inMemory("a")}, {"b", zeros(5 << 30)}, {"c", inMemory("c")}, {"d", zeros(1 << 32)}, {"e", inMemory("e")}}
	z, err := New(t.Context(), "x.zip", files, at, none)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "large.zip") // with holes
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range z.pieces {
		to := z.info.Size
		if i+1 < len(z.pieces) {
			to = z.pieces[i+1].off
		}
		if to-p.off > 1<<30 {
			continue
		}
		if _, err := io.Copy(io.NewOffsetWriter(f, p.off), z.Stream(p.off, to-p.off)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i, one := range r.File {
		off, err := one.DataOffset()
		if err != nil || one.Name != files[i].Name || int64(one.UncompressedSize64) != files[i].Object.Info().Size || off != z.pieces[2*i+1].off {
			t.Errorf("%s has %d bytes at %d, %v", one.Name, one.UncompressedSize64, off, err)
		}
	}
	const script = "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nprint([(i.filename,i.file_size,i.header_offset) for i in z.infolist()], [z.open(n).read(1) for n in 'bd'], z.open('c'))"
	if out, err := exec.CommandContext(t.Context(), "python3", "-c", script, path).CombinedOutput(); err != nil {
		t.Logf("python3: %v", err)
		if _, missing := exec.LookPath("python3"); missing == nil {
			t.Errorf("%s", out)
		}
	}
	if _, err := exec.LookPath("zipinfo"); err == nil {
		if out, err := exec.CommandContext(t.Context(), "zipinfo", path).CombinedOutput(); err != nil || !strings.Contains(string(out), "5368709120") {
			t.Errorf("zipinfo: %v: %s", err, out)
		}
	}
	many := make([]File, 70_000)
	for i := range many {
		many[i] = File{fmt.Sprintf("%06d", i), inMemory("")}
	}
	if z, err = New(t.Context(), "x.zip", many, at, none); err != nil {
		t.Fatal(err)
	}
	all := whole(t, z)
	if r, err := zip.NewReader(bytes.NewReader(all), int64(len(all))); err != nil || len(r.File) != len(many) {
		t.Errorf("of %d files %v", len(many), err)
	}
}

// counting counts how often an object is read.
type counting struct {
	memory
	reads *int
}

func (c counting) ReadAt(p []byte, off int64) (int, error) {
	*c.reads++
	return c.memory.ReadAt(p, off)
}

// TestSums: each content is read once, also by who opens the sums anew.
func TestSums(t *testing.T) {
	url := testdb.New(t)
	if err := migrations.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	n := 0
	o := counting{inMemory("123456789"), &n}
	for range 2 {
		sums, err := OpenSums(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer sums.Close()
		for range 3 {
			if crc, err := sums.CRC32(t.Context(), o); crc != 0xcbf43926 || err != nil { // the check value of CRC-32/ISO-HDLC
				t.Errorf("%x, %v", crc, err)
			}
		}
	}
	if n == 0 || n > 2 { // the bytes, and their end
		t.Errorf("it was read %d times", n)
	}
	sums, err := OpenSums(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer sums.Close()
	short := inMemory("short")
	short.Reader = bytes.NewReader(nil)
	for range 2 {
		if _, err := sums.CRC32(t.Context(), broken{short}); err == nil {
			t.Error("a file that is cut off has a sum")
		}
	}
}

// broken says to be longer than it is.
type broken struct{ memory }

func (b broken) Info() objects.Info {
	i := b.memory.Info()
	i.Size = 10
	return i
}
