// Package store keeps accounts in PostgreSQL: the tables of migration 0011.
//
//	auth.Keeper ─▶ account, account_key, account_session   who it is
//	            ─▶ private_collection, collection_grant    which collections only some may know of
//	            ◀▶ account_use                             what was really sent
//
// Secrets come in and stay as sums. Every answer is one statement, by an index.
package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/auth"
	"swath/fault"
)

// mostConns is few: a server asks once in half a minute for each who asks it.
const mostConns = 3

// Store is the accounts in one database, whose schema is up to date. It is safe for concurrent use.
type Store struct{ pool *pgxpool.Pool }

var _ auth.Accounts = (*Store)(nil)

// Open connects when it is first asked.
func Open(ctx context.Context, url string) (*Store, error) {
	conf, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "not the address of a database")
	}
	conf.MaxConns = mostConns
	conf.ConnConfig.RuntimeParams["application_name"] = "swath accounts"
	conf.ConnConfig.RuntimeParams["statement_timeout"] = "10000"
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, failed("open", err)
	}
	return &Store{pool}, nil
}

// Close ends all connections.
func (s *Store) Close() { s.pool.Close() }

// failed says what was being done, and that the database is to blame where it is.
func failed(doing string, err error) error {
	if known := (*fault.Error)(nil); err == nil || errors.As(err, &known) {
		return err
	}
	if sql := (*pgconn.PgError)(nil); errors.As(err, &sql) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("accounts: %s: %w", doing, err)
	}
	return fault.Wrap(fault.Unavailable, err, "the accounts can't be reached")
}

// violates reports whether a statement failed by a constraint of this kind (PostgreSQL's manual, appendix A).
func violates(err error, code string) bool {
	sql := (*pgconn.PgError)(nil)
	return errors.As(err, &sql) && sql.Code == code
}

const (
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
)

// changed runs a statement that must change something: else the thing is fault.NotFound.
func (s *Store) changed(ctx context.Context, doing, what, sql string, args ...any) error {
	tag, err := s.pool.Exec(ctx, sql, args...)
	if err == nil && tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "there is no %s", what)
	}
	return failed(doing, err)
}

const accountColumns = "a.id, a.name, a.role, a.password, a.issuer, a.subject, a.email, a.country, a.quotas, a.disabled, a.created, a.seen, a.erased"

// targets are where the columns of an account go.
func targets(a *auth.Account, role *string) []any {
	return []any{&a.ID, &a.Name, role, &a.Password, &a.Issuer, &a.Subject, &a.Email, &a.Country, &a.Quotas, &a.Disabled, &a.Created, &a.Seen, &a.Erased}
}

// account reads one, and what stands behind it in the row.
func account(row pgx.Row, what string, also ...any) (a auth.Account, err error) {
	var role string
	err = row.Scan(append(targets(&a, &role), also...)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, fault.New(fault.NotFound, "there is no %s", what)
	} else if err != nil {
		return a, failed("account", err)
	}
	a.Role, err = auth.ParseRole(role)
	return a, err
}

// Account returns one by its id.
func (s *Store) Account(ctx context.Context, id string) (auth.Account, error) {
	return account(s.pool.QueryRow(ctx, "select "+accountColumns+" from account a where id = $1", id), "account of this id")
}

// AccountNamed returns one by what is signed in with.
func (s *Store) AccountNamed(ctx context.Context, name string) (auth.Account, error) {
	return account(s.pool.QueryRow(ctx, "select "+accountColumns+" from account a where name = $1", name), fmt.Sprintf("account %.100q", name))
}

// Accounts returns all, by name.
func (s *Store) Accounts(ctx context.Context) ([]auth.Account, error) {
	rows, err := s.pool.Query(ctx, "select "+accountColumns+" from account a order by name")
	if err != nil {
		return nil, failed("accounts", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.Account, error) { return account(row, "account") })
	return all, failed("accounts", err)
}

// AddAccount makes one; its id and when it was made are filled in. Fault.Conflict when the name is taken.
func (s *Store) AddAccount(ctx context.Context, a auth.Account) (auth.Account, error) {
	a.ID = auth.NewID()
	err := s.pool.QueryRow(ctx, "insert into account (id, name, role, password, email, country, quotas) values ($1, $2, $3, $4, $5, $6, $7) returning created",
		a.ID, a.Name, a.Role.String(), a.Password, a.Email, a.Country, a.Quotas).Scan(&a.Created)
	if violates(err, uniqueViolation) {
		return a, fault.New(fault.Conflict, "there is an account %q already", a.Name)
	}
	return a, failed("add account", err)
}

// ChangeAccount stores role, password, quotas and whether it is disabled. An account that is disabled or has another password is signed out.
func (s *Store) ChangeAccount(ctx context.Context, a auth.Account) error {
	return s.changed(ctx, "change account", fmt.Sprintf("account %.100q", a.Name),
		`with before as (select password from account where id = $1),
		changed as (update account set role = $2, password = $3, quotas = $4, disabled = $5 where id = $1 and erased is null returning id),
		out as (delete from account_session using changed, before where account = id and ($5 or $3 <> before.password)) select from changed`,
		a.ID, a.Role.String(), a.Password, a.Quotas, a.Disabled)
}
