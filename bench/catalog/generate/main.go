package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
)

func main() {
	var (
		items       = flag.Int64("items", 1_000_000, "how many items the archive has")
		seed        = flag.Uint64("seed", 1, "another seed is another archive")
		sample      = flag.Int64("sample", 0, "print about this many of the items, spread over the archive, instead of all")
		collections = flag.Bool("collections", false, "print the collections instead, one a line")
		documents   = flag.String("documents", "ingest/collections", "folder of the collections' documents")
		workers     = flag.Int("workers", runtime.GOMAXPROCS(0), "stretches made at a time")
	)
	flag.Parse()
	if err := run(os.Stdout, *documents, *collections, *items, *sample, *seed, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, documents string, collections bool, items, sample int64, seed uint64, workers int) error {
	if items < 1 || workers < 1 || sample < 0 {
		return fmt.Errorf("--items and --workers must be at least 1, --sample not negative")
	}
	docs, err := readDocuments(documents)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<20)
	if collections {
		for _, name := range collectionNames {
			if _, err := fmt.Fprintf(w, "%s\n", docs[name].line); err != nil {
				return err
			}
		}
		return w.Flush()
	}
	a, err := newArchive(docs, items, seed)
	if err != nil {
		return err
	}
	if err := a.write(w, sample, workers); err != nil {
		return err
	}
	return w.Flush()
}
