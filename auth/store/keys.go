package store

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"swath/auth"
	"swath/fault"
)

//go:embed sql/account_of.sql
var accountOfSQL string

const keyColumns = "k.id, k.account, k.name, k.role, k.created, k.expires, k.used, k.revoked, k.digest"

func keyTargets(k *auth.Key, role *string) []any {
	return []any{&k.ID, &k.Account, &k.Name, role, &k.Created, &k.Expires, &k.Used, &k.Revoked, &k.Digest}
}

// AccountWithKey returns the account of a key, and notes that it is used today.
func (s *Store) AccountWithKey(ctx context.Context, id string) (a auth.Account, k auth.Key, err error) {
	var role string
	a, err = account(s.pool.QueryRow(ctx, "select "+accountColumns+", "+keyColumns+" from account_key k join account a on a.id = k.account where k.id = $1", id),
		"key of this id", keyTargets(&k, &role)...)
	if err != nil {
		return a, k, err
	}
	if err := k.Role.UnmarshalText([]byte(role)); err != nil {
		return a, k, err
	}
	if today := time.Now().UTC().Truncate(24 * time.Hour); k.Used == nil || k.Used.Before(today) {
		_, err = s.pool.Exec(ctx, "update account_key set used = $2 where id = $1", id, today)
	}
	return a, k, failed("note use of a key", err)
}

// Keys returns those of one account, or of all (""), the newest first.
func (s *Store) Keys(ctx context.Context, account string) ([]auth.Key, error) {
	rows, err := s.pool.Query(ctx, "select "+keyColumns+" from account_key k where $1 in (account, '') order by created desc, id", account)
	if err != nil {
		return nil, failed("keys", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k auth.Key, err error) {
		var role string
		if err := row.Scan(keyTargets(&k, &role)...); err != nil {
			return k, err
		}
		return k, k.Role.UnmarshalText([]byte(role))
	})
	return all, failed("keys", err)
}

// AddKey keeps a key of auth.NewKey; when it was made is filled in.
func (s *Store) AddKey(ctx context.Context, k auth.Key) (auth.Key, error) {
	role := ""
	if k.Role != auth.Nobody {
		role = k.Role.String()
	}
	err := s.pool.QueryRow(ctx, "insert into account_key (id, account, name, digest, role, expires) values ($1, $2, $3, $4, $5, $6) returning created",
		k.ID, k.Account, k.Name, k.Digest, role, k.Expires).Scan(&k.Created)
	if violates(err, foreignKeyViolation) {
		return k, fault.New(fault.NotFound, "there is no account of this id")
	}
	return k, failed("add key", err)
}

// RevokeKey ends a key for good.
func (s *Store) RevokeKey(ctx context.Context, id string) error {
	return s.changed(ctx, "revoke key", fmt.Sprintf("key %.40q", id), "update account_key set revoked = coalesce(revoked, now()) where id = $1", id)
}

// AccountWithSession returns the account of a cookie.
func (s *Store) AccountWithSession(ctx context.Context, digest []byte) (a auth.Account, n auth.Session, err error) {
	a, err = account(s.pool.QueryRow(ctx, "select "+accountColumns+", n.digest, n.account, n.created, n.expires from account_session n join account a on a.id = n.account where n.digest = $1", digest),
		"session of this cookie", &n.Digest, &n.Account, &n.Created, &n.Expires)
	return a, n, err
}

// AddSession keeps a session, and drops those that have ended.
func (s *Store) AddSession(ctx context.Context, n auth.Session) error {
	_, err := s.pool.Exec(ctx, `with ended as (delete from account_session where expires < now())
		insert into account_session (digest, account, expires) values ($1, $2, $3)`, n.Digest, n.Account, n.Expires)
	return failed("add session", err)
}

// EndSession signs a browser out.
func (s *Store) EndSession(ctx context.Context, digest []byte) error {
	_, err := s.pool.Exec(ctx, "delete from account_session where digest = $1", digest)
	return failed("end session", err)
}

// AccountOf returns the account of an identity; see auth.Accounts.
func (s *Store) AccountOf(ctx context.Context, who auth.Identity, otherwise auth.Role) (auth.Account, error) {
	role, id := "", auth.NewID()
	if who.Role != auth.Nobody {
		role = who.Role.String()
	}
	name := who.Name
	if name == "" {
		name = who.Subject
	}
	known, err := account(s.pool.QueryRow(ctx, "select "+accountColumns+" from account a where issuer = $1 and subject = $2 and subject <> ''", who.Issuer, who.Subject), "account of this identity")
	if err == nil && known.Email == who.Email && (who.Country == "" || known.Country == who.Country) && (who.Role == auth.Nobody || known.Role == who.Role) {
		return known, nil // the usual case writes nothing
	} else if err != nil && !fault.Is(err, fault.NotFound) {
		return known, err
	}
	args := pgx.NamedArgs{"id": id, "name": name, "othername": name + "-" + id[:6], "role": role, "otherwise": otherwise.String(),
		"issuer": who.Issuer, "subject": who.Subject, "email": who.Email, "country": who.Country}
	known, err = account(s.pool.QueryRow(ctx, accountOfSQL, args), "account of this identity")
	if violates(err, uniqueViolation) { // somebody of the same name came at the same moment, whom the statement could not see
		known, err = account(s.pool.QueryRow(ctx, accountOfSQL, args), "account of this identity")
	}
	return known, err
}
