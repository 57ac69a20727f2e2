// Package faultproxy stands between a client and a server, for tests, and fails as networks and gateways do: seeded and repeatable.
//
//	client ◀─ 429, 502, a cut, a wrong byte, no ranges, or the answer, slowly ─ proxy ◀─ answer ─ server
//
// A fault strikes the same path twice at most, so that patience is rewarded.
package faultproxy

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy is one that runs.
type Proxy struct {
	URL   string
	Bytes atomic.Int64 // of the bodies of assets that it handed on

	o       Options
	forward *httputil.ReverseProxy
	mu      sync.Mutex
	strikes map[string]int
}

// Options say how it fails.
type Options struct {
	Seed     uint64
	Struck   int           // of a hundred paths, those that a fault strikes
	EachRead time.Duration // between pieces of a body, so that others have time to happen
}

// pieceBytes is how much of a body goes on at a time.
const pieceBytes = 16 << 10

type faultKey struct{}

// New starts one before a server; it ends with the test. The server sees the proxy's name as its own.
func New(t testing.TB, target string, o Options) *Proxy {
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{o: o, strikes: map[string]int{}}
	p.forward = &httputil.ReverseProxy{FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0), ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		ModifyResponse: func(r *http.Response) error {
			fault, _ := r.Request.Context().Value(faultKey{}).(string)
			r.Body = &body{ReadCloser: r.Body, p: p, asset: isAsset(r.Request), fault: fault, cut: r.ContentLength / 2}
			return nil
		}}
	s := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(s.Close)
	p.URL = s.URL
	return p
}

func isAsset(r *http.Request) bool { return strings.Contains(r.URL.Path, "/assets/") }

// fault returns what strikes a request now; empty for nothing.
func (p *Proxy) fault(r *http.Request) string {
	sum := fnv.New64a()
	fmt.Fprint(sum, p.o.Seed, r.URL.Path)
	n := sum.Sum64()
	faults := []string{"429", "502", "drop", "cut", "no range"}
	if isAsset(r) { // whose bytes have a checksum
		faults = append(faults, "wrong byte")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if int(n%100) >= p.o.Struck || p.strikes[r.URL.Path] >= 2 {
		return ""
	}
	p.strikes[r.URL.Path]++
	return faults[int(n/100)%len(faults)]
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	fault := p.fault(r)
	switch fault {
	case "429":
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case "502":
		w.WriteHeader(http.StatusBadGateway)
		return
	case "drop":
		panic(http.ErrAbortHandler)
	case "no range":
		r.Header.Del("Range")
	}
	p.forward.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), faultKey{}, fault)))
}

// body hands an answer on, slowly, with its fault.
type body struct {
	io.ReadCloser
	p     *Proxy
	asset bool
	fault string
	cut   int64 // where a cut is
	sent  int64
}

func (b *body) Read(buffer []byte) (int, error) {
	if b.fault == "cut" && b.sent >= b.cut {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(buffer[:min(len(buffer), pieceBytes)])
	if b.fault == "wrong byte" && b.sent == 0 && n > 0 {
		buffer[n/2] ^= 1
	}
	b.sent += int64(n)
	if b.asset {
		b.p.Bytes.Add(int64(n))
	}
	time.Sleep(b.p.o.EachRead)
	return n, err
}
