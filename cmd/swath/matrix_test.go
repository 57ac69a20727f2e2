package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/ingest"
	"swath/internal/issuertest"
	"swath/stac"
)

// asker is one kind of who asks: how it says so, and what it is.
type asker struct {
	name   string
	header [2]string
	role   auth.Role
	sees   bool // the private collection
	bad    bool // its credential is not good
}

// expected is the status of a row for one who asks, where strangers may read or not; seen says whether the row is about a collection that
// it sees.
func (r row) expected(who asker, strangers, seen bool) int {
	gone := r.gone
	if gone == 0 {
		gone = r.good
	}
	switch known := who.role != auth.Nobody; {
	case who.bad:
		return 401
	case r.needs == open:
		return r.good
	case !known && (!strangers || r.needs != reads && r.needs != ""):
		return 401
	case r.needs == changes && who.role < auth.Operator || r.needs == works && who.role < auth.Processor || r.needs == deploys && who.role < auth.Centre || r.needs == governs && who.role < auth.Admin:
		return 403
	case r.needs == own || r.needs == changes || seen:
		return r.good
	}
	return gone
}

// estate is an installation with a public and a private collection, and people of every kind.
type estate struct {
	t      *testing.T
	s      *stores
	cfg    Config
	issuer *issuertest.Issuer
	people []asker
	ids    map[string]string // of registered searches, by collection
	asset  string
	calls  int
}

// Names that stand nowhere else: of the private collection, of its item, and of one that is not there.
const (
	private = "xyzzya"
	absent  = "xyzzyb"
	hush    = "plughplover"
)

func newEstate(t *testing.T) *estate {
	needsProgram(t)
	cfg, log := defaultConfig(), slog.New(slog.NewTextHandler(io.Discard, nil))
	cfg.Data, cfg.Archive.Type, cfg.Archive.Orders = dataFolder(t), "sim", "accounts"
	issuer := issuertest.New(t)
	yes := true
	cfg.Accounts = Accounts{Anonymous: anonymousRead, Passwords: &yes, OIDC: OIDC{Issuer: issuer.URL, Client: issuertest.ClientID, Audience: issuertest.Audience,
		RoleClaim: "realm.roles", Roles: map[string]string{"ops": "operator"}}}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	s, err := openStores(t.Context(), cfg, log, owner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	e := &estate{t: t, s: s, cfg: cfg, issuer: issuer, ids: map[string]string{absent: strings.Repeat("0", 32)}}
	e.fill(log)
	e.invite()
	return e
}

// fill puts the same small scene into both collections.
func (e *estate) fill(log *slog.Logger) {
	e.t.Helper()
	ctx := e.t.Context()
	in := &ingest.Ingester{Objects: e.s.objects, Catalog: e.s.catalog, Work: e.s.work, Log: log}
	if _, err := in.Ingest(ctx, scenes+"/barbellino", ingest.Options{}); err != nil {
		e.t.Fatal(err)
	}
	from, err := e.s.catalog.Collection(ctx, "barbellino")
	if err != nil {
		e.t.Fatal(err)
	}
	page, err := e.s.catalog.Search(ctx, stac.Search{Collections: []string{"barbellino"}, Filter: nil, IDs: nil})
	if err != nil || len(page.Items) == 0 {
		e.t.Fatal(page.Items, err)
	}
	source := page.Items[len(page.Items)-1]
	var body struct {
		Assets map[string]struct {
			Object string `json:"swath:object"`
		} `json:"assets"`
	}
	if err := json.Unmarshal(source.Body, &body); err != nil {
		e.t.Fatal(err)
	}
	for key, a := range body.Assets {
		if strings.HasSuffix(a.Object, ".tif") && (e.asset == "" || key < e.asset) {
			e.asset = key
		}
	}
	product := fmt.Sprintf(`"assets":{"product":{"href":"swath:/collections/barbellino/items/%s/assets/product","type":"application/zip","swath:object":%q},`, source.ID, body.Assets[e.asset].Object)
	source.Body = json.RawMessage(strings.Replace(string(source.Body), `"assets":{`, product, 1))
	for collection, id := range map[string]string{"open": "scene", private: hush} {
		body := strings.ReplaceAll(string(from.Body), `"barbellino"`, `"`+collection+`"`)
		if err := e.s.catalog.PutCollection(ctx, stac.Collection{ID: collection, Body: json.RawMessage(body)}); err != nil {
			e.t.Fatal(err)
		}
		body = strings.NewReplacer(`"barbellino"`, `"`+collection+`"`, `"`+source.ID+`"`, `"`+id+`"`, "/collections/barbellino/items/"+source.ID, "/collections/"+collection+"/items/"+id).Replace(string(source.Body))
		if _, err := e.s.catalog.PutItem(ctx, stac.Item{Collection: collection, ID: id, Body: json.RawMessage(body)}); err != nil {
			e.t.Fatal(err)
		}
		r, err := stac.NewRegisteredSearch([]byte(`{"collections":["` + collection + `"]}`))
		if err != nil {
			e.t.Fatal(err)
		}
		if err := e.s.catalog.RegisterSearch(ctx, r); err != nil {
			e.t.Fatal(err)
		}
		e.ids[collection] = r.ID
	}
	if _, err := e.s.catalog.ChangeCollection(ctx, "barbellino", func(*stac.Collection) (*stac.Collection, error) { return nil, nil }); err != nil {
		e.t.Fatal(err)
	}
}

// invite makes an account or a credential of every kind.
func (e *estate) invite() {
	e.t.Helper()
	ctx := e.t.Context()
	add := func(name string, role auth.Role, password string) auth.Account {
		a := auth.Account{Name: name, Role: role}
		var err error
		if password != "" {
			if a.Password, err = auth.HashPassword(password); err != nil {
				e.t.Fatal(err)
			}
		}
		if a, err = e.s.accounts.AddAccount(ctx, a); err != nil {
			e.t.Fatal(err)
		}
		return a
	}
	key := func(a auth.Account, change func(*auth.Key)) string {
		made, key := auth.NewKey(a.ID)
		if change != nil {
			change(&made)
		}
		if _, err := e.s.accounts.AddKey(ctx, made); err != nil {
			e.t.Fatal(err)
		}
		return key
	}
	reader, other, admin := add("reader", auth.Reader, ""), add("other", auth.Reader, ""), add("admin", auth.Admin, "")
	add("centre", auth.Centre, "long enough a password")
	past, far := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	revoked, gone := "", add("gone", auth.Admin, "")
	revoked = key(admin, func(k *auth.Key) {
		e.t.Cleanup(func() {})
		k.Expires = &far
	})
	id := strings.Split(revoked, "_")[1]
	disabled := key(gone, nil)
	gone.Disabled = true
	for _, err := range []error{e.s.accounts.RevokeKey(ctx, id), e.s.accounts.ChangeAccount(ctx, gone), e.s.accounts.MakePrivate(ctx, private),
		e.s.accounts.Grant(ctx, auth.Grant{Collection: private, Account: reader.ID}), e.s.keeper.Refresh(ctx)} {
		if err != nil {
			e.t.Fatal(err)
		}
	}
	elsewhere := issuertest.New(e.t)
	i, rs := e.issuer, jose.RS256
	ops := map[string]any{"realm": map[string]any{"roles": []string{"x", "ops"}}}
	with := func(more map[string]any) map[string]any {
		all := map[string]any{"realm": ops["realm"]}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	bearer := func(token string) [2]string { return [2]string{"Authorization", "Bearer " + token} }
	now := time.Now().Unix()
	e.people = []asker{
		{"none", [2]string{}, auth.Nobody, false, false},
		{"reader", [2]string{"X-API-Key", key(reader, nil)}, auth.Reader, true, false},
		{"other user", bearer(key(other, nil)), auth.Reader, false, false},
		{"centre", [2]string{"Authorization", "Basic " + basic("centre", "long enough a password")}, auth.Centre, false, false},
		{"operator", bearer(i.Token(jose.ES256, ops)), auth.Operator, true, false},
		{"admin", [2]string{"Authorization", "Basic " + basic("x", key(admin, nil))}, auth.Admin, true, false},
		{"expired key", [2]string{"X-API-Key", key(admin, func(k *auth.Key) { k.Expires = &past })}, 0, false, true},
		{"expired token", bearer(i.Token(rs, with(map[string]any{"exp": now - 120}))), 0, false, true},
		{"revoked key", [2]string{"X-API-Key", revoked}, 0, false, true},
		{"disabled account", [2]string{"X-API-Key", disabled}, 0, false, true},
		{"wrong issuer", bearer(elsewhere.Token(rs, ops)), 0, false, true},
		{"wrong issuer that says to be ours", bearer(elsewhere.Token(rs, with(map[string]any{"iss": i.URL}))), 0, false, true},
		{"wrong audience", bearer(i.Token(rs, with(map[string]any{"aud": "other"}))), 0, false, true},
		{"not yet", bearer(i.Token(jose.EdDSA, with(map[string]any{"nbf": now + 300}))), 0, false, true},
		{"alg none", bearer(issuertest.Unsigned(e.t, i.Claims(ops))), 0, false, true},
		{"HS256 with the public key", bearer(issuertest.Sign(e.t, jose.HS256, i.PublicPEM(), i.Claims(ops))), 0, false, true},
		{"HS256 with the public key, named", bearer(issuertest.Sign(e.t, jose.HS256, jose.JSONWebKey{Key: i.PublicPEM(), KeyID: i.KeyID(rs)}, i.Claims(ops))), 0, false, true},
	}
}

func basic(name, password string) string {
	req, _ := http.NewRequest("GET", "/", nil)
	req.SetBasicAuth(name, password)
	return strings.TrimPrefix(req.Header.Get("Authorization"), "Basic ")
}

// answered is what came back.
type answered struct {
	status int
	body   string
	header http.Header
}

// noise are the parts of an answer that are another each time.
var noise = regexp.MustCompile(`"request_id":"[^"]*"|X-Amz-[A-Za-z]+=[^&"]*|"expires":"[^"]*"`)

// ask sends the request of a row, about a collection.
func (e *estate) ask(app *fiber.App, r row, who asker, collection string) answered {
	e.t.Helper()
	const z = 14
	lon, lat := 10.045, 46.065*math.Pi/180
	x := int((lon + 180) / 360 * (1 << z))
	y := int((1 - math.Log(math.Tan(lat)+1/math.Cos(lat))/math.Pi) / 2 * (1 << z))
	item := map[string]string{"open": "scene", private: hush, absent: hush}[collection]
	e.calls++
	fill := strings.NewReplacer("{c}", collection, "{i}", item, "{s}", e.ids[collection], "{u}", "http://example.com/collections/"+collection+"/items/"+item,
		"{x}", fmt.Sprint(x), "{y}", fmt.Sprint(y), "{draw}", "assets="+e.asset+"&bidx=1&rescale=0,1", "{stretch}", "bidx=1&rescale=0,1", "{a}", e.asset, "{uuid}", stac.UUID(collection, item), "{n}", fmt.Sprint(e.calls))
	method, _, _ := strings.Cut(r.route, " ")
	req := httptest.NewRequest(method, fill.Replace(r.target), strings.NewReader(fill.Replace(r.body)))
	req.Host = "example.com"
	switch {
	case strings.HasPrefix(r.body, "{"):
		req.Header.Set("Content-Type", "application/json")
	case r.body != "":
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if who.header[0] != "" {
		req.Header.Set(who.header[0], who.header[1])
	}
	resp, err := app.Test(req, -1)
	if err != nil {
		e.t.Fatalf("%s: %v", r.route, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	resp.Header.Del("X-Request-Id")
	resp.Header.Del("Date")
	return answered{resp.StatusCode, noise.ReplaceAllString(string(body), ""), resp.Header}
}

// TestAuthorisationMatrix asks every route of the app as everybody, where strangers may read and where they may not, and holds the status
// against the table; what is hidden must not be told from what is not there.
func TestAuthorisationMatrix(t *testing.T) {
	e := newEstate(t)
	rows := matrix()
	for _, anonymous := range []string{anonymousRead, anonymousNone} {
		cfg := e.cfg
		cfg.Accounts.Anonymous = anonymous
		app := newApp(e.s, cfg, slog.New(slog.DiscardHandler), nil, nil)
		known := map[string]bool{}
		for _, r := range rows {
			known[r.route] = true
		}
		served := map[string]bool{}
		for _, r := range app.GetRoutes(true) {
			if name := r.Method + " " + r.Path; r.Method != fiber.MethodHead {
				served[name] = true
				if !known[name] {
					t.Errorf("the route %s has no row in the matrix: say in matrix_table_test.go who may call it", name)
				}
			}
		}
		for _, r := range rows {
			if !served[r.route] {
				t.Errorf("the matrix has a row for %s, the app has no such route", r.route)
				continue
			}
			for _, who := range e.people {
				if strangers := anonymous == anonymousRead; strangers || who.role <= auth.Reader && !who.bad { // for all others nothing is different
					e.check(app, r, who, strangers)
				}
			}
		}
	}
	t.Logf("%d routes, %d kinds of who asks, %d requests", len(rows), len(e.people), e.calls)
}

func (e *estate) check(app *fiber.App, r row, who asker, strangers bool) {
	e.t.Helper()
	name := fmt.Sprintf("%s as %s (strangers read: %v)", r.route, who.name, strangers)
	got := e.ask(app, r, who, "open")
	if want := r.expected(who, strangers, true); got.status != want {
		e.t.Errorf("%s: %d, want %d: %.300s", name, got.status, want, got.body)
	}
	if !who.sees && (mentions(got, private) || mentions(got, hush)) {
		e.t.Errorf("%s tells of what is private: %.2000s %v", name, got.body, got.header)
	}
	if who.bad || !strings.ContainsAny(r.target+r.body, "{") || !regexp.MustCompile(`\{(c|i|s|u|uuid)\}`).MatchString(r.target+r.body) {
		return
	}
	hidden := e.ask(app, r, who, private)
	if want := r.expected(who, strangers, who.sees); hidden.status != want {
		e.t.Errorf("%s, private: %d, want %d: %.300s", name, hidden.status, want, hidden.body)
	}
	if who.sees {
		return
	}
	missing := e.ask(app, r, who, absent)
	same := strings.NewReplacer(absent, private, e.ids[absent], e.ids[private], stac.UUID(absent, hush), stac.UUID(private, hush))
	if want := same.Replace(missing.body); hidden.status != missing.status || hidden.body != want && !strings.HasPrefix(hidden.header.Get("Content-Type"), "image/") {
		e.t.Errorf("%s: what is private answers\n%d %.600s\nwhat is not there answers\n%d %.600s", name, hidden.status, hidden.body, missing.status, want)
	}
	for header, values := range missing.header {
		if header == "Etag" || header == "Content-Length" {
			continue // of bodies that hold the name
		}
		if want := same.Replace(strings.Join(values, "\n")); strings.Join(hidden.header[header], "\n") != want {
			e.t.Errorf("%s: the header %s tells what is private: %q, want %q", name, header, hidden.header[header], want)
		}
	}
	if !slices.Equal(headers(hidden), headers(missing)) {
		e.t.Errorf("%s: %v, of what is not there %v", name, headers(hidden), headers(missing))
	}
}

func headers(a answered) (names []string) {
	for name := range a.header {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func mentions(a answered, word string) bool {
	return strings.Contains(a.body, word) || strings.Contains(fmt.Sprint(a.header), word)
}
