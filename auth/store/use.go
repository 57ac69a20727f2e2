package store

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"swath/auth"
	"swath/fault"
)

var (
	//go:embed sql/add_use.sql
	addUseSQL string
	//go:embed sql/fold_use.sql
	foldUseSQL string
	//go:embed sql/privates.sql
	privatesSQL string
	//go:embed sql/export_carts.sql
	exportCartsSQL string
	//go:embed sql/erase.sql
	eraseSQL string
)

func uses(rows pgx.Rows) ([]auth.Use, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (u auth.Use, err error) {
		err = row.Scan(&u.Account, &u.At, &u.Requests, &u.Downloads, &u.Bytes)
		u.At = u.At.UTC()
		return u, err
	})
}

// AddUse adds to what was used; see auth.Accounts.
func (s *Store) AddUse(ctx context.Context, used []auth.Use, since time.Time) ([]auth.Use, error) {
	args := map[string]any{"since": since}
	var accounts []string
	var hours []time.Time
	var requests, downloads, bytes []int64
	for _, u := range used {
		accounts, hours = append(accounts, u.Account), append(hours, u.At)
		requests, downloads, bytes = append(requests, u.Requests), append(downloads, u.Downloads), append(bytes, u.Bytes)
	}
	args["accounts"], args["hours"], args["requests"], args["downloads"], args["bytes"] = accounts, hours, requests, downloads, bytes
	rows, err := s.pool.Query(ctx, addUseSQL, pgx.NamedArgs(args))
	if err != nil {
		return nil, failed("add use", err)
	}
	all, err := uses(rows)
	return all, failed("add use", err)
}

// Used returns what an account used since then, by hour, the oldest first; of days that are long gone by day.
func (s *Store) Used(ctx context.Context, account string, since time.Time) ([]auth.Use, error) {
	rows, err := s.pool.Query(ctx, "select account, at, requests, downloads, bytes from account_use where account = $1 and at >= $2 order by at", account, since.Add(-time.Hour))
	if err != nil {
		return nil, failed("used", err)
	}
	all, err := uses(rows)
	return all, failed("used", err)
}

// AddDownloads writes downloads down.
func (s *Store) AddDownloads(ctx context.Context, all []auth.Download) error {
	_, err := s.pool.CopyFrom(ctx, pgx.Identifier{"download"}, []string{"at", "account", "key", "collection", "item", "asset", "status", "requests", "bytes", "seconds"},
		pgx.CopyFromSlice(len(all), func(i int) ([]any, error) {
			d := all[i]
			return []any{d.At, d.Account, d.Key, d.Collection, d.Item, d.Asset, int16(d.Status), d.Requests, d.Bytes, d.Seconds}, nil
		}))
	return failed("add downloads", err)
}

// Downloads returns those of an account, the oldest first.
func (s *Store) Downloads(ctx context.Context, account string) ([]auth.Download, error) {
	rows, err := s.pool.Query(ctx, "select account, key, at, collection, item, asset, status, requests, bytes, seconds from download where account = $1 order by at", account)
	if err != nil {
		return nil, failed("downloads", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[auth.Download])
	for i := range all {
		all[i].At = all[i].At.UTC()
	}
	return all, failed("downloads", err)
}

// hoursKept is how long what was used is told by the hour.
const hoursKept = 31 * 24 * time.Hour

// Tidy makes one row a day of the hours that are long gone, and forgets downloads of more than thirteen months ago, and keys and sessions that have ended: a key after as long again as it
// was good, at most a month, so that one can still see what it was.
func (s *Store) Tidy(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, foldUseSQL, pgx.NamedArgs{"before": time.Now().UTC().Add(-hoursKept).Truncate(24 * time.Hour)})
	for _, sql := range []string{"delete from download where at < now() - interval '13 months'", "delete from account_key where expires < now() - least(interval '30 days', expires - created)", "delete from account_session where expires < now()"} {
		if err == nil {
			_, err = s.pool.Exec(ctx, sql)
		}
	}
	return failed("tidy", err)
}

// Privates returns what is private, and whom it is shown.
func (s *Store) Privates(ctx context.Context) (all []auth.Private, err error) {
	rows, err := s.pool.Query(ctx, privatesSQL)
	if err != nil {
		return nil, failed("privates", err)
	}
	var collection, account, role string
	_, err = pgx.ForEachRow(rows, []any{&collection, &account, &role}, func() error {
		if len(all) == 0 || all[len(all)-1].Collection != collection {
			all = append(all, auth.Private{Collection: collection})
		}
		if account == "" && role == "" {
			return nil
		}
		g := auth.Grant{Collection: collection, Account: account}
		last := &all[len(all)-1]
		err := g.Role.UnmarshalText([]byte(role))
		last.Grants = append(last.Grants, g)
		return err
	})
	return all, failed("privates", err)
}

// MakePrivate hides a collection from all but operators and those it is granted to. It need not be there yet.
func (s *Store) MakePrivate(ctx context.Context, collection string) error {
	_, err := s.pool.Exec(ctx, "insert into private_collection (collection) values ($1) on conflict do nothing", collection)
	return failed("make private", err)
}

// MakePublic shows a collection to all; its grants are gone.
func (s *Store) MakePublic(ctx context.Context, collection string) error {
	return s.changed(ctx, "make public", "private collection of this name", "delete from private_collection where collection = $1", collection)
}

// Grant shows a private collection to an account, or to a role and those above.
func (s *Store) Grant(ctx context.Context, g auth.Grant) error {
	_, err := s.pool.Exec(ctx, "insert into collection_grant (collection, account, role) values ($1, nullif($2, ''), nullif($3, 'nobody')) on conflict do nothing",
		g.Collection, g.Account, g.Role.String())
	if violates(err, foreignKeyViolation) {
		return s.changed(ctx, "grant", "private collection of this name", "select from private_collection where collection = $1", g.Collection)
	}
	return failed("grant", err)
}

// Withdraw takes a grant back.
func (s *Store) Withdraw(ctx context.Context, g auth.Grant) error {
	return s.changed(ctx, "withdraw", "such grant", "delete from collection_grant where collection = $1 and account is not distinct from nullif($2, '') and role is not distinct from nullif($3, 'nobody')",
		g.Collection, g.Account, g.Role.String())
}

// Secret returns what the servers of this installation share; the first that asks makes it.
func (s *Store) Secret(ctx context.Context) (secret []byte, err error) {
	fresh := make([]byte, 32)
	rand.Read(fresh) //nolint:errcheck // it never fails
	_, err = s.pool.Exec(ctx, "insert into account_secret (secret) values ($1) on conflict do nothing", fresh)
	if err == nil {
		err = s.pool.QueryRow(ctx, "select secret from account_secret").Scan(&secret)
	}
	return secret, failed("secret", err)
}

// Export returns all that is known of an account.
func (s *Store) Export(ctx context.Context, id string) ([]byte, error) {
	a, err := s.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	keys, err := s.Keys(ctx, id)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, "select account, created, expires from account_session where account = $1 order by created", id)
	if err != nil {
		return nil, failed("export", err)
	}
	sessions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n auth.Session, err error) {
		return n, row.Scan(&n.Account, &n.Created, &n.Expires)
	})
	if err != nil {
		return nil, failed("export", err)
	}
	used, err := s.Used(ctx, id, time.Time{}.Add(time.Hour))
	if err != nil {
		return nil, err
	}
	downloads, err := s.Downloads(ctx, id)
	if err != nil {
		return nil, err
	}
	rows, err = s.pool.Query(ctx, exportCartsSQL, id)
	if err != nil {
		return nil, failed("export", err)
	}
	carts, err := pgx.CollectRows(rows, pgx.RowTo[json.RawMessage])
	if err != nil {
		return nil, failed("export", err)
	}
	private, err := s.Privates(ctx)
	if err != nil {
		return nil, err
	}
	granted := []string{}
	for _, p := range private {
		for _, g := range p.Grants {
			if g.Account == id {
				granted = append(granted, p.Collection)
			}
		}
	}
	return json.MarshalIndent(map[string]any{"account": a, "keys": keys, "sessions": sessions, "use": used, "downloads": append([]auth.Download{}, downloads...),
		"collections": granted, "carts": append([]json.RawMessage{}, carts...)}, "", "  ")
}

// Erase forgets who an account was: name, address, password, identity, keys, sessions, grants and carts. What it used stays under its id.
func (s *Store) Erase(ctx context.Context, id string) error {
	return failed("erase", pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, sql := range []string{"delete from account_key where account = @id", "delete from account_session where account = @id", "delete from collection_grant where account = @id",
			"delete from cart where owner = @id"} {
			if _, err := tx.Exec(ctx, sql, pgx.NamedArgs{"id": id}); err != nil {
				return err
			}
		}
		tag, err := tx.Exec(ctx, eraseSQL, pgx.NamedArgs{"id": id})
		if err == nil && tag.RowsAffected() == 0 {
			return fault.New(fault.NotFound, "there is no account of this id")
		}
		return err
	}))
}
