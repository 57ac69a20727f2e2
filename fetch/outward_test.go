package fetch

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{"8.8.8.8": true, "2001:4860:4860::8888": true, "127.0.0.1": false, "::1": false, "10.1.2.3": false, "172.16.0.1": false,
		"192.168.1.1": false, "169.254.169.254": false, "fe80::1": false, "fd00::1": false, "224.0.0.1": false, "0.0.0.0": false, "100.64.0.1": false, "255.255.255.255": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// TestOutward: a host of the machine is reached only where that is allowed, also by its name and as an IPv4 address in IPv6; a redirect is not followed.
func TestOutward(t *testing.T) {
	s := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
	defer s.Close()
	closed := Outward(nil, time.Second)
	for _, url := range []string{s.URL, strings.Replace(s.URL, "127.0.0.1", "localhost", 1), strings.Replace(s.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1)} {
		if r, err := closed.Get(url); err == nil {
			r.Body.Close()
			t.Errorf("%s is reached", url)
		}
	}
	r, err := Outward([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, time.Second).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if r.Body.Close(); r.StatusCode != http.StatusFound {
		t.Errorf("status %d", r.StatusCode)
	}
}
