package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swath/catalog"
	"swath/stac"
	"swath/stac/cql2"
	"swath/stac/geoparquet"
)

func exportCommand() *cobra.Command {
	var e exporting
	var bbox, datetime, filter string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write items to a file: lines of JSON as swath load reads them, or stac-geoparquet",
		Long: `Write items to a file, newest first: a line of JSON each, packed as the name ends, .gz or .zst; or one table, stac-geoparquet,
when it ends in .parquet. The file has its name only when it is whole. Lines are items as they are stored, and swath load reads
back the same. In a table items are as the server at --public-url shows them, with their links; without it, as they are stored.`,
		Example: `  swath export --data ./data --with-collections -o archive.ndjson.zst
  swath export --data ./data -c sentinel-2-l2a --bbox 0.5,43,2.5,44.5 --datetime 2024-01-01T00:00:00Z/.. \
    --filter "eo:cloud_cover < 20" -o toulouse.ndjson.gz
  swath export --data ./data -c sentinel-2-l2a --public-url https://swath.example.org -o sentinel-2-l2a.parquet`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if e.output == "" {
				return usageError{errors.New("export: say where to with --output; - is standard output")}
			}
			if err := e.ask(bbox, datetime, filter); err != nil {
				return wrongUse(err)
			}
			cfg, log, s, err := visit(c)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			e.base = strings.TrimRight(cfg.PublicURL, "/")
			e.store, e.bar = s.catalog, newProgress(c.ErrOrStderr(), log)
			begin := time.Now()
			if err := e.run(c.Context()); err != nil {
				return err
			}
			fmt.Fprintf(c.ErrOrStderr(), "exported %d items in %.1f s\n", e.items, time.Since(begin).Seconds())
			return nil
		},
	}
	flags := c.Flags()
	flags.StringArrayVarP(&e.search.Collections, "collection", "c", nil, "collection whose items are written; may be repeated (default: all)")
	flags.StringVar(&bbox, "bbox", "", "west,south,east,north in degrees; west > east crosses the antimeridian")
	flags.StringVar(&datetime, "datetime", "", "an instant, or start/end where one may be ..")
	flags.StringVar(&filter, "filter", "", "CQL2 text")
	flags.BoolVar(&e.withCollections, "with-collections", false, "begin with the collections")
	flags.StringVarP(&e.output, "output", "o", "", "file to write: .ndjson, .ndjson.gz, .ndjson.zst or .parquet; - is standard output, for lines")
	addFlags(c, storeSettings, publicSettings)
	return c
}

// exporting is one run of the command.
type exporting struct {
	search          stac.Search
	withCollections bool
	output          string
	base            string // address of the server, if it is known
	store           *catalog.Store
	bar             *progress
	items           int64
}

// ask reads what is to be exported.
func (e *exporting) ask(bbox, datetime, filter string) (err error) {
	if bbox != "" {
		e.search.BBox, err = stac.ParseBBox(bbox)
	}
	if err == nil && datetime != "" {
		e.search.Datetime, err = stac.ParseDatetime(datetime)
	}
	if err == nil && filter != "" {
		e.search.Filter, err = cql2.ParseText(filter)
	}
	return err
}

func (e *exporting) run(ctx context.Context) error {
	for _, id := range e.search.Collections {
		if _, err := e.store.Collection(ctx, id); err != nil {
			return err
		}
	}
	if e.output == "-" {
		out := bufio.NewWriterSize(os.Stdout, 256<<10)
		return errors.Join(e.lines(ctx, out), out.Flush())
	}
	file, err := catalog.CreateExportFile(e.output)
	if err != nil {
		return err
	}
	write := e.lines
	if strings.HasSuffix(e.output, ".parquet") {
		write = e.table
	}
	if err := write(ctx, file); err != nil {
		file.Abort()
		return err
	}
	return file.Commit()
}

// lines writes a line for each item, behind those for the collections.
func (e *exporting) lines(ctx context.Context, out io.Writer) error {
	if e.withCollections {
		all, err := e.store.Collections(ctx)
		if err != nil {
			return err
		}
		for _, c := range all {
			if !e.wanted(c.ID) {
				continue
			}
			if _, err := fmt.Fprintf(out, "%s\n", c.Body); err != nil {
				return err
			}
		}
	}
	return e.each(ctx, func(it stac.Item) error {
		_, err := out.Write(append(it.Body, '\n'))
		return err
	})
}

// table writes items as stac-geoparquet. They are read twice: first for the columns, then for the rows.
func (e *exporting) table(ctx context.Context, out io.Writer) error {
	served := stac.Links{Base: e.base}
	body := func(it stac.Item) json.RawMessage {
		if e.base == "" {
			return it.Body
		}
		return served.AppendItem(nil, it)
	}
	schema, options := geoparquet.NewSchema(), geoparquet.Options{}
	if err := e.each(ctx, func(it stac.Item) error { return schema.Add(body(it)) }); err != nil {
		return err
	}
	options.Schema, e.items = schema, 0
	all, err := e.store.Collections(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if e.wanted(c.ID) {
			options.Collections = append(options.Collections, c.Body)
		}
	}
	w := geoparquet.NewWriter(out, options)
	if err := e.each(ctx, func(it stac.Item) error { return w.Write(body(it)) }); err != nil {
		return err
	}
	return w.Close()
}

func (e *exporting) wanted(collection string) bool {
	return len(e.search.Collections) == 0 || slices.Contains(e.search.Collections, collection)
}

// each calls do with every item, and shows how many there were.
func (e *exporting) each(ctx context.Context, do func(stac.Item) error) error {
	defer e.bar.end()
	return e.store.Each(ctx, e.search, func(it stac.Item) error {
		e.items++
		e.bar.show(e.output, 0, -1, e.items)
		return do(it)
	})
}
