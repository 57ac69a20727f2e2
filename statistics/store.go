package statistics

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
)

var (
	//go:embed sql/flush.sql
	flushSQL string
	//go:embed sql/fold.sql
	foldSQL string
	//go:embed sql/products.sql
	productsSQL string
	//go:embed sql/days.sql
	daysSQL string
	//go:embed sql/arrivals.sql
	arrivalsSQL string
	//go:embed sql/items.sql
	itemsSQL string
	//go:embed sql/traffic.sql
	trafficSQL string
	//go:embed sql/users.sql
	usersSQL string
	//go:embed sql/staging.sql
	stagingSQL string
)

// How often what was counted is written down, and how long figures are remembered.
const (
	flushEvery = 10 * time.Second
	foldEvery  = time.Minute
	freshFor   = 15 * time.Second
	patience   = 30 * time.Second // of one reading of all
)

// Store keeps the figures in PostgreSQL. It is safe for concurrent use.
type Store struct {
	Meter Meter
	pool  *pgxpool.Pool
	log   *slog.Logger

	mu   sync.Mutex
	last *raw
}

// Open prepares to read and write; nothing is connected yet.
func Open(ctx context.Context, url string, log *slog.Logger) (*Store, error) {
	conf, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "not the address of a database")
	}
	conf.MaxConns = 2
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("statistics: open: %w", err)
	}
	return &Store{pool: pool, log: log}, nil
}

// Close ends the connections.
func (s *Store) Close() { s.pool.Close() }

// Keep writes down what is counted and folds what changed, until ctx ends, and once more then.
func (s *Store) Keep(ctx context.Context) {
	flush, fold := time.NewTicker(flushEvery), time.NewTicker(foldEvery)
	defer flush.Stop()
	defer fold.Stop()
	for ctx.Err() == nil {
		var err error
		select {
		case <-ctx.Done():
		case <-flush.C:
			err = s.Flush(ctx)
		case <-fold.C:
			err = s.Fold(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("statistics are not written down", "err", err)
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushEvery)
	defer cancel()
	if err := s.Flush(last); err != nil {
		s.log.Warn("statistics are not written down", "err", err)
	}
}

// Flush writes down what was counted.
func (s *Store) Flush(ctx context.Context) error {
	seen := s.Meter.take()
	if len(seen) == 0 {
		return nil
	}
	var days []time.Time
	var collections, platforms []string
	var drawn []bool
	var requests, bytes []int64
	var seconds []float64
	for at, u := range seen {
		days, collections, platforms = append(days, at.day), append(collections, at.file.Collection), append(platforms, at.file.Platform)
		drawn = append(drawn, at.drawn)
		requests, bytes, seconds = append(requests, u.requests), append(bytes, u.bytes), append(seconds, u.seconds)
	}
	_, err := s.pool.Exec(ctx, flushSQL, pgx.NamedArgs{"days": days, "collections": collections, "platforms": platforms, "drawn": drawn, "requests": requests, "seconds": seconds, "bytes": bytes})
	if err != nil {
		s.Meter.giveBack(seen)
	}
	return err
}

// Fold moves what changed into the totals.
func (s *Store) Fold(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, foldSQL)
	return err
}

type month struct {
	collection, platform string
	month                time.Time
	n, bytes             int64
}

type day struct {
	collection string
	day        time.Time
	n, bytes   int64
}

type transfer struct {
	day                  time.Time
	collection, platform string
	drawn                bool
	requests             int64
	seconds              float64
	bytes                int64
}

type people struct {
	month     time.Time
	country   string
	n, active int64
}

type item struct {
	collection string
	n          int64
}

// raw is what the tables say.
type raw struct {
	at       time.Time
	months   []month
	days     []day
	arrivals []day
	items    []item
	traffic  []transfer
	users    []people
	staged   int64
	stagingS float64
}

// raw reads the tables, or remembers them.
func (s *Store) raw(ctx context.Context) (*raw, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil && time.Since(s.last.at) < freshFor {
		return s.last, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	r := &raw{at: time.Now()}
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		read(ctx, tx, &err, productsSQL, &r.months, func(m *month) []any { return []any{&m.collection, &m.platform, &m.month, &m.n, &m.bytes} })
		read(ctx, tx, &err, daysSQL, &r.days, func(d *day) []any { return []any{&d.collection, &d.day, &d.n, &d.bytes} })
		read(ctx, tx, &err, arrivalsSQL, &r.arrivals, func(d *day) []any { return []any{&d.collection, &d.day, &d.n, &d.bytes} })
		read(ctx, tx, &err, itemsSQL, &r.items, func(i *item) []any { return []any{&i.collection, &i.n} })
		read(ctx, tx, &err, trafficSQL, &r.traffic, func(t *transfer) []any {
			return []any{&t.day, &t.collection, &t.platform, &t.drawn, &t.requests, &t.seconds, &t.bytes}
		})
		read(ctx, tx, &err, usersSQL, &r.users, func(p *people) []any { return []any{&p.month, &p.country, &p.n, &p.active} })
		if err == nil {
			err = tx.QueryRow(ctx, stagingSQL).Scan(&r.staged, &r.stagingS)
		}
		return err
	})
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the statistics can't be read")
	}
	s.last = r
	return r, nil
}

// read collects the rows of a statement, unless one before failed.
func read[T any](ctx context.Context, tx pgx.Tx, err *error, sql string, into *[]T, fields func(*T) []any) {
	if *err != nil {
		return
	}
	rows, failed := tx.Query(ctx, sql)
	if *err = failed; failed != nil {
		return
	}
	*into, *err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (one T, err error) {
		err = row.Scan(fields(&one)...)
		return one, err
	})
}

// Total is how much there is of something.
type Total struct {
	Name     string `json:"name"`
	Items    int64  `json:"items,omitempty"`
	Products int64  `json:"products"`
	Bytes    int64  `json:"bytes"`
}

// Period is how much of something falls into a day, month or year.
type Period struct {
	When     string `json:"when"`
	Products int64  `json:"products"`
	Bytes    int64  `json:"bytes"`
}

// Use is what was asked and sent in a day, month or year: requests and bytes in all, those of items' files, and those of what was drawn or worked
// out of them. The others are answers of the catalog, pages and the like.
type Use struct {
	When          string  `json:"when"`
	Requests      int64   `json:"requests"`
	Bytes         int64   `json:"bytes"`
	Downloads     int64   `json:"downloads"`
	DownloadBytes int64   `json:"download_bytes"`
	Drawn         int64   `json:"drawn"`
	DrawnBytes    int64   `json:"drawn_bytes"`
	MeanS         float64 `json:"mean_response_s"`
}

// Figures are those of a dashboard.
type Figures struct {
	At          time.Time `json:"at"`
	Products    int64     `json:"products"`
	Bytes       int64     `json:"bytes"`
	Collections []Total   `json:"collections"` // the largest first
	Missions    []Total   `json:"missions"`    // by platform, the largest first
	Acquired    struct {
		Days   []Period `json:"days"` // of the last year
		Months []Period `json:"months"`
	} `json:"acquired"`
	In struct {
		Days []Period `json:"days"` // of the last year
	} `json:"bandwidth_in"`
	Out struct {
		Days   []Use `json:"days"` // of the last year
		Months []Use `json:"months"`
		Years  []Use `json:"years"`
	} `json:"bandwidth_out"`
	Downloaded []Total `json:"downloaded"` // by collection: requests of files and what was sent of them, the most first
	// The same by platform; without a name what does not say one.
	DownloadedMissions []Total `json:"downloaded_missions"`
	Response           struct {
		Requests      int64   `json:"requests"`
		MeanS         float64 `json:"mean_s"` // until an answer began
		Downloads     int64   `json:"downloads"`
		DownloadMeanS float64 `json:"download_mean_s"` // until a file began to come, with what was waited for the archive
	} `json:"response_30_days"`
	Staging struct {
		Served int64   `json:"served_30_days"`
		MeanS  float64 `json:"mean_wait_s"`
	} `json:"staging"`
	Users struct {
		Registered int64            `json:"registered"`
		Active     int64            `json:"active_30_days"`
		Months     []Count          `json:"registered_by_month"` // in all, at the end of each
		Countries  map[string]int64 `json:"by_country"`
	} `json:"users"`
}

// Count is a number at a time.
type Count struct {
	When string `json:"when"`
	N    int64  `json:"n"`
}

// Figures returns what is known of the collections that sees says yes to.
func (s *Store) Figures(ctx context.Context, sees func(collection string) bool) (f Figures, err error) {
	r, err := s.raw(ctx)
	if err != nil {
		return f, err
	}
	f.At = r.at.UTC()
	collections, missions, months, days := map[string]*Total{}, map[string]*Total{}, map[string]*Period{}, map[string]*Period{}
	period := func(in map[string]*Period, when string, n, bytes int64) {
		if in[when] == nil {
			in[when] = &Period{When: when}
		}
		in[when].Products, in[when].Bytes = in[when].Products+n, in[when].Bytes+bytes
	}
	for _, i := range r.items {
		if sees(i.collection) {
			total(collections, i.collection).Items += i.n
		}
	}
	for _, m := range r.months {
		if !sees(m.collection) {
			continue
		}
		f.Products, f.Bytes = f.Products+m.n, f.Bytes+m.bytes
		for _, t := range []*Total{total(collections, m.collection), total(missions, m.platform)} {
			t.Products, t.Bytes = t.Products+m.n, t.Bytes+m.bytes
		}
		period(months, m.month.Format("2006-01"), m.n, m.bytes)
	}
	for _, d := range r.days {
		if sees(d.collection) {
			period(days, d.day.Format(time.DateOnly), d.n, d.bytes)
		}
	}
	in, yearAgo := map[string]*Period{}, r.at.AddDate(-1, 0, 0)
	for _, d := range r.arrivals {
		if sees(d.collection) && d.day.After(yearAgo) {
			period(in, d.day.Format(time.DateOnly), d.n, d.bytes)
		}
	}
	f.Collections, f.Missions = largest(collections), largest(missions)
	f.Acquired.Days, f.Acquired.Months, f.In.Days = inOrder(days), inOrder(months), inOrder(in)
	f.use(r, sees, yearAgo)
	f.people(r)
	f.Staging.Served, f.Staging.MeanS = r.staged, r.stagingS
	f.response(r)
	return f, nil
}

// total is that of a name.
func total(in map[string]*Total, name string) *Total {
	if in[name] == nil {
		in[name] = &Total{Name: name}
	}
	return in[name]
}

// use adds up the traffic.
func (f *Figures) use(r *raw, sees func(string) bool, yearAgo time.Time) {
	by := [3]map[string]*Use{{}, {}, {}}
	downloaded, missions := map[string]*Total{}, map[string]*Total{}
	for _, t := range r.traffic {
		if t.collection != "" && sees(t.collection) {
			for _, one := range []*Total{total(downloaded, t.collection), total(missions, t.platform)} {
				one.Products, one.Bytes = one.Products+t.requests, one.Bytes+t.bytes
			}
		}
		for i, layout := range []string{time.DateOnly, "2006-01", "2006"} {
			if i == 0 && !t.day.After(yearAgo) {
				continue
			}
			when := t.day.Format(layout)
			u := by[i][when]
			if u == nil {
				u = &Use{When: when}
				by[i][when] = u
			}
			u.Requests, u.Bytes, u.MeanS = u.Requests+t.requests, u.Bytes+t.bytes, u.MeanS+t.seconds // the sum, for now
			switch {
			case t.collection != "":
				u.Downloads, u.DownloadBytes = u.Downloads+t.requests, u.DownloadBytes+t.bytes
			case t.drawn:
				u.Drawn, u.DrawnBytes = u.Drawn+t.requests, u.DrawnBytes+t.bytes
			}
		}
	}
	lists := [3][]Use{{}, {}, {}}
	for i := range by {
		for _, u := range by[i] {
			if u.Requests > 0 {
				u.MeanS /= float64(u.Requests)
			}
			lists[i] = append(lists[i], *u)
		}
		slices.SortFunc(lists[i], func(a, b Use) int { return strings.Compare(a.When, b.When) })
	}
	f.Out.Days, f.Out.Months, f.Out.Years = lists[0], lists[1], lists[2]
	f.Downloaded, f.DownloadedMissions = largest(downloaded), largest(missions)
}

// response adds up how long was waited in the last 30 days.
func (f *Figures) response(r *raw) {
	all, files := 0.0, float64(r.staged)*r.stagingS
	for _, t := range r.traffic {
		if !t.day.After(r.at.AddDate(0, 0, -30)) {
			continue
		}
		f.Response.Requests, all = f.Response.Requests+t.requests, all+t.seconds
		if t.collection != "" {
			f.Response.Downloads, files = f.Response.Downloads+t.requests, files+t.seconds
		}
	}
	if f.Response.Requests > 0 {
		f.Response.MeanS = all / float64(f.Response.Requests)
	}
	if f.Response.Downloads > 0 {
		f.Response.DownloadMeanS = files / float64(f.Response.Downloads)
	}
}

// people adds up the accounts.
func (f *Figures) people(r *raw) {
	f.Users.Countries, f.Users.Months = map[string]int64{}, []Count{}
	for _, p := range r.users { // in order of months
		f.Users.Registered, f.Users.Active = f.Users.Registered+p.n, f.Users.Active+p.active
		country := p.country
		if country == "" {
			country = "unknown"
		}
		f.Users.Countries[country] += p.n
		when := p.month.Format("2006-01")
		if n := len(f.Users.Months); n == 0 || f.Users.Months[n-1].When != when {
			f.Users.Months = append(f.Users.Months, Count{When: when})
		}
		f.Users.Months[len(f.Users.Months)-1].N = f.Users.Registered
	}
}

func largest(all map[string]*Total) []Total {
	out := []Total{}
	for _, t := range all {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Total) int {
		if a.Products != b.Products {
			return int(min(max(b.Products-a.Products, -1), 1))
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

func inOrder(all map[string]*Period) []Period {
	out := []Period{}
	for _, p := range all {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Period) int { return strings.Compare(a.When, b.When) })
	return out
}
