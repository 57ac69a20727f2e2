package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swath/download"
	"swath/fault"
	"swath/processes/jobclient"
)

func jobsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "jobs", Short: "Let processes run on a server, and fetch their results",
		Long: `Let processes run on a server that speaks OGC API Processes, and fetch their results.

The server's address comes from --url or SWATH_URL, the API key from --key, SWATH_KEY or SWATH_API_KEY.
Exit codes: 0 done, 1 the job or the request failed, 2 wrong use, 3 some results could not be fetched.`,
		Example: `  swath jobs run echo stringInput=hello --url http://localhost:8080 --wait -o results
  swath jobs list --status running`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(jobsRunCommand(), jobsListCommand(), jobsWaitCommand(), jobsGetCommand(), jobsLogCommand(), jobsCancelCommand())
	return c
}

// remote makes a command that talks to a server.
func remote(c *cobra.Command, run func(ctx context.Context, c *cobra.Command, client jobclient.Client, args []string) error) *cobra.Command {
	flags := c.Flags()
	flags.String("url", "", "address of the server (SWATH_URL)")
	flags.String("key", "", "API key (SWATH_KEY)")
	c.RunE = func(c *cobra.Command, args []string) error {
		client := jobclient.Client{URL: os.Getenv("SWATH_URL"), Key: os.Getenv("SWATH_KEY")}
		if client.Key == "" {
			client.Key = os.Getenv("SWATH_API_KEY")
		}
		for name, to := range map[string]*string{"url": &client.URL, "key": &client.Key} {
			if f := flags.Lookup(name); f.Changed {
				*to = f.Value.String()
			}
		}
		if client.URL == "" {
			return usageError{errors.New("jobs: --url or SWATH_URL names the server")}
		}
		return wrongUse(run(c.Context(), c, client, args))
	}
	return c
}

func jobsRunCommand() *cobra.Command {
	var out string
	var wait, dry, asJSON bool
	var priority int
	c := &cobra.Command{
		Use:   "run ID key=value…",
		Short: "Make a job, and with --wait or -o wait for it",
		Long: `Make a job. A value is a text, JSON, or @path: what the file says, or the file itself where the input is one and it is not JSON. A key that is given several times
is a list. A product is an item's id or address, or JSON: {"item": …, "collection": …} or {"search": {…}}.`,
		Example: `  swath jobs run s1ortho product=S1A_IW_GRDH_… --url http://localhost:8080 -o results
  swath jobs run s1tiling 'products={"search":{"collections":["sentinel-1-grd"],"bbox":[6,45,7,46]}}' --dry-run`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("name a process (see %s --help)", c.CommandPath())}
			}
			return nil
		},
	}
	flags := c.Flags()
	flags.BoolVar(&wait, "wait", false, "wait until it has ended")
	flags.StringVarP(&out, "out", "o", "", "wait, and fetch the results into this folder")
	flags.BoolVarP(&dry, "dry-run", "n", false, "print what it would cost, and make none")
	flags.BoolVar(&asJSON, "json", false, "as JSON")
	flags.IntVar(&priority, "priority", 0, "1 (first) to 4, within what the role may ask")
	return remote(c, func(ctx context.Context, c *cobra.Command, client jobclient.Client, args []string) error {
		inputs, err := client.Inputs(ctx, args[0], args[1:])
		if err != nil {
			return err
		}
		r := jobclient.Request{Inputs: inputs, Priority: priority}
		if dry {
			plan, err := client.Plan(ctx, args[0], r)
			if err != nil {
				return err
			}
			return printJSON(c.OutOrStdout(), plan)
		}
		job, err := client.Submit(ctx, args[0], r)
		if err != nil {
			return err
		}
		if !wait && out == "" {
			return printJob(c, job, asJSON)
		}
		fmt.Fprintln(c.ErrOrStderr(), "job", job.ID)
		if job, err = waitFor(ctx, c, client, job.ID); err != nil {
			return err
		}
		if err := printJob(c, job, asJSON); err != nil || job.Status != "successful" || out == "" {
			return errors.Join(err, failedJob(job))
		}
		return fetchResults(ctx, c, client, job.ID, out)
	})
}

// printJob says how a job stands.
func printJob(c *cobra.Command, job jobclient.Job, asJSON bool) error {
	if asJSON {
		return printJSON(c.OutOrStdout(), job)
	}
	_, err := fmt.Fprintln(c.OutOrStdout(), job.ID, job.Status)
	return err
}

// failedJob is the failure of a job that did not succeed.
func failedJob(job jobclient.Job) error {
	switch job.Status {
	case "failed":
		return fmt.Errorf("job %s failed: %s", job.ID, job.Message)
	case "dismissed":
		return fmt.Errorf("job %s was dismissed", job.ID)
	}
	return nil
}

// waitFor shows the progress of a job until it has ended.
func waitFor(ctx context.Context, c *cobra.Command, client jobclient.Client, id string) (jobclient.Job, error) {
	log, err := newLog(Log{Format: "text", Level: "info"}, c.ErrOrStderr())
	if err != nil {
		return jobclient.Job{}, err
	}
	bar := newProgress(c.ErrOrStderr(), log)
	defer bar.end()
	job, err := client.Wait(ctx, id, func(j jobclient.Job) { bar.percent(j.Process, j.Progress, strings.TrimSpace(j.Status+" "+j.Message)) })
	if errors.Is(err, context.Canceled) {
		return job, fmt.Errorf("interrupted; the job goes on: swath jobs wait %s", id)
	}
	return job, err
}

// fetchResults puts the results of a job, and the files of its items, into a folder.
func fetchResults(ctx context.Context, c *cobra.Command, client jobclient.Client, id, folder string) error {
	saved, items, err := client.Save(ctx, id, folder)
	if err != nil {
		return err
	}
	failed := 0
	for _, one := range saved {
		if one.Err != nil {
			failed++
			fmt.Fprintf(c.ErrOrStderr(), "failed     %s: %v\n", one.Output, one.Err)
			continue
		}
		fmt.Fprintln(c.OutOrStdout(), filepath.Join(folder, one.Path))
	}
	more, err := fetchItems(ctx, c, client, items, folder)
	if err != nil {
		return err
	}
	if failed+more > 0 {
		return errPartly
	}
	return nil
}

// fetchItems downloads the files of items, and returns how many failed.
func fetchItems(ctx context.Context, c *cobra.Command, client jobclient.Client, items []json.RawMessage, folder string) (failed int, err error) {
	if len(items) == 0 {
		return 0, nil
	}
	run, err := download.Open(&download.Client{URL: client.URL, Account: download.Account{APIKey: client.Key}}, download.Options{Folder: folder, Parallel: 4, StageTimeout: time.Hour,
		Done: func(f download.File, err error) {
			if err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "failed     %s: %v\n", f.Path, err)
				return
			}
			fmt.Fprintln(c.OutOrStdout(), filepath.Join(folder, filepath.FromSlash(f.Path)))
		}})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, run.Close()) }()
	plan, err := run.Plan(ctx, func(yield func(download.Item) error) error {
		for _, one := range items {
			if err := download.ReadItems(bytes.NewReader(one), yield); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	report, err := run.Fetch(ctx, plan)
	return len(report.Failed), err
}

func jobsListCommand() *cobra.Command {
	var status, process []string
	var limit int
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: "List one's jobs, the newest first", Example: "  swath jobs list --status running,accepted", Args: noArguments}
	c.Flags().StringSliceVar(&status, "status", nil, "accepted, running, successful, failed, dismissed")
	c.Flags().StringSliceVar(&process, "process", nil, "processes")
	c.Flags().IntVar(&limit, "limit", 50, "jobs at most")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return remote(c, func(ctx context.Context, c *cobra.Command, client jobclient.Client, _ []string) error {
		if limit < 1 {
			return fault.New(fault.Invalid, "--limit is at least 1")
		}
		filter := url.Values{}
		for name, words := range map[string][]string{"status": status, "processID": process} {
			if len(words) > 0 {
				filter.Set(name, strings.Join(words, ","))
			}
		}
		jobs, err := client.Jobs(ctx, filter, limit)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), append([]jobclient.Job{}, jobs...))
		}
		return table(c.OutOrStdout(), "JOB\tPROCESS\tSTATUS\tPROGRESS\tMADE\tMESSAGE", len(jobs), func(i int) []any {
			j := jobs[i]
			return []any{j.ID, j.Process, j.Status, fmt.Sprint(j.Progress, " %"), j.Created.Local().Format(time.DateTime), j.Message}
		})
	})
}

func jobsWaitCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "wait JOB", Short: "Wait until a job has ended", Example: "  swath jobs wait 0197b1c2-…", Args: oneArgument("job")}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return remote(c, func(ctx context.Context, c *cobra.Command, client jobclient.Client, args []string) error {
		job, err := waitFor(ctx, c, client, args[0])
		if err != nil {
			return err
		}
		return errors.Join(printJob(c, job, asJSON), failedJob(job))
	})
}

func jobsGetCommand() *cobra.Command {
	var out string
	c := &cobra.Command{Use: "get JOB", Short: "Fetch the results of a job", Example: "  swath jobs get 0197b1c2-… -o results", Args: oneArgument("job")}
	c.Flags().StringVarP(&out, "out", "o", ".", "folder to fill")
	return remote(c, func(ctx context.Context, c *cobra.Command, client jobclient.Client, args []string) error {
		return fetchResults(ctx, c, client, args[0], out)
	})
}

func jobsLogCommand() *cobra.Command {
	var follow bool
	c := &cobra.Command{Use: "log JOB", Short: "Print what a job says", Example: "  swath jobs log 0197b1c2-… --follow", Args: oneArgument("job")}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "until the job has ended")
	return remote(c, func(ctx context.Context, c *cobra.Command, client jobclient.Client, args []string) error {
		return client.Log(ctx, args[0], follow, c.OutOrStdout())
	})
}

func jobsCancelCommand() *cobra.Command {
	c := &cobra.Command{Use: "cancel JOB…", Short: "End jobs, or remove the results of those that have ended", Example: "  swath jobs cancel 0197b1c2-…",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("name a job (see %s --help)", c.CommandPath())}
			}
			return nil
		}}
	return remote(c, func(ctx context.Context, c *cobra.Command, client jobclient.Client, args []string) error {
		done := 0
		var failures error
		for _, id := range args {
			job, err := client.Dismiss(ctx, id)
			if err != nil {
				failures = errors.Join(failures, err)
				continue
			}
			done++
			fmt.Fprintln(c.OutOrStdout(), job.ID, job.Status)
		}
		if failures != nil && done > 0 {
			fmt.Fprintln(c.ErrOrStderr(), "swath:", failures)
			return errPartly
		}
		return failures
	})
}
