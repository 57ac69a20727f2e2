package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const ticksPerSecond = 100 // USER_HZ of Linux on every machine that Go knows

// stat is /proc/PID/stat, of which we use the parent and the times of the process and of its children that have ended.
type stat struct {
	pid, parent int
	ticks       int
	command     string
}

func stats() map[int]stat {
	all := map[int]stat{}
	entries, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range entries {
		body, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		text := string(body)
		open, shut := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
		fields := strings.Fields(text[shut+1:])
		s := stat{command: text[open+1 : shut]}
		s.pid, _ = strconv.Atoi(strings.TrimSpace(text[:open]))
		s.parent, _ = strconv.Atoi(fields[1])
		for _, f := range fields[11:15] {
			n, _ := strconv.Atoi(f)
			s.ticks += n
		}
		all[s.pid] = s
	}
	return all
}

// tree calls f for the processes and all that descend from them.
func tree(roots []int, f func(stat)) {
	all := stats()
	for pid, s := range all {
		for at := pid; at > 1; at = all[at].parent {
			if contains(roots, at) {
				f(s)
				break
			}
		}
	}
}

func contains(list []int, n int) bool {
	for _, v := range list {
		if v == n {
			return true
		}
	}
	return false
}

func cpuSeconds(roots []int) float64 {
	ticks := 0
	tree(roots, func(s stat) { ticks += s.ticks })
	return float64(ticks) / ticksPerSecond
}

// rssMiB is the resident memory of the processes that are not PostgreSQL's.
func rssMiB(roots []int) int {
	pages := 0
	tree(roots, func(s stat) {
		if s.command == "postgres" {
			return
		}
		body, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.pid))
		if fields := strings.Fields(string(body)); len(fields) > 1 {
			n, _ := strconv.Atoi(fields[1])
			pages += n
		}
	})
	return pages * os.Getpagesize() >> 20
}

func load() string {
	body, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(body))[:3], " ")
}
