package authhttp

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"swath/auth"
)

// TestWhoMayKeep: caches are told what depends on who asks, and only then.
func TestWhoMayKeep(t *testing.T) {
	e := newEstate(t, nil)
	ada := e.account("ada", auth.Reader, "")
	key := []string{"X-API-Key", e.key(ada)}
	check := func(what string, got answer, control, vary string) {
		t.Helper()
		if got.header.Get("Cache-Control") != control || strings.Contains(strings.Join(got.header.Values("Vary"), ", "), "X-API-Key") != (vary != "") {
			t.Errorf("%s: %q, Vary %q; want %q", what, got.header.Get("Cache-Control"), got.header.Values("Vary"), control)
		}
	}
	before := e.do("GET", "/tile", "")
	check("nothing is private", before, "public, max-age=60", "")
	check("nothing is private, with a key", e.do("GET", "/tile", "", key...), "public, max-age=60", "")
	if err := e.store.MakePrivate(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	if err := e.keeper.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("something is private", e.do("GET", "/tile", ""), "public, max-age=60", "yes")
	known := e.do("GET", "/tile", "", key...)
	check("something is private, with a key", known, "private, max-age=60", "yes")
	check("without a word of its own", e.do("GET", "/plain", "", key...), "private", "yes")
	check("an error", e.do("GET", "/nowhere", "", key...), "no-store", "")
	if tag := known.header.Get("Etag"); tag == "" || tag != before.header.Get("Etag") {
		t.Errorf("the ETag of a tile is another for who is known: %q, %q", tag, before.header.Get("Etag"))
	}
	got := e.do("GET", "/tile", "", append(key, "If-None-Match", known.header.Get("Etag"))...)
	if check("not modified", got, "private, max-age=60", "yes"); got.status != 304 {
		t.Errorf("%d", got.status)
	}
	if got := e.do("GET", "/plain", "", key...); got.body != "ada c" {
		t.Errorf("%q", got.body)
	}
}

func TestStrangersStayOutside(t *testing.T) {
	e := newEstate(t, func(a *API) { a.Strangers, a.Open = false, []string{"/plain", "/auth/"} })
	ada := e.account("ada", auth.Reader, "correct horse")
	for path, want := range map[string]int{"/tile": 401, "/plain": 200, "/plain/x": 401, "/auth/login": 200, "/authx": 401, "/nowhere": 401, "/": 401, "/account": 401} {
		if got := e.do("GET", path, ""); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	for name, header := range map[string][2]string{
		"a key": {"X-API-Key", e.key(ada)}, "a key as bearer": {"Authorization", "bearer " + e.key(ada)}, "a password": {"Authorization", "BASIC " + basic("ada", "correct horse")},
		"a key as password": {"Authorization", "Basic " + basic("", e.key(ada))},
	} {
		if got := e.do("GET", "/tile", "", header[0], header[1]); got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for name, header := range map[string][2]string{
		"no scheme": {"Authorization", e.key(ada)}, "another scheme": {"Authorization", "Digest x"}, "no base64": {"Authorization", "Basic ???"}, "no colon": {"Authorization", "Basic " + basic("ada", "")[:4]},
		"a key in the wrong place": {"X-API-Key", "Bearer " + e.key(ada)}, "nothing": {"Authorization", "Bearer"},
	} {
		got := e.do("GET", "/plain", "", header[0], header[1])
		if got.status != 401 || !strings.Contains(strings.Join(got.header.Values("Www-Authenticate"), ","), "Basic") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	got := e.do("GET", "/tile", "", "Sec-Fetch-Mode", "cors")
	if got.status != 401 || strings.Contains(strings.Join(got.header.Values("Www-Authenticate"), ","), "Basic") {
		t.Errorf("a page's script makes the browser ask for a password: %v", got.header)
	}
	none := newEstate(t, func(a *API) { a.Passwords = false })
	none.account("ada", auth.Reader, "correct horse")
	if got := none.do("GET", "/tile", "", "Authorization", "Basic "+basic("ada", "correct horse")); got.status != 401 {
		t.Errorf("a password where none are taken: %d", got.status)
	}
	if got := none.do("POST", "/auth/login", "name=ada&password=correct+horse", "Content-Type", "application/x-www-form-urlencoded"); got.status != 404 {
		t.Errorf("a form where no passwords are taken: %d", got.status)
	}
}

func TestLinks(t *testing.T) {
	e := newEstate(t, nil)
	ada := e.account("ada", auth.Reader, "")
	key := e.key(ada)
	me := []string{"X-API-Key", key}
	link := func(href string, seconds int) string {
		t.Helper()
		body, err := json.Marshal(map[string]any{"href": href, "expires_s": seconds})
		if err != nil {
			t.Fatal(err)
		}
		got := e.do("POST", "/account/links", string(body), me...)
		var out struct{ Href string }
		if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.status != 201 {
			t.Fatalf("%s: %d %s", href, got.status, got.body)
		}
		return out.Href
	}
	signed := link("/files/a%20b-c.tif?x=1&y=%26~*", 60)
	if got := e.do("GET", signed, ""); got.status != 200 || got.body != "the file a b-c.tif" {
		t.Errorf("%s: %d %s", signed, got.status, got.body)
	}
	if got := e.do("HEAD", signed, ""); got.status != 200 {
		t.Errorf("HEAD: %d", got.status)
	}
	if got := e.do("GET", link("http://example.com/echo?b=2&a=1", 60), ""); got.body != "a=1&b=2" {
		t.Errorf("the query that the route sees: %q", got.body)
	}
	for name, target := range map[string]string{
		"another file": strings.Replace(signed, "a%20b", "secret", 1), "another parameter": strings.Replace(signed, "x=1", "x=2", 1), "one more": signed + "&z=1",
		"longer": strings.Replace(signed, "X-Amz-Expires=60", "X-Amz-Expires=600", 1), "another account": strings.Replace(signed, "Credential=", "Credential=x", 1),
		"no signature": signed[:strings.Index(signed, "X-Amz-Signature=")] + "X-Amz-Signature=00", "no hex": signed + "zz", "eternal": strings.Replace(signed, "X-Amz-Expires=60", "X-Amz-Expires=99999999", 1),
	} {
		if got := e.do("GET", target, ""); got.status != 401 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := e.do("POST", link("/change", 60), ""); got.status != 401 {
		t.Errorf("a change by a link: %d", got.status)
	}
	if got := e.do("GET", link("/account", 60), ""); got.status != 401 {
		t.Errorf("the account by a link: %d %s", got.status, got.body)
	}
	for _, body := range []string{`{"href":"http://evil.example/x"}`, `{"href":"files"}`, `{"href":"//evil.example/x"}`, `{"href":"/x","expires_s":0}`, `{"href":"/x","expires_s":700000}`, `[]`} {
		if got := e.do("POST", "/account/links", body, me...); got.status != 400 {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	u, err := url.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().UTC().Add(-2 * time.Minute)
	id := strings.Split(key, "_")[1]
	scope := []string{id, old.Format("20060102"), linkRegion, "s3", "aws4_request"}
	q := u.Query()
	q.Del("X-Amz-Signature")
	q.Set("X-Amz-Date", old.Format(linkTime))
	q.Set("X-Amz-Credential", strings.Join(scope, "/"))
	sum := signature(e.keeper.LinkSecret(id), scope, "example.com", u.EscapedPath(), q)
	if got := e.do("GET", u.EscapedPath()+"?"+q.Encode()+"&X-Amz-Signature="+hex.EncodeToString(sum), ""); got.status != 401 || !strings.Contains(got.body, "expired") {
		t.Errorf("after it expired: %d %s", got.status, got.body)
	}
	if err := e.keeper.RevokeKey(t.Context(), ada.ID, id); err != nil {
		t.Fatal(err)
	}
	if got := e.do("GET", signed, ""); got.status != 401 {
		t.Errorf("after its key was revoked: %d %s", got.status, got.body)
	}
}

// TestSignatureOfAWS is the example of AWS's own documentation (API Reference of S3, Authenticating Requests: Using Query Parameters).
func TestSignatureOfAWS(t *testing.T) {
	q := url.Values{"X-Amz-Algorithm": {linkAlgorithm}, "X-Amz-Credential": {"AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"}, "X-Amz-Date": {"20130524T000000Z"},
		"X-Amz-Expires": {"86400"}, "X-Amz-SignedHeaders": {"host"}}
	got := signature("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", strings.Split(q.Get("X-Amz-Credential"), "/"), "examplebucket.s3.amazonaws.com", "/test.txt", q)
	if want := "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"; hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
}

// TestWhatWasSent: bytes are added to who asked, and to nobody where nobody is known.
func TestWhatWasSent(t *testing.T) {
	e := newEstate(t, nil)
	ada := e.account("ada", auth.Reader, "")
	key := e.key(ada)
	e.do("GET", "/tile", "", "X-API-Key", key)
	e.do("HEAD", "/tile", "", "X-API-Key", key)
	e.do("GET", "/tile", "")
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.used[ada.ID] != int64(len("a tile")) || e.used[""] != int64(len("a tile")) {
		t.Errorf("%v", e.used)
	}
}

// FuzzIdentify: whatever a request says of who asks, it is let in or refused: no panic, no failure of ours, and nobody is made of nothing.
func FuzzIdentify(f *testing.F) {
	f.Add("Basic YTpi", "", "", "")
	f.Add("Bearer sw_aaaaaaaaaaaaaaaa_"+strings.Repeat("a", 40), "sw_x", "swath_session=x", "X-Amz-Signature=00&X-Amz-Credential=a/20260101/b/c/d&X-Amz-Date=20260101T000000Z&X-Amz-Expires=1")
	f.Add("Bearer a.b.c", "", "swath_session=", "X-Amz-Signature=%zz")
	f.Add("Digest x", "\x00", "x=y; =", "X-Amz-Signature=a&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-SignedHeaders=host")
	e := newEstate(f, nil)
	f.Fuzz(func(t *testing.T, authorization, key, cookie, query string) {
		req := &http.Request{Method: http.MethodGet, Host: "example.com", URL: &url.URL{Path: "/account", RawQuery: strings.Map(func(r rune) rune {
			if r <= ' ' || r > '~' || r == '#' {
				return -1
			}
			return r
		}, query)}, Header: http.Header{}}
		for name, value := range map[string]string{"Authorization": authorization, "X-API-Key": key, "Cookie": cookie} {
			if clean := strings.Map(func(r rune) rune {
				if r < ' ' || r > '~' {
					return -1
				}
				return r
			}, value); clean != "" {
				req.Header.Set(name, clean)
			}
		}
		resp, err := e.app.Test(req, -1)
		if err != nil {
			t.Skip(err) // no request that HTTP knows
		}
		defer resp.Body.Close()
		if resp.StatusCode != 401 && resp.StatusCode != 400 && resp.StatusCode != 429 && resp.StatusCode != 431 {
			t.Fatalf("%d: %q %q %q %q", resp.StatusCode, authorization, key, cookie, query)
		}
	})
}
