package authhttp

import (
	"encoding/base64"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"swath/auth"
	"swath/fault"
	"swath/internal/issuertest"
)

func basic(name, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(name + ":" + password))
}

func newIssuer(t *testing.T) (*Issuer, *issuertest.Issuer) {
	at := issuertest.New(t)
	return &Issuer{URL: at.URL, ClientID: issuertest.ClientID, Audience: issuertest.Audience}, at
}

func TestTokens(t *testing.T) {
	i, at := newIssuer(t)
	now := time.Now().Unix()
	for name, tc := range map[string]struct {
		alg    jose.SignatureAlgorithm
		claims map[string]any
		good   bool
	}{
		"RS256": {jose.RS256, nil, true}, "ES256": {jose.ES256, nil, true}, "EdDSA": {jose.EdDSA, nil, true},
		"of several audiences":      {jose.RS256, map[string]any{"aud": []string{"x", issuertest.Audience}}, true},
		"just expired, clocks vary": {jose.RS256, map[string]any{"exp": now - 50}, true},
		"soon good, clocks vary":    {jose.RS256, map[string]any{"nbf": now + 50}, true},
		"expired":                   {jose.RS256, map[string]any{"exp": now - 61}, false},
		"not good yet":              {jose.RS256, map[string]any{"nbf": now + 65}, false},
		"no end":                    {jose.RS256, map[string]any{"exp": nil}, false},
		"nobody":                    {jose.RS256, map[string]any{"sub": ""}, false},
		"another issuer":            {jose.RS256, map[string]any{"iss": "https://other.example"}, false},
		"another audience":          {jose.RS256, map[string]any{"aud": issuertest.ClientID}, false},
		"no audience":               {jose.RS256, map[string]any{"aud": nil}, false},
	} {
		who, until, err := i.verify(t.Context(), at.Token(tc.alg, tc.claims))
		switch {
		case !tc.good && !fault.Is(err, fault.Unauthenticated):
			t.Errorf("%s: %+v %v", name, who, err)
		case tc.good && (err != nil || who.Subject != "program-1" || who.Issuer != at.URL || until.Before(time.Now())):
			t.Errorf("%s: %+v until %v: %v", name, who, until, err)
		}
	}
	if _, _, err := i.verify(t.Context(), at.Typed(jose.RS256, "at+jwt", nil)); err != nil {
		t.Errorf("an access token (RFC 9068): %v", err)
	}
	good := at.Token(jose.RS256, nil)
	parts := strings.Split(good, ".")
	head := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, token := range map[string]string{
		"nothing": "", "a word": "x", "no signature": parts[0] + "." + parts[1] + ".", "two parts": parts[0] + "." + parts[1],
		"other claims":          parts[0] + "." + head(`{"iss":"`+at.URL+`","aud":"swath-api","sub":"x","exp":9999999999}`) + "." + parts[2],
		"alg none":              issuertest.Unsigned(t, at.Claims(nil)),
		"alg None":              head(`{"alg":"None"}`) + "." + parts[1] + ".",
		"HS256, the public key": issuertest.Sign(t, jose.HS256, at.PublicPEM(), at.Claims(nil)),
		"another type":          at.Typed(jose.RS256, "logout+jwt", nil),
		"a path as kid":         head(`{"alg":"RS256","kid":"../../etc/passwd"}`) + "." + parts[1] + "." + parts[2],
		"its own key":           selfSigned(t, at),
		"JSON":                  `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
	} {
		if who, _, err := i.verify(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %+v %v", name, who, err)
		}
	}
}

// selfSigned brings its own key along, which a verifier must not believe.
func selfSigned(t *testing.T, at *issuertest.Issuer) string {
	t.Helper()
	other := issuertest.New(t)
	return other.Token(jose.ES256, map[string]any{"iss": at.URL})
}

// TestKeysAreAskedForSeldom: strangers with tokens of unknown keys make us ask the issuer once a minute; a new key of the issuer is known
// then, and one that it took back is believed no longer than an hour.
func TestKeysAreAskedForSeldom(t *testing.T) {
	i, at := newIssuer(t)
	if _, _, err := i.verify(t.Context(), at.Token(jose.RS256, nil)); err != nil || at.KeysAsked.Load() != 1 {
		t.Fatal(err, at.KeysAsked.Load())
	}
	later := time.Duration(0)
	i.keys.now = func() time.Time { return time.Now().Add(later) }
	old := at.Token(jose.RS256, map[string]any{"exp": time.Now().Add(5 * time.Hour).Unix()})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 25 {
				if _, _, err := i.verify(t.Context(), unknownKey(at)); !fault.Is(err, fault.Unauthenticated) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n := at.KeysAsked.Load(); n != 1 {
		t.Errorf("200 bad tokens in the first minute made us ask %d times", n-1)
	}
	at.Rotate()
	fresh := at.Token(jose.RS256, nil)
	if _, _, err := i.verify(t.Context(), fresh); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a new key within the minute: %v", err)
	}
	later = 61 * time.Second
	if _, _, err := i.verify(t.Context(), old); err != nil || at.KeysAsked.Load() != 1 {
		t.Errorf("a known key makes us ask: %v, %d", err, at.KeysAsked.Load())
	}
	if _, _, err := i.verify(t.Context(), fresh); err != nil || at.KeysAsked.Load() != 2 {
		t.Errorf("a new key after a minute: %v, asked %d times", err, at.KeysAsked.Load())
	}
	if _, _, err := i.verify(t.Context(), old); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a key that was taken back: %v", err)
	}
	before := at.KeysAsked.Load()
	later += time.Hour + time.Minute
	if _, _, err := i.verify(t.Context(), fresh); err != nil || at.KeysAsked.Load() != before+1 {
		t.Errorf("after an hour: %v, asked %d times", err, at.KeysAsked.Load()-before)
	}
}

// unknownKey makes a token whose key has a name that nobody knows.
func unknownKey(at *issuertest.Issuer) string {
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"unknown"}`))
	return head + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"`+at.URL+`"}`)) + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64))
}

func TestIssuerIsDown(t *testing.T) {
	i := &Issuer{URL: "http://127.0.0.1:9", ClientID: "x"}
	for range 2 {
		if _, _, err := i.verify(t.Context(), "a.b.c"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
	}
	e := newEstate(t, func(a *API) { a.Issuer = i; a.Passwords = false })
	e.account("ada", auth.Reader, "")
	if got := e.do("GET", "/plain", "", "Authorization", "Bearer a.b.c"); got.status != 503 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := e.do("GET", "/auth/login", ""); got.status != 503 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := e.do("GET", "/plain", ""); got.status != 200 {
		t.Errorf("a stranger: %d %s", got.status, got.body)
	}
}

func TestRoleClaim(t *testing.T) {
	i := &Issuer{RoleClaim: "realm_access.roles", Roles: map[string]auth.Role{"ops": auth.Operator, "sci": auth.Processor}, Otherwise: auth.Reader}
	list := func(names ...any) map[string]any {
		return map[string]any{"realm_access": map[string]any{"roles": names}}
	}
	for name, tc := range map[string]struct {
		claims map[string]any
		want   auth.Role
	}{
		"none": {map[string]any{}, auth.Reader}, "several": {list("x", "sci", "ops"), auth.Operator}, "unknown": {list("king"), auth.Reader}, "numbers": {list(1, nil), auth.Reader},
		"one text": {map[string]any{"realm_access": map[string]any{"roles": "sci"}}, auth.Processor}, "another shape": {map[string]any{"realm_access": "ops"}, auth.Reader},
	} {
		if got := i.roleIn(tc.claims); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
	if got := (&Issuer{}).roleIn(list("ops")); got != auth.Nobody {
		t.Errorf("an issuer that gives no roles: %v", got)
	}
}

// FuzzVerify: whatever comes as a token, it is no panic, and nobody.
func FuzzVerify(f *testing.F) {
	for _, seed := range []string{"", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJSUzI1NiIsImtpZCI6Ii4uLyJ9.e30.AA", `{"payload":""}`, "...."} {
		f.Add(seed)
	}
	set := &keySet{url: "http://127.0.0.1:9", now: time.Now, known: []jose.JSONWebKey{}, since: time.Now(), asked: time.Now()}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := set.VerifySignature(t.Context(), token); err == nil {
			t.Fatalf("%q is taken", token)
		}
	})
}
