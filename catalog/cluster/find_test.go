package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeInstall makes a folder that answers like PostgreSQL's binaries.
func fakeInstall(t *testing.T, root, version, postgis string) {
	t.Helper()
	bin, share := filepath.Join(root, version, "bin"), filepath.Join(root, version, "share")
	for _, dir := range []string{bin, filepath.Join(share, "extension")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, says := range map[string]string{"postgres": "postgres (PostgreSQL) " + version + " (Debian)", "pg_config": share, "initdb": ""} {
		if err := os.WriteFile(filepath.Join(bin, name), fmt.Appendf(nil, "#!/bin/sh\necho '%s'\n", says), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if postgis != "" {
		writeFile(t, filepath.Join(share, "extension", "postgis.control"), "# postgis extension\ndefault_version = '"+postgis+"'\n")
	}
}

func TestFindBinaries(t *testing.T) {
	for name, tc := range map[string]struct {
		installed map[string]string // PostgreSQL → PostGIS
		major     int
		want      string // version, or a part of the complaint
	}{
		"the newest":                    {map[string]string{"15.4": "3.3.2", "17.0": "3.5.0", "9.6.24": "3.3.0"}, 0, "17.0"},
		"by number, not by letter":      {map[string]string{"15.4": "3.10.0", "15.10": "3.10.0"}, 0, "15.10"},
		"the newest may lack PostGIS":   {map[string]string{"16.1": "3.4.1", "17.0": ""}, 0, "16.1"},
		"a release candidate":           {map[string]string{"18rc1": "3.6.0"}, 0, "18rc1"},
		"the one that made the cluster": {map[string]string{"15.4": "3.3.2", "17.0": "3.5.0"}, 15, "15.4"},
		"that one is missing":           {map[string]string{"17.0": "3.5.0"}, 15, "made by PostgreSQL 15"},
		"too old":                       {map[string]string{"14.9": "3.4.0"}, 0, "found: PostgreSQL 14.9 with PostGIS 3.4.0"},
		"PostGIS too old":               {map[string]string{"15.4": "3.2.9"}, 0, "found: PostgreSQL 15.4 with PostGIS 3.2.9"},
		"no PostGIS":                    {map[string]string{"15.4": ""}, 0, "without PostGIS"},
		"nothing":                       {nil, 0, "found: nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for version, postgis := range tc.installed {
				fakeInstall(t, root, version, postgis)
			}
			t.Setenv("PATH", "/nowhere")
			got, err := findBinaries(t.Context(), []string{filepath.Join(root, "*", "bin")}, tc.major)
			if err != nil {
				if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want %s", err, tc.want)
				}
				return
			}
			if got.version != tc.want {
				t.Errorf("got %+v, want %s", got, tc.want)
			}
		})
	}
}

func TestSocketDir(t *testing.T) {
	long := "/" + strings.Repeat("d", 100)
	for name, tc := range map[string]struct{ root, temp, want string }{
		"beside the cluster":     {"/data/postgres", "/tmp", "/data/postgres/run"},
		"in the temporary":       {long, "/var/tmp", "/var/tmp/swath-"},
		"the temporary is long":  {long, long, "/tmp/swath-"},
		"the longest that fits":  {"/" + strings.Repeat("d", longestSocket-len("//run/"+socketName)), "/tmp", "/run"},
		"one letter over the 91": {"/" + strings.Repeat("d", longestSocket-len("//run/"+socketName)+1), "/tmp", "/tmp/swath-"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := socketDir(tc.root, tc.temp)
			if err != nil || !strings.Contains(got, tc.want) || len(filepath.Join(got, socketName)) > longestSocket {
				t.Errorf("got %s, %v, want %s", got, err, tc.want)
			}
		})
	}
}

func TestSharedMemory(t *testing.T) {
	if got := sharedMemory(t.TempDir()); got != "posix" {
		t.Errorf("with a folder: %s", got)
	}
	if got := sharedMemory("/nowhere"); got != "mmap" {
		t.Errorf("without: %s", got)
	}
}

// TestOutputIsBounded: however much postgres says, two files hold the end of it.
func TestOutputIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	o, err := openOutput(path)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	line := []byte(strings.Repeat("x", 1023) + "\n")
	for range 3 * logBytes / len(line) {
		if _, err := o.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.Write([]byte("the last word\n")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".1"} {
		if info, err := os.Stat(name); err != nil || info.Size() > logBytes || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(string(text), "the last word\n") || !strings.HasSuffix(o.tail(), "the last word") {
		t.Errorf("the end is missing (%v)", err)
	}
}
