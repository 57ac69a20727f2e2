package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"swath/download"
	"swath/fault"
)

// A download is configured by flags > SWATH_* > the profile that --profile names > download: in ./swath.yaml > that in
// ~/.config/swath/config.yaml. Every long flag may stand there by its name; and the account beside the address that it is for.

// layer is one place where settings stand.
type layer struct {
	source  string            // for messages
	home    bool              // it is the user's own: its commands are run
	private bool              // nobody else can read it
	values  map[string]string // by name of flag
	account map[string]string // by name, of accountKeys
}

// accountKeys are who asks; a name with -command is a command that prints the value, such as that of a keyring.
var accountKeys = []string{"api-key", "token", "user", "password", "api-key-command", "token-command", "password-command"}

// notConfigured are flags that only a command line can say.
var notConfigured = []string{"profile", "help", "auth"}

// layers reads the two files, the profile's part first.
func layers(profile string) (all []layer, err error) {
	paths := []string{"swath.yaml"}
	if dir, err := os.UserConfigDir(); err == nil {
		paths = append(paths, filepath.Join(dir, "swath", "config.yaml"))
	}
	var chosen, base []layer
	for i, path := range paths {
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, fault.New(fault.Invalid, "configuration: %v", err)
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		var file struct{ Download map[string]any }
		if err := yaml.Unmarshal(text, &file); err != nil {
			return nil, fault.New(fault.Invalid, "configuration: %s: %s", path, yamlMistakes(err))
		}
		made := layer{source: path, home: i > 0, private: info.Mode().Perm()&0o077 == 0}
		profiles, _ := file.Download["profiles"].(map[string]any)
		delete(file.Download, "profiles")
		if one, ok := profiles[profile].(map[string]any); ok {
			chosen = append(chosen, made.with(one))
		}
		base = append(base, made.with(file.Download))
	}
	if profile != "" && len(chosen) == 0 {
		return nil, fault.New(fault.Invalid, "--profile: neither %s has a profile %q", strings.Join(paths, " nor "), profile)
	}
	return append(chosen, base...), nil
}

// with fills a layer with what a file says.
func (l layer) with(said map[string]any) layer {
	l.values, l.account = map[string]string{}, map[string]string{}
	for key, value := range said {
		name := strings.ReplaceAll(key, "_", "-")
		text := fmt.Sprint(value)
		if list, ok := value.([]any); ok {
			words := make([]string, len(list))
			for i, one := range list {
				words[i] = fmt.Sprint(one)
			}
			text = strings.Join(words, ",")
		}
		if slices.Contains(accountKeys, name) {
			l.account[name] = text
		} else {
			l.values[name] = text
		}
	}
	return l
}

// fill gives flags that the command line does not say their values.
func fill(flags *pflag.FlagSet, all []layer, environment func(string) (string, bool)) (err error) {
	for _, l := range all {
		for _, name := range slices.Sorted(maps.Keys(l.values)) {
			if flags.Lookup(name) == nil && !knownElsewhere[name] || slices.Contains(notConfigured, name) {
				return fault.New(fault.Invalid, "configuration: %s: download.%s is no setting of a download", l.source, name)
			}
		}
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || err != nil || slices.Contains(notConfigured, f.Name) {
			return
		}
		source := "SWATH_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := environment(source)
		for _, l := range all {
			if !ok {
				source = "configuration: " + l.source + ": download." + f.Name
				value, ok = l.values[f.Name]
			}
		}
		if ok {
			if e := flags.Set(f.Name, value); e != nil {
				err = fault.New(fault.Invalid, "%s: %v", source, e)
			}
		}
	})
	return err
}

// accountFor returns who asks an address: who the environment says, or a file that says so beside the same host.
func accountFor(address string, all []layer, environment func(string) (string, bool)) (renewable, error) {
	if a, found := accountOf(environment); found {
		return a, nil
	}
	for _, l := range all {
		if len(l.account) > 0 && sameHost(l.values["url"], address) {
			return l.asks()
		}
	}
	return renewable{}, nil
}

// knownElsewhere are settings that another of the download's commands has.
var knownElsewhere = map[string]bool{"delete": true, "overlap": true, "items": true, "manifest": true, "dry-run": true, "curl": true, "aria2": true, "stage-only": true}

func sameHost(a, b string) bool {
	one, err := url.Parse(a)
	other, err2 := url.Parse(b)
	return err == nil && err2 == nil && one.Host != "" && one.Host == other.Host && one.Scheme == other.Scheme
}

// renewable is an account, and how it is asked for again.
type renewable struct {
	download.Account
	renew download.Renewal
}

func accountOf(environment func(string) (string, bool)) (a renewable, found bool) {
	for name, field := range map[string]*string{"SWATH_API_KEY": &a.APIKey, "SWATH_TOKEN": &a.Token, "SWATH_USER": &a.User, "SWATH_PASSWORD": &a.Password} {
		*field, _ = environment(name)
	}
	return a, a.Account != download.Account{}
}

// asks makes the account that a layer says.
func (l layer) asks() (a renewable, err error) {
	commands := 0
	for _, key := range accountKeys {
		value, ok := l.account[key]
		switch {
		case !ok || key == "user":
		case strings.HasSuffix(key, "-command"):
			if commands++; !l.home {
				return a, fault.New(fault.Invalid, "configuration: %s: download.%s: commands are run from your own configuration alone", l.source, key)
			}
		case value != "" && !l.private:
			return a, fault.New(fault.Invalid, "configuration: %s holds a secret, and others can read it: chmod 600 %s", l.source, l.source)
		}
	}
	read := func(ctx context.Context) (made download.Account, err error) {
		made = download.Account{APIKey: l.account["api-key"], Token: l.account["token"], User: l.account["user"], Password: l.account["password"]}
		for name, field := range map[string]*string{"api-key-command": &made.APIKey, "token-command": &made.Token, "password-command": &made.Password} {
			if command := l.account[name]; command != "" {
				if *field, err = printed(ctx, command); err != nil {
					return made, fault.New(fault.Forbidden, "configuration: %s: download.%s: %v", l.source, name, err)
				}
			}
		}
		return made, nil
	}
	a.Account, err = read(context.Background())
	if commands > 0 {
		a.renew = read
	}
	return a, err
}

// printed runs a command of the user's and returns the first line that it prints.
func printed(ctx context.Context, command string) (string, error) {
	c := exec.CommandContext(ctx, "sh", "-c", command)
	c.Stderr = os.Stderr
	out, err := c.Output()
	text, _, _ := strings.Cut(string(out), "\n")
	if err == nil && text == "" {
		err = errors.New("it prints nothing")
	}
	return text, err
}
