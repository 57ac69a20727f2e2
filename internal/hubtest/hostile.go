package hubtest

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/md5"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// AddHostile adds so many products of each way in which bytes can be hostile. The hub lists their true sizes and checksums.
func (a *Archive) AddHostile(each int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now().UTC()
	n := len(a.rows)
	for _, l := range lives {
		if l.from != Hostile {
			continue
		}
		for variant := range each {
			n++
			acquired := now.Add(-time.Duration(n) * time.Hour).Truncate(time.Millisecond)
			a.add(&row{id: fmt.Sprintf("%s-%d", l.kind, variant), kind: l.kind, version: variant, name: productName(acquired, 1+n%143, n), visible: true,
				acquired: acquired, published: now.Add(-time.Hour).Truncate(time.Second), modified: now.Add(-time.Hour).Truncate(time.Second)})
		}
	}
}

// bombBytes is what a small zip becomes.
const bombBytes = 64 << 20

// hostile makes the bytes of a hostile product; its version says in which variant.
func (a *Archive) hostile(r *row) []byte {
	data := []byte("what the product measured")
	root := r.name + "/"
	sound := func(extra ...entry) []byte {
		return zipEntries(append([]entry{{name: root + "manifest.safe", body: []byte(manifestOf(len(data), md5.Sum(data)))}, {name: root + "measurement/data.bin", body: data}}, extra...))
	}
	manifest := func(text string) []byte {
		return zipEntries([]entry{{name: root + "manifest.safe", body: []byte(text)}, {name: root + "measurement/data.bin", body: data}})
	}
	switch outside := strings.TrimPrefix(a.Outside, "/"); r.kind + fmt.Sprint(r.version%4) {
	case "bomb0":
		return sound(entry{name: root + "measurement/zeros.bin", bomb: true})
	case "bomb1": // it says that it is small
		return sound(entry{name: root + "measurement/zeros.bin", bomb: true, says: 100})
	case "bomb2":
		many := make([]entry, 30_000)
		for i := range many {
			many[i].name = fmt.Sprintf("%sempty/%d", root, i)
		}
		return sound(many...)
	case "bomb3": // zips in a zip
		inner := zipEntries([]entry{{name: "zeros", bomb: true}})
		return sound(entry{name: root + "a.zip", body: inner}, entry{name: root + "a.zip", body: inner})
	case "traversal0":
		return sound(entry{name: strings.Repeat("../", 20) + outside + "/escaped", body: data})
	case "traversal1":
		return sound(entry{name: "/" + outside + "/escaped", body: data})
	case "traversal2":
		return sound(entry{name: root + "..\\..\\..\\escaped", body: data}, entry{name: "C:/escaped", body: data})
	case "traversal3": // by the manifest
		return manifest(strings.Replace(manifestOf(len(data), md5.Sum(data)), "./measurement/data.bin", strings.Repeat("../", 20)+outside+"/secret", 1))
	case "symlink0":
		return sound(entry{name: root + "measurement/link", body: []byte(a.Outside), mode: fs.ModeSymlink | 0o777}, entry{name: root + "measurement/link/escaped", body: data})
	case "symlink1": // the measurement itself
		return zipEntries([]entry{{name: root + "manifest.safe", body: []byte(manifestOf(len(data), md5.Sum(data)))}, {name: root + "measurement/data.bin", body: []byte(a.Outside + "/secret"), mode: fs.ModeSymlink | 0o777}})
	case "symlink2":
		return sound(entry{name: root + "measurement/device", mode: fs.ModeDevice | 0o666})
	case "symlink3":
		return sound(entry{name: root + "measurement/up", body: []byte("../../../../"), mode: fs.ModeSymlink | 0o777})
	case "xxe0":
		return manifest(fmt.Sprintf(`<!DOCTYPE x [<!ENTITY s SYSTEM "file://%s/secret">]><xfdu>&s;</xfdu>`, a.Outside))
	case "xxe1":
		return manifest(fmt.Sprintf(`<!DOCTYPE x SYSTEM "%s/evil.dtd"><xfdu></xfdu>`, a.Callback))
	case "xxe2": // a billion laughs
		var text strings.Builder
		text.WriteString(`<!DOCTYPE x [<!ENTITY l0 "ha">`)
		for i := range 30 {
			fmt.Fprintf(&text, `<!ENTITY l%d "&l%d;&l%d;">`, i+1, i, i)
		}
		return manifest(text.String() + `]><xfdu>&l30;</xfdu>`)
	case "xxe3":
		return manifest(fmt.Sprintf(`<!DOCTYPE x [<!ENTITY %% p SYSTEM "%s/p.dtd"> %%p;]><xfdu></xfdu>`, a.Callback))
	case "hugemanifest0":
		return manifest("<xfdu>" + filler(20<<20) + "</xfdu>")
	case "hugemanifest1":
		return manifest(strings.Repeat("<a>", 2_000_000))
	case "hugemanifest2":
		return manifest("<xfdu><dataObjectSection>" + strings.Repeat(`<dataObject><byteStream size="1"><fileLocation href="./measurement/data.bin"/></byteStream></dataObject>`, 300_000) + "</dataObjectSection></xfdu>")
	default: // hugemanifest3
		return manifest(`<xfdu a="` + filler(20<<20) + `"></xfdu>`)
	}
}

// filler is text that packs well, but not like a bomb.
func filler(size int) string {
	random := rand.New(rand.NewPCG(1, 1))
	text := bytes.Repeat([]byte{'a'}, size)
	for i := range text {
		if i%1024 < 40 {
			text[i] += byte(random.IntN(26))
		}
	}
	return string(text)
}

// entry is one of a zip.
type entry struct {
	name string
	body []byte
	mode fs.FileMode
	says uint64 // its size, if not 0, whatever it is
	bomb bool   // zeros are its body
}

// packed is a body as a zip has it.
type packed struct {
	bytes []byte
	size  int
	crc   uint32
}

func pack(body []byte) packed {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a buffer never fails
	}
	return packed{out.Bytes(), len(body), crc32.ChecksumIEEE(body)}
}

// packedBomb is packed once: it takes a second.
var packedBomb = sync.OnceValue(func() packed { return pack(make([]byte, bombBytes)) })

// zipEntries packs them as they are, however bad they are.
func zipEntries(entries []entry) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		p := packed{}
		if e.bomb {
			p = packedBomb()
		} else {
			p = pack(e.body)
		}
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, CRC32: p.crc, CompressedSize64: uint64(len(p.bytes)), UncompressedSize64: uint64(p.size)}
		if e.says > 0 {
			h.UncompressedSize64 = e.says
		}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		to, err := w.CreateRaw(h)
		if err == nil {
			_, err = to.Write(p.bytes)
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
