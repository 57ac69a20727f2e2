package cluster

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"swath/fault"
)

// The oldest versions that Swath is tested with.
const (
	oldestPostgreSQL = 15
	oldestPostGIS    = "3.3"
)

// ErrNotInstalled is in the chain of Start's error when no usable PostgreSQL is on this machine.
var ErrNotInstalled = errors.New("no usable PostgreSQL found")

// places are where distributions put PostgreSQL: Debian's and the PostgreSQL project's own packages.
var places = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"}

// binaries is one installed PostgreSQL.
type binaries struct {
	dir     string // holds postgres and initdb
	major   int
	version string
	postgis string // version of the extension that is installed beside it; empty when there is none
}

// findBinaries returns the newest usable PostgreSQL, or, when major is not 0, the one of that major version.
func findBinaries(ctx context.Context, patterns []string, major int) (binaries, error) {
	var all []binaries
	for _, dir := range candidates(ctx, patterns) {
		if b, ok := inspect(ctx, dir); ok {
			all = append(all, b)
		}
	}
	usable := slices.DeleteFunc(slices.Clone(all), func(b binaries) bool {
		return b.major < oldestPostgreSQL || compareVersions(b.postgis, oldestPostGIS) < 0 || (major != 0 && b.major != major)
	})
	if len(usable) == 0 {
		return binaries{}, notFound(all, major)
	}
	return slices.MaxFunc(usable, func(a, b binaries) int { return compareVersions(a.version, b.version) }), nil
}

// candidates lists folders that may hold PostgreSQL: the known places, then what PATH leads to.
func candidates(ctx context.Context, patterns []string) []string {
	var dirs []string
	for _, pattern := range patterns {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) ((\d+)[.\w]*)`)

// inspect asks the binaries in dir what they are.
func inspect(ctx context.Context, dir string) (binaries, bool) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return binaries{}, false
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	found := versionPattern.FindSubmatch(out)
	if err != nil || found == nil {
		return binaries{}, false
	}
	major, _ := strconv.Atoi(string(found[2]))
	return binaries{dir: dir, major: major, version: string(found[1]), postgis: postgisVersion(ctx, dir, string(found[2]))}, true
}

var controlPattern = regexp.MustCompile(`(?m)^default_version = '([^']+)'`)

// postgisVersion reads the version of PostGIS from its control file, in the folder that pg_config names, or in Debian's.
func postgisVersion(ctx context.Context, dir, major string) string {
	share := filepath.Join("/usr/share/postgresql", major)
	if out, err := exec.CommandContext(ctx, filepath.Join(dir, "pg_config"), "--sharedir").Output(); err == nil {
		share = strings.TrimSpace(string(out))
	}
	control, err := os.ReadFile(filepath.Join(share, "extension", "postgis.control"))
	found := controlPattern.FindSubmatch(control)
	if err != nil || found == nil {
		return ""
	}
	return string(found[1])
}

// compareVersions compares dotted versions number by number; what is not a number counts as 0.
func compareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		var x, y int
		if i < len(as) {
			x, _ = strconv.Atoi(as[i])
		}
		if i < len(bs) {
			y, _ = strconv.Atoi(bs[i])
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// notFound says what was found instead of a usable PostgreSQL, and what to install.
func notFound(all []binaries, major int) error {
	var seen []string
	for _, b := range all {
		postgis := "without PostGIS"
		if b.postgis != "" {
			postgis = "with PostGIS " + b.postgis
		}
		seen = append(seen, "PostgreSQL "+b.version+" "+postgis+" in "+b.dir)
	}
	if seen == nil {
		seen = []string{"nothing"}
	}
	if major != 0 {
		return fault.Wrap(fault.Unavailable, ErrNotInstalled, "the data folder was made by PostgreSQL %d, which must be installed with PostGIS %s or newer "+
			"(on Debian: postgresql-%d-postgis-3); to move to a newer one, dump and load it, or use pg_upgrade; found: %s", major, oldestPostGIS, major, strings.Join(seen, "; "))
	}
	return fault.Wrap(fault.Unavailable, ErrNotInstalled, "Swath needs PostgreSQL %d or newer with PostGIS %s or newer "+
		"(on Debian: apt-get install postgresql-postgis), or the address of a server that has them; found: %s", oldestPostgreSQL, oldestPostGIS, strings.Join(seen, "; "))
}
