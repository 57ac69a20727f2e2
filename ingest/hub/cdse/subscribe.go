package cdse

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"swath/fault"
	"swath/fetch"
	"swath/ingest/hub"
	"swath/ingest/hub/wire"
)

var _ hub.Hinter = (*Client)(nil)

// subscription is one of the account's, as the hub tells of it.
type subscription struct {
	ID                   string `json:"Id"`
	FilterParam          string
	Status               string
	NotificationEndpoint string
}

// mostEvents is how many a queue gives at a time.
const mostEvents = 20

// Hints reads the queue of a subscription to what the mirror lists, if it is to have one. The events themselves are not looked at: the
// lists tell what is new, so that a queue that dropped some, or a hub that has none, costs a poll's time.
func (c *Client) Hints(ctx context.Context, hint func()) error {
	if c.cfg.Subscribe <= 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	for {
		at, err := c.subscription(ctx)
		if err != nil {
			return err
		}
		if err := c.readQueue(ctx, at, hint); !fault.Is(err, fault.NotFound) {
			return err
		}
		if err := fetch.Pause(ctx, c.cfg.Subscribe); err != nil { // it was cancelled: there may be another
			return err
		}
	}
}

// readQueue reads and acknowledges until something fails.
func (c *Client) readQueue(ctx context.Context, at string, hint func()) error {
	for {
		var events []struct {
			AckID string `json:"AckId"`
		}
		if _, err := c.wire.JSON(ctx, wire.Call{Address: at + "/Read?$top=20"}, &events); err != nil {
			return err
		}
		if n := len(events); n > 0 {
			hint()
			ack := wire.Call{Method: http.MethodPost, Address: at + "/Ack?$ackid=" + url.QueryEscape(events[n-1].AckID)} // and all before it
			if _, err := c.wire.JSON(ctx, ack, nil); err != nil {
				return err
			}
			if n == mostEvents {
				continue
			}
		}
		if err := fetch.Pause(ctx, c.cfg.Subscribe); err != nil {
			return err
		}
	}
}

// subscription returns the address of the one that this mirror has, which is made where there is none.
func (c *Client) subscription(ctx context.Context) (string, error) {
	set := c.cfg.Catalogue + "/odata/v1/Subscriptions"
	filter := strings.Join(c.wanted(), " and ")
	var all []subscription
	if _, err := c.wire.JSON(ctx, wire.Call{Address: set + "/Info"}, &all); err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	for _, s := range all {
		if s.FilterParam != filter || s.NotificationEndpoint != "" {
			continue
		}
		at := set + "(" + url.PathEscape(s.ID) + ")"
		switch s.Status {
		case "running":
			return at, nil
		case "paused":
			_, err := c.wire.JSON(ctx, wire.Call{Method: http.MethodPatch, Address: at, JSON: map[string]string{"Status": "running"}}, nil)
			return at, err
		}
	}
	var s subscription
	_, err := c.wire.JSON(ctx, wire.Call{Method: http.MethodPost, Address: set, JSON: map[string]any{"SubscriptionType": "pull", "SubscriptionEvent": []string{"created", "modified"},
		"FilterParam": filter, "Status": "running", "StageOrder": false, "Priority": 1}}, &s)
	if err == nil && s.ID == "" {
		err = fault.New(fault.Unavailable, "hub: a subscription without Id")
	}
	return set + "(" + url.PathEscape(s.ID) + ")", err
}
