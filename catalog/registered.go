package catalog

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
)

//go:embed sql/register_search.sql
var registerSearchSQL string

// mostRegistered bounds the searches that are kept: anybody may register one.
const mostRegistered = 100_000

// RegisterSearch keeps a search under its id; what is there stays.
func (s *Store) RegisterSearch(ctx context.Context, r stac.RegisteredSearch) error {
	return s.writing(ctx, "register search", func(conn *pgxpool.Conn) error {
		var kept bool
		if err := conn.QueryRow(ctx, registerSearchSQL, r.ID, string(r.Body), mostRegistered).Scan(&kept); err != nil {
			return err
		}
		if !kept { // or somebody was faster, whom the statement could not see
			if err := conn.QueryRow(ctx, "select exists (select from registered_search where id = $1)", r.ID).Scan(&kept); err != nil {
				return err
			}
		}
		if !kept {
			return fault.New(fault.Unavailable, "%d searches are registered, which is the most", mostRegistered)
		}
		return nil
	})
}

// RegisteredSearch returns one, or fault.NotFound.
func (s *Store) RegisteredSearch(ctx context.Context, id string) (r stac.RegisteredSearch, err error) {
	var body string
	err = s.reading(ctx, "registered search", func(conn *pgxpool.Conn) error {
		err := conn.QueryRow(ctx, "select id, body, at from registered_search where id = $1", id).Scan(&r.ID, &body, &r.At)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && namesHidden(stac.ScopeOf(ctx), body) {
			r, body = stac.RegisteredSearch{}, ""
			return fault.New(fault.NotFound, "no search %.80q is registered", id)
		}
		return err
	})
	r.Body = []byte(body)
	return r, err
}

// RegisteredSearches returns those behind an id, in the order of their ids.
func (s *Store) RegisteredSearches(ctx context.Context, after string, limit int) (all []stac.RegisteredSearch, err error) {
	for scope := stac.ScopeOf(ctx); ; {
		page, err := s.registeredAfter(ctx, after, limit)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if after = r.ID; !namesHidden(scope, string(r.Body)) && len(all) < limit {
				all = append(all, r)
			}
		}
		if len(all) >= limit || len(page) < limit {
			return all, nil
		}
	}
}

// namesHidden reports whether a registered search speaks of a collection that a scope hides: then it is hidden as well.
func namesHidden(scope stac.Scope, body string) bool {
	return slices.ContainsFunc(scope.Hidden(), func(name string) bool {
		quoted, _ := json.Marshal(name) // a text: it can't fail
		return strings.Contains(body, string(quoted)) || strings.Contains(body, "'"+strings.Trim(string(quoted), `"`)+"'")
	})
}

func (s *Store) registeredAfter(ctx context.Context, after string, limit int) (all []stac.RegisteredSearch, err error) {
	err = s.reading(ctx, "registered searches", func(conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, "select id, body, at from registered_search where id > $1 order by id limit $2", after, limit)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r stac.RegisteredSearch, err error) {
			var body string
			err = row.Scan(&r.ID, &body, &r.At)
			r.Body = []byte(body)
			return r, err
		})
		return err
	})
	return all, err
}
