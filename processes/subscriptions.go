package processes

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"swath/auth"
	"swath/chains"
	"swath/fault"
	"swath/stac"
)

// Subscription binds a search to a process: each new item that matches becomes exactly one job of its owner.
type Subscription struct {
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Owner   string          `json:"owner,omitempty"`
	Process string          `json:"process"`
	Input   string          `json:"input"`  // of the process, that is the item; the only one that can be, when it was not said
	Search  json.RawMessage `json:"search"` // as POST /search takes it; limit, sortby and token say nothing here
	Request Request         `json:"request"`
	Paused  bool            `json:"paused"`           // items are still noted, and become jobs when it goes on
	Reason  string          `json:"reason,omitempty"` // why it was paused by the server
	Created time.Time       `json:"created"`
	Updated time.Time       `json:"updated"`
	Figures Figures         `json:"figures"`
}

// Figures count what became of the items of a subscription.
type Figures struct {
	Matched   int64            `json:"matched"`           // items, each once
	Waiting   int64            `json:"waiting"`           // that are no jobs yet
	Refused   int64            `json:"refused"`           // that can't be jobs
	Jobs      map[Status]int64 `json:"jobs"`              // by how they stand
	Backfills int64            `json:"backfills"`         // periods that are still looked through
	Refusal   string           `json:"refusal,omitempty"` // the last reason of a refused one
	Newest    *time.Time       `json:"newest,omitempty"`  // when the last item matched
}

// Arrivals tells of items that come into the catalog.
type Arrivals interface {
	NoteArrivals(ctx context.Context) error
	Arrivals(ctx context.Context, most int, take func(context.Context, []stac.Item) error) (int, error)
}

var (
	//go:embed sql/subscriptions.sql
	subscriptionsSQL string
	//go:embed sql/due.sql
	dueSQL string
)

// Subscribe stores a subscription: items that come from now on are its own. It is held against the process as a request would be.
func (e *Engine) Subscribe(ctx context.Context, s Subscription) (Subscription, error) {
	if err := e.May(ctx); err != nil {
		return s, err
	}
	if e.cfg.Arrivals == nil {
		return s, fault.New(fault.Invalid, "this installation has no subscriptions")
	}
	if err := e.checkSubscription(ctx, &s); err != nil {
		return s, err
	}
	if err := e.cfg.Arrivals.NoteArrivals(ctx); err != nil {
		return s, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return s, err
	}
	request, err := json.Marshal(s.Request)
	if err != nil {
		return s, fault.New(fault.Invalid, "the request is not JSON: %v", err)
	}
	_, err = e.pool.Exec(ctx, "insert into subscription (id, name, owner, process, input, search, request, paused) values ($1, $2, $3, $4, $5, $6, $7, $8)",
		id.String(), s.Name, auth.From(ctx).User, s.Process, s.Input, s.Search, request, s.Paused)
	if err != nil {
		return s, jobsErr("subscription", err)
	}
	return e.Subscription(ctx, id.String())
}

// checkSubscription refuses one that could never make a job, and fills in the input where it is plain which.
func (e *Engine) checkSubscription(ctx context.Context, s *Subscription) error {
	chain, err := e.Process(ctx, s.Process)
	if err != nil {
		return fault.New(fault.Invalid, "process: %v", err)
	}
	if s.Name = strings.TrimSpace(s.Name); s.Name == "" {
		s.Name = chain.Title
	}
	if len(s.Name) > 200 {
		return fault.New(fault.TooLarge, "name: has %d bytes; it may have 200", len(s.Name))
	}
	var can, others []string
	rest := chain
	rest.Inputs = nil
	for _, f := range chain.Inputs {
		if f.Kind == chains.AProduct || f.Kind == chains.AnItem {
			can = append(can, f.Name)
		}
	}
	if s.Input == "" && len(can) == 1 {
		s.Input = can[0]
	}
	for _, f := range chain.Inputs {
		if f.Name != s.Input {
			rest.Inputs, others = append(rest.Inputs, f), append(others, f.Name)
		}
	}
	if len(others) == len(chain.Inputs) || !slices.Contains(can, s.Input) {
		return fault.New(fault.Invalid, "input: must name the input that is the product; the process %q has %s", chain.ID, strings.Join(can, ", "))
	}
	if _, given := s.Request.Inputs[s.Input]; given {
		return fault.New(fault.Invalid, "input %q: is the product of each job, and has no value of its own", s.Input)
	}
	if err := s.Request.check(chain); err != nil {
		return err
	}
	inputs, err := e.bind(ctx, rest, s.Request)
	if err != nil {
		return err
	}
	if len(s.Search) == 0 {
		return fault.New(fault.Invalid, "search: is needed: which items become jobs")
	}
	q, err := stac.SearchFromJSON(s.Search)
	if err != nil {
		return err
	}
	if len(q.Search.Collections) == 0 {
		return fault.New(fault.Invalid, "search: must name collections")
	}
	if _, err = e.cfg.Catalog.Search(ctx, one(q.Search)); err != nil {
		return err
	}
	return e.confine(chain, s.Request, append(collectionsOf(inputs), q.Search.Collections...))
}

// one asks for no more than whether something matches.
func one(s stac.Search) stac.Search {
	s.Limit, s.Token, s.Sort, s.Uncounted = 1, "", nil, true
	return s
}

// Subscriptions returns one's own, of operators all, newest first.
func (e *Engine) Subscriptions(ctx context.Context) ([]Subscription, error) {
	return e.subscriptions(ctx, "")
}

// Subscription returns one with its figures, or fault.NotFound.
func (e *Engine) Subscription(ctx context.Context, id string) (Subscription, error) {
	all, err := e.subscriptions(ctx, id)
	if err != nil {
		return Subscription{}, err
	} else if len(all) == 0 || id == "" {
		return Subscription{}, fault.New(fault.NotFound, "there is no subscription %.60q", id)
	}
	return all[0], nil
}

func (e *Engine) subscriptions(ctx context.Context, id string) ([]Subscription, error) {
	args := sees(ctx)
	args["id"] = id
	rows, _ := e.pool.Query(ctx, subscriptionsSQL, args)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Subscription, err error) {
		var request, jobs []byte
		f := &s.Figures
		err = row.Scan(&s.ID, &s.Name, &s.Owner, &s.Process, &s.Input, &s.Search, &request, &s.Paused, &s.Reason, &s.Created, &s.Updated,
			&f.Matched, &f.Waiting, &f.Refused, &f.Refusal, &f.Newest, &f.Backfills, &jobs)
		return s, errors.Join(err, json.Unmarshal(request, &s.Request), json.Unmarshal(jobs, &f.Jobs))
	})
	return all, jobsErr("subscriptions", err)
}

// PauseSubscription stops it from making jobs, or lets it go on with what was noted meanwhile.
func (e *Engine) PauseSubscription(ctx context.Context, id string, paused bool) (Subscription, error) {
	if _, err := e.Subscription(ctx, id); err != nil {
		return Subscription{}, err
	}
	if _, err := e.pool.Exec(ctx, "update subscription set paused = $2, reason = '', updated = now() where id = $1", id, paused); err != nil {
		return Subscription{}, jobsErr("subscription", err)
	}
	return e.Subscription(ctx, id)
}

// Unsubscribe ends a subscription. Jobs that it made stay.
func (e *Engine) Unsubscribe(ctx context.Context, id string) error {
	_, err := e.Subscription(ctx, id)
	if err == nil {
		_, err = e.pool.Exec(ctx, "delete from subscription where id = $1", id)
	}
	return jobsErr("subscription", err)
}

// Backfill makes jobs of the items of a period that are there already; those that were jobs before are not again.
func (e *Engine) Backfill(ctx context.Context, id string, since, until time.Time) (Subscription, error) {
	if _, err := e.Subscription(ctx, id); err != nil {
		return Subscription{}, err
	}
	if !since.Before(until) {
		return Subscription{}, fault.New(fault.Invalid, "datetime: the period must begin before it ends")
	}
	_, err := e.pool.Exec(ctx, "insert into backfill (subscription, since, until) values ($1, $2, $3) on conflict do nothing", id, since, until)
	if err != nil {
		return Subscription{}, jobsErr("subscription", err)
	}
	return e.Subscription(ctx, id)
}

const (
	arrivalsAtOnce = 200 // items held against the subscriptions together
	backfillPage   = 250
	dueAtOnce      = 200        // jobs of one subscription in one round
	subscribedLock = 0x73756273 // "subs" in ASCII: one process looks after subscriptions at a time
)

// subscribed makes jobs of what matches the subscriptions, in rounds.
func (w *worker) subscribed(ctx context.Context) {
	for w.cfg.Arrivals != nil && ctx.Err() == nil {
		if err := w.subscribedOnce(ctx); err != nil && !ended(ctx, err) {
			w.cfg.Log.Warn("subscriptions wait", "err", err)
		}
		pause(ctx, w.cfg.Pace.Tidy)
	}
}

// subscribedOnce does a round, unless another process is at it.
func (w *worker) subscribedOnce(ctx context.Context) error {
	return pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, "select pg_try_advisory_xact_lock($1)", subscribedLock).Scan(&mine); err != nil || !mine {
			return err
		}
		all, err := w.every(ctx)
		if err != nil {
			return err
		}
		for n := arrivalsAtOnce; n == arrivalsAtOnce; {
			n, err = w.cfg.Arrivals.Arrivals(ctx, arrivalsAtOnce, func(ctx context.Context, items []stac.Item) error { return w.match(ctx, all, items) })
			if err != nil {
				return err
			}
		}
		return errors.Join(w.backfill(ctx, all), w.submitDue(ctx, all))
	})
}

// every returns all subscriptions, whoever has them.
func (e *Engine) every(ctx context.Context) ([]Subscription, error) {
	return e.subscriptions(auth.With(ctx, auth.Principal{Role: auth.Operator}), "")
}

// as acts for the owner of a subscription. One whose owner may run nothing any more is paused.
func (w *worker) as(ctx context.Context, s Subscription) (context.Context, error) {
	owned, err := ctx, error(nil)
	if s.Owner != "" && w.cfg.As != nil {
		owned, err = w.cfg.As(ctx, s.Owner)
	}
	if err == nil {
		err = w.May(owned)
	}
	if kind, public := fault.Of(err); err != nil && kind != fault.Internal && kind != fault.Unavailable {
		_, failed := w.pool.Exec(ctx, "update subscription set paused = true, reason = $2, updated = now() where id = $1", s.ID, "its owner may not run processes: "+public)
		return nil, errors.Join(err, failed)
	}
	return owned, err
}

// match notes which of the items that came belong to which subscription.
func (w *worker) match(ctx context.Context, all []Subscription, items []stac.Item) error {
	for _, s := range all {
		q, err := stac.SearchFromJSON(s.Search)
		if err != nil {
			return fmt.Errorf("subscription %s: %w", s.ID, err)
		}
		search := q.Search
		ids, came := []string{}, map[[2]string]bool{}
		for _, it := range items {
			if slices.Contains(search.Collections, it.Collection) && (len(search.IDs) == 0 || slices.Contains(search.IDs, it.ID)) {
				ids, came[[2]string{it.Collection, it.ID}] = append(ids, it.ID), true
			}
		}
		if len(ids) == 0 {
			continue
		}
		owned, err := w.as(ctx, s)
		if owned == nil {
			if ctx.Err() != nil || fault.Is(err, fault.Unavailable) {
				return err
			}
			continue // it is paused now: what comes is not its own any more
		}
		search.IDs, search.Limit, search.Token, search.Sort, search.Uncounted = ids, len(ids), "", nil, true
		if _, err := w.note(owned, s, search, func(it stac.Item) bool { return came[[2]string{it.Collection, it.ID}] }); err != nil {
			return err
		}
	}
	return nil
}

// note stores the items that a page of a search finds, each once, and returns the token of the next page.
func (w *worker) note(ctx context.Context, s Subscription, search stac.Search, wanted func(stac.Item) bool) (next string, err error) {
	page, err := w.cfg.Catalog.Search(ctx, search)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) { // a collection that is not there, or not for the owner, any more
		return "", nil
	} else if err != nil {
		return "", err
	}
	var collections, ids []string
	for _, it := range page.Items {
		if wanted(it) {
			collections, ids = append(collections, it.Collection), append(ids, it.ID)
		}
	}
	_, err = w.pool.Exec(ctx, `insert into subscription_item (subscription, collection, item)
		select $1, c, i from unnest($2::text[], $3::text[]) as t (c, i) where exists (select from subscription where id = $1) on conflict do nothing`, s.ID, collections, ids)
	return page.Next, err
}

// backfill looks through one more page of each period.
func (w *worker) backfill(ctx context.Context, all []Subscription) error {
	rows, _ := w.pool.Query(ctx, "select subscription, since, until, token from backfill order by subscription, since")
	type period struct {
		Subscription string
		Since, Until time.Time
		Token        string
	}
	periods, err := pgx.CollectRows(rows, pgx.RowToStructByPos[period])
	if err != nil {
		return err
	}
	for _, p := range periods {
		for _, s := range all {
			if s.ID != p.Subscription || s.Paused {
				continue
			}
			q, err := stac.SearchFromJSON(s.Search)
			if err != nil {
				return err
			}
			owned, err := w.as(ctx, s)
			if err != nil {
				return err
			}
			search := q.Search
			search.Limit, search.Token, search.Sort, search.Uncounted = backfillPage, p.Token, nil, true
			search.Datetime = within(search.Datetime, p.Since, p.Until)
			next, err := w.note(owned, s, search, func(stac.Item) bool { return true })
			if err != nil {
				return err
			}
			done := "delete from backfill where subscription = $1 and since = $2 and until = $3 and $4 = ''"
			if next != "" {
				done = "update backfill set token = $4 where subscription = $1 and since = $2 and until = $3"
			}
			if _, err := w.pool.Exec(ctx, done, p.Subscription, p.Since, p.Until, next); err != nil {
				return err
			}
		}
	}
	return nil
}

// within is the part of an interval that lies in a period.
func within(i *stac.Interval, since, until time.Time) *stac.Interval {
	part := stac.Interval{Start: &since, End: &until}
	if i != nil && i.Start != nil && i.Start.After(since) {
		part.Start = i.Start
	}
	if i != nil && i.End != nil && i.End.Before(until) {
		part.End = i.End
	}
	return &part
}

// due is an item that is to be a job.
type due struct{ Collection, Item string }

// submitDue makes jobs of the items that wait.
func (w *worker) submitDue(ctx context.Context, all []Subscription) error {
	for _, s := range all {
		rows, _ := w.pool.Query(ctx, dueSQL, s.ID, dueAtOnce)
		items, err := pgx.CollectRows(rows, pgx.RowToStructByPos[due])
		if err != nil {
			return err
		} else if len(items) == 0 {
			continue
		}
		owned, err := w.as(ctx, s)
		if owned == nil {
			w.cfg.Log.Warn("subscription waits", "subscription", s.ID, "err", err)
			continue
		}
		for _, it := range items {
			err := w.submitOne(owned, s, it)
			if fault.Is(err, fault.OverQuota) {
				break // as many as the owner may have: the others at a later round
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// errTaken ends a transaction whose item is a job already.
var errTaken = errors.New("the item is a job already")

// submitOne makes a job of an item, or notes why it can't be one.
func (w *worker) submitOne(ctx context.Context, s Subscription, it due) error {
	product, err := json.Marshal(map[string]string{"collection": it.Collection, "item": it.Item})
	if err != nil {
		return err
	}
	r := s.Request
	r.Inputs = map[string]json.RawMessage{s.Input: product}
	for name, value := range s.Request.Inputs {
		r.Inputs[name] = value
	}
	_, err = w.submit(ctx, s.Process, r, s.ID, func(tx pgx.Tx, job string) error {
		tag, err := tx.Exec(ctx, "update subscription_item set job = $4 where subscription = $1 and collection = $2 and item = $3 and job is null", s.ID, it.Collection, it.Item, job)
		if err == nil && tag.RowsAffected() == 0 {
			return errTaken
		}
		return err
	})
	kind, public := fault.Of(err)
	switch {
	case err == nil || errors.Is(err, errTaken):
		return nil
	case kind == fault.OverQuota || kind == fault.Unavailable || ctx.Err() != nil:
		return err
	case kind == fault.Internal: // at another time, perhaps
		w.cfg.Log.Warn("subscription waits", "subscription", s.ID, "item", it.Item, "err", err)
		_, err = w.pool.Exec(ctx, "update subscription_item set next_try = now() + interval '5 minutes' where subscription = $1 and collection = $2 and item = $3", s.ID, it.Collection, it.Item)
		return err
	}
	_, err = w.pool.Exec(ctx, "update subscription_item set failure = $4 where subscription = $1 and collection = $2 and item = $3", s.ID, it.Collection, it.Item, public)
	return err
}
