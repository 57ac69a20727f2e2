// Package egress asks addresses that strangers named, without letting them reach what only this machine can.
//
//	address ─▶ https? no name and password in it? ─▶ resolved ─▶ each IP checked right before it is dialled ─▶ at most 3 redirects, the same again
//
// Refused are loopback, private, link-local, unique local, shared (CGNAT), multicast, reserved and documentation networks, and what leads to
// them in another form: IPv4 in IPv6, NAT64, 6to4, Teredo. The check is of the IP that is dialled, so that a name that resolves otherwise a
// moment later changes nothing. No proxy of the environment is used, and what came back is never part of an error.
package egress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"

	"swath/fault"
)

// Guard asks others. The zero value is the strictest. It is safe for concurrent use.
type Guard struct {
	HTTP    bool           // plain http may be asked too
	Reach   []netip.Prefix // networks that may be asked though they are not public, on any port
	Resolve *net.Resolver  // for tests; nil: the system's
}

const (
	connectTime  = 10 * time.Second
	answerTime   = 60 * time.Second // until the first byte
	mostRedirect = 3
)

// closed are the networks that are not the public internet, or lead to others.
var closed = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
	"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8") // IANA's special-purpose registries of IPv4 and IPv6

func prefixes(all ...string) (list []netip.Prefix) {
	for _, text := range all {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// refused is the failure of an address that is not asked; it does not say what is there.
func refused(why string) error { return fault.New(fault.Invalid, "this address is not asked: %s", why) }

// Check refuses an address for what it looks like. What it resolves to is checked when it is asked.
func (g *Guard) Check(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return refused("it is not one")
	}
	return g.check(u)
}

func (g *Guard) check(u *url.URL) error {
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !g.HTTP):
		return refused("it is not https")
	case u.Hostname() == "" || u.Opaque != "":
		return refused("it names no host")
	case u.User != nil:
		return refused("it holds a name or a password")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		return g.allow(ip, 0)
	}
	return nil
}

// allow refuses an IP; port 0 is not known yet.
func (g *Guard) allow(ip netip.Addr, port uint16) error {
	ip = ip.WithZone("")
	within := func(p netip.Prefix) bool { return p.Contains(ip) }
	if slices.ContainsFunc(g.Reach, within) {
		return nil
	}
	if !ip.IsGlobalUnicast() || slices.ContainsFunc(closed, within) {
		return refused("it is not in the public network")
	}
	if port != 0 && port != 443 && port != 80 {
		return refused("its port is neither 443 nor 80")
	}
	return nil
}

// control is asked right before a connection is made, with the IP that it goes to.
func (g *Guard) control(network, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return refused("it is not in the public network")
	}
	return g.allow(at.Addr(), at.Port())
}

// client makes one exchange.
func (g *Guard) client() *http.Client {
	dialer := &net.Dialer{Timeout: connectTime, Control: g.control, Resolver: g.Resolve}
	return &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: connectTime, ResponseHeaderTimeout: answerTime,
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > mostRedirect {
				return refused("it redirects too often")
			}
			r.Header.Del("Referer")
			return g.check(r.URL)
		},
	}
}

// Get writes what an address answers to w, at most so many bytes, and returns the media type it came with. An address that is not asked is
// fault.Invalid, as is one that answers that there is nothing; more bytes are fault.TooLarge; all else fault.Unavailable.
func (g *Guard) Get(ctx context.Context, address string, w io.Writer, most int64) (media string, err error) {
	r, err := g.do(ctx, http.MethodGet, address, nil, nil)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	switch {
	case r.StatusCode >= 400 && r.StatusCode < 500 && r.StatusCode != http.StatusTooManyRequests && r.StatusCode != http.StatusRequestTimeout:
		return "", fault.New(fault.Invalid, "the address answers %d", r.StatusCode)
	case r.StatusCode != http.StatusOK:
		return "", fault.New(fault.Unavailable, "the address answers %d", r.StatusCode)
	case r.ContentLength > most:
		return "", fault.New(fault.TooLarge, "the file has %d bytes; it may have %d", r.ContentLength, most)
	}
	n, err := io.Copy(w, io.LimitReader(r.Body, most+1))
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "the file came in part")
	}
	if n > most {
		return "", fault.New(fault.TooLarge, "the file has more than the %d bytes it may have", most)
	}
	if r.ContentLength >= 0 && n != r.ContentLength {
		return "", fault.New(fault.Unavailable, "the file came in part")
	}
	return r.Header.Get("Content-Type"), nil
}

// Post sends a body and returns nil when it was taken (any 2xx). What is answered is not read.
func (g *Guard) Post(ctx context.Context, address string, body []byte, headers map[string]string) error {
	r, err := g.do(ctx, http.MethodPost, address, body, headers)
	if err != nil {
		return err
	}
	r.Body.Close()
	if r.StatusCode/100 != 2 {
		return fault.New(fault.Unavailable, "the address answers %d", r.StatusCode)
	}
	return nil
}

func (g *Guard) do(ctx context.Context, method, address string, body []byte, headers map[string]string) (*http.Response, error) {
	if err := g.Check(address); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, refused("it is not one")
	}
	r.Header.Set("User-Agent", "swath")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	answer, err := g.client().Do(r)
	if err != nil {
		var f *fault.Error
		if errors.As(err, &f) {
			return nil, f
		}
		return nil, fault.Wrap(fault.Unavailable, err, "the address does not answer")
	}
	if answer.StatusCode/100 == 3 {
		answer.Body.Close()
		return nil, fmt.Errorf("egress: %w", refused("it redirects to nowhere"))
	}
	return answer, nil
}
