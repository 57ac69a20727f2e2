package download

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"swath/fault"
	"swath/fetch"
)

// Staged is what was ordered from cold storage.
type Staged struct {
	Files  int           `json:"files"`
	Orders []string      `json:"orders"` // addresses; none where the API takes no orders and each file was asked for
	After  time.Duration `json:"-"`      // when to look, as the server estimates
}

// cold reports whether an item says of an asset that it has to be ordered, in the words of STAC's order extension.
func cold(asset map[string]any) bool {
	status, _ := asset["order:status"].(string)
	return slices.Contains([]string{"orderable", "ordered", "pending", "shipping", "failed", "canceled"}, status)
}

// orderItems is how many items one order names.
const orderItems = 500

// Order orders the files of a plan that are on cold storage, all at once, so that they come while others are fetched.
func (r *Run) Order(ctx context.Context, p *Plan) (s Staged, err error) {
	if r.o.NoStage {
		return s, nil
	}
	type wanted struct {
		Collection string   `json:"collection"`
		ID         string   `json:"id"`
		Assets     []string `json:"assets"`
	}
	var items []wanted
	var files []File
	at := map[string]int{}
	for _, f := range p.Files {
		if !f.Cold || f.Have {
			continue
		}
		files = append(files, f)
		key := f.Collection + "/" + f.Item
		i, ok := at[key]
		if !ok {
			i = len(items)
			at[key], items = i, append(items, wanted{Collection: f.Collection, ID: f.Item})
		}
		items[i].Assets = append(items[i].Assets, f.Asset)
	}
	s.Files = len(files)
	for some := range slices.Chunk(items, orderItems) {
		address, after, err := r.client.order(ctx, map[string]any{"items": some})
		if errors.Is(err, errNoOrders) {
			s.After, err = r.askEach(ctx, files)
			p.staged = s.After
			return s, err
		} else if err != nil {
			return s, err
		}
		if address != "" {
			s.Orders = append(s.Orders, address)
		}
		s.After = max(s.After, after)
	}
	p.staged = s.After
	return s, nil
}

// errNoOrders is the error of an API that takes no orders.
var errNoOrders = errors.New("the API takes no orders")

// order makes one order. No address means that all of it is online meanwhile.
func (c *Client) order(ctx context.Context, what any) (address string, after time.Duration, err error) {
	if c.URL == "" {
		return "", 0, errNoOrders
	}
	text, err := json.Marshal(what)
	if err != nil {
		return "", 0, err
	}
	err = c.tried(ctx, c.Tries, func() error {
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.URL, "/")+"/orders", bytes.NewReader(text))
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "not an address: %q", c.URL)
		}
		q.Header.Set("Content-Type", "application/json")
		answer, err := c.do(q)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		switch answer.StatusCode {
		case http.StatusCreated:
			address, after = answer.Header.Get("Location"), fetch.RetryAfter(answer)
			return nil
		case http.StatusConflict:
			return nil
		case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
			return errNoOrders
		}
		return fetch.StatusError(answer)
	})
	return address, after, err
}

// askEach asks for the first byte of each file, which orders it.
func (r *Run) askEach(ctx context.Context, files []File) (after time.Duration, err error) {
	for _, f := range files {
		err := r.client.tried(ctx, r.client.Tries, func() error {
			q, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
			if err != nil {
				return fault.Wrap(fault.Invalid, err, "not an address: %q", f.URL)
			}
			q.Header.Set("Range", "bytes=0-0")
			answer, err := r.client.do(q)
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			switch {
			case answer.StatusCode == http.StatusAccepted:
				after = max(after, fetch.RetryAfter(answer))
			case answer.StatusCode >= 300:
				return fetch.StatusError(answer)
			}
			_, err = io.CopyN(io.Discard, answer.Body, 1)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		})
		if err != nil && !fault.Is(err, fault.NotFound) { // what is not there is said when it is fetched
			return after, fmt.Errorf("order of %s: %w", f.Path, err)
		}
	}
	return after, nil
}

// estimated is how many cold files are asked when they may be there.
const estimated = 5

// Estimate asks, without ordering anything, when files of a plan that are on cold storage may be there, and puts it into the plan.
func (r *Run) Estimate(ctx context.Context, p *Plan) error {
	asked := 0
	for _, f := range p.Files {
		if !f.Cold || f.Have {
			continue
		}
		if asked++; asked > estimated {
			return nil
		}
		q, err := http.NewRequestWithContext(ctx, http.MethodHead, f.URL, nil)
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "not an address: %q", f.URL)
		}
		answer, err := r.client.do(q)
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "%s does not answer", q.URL.Host)
		}
		answer.Body.Close()
		p.StagingS = max(p.StagingS, int(fetch.RetryAfter(answer).Seconds()))
	}
	return nil
}

// first says when a file is asked for first: at once, or when it may have come from cold storage.
func (r *Run) first(p *Plan, f File) time.Time {
	if !f.Cold {
		return time.Time{}
	}
	wait := min(max(p.staged, r.o.PollLeast), r.o.PollMost)
	return time.Now().Add(wait + rand.N(wait/5+1))
}

// unordered is the failure of a file that is on cold storage and may not be ordered.
var unordered = fault.New(fault.Offline, "it is on cold storage, and --no-stage leaves it there")
