package authhttp

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"swath/auth"
)

var tokenIn = regexp.MustCompile(`"csrf_token":"([^"]+)"`)

// TestCodeFlow signs a person in at the issuer as a browser does, and out again.
func TestCodeFlow(t *testing.T) {
	e := newEstate(t, func(a *API) { a.Passwords = false }).listen()
	e.issuer.Person["groups"] = []string{"ops"}
	b := browser(t)
	got := e.get(b, "/auth/login?to="+url.QueryEscape("/account?f=json"))
	token := tokenIn.FindStringSubmatch(got.body)
	if got.status != 200 || !strings.Contains(got.body, `"name":"grace"`) || !strings.Contains(got.body, `"role":"operator"`) || token == nil {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, c := range b.Jar.Cookies(must(t, e.url)) {
		if c.Name == signInCookie || c.Name == sessionCookie && len(c.Value) < 32 {
			t.Errorf("cookie %v", c)
		}
	}
	if got := e.post(b, "/change", nil); got.status != 403 || !strings.Contains(got.body, formHeader) {
		t.Errorf("a change without the form token: %d %s", got.status, got.body)
	}
	if got := e.post(b, "/change", nil, formHeader, "x"+token[1]); got.status != 403 {
		t.Errorf("a change with another form token: %d %s", got.status, got.body)
	}
	for _, form := range []url.Values{nil, {formField: {token[1]}}} {
		headers := []string{formHeader, token[1]}
		if form != nil {
			headers = nil
		}
		if got := e.post(b, "/change", form, headers...); got.status != 200 {
			t.Errorf("a change with the form token (%v): %d %s", form, got.status, got.body)
		}
	}
	if got := e.post(b, "/search", nil); got.status != 200 {
		t.Errorf("a question by POST: %d %s", got.status, got.body)
	}
	if got := e.post(b, "/auth/logout", nil); got.status != 403 {
		t.Errorf("signed out by a page of others: %d", got.status)
	}
	cookies := b.Jar.Cookies(must(t, e.url))
	e.post(b, "/auth/logout", url.Values{formField: {token[1]}})
	if got := e.get(b, "/account"); got.status != 401 {
		t.Errorf("after signing out: %d %s", got.status, got.body)
	}
	b.Jar.SetCookies(must(t, e.url), cookies)
	if got := e.get(b, "/plain"); got.status != 200 || strings.Contains(got.body, "grace") || !strings.Contains(got.header.Get("Set-Cookie"), "swath_session=;") {
		t.Errorf("the cookie of a session that ended: %d %q %v", got.status, got.body, got.header)
	}
	e.issuer.Person["groups"] = []string{}
	if got := e.get(browser(t), "/auth/login?to=/account"); !strings.Contains(got.body, `"role":"reader"`) {
		t.Errorf("a role that the issuer took back: %s", got.body)
	}
}

func must(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestCallbackIsForWhoSetOut: nobody is signed in by an answer that his browser has not asked for.
func TestCallbackIsForWhoSetOut(t *testing.T) {
	e := newEstate(t, func(a *API) { a.Passwords = false }).listen()
	still := browser(t)
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	out := e.get(still, "/auth/login")
	to := must(t, out.header.Get("Location"))
	if out.status != 302 || to.Query().Get("code_challenge_method") != "S256" || to.Query().Get("nonce") == "" || to.Query().Get("state") == "" {
		t.Fatalf("%d %s", out.status, to)
	}
	if c := out.header.Get("Set-Cookie"); !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") {
		t.Errorf("cookie %q", c)
	}
	resp, err := still.Get(to.String())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	back := must(t, resp.Header.Get("Location"))
	if got := e.get(browser(t), back.RequestURI()); got.status != 400 {
		t.Errorf("another browser: %d %s", got.status, got.body)
	}
	if got := e.get(still, "/auth/callback?code=x&state="+back.Query().Get("state")); got.status != 403 {
		t.Errorf("a code that the issuer did not give: %d %s", got.status, got.body)
	}
	out = e.get(still, "/auth/login")
	if got := e.get(still, "/auth/callback?code="+back.Query().Get("code")+"&state=x"); got.status != 400 {
		t.Errorf("another state: %d %s", got.status, got.body)
	}
	out = e.get(still, "/auth/login") // the code of before was made for another verifier
	if got := e.get(still, "/auth/callback?code="+back.Query().Get("code")+"&state="+must(t, out.header.Get("Location")).Query().Get("state")); got.status != 403 {
		t.Errorf("the code of another flow: %d %s", got.status, got.body)
	}
	e.get(still, "/auth/login")
	if got := e.get(still, "/auth/callback?error=access_denied"); got.status != 400 {
		t.Errorf("an error without a state: %d %s", got.status, got.body)
	}
}

func TestPasswordForm(t *testing.T) {
	e := newEstate(t, nil).listen()
	e.account("ada", auth.Reader, "correct horse")
	if got := e.get(browser(t), "/auth/login?to=/plain"); got.status != 200 || !strings.Contains(got.body, `action="/auth/login"`) || !strings.Contains(got.body, "by=issuer") ||
		!strings.Contains(got.header.Get("Content-Security-Policy"), "form-action 'self'") {
		t.Errorf("%d %s", got.status, got.body)
	}
	told := browser(t)
	if got := e.get(told, "/auth/login?f=json"); got.body != `{"passwords":true,"issuer":true,"account":null}` {
		t.Errorf("how one signs in: %d %s", got.status, got.body)
	}
	e.post(told, "/auth/login", url.Values{"name": {"ada"}, "password": {"correct horse"}, "to": {"/plain"}})
	if got := e.get(told, "/auth/login?f=json"); !strings.Contains(got.body, `"account":{"name":"ada","role":"reader","csrf_token":"`) {
		t.Errorf("who has signed in: %d %s", got.status, got.body)
	}
	good := url.Values{"name": {"ada"}, "password": {"correct horse"}, "to": {"/plain"}}
	if got := e.post(browser(t), "/auth/login", good); got.status != 200 || got.body != "ada " {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := e.post(browser(t), "/auth/login", good, "Origin", "https://evil.example"); got.status != 403 {
		t.Errorf("a page of others signs in: %d", got.status)
	}
	if got := e.post(browser(t), "/auth/login", url.Values{"name": {"ada"}, "password": {"wrong"}, "to": {`/"><script>`}}); got.status != 401 || !strings.Contains(got.body, "is wrong") || strings.Contains(got.body, "<script>") {
		t.Errorf("%d %s", got.status, got.body)
	}
	b := browser(t)
	e.post(b, "/auth/login", url.Values{"name": {"ada"}, "password": {"correct horse"}, "to": {"/account?f=html"}})
	page := e.get(b, "/account?f=html")
	token := regexp.MustCompile(`name="csrf_token" value="([^"]+)"`).FindStringSubmatch(page.body)
	if page.status != 200 || token == nil {
		t.Fatalf("%d %s", page.status, page.body)
	}
	made := e.post(b, "/account/keys", url.Values{"name": {"<b>mine</b>"}, formField: {token[1]}})
	key := regexp.MustCompile(`sw_[a-z2-7]+_[a-z2-7]+`).FindString(made.body)
	if got := e.do("GET", "/plain", "", "X-API-Key", key); got.body != "ada " || strings.Contains(made.body, "<b>mine") {
		t.Errorf("a key from the page: %d %s", got.status, got.body)
	}
	if got := e.post(b, "/account/keys/"+strings.Split(key, "_")[1]+"/revoke", url.Values{formField: {token[1]}}); got.status != 200 || !strings.Contains(got.body, "revoked") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := e.do("GET", "/plain", "", "X-API-Key", key); got.status != 401 {
		t.Errorf("after it was revoked: %d %s", got.status, got.body)
	}
}

func TestLocal(t *testing.T) {
	for to, want := range map[string]string{"/a?b=c": "/a?b=c", "": "/", "https://evil.example/": "/", "//evil.example": "/", `/\evil.example`: "/", "/\t/evil.example": "/", "javascript:x": "/"} {
		if got := local(to); got != want {
			t.Errorf("local(%q) = %q, want %q", to, got, want)
		}
	}
}

// TestAccountOfOneself walks through what a person does with an account by a key.
func TestAccountOfOneself(t *testing.T) {
	e := newEstate(t, nil)
	ada := e.account("ada", auth.Reader, "correct horse")
	e.account("bob", auth.Reader, "battery staple")
	me := []string{"Authorization", "Basic " + basic("ada", "correct horse")}
	made := e.do("POST", "/account/keys", `{"name":"script","expires_days":30,"role":"reader"}`, me...)
	key := regexp.MustCompile(`"key":"([^"]+)"`).FindStringSubmatch(made.body)
	if made.status != 201 || key == nil || !strings.Contains(made.body, "link_secret") || made.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s %v", made.status, made.body, made.header)
	}
	for body, want := range map[string]int{`{"expires_days":0}`: 400, `{"role":"king"}`: 400, `[`: 400, `{"name":"` + strings.Repeat("x", 200) + `"}`: 400} {
		if got := e.do("POST", "/account/keys", body, me...); got.status != want {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	list := e.do("GET", "/account/keys", "", "X-API-Key", key[1])
	if list.status != 200 || !strings.Contains(list.body, "script") || strings.Contains(list.body, key[1]) || strings.Contains(list.body, "igest") {
		t.Errorf("%d %s", list.status, list.body)
	}
	more := e.do("POST", "/account/keys", `{"role":"admin"}`, "X-API-Key", key[1])
	bigger := regexp.MustCompile(`"key":"([^"]+)"`).FindStringSubmatch(more.body)
	ada.Role = auth.Admin
	if err := e.store.ChangeAccount(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	e.keeper.Forget()
	if got := e.do("GET", "/account", "", "X-API-Key", bigger[1]); !strings.Contains(got.body, `"role":"reader"`) {
		t.Errorf("a key made a key that may do more: %s", got.body)
	}
	id := strings.Split(key[1], "_")[1]
	other := []string{"Authorization", "Basic " + basic("bob", "battery staple")}
	if got := e.do("DELETE", "/account/keys/"+id, "", other...); got.status != 404 {
		t.Errorf("bob revokes ada's key: %d", got.status)
	}
	if got := e.do("DELETE", "/account/keys/"+id, "", me...); got.status != 204 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := e.do("GET", "/account/export", "", me...); got.status != 200 || !strings.Contains(got.body, `"ada"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := e.do("DELETE", "/account?name=bob", "", me...); got.status != 400 {
		t.Errorf("another name: %d", got.status)
	}
	if got := e.do("DELETE", "/account?name=ada", "", "X-API-Key", bigger[1]); got.status != 403 {
		t.Errorf("by a key: %d", got.status)
	}
	if got := e.do("DELETE", "/account?name=ada", "", me...); got.status != 204 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := e.do("GET", "/account", "", me...); got.status != 401 {
		t.Errorf("who was erased: %d", got.status)
	}
}

// TestAdmin: an admin changes the accounts of others, and does not shut out himself.
func TestAdmin(t *testing.T) {
	e := newEstate(t, nil)
	root := e.account("root", auth.Admin, "")
	bob := e.account("bob", auth.Reader, "")
	admin, reader := []string{"X-API-Key", e.key(root)}, []string{"X-API-Key", e.key(bob)}
	if got := e.do("GET", "/accounts", "", reader...); got.status != 403 {
		t.Errorf("a reader lists accounts: %d", got.status)
	}
	if got := e.do("GET", "/accounts", "", admin...); got.status != 200 || !strings.Contains(got.body, `"bob"`) || strings.Contains(got.body, "argon") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := e.do("PATCH", "/accounts/"+bob.ID, `{"role":"centre","quotas":{"downloads":3}}`, admin...); got.status != 200 || !strings.Contains(got.body, `"downloads":3`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := e.do("GET", "/account", "", reader...); !strings.Contains(got.body, `"role":"centre"`) || !strings.Contains(got.body, `"downloads":3`) {
		t.Errorf("bob, at once: %s", got.body)
	}
	for body, want := range map[string]int{`{"role":"king"}`: 400, `{"name":"x"}`: 400, `{"quotas":{"downloads":-1}}`: 400, `{"quotas":{"x":1}}`: 400, `[]`: 400, `{"quotas":null,"disabled":true}`: 200} {
		if got := e.do("PATCH", "/accounts/"+bob.ID, body, admin...); got.status != want {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	if got := e.do("GET", "/account", "", reader...); got.status != 401 {
		t.Errorf("bob, who is disabled: %d", got.status)
	}
	for _, body := range []string{`{"role":"reader"}`, `{"disabled":true}`} {
		if got := e.do("PATCH", "/accounts/"+root.ID, body, admin...); got.status != 409 {
			t.Errorf("an admin on himself, %s: %d", body, got.status)
		}
	}
	if got := e.do("PATCH", "/accounts/none", `{}`, admin...); got.status != 404 {
		t.Errorf("nobody: %d", got.status)
	}
}
