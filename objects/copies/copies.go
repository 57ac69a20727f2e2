// Package copies keeps in PostgreSQL what is known of objects that have a copy in an archive: where their bytes are, who asked for
// them, and how far that has come.
//
//	cold ─▶ queued ─▶ restoring ─▶ verifying ─▶ online ─▶ evicting ─▶ cold
//	          ▲ └──────── failed ◀────┘ │                    └─▶ queued: somebody asked meanwhile
//	          └──────────────┘          └─▶ unavailable, when it failed too often
//
// One row for each copy. A move is one statement that names the state and the version that were seen, so that of two who move one
// wins; each order for a copy makes another version, too. No clock but the database's decides anything.
package copies

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
)

var (
	//go:embed sql/move.sql
	moveSQL string
	//go:embed sql/waiting.sql
	waitingSQL string
	//go:embed sql/room.sql
	roomSQL string
	//go:embed sql/victims.sql
	victimsSQL string
	//go:embed sql/pin.sql
	pinSQL string
	//go:embed sql/item.sql
	itemSQL string
	//go:embed sql/pace.sql
	paceSQL string
)

// State is where a copy stands.
type State string

// The states.
const (
	Cold        State = "cold"        // in the archive alone
	Queued      State = "queued"      // somebody waits for it
	Restoring   State = "restoring"   // the archive was asked for it
	Verifying   State = "verifying"   // its bytes came and are compared with their checksum
	Online      State = "online"      // may be read
	Evicting    State = "evicting"    // its bytes are given up
	Failed      State = "failed"      // is tried again after a while
	Unavailable State = "unavailable" // failed too often; an operator has to look
)

// States lists all of them.
var States = []State{Cold, Queued, Restoring, Verifying, Online, Evicting, Failed, Unavailable}

// next are the moves there are.
var next = map[State][]State{
	Cold:        {Queued},
	Queued:      {Restoring, Cold},
	Restoring:   {Verifying, Failed, Unavailable, Cold},
	Verifying:   {Online, Failed, Unavailable},
	Online:      {Evicting},
	Evicting:    {Cold, Queued},
	Failed:      {Queued, Cold},
	Unavailable: {Queued, Cold},
}

// Copy is one copy as it was seen.
type Copy struct {
	Key              string
	Collection, Item string
	Bytes            int64
	SHA256           string
	ContentType      string
	Modified         time.Time
	State            State
	Version          int64
	Volume           string // the tape; empty: not said
	Place            int64  // on it
	Tries            int
	Reason           string // of the last failure
}

// Store is the table of copies. It is safe for concurrent use.
type Store struct {
	Notices bool // somebody is told of orders that are made from now on, when they are complete
	pool    *pgxpool.Pool
	known   known
}

// Open connects. Watch makes MayHave quick and keeps it up to date.
func Open(ctx context.Context, url string) (*Store, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "not the address of a database")
	}
	return &Store{pool: pool}, nil
}

// Close ends it.
func (s *Store) Close() { s.pool.Close() }

func unavailable(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "the table of archived copies can't be reached")
}

// Add notes copies whose bytes the archive has and the store may give up: they begin as Evicting, and take no room of the buffer. What is
// known already stays as it is.
func (s *Store) Add(ctx context.Context, all []Copy, state State) error {
	return unavailable(pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, c := range all {
			_, err := tx.Exec(ctx, `insert into copy (key, collection, item, bytes, sha256, content_type, modified, state, volume, place)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (key) do update set volume = excluded.volume, place = excluded.place`,
				c.Key, c.Collection, c.Item, c.Bytes, c.SHA256, c.ContentType, c.Modified, state, c.Volume, c.Place)
			if err != nil {
				return fmt.Errorf("add %s: %w", c.Key, err)
			}
			s.known.add(c.Collection, c.Item)
		}
		return nil
	}))
}

// Remove forgets a copy, and what waits for it.
func (s *Store) Remove(ctx context.Context, key string) error {
	_, err := s.pool.Exec(ctx, "delete from copy where key = $1", key)
	return unavailable(err)
}

const columns = "key, collection, item, bytes, sha256, content_type, modified, state, version, volume, place, tries, reason"

func scan(r pgx.CollectableRow) (c Copy, err error) {
	err = r.Scan(&c.Key, &c.Collection, &c.Item, &c.Bytes, &c.SHA256, &c.ContentType, &c.Modified, &c.State, &c.Version, &c.Volume, &c.Place, &c.Tries, &c.Reason)
	return c, err
}

func (s *Store) collect(ctx context.Context, sql string, args ...any) ([]Copy, error) {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, scan)
	return all, unavailable(err)
}

// Get returns a copy; fault.NotFound when the archive is not known to have one.
func (s *Store) Get(ctx context.Context, key string) (Copy, error) {
	all, err := s.collect(ctx, "select "+columns+" from copy where key = $1", key)
	if err == nil && len(all) == 0 {
		err = fault.New(fault.NotFound, "object %q has no copy in the archive", key)
	}
	if err != nil {
		return Copy{}, err
	}
	return all[0], nil
}

// In returns copies in a state whose next try has come, by key: at most so many behind one.
func (s *Store) In(ctx context.Context, state State, behind string, most int) ([]Copy, error) {
	return s.collect(ctx, "select "+columns+" from copy where state = $1 and next_try <= now() and key > $2 order by key limit $3", state, behind, most)
}

// Stale returns the copies that are being restored for longer than that.
func (s *Store) Stale(ctx context.Context, longer time.Duration) ([]Copy, error) {
	return s.collect(ctx, "select "+columns+" from copy where state = 'restoring' and restoring_at < now() - $1::interval", longer)
}

// Unwanted returns copies on their way that nobody waits for any more.
func (s *Store) Unwanted(ctx context.Context) ([]Copy, error) {
	return s.collect(ctx, "select "+columns+" from copy c where state in ('queued', 'restoring', 'failed') and not exists (select from stage_request r where r.key = c.key and r.outcome = 'open')")
}

// Change is what else a move notes.
type Change struct {
	Reason string        // of a failure
	After  time.Duration // a failure is tried again after; a copy that is online stays for
}

// Move moves a copy, if it still is as it was seen, and reports whether it did. Going online serves who waits for it.
func (s *Store) Move(ctx context.Context, c Copy, to State, how Change) (moved bool, err error) {
	if !slices.Contains(next[c.State], to) {
		return false, fmt.Errorf("copies: there is no move from %s to %s", c.State, to)
	}
	var n int
	err = s.pool.QueryRow(ctx, moveSQL, pgx.NamedArgs{"key": c.Key, "version": c.Version, "state": c.State, "target": string(to),
		"reason": strings.ReplaceAll(strings.ToValidUTF8(how.Reason, "\uFFFD"), "\x00", ""), "after": how.After}).Scan(&n)
	if err != nil {
		return false, unavailable(fmt.Errorf("move of %s to %s: %w", c.Key, to, err))
	}
	return n == 1, nil
}

// Asked is a queued copy with one of the users who wait for it.
type Asked struct {
	Owner, Lane string
	Copy
}

// Waiting returns the queued copies, each with its users: the first so many of every user.
func (s *Store) Waiting(ctx context.Context, most int) ([]Asked, error) {
	rows, err := s.pool.Query(ctx, waitingSQL, pgx.NamedArgs{"most": most})
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (a Asked, err error) {
		a.State = Queued
		err = r.Scan(&a.Owner, &a.Lane, &a.Key, &a.Bytes, &a.Volume, &a.Place, &a.Version, &a.Tries)
		return a, err
	})
	return all, unavailable(err)
}

// QueuedSince reports whether so many copies are queued, or one for so long.
func (s *Store) QueuedSince(ctx context.Context, many int, longer time.Duration) (yes bool, err error) {
	err = s.pool.QueryRow(ctx, "select count(*) >= $1 or coalesce(bool_or(queued_at <= now() - $2::interval), false) from copy where state = 'queued'", many, longer).Scan(&yes)
	return yes, unavailable(err)
}

// Served returns the bytes that each user was served in the last day.
func (s *Store) Served(ctx context.Context) (map[string]int64, error) {
	rows, err := s.pool.Query(ctx, "select owner, sum(bytes)::bigint from stage_request where outcome = 'served' and done_at > now() - interval '1 day' group by owner")
	if err != nil {
		return nil, unavailable(err)
	}
	served := map[string]int64{}
	var owner string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&owner, &n}, func() error {
		served[owner] = n
		return nil
	})
	return served, unavailable(err)
}

// Room is what the buffer holds.
type Room struct {
	Used  int64 // bytes on their way, online, and not yet given up
	Going int64 // of them being given up
}

// Room counts.
func (s *Store) Room(ctx context.Context) (r Room, err error) {
	err = s.pool.QueryRow(ctx, roomSQL).Scan(&r.Used, &r.Going)
	return r, unavailable(err)
}

// Victim is an online copy that may be given up.
type Victim struct {
	Copy
	Expired bool
}

// Victims returns copies that may be given up, the first first: the expired ones, and when the buffer is pressed others that have been
// online for least.
func (s *Store) Victims(ctx context.Context, pressed bool, least time.Duration, most int) ([]Victim, error) {
	rows, err := s.pool.Query(ctx, victimsSQL, pgx.NamedArgs{"pressed": pressed, "least": least, "most": most})
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (v Victim, err error) {
		v.State = Online
		err = r.Scan(&v.Key, &v.Bytes, &v.Version, &v.Expired)
		return v, err
	})
	return all, unavailable(err)
}

// Pin keeps a copy online for a while if it is, and says what it is: Online only when it was kept.
func (s *Store) Pin(ctx context.Context, key string, while time.Duration) (c Copy, err error) {
	err = s.pool.QueryRow(ctx, pinSQL, pgx.NamedArgs{"key": key, "while": while}).Scan(&c.Key, &c.Bytes, &c.SHA256, &c.ContentType, &c.Modified, &c.State, &c.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, fault.New(fault.NotFound, "object %q has no copy in the archive", key)
	}
	return c, unavailable(err)
}

// PinAll keeps copies that are online for a while longer.
func (s *Store) PinAll(ctx context.Context, keys []string, while time.Duration) error {
	_, err := s.pool.Exec(ctx, "update copy set pinned_until = greatest(pinned_until, now() + $2::interval), read_at = now() where key = any($1) and state = 'online'", keys, while)
	return unavailable(err)
}

// OfItem is a copy as an item's asset tells of it.
type OfItem struct {
	Collection, Item, Key string
	State                 State
	Expires               *time.Time
	Order                 string // of this user, which waits for it; empty: none
}

// OfItems returns the copies of items, for a user who may have ordered some.
func (s *Store) OfItems(ctx context.Context, owner string, collections, items []string) ([]OfItem, error) {
	rows, err := s.pool.Query(ctx, itemSQL, pgx.NamedArgs{"owner": owner, "collections": collections, "items": items})
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[OfItem])
	return all, unavailable(err)
}

// Pace is how quick the archive is.
type Pace struct {
	RestoreS  float64 // seconds that a restore took of late; negative: not known
	HourBytes float64 // that came in the last hour
	Queued    int64   // files
}

// Pace measures.
func (s *Store) Pace(ctx context.Context) (p Pace, err error) {
	err = s.pool.QueryRow(ctx, paceSQL).Scan(&p.RestoreS, &p.HourBytes, &p.Queued)
	return p, unavailable(err)
}

// Retry lets copies that were given up be ordered again, and returns how many.
func (s *Store) Retry(ctx context.Context) (int64, error) {
	tag, err := s.pool.Exec(ctx, "update copy set state = 'cold', version = version + 1, tries = 0, reason = '' where state = 'unavailable'")
	return tag.RowsAffected(), unavailable(err)
}

// Trouble is a copy whose restore failed.
type Trouble struct {
	Key    string `json:"object"`
	State  State  `json:"state"`
	Tries  int    `json:"tries"`
	Reason string `json:"reason"`
}

// Troubles returns the copies whose restore failed, by key.
func (s *Store) Troubles(ctx context.Context, most int) ([]Trouble, error) {
	rows, err := s.pool.Query(ctx, "select key, state, tries, reason from copy where state in ('failed', 'unavailable') order by key limit $1", most)
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Trouble])
	return all, unavailable(err)
}
