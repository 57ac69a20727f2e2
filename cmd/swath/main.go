// Command swath is a mirror of satellite products in one binary: catalog, tiles, downloads and processing.
//
//	flags > SWATH_* > swath.yaml > defaults ──▶ Config ──▶ wiring ──▶ one command
//
// This package reads the configuration and connects the rooms; it holds no knowledge of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"swath/fault"
)

// version is the released version; the linker sets it.
var version = "0.1.0-dev"

// The exit codes that scripts rely on.
const (
	exitDone = iota
	exitFailed
	exitWrongUse
	exitPartlyDone
)

// errPartly reports that some of the work was done and the rest was refused; what was refused has been printed already.
var errPartly = errors.New("partly done")

// usageError is a command line that makes no sense.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string) int {
	root := command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errPartly) {
		return exitPartlyDone
	}
	fmt.Fprintln(root.ErrOrStderr(), "swath:", err)
	var own exitError
	if errors.As(err, &own) {
		return own.code
	}
	var usage usageError
	if errors.As(err, &usage) {
		return exitWrongUse
	}
	return exitFailed
}

// command builds the command tree.
func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "swath",
		Short: "A mirror of Sentinel and SPOT products: catalog, tiles, downloads, processing",
		Example: `  swath ingest --data ./data S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.zip
  swath serve --data ./data --listen 127.0.0.1:8080`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArguments,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see %s --help)", err, c.CommandPath())}
	})
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(serveCommand(), ingestCommand(), mirrorCommand(), archiveCommand(), downloadCommand(), loadCommand(), exportCommand(), checkCommand(), userCommand(), tokenCommand(), accessCommand(), migrateCommand(),
		processCommand(), jobsCommand(), workerCommand(), runnerCommand(), versionCommand())
	return root
}

// noArguments refuses words that no subcommand took.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command %q (see %s --help)", args[0], c.CommandPath())}
	}
	return nil
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  swath version", Args: noArguments,
		Run: func(c *cobra.Command, _ []string) { fmt.Fprintln(c.OutOrStdout(), "swath", version) },
	}
}

// wrongUse makes a configuration mistake exit with the code of wrong use.
func wrongUse(err error) error {
	if err == nil || !fault.Is(err, fault.Invalid) {
		return err
	}
	return usageError{err}
}
