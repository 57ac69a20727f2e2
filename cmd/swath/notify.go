package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"time"

	"swath/fetch/egress"
	"swath/objects/copies"
	"swath/objects/staging"
)

// NotifyConfig says who is told when an order from the archive is complete: an address, or a program that writes a letter, say.
type NotifyConfig struct {
	URL       string   `yaml:"url"`        // is posted JSON
	SecretEnv string   `yaml:"secret_env"` // variable with the key that signs it; empty: it is not signed
	Reach     []string `yaml:"reach"`      // networks that are no public ones and may be reached: 10.0.0.0/8
	Command   []string `yaml:"command"`    // a program and its arguments, which no shell reads; gets the JSON on its standard input
}

// noticeTime is how long a notice may take to be taken.
const noticeTime = time.Minute

func (c NotifyConfig) wanted() bool { return c.URL != "" || len(c.Command) > 0 }

func (c NotifyConfig) mistakes(bad func(key, format string, args ...any)) {
	if c.URL != "" && len(c.Command) > 0 {
		bad("notify", "has url or command, not both")
	}
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			bad("notify.url", "is no http or https address")
		}
	}
	for _, one := range c.Reach {
		if _, err := netip.ParsePrefix(one); err != nil {
			bad("notify.reach", "%q is no network such as 10.0.0.0/8", one)
		}
	}
}

// sender returns what hands a notice over.
func (c NotifyConfig) sender() func(ctx context.Context, body []byte) error {
	if len(c.Command) > 0 {
		return c.run
	}
	var networks []netip.Prefix
	for _, one := range c.Reach {
		if n, err := netip.ParsePrefix(one); err == nil { // mistakes has looked
			networks = append(networks, n)
		}
	}
	guard := egress.Guard{HTTP: true, Reach: networks}
	return func(ctx context.Context, body []byte) error {
		ctx, cancel := context.WithTimeout(ctx, noticeTime)
		defer cancel()
		headers := map[string]string{"Content-Type": "application/json"}
		if secret := os.Getenv(c.SecretEnv); c.SecretEnv != "" && secret != "" {
			sum := hmac.New(sha256.New, []byte(secret))
			sum.Write(body)
			headers["X-Swath-Signature"] = "sha256=" + hex.EncodeToString(sum.Sum(nil))
		}
		return guard.Post(ctx, c.URL, body, headers)
	}
}

// run gives a notice to the program.
func (c NotifyConfig) run(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, noticeTime)
	defer cancel()
	p := exec.CommandContext(ctx, c.Command[0], c.Command[1:]...)
	p.Stdin, p.WaitDelay = bytes.NewReader(body), time.Second
	var said bytes.Buffer
	p.Stderr = &said
	if err := p.Run(); err != nil {
		return fmt.Errorf("%s: %w: %.200s", c.Command[0], err, said.String())
	}
	return nil
}

// notice is what is told of an order.
type notice struct {
	Order    string      `json:"order"`
	Status   string      `json:"status"`         // succeeded, failed of some files, or canceled
	Href     string      `json:"href,omitempty"` // where the public address is known
	Files    noticeFiles `json:"files"`
	Bytes    int64       `json:"bytes"`
	Created  time.Time   `json:"created"`
	Finished *time.Time  `json:"finished"`
	Account  string      `json:"account,omitempty"` // id of who ordered; empty: a stranger, or an operator
	Name     string      `json:"name,omitempty"`
	Email    string      `json:"email,omitempty"`
}

type noticeFiles struct {
	Ordered  int `json:"ordered"`
	Served   int `json:"served"`
	Failed   int `json:"failed"`
	Canceled int `json:"canceled"`
}

// notices makes what tells of complete orders.
func (s *stores) notices(cfg Config, log *slog.Logger) staging.Notices {
	describe := func(ctx context.Context, o copies.Order) (any, error) {
		n := notice{Order: o.ID, Status: o.Status(), Files: noticeFiles{o.Files, o.Served, o.Failed, o.Canceled}, Bytes: o.Bytes, Created: o.Created, Finished: o.Done}
		if cfg.PublicURL != "" {
			n.Href = cfg.PublicURL + "/orders/" + o.ID
		}
		if o.Owner == "" || o.Lane != copies.LaneUser {
			return n, nil
		}
		n.Account = o.Owner
		all, err := s.keeper.Accounts(ctx)
		for _, one := range all {
			if one.ID == o.Owner {
				n.Name, n.Email = one.Name, one.Email
			}
		}
		return n, err
	}
	return staging.Notices{Copies: s.copies, Describe: describe, Send: cfg.Archive.Notify.sender(), Log: log}
}
