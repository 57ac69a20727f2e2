package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"swath/download"
	"swath/fault"
)

// TestDownloadConfig: flags are over the environment, over the profile, over the folder's file, over one's own; and an account goes to the host
// that stands beside it.
func TestDownloadConfig(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Chdir(t.TempDir())
	own := filepath.Join(home, "swath", "config.yaml")
	write := func(path, text string, mode os.FileMode) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	const mine = `
download:
  url: https://one.example
  api_key: KEY
  jobs: 2
  rate: 1M
  assets: [B04, B08]
  profiles:
    other: {url: "https://other.example", token_command: "echo TOKEN", jobs: 9}
`
	read := func(profile string, environment map[string]string, line ...string) (f downloadFlags, a renewable, err error) {
		flags := pflag.NewFlagSet("download", pflag.ContinueOnError)
		f.add(flags)
		if err := flags.Parse(line); err != nil {
			t.Fatal(err)
		}
		lookup := func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
		all, err := layers(profile)
		if err == nil {
			err = fill(flags, all, lookup)
		}
		if err == nil {
			a, err = accountFor(f.url, all, lookup)
		}
		return f, a, err
	}
	write(own, mine, 0o600)
	f, a, err := read("", nil)
	if err != nil || f.url != "https://one.example" || f.layout.Parallel != 2 || strings.Join(f.layout.Assets, " ") != "B04 B08" || a.APIKey != "KEY" {
		t.Errorf("one's own: %+v, %+v, %v", f, a, err)
	}
	f, a, err = read("other", map[string]string{"SWATH_RATE": "2M"}, "--assets", "product")
	if err != nil || f.url != "https://other.example" || f.layout.Parallel != 9 || f.rate != "2M" || strings.Join(f.layout.Assets, " ") != "product" || a.Account != (download.Account{Token: "TOKEN"}) || a.renew == nil {
		t.Errorf("a profile: %+v, %+v, %v", f, a, err)
	}
	write("swath.yaml", "listen: 127.0.0.1:1\ndownload: {jobs: 5}\n", 0o644)
	if f, _, err = read("", nil); err != nil || f.layout.Parallel != 5 || f.rate != "1M" {
		t.Errorf("the folder's file: %+v, %v", f, err)
	}
	if f, a, err = read("", nil, "--url", "https://elsewhere.example"); err != nil || a.Account != (download.Account{}) {
		t.Errorf("the account goes to another host: %+v, %v", a, err)
	}
	if _, a, err = read("", map[string]string{"SWATH_USER": "ada", "SWATH_PASSWORD": "p"}); err != nil || a.Account != (download.Account{User: "ada", Password: "p"}) {
		t.Errorf("the environment's account: %+v, %v", a, err)
	}
	for name, c := range map[string]struct {
		text    string
		mode    os.FileMode
		profile string
		want    string
	}{
		"a secret that others can read":   {"download: {url: \"https://one.example\", password: p}", 0o644, "", "chmod 600"},
		"a command of the folder's file":  {"download: {url: \"https://one.example\", api_key_command: \"touch ran\"}", 0o600, "", "commands"},
		"no setting":                      {"download: {colour: red}", 0o600, "", "colour"},
		"a wrong value":                   {"download: {jobs: many}", 0o600, "", "jobs"},
		"not YAML":                        {"download: {", 0o600, "", "swath.yaml"},
		"a profile that nothing is named": {"download: {}", 0o600, "none", "none"},
	} {
		write("swath.yaml", c.text, c.mode)
		if _, _, err := read(c.profile, nil); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat("ran"); err == nil {
		t.Error("a command of the folder's file was run")
	}
}

// TestBoard: on a terminal a line for each file that comes and one for all, which leave no trace; elsewhere plain lines.
func TestBoard(t *testing.T) {
	var out bytes.Buffer
	b := &board{out: &out, width: 80, begin: time.Now().Add(-time.Second)}
	one := download.File{Item: strings.Repeat("a-long-name-", 10), Path: "c/i/B04.tif", Bytes: 1000}
	other := download.File{Item: "é", Path: "c/é/x.zip", Bytes: -1}
	b.total, b.count = 2000, 2
	b.began(one, 200)
	b.arrived(one, 300)
	b.began(other, 0)
	b.show()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "B04.tif [==========          ]  50%") || !strings.Contains(lines[2], "0 of 2 files, 500 B of 2.0 kB, 25 %") {
		t.Errorf("%q", lines)
	}
	for _, l := range lines {
		if n := len([]rune(l)); n >= 80 {
			t.Errorf("%d characters: %s", n, l)
		}
	}
	out.Reset()
	b.finished(one, nil, &out)
	if got := out.String(); got != "\x1b[3F\x1b[Jdownloaded c/i/B04.tif\n" {
		t.Errorf("%q", got)
	}
	b.leave(other)
	out.Reset()
	b.width = 0
	b.show()
	if got := out.String(); !strings.HasPrefix(got, "1 of 2 files, 500 B of 2.0 kB") || strings.Count(got, "\n") != 1 || strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}
