package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"swath/fault"
)

// HSMConfig says how a hierarchical file system is told what to do, by commands: a program and its arguments, of which "{paths}" becomes
// those of many files, and one that contains "{path}" that of one, for which the command is repeated. {days} and {tier} are a restore's.
// No shell reads them.
type HSMConfig struct {
	Keep, Release, Restore, Cancel, Remove []string // an empty one is not needed
	Status                                 []string // prints a line that has the path of each file
	Offline                                string   // regular expression of the status of a file whose bytes are on tape alone; of a line of Status
	Restoring                              string   // … that is on its way; empty: what was asked for and is offline is
	Lost                                   string   // … that the tapes do not hold; empty: none
	Where                                  string   // with groups volume and position: where it is on tape; empty: not said
	Timeout                                time.Duration
	Again                                  time.Duration // a restore that does not show is asked for again after
}

// hsm is an Archive under the folder of a folder store: a file system that moves the bytes of files between disk and tape.
type hsm struct {
	root                            string
	cfg                             HSMConfig
	offline, restoring, lost, where *regexp.Regexp

	mu    sync.Mutex
	asked map[string]time.Time // restores that this process asked for
}

// OpenHSM returns the archive under the store in the folder root.
func OpenHSM(root string, cfg HSMConfig) (Archive, error) {
	h := &hsm{root: root, cfg: cfg, asked: map[string]time.Time{}}
	if len(cfg.Status) == 0 || len(cfg.Restore) == 0 || len(cfg.Release) == 0 || cfg.Offline == "" {
		return nil, fault.New(fault.Invalid, "an archive of type hsm needs the commands status, restore and release, and what the status of an offline file looks like")
	}
	for _, e := range []struct {
		text string
		to   **regexp.Regexp
	}{{cfg.Offline, &h.offline}, {cfg.Restoring, &h.restoring}, {cfg.Lost, &h.lost}, {cfg.Where, &h.where}} {
		if e.text == "" {
			continue
		}
		var err error
		if *e.to, err = regexp.Compile(e.text); err != nil {
			return nil, fault.New(fault.Invalid, "%q is no regular expression: %v", e.text, err)
		}
	}
	if h.cfg.Timeout == 0 {
		h.cfg.Timeout = 10 * time.Minute
	}
	if h.cfg.Again == 0 {
		h.cfg.Again = 10 * time.Minute
	}
	return h, nil
}

// most paths of one command line.
const mostPaths = 200

func (h *hsm) path(key string) string {
	return filepath.Join(h.root, bytesDir, filepath.FromSlash(key))
}

// each runs a command for keys, as many at a time as it takes, and tells what it printed, or why it failed.
func (h *hsm) each(ctx context.Context, command, keys []string, with map[string]string, told func(keys []string, out string, err error)) error {
	if len(command) == 0 {
		return nil
	}
	at := 1
	for _, arg := range command {
		if arg == "{paths}" {
			at = mostPaths
		}
	}
	for from := 0; from < len(keys); from += at {
		some := keys[from:min(from+at, len(keys))]
		var args []string
		for _, arg := range command {
			if arg == "{paths}" {
				for _, key := range some {
					args = append(args, h.path(key))
				}
				continue
			}
			for name, value := range with {
				arg = strings.ReplaceAll(arg, name, value)
			}
			args = append(args, strings.ReplaceAll(arg, "{path}", h.path(some[0])))
		}
		out, err := h.run(ctx, args)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		told(some, out, err)
	}
	return nil
}

// run runs one command line; its failure says what it printed last.
func (h *hsm) run(ctx context.Context, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		said := strings.TrimSpace(errs.String())
		err = fmt.Errorf("%s: %w: %.200s", filepath.Base(args[0]), err, said)
	}
	return out.String(), err
}

// all runs a command for keys and joins its failures.
func (h *hsm) all(ctx context.Context, what string, command, keys []string) error {
	var failed error
	err := h.each(ctx, command, keys, nil, func(some []string, _ string, err error) {
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("objects: hsm: %s %s: %w", what, some[0], err))
		}
	})
	return errors.Join(err, failed)
}

func (h *hsm) Keep(ctx context.Context, keys []string) error {
	return h.all(ctx, "keep", h.cfg.Keep, keys)
}

func (h *hsm) Release(ctx context.Context, keys []string) error {
	h.forget(keys)
	return h.all(ctx, "release", h.cfg.Release, keys)
}

func (h *hsm) Remove(ctx context.Context, keys []string) error {
	return h.all(ctx, "remove", h.cfg.Remove, keys)
}

func (h *hsm) Cancel(ctx context.Context, keys []string) error {
	h.forget(keys)
	return h.all(ctx, "cancel", h.cfg.Cancel, keys)
}

func (h *hsm) forget(keys []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, key := range keys {
		delete(h.asked, key)
	}
}

// Restore asks for what was not asked for of late.
func (h *hsm) Restore(ctx context.Context, keys []string, days int, tier string) (refused map[string]error, err error) {
	var fresh []string
	h.mu.Lock()
	for _, key := range keys {
		if at, ok := h.asked[key]; !ok || time.Since(at) > h.cfg.Again {
			fresh = append(fresh, key)
		}
	}
	h.mu.Unlock()
	refused = map[string]error{}
	err = h.each(ctx, h.cfg.Restore, fresh, map[string]string{"{days}": strconv.Itoa(days), "{tier}": tier}, func(some []string, _ string, err error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, key := range some {
			if err != nil {
				refused[key] = err
			} else {
				h.asked[key] = time.Now()
			}
		}
	})
	return refused, err
}

// Status reads what the file system prints of each file.
func (h *hsm) Status(ctx context.Context, keys []string) ([]Holding, error) {
	lines := map[string]string{}
	var failed error
	err := h.each(ctx, h.cfg.Status, keys, nil, func(some []string, out string, err error) {
		if err != nil && len(some) > 1 || err != nil && out == "" {
			failed = errors.Join(failed, err)
		}
		if len(some) == 1 {
			lines[some[0]] = out
			return
		}
		for line := range strings.Lines(out) {
			for _, key := range some {
				if p := h.path(key); strings.Contains(line+" ", p+" ") || strings.Contains(line, p+":") || strings.HasSuffix(strings.TrimSpace(line), p) {
					lines[key] = line
				}
			}
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the archive does not say where files are")
	}
	all := make([]Holding, len(keys))
	for i, key := range keys {
		all[i] = h.holding(key, lines[key])
	}
	return all, nil
}

func (h *hsm) holding(key, line string) Holding {
	out := Holding{Key: key}
	if line == "" || h.lost != nil && h.lost.MatchString(line) {
		return out
	}
	if h.where != nil {
		if m := h.where.FindStringSubmatch(line); m != nil {
			if i := h.where.SubexpIndex("volume"); i >= 0 {
				out.Volume = m[i]
			}
			if i := h.where.SubexpIndex("position"); i >= 0 {
				out.Position, _ = strconv.ParseInt(m[i], 10, 64) //nolint:errcheck // what is no number is not said
			}
		}
	}
	h.mu.Lock()
	at, asked := h.asked[key]
	h.mu.Unlock()
	switch {
	case h.restoring != nil && h.restoring.MatchString(line):
		out.Place = Restoring
	case !h.offline.MatchString(line):
		out.Place = Online
		h.forget([]string{key})
	case h.restoring == nil && asked && time.Since(at) <= h.cfg.Again:
		out.Place = Restoring
	default:
		out.Place = Archived
	}
	return out
}
