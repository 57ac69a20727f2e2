package copies

import (
	"context"
	"crypto/rand"
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
	//go:embed sql/order_keys.sql
	orderKeysSQL string
	//go:embed sql/orders.sql
	ordersSQL string
	//go:embed sql/quota.sql
	quotaSQL string
)

// The lanes: each has its share of every batch.
const (
	LaneUser     = "user"
	LaneOperator = "operator"
	LaneIngest   = "ingest"
)

// File is one file that is ordered: an object, and the asset that it is of its item.
type File struct{ Key, Asset string }

// Quota is what one user may have waiting, and what may be brought for one in a day; zero is any.
type Quota struct {
	Files    int
	Bytes    int64
	DayBytes int64 // waiting, or brought in the last 24 hours
}

// Asking is an order to be made.
type Asking struct {
	Owner  string // '': nobody's name is known
	Lane   string
	Files  []File
	Single bool          // asking for one file again joins the order that waits for it
	Quota  Quota         // of the owner
	Most   int64         // bytes that one file may have, which is the whole buffer; 0: any
	Stay   time.Duration // at least, of what is online already
}

// Order is an order as it stands.
type Order struct {
	ID          string
	Owner, Lane string
	Created     time.Time
	Files       int
	Bytes       int64
	Open        int // files that are waited for
	Served      int
	Failed      int
	Canceled    int
	Shipping    int // of the open ones, on their way
	Done        *time.Time
}

// Status says it in the words of STAC's order extension.
func (o Order) Status() string {
	switch {
	case o.Shipping > 0:
		return "shipping"
	case o.Open > 0:
		return "ordered"
	case o.Canceled > 0:
		return "canceled"
	case o.Failed > 0:
		return "failed"
	}
	return "succeeded"
}

// ownerSpace is the first half of the advisory locks of owners, whose orders are made one after the other: "ordr" in ASCII.
const ownerSpace = 0x6f726472

// Order makes an order, and returns its id. Files that are online are served at once; cold ones go to the queue. Fault.NotFound when a
// file has no copy, fault.OverQuota when the owner has more waiting than the quota allows, fault.TooLarge when a file can't be brought.
func (s *Store) Order(ctx context.Context, a Asking) (id string, err error) {
	if a.Single {
		if id, err := s.joined(ctx, a); err != nil || id != "" {
			return id, err
		}
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		id, err = s.order(ctx, tx, a)
		return err
	})
	return id, unavailable(err)
}

// joined returns the order that waits for the one file already.
func (s *Store) joined(ctx context.Context, a Asking) (id string, err error) {
	err = s.pool.QueryRow(ctx, `select o.id from stage_request r join stage_order o on o.id = r.order_id
		where r.key = $1 and r.outcome = 'open' and r.owner = $2 and r.lane = $3 and o.single order by o.created_at limit 1`, a.Files[0].Key, a.Owner, a.Lane).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return id, unavailable(err)
}

func (s *Store) order(ctx context.Context, tx pgx.Tx, a Asking) (id string, err error) {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock($1, hashtext($2))", ownerSpace, a.Owner); err != nil {
		return "", err
	}
	if a.Single { // somebody may have been faster
		err := tx.QueryRow(ctx, `select o.id from stage_request r join stage_order o on o.id = r.order_id
			where r.key = $1 and r.outcome = 'open' and r.owner = $2 and r.lane = $3 and o.single limit 1`, a.Files[0].Key, a.Owner, a.Lane).Scan(&id)
		if err == nil || !errors.Is(err, pgx.ErrNoRows) {
			return id, err
		}
	}
	keys, assets := make([]string, len(a.Files)), map[string]string{}
	for i, f := range a.Files {
		keys[i], assets[f.Key] = f.Key, f.Asset
	}
	found, err := locked(ctx, tx, keys)
	if err != nil {
		return "", err
	}
	var waiting Quota
	var open, online []string
	for _, f := range a.Files {
		c, ok := found[f.Key]
		switch {
		case !ok:
			return "", fault.New(fault.NotFound, "asset %q has no copy in the archive", f.Asset)
		case c.State == Unavailable:
			return "", fault.New(fault.Unavailable, "the archive failed to bring asset %q again and again: its operators have to look", f.Asset)
		case a.Most > 0 && c.Bytes > a.Most:
			return "", fault.New(fault.TooLarge, "asset %q has %d bytes, and there is only room for %d", f.Asset, c.Bytes, a.Most)
		case c.State == Online:
			online = append(online, f.Key)
		default:
			open = append(open, f.Key)
			waiting.Files++
			waiting.Bytes += c.Bytes
		}
	}
	if err := within(ctx, tx, a, waiting); err != nil {
		return "", err
	}
	id = strings.ToLower(rand.Text())
	if _, err := tx.Exec(ctx, "insert into stage_order (id, owner, lane, single, notice_next) values ($1, $2, $3, $4, case when $5 then now() end)", id, a.Owner, a.Lane, a.Single, s.Notices); err != nil {
		return "", err
	}
	var all []string
	for key := range found {
		all = append(all, key)
	}
	slices.Sort(all)
	names := make([]string, len(all))
	for i, key := range all {
		names[i] = assets[key]
	}
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{`insert into stage_request (order_id, key, asset, owner, lane, bytes, outcome, done_at)
			select $1, c.key, w.asset, $2, $3, c.bytes, case when c.state = 'online' then 'served' else 'open' end, case when c.state = 'online' then now() end
			from unnest($4::text[], $5::text[]) as w(key, asset) join copy c using (key)`, []any{id, a.Owner, a.Lane, all, names}},
		// Whoever is about to move one of these has seen another version.
		{`update copy set version = version + 1, state = case when state = 'cold' then 'queued' else state end,
			queued_at = case when state = 'cold' then now() else queued_at end, tries = case when state = 'cold' then 0 else tries end where key = any($1)`, []any{open}},
		{"update copy set version = version + 1, expires_at = greatest(expires_at, now() + $2::interval) where key = any($1)", []any{online, a.Stay}},
	} {
		if _, err := tx.Exec(ctx, step.sql, step.args...); err != nil {
			return "", err
		}
	}
	return id, nil
}

// locked locks copies in the order of their keys.
func locked(ctx context.Context, tx pgx.Tx, keys []string) (map[string]Copy, error) {
	rows, err := tx.Query(ctx, orderKeysSQL, pgx.NamedArgs{"keys": keys})
	if err != nil {
		return nil, err
	}
	found := map[string]Copy{}
	var c Copy
	_, err = pgx.ForEachRow(rows, []any{&c.Key, &c.State, &c.Bytes}, func() error {
		found[c.Key] = c
		return nil
	})
	return found, err
}

// within holds an order against what its owner may have waiting. Only users have quotas.
func within(ctx context.Context, tx pgx.Tx, a Asking, more Quota) error {
	if a.Lane != LaneUser || a.Quota == (Quota{}) {
		return nil
	}
	var have Quota
	err := tx.QueryRow(ctx, quotaSQL, a.Owner).Scan(&have.Files, &have.Bytes, &have.DayBytes)
	switch {
	case err != nil:
		return err
	case a.Quota.Files > 0 && have.Files+more.Files > a.Quota.Files:
		return fault.New(fault.OverQuota, "%d files would wait for you, and %d may", have.Files+more.Files, a.Quota.Files)
	case a.Quota.Bytes > 0 && have.Bytes+more.Bytes > a.Quota.Bytes:
		return fault.New(fault.OverQuota, "%d bytes would wait for you, and %d may", have.Bytes+more.Bytes, a.Quota.Bytes)
	case a.Quota.DayBytes > 0 && have.DayBytes+more.Bytes > a.Quota.DayBytes:
		return fault.New(fault.OverQuota, "%d bytes would be brought for you in a day, and %d may", have.DayBytes+more.Bytes, a.Quota.DayBytes)
	}
	return nil
}

// Cancel ends an order of an owner, and takes those copies out of the queue that nobody else waits for. Fault.NotFound when there is none.
func (s *Store) Cancel(ctx context.Context, id, owner string) error {
	return unavailable(pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "select r.key from stage_order o left join stage_request r on r.order_id = o.id and r.outcome = 'open' where o.id = $1 and o.owner = $2", id, owner)
		if err != nil {
			return err
		}
		keys, err := pgx.CollectRows(rows, pgx.RowTo[*string])
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			return noOrder(id)
		}
		var open []string
		for _, key := range keys {
			if key != nil {
				open = append(open, *key)
			}
		}
		if _, err := locked(ctx, tx, open); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "update stage_request set outcome = 'canceled', done_at = now() where order_id = $1 and outcome = 'open'", id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `update copy c set state = 'cold', version = version + 1 where key = any($1) and state in ('queued', 'failed')
			and not exists (select from stage_request r where r.key = c.key and r.outcome = 'open')`, open)
		return err
	}))
}

func noOrder(id string) error { return fault.New(fault.NotFound, "there is no order %.60q", id) }

func (s *Store) orders(ctx context.Context, args pgx.NamedArgs) ([]Order, error) {
	rows, err := s.pool.Query(ctx, ordersSQL, args)
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Order])
	return all, unavailable(err)
}

// Get one order, whoever's it is: who knows an id may look. Fault.NotFound when there is none.
func (s *Store) OrderOf(ctx context.Context, id string) (Order, error) {
	if id == "" {
		return Order{}, noOrder(id)
	}
	all, err := s.orders(ctx, pgx.NamedArgs{"id": id, "owner": "", "before": nil, "before_id": "", "most": 1})
	if err == nil && len(all) == 0 {
		err = noOrder(id)
	}
	if err != nil {
		return Order{}, err
	}
	return all[0], nil
}

// Orders returns the orders of an owner, the newest first; those behind one, unless it is the zero order.
func (s *Store) Orders(ctx context.Context, owner string, behind Order, most int) ([]Order, error) {
	args := pgx.NamedArgs{"id": "", "owner": owner, "before": nil, "before_id": behind.ID, "most": most}
	if behind.ID != "" {
		args["before"] = behind.Created
	}
	return s.orders(ctx, args)
}

// Ordered is one file of an order.
type Ordered struct {
	Key, Asset, Collection, Item string
	Bytes                        int64
	Outcome                      string
	State                        State
	Expires                      *time.Time
	Reason                       string
}

// Files returns the files of an order, by key.
func (s *Store) Files(ctx context.Context, id string, most int) ([]Ordered, error) {
	rows, err := s.pool.Query(ctx, `select r.key, r.asset, c.collection, c.item, r.bytes, r.outcome, c.state, c.expires_at, c.reason
		from stage_request r join copy c using (key) where r.order_id = $1 order by r.key limit $2`, id, most)
	if err != nil {
		return nil, unavailable(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Ordered])
	return all, unavailable(err)
}

// Figures are what is counted of copies and orders.
type Figures struct {
	Copies map[State]int64
	Bytes  map[State]int64
	Open   int64 // requests
	Room
}

// Figures counts.
func (s *Store) Figures(ctx context.Context) (f Figures, err error) {
	f = Figures{Copies: map[State]int64{}, Bytes: map[State]int64{}}
	rows, err := s.pool.Query(ctx, "select state, count(*), coalesce(sum(bytes), 0)::bigint from copy group by state")
	if err != nil {
		return f, unavailable(err)
	}
	var state State
	var n, bytes int64
	if _, err = pgx.ForEachRow(rows, []any{&state, &n, &bytes}, func() error {
		f.Copies[state], f.Bytes[state] = n, bytes
		return nil
	}); err != nil {
		return f, unavailable(err)
	}
	if err = s.pool.QueryRow(ctx, "select count(*) from stage_request where outcome = 'open'").Scan(&f.Open); err != nil {
		return f, unavailable(err)
	}
	f.Room, err = s.Room(ctx)
	return f, err
}

// lockKey is the advisory lock of the one keeper of a database: "keep" in ASCII.
const lockKey = 0x6b656570

// Held is the lock of the keeper. It ends with its connection, wherever that breaks.
type Held struct{ conn *pgxpool.Conn }

// Lock makes this process the keeper; fault.Conflict when another one is.
func (s *Store) Lock(ctx context.Context) (*Held, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	var locked bool
	if err = conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", lockKey).Scan(&locked); err == nil && locked {
		return &Held{conn}, nil
	}
	conn.Release()
	if err != nil {
		return nil, unavailable(fmt.Errorf("lock: %w", err))
	}
	return nil, fault.New(fault.Conflict, "another process keeps the archive's copies")
}

// Check fails when the lock is lost.
func (h *Held) Check(ctx context.Context) error {
	_, err := h.conn.Exec(ctx, "select")
	return unavailable(err)
}

// Unlock lets another process keep.
func (h *Held) Unlock() {
	h.conn.Conn().Close(context.Background()) //nolint:errcheck // the lock goes with the connection either way
	h.conn.Release()
}
