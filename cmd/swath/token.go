package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"swath/auth"
	accounts "swath/auth/store"
)

func tokenCommand() *cobra.Command {
	return accountsCommand("token", "API keys of accounts, for scripts", `  swath token create --user ada --name laptop --days 90
  swath token revoke k7q2…`, tokenCreate(), tokenList(), tokenRevoke())
}

func tokenCreate() *cobra.Command {
	var user, name, role string
	var days int
	c := &cobra.Command{Use: "create", Short: "Make a key and print it: nobody can print it again", Args: noArguments,
		Example: "  swath token create --user ada --name laptop --days 90 --role reader", RunE: func(c *cobra.Command, _ []string) (err error) {
			if user == "" || days < 1 {
				return usageError{errors.New("say whose key it is with --user NAME, and for how many --days")}
			}
			may := auth.Nobody
			if role != "" {
				if may, err = auth.ParseRole(role); err != nil {
					return wrongUse(err)
				}
			}
			return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error {
				a, err := s.AccountNamed(ctx, user)
				if err != nil {
					return err
				}
				keeper, err := auth.NewKeeper(ctx, s, auth.Config{})
				if err != nil {
					return err
				}
				expires := time.Now().AddDate(0, 0, days).UTC()
				made, key, err := keeper.MakeKey(ctx, a.ID, name, may, &expires)
				if err != nil {
					return err
				}
				fmt.Fprintln(c.OutOrStdout(), key)
				fmt.Fprintf(c.ErrOrStderr(), "Links are signed with access key %s and secret key %s\n", made.ID, keeper.LinkSecret(made.ID))
				return nil
			})
		}}
	c.Flags().StringVar(&user, "user", "", "name of the account")
	c.Flags().StringVar(&name, "name", "", "what the key is called")
	c.Flags().StringVar(&role, "role", "", "it may do no more than this: "+strings.Join(auth.Roles(), ", ")+" (default: what the account may)")
	c.Flags().IntVar(&days, "days", 365, "days that it is good for")
	return c
}

func tokenList() *cobra.Command {
	var user string
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: "List keys, the newest first", Example: "  swath token list --user ada", Args: noArguments, RunE: func(c *cobra.Command, _ []string) error {
		return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error {
			of := ""
			if user != "" {
				a, err := s.AccountNamed(ctx, user)
				if err != nil {
					return err
				}
				of = a.ID
			}
			all, err := s.Keys(ctx, of)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), all)
			}
			return table(c.OutOrStdout(), "KEY\tNAME\tACCOUNT\tCREATED\tEXPIRES\tUSED\tREVOKED", len(all), func(i int) []any {
				k := all[i]
				return []any{k.ID, k.Name, k.Account, dayOf(&k.Created), dayOf(k.Expires), dayOf(k.Used), dayOf(k.Revoked)}
			})
		})
	}}
	c.Flags().StringVar(&user, "user", "", "name of the account (default: all)")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

func tokenRevoke() *cobra.Command {
	return &cobra.Command{Use: "revoke KEY", Short: "End a key, within half a minute, by its id or by itself", Example: "  swath token revoke k7q2…", Args: named("KEY"),
		RunE: func(c *cobra.Command, args []string) error {
			id := args[0]
			if auth.IsKey(id) {
				id = strings.Split(id, "_")[1]
			}
			return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error { return s.RevokeKey(ctx, id) })
		}}
}
