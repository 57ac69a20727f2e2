package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"swath/auth"
	accounts "swath/auth/store"
)

func accessCommand() *cobra.Command {
	return accountsCommand("access", "Collections that only some may know of", `  swath access private spot-swh-l1a
  swath access grant spot-swh-l1a --user ada
  swath access grant spot-swh-l1a --role centre`, accessList(), accessPrivate(), accessPublic(), accessGrant(), accessWithdraw())
}

func accessList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: "List private collections and who may know of them", Example: "  swath access list", Args: noArguments, RunE: func(c *cobra.Command, _ []string) error {
		return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error {
			all, err := s.Privates(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), append([]auth.Private{}, all...))
			}
			names := map[string]string{}
			people, err := s.Accounts(ctx)
			for _, a := range people {
				names[a.ID] = a.Name
			}
			if err != nil {
				return err
			}
			return table(c.OutOrStdout(), "COLLECTION\tKNOWN TO, BESIDE OPERATORS", len(all), func(i int) []any {
				var who []string
				for _, g := range all[i].Grants {
					if g.Account != "" {
						who = append(who, names[g.Account])
					} else {
						who = append(who, g.Role.String()+"s and above")
					}
				}
				return []any{all[i].Collection, strings.Join(who, ", ")}
			})
		})
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

func accessPrivate() *cobra.Command {
	return &cobra.Command{Use: "private COLLECTION", Short: "Hide a collection from all but operators, within seconds; it need not be there yet", Example: "  swath access private spot-swh-l1a",
		Args: named("COLLECTION"), RunE: func(c *cobra.Command, args []string) error {
			return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error { return s.MakePrivate(ctx, args[0]) })
		}}
}

func accessPublic() *cobra.Command {
	return &cobra.Command{Use: "public COLLECTION", Short: "Show a collection to all", Example: "  swath access public spot-swh-l1a",
		Args: named("COLLECTION"), RunE: func(c *cobra.Command, args []string) error {
			return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error { return s.MakePublic(ctx, args[0]) })
		}}
}

// grantCommand gives or takes the sight of a private collection.
func grantCommand(use, short string, do func(*accounts.Store, context.Context, auth.Grant) error) *cobra.Command {
	var user, role string
	c := &cobra.Command{Use: use + " COLLECTION", Short: short, Example: "  swath access " + use + " spot-swh-l1a --user ada", Args: named("COLLECTION"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if (user == "") == (role == "") {
				return usageError{errors.New("say to whom: --user NAME or --role ROLE")}
			}
			g := auth.Grant{Collection: args[0]}
			if role != "" {
				if g.Role, err = auth.ParseRole(role); err == nil && g.Role >= auth.Operator {
					err = usageError{errors.New("operators and admins know of every collection")}
				}
				if err != nil {
					return wrongUse(err)
				}
			}
			return visitAccounts(c, func(ctx context.Context, s *accounts.Store) error {
				if user != "" {
					a, err := s.AccountNamed(ctx, user)
					if err != nil {
						return err
					}
					g.Account = a.ID
				}
				return do(s, ctx, g)
			})
		}}
	c.Flags().StringVar(&user, "user", "", "name of an account")
	c.Flags().StringVar(&role, "role", "", "a role, and those above it")
	return c
}

func accessGrant() *cobra.Command {
	return grantCommand("grant", "Show a private collection to an account, or to a role and those above", (*accounts.Store).Grant)
}

func accessWithdraw() *cobra.Command {
	return grantCommand("withdraw", "Take a grant back", (*accounts.Store).Withdraw)
}
