package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"swath/download"
)

// printPlan tells what a download would do.
func (f *downloadFlags) printPlan(out io.Writer, plan *download.Plan) error {
	switch {
	case f.asJSON:
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(plan)
	case f.peps:
		printPEPS(out, plan)
		return nil
	}
	for _, file := range plan.Files {
		word := "download"
		if file.Have {
			word = "have"
		} else if file.Cold {
			word = "order"
		}
		fmt.Fprintf(out, "%-9s %12d  %s\n", word, file.Bytes, file.Path)
	}
	fmt.Fprintf(out, "%d items, %d files, %d of them here; %s to download", plan.Items, len(plan.Files), plan.Have, size(plan.Bytes))
	if plan.Unknown > 0 {
		fmt.Fprintf(out, " and %d files of unknown size", plan.Unknown)
	}
	if plan.Cold > 0 {
		fmt.Fprintf(out, "; %d files are on cold storage", plan.Cold)
	}
	if plan.StagingS > 0 {
		fmt.Fprintf(out, " and may be here in %s", time.Duration(plan.StagingS)*time.Second)
	}
	if plan.Cut {
		fmt.Fprint(out, "; more is left out by --max-bytes")
	}
	fmt.Fprintln(out)
	return nil
}

// printList writes what curl or aria2 need for the files that are missing; by signed links where the server makes such.
func (f *downloadFlags) printList(ctx context.Context, out io.Writer, client *download.Client, plan *download.Plan) error {
	for _, file := range plan.Files {
		if file.Have {
			continue
		}
		address, err := client.Link(ctx, file.URL)
		if err != nil {
			return err
		}
		if f.aria2 {
			fmt.Fprintf(out, "%s\n  out=%s\n", address, file.Path)
			for _, sum := range file.Sums {
				if name := map[string]string{"SHA256": "sha-256", "MD5": "md5"}[sum.Algorithm]; name != "" {
					fmt.Fprintf(out, "  checksum=%s=%s\n", name, sum.Value)
					break
				}
			}
			continue
		}
		fmt.Fprintf(out, "curl --fail --location --retry 5 --continue-at - --create-dirs --output %s %s\n", quoted(file.Path), quoted(address))
	}
	return nil
}

// quoted writes a word for a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// printStaged tells what was ordered.
func (f *downloadFlags) printStaged(out io.Writer, s download.Staged) error {
	if f.asJSON {
		return json.NewEncoder(out).Encode(s)
	}
	fmt.Fprintf(out, "%d files are ordered", s.Files)
	if s.Files > 0 {
		fmt.Fprintf(out, ", the first may be there in %s", s.After)
	}
	fmt.Fprintln(out)
	for _, order := range s.Orders {
		fmt.Fprintln(out, order)
	}
	return nil
}

// printReport tells what a download did.
func (f *downloadFlags) printReport(out io.Writer, report download.Report, bytes int64) error {
	if f.asJSON {
		failures := map[string]string{}
		for _, one := range report.Failed {
			failures[one.File.Path] = one.Err.Error()
		}
		return json.NewEncoder(out).Encode(map[string]any{"downloaded": report.Fetched, "had": report.Had, "failed": failures, "bytes": bytes})
	}
	if !f.quiet {
		fmt.Fprintf(out, "%d downloaded, %d were there, %d failed; %s\n", report.Fetched, report.Had, len(report.Failed), size(bytes))
	}
	return nil
}
