package main

import (
	"os"
	"runtime/debug"
)

const (
	// serveMemory is what a server's heap may take beside its cache of decoded blocks before garbage is collected eagerly. The program
	// itself, its stacks and what C libraries take come to 80 MiB more: a server stays below its cache and 200 MiB.
	serveMemory = 120 << 20
	// serveGarbage is how much garbage may gather before, in percent of what is in use: the server holds little and makes much, so that
	// at Go's 100 a sixth of a page of items was collecting.
	serveGarbage = 400
	// loadMemory is what the heap of a load is kept below.
	loadMemory = 200 << 20
)

// limitMemory tells the garbage collector so, unless GOMEMLIMIT and GOGC say otherwise.
func limitMemory(most int64, garbagePercent int) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(most)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}
