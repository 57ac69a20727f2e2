package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"swath/auth"
	accounts "swath/auth/store"
	"swath/fault"
	"swath/migrations"
)

// visitAccounts opens the accounts for a command, also beside a running server; everything else stays closed.
func visitAccounts(c *cobra.Command, do func(ctx context.Context, s *accounts.Store) error) (err error) {
	cfg, log, err := configure(c)
	if err != nil {
		return err
	}
	url, owned, err := database(c.Context(), cfg, log, guest)
	if err != nil {
		return err
	}
	if owned != nil {
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
			defer cancel()
			err = errors.Join(err, owned.Stop(ctx))
		}()
	}
	if err := migrations.Up(c.Context(), url); err != nil {
		return err
	}
	s, err := accounts.Open(c.Context(), url)
	if err != nil {
		return err
	}
	defer s.Close()
	return wrongUse(do(c.Context(), s))
}

// accountsCommand is a command whose subcommands work on the accounts.
func accountsCommand(use, short, example string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Example: example, Args: noArguments, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	for _, one := range children {
		addFlags(one, storeSettings)
	}
	c.AddCommand(children...)
	return c
}

// named wants so many words, and says which.
func named(words ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != len(words) {
			return usageError{fmt.Errorf("%s wants %s (see %s --help)", c.CommandPath(), strings.Join(words, " "), c.CommandPath())}
		}
		return nil
	}
}

func userCommand() *cobra.Command {
	return accountsCommand("user", "Accounts of people and machines: who they are and what they may do", `  swath user add ada --role operator --password-stdin < password.txt
  swath user role ada admin
  swath user list`, userAdd(), userList(), userRole(), userPassword(), userQuota(), userDisable(), userDelete(), userExport())
}

func userAdd() *cobra.Command {
	var a auth.Account
	var role string
	var password bool
	c := &cobra.Command{Use: "add NAME", Short: "Make an account", Example: "  swath user add ada --role processor --email ada@example.org", Args: named("NAME"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if a.Name = args[0]; a.Name == "" || len(a.Name) > 200 || strings.ContainsAny(a.Name, ":\n\r\t\x00") {
				return usageError{errors.New("a name has 1 to 200 bytes, and no colon or line break")}
			}
			if a.Country = strings.ToUpper(a.Country); len(a.Country) != 2 && a.Country != "" {
				return usageError{errors.New("--country is a code of two letters, such as FR")}
			}
			if a.Role, err = auth.ParseRole(role); err != nil {
				return wrongUse(err)
			}
			if password {
				if a.Password, err = readPassword(c.InOrStdin()); err != nil {
					return wrongUse(err)
				}
			}
			return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error {
				made, err := s.AddAccount(ctx, a)
				if err == nil {
					fmt.Fprintln(c.OutOrStdout(), made.ID)
				}
				return err
			})
		}}
	c.Flags().StringVar(&role, "role", auth.Reader.String(), "one of "+strings.Join(auth.Roles(), ", "))
	c.Flags().StringVar(&a.Email, "email", "", "address of the person")
	c.Flags().StringVar(&a.Country, "country", "", "country of the person, two letters")
	c.Flags().BoolVar(&password, "password-stdin", false, "read a password from standard input (without: by keys alone)")
	return c
}

// readPassword reads a password from the first line.
func readPassword(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	return auth.HashPassword(strings.TrimRight(line, "\r\n"))
}

func userList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: "List the accounts", Example: "  swath user list --json", Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error {
				all, err := s.Accounts(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(c.OutOrStdout(), all)
				}
				return table(c.OutOrStdout(), "NAME\tROLE\tEMAIL\tSEEN\tSTATE\tID", len(all), func(i int) []any {
					a := all[i]
					state := "active"
					if a.Erased != nil {
						state = "erased"
					} else if a.Disabled {
						state = "disabled"
					}
					return []any{a.Name, a.Role, a.Email, dayOf(a.Seen), state, a.ID}
				})
			})
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

// changeUser is a command that changes one account.
func changeUser(use, short, example string, words []string, change func(c *cobra.Command, a *auth.Account, args []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Example: example, Args: named(words...), RunE: func(c *cobra.Command, args []string) error {
		return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error {
			a, err := s.AccountNamed(ctx, args[0])
			if err != nil {
				return err
			}
			if err := change(c, &a, args[1:]); err != nil {
				return err
			}
			return s.ChangeAccount(ctx, a)
		})
	}}
}

func userRole() *cobra.Command {
	return changeUser("role NAME ROLE", "Give an account another role: "+strings.Join(auth.Roles(), ", "), "  swath user role ada operator", []string{"NAME", "ROLE"},
		func(_ *cobra.Command, a *auth.Account, args []string) (err error) {
			a.Role, err = auth.ParseRole(args[0])
			return err
		})
}

func userPassword() *cobra.Command {
	return changeUser("password NAME", "Give an account another password, from standard input", "  swath user password ada < password.txt", []string{"NAME"},
		func(c *cobra.Command, a *auth.Account, _ []string) (err error) {
			a.Password, err = readPassword(c.InOrStdin())
			return err
		})
}

func userDisable() *cobra.Command {
	var undo bool
	c := changeUser("disable NAME", "Let an account in no more, within half a minute, or again with --undo", "  swath user disable ada", []string{"NAME"},
		func(_ *cobra.Command, a *auth.Account, _ []string) error {
			a.Disabled = !undo
			return nil
		})
	c.Flags().BoolVar(&undo, "undo", false, "let it in again")
	return c
}

func userQuota() *cobra.Command {
	var q auth.Quotas
	var ofRole bool
	var perDay, staged, uploaded string
	c := changeUser("quota NAME", "Give an account quotas of its own, in place of those of its role; 0 is no limit", "  swath user quota ada --bytes-a-day 200G --downloads 8", []string{"NAME"},
		func(_ *cobra.Command, a *auth.Account, _ []string) (err error) {
			if ofRole {
				a.Quotas = nil
				return nil
			}
			if q.BytesADay, err = bytesOf(perDay); err == nil {
				q.StagedBytes, err = bytesOf(staged)
			}
			if err == nil {
				q.UploadedBytes, err = bytesOf(uploaded)
			}
			if err != nil || q.Downloads < 0 || q.Jobs < 0 {
				return fault.New(fault.Invalid, "a quota is at least 0; bytes are a number, perhaps with K, M, G or T behind it")
			}
			a.Quotas = &q
			return nil
		})
	c.Flags().StringVar(&perDay, "bytes-a-day", "0", "bytes sent in any 24 hours")
	c.Flags().StringVar(&staged, "staged-bytes", "0", "bytes brought from cold storage in any 24 hours")
	c.Flags().StringVar(&uploaded, "uploaded-bytes", "0", "bytes of files that came with processes waiting or running")
	c.Flags().IntVar(&q.Downloads, "downloads", 0, "downloads at once")
	c.Flags().IntVar(&q.Jobs, "jobs", 0, "processes waiting or running at once")
	c.Flags().BoolVar(&ofRole, "of-role", false, "those of its role again")
	return c
}

// bytesOf reads 200G: thousands, as disks are sold.
func bytesOf(text string) (int64, error) {
	factor := int64(1)
	if i := slices.Index([]string{"K", "M", "G", "T"}, strings.ToUpper(text[max(len(text)-1, 0):])); i >= 0 {
		text = text[:len(text)-1]
		for range i + 1 {
			factor *= 1000
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0 && n*float64(factor) < 1<<62) {
		return 0, fault.New(fault.Invalid, "%.40q is not a number of bytes", text)
	}
	return int64(n * float64(factor)), nil
}

func userDelete() *cobra.Command {
	var yes bool
	c := &cobra.Command{Use: "delete NAME", Short: "Forget who an account was: name, address, keys, sessions; what it used stays counted", Example: "  swath user delete ada --yes",
		Args: named("NAME"), RunE: func(c *cobra.Command, args []string) error {
			if !yes {
				return usageError{errors.New("nothing brings a deleted account back: say --yes")}
			}
			return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error {
				a, err := s.AccountNamed(ctx, args[0])
				if err != nil {
					return err
				}
				return s.Erase(ctx, a.ID)
			})
		}}
	c.Flags().BoolVar(&yes, "yes", false, "it is meant")
	return c
}

func userExport() *cobra.Command {
	return &cobra.Command{Use: "export NAME", Short: "Print all that is known of an account, as JSON", Example: "  swath user export ada > ada.json", Args: named("NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error {
				a, err := s.AccountNamed(ctx, args[0])
				if err != nil {
					return err
				}
				body, err := s.Export(ctx, a.ID)
				if err == nil {
					_, err = c.OutOrStdout().Write(append(body, '\n'))
				}
				return err
			})
		}}
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// table prints rows under a head.
func table(out io.Writer, head string, n int, row func(i int) []any) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for i := range n {
		cells := row(i)
		texts := make([]string, len(cells))
		for j, cell := range cells {
			texts[j] = fmt.Sprint(cell)
		}
		fmt.Fprintln(w, strings.Join(texts, "\t"))
	}
	return w.Flush()
}

func dayOf(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format(time.DateOnly)
}
