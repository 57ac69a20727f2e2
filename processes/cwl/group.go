package cwl

import (
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// group is a control group around a run; without folders it limits nothing.
type group struct {
	folders []string
	log     *slog.Logger
}

const groupPrefix = "swath-cwl-"

// newGroup makes a control group, of version 1 or 2, where this process may.
func newGroup(memoryMiB, pids int, log *slog.Logger) *group {
	g := &group{log: log}
	bytes, many := strconv.FormatInt(int64(memoryMiB)<<20, 10), strconv.Itoa(pids)
	name := groupPrefix + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	const root = "/sys/fs/cgroup"
	parts := map[string]map[string]string{ // folder and its files, version 1
		filepath.Join(root, "memory", name): {"memory.limit_in_bytes": bytes},
		filepath.Join(root, "pids", name):   {"pids.max": many},
	}
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
		parts = map[string]map[string]string{filepath.Join(root, name): {"memory.max": bytes, "memory.swap.max": "0", "pids.max": many}}
	}
	for folder, files := range parts {
		sweepGroups(filepath.Dir(folder))
		err := os.Mkdir(folder, 0o755)
		for file, value := range files {
			if err == nil {
				g.folders = append(g.folders, folder)
				err = os.WriteFile(filepath.Join(folder, file), []byte(value), 0o644) //nolint:gosec // not a file
			}
		}
		if err != nil {
			log.Warn("no control group: memory and processes are limited one by one", "err", err)
			g.remove()
			return &group{log: log}
		}
	}
	return g
}

// sweepGroups removes what runs that were killed have left: a group's name has the number of the process that made it.
func sweepGroups(root string) {
	left, _ := filepath.Glob(filepath.Join(root, groupPrefix+"*")) //nolint:errcheck // a pattern of ours
	for _, folder := range left {
		maker, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), groupPrefix), "-")
		if _, err := os.Stat("/proc/" + maker); os.IsNotExist(err) {
			_ = os.Remove(folder) // one that has processes stays
		}
	}
}

// enter is the beginning of a command line whose program runs in the group.
func (g *group) enter() []string {
	script := `exec "$@"`
	for _, folder := range g.folders {
		script = "echo $$ > " + folder + "/cgroup.procs && " + script
	}
	return []string{"/bin/sh", "-c", script, "sh"}
}

// killed reports whether the kernel has ended a process for want of memory.
func (g *group) killed() bool {
	for _, folder := range g.folders {
		for _, file := range []string{"memory.oom_control", "memory.events"} {
			body, _ := os.ReadFile(filepath.Join(folder, file)) //nolint:errcheck // one of the two is there
			for line := range strings.Lines(string(body)) {
				if count, ok := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); ok && count != "0" {
					return true
				}
			}
		}
	}
	return false
}

// remove takes the group away, once its last process is gone.
func (g *group) remove() {
	for range 100 {
		left := 0
		for _, folder := range g.folders {
			if err := os.Remove(folder); err != nil && !os.IsNotExist(err) {
				left++
			}
		}
		if left == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	g.log.Warn("a control group is left", "groups", g.folders)
}
