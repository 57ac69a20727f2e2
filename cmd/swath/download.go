package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"swath/download"
	"swath/fault"
)

// The exit codes of downloads, which scripts written for peps_download.py know in part.
const (
	exitDownloadUse  = 1
	exitNothing      = 2
	exitSomeFailed   = 3
	exitForbidden    = 4
	exitQuota        = 5
	exitStaging      = 6
	exitDiskFull     = 7
	exitUnreachable  = 8
	exitInterrupted  = 130
	downloadExitText = `Exit codes: 0 all there, 1 wrong use, 2 nothing matches, 3 some failed, 4 log-in refused, 5 quota used up, 6 not staged in time,
7 disk full, 8 server unreachable, 130 interrupted.`
)

// exitError ends a command with a code of its own.
type exitError struct {
	error
	code int
}

func (e exitError) Unwrap() error { return e.error }

var errNothing = exitError{errors.New("download: nothing matches"), exitNothing}

// downloadFlags are what the command line of a download says.
type downloadFlags struct {
	searchFlags
	layout                           download.Options // what flags set directly
	url, items, manifest, cart       string
	folder, writeDir                 string
	rate, most, newest, verify       string
	profile, auth, found             string
	dry, asJSON, curl, aria2         bool
	stageOnly, quiet, catalog, shell bool
	follows                          bool // it is a sync, whose folder knows its search
}

// add declares the flags that a download and a sync share.
func (f *downloadFlags) add(flags *pflag.FlagSet) {
	f.searchFlags.add(flags)
	flags.SetNormalizeFunc(pepsName)
	flags.StringVar(&f.url, "url", "", "address of the STAC API")
	flags.StringVar(&f.profile, "profile", os.Getenv("SWATH_PROFILE"), "name of a profile of the configuration")
	flags.StringVarP(&f.auth, "auth", "a", "", "file with address and password on its first line; the line is in the words of peps_download.py")
	flags.StringVarP(&f.folder, "out", "o", ".", "folder to fill (beside -a: the relative orbit)")
	flags.StringVarP(&f.writeDir, "write-dir", "w", "", "folder to fill, as peps_download.py calls it")
	flags.StringSliceVar(&f.layout.Assets, "assets", nil, "keys or roles of assets, such as B04,B08 or product or data; all without")
	flags.StringVar(&f.newest, "newest-per", "", "of items that agree in tile, day, month, year, platform or collection the newest alone, such as tile+day")
	flags.IntVarP(&f.layout.Parallel, "jobs", "j", 4, "files at a time; fewer where the server allows fewer")
	flags.StringVar(&f.rate, "rate", "", "bytes a second of all together, such as 20M")
	flags.StringVar(&f.most, "max-bytes", "", "bytes of the plan at most, such as 500G")
	flags.BoolVar(&f.layout.Rehash, "rehash", false, "read files that are there instead of trusting size and time")
	flags.StringVar(&f.verify, "verify", "sums", "what is compared of each file: sums (size and checksums), or deep (zips are read, too)")
	flags.BoolVarP(&f.layout.Extract, "extract", "x", false, "unpack zips and remove them")
	flags.BoolVar(&f.catalog, "write-stac", false, "also write a static STAC catalog: catalog.json, collections and items")
	flags.BoolVar(&f.layout.NoStage, "no-stage", false, "files on cold storage are failures, and not ordered")
	flags.DurationVar(&f.layout.StageTimeout, "stage-timeout", 24*time.Hour, "how long to wait for files on cold storage")
	flags.BoolVar(&f.asJSON, "json", false, "the plan or the report as JSON")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print failures only")
	flags.BoolVar(&f.shell, "windows", false, "")
	flags.MarkHidden("windows") //nolint:errcheck // it is there: peps_download.py's, whose lines need no shell here
}

func downloadCommand() *cobra.Command {
	var f downloadFlags
	c := &cobra.Command{
		Use:   "download",
		Short: "Download the files of a search, from this or any other STAC API: in parallel, resumed and verified",
		Long: `Download the files of a search to {folder}/{collection}/{item}/{file}. A run that was broken off is repeated: files that are whole
stay, parts go on where they are. manifest.json in the folder is a STAC item collection of what is there.

Settings come from flags, SWATH_* (SWATH_URL, SWATH_JOBS, …), download: in ./swath.yaml, and that in ~/.config/swath/config.yaml. The
account comes from SWATH_API_KEY, SWATH_TOKEN, or SWATH_USER and SWATH_PASSWORD, or from the configuration.

A command line of peps_download.py works as it is, with --url or SWATH_URL beside it.

` + downloadExitText,
		Example: `  swath download --url http://localhost:8080 -c sentinel-2-l2a --tile 31TCJ --from 2024-06-01 --to 2024-07-01 --max-cloud 20 -o toulouse
  swath download --url http://localhost:8080 -c sentinel-1-grd --bbox 0.5,43,2.5,44.5 --assets vv,vh --dry-run
  swath download -c S2ST -l Toulouse -a peps.txt -d 2017-01-01 -f 2017-02-01
  swath download --url http://localhost:8080 --cart 5kq2x7m3z4n6p7r2s5t6v4w3xy -o cart
  swath download sync --url http://localhost:8080 -c sentinel-2-l2a --tile 31TCJ --delete -o toulouse
  swath download verify toulouse`,
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args) },
	}
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return exitError{fmt.Errorf("%w (see %s --help)", err, c.CommandPath()), exitDownloadUse}
	})
	flags := c.Flags()
	f.add(flags)
	flags.StringVar(&f.items, "items", "", "file of STAC items, an item collection or lines, instead of a search; - is standard input")
	f.addCart(flags)
	flags.StringVar(&f.manifest, "manifest", "", "manifest.json of another download, instead of a search: the same files from where they came")
	flags.BoolVarP(&f.dry, "dry-run", "n", false, "print the plan and end")
	flags.BoolVar(&f.curl, "curl", false, "print a curl command for each file that is missing, and end")
	flags.BoolVar(&f.aria2, "aria2", false, "print what aria2c reads of the files that are missing, and end")
	flags.BoolVar(&f.stageOnly, "stage-only", false, "order the files on cold storage and end")
	c.AddCommand(syncCommand(), stageCommand(), verifyCommand())
	return c
}

func stageCommand() *cobra.Command {
	f := downloadFlags{stageOnly: true}
	c := &cobra.Command{
		Use: "stage", Short: "Order the files of a search that are on cold storage, and end", Example: "  swath download stage --url http://localhost:8080 -c sentinel-2-l1c --tile 31TCJ",
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args) },
	}
	f.add(c.Flags())
	f.addCart(c.Flags())
	return c
}

func (f *downloadFlags) addCart(flags *pflag.FlagSet) {
	flags.StringVar(&f.cart, "cart", "", "id of a cart at the server, instead of a search")
}

func verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "verify FOLDER", Short: "Read every file of a folder against its manifest", Example: "  swath download verify toulouse",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exitError{errors.New("download verify: one folder is wanted"), exitDownloadUse}
			}
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
	}
}

// options makes those of a run.
func (f *downloadFlags) options() (o download.Options, err error) {
	o = f.layout
	if o.Folder = f.folder; f.writeDir != "" {
		o.Folder = f.writeDir
	}
	if o.Parallel < 1 || o.Parallel > 64 {
		return o, fault.New(fault.Invalid, "--jobs: %d is not 1 to 64", o.Parallel)
	}
	switch f.verify {
	case "deep":
		o.Deep = true
	case "sums":
	default:
		return o, fault.New(fault.Invalid, "--verify: %q is neither sums nor deep", f.verify)
	}
	if f.newest != "" {
		if o.NewestPer, err = download.ParseTraits(f.newest); err != nil {
			return o, fault.New(fault.Invalid, "--newest-per: %v", err)
		}
	}
	if f.rate != "" {
		if o.BytesPerS, err = download.ParseSize(f.rate); err != nil {
			return o, fault.New(fault.Invalid, "--rate: %v", err)
		}
	}
	if f.most != "" {
		most, err := download.ParseSize(f.most)
		if err != nil {
			return o, fault.New(fault.Invalid, "--max-bytes: %v", err)
		}
		o.MostBytes = int64(most)
	}
	return o, nil
}

// prepare reads the whole configuration, and returns what it says.
func (f *downloadFlags) prepare(c *cobra.Command, args []string) (client *download.Client, s download.Search, o download.Options, err error) {
	flags := c.Flags()
	if f.auth != "" {
		err = f.asPEPS(flags, args)
	} else if len(args) > 0 {
		err = fault.New(fault.Invalid, "unknown command %q (see %s --help)", args[0], c.CommandPath())
	}
	if err != nil {
		return nil, s, o, err
	}
	all, err := layers(f.profile)
	if err == nil {
		err = fill(flags, all, os.LookupEnv)
	}
	if err != nil {
		return nil, s, o, err
	}
	if o, err = f.options(); err != nil {
		return nil, s, o, err
	}
	if f.follows && f.url == "" {
		old, err := download.ReadSync(o.Folder)
		if err != nil {
			return nil, s, o, err
		}
		if old != nil {
			f.url = old.URL
		}
	}
	account, err := accountFor(f.url, all, os.LookupEnv)
	if err != nil {
		return nil, s, o, err
	}
	if f.auth != "" {
		if account.Account, err = pepsAccount(f.auth); err != nil {
			return nil, s, o, err
		}
	}
	s, err = f.search(flags)
	return &download.Client{URL: f.url, Account: account.Account, Renew: account.renew}, s, o, err
}

// interruptible lets a second interrupt end the process at once, where the first lets it end well.
func interruptible(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt, syscall.SIGTERM) })
}

func (f *downloadFlags) run(c *cobra.Command, args []string) (err error) {
	client, s, o, err := f.prepare(c, args)
	if err != nil {
		return downloadError(err)
	}
	if f.url == "" && f.items == "" && f.manifest == "" {
		return downloadError(fault.New(fault.Invalid, "download: --url names the STAC API"))
	}
	if err := f.oneSource(c.Flags()); err != nil {
		return downloadError(err)
	}
	ctx := c.Context()
	defer interruptible(ctx)()
	b := newBoard(c.ErrOrStderr(), f.quiet || f.asJSON)
	f.watch(c, b, &o)
	run, err := download.Open(client, o)
	if err != nil {
		return downloadError(err)
	}
	defer func() { err = errors.Join(err, run.Close()) }()
	plan, err := f.plan(ctx, c.ErrOrStderr(), client, run, s)
	if err != nil {
		return downloadError(err)
	}
	if plan.Items == 0 {
		return errNothing
	}
	switch {
	case f.curl || f.aria2:
		return downloadError(f.printList(ctx, c.OutOrStdout(), client, plan))
	case f.dry:
		if err := run.Estimate(ctx, plan); err != nil {
			return downloadError(err)
		}
		return f.printPlan(c.OutOrStdout(), plan)
	}
	staged, err := run.Order(ctx, plan)
	if err != nil {
		return downloadError(err)
	}
	if f.stageOnly {
		return f.printStaged(c.OutOrStdout(), staged)
	}
	b.start(plan)
	report, err := run.Fetch(ctx, plan)
	b.end()
	if err == nil && f.catalog {
		err = run.WriteCatalog(ctx)
	}
	if err := f.printReport(c.OutOrStdout(), report, b.bytes()); err != nil {
		return err
	}
	return outcome(report, err)
}

// oneSource refuses a cart beside another way to say what is wanted.
func (f *downloadFlags) oneSource(flags *pflag.FlagSet) error {
	if f.cart == "" {
		return nil
	}
	for _, name := range append([]string{"items", "manifest"}, searched...) {
		if flags.Changed(name) && !slices.Contains([]string{"assets", "newest-per", "auth"}, name) {
			return fault.New(fault.Invalid, "--cart says what is wanted: --%s can't stand beside it", name)
		}
	}
	return nil
}

// watch shows on a board what a run does.
func (f *downloadFlags) watch(c *cobra.Command, b *board, o *download.Options) {
	said := c.OutOrStdout()
	if f.quiet || f.asJSON {
		said = nil
	}
	o.Began, o.Came, o.Left = b.began, b.arrived, b.leave
	o.Done = func(file download.File, err error) { b.finished(file, err, said) }
}

// plan finds the items, and what is there of them.
func (f *downloadFlags) plan(ctx context.Context, errs io.Writer, client *download.Client, run *download.Run, s download.Search) (*download.Plan, error) {
	name := f.items
	if f.manifest != "" {
		name = f.manifest
	}
	var all []map[string]any // for --json FILE of peps_download.py
	plan, err := run.Plan(ctx, func(yield func(download.Item) error) error {
		if f.found != "" {
			keep := yield
			yield = func(it download.Item) error {
				all = append(all, it.Body)
				return keep(it)
			}
		}
		if f.cart != "" {
			return client.Cart(ctx, f.cart, func(collection, id string) {
				fmt.Fprintf(errs, "gone       %s/%s is in the cart and no longer at the server\n", collection, id)
			}, yield)
		}
		if name == "" {
			if err := members(ctx, client, &s); err != nil {
				return err
			}
			return client.Items(ctx, s, yield)
		}
		in := io.Reader(os.Stdin)
		if name != "-" {
			file, err := os.Open(name)
			if err != nil {
				return fault.New(fault.Invalid, "items: %v", err)
			}
			defer file.Close()
			in = file
		}
		return download.ReadItems(in, yield)
	})
	if err != nil || f.found == "" {
		return plan, err
	}
	text, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": all})
	if err != nil {
		return plan, err
	}
	return plan, os.WriteFile(f.found, text, 0o644)
}

// outcome is the exit code of a run that ended.
func outcome(report download.Report, err error) error {
	switch {
	case err != nil:
		return downloadError(err)
	case allAre(report.Failed, fault.Offline):
		return exitError{download.ErrStaging, exitStaging}
	case allAre(report.Failed, fault.Forbidden):
		return downloadError(report.Failed[0].Err)
	case len(report.Failed) > 0:
		return errPartly
	}
	return nil
}

// allAre reports whether some files failed, and all in one way.
func allAre(failed []download.Failure, kind fault.Kind) bool {
	for _, one := range failed {
		if !fault.Is(one.Err, kind) {
			return false
		}
	}
	return len(failed) > 0
}

// downloadError gives an error its exit code.
func downloadError(err error) error {
	var own exitError
	switch {
	case err == nil || errors.As(err, &own):
		return err
	case errors.Is(err, context.Canceled):
		return exitError{errors.New("download: interrupted; the same command goes on"), exitInterrupted}
	case errors.Is(err, syscall.ENOSPC):
		return exitError{err, exitDiskFull}
	case fault.Is(err, fault.Unauthenticated), fault.Is(err, fault.Forbidden):
		return exitError{fmt.Errorf("%w (the account is SWATH_API_KEY, SWATH_TOKEN, or SWATH_USER and SWATH_PASSWORD)", err), exitForbidden}
	case fault.Is(err, fault.OverQuota):
		return exitError{err, exitQuota}
	case fault.Is(err, fault.Unavailable):
		return exitError{err, exitUnreachable}
	case fault.Is(err, fault.Invalid):
		return exitError{err, exitDownloadUse}
	}
	return exitError{err, exitSomeFailed}
}
