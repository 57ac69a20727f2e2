package egress_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"swath/fault"
	"swath/fetch/egress"
)

func TestRefused(t *testing.T) {
	g := &egress.Guard{HTTP: true}
	for _, address := range []string{
		"file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "/vsicurl/http://example.com/", "s3://bucket/key", "data:text/plain,x", "",
		"https://", "https:opaque", "https://user:secret@example.com/",
		"http://127.0.0.1/", "http://127.1.2.3:8080/", "http://0.0.0.0/", "http://10.0.0.1/", "http://172.16.5.5/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data",
		"http://100.64.0.1/", "http://224.0.0.1/", "http://255.255.255.255/", "http://198.18.0.1/", "http://192.0.2.1/",
		"http://[::1]/", "http://[::]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fc00::1]/", "http://[fd12:3456::1]/", "http://[ff02::1]/",
		"http://[::ffff:127.0.0.1]/", "http://[::ffff:8.8.8.8]/", "http://[::7f00:1]/", "http://[64:ff9b::7f00:1]/", "http://[64:ff9b:1::1]/", "http://[2002:7f00:1::]/", "http://[2001::1]/",
	} {
		if err := g.Check(address); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := (&egress.Guard{}).Check("http://example.com/"); !fault.Is(err, fault.Invalid) {
		t.Errorf("plain http: %v", err)
	}
	for _, address := range []string{"https://example.com/x.zip", "https://93.184.216.34/", "https://[2606:4700::1111]/"} {
		if err := g.Check(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestNamesOfInside: names, and the forms of numbers that only a resolver or the C library reads, are checked by what they resolve to. No
// request gets through.
func TestNamesOfInside(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	g := &egress.Guard{HTTP: true, Resolve: resolver(t, netip.MustParseAddr("127.0.0.1"))}
	for _, host := range []string{"localhost", "inside.example", "2130706433", "0x7f.1", "127.1"} {
		if _, err := g.Get(t.Context(), "http://"+host+":"+port+"/", io.Discard, 100); err == nil {
			t.Errorf("%s is asked", host)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests came through", n)
	}
}

// TestRebinding: what a name resolved to before does not matter, only what is dialled.
func TestRebinding(t *testing.T) {
	g := &egress.Guard{HTTP: true, Resolve: resolver(t, netip.MustParseAddr("169.254.169.254"))}
	if _, err := g.Get(t.Context(), "http://rebind.example/", io.Discard, 100); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

// local may ask the servers of tests, and nothing else that is closed.
func local() *egress.Guard {
	return &egress.Guard{HTTP: true, Reach: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
}

func TestGet(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/file", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, strings.Repeat("x", 1000)) //nolint:errcheck // a test
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			w.Write(make([]byte, 1000)) //nolint:errcheck // a test
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/secret", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "the password is tiger") //nolint:errcheck // a test
	})
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("/to-file", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	})
	mux.HandleFunc("/to-inside", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.2/", http.StatusFound)
	})
	for i, to := range []string{"/file", "/hop0", "/hop1", "/hop2"} {
		mux.HandleFunc("/hop"+string(rune('0'+i)), func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	for name, tc := range map[string]struct {
		path string
		most int64
		want string // kind; empty: it is there
	}{
		"a file": {"/file", 1000, ""}, "too large by its length": {"/file", 999, "too large"}, "too large as it comes": {"/endless", 5000, "too large"},
		"three redirects": {"/hop2", 1000, ""}, "four": {"/hop3", 1000, "invalid"}, "to a file": {"/to-file", 1000, "invalid"}, "to inside": {"/to-inside", 1000, "invalid"},
		"forbidden": {"/secret", 1000, "invalid"}, "nothing": {"/nothing", 1000, "invalid"}, "busy": {"/busy", 1000, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			_, err := local().Get(t.Context(), server.URL+tc.path, &b, tc.most)
			kind, _ := fault.Of(err)
			if tc.want == "" && (err != nil || b.Len() != 1000) || tc.want != "" && (err == nil || kind.String() != tc.want) {
				t.Errorf("%d bytes, %v", b.Len(), err)
			}
			if err != nil && strings.Contains(err.Error(), "tiger") {
				t.Errorf("the error repeats the answer: %v", err)
			}
		})
	}
}

// resolver answers every question for an A record with one address.
func resolver(t *testing.T, ip netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			m.Response = true
			m.Additionals = nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: ip.As4()}}}
			}
			if answer, err := m.Pack(); err == nil {
				conn.WriteTo(answer, from) //nolint:errcheck // a test
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
