package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"swath/chains"
	"swath/chains/all"
	"swath/fault"
	"swath/processes/runner"
)

func processCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "process", Short: "Run a process here, without a server", Example: "  swath process list", Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(processListCommand(), processDescribeCommand(), processRunCommand())
	return c
}

func processListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the processes", Example: "  swath process list", Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, chain := range all.Chains() {
				fmt.Fprintf(w, "%s\t%s\t%s\n", chain.ID, chain.Version, chain.Title)
			}
			return w.Flush()
		},
	}
}

// chainOf returns the chain of this id.
func chainOf(id string) (chains.Chain, error) {
	chain, ok := all.Chain(id)
	if !ok {
		return chains.Chain{}, usageError{fmt.Errorf("no process %q (see swath process list)", id)}
	}
	return chain, nil
}

// oneArgument takes exactly one word.
func oneArgument(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("name one %s (see %s --help)", what, c.CommandPath())}
		}
		return nil
	}
}

func processDescribeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "describe ID", Short: "Say what a process takes and gives", Example: "  swath process describe echo", Args: oneArgument("process"),
		RunE: func(c *cobra.Command, args []string) error {
			chain, err := chainOf(args[0])
			if err != nil {
				return err
			}
			describeChain(c.OutOrStdout(), chain)
			return nil
		},
	}
}

// describeChain prints a chain for people.
func describeChain(out io.Writer, chain chains.Chain) {
	fmt.Fprintf(out, "%s %s: %s\n%s\n", chain.ID, chain.Version, chain.Title, chain.Description)
	for _, part := range []struct {
		name   string
		fields []chains.Field
	}{{"Inputs", chain.Inputs}, {"Outputs", chain.Outputs}} {
		fmt.Fprintf(out, "\n%s\n", part.name)
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, f := range part.fields {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", f.Name, kindWords(f), f.Doc)
		}
		w.Flush() //nolint:errcheck // a terminal that is gone reads nothing
	}
}

// kindWords says what an input is: its type, whether it is needed, what it is when not given.
func kindWords(f chains.Field) string {
	words := map[chains.Kind]string{chains.AProduct: "product", chains.AFile: "file", chains.AFolder: "folder", chains.AnItem: "item"}[f.Kind]
	if words == "" {
		words, _ = f.Schema["type"].(string)
	}
	if values, ok := f.Schema["enum"].([]any); ok {
		words = strings.ReplaceAll(strings.Trim(fmt.Sprint(values), "[]"), " ", "|")
	}
	if f.Many {
		words += ", several"
	}
	if f.Default != nil {
		words += ", default " + string(f.Default)
	} else if !f.Required {
		words += ", optional"
	}
	return words
}

func processRunCommand() *cobra.Command {
	var out string
	var threads int
	c := &cobra.Command{
		Use:   "run ID key=value…",
		Short: "Run a process over files and print the items it makes",
		Long: `Run a process over files, without a server.

A value is a text, a number, a path, or @file.json, whose content it is. A key that is given several times is a list.`,
		Example: "  swath process run echo stringInput=hello --out results",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("name a process (see %s --help)", c.CommandPath())}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			chain, err := chainOf(args[0])
			if err != nil {
				return err
			}
			inputs, err := readInputs(chain, args[1:])
			if err != nil {
				return wrongUse(err)
			}
			if out == "" {
				return usageError{errors.New("--out names the folder of the results")}
			}
			return runChain(c, chain, inputs, out, threads)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "folder of the results")
	c.Flags().IntVar(&threads, "threads", runtime.NumCPU(), "threads to keep busy")
	return c
}

// readInputs makes inputs of words key=value.
func readInputs(chain chains.Chain, words []string) (map[string]json.RawMessage, error) {
	lists := map[string][]json.RawMessage{}
	for _, word := range words {
		name, text, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fault.New(fault.Invalid, "%q is not key=value", word)
		}
		f, ok := chain.Input(name)
		if !ok {
			return nil, fault.New(fault.Invalid, "input %q: %s has %s", name, chain.ID, strings.Join(chains.Names(chain.Inputs), ", "))
		}
		value, err := readValue(f, text)
		if err != nil {
			return nil, err
		}
		lists[name] = append(lists[name], value...)
	}
	inputs := map[string]json.RawMessage{}
	for name, values := range lists {
		f, _ := chain.Input(name)
		if !f.Many && len(values) != 1 {
			return nil, fault.New(fault.Invalid, "input %q: takes one value", name)
		}
		inputs[name] = values[0]
		if f.Many {
			list, err := json.Marshal(values)
			if err != nil {
				return nil, err
			}
			inputs[name] = list
		}
		if err := f.Validate(inputs[name]); err != nil {
			return nil, err
		}
	}
	for _, f := range chain.Inputs {
		if f.Required && inputs[f.Name] == nil {
			return nil, fault.New(fault.Invalid, "input %q: is required (%s)", f.Name, f.Doc)
		}
	}
	return inputs, nil
}

// readValue makes JSON of a word: the content of @file.json, a path that exists, JSON where the input is no text, or the text itself.
func readValue(f chains.Field, text string) ([]json.RawMessage, error) {
	if path, ok := strings.CutPrefix(text, "@"); ok {
		body, err := os.ReadFile(path)
		if err != nil {
			return nil, fault.New(fault.Invalid, "input %q: %v", f.Name, err)
		}
		var list []json.RawMessage
		if f.Many && json.Unmarshal(body, &list) == nil {
			return list, nil
		}
		return []json.RawMessage{body}, nil
	}
	if f.Kind != chains.Value {
		path, err := filepath.Abs(text)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(path); err != nil {
			return nil, fault.New(fault.Invalid, "input %q: %v", f.Name, err)
		}
		text = path
	} else if f.Schema["type"] != "string" {
		var list []json.RawMessage
		if f.Many && json.Unmarshal([]byte(text), &list) == nil {
			return list, nil
		}
		return []json.RawMessage{json.RawMessage(text)}, nil
	}
	value, err := json.Marshal(text)
	return []json.RawMessage{value}, err
}

// runChain runs a chain in this process, and prints what it made.
func runChain(c *cobra.Command, chain chains.Chain, inputs map[string]json.RawMessage, out string, threads int) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("process: %w", err)
	}
	scratch, err := os.MkdirTemp(out, ".work-")
	if err != nil {
		return fmt.Errorf("process: %w", err)
	}
	defer os.RemoveAll(scratch)
	log := slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))
	last := time.Now()
	outputs, err := chain.Run(c.Context(), inputs, chains.Workspace{Scratch: scratch, Out: out, Threads: max(threads, 1), Log: log}, func(done, total int64) {
		if time.Since(last) > 2*time.Second && total > 0 {
			last = time.Now()
			log.Info("progress", "percent", 100*done/total)
		}
	})
	if err != nil {
		return fmt.Errorf("process %s: %w", chain.ID, wrongUse(err))
	}
	body, err := json.MarshalIndent(outputs, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.OutOrStdout(), string(body))
	return err
}

// runnerCommand is what a worker starts for one run; nobody types it.
func runnerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "runner FOLDER", Hidden: true, Args: oneArgument("folder"),
		RunE: func(c *cobra.Command, args []string) error {
			var lifeline io.Reader = os.Stdin
			if os.Getenv("SWATH_RUNNER") == "batch" {
				lifeline = nil // a batch engine ends what it has started
			}
			if code := runner.Main(context.WithoutCancel(c.Context()), args[0], all.Chain, lifeline); code != 0 {
				return exitError{code: code, error: errors.New("the run failed; its result says why")}
			}
			return nil
		},
	}
}
