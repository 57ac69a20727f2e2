package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "swath/"

type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

// packages asks the go command for every package of ours.
func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Standard", module+"...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// matches reports whether a package is the room, or in its tree.
func matches(room, pkg string) bool {
	if tree, ok := strings.CutSuffix(room, "/..."); ok {
		return pkg == tree || strings.HasPrefix(pkg, tree+"/")
	}
	return room == pkg
}

func roomOf(pkg string) (Room, bool) {
	for _, r := range Rooms {
		if matches(r.Package, pkg) {
			return r, true
		}
	}
	return Room{}, false
}

func anyMatches(rooms []string, pkg string) bool {
	for _, r := range rooms {
		if matches(r, pkg) {
			return true
		}
	}
	return false
}

func TestImportsPointDown(t *testing.T) {
	all := packages(t)
	if len(all) < 15 {
		t.Fatalf("go list named %d packages only", len(all))
	}
	for _, p := range all {
		from := strings.TrimPrefix(p.ImportPath, module)
		room, ok := roomOf(from)
		if !ok {
			t.Errorf("package %s has no place in the house: add it to Rooms", from)
			continue
		}
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module)
			if !ours {
				checkLibrary(t, from, imported)
				continue
			}
			target, ok := roomOf(to)
			if !ok {
				continue // reported when its own turn comes
			}
			if !mayImport(room, target, to) {
				t.Errorf("%s (floor %d) may not import %s (floor %d)", from, room.Floor, to, target.Floor)
			}
		}
	}
}

// mayImport is the rule: down, or sideways where the table says so.
func mayImport(from, to Room, pkg string) bool {
	return to.Floor < from.Floor || to.Floor == from.Floor && anyMatches(from.Sideways, pkg)
}

func checkLibrary(t *testing.T, from, imported string) {
	t.Helper()
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		if strings.HasPrefix(imported, "net/http") && imported != "net/http/pprof" {
			if room, _ := roomOf(from); room.Floor < 4 && !slices.Contains([]string{"objects", "fetch", "download", "processes/runner", "processes/jobclient", "fetch/egress"}, from) && !strings.HasPrefix(from, "ingest/hub/") {
				t.Errorf("%s imports %s: only doors know HTTP, and those who ask others by it", from, imported)
			}
		}
		return // the standard library
	}
	for _, l := range Libraries {
		if imported == l.Module || strings.HasPrefix(imported, l.Module+"/") {
			if !anyMatches(l.Rooms, from) {
				t.Errorf("%s imports %s, which lives in %v", from, imported, l.Rooms)
			}
			return
		}
	}
	t.Errorf("%s imports %s, a library that the table does not know", from, imported)
}

func TestWordsAreStandardLibraryOnly(t *testing.T) {
	for _, p := range packages(t) {
		if room, ok := roomOf(strings.TrimPrefix(p.ImportPath, module)); !ok || room.Floor != 0 {
			continue
		}
		for _, imported := range p.Imports {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
				t.Errorf("%s imports %s: the ground floor uses the standard library only", p.ImportPath, imported)
			}
		}
	}
}

// TestRulesCanFail makes sure that the table refuses what it should.
func TestRulesCanFail(t *testing.T) {
	for name, tc := range map[string]struct {
		from, to string
		want     bool
	}{
		"down":         {"tiles", "raster", true},
		"up":           {"raster", "tiles", false},
		"sideways":     {"stac", "catalog", false},
		"sideways, ok": {"catalog", "stac", true},
	} {
		from, _ := roomOf(tc.from)
		to, _ := roomOf(tc.to)
		if got := mayImport(from, to, tc.to); got != tc.want {
			t.Errorf("%s: %s may import %s = %v, want %v", name, tc.from, tc.to, got, tc.want)
		}
	}
}
