package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"swath/download"
	"swath/fault"
)

// The exit codes of downloads beside those of every command.
const (
	exitForbidden   = 4
	exitStaging     = 6
	exitDiskFull    = 7
	exitUnreachable = 8
	exitInterrupted = 130
)

// exitError ends a command with a code of its own.
type exitError struct {
	error
	code int
}

func (e exitError) Unwrap() error { return e.error }

// downloadFlags are what the command line of a download says.
type downloadFlags struct {
	url, items, from, to, datetime, geometry, tile, platform, filter, rate, most string
	bbox, point                                                                  string
	collections, ids, assets                                                     []string
	orbit, limit, parallel                                                       int
	cloud                                                                        float64
	folder                                                                       string
	dry, asJSON, list, rehash, deep, noStage, stageOnly, quiet                   bool
	stage                                                                        time.Duration
}

func downloadCommand() *cobra.Command {
	var f downloadFlags
	c := &cobra.Command{
		Use:   "download",
		Short: "Download the files of a search, from this or any other STAC API: in parallel, resumed and verified",
		Long: `Download the files of a search to {folder}/{collection}/{item}/{file}. A run that was broken off is repeated: files that are whole
stay, parts go on where they are. manifest.json in the folder is a STAC item collection of what is there.

Exit codes: 0 all there, 1 nothing found or failed, 2 wrong use, 3 some files failed, 4 log-in refused, 6 not staged in time,
7 disk full, 8 server unreachable, 130 interrupted. The account comes from SWATH_API_KEY, or SWATH_USER and SWATH_PASSWORD.`,
		Example: `  swath download --url http://localhost:8080 -c sentinel-2-l2a --tile 31TCJ --from 2024-06-01 --to 2024-07-01 --max-cloud 20 -o toulouse
  swath download --url http://localhost:8080 -c sentinel-1-grd --bbox 0.5,43,2.5,44.5 --assets vv,vh --dry-run
  swath download verify toulouse`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	flags := c.Flags()
	flags.StringVar(&f.url, "url", os.Getenv("SWATH_URL"), "address of the STAC API (SWATH_URL)")
	flags.StringVarP(&f.folder, "out", "o", ".", "folder to fill")
	flags.StringSliceVarP(&f.collections, "collection", "c", nil, "collections; all without")
	flags.StringSliceVar(&f.ids, "ids", nil, "ids of items")
	flags.StringVar(&f.items, "items", "", "file of STAC items, an item collection or lines, instead of a search; - is standard input")
	flags.StringVar(&f.bbox, "bbox", "", "west,south,east,north in degrees")
	flags.StringVar(&f.point, "point", "", "longitude,latitude in degrees")
	flags.StringVar(&f.geometry, "geom", "", "file with a GeoJSON geometry or feature")
	flags.StringVar(&f.tile, "tile", "", "MGRS tile, such as 31TCJ")
	flags.StringVar(&f.datetime, "datetime", "", "an instant, or start/end where one may be ..")
	flags.StringVarP(&f.from, "from", "d", "", "first day or moment of acquisition")
	flags.StringVarP(&f.to, "to", "f", "", "day or moment before which it was acquired")
	flags.StringVar(&f.platform, "platform", "", "such as sentinel-2a")
	flags.IntVar(&f.orbit, "orbit", 0, "relative orbit")
	flags.Float64Var(&f.cloud, "max-cloud", -1, "percentage of clouds at most")
	flags.StringVar(&f.filter, "filter", "", "CQL2 text beside")
	flags.IntVar(&f.limit, "limit", 0, "items at most")
	flags.StringSliceVar(&f.assets, "assets", nil, "keys or roles of assets, such as B04,B08 or data; all without")
	flags.IntVarP(&f.parallel, "jobs", "j", 4, "files at a time")
	flags.StringVar(&f.rate, "rate", "", "bytes a second of all together, such as 20M")
	flags.StringVar(&f.most, "max-bytes", "", "bytes of the plan at most, such as 500G")
	flags.BoolVarP(&f.dry, "dry-run", "n", false, "print the plan and end")
	flags.BoolVar(&f.asJSON, "json", false, "the plan or the report as JSON")
	flags.BoolVar(&f.list, "list", false, "print an address and a path a line and end (curl, aria2)")
	flags.BoolVar(&f.rehash, "rehash", false, "read files that are there instead of trusting size and time")
	flags.BoolVar(&f.deep, "deep", false, "read zips against their checksums, too")
	flags.BoolVar(&f.noStage, "no-stage", false, "files on cold storage are failures, and not ordered")
	flags.BoolVar(&f.stageOnly, "stage-only", false, "order the files on cold storage and end")
	flags.DurationVar(&f.stage, "stage-timeout", 24*time.Hour, "how long to wait for files on cold storage")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print failures only")
	c.AddCommand(&cobra.Command{
		Use: "verify FOLDER", Short: "Read every file of a folder against its manifest", Example: "  swath download verify toulouse", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			files, failed, err := download.Verify(c.Context(), args[0])
			if err != nil {
				return downloadError(err)
			}
			for _, one := range failed {
				fmt.Fprintf(c.ErrOrStderr(), "wrong      %s: %v\n", one.File.Path, one.Err)
			}
			fmt.Fprintf(c.OutOrStdout(), "%d files, %d of them wrong\n", files, len(failed))
			if len(failed) > 0 {
				return errPartly
			}
			return nil
		},
	})
	return c
}

// search makes the search of the flags.
func (f *downloadFlags) search() (s download.Search, err error) {
	s = download.Search{Collections: f.collections, IDs: f.ids, Datetime: f.datetime, Limit: f.limit}
	numbers := func(name, text string, n int) (out []float64, err error) {
		for part := range strings.SplitSeq(text, ",") {
			v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
			if err != nil {
				return nil, fault.New(fault.Invalid, "--%s: %q is not a number", name, part)
			}
			out = append(out, v)
		}
		if len(out) != n {
			return nil, fault.New(fault.Invalid, "--%s: %d numbers instead of %d", name, len(out), n)
		}
		return out, nil
	}
	if f.bbox != "" {
		if s.BBox, err = numbers("bbox", f.bbox, 4); err != nil {
			return s, err
		}
	}
	places := 0
	if f.point != "" {
		at, err := numbers("point", f.point, 2)
		if err != nil {
			return s, err
		}
		s.Intersects, _ = json.Marshal(map[string]any{"type": "Point", "coordinates": at}) // numbers always can
		places++
	}
	if f.geometry != "" {
		body, err := os.ReadFile(f.geometry)
		if err != nil {
			return s, fault.New(fault.Invalid, "--geom: %v", err)
		}
		var feature struct{ Geometry json.RawMessage }
		if err := json.Unmarshal(body, &feature); err != nil {
			return s, fault.New(fault.Invalid, "--geom: %v", err)
		}
		if s.Intersects = body; feature.Geometry != nil {
			s.Intersects = feature.Geometry
		}
		places++
	}
	if f.bbox != "" {
		places++
	}
	if places > 1 {
		return s, fault.New(fault.Invalid, "--bbox, --point and --geom are one place: give one of them")
	}
	if f.from != "" || f.to != "" {
		if f.datetime != "" {
			return s, fault.New(fault.Invalid, "--datetime says what --from and --to say")
		}
		from, err := moment("from", f.from, 0)
		if err != nil {
			return s, err
		}
		to, err := moment("to", f.to, -time.Millisecond)
		if err != nil {
			return s, err
		}
		s.Datetime = from + "/" + to
	}
	quote := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	var parts []string
	if f.tile != "" {
		tile := strings.TrimPrefix(strings.TrimPrefix(strings.ToUpper(f.tile), "MGRS-"), "T")
		parts = append(parts, `"grid:code" = `+quote("MGRS-"+tile))
	}
	if f.platform != "" {
		parts = append(parts, "platform = "+quote(strings.ToLower(f.platform)))
	}
	if f.orbit != 0 {
		parts = append(parts, fmt.Sprintf(`"sat:relative_orbit" = %d`, f.orbit))
	}
	if f.cloud >= 0 {
		parts = append(parts, `"eo:cloud_cover" <= `+strconv.FormatFloat(f.cloud, 'f', -1, 64))
	}
	if f.filter != "" {
		parts = append(parts, "("+f.filter+")")
	}
	s.Filter = strings.Join(parts, " AND ")
	return s, nil
}

// moment reads a day or a moment; an empty one is open.
func moment(flag, text string, shift time.Duration) (string, error) {
	if text == "" {
		return "..", nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Add(shift).UTC().Format("2006-01-02T15:04:05.000Z"), nil
		}
	}
	return "", fault.New(fault.Invalid, "--%s: %q is neither a day such as 2024-06-01 nor a moment such as 2024-06-01T12:00:00Z", flag, text)
}

// options makes those of a run.
func (f *downloadFlags) options() (o download.Options, err error) {
	o = download.Options{Folder: f.folder, Assets: f.assets, Parallel: f.parallel, Rehash: f.rehash, Deep: f.deep, NoStage: f.noStage, StageTimeout: f.stage}
	if f.parallel < 1 || f.parallel > 64 {
		return o, fault.New(fault.Invalid, "--jobs: %d is not 1 to 64", f.parallel)
	}
	if f.rate != "" {
		if o.BytesPerS, err = download.ParseRate(f.rate); err != nil {
			return o, fault.New(fault.Invalid, "--rate: %v", err)
		}
	}
	if f.most != "" {
		most, err := download.ParseRate(f.most)
		if err != nil {
			return o, fault.New(fault.Invalid, "--max-bytes: %v", err)
		}
		o.MostBytes = int64(most)
	}
	return o, nil
}

func (f *downloadFlags) run(c *cobra.Command) (err error) {
	if f.url == "" && f.items == "" {
		return usageError{errors.New("download: --url names the STAC API")}
	}
	s, err := f.search()
	if err != nil {
		return wrongUse(err)
	}
	o, err := f.options()
	if err != nil {
		return wrongUse(err)
	}
	ctx := c.Context()
	client := &download.Client{URL: f.url, APIKey: os.Getenv("SWATH_API_KEY"), User: os.Getenv("SWATH_USER"), Password: os.Getenv("SWATH_PASSWORD")}
	log, err := newLog(Log{Format: "text", Level: "info"}, c.ErrOrStderr())
	if err != nil {
		return err
	}
	bar, came := newProgress(c.ErrOrStderr(), log), &atomic.Int64{}
	var failed atomic.Int64
	o.Came = func(n int) { came.Add(int64(n)) }
	o.Done = func(file download.File, err error) {
		if err != nil {
			failed.Add(1)
			fmt.Fprintf(c.ErrOrStderr(), "failed     %s: %v\n", file.Path, err)
		} else if !f.quiet && !f.asJSON {
			fmt.Fprintf(c.OutOrStdout(), "downloaded %s\n", file.Path)
		}
	}
	run, err := download.Open(client, o)
	if err != nil {
		return downloadError(err)
	}
	defer func() { err = errors.Join(err, run.Close()) }()
	plan, err := run.Plan(ctx, func(yield func(download.Item) error) error {
		if f.items == "" {
			return client.Items(ctx, s, yield)
		}
		in := io.Reader(os.Stdin)
		if f.items != "-" {
			file, err := os.Open(f.items)
			if err != nil {
				return fault.New(fault.Invalid, "--items: %v", err)
			}
			defer file.Close()
			in = file
		}
		return download.ReadItems(in, yield)
	})
	if err != nil {
		return downloadError(err)
	}
	if plan.Items == 0 {
		return errors.New("download: nothing matches")
	}
	if f.list {
		for _, file := range plan.Files {
			fmt.Fprintf(c.OutOrStdout(), "%s\n  out=%s\n", file.URL, file.Path) // aria2's input format
		}
		return nil
	}
	if f.dry {
		return f.printPlan(c, plan)
	}
	staged, err := run.Order(ctx, plan)
	if err != nil {
		return downloadError(err)
	}
	if f.stageOnly {
		return f.printStaged(c, staged)
	}
	shown := make(chan struct{})
	watching, stop := context.WithCancel(ctx)
	go func() {
		defer close(shown)
		for {
			select {
			case <-watching.Done():
				bar.end()
				return
			case <-time.After(drawEvery):
				if !f.quiet {
					bar.show("download", came.Load(), max(plan.Bytes, 1), int64(len(plan.Files)-plan.Have))
				}
			}
		}
	}()
	report, err := run.Fetch(ctx, plan)
	stop()
	<-shown
	if f.asJSON {
		failures := map[string]string{}
		for _, one := range report.Failed {
			failures[one.File.Path] = one.Err.Error()
		}
		if e := json.NewEncoder(c.OutOrStdout()).Encode(map[string]any{"downloaded": report.Fetched, "had": report.Had, "failed": failures, "bytes": came.Load()}); e != nil {
			return e
		}
	} else if !f.quiet {
		fmt.Fprintf(c.OutOrStdout(), "%d downloaded, %d were there, %d failed; %.1f MB\n", report.Fetched, report.Had, len(report.Failed), float64(came.Load())/1e6)
	}
	switch {
	case err != nil:
		return downloadError(err)
	case len(report.Failed) > 0 && allOffline(report.Failed):
		return exitError{download.ErrStaging, exitStaging}
	case len(report.Failed) > 0:
		return errPartly
	}
	return nil
}

func allOffline(failed []download.Failure) bool {
	for _, one := range failed {
		if !fault.Is(one.Err, fault.Offline) {
			return false
		}
	}
	return true
}

func (f *downloadFlags) printPlan(c *cobra.Command, plan *download.Plan) error {
	if f.asJSON {
		e := json.NewEncoder(c.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(plan)
	}
	for _, file := range plan.Files {
		word := "download"
		if file.Have {
			word = "have"
		} else if file.Cold {
			word = "order"
		}
		fmt.Fprintf(c.OutOrStdout(), "%-9s %12d  %s\n", word, file.Bytes, file.Path)
	}
	fmt.Fprintf(c.OutOrStdout(), "%d items, %d files, %d of them here; %.1f MB to download", plan.Items, len(plan.Files), plan.Have, float64(plan.Bytes)/1e6)
	if plan.Unknown > 0 {
		fmt.Fprintf(c.OutOrStdout(), " and %d files of unknown size", plan.Unknown)
	}
	if plan.Cut {
		fmt.Fprint(c.OutOrStdout(), "; more is left out by --max-bytes")
	}
	fmt.Fprintln(c.OutOrStdout())
	return nil
}

// printStaged tells what was ordered.
func (f *downloadFlags) printStaged(c *cobra.Command, s download.Staged) error {
	if f.asJSON {
		return json.NewEncoder(c.OutOrStdout()).Encode(s)
	}
	fmt.Fprintf(c.OutOrStdout(), "%d files are ordered", s.Files)
	if s.Files > 0 {
		fmt.Fprintf(c.OutOrStdout(), ", the first may be there in %s", s.After)
	}
	fmt.Fprintln(c.OutOrStdout())
	for _, order := range s.Orders {
		fmt.Fprintln(c.OutOrStdout(), order)
	}
	return nil
}

// downloadError gives an error its exit code.
func downloadError(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return exitError{errors.New("download: interrupted; the same command goes on"), exitInterrupted}
	case errors.Is(err, syscall.ENOSPC):
		return exitError{err, exitDiskFull}
	case fault.Is(err, fault.Forbidden):
		return exitError{fmt.Errorf("%w (SWATH_API_KEY, or SWATH_USER and SWATH_PASSWORD)", err), exitForbidden}
	case fault.Is(err, fault.Unavailable):
		return exitError{err, exitUnreachable}
	}
	return wrongUse(err)
}
