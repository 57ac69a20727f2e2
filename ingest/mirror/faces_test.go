package mirror

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swath/ingest/hub"
	"swath/ingest/hub/cdse"
	"swath/ingest/hub/folder"
	"swath/ingest/hub/stacapi"
	"swath/ingest/hub/wire"
	"swath/internal/hubtest"
	"swath/internal/testdb"
	"swath/objects"
)

// quick is how a test reaches a hub.
func quick(s *hubtest.Server) wire.Config {
	return wire.Config{Trusted: []string{s.Download}, Login: wire.Login{Token: s.Token, Client: "cdse-public", User: hubtest.User, Password: hubtest.Password}, Tries: 6, Wait: time.Millisecond, MostWait: 20 * time.Millisecond}
}

// TestFaces: a mirror of the STAC face of a nasty hub, and one over its S3 face, end as the hub is, before and after it changed.
func TestFaces(t *testing.T) {
	for name, open := range map[string]func(*hubtest.Server) (hub.Hub, error){
		"stac": func(s *hubtest.Server) (hub.Hub, error) {
			w := quick(s)
			w.Header, w.Key = "X-API-Key", hubtest.STACKey
			return stacapi.New(stacapi.Config{URL: s.Catalogue + "/stac", Wire: w, Collections: []string{"s2"}, Assets: []string{"product"}, Page: 80})
		},
		"s3": func(s *hubtest.Server) (hub.Hub, error) {
			server := objects.OpenRemote(objects.S3Config{Endpoint: s.Catalogue, AccessKey: hubtest.S3Key, SecretKey: hubtest.S3Secret, PathStyle: true})
			return cdse.New(cdse.Config{Catalogue: s.Catalogue, Page: 100, Wire: quick(s), S3: wire.NewS3(server, quick(s))})
		},
	} {
		t.Run(name, func(t *testing.T) {
			archive := hubtest.NewArchive(9, 80, hubtest.Nasty)
			archive.Ordering = map[string]string{"stac": "dhus", "s3": "odata"}[name]
			s := hubtest.Serve(t, archive, hubtest.Options{Seed: 5, Profile: hubtest.Nasty})
			database, work, in := testdb.New(t), t.TempDir(), &shelf{items: map[string]string{}}
			h, err := open(s)
			if err != nil {
				t.Fatal(err)
			}
			m, l := keep(t, h, database, work, in)
			defer l.Close()
			for range 2 {
				if err := m.Once(t.Context()); err != nil {
					t.Fatal(err)
				}
				// A zip whose sum is wrong for ever can't be told from its files, which are sound.
				in.equalsBut(t, archive, map[string]string{"s3": "badmeta"}[name])
				archive.Live()
			}
			if left, err := os.ReadDir(work); err != nil || len(left) > 0 {
				t.Errorf("%d folders of parts stay, %v", len(left), err)
			}
		})
	}
}

// TestFolder: what is delivered into a folder is held when it is complete, fetched again when it changes, and gone when it leaves, unless
// so much leaves that the disk itself must be missing.
func TestFolder(t *testing.T) {
	root := filepath.Join(t.TempDir(), "archive")
	write := func(name, body string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		write("2024/"+name+"/METADATA.DIM", "the product "+name)
		write("2024/"+name+".done", "")
	}
	write("2024/unmarked/METADATA.DIM", "no marker yet")
	write("2024/half/METADATA.DIM", "half")
	write("2024/half/.IMAGERY.TIF.x7Gh", "rsync writes this")
	write("2024/half.done", "")
	h, err := folder.New(folder.Config{Root: root, Marker: "*.done", Is: func(path string, dir bool) bool {
		_, err := os.Stat(filepath.Join(path, "METADATA.DIM"))
		return dir && err == nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	in := &names{items: map[string]string{}}
	m, l := keep(t, h, testdb.New(t), t.TempDir(), in)
	defer l.Close()
	once := func(want string) {
		t.Helper()
		if err := m.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := in.list(); got != want {
			t.Errorf("held: %s, want %s", got, want)
		}
	}
	once("a b c d e f g")
	write("2024/a/METADATA.DIM", "the product a, mended")
	write("2024/unmarked.done", "")
	if err := os.Remove(filepath.Join(root, "2024/half/.IMAGERY.TIF.x7Gh")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(root, "2024/b")); err != nil {
		t.Fatal(err)
	}
	once("a c d e f g half unmarked")
	if in.items["a"] != "the product a, mended" {
		t.Errorf("a is %q", in.items["a"])
	}
	if err := os.Rename(root, root+"-unmounted"); err != nil {
		t.Fatal(err)
	}
	if err := m.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), "not there") {
		t.Errorf("a folder that is not there: %v", err)
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := m.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), "vanished") {
		t.Errorf("an empty folder in its place: %v", err)
	}
	if status, err := l.Status(t.Context()); err != nil || status.Held != 8 || status.Gone != 1 {
		t.Errorf("%+v, %v", status, err)
	}
}
