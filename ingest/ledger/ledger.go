// Package ledger keeps in PostgreSQL what mirrors know of their hubs: a row for each row of a hub, by the hub's id, and how far each of
// the hub's lists was read.
//
//	            ┌──────────── modified ◀────────────┐
//	listed ─▶ wanted ─▶ fetched, catalogued ─▶ held ┤─▶ superseded: another row of the name was published later
//	            ├─▶ quarantined, tried again daily  └─▶ gone: deleted at the hub
//	            └─▶ offline, until the hub says that it is online
//
// A list's place moves in the transaction that stores the rows of the page, so that whoever is killed repeats a page and loses none.
package ledger

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
)

var (
	//go:embed sql/record.sql
	recordSQL string
	//go:embed sql/delete.sql
	deleteSQL string
	//go:embed sql/settle.sql
	settleSQL string
	//go:embed sql/orphans.sql
	orphansSQL string
	//go:embed sql/status.sql
	statusSQL string
	//go:embed sql/delays.sql
	delaysSQL string
)

// Reader looks at the ledger of a mirror, whoever keeps it. It is safe for concurrent use.
type Reader struct {
	pool   *pgxpool.Pool
	mirror string
}

// Ledger is that of one mirror, which it keeps. It is safe for concurrent use.
type Ledger struct {
	Reader
	Urgent time.Duration // products that were published so soon after their acquisition come first
	held   *pgxpool.Conn // holds the lock of the mirror
}

// Read opens the ledger of a mirror to look at it.
func Read(ctx context.Context, url, mirror string) (*Reader, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "not the address of a database")
	}
	return &Reader{pool, mirror}, nil
}

// Close ends it.
func (r *Reader) Close() { r.pool.Close() }

// patience is how long to wait for a mirror that another process keeps.
const patience = 2 * time.Second

// defaultUrgent is within what near-real-time products are published: Sentinel's come in three hours to a day, reprocessed ones years later.
const defaultUrgent = 3 * 24 * time.Hour

// lockSpace is the first half of the advisory locks of mirrors: "mirr" in ASCII.
const lockSpace = 0x6d697272

// Open takes the ledger of a mirror over: fault.Conflict when another process keeps it.
func Open(ctx context.Context, url, mirror string) (l *Ledger, err error) {
	r, err := Read(ctx, url, mirror)
	if err != nil {
		return nil, err
	}
	l = &Ledger{Reader: *r, Urgent: defaultUrgent}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	if l.held, err = l.pool.Acquire(ctx); err != nil {
		return l, unavailable(err)
	}
	for began := time.Now(); ; { // a process that was killed a moment ago may not have let it go yet
		var locked bool
		if err = l.held.QueryRow(ctx, "select pg_try_advisory_lock($1, hashtext($2))", lockSpace, mirror).Scan(&locked); err != nil {
			return l, unavailable(err)
		}
		if locked {
			return l, nil
		}
		if time.Since(began) > patience {
			return l, fault.New(fault.Conflict, "mirror %s is kept by another process", mirror)
		}
		if err = fetch.Pause(ctx, patience/20); err != nil {
			return l, err
		}
	}
}

// Close lets the mirror go.
func (l *Ledger) Close() {
	if l.held != nil {
		l.held.Conn().Close(context.Background()) //nolint:errcheck // the lock goes with the connection either way
		l.held.Release()
	}
	l.Reader.Close()
}

func unavailable(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "the ledger can't be reached")
}

// Cursor returns how far a list was read; zero: never.
func (l *Ledger) Cursor(ctx context.Context, by hub.Order) (at time.Time, err error) {
	err = l.pool.QueryRow(ctx, "select at from mirror_cursor where mirror = $1 and list = $2", l.mirror, by).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, nil
	}
	return at.UTC(), unavailable(err)
}

// The lists under which it is noted when days were swept; no hub has them.
const (
	sweptSome = "swept"
	sweptAll  = "swept all"
)

// Swept returns how long ago the latest days of acquisition were compared with the hub, and all of them; ages when they never were.
func (l *Ledger) Swept(ctx context.Context) (some, all time.Duration, err error) {
	const age = "select coalesce((select extract(epoch from now() - at) from mirror_cursor where mirror = $1 and list = $2), 1e9)::float8"
	for _, one := range []struct {
		list string
		into *time.Duration
	}{{sweptSome, &some}, {sweptAll, &all}} {
		var s float64
		if err := l.pool.QueryRow(ctx, age, l.mirror, one.list).Scan(&s); err != nil {
			return 0, 0, unavailable(err)
		}
		*one.into = time.Duration(s * float64(time.Second))
	}
	return some, all, nil
}

// NoteSwept notes that days were compared now, the latest or all.
func (l *Ledger) NoteSwept(ctx context.Context, all bool) error {
	lists := []string{sweptSome}
	if all {
		lists = append(lists, sweptAll)
	}
	_, err := l.pool.Exec(ctx, `insert into mirror_cursor select $1, list, now() from unnest($2::text[]) list
		on conflict (mirror, list) do update set at = excluded.at`, l.mirror, lists)
	return unavailable(err)
}

// aims are the lists under which it is noted what is wanted of the hub; no hub has them.
const aims = "aim "

// Aim notes what is wanted of the hub, in words that differ where that does. When it differs from what was wanted before, the lists will be read
// from their begin, for what they left out; what is here stays.
func (l *Ledger) Aim(ctx context.Context, wanted string) (changed bool, err error) {
	sum := sha256.Sum256([]byte(wanted))
	list := aims + hex.EncodeToString(sum[:8])
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "delete from mirror_cursor where mirror = $1 and starts_with(list, $2) and list <> $3", l.mirror, aims, list)
		if err != nil {
			return err
		}
		if changed = tag.RowsAffected() > 0; changed {
			if _, err = tx.Exec(ctx, "delete from mirror_cursor where mirror = $1 and list = any($2::text[])", l.mirror, []string{string(hub.ByPublication), string(hub.ByModification)}); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, "insert into mirror_cursor values ($1, $2, now()) on conflict do nothing", l.mirror, list)
		return err
	})
	return changed, unavailable(err)
}

// Record stores the rows of a page and, unless it is zero, moves the list's place up to a moment.
func (l *Ledger) Record(ctx context.Context, by hub.Order, page hub.Page, upTo time.Time) error {
	return unavailable(pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		var names []string
		if rows := distinct(page.Products); len(rows) > 0 {
			args := products(rows)
			args["mirror"], args["urgent"] = l.mirror, l.Urgent
			if _, err := tx.Exec(ctx, recordSQL, args); err != nil {
				return fmt.Errorf("record: %w", err)
			}
			names = args["names"].([]string)
		}
		if len(page.Deletions) > 0 {
			var ids, gone, causes []string
			var at []time.Time
			seen := map[string]bool{}
			for _, d := range page.Deletions {
				if !seen[d.ID] {
					seen[d.ID] = true
					ids, gone, at, causes = append(ids, clean(d.ID)), append(gone, clean(d.Name)), append(at, d.At), append(causes, clean(d.Cause))
				}
			}
			if _, err := tx.Exec(ctx, deleteSQL, pgx.NamedArgs{"mirror": l.mirror, "ids": ids, "names": gone, "at": at, "causes": causes, "known": page.KnownAlone}); err != nil {
				return fmt.Errorf("delete: %w", err)
			}
			names = append(names, gone...)
		}
		if len(names) > 0 {
			slices.Sort(names)
			if _, err := tx.Exec(ctx, settleSQL, pgx.NamedArgs{"mirror": l.mirror, "names": slices.Compact(names)}); err != nil {
				return fmt.Errorf("settle: %w", err)
			}
		}
		if upTo.IsZero() {
			return nil
		}
		_, err := tx.Exec(ctx, `insert into mirror_cursor as c values ($1, $2, $3)
			on conflict (mirror, list) do update set at = greatest(c.at, excluded.at) where c.at < excluded.at`, l.mirror, by, upTo)
		return err
	}))
}

// distinct keeps the newest row of each id: a page may have one twice.
func distinct(rows []hub.Product) []hub.Product {
	at := map[string]int{}
	var out []hub.Product
	for _, r := range rows {
		if i, twice := at[r.ID]; !twice {
			at[r.ID] = len(out)
			out = append(out, r)
		} else if !r.Modified.Before(out[i].Modified) {
			out[i] = r
		}
	}
	return out
}

func products(rows []hub.Product) pgx.NamedArgs {
	n := len(rows)
	ids, names, sums := make([]string, n), make([]string, n), make([]string, n)
	size, online := make([]int64, n), make([]bool, n)
	published, modified, acquired := make([]time.Time, n), make([]time.Time, n), make([]*time.Time, n)
	for i, r := range rows {
		ids[i], names[i], size[i], online[i], published[i], modified[i] = clean(r.ID), clean(r.Name), r.Bytes, r.Online, r.Published, r.Modified
		sums[i] = strings.Join(sumTexts(r.Checksums), " ")
		if !r.Acquired.IsZero() {
			acquired[i] = &r.Acquired
		}
	}
	return pgx.NamedArgs{"ids": ids, "names": names, "bytes": size, "checksums": sums, "published": published, "modified": modified, "acquired": acquired, "online": online}
}

// clean takes away what PostgreSQL can't store.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

func sumTexts(sums []fetch.Sum) []string {
	texts := make([]string, len(sums))
	for i, s := range sums {
		texts[i] = clean(strings.ReplaceAll(s.Algorithm+":"+s.Value, " ", ""))
	}
	return texts
}

// Entry is a product that waits to be fetched.
type Entry struct {
	hub.Product
	Tries int // that failed
}

// Due returns products that may be fetched now, the urgent ones and of these the newest first, but those that are left out.
func (l *Ledger) Due(ctx context.Context, n int, without []string) ([]Entry, error) {
	if without == nil {
		without = []string{} // a list that is null would leave out all
	}
	rows, err := l.pool.Query(ctx, `select id, name, bytes, checksums, published, modified, online, tries from mirror_product
		where mirror = $1 and state in ('wanted', 'quarantined') and next_try <= now() and not id = any($2) order by urgent desc, published desc limit $3`, l.mirror, without, n)
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (e Entry, err error) {
		var sums []string
		err = r.Scan(&e.ID, &e.Name, &e.Bytes, &sums, &e.Published, &e.Modified, &e.Online, &e.Tries)
		for _, text := range sums {
			algorithm, value, _ := strings.Cut(text, ":")
			e.Checksums = append(e.Checksums, fetch.Sum{Algorithm: algorithm, Value: value})
		}
		return e, err
	})
	return all, unavailable(err)
}

// Next returns when the next product that waits may be fetched, not counting those in quarantine; zero when none waits.
func (l *Ledger) Next(ctx context.Context) (at time.Time, err error) {
	var next *time.Time
	err = l.pool.QueryRow(ctx, "select min(next_try) from mirror_product where mirror = $1 and state = 'wanted'", l.mirror).Scan(&next)
	if next != nil {
		at = *next
	}
	return at, unavailable(err)
}

// Holding is what was fetched and became an item.
type Holding struct {
	Bytes            int64
	Checksums        []fetch.Sum // computed here
	Collection, Item string
}

// Held notes that a product, as it was listed when it was fetched, is in the catalog. If its row has changed meanwhile so that other bytes
// are wanted, it stays wanted.
func (l *Ledger) Held(ctx context.Context, p hub.Product, h Holding) error {
	_, err := l.pool.Exec(ctx, `update mirror_product m set
			state = case when m.state in ('wanted', 'offline', 'quarantined') and not (m.bytes > 0 and m.bytes <> $3 or exists (
				select 1 from unnest(m.checksums) e join unnest($4::text[]) h on split_part(e, ':', 1) = split_part(h, ':', 1) and e <> h)) then 'held' else m.state end,
			held_at = now(), held_bytes = $3, held_sums = $4, collection = $5, item = $6, tries = 0, reason = case when m.state = 'gone' then m.reason else '' end
		where mirror = $1 and id = $2`, l.mirror, p.ID, h.Bytes, sumTexts(h.Checksums), h.Collection, h.Item)
	return unavailable(err)
}

// Failed notes a failure, and when to try again; a product in quarantine is not waited for.
func (l *Ledger) Failed(ctx context.Context, id, reason string, again time.Duration, quarantine bool) error {
	_, err := l.pool.Exec(ctx, `update mirror_product set tries = tries + 1, reason = $3, next_try = now() + $4::interval,
			state = case when $5 then 'quarantined' else 'wanted' end
		where mirror = $1 and id = $2 and state in ('wanted', 'quarantined')`, l.mirror, id, clean(reason), again, quarantine)
	return unavailable(err)
}

// Await notes that a product is being brought from cold storage, and when to look again. It is no failure.
func (l *Ledger) Await(ctx context.Context, id, reason string, again time.Duration) error {
	_, err := l.pool.Exec(ctx, "update mirror_product set reason = $3, next_try = now() + $4::interval, state = 'wanted' where mirror = $1 and id = $2 and state in ('wanted', 'quarantined')",
		l.mirror, id, clean(reason), again)
	return unavailable(err)
}

// Offline notes that a product can't be had until the hub lists it as online, unless it does that by now.
func (l *Ledger) Offline(ctx context.Context, id, reason string) error {
	_, err := l.pool.Exec(ctx, "update mirror_product set reason = $3, tries = 0, state = 'offline' where mirror = $1 and id = $2 and state in ('wanted', 'quarantined') and not online",
		l.mirror, id, clean(reason))
	return unavailable(err)
}

// hints is the channel of PostgreSQL on which the names of mirrors are told whose hubs may have something new.
const hints = "swath_mirror"

// Hint tells whoever keeps the mirror that its hub may have something new.
func (r *Reader) Hint(ctx context.Context) error {
	_, err := r.pool.Exec(ctx, "select pg_notify($1, $2)", hints, r.mirror)
	return unavailable(err)
}

// Hints calls hint whenever somebody tells so, until the context ends or the database does.
func (r *Reader) Hints(ctx context.Context, hint func()) error {
	conn, err := r.pool.Acquire(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer func() { // it would go on listening
		conn.Conn().Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is given up
		conn.Release()
	}()
	if _, err := conn.Exec(ctx, "listen "+hints); err != nil {
		return unavailable(err)
	}
	for {
		told, err := conn.Conn().WaitForNotification(ctx)
		if err != nil {
			return unavailable(err)
		}
		if told.Payload == r.mirror {
			hint()
		}
	}
}

// Gone notes that a product is no longer at the hub although no list says so; when it left, nobody knows.
func (l *Ledger) Gone(ctx context.Context, id, name string) error {
	return l.Record(ctx, hub.ByDeletion, hub.Page{Deletions: []hub.Deletion{{ID: id, Name: name, At: time.Unix(0, 0), Cause: "not found at the hub"}}}, time.Time{})
}

// Orphan is an item whose product left the hub.
type Orphan struct {
	ID, Collection, Item string
	Kept                 bool // another product has the item
}

// Orphans returns some of them.
func (l *Ledger) Orphans(ctx context.Context) ([]Orphan, error) {
	rows, err := l.pool.Query(ctx, orphansSQL, pgx.NamedArgs{"mirror": l.mirror})
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Orphan])
	return all, unavailable(err)
}

// Removed notes that the item of a product that left the hub is dealt with.
func (l *Ledger) Removed(ctx context.Context, id string) error {
	_, err := l.pool.Exec(ctx, "update mirror_product set item = null, collection = null where mirror = $1 and id = $2 and state = 'gone'", l.mirror, id)
	return unavailable(err)
}

// Counted returns how many rows that live at the hub were acquired in a time, as far as the ledger knows.
func (l *Ledger) Counted(ctx context.Context, since, until time.Time) (n int64, err error) {
	err = l.pool.QueryRow(ctx, "select count(*) from mirror_product where mirror = $1 and acquired >= $2 and acquired < $3 and state <> 'gone'", l.mirror, since, until).Scan(&n)
	return n, unavailable(err)
}

// IDs returns those of the rows that live at the hub and were acquired in a time, as far as the ledger knows, with their names. No time is
// all of them.
func (l *Ledger) IDs(ctx context.Context, since, until time.Time) (names map[string]string, err error) {
	query, args := "select id, name from mirror_product where mirror = $1 and state <> 'gone'", []any{l.mirror}
	if !until.IsZero() {
		query, args = query+" and acquired >= $2 and acquired < $3", append(args, since, until)
	}
	rows, err := l.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, unavailable(err)
	}
	names = map[string]string{}
	var id, name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		names[id] = name
		return nil
	})
	return names, unavailable(err)
}

// Status is what a mirror has and what it waits for.
type Status struct {
	Wanted       int64      `json:"wanted"`
	Offline      int64      `json:"offline"`
	Held         int64      `json:"held"`
	Superseded   int64      `json:"superseded"`
	Quarantined  int64      `json:"quarantined"`
	Gone         int64      `json:"gone"`
	WantedBytes  int64      `json:"wanted_bytes"`
	HeldBytes    int64      `json:"held_bytes"`
	OldestWanted *time.Time `json:"oldest_wanted"` // publication
	NewestHeld   *time.Time `json:"newest_held"`
}

// Status counts.
func (r *Reader) Status(ctx context.Context) (s Status, err error) {
	err = r.pool.QueryRow(ctx, statusSQL, pgx.NamedArgs{"mirror": r.mirror}).Scan(&s.Wanted, &s.Offline, &s.Held, &s.Superseded, &s.Quarantined, &s.Gone, &s.WantedBytes, &s.HeldBytes, &s.OldestWanted, &s.NewestHeld)
	return s, unavailable(err)
}

// Delays returns how many of the products of the last 30 days could be searched at most so many hours after the hub published them.
func (r *Reader) Delays(ctx context.Context, hours ...int) (products []int64, err error) {
	rows, err := r.pool.Query(ctx, delaysSQL, pgx.NamedArgs{"mirror": r.mirror, "hours": hours})
	if err != nil {
		return nil, unavailable(err)
	}
	var upTo int
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&upTo, &n}, func() error {
		products = append(products, n)
		return nil
	})
	return products, unavailable(err)
}

// Trouble is a product that could not be mirrored.
type Trouble struct {
	Name        string    `json:"name"`
	Reason      string    `json:"reason"`
	Quarantined bool      `json:"quarantined"`
	Tries       int       `json:"tries"`
	NextTry     time.Time `json:"next_try"`
}

// Troubles returns the products that failed, the newest first.
func (r *Reader) Troubles(ctx context.Context, n int) ([]Trouble, error) {
	rows, err := r.pool.Query(ctx, `select name, reason, state = 'quarantined', tries, next_try from mirror_product
		where mirror = $1 and state in ('wanted', 'quarantined') and tries > 0 order by published desc limit $2`, r.mirror, n)
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Trouble])
	return all, unavailable(err)
}
