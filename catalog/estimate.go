package catalog

import (
	"context"
	_ "embed"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed sql/estimate_days.sql
var estimateDaysSQL string

//go:embed sql/estimate_cells.sql
var estimateCellsSQL string

//go:embed sql/estimate_terms.sql
var estimateTermsSQL string

// estimates say about how many items there are where and when. They choose plans and stand in for counts that would be slow;
// no answer is left out because of them.
type estimates struct {
	total   float64
	month   map[int16]map[int]float64       // by collection and months since year 0
	decile  map[int16]*[deciles + 1]float64 // by collection and tenth of cloud cover; the last has none
	cell    map[int16]map[int32]float64     // by collection and loose cell
	term    map[int32]float64               // share of the rows
	rarest  float64                         // no other term is more frequent than this share
	covered map[int16]float64               // all items of a collection
	seen    revision                        // of the items
}

const (
	deciles       = 10
	estimateFresh = 30 * time.Second
)

// estimator keeps estimates and renews them in the background when somebody needs them and they are old.
type estimator struct {
	mu       sync.Mutex
	current  *estimates
	at       time.Time
	renewing bool
}

// get returns what is known; nil in the first moments.
func (e *estimator) get(s *Store) *estimates {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.renewing && time.Since(e.at) > estimateFresh {
		e.renewing = true
		go e.renew(s)
	}
	return e.current
}

func (e *estimator) renew(s *Store) {
	ctx, cancel := context.WithTimeout(context.Background(), estimateFresh)
	defer cancel()
	fresh, err := s.readEstimates(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.renewing, e.at = false, time.Now()
	if err != nil {
		slog.Debug("estimates could not be read", "err", err) // the next who needs them tries again
		return
	}
	e.current = fresh
}

func monthOf(t time.Time) int { return t.Year()*12 + int(t.Month()) - 1 }

func monthBegins(month int) time.Time {
	return time.Date(month/12, time.Month(month%12+1), 1, 0, 0, 0, 0, time.UTC)
}

func (s *Store) readEstimates(ctx context.Context) (*estimates, error) {
	e := &estimates{month: map[int16]map[int]float64{}, decile: map[int16]*[deciles + 1]float64{}, cell: map[int16]map[int32]float64{},
		term: map[int32]float64{}, covered: map[int16]float64{}, rarest: 1e-4}
	err := s.with(ctx, "estimates", func(c *pgxpool.Conn) error {
		return pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			return e.read(ctx, tx)
		})
	})
	return e, err
}

// read fills estimates of one moment.
func (e *estimates) read(ctx context.Context, conn pgx.Tx) error {
	var err error
	if e.seen, _, err = currentRevision(ctx, conn); err != nil {
		return err
	}
	rows, err := conn.Query(ctx, estimateDaysSQL)
	if err != nil {
		return err
	}
	var col, decile int16
	var month time.Time
	var n int64
	if _, err = pgx.ForEachRow(rows, []any{&col, &month, &decile, &n}, func() error {
		if e.month[col] == nil {
			e.month[col], e.decile[col] = map[int]float64{}, &[deciles + 1]float64{}
		}
		if decile < 0 {
			decile = deciles
		}
		e.month[col][monthOf(month)] += float64(n)
		e.decile[col][decile] += float64(n)
		e.covered[col] += float64(n)
		e.total += float64(n)
		return nil
	}); err != nil {
		return err
	}
	if rows, err = conn.Query(ctx, estimateCellsSQL); err != nil {
		return err
	}
	var cell int32
	if _, err = pgx.ForEachRow(rows, []any{&col, &cell, &n}, func() error {
		if e.cell[col] == nil {
			e.cell[col] = map[int32]float64{}
		}
		e.cell[col][cell] = float64(n)
		return nil
	}); err != nil {
		return err
	}
	return e.readTerms(ctx, conn)
}

// current reports whether nothing has changed since the estimates were read, so that they are exact.
func (e *estimates) current(ctx context.Context, q querier) (bool, error) {
	now, _, err := currentRevision(ctx, q)
	return now == e.seen, err
}

// occupied returns those of the cells in which a collection has items.
func (e *estimates) occupied(cols []int16, cells []int32) []int32 {
	out := []int32{}
	for _, cell := range cells {
		for _, col := range cols {
			if e.cell[col][cell] > 0 {
				out = append(out, cell)
				break
			}
		}
	}
	return out
}

func (e *estimates) readTerms(ctx context.Context, conn querier) error {
	rows, err := conn.Query(ctx, estimateTermsSQL)
	if err != nil {
		return err
	}
	var terms []int32
	var shares []float32
	_, err = pgx.ForEachRow(rows, []any{&terms, &shares}, func() error {
		for i, term := range terms {
			if i < len(shares) {
				e.term[term] = float64(shares[i])
				e.rarest = min(e.rarest, float64(shares[i]))
			}
		}
		return nil
	})
	return err
}

// share returns about how many of the rows have one of these terms.
func (e *estimates) share(terms []int32) float64 {
	sum := 0.0
	for _, t := range terms {
		if known, ok := e.term[t]; ok {
			sum += known
		} else {
			sum += e.rarest / 2
		}
	}
	return min(sum, 1)
}

// during returns about how many items of a collection lie in a period, and its share of all of them.
func (e *estimates) during(col int16, since, until time.Time) (n, share float64) {
	all := e.covered[col]
	if all == 0 {
		return 0, 0
	}
	for month, count := range e.month[col] {
		begins := monthBegins(month)
		whole := monthBegins(month + 1).Sub(begins).Seconds()
		first, last := max(begins.Unix(), since.Unix()), min(begins.Unix()+int64(whole), until.Unix())
		if last >= first {
			n += count * float64(last-first+1) / whole
		}
	}
	n = min(n, all)
	return n, n / all
}
