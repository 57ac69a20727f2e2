// Command hubserve serves the scripted hub of the tests by hand.
//
//	go run ./internal/hubtest/hubserve -products 200 -profile nasty
//
// It prints the hub of a mirror for swath.yaml. /control/truth says what a mirror must end with, POST /control/live lets the archive's lives
// happen, /control/spent says what it cost so far.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"

	"swath/internal/hubtest"
)

func main() {
	var o hubtest.Options
	flag.Uint64Var(&o.Seed, "seed", 1, "by which everything repeats")
	products := flag.Int("products", 200, "of the archive")
	profile := flag.String("profile", "none", "none, mild, nasty or hostile")
	ordering := flag.String("ordering", "odata", "how offline products are brought: odata, dhus, or empty for not at all")
	flag.IntVar(&o.MaxConnections, "maxconn", 0, "downloads at a time; 0: any number")
	flag.Float64Var(&o.RequestsPerMinute, "rpm", 0, "requests a minute; 0: any number")
	flag.Float64Var(&o.BytesPerS, "bps", 0, "bytes a second of each download; 0: as fast as they go")
	flag.DurationVar(&o.TokenLife, "token-ttl", 0, "life of a token; 10m")
	outside := flag.String("outside", "/tmp/canary", "folder that hostile products aim at")
	flag.Parse()
	known := false
	if o.Profile, known = hubtest.Profiles[*profile]; !known || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "hubserve: -profile is none, mild, nasty or hostile")
		os.Exit(2)
	}
	archive := hubtest.NewArchive(o.Seed, *products, o.Profile)
	archive.Ordering, archive.Outside = *ordering, *outside
	s := hubtest.Start(archive, o)
	archive.Callback = s.Catalogue + "/callback"
	if o.Profile == hubtest.Hostile {
		archive.AddHostile(4)
	}
	fmt.Printf("HUB_PASSWORD=%q\nhub: {type: cdse, catalogue: %q, download: \"http://%s\", token: %q, user: %q, password_env: HUB_PASSWORD}\n",
		hubtest.Password, s.Catalogue, s.Download, s.Token, hubtest.User)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
	s.Close()
}
