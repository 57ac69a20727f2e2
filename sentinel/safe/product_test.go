package safe_test

import (
	"archive/zip"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"swath/fault"
	"swath/sentinel/safe"
)

// entry is one member of a zip made for a test.
type entry struct {
	name string
	body string
	mode fs.FileMode
}

// makeZip writes a zip and returns its path.
func makeZip(t *testing.T, name string, entries ...entry) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		out, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

const emptyManifest = `<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1"/>`

func TestOpenFindsTheProduct(t *testing.T) {
	const m = "manifest.safe"
	for name, tc := range map[string]struct {
		zip              string
		entries          []entry
		wantName, wantAt string
	}{
		"SAFE folder in a zip":    {"X.zip", []entry{{name: "S2A_X.SAFE/" + m, body: "x"}}, "S2A_X", "S2A_X.SAFE"},
		"folder without .SAFE":    {"X.zip", []entry{{name: "S2A_X/" + m, body: "x"}}, "S2A_X", "S2A_X"},
		"two levels down":         {"X.zip", []entry{{name: "a/S1A_X.SAFE/" + m, body: "x"}}, "S1A_X", "a/S1A_X.SAFE"},
		"others beside":           {"X.zip", []entry{{name: "readme.txt", body: "x"}, {name: "preview/a.png", body: "x"}, {name: "S1A_X.SAFE/" + m, body: "x"}}, "S1A_X", "S1A_X.SAFE"},
		"at the top":              {"S1A_X.SAFE.zip", []entry{{name: m, body: "x"}}, "S1A_X", "."},
		"without manifest":        {"X.zip", []entry{{name: "S2A_X/MTD_MSIL1C.xml", body: "x"}}, "S2A_X", "S2A_X"},
		"DIMAP":                   {"SWH.ZIP", []entry{{name: "METADATA.DIM", body: "x"}, {name: "IMAGERY.TIF", body: "x"}}, "SWH", "."},
		"a manifest deep inside":  {"X.zip", []entry{{name: "S1A_X.SAFE/" + m, body: "x"}, {name: "S1A_X.SAFE/old/" + m, body: "x"}}, "S1A_X", "S1A_X.SAFE"},
		"explicit folder entries": {"X.zip", []entry{{name: "S1A_X.SAFE/", mode: fs.ModeDir | 0o755}, {name: "S1A_X.SAFE/" + m, body: "x"}}, "S1A_X", "S1A_X.SAFE"},
	} {
		t.Run(name, func(t *testing.T) {
			path := makeZip(t, tc.zip, tc.entries...)
			p, err := safe.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if p.Name != tc.wantName || p.Root != tc.wantAt || !p.Zipped {
				t.Errorf("name %q at %q, want %q at %q", p.Name, p.Root, tc.wantName, tc.wantAt)
			}
			entries, err := fs.ReadDir(p.FS, ".")
			if err != nil || len(entries) == 0 {
				t.Errorf("entries %v, error %v", entries, err)
			}
			if got, want := p.GDALPath("a.jp2"), strings.TrimSuffix("/vsizip/{"+path+"}/"+strings.TrimPrefix(tc.wantAt+"/", "./"), "/")+"/a.jp2"; got != want {
				t.Errorf("GDALPath = %q, want %q", got, want)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	ok := entry{name: "A.SAFE/manifest.safe", body: emptyManifest}
	many := []entry{ok}
	for i := range 20_000 {
		many = append(many, entry{name: "A.SAFE/" + strings.Repeat("x", 1+i%3) + string(rune('a'+i%26)) + strings.Repeat("y", i/26%20) + string(rune(0x4e00+i)), body: ""})
	}
	for name, tc := range map[string]struct {
		entries []entry
		want    string
	}{
		"parent":          {[]entry{ok, {name: "A.SAFE/../../etc/passwd", body: "x"}}, "leaves the archive"},
		"absolute":        {[]entry{ok, {name: "/etc/passwd", body: "x"}}, "absolute"},
		"drive":           {[]entry{ok, {name: "C:/x", body: "x"}}, "drive letter"},
		"backslash":       {[]entry{ok, {name: `A.SAFE\..\x`, body: "x"}}, "malformed"},
		"control":         {[]entry{ok, {name: "A.SAFE/a\nb", body: "x"}}, "control character"},
		"link":            {[]entry{ok, {name: "A.SAFE/l", body: "/etc/passwd", mode: fs.ModeSymlink | 0o777}}, "symbolic link"},
		"device":          {[]entry{ok, {name: "A.SAFE/d", mode: fs.ModeDevice | 0o666}}, "neither a file nor a folder"},
		"twice":           {[]entry{ok, ok}, "occurs twice"},
		"file and folder": {[]entry{ok, {name: "A.SAFE/a", body: "x"}, {name: "A.SAFE/a/b", body: "x"}}, "both a file and a folder"},
		"bomb":            {[]entry{ok, {name: "A.SAFE/bomb", body: strings.Repeat("\x00", 12_000_000)}}, "bomb"},
		"many":            {many, "20001 entries"},
		"no product":      {[]entry{{name: "a/b.txt", body: "x"}}, "not a product"},
		"two products":    {[]entry{ok, {name: "B.SAFE/manifest.safe", body: emptyManifest}}, "2 products"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := safe.Open(makeZip(t, "x.zip", tc.entries...))
			if p != nil || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("product %v, error %v, want one about %q", p, err, tc.want)
			}
		})
	}
}

func TestOpenRefusesBrokenZips(t *testing.T) {
	whole, err := os.ReadFile(makeZip(t, "x.zip", entry{name: "A.SAFE/manifest.safe", body: strings.Repeat(emptyManifest, 100)}))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{"empty": nil, "cut": whole[:len(whole)-30], "not a zip": []byte("hello, I am text")} {
		path := filepath.Join(t.TempDir(), "broken.zip")
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := safe.Open(path); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "broken.zip") {
			t.Errorf("%s: error %v, want fault.Invalid naming the file", name, err)
		}
	}
	if _, err := safe.Open("testdata/absent.zip"); !fault.Is(err, fault.NotFound) {
		t.Errorf("absent: error %v, want fault.NotFound", err)
	}
	damaged := append([]byte{}, whole...) // a bit of the compressed stream
	damaged[60] ^= 0xff
	path := filepath.Join(t.TempDir(), "damaged.zip")
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := safe.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := safe.ReadManifest(p.FS); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "manifest.safe is damaged") {
		t.Errorf("damaged member: error %v", err)
	}
}

func TestFolderLinksStayInside(t *testing.T) {
	dir := t.TempDir()
	product := filepath.Join(dir, "A.SAFE")
	secret := filepath.Join(dir, "secret.xml")
	if err := errors.Join(os.Mkdir(product, 0o700), os.WriteFile(secret, []byte("<a/>"), 0o600), os.Symlink(secret, filepath.Join(product, "MTD_MSIL1C.xml")),
		os.Symlink("../secret.xml", filepath.Join(product, "b.xml"))); err != nil {
		t.Fatal(err)
	}
	p, err := safe.Open(product)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, name := range []string{"MTD_MSIL1C.xml", "b.xml"} {
		if _, err := safe.ReadFile(p.FS, name); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "leads out of the product") {
			t.Errorf("%s: error %v, want a refusal", name, err)
		}
	}
	if got := p.GDALPath("a/b.jp2"); got != filepath.Join(product, "a", "b.jp2") {
		t.Errorf("GDALPath = %q", got)
	}
}

func TestVerify(t *testing.T) {
	list := func(objects string) fstest.MapFS {
		return fstest.MapFS{
			"manifest.safe": {Data: []byte("<x><dataObjectSection>" + objects + "</dataObjectSection></x>")},
			"a.txt":         {Data: []byte("hello")},
		}
	}
	object := func(href, size, algorithm, sum string) string {
		return `<dataObject ID="a"><byteStream size="` + size + `"><fileLocation href="` + href + `"/><checksum checksumName="` + algorithm + `">` + sum + `</checksum></byteStream></dataObject>`
	}
	for name, tc := range map[string]struct{ objects, want string }{
		"md5":       {object("./a.txt", "5", "MD5", "5D41402ABC4B2A76B9719D911017C592"), ""},
		"sha3":      {object("a.txt", "5", "SHA3-256", "3338be694f50c5f338814986cdf0686453a888b84f424d792af4b9202398f392"), ""},
		"wrong sum": {object("a.txt", "5", "MD5", "00"), "a.txt: MD5 5d41402abc4b2a76b9719d911017c592 instead of 00"},
		"size":      {object("a.txt", "6", "MD5", "00"), "a.txt: 5 bytes instead of 6"},
		"missing":   {object("b.txt", "6", "MD5", "00"), "b.txt: missing"},
		"algorithm": {object("a.txt", "5", "CRC", "00"), `a.txt: checksum algorithm "CRC" is unknown`},
	} {
		fsys := list(tc.objects)
		m, err := safe.ReadManifest(fsys)
		if err != nil {
			t.Fatal(err)
		}
		wrong, err := m.Verify(context.Background(), fsys)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, w := range wrong {
			got += w.String()
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	fsys := list(object("a.txt", "5", "MD5", "00"))
	m, _ := safe.ReadManifest(fsys)
	if _, err := m.Verify(cancelled, fsys); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, href := range []string{"../a.txt", "/etc/passwd", "", "a/../../b", `..\x`} {
		if _, err := safe.ReadManifest(list(object(href, "5", "MD5", "00"))); !fault.Is(err, fault.Invalid) {
			t.Errorf("href %q: error %v, want fault.Invalid", href, err)
		}
	}
}
