package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"swath/auth"
	"swath/fault"
	"swath/internal/testdb"
)

func newStore(t testing.TB) (*Store, string) {
	t.Helper()
	url := testdb.New(t)
	s, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, url
}

func add(t testing.TB, s *Store, a auth.Account) auth.Account {
	t.Helper()
	a, err := s.AddAccount(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func wants(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: %v, want %v", what, err, kind)
	}
}

func TestAccounts(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	ada := add(t, s, auth.Account{Name: "ada", Role: auth.Processor, Email: "ada@example.org", Country: "FR", Password: "kept", Quotas: &auth.Quotas{BytesADay: 7}})
	for what, get := range map[string]func() (auth.Account, error){
		"by id": func() (auth.Account, error) { return s.Account(ctx, ada.ID) }, "by name": func() (auth.Account, error) { return s.AccountNamed(ctx, "ada") },
	} {
		got, err := get()
		if err != nil || got.Quotas == nil || *got.Quotas != *ada.Quotas || got.Role != auth.Processor || got.Password != "kept" || got.Email != ada.Email || got.Country != "FR" || got.Created.IsZero() {
			t.Errorf("%s: %+v %v", what, got, err)
		}
	}
	_, err := s.AddAccount(ctx, auth.Account{Name: "ada", Role: auth.Reader})
	wants(t, "the same name", err, fault.Conflict)
	_, err = s.AccountNamed(ctx, "bob")
	wants(t, "nobody", err, fault.NotFound)

	session := auth.Session{Digest: []byte("cookie"), Account: ada.ID, Expires: time.Now().Add(time.Hour)}
	if err := s.AddSession(ctx, session); err != nil {
		t.Fatal(err)
	}
	if a, n, err := s.AccountWithSession(ctx, []byte("cookie")); err != nil || a.ID != ada.ID || !n.Expires.Equal(session.Expires.Truncate(time.Microsecond)) {
		t.Errorf("%+v %+v %v", a, n, err)
	}
	ada.Role = auth.Operator
	if err := s.ChangeAccount(ctx, ada); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.AccountWithSession(ctx, []byte("cookie")); err != nil {
		t.Errorf("another role signs out: %v", err)
	}
	ada.Password = "another"
	if err := s.ChangeAccount(ctx, ada); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.AccountWithSession(ctx, []byte("cookie"))
	wants(t, "the session after another password", err, fault.NotFound)
	if err := s.AddSession(ctx, session); err != nil {
		t.Fatal(err)
	}
	ada.Disabled, ada.Role, ada.Quotas = true, auth.Centre, nil
	if err := s.ChangeAccount(ctx, ada); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Account(ctx, ada.ID); err != nil || !got.Disabled || got.Role != auth.Centre || got.Quotas != nil {
		t.Errorf("changed: %+v %v", got, err)
	}
	_, _, err = s.AccountWithSession(ctx, []byte("cookie"))
	wants(t, "the session of a disabled account", err, fault.NotFound)
}

func TestKeys(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	ada := add(t, s, auth.Account{Name: "ada", Role: auth.Reader})
	k, _ := auth.NewKey(ada.ID)
	k.Name, k.Role = "script", auth.Reader
	k, err := s.AddKey(ctx, k)
	if err != nil {
		t.Fatal(err)
	}
	a, got, err := s.AccountWithKey(ctx, k.ID)
	if err != nil || a.Name != "ada" || string(got.Digest) != string(k.Digest) || got.Role != auth.Reader || got.Expires != nil || got.Revoked != nil {
		t.Errorf("%+v %+v %v", a, got, err)
	}
	if all, err := s.Keys(ctx, ""); err != nil || len(all) != 1 || all[0].Used == nil {
		t.Errorf("its use is not noted: %+v %v", all, err)
	}
	if err := s.RevokeKey(ctx, k.ID); err != nil {
		t.Fatal(err)
	}
	if _, got, err := s.AccountWithKey(ctx, k.ID); err != nil || got.Revoked == nil {
		t.Errorf("revoked: %+v %v", got, err)
	}
	wants(t, "revoke nothing", s.RevokeKey(ctx, "none"), fault.NotFound)
	for _, age := range []struct{ good, gone time.Duration }{{time.Hour, 30 * time.Minute}, {time.Hour, 2 * time.Hour}, {365 * day, 29 * day}, {365 * day, 31 * day}} {
		old, _ := auth.NewKey(ada.ID)
		if _, err := s.AddKey(ctx, old); err != nil {
			t.Fatal(err)
		}
		ended := time.Now().Add(-age.gone)
		if _, err := s.pool.Exec(ctx, "update account_key set created = $2, expires = $3 where id = $1", old.ID, ended.Add(-age.good), ended); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Tidy(ctx); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Keys(ctx, ada.ID); err != nil || len(all) != 3 { // the first, and those that ended lately
		t.Errorf("%d keys are left, %v", len(all), err)
	}
	other, _ := auth.NewKey("nobody")
	_, err = s.AddKey(ctx, other)
	wants(t, "a key of nobody", err, fault.NotFound)
}

func TestIdentities(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	add(t, s, auth.Account{Name: "eve", Role: auth.Admin})
	who := auth.Identity{Issuer: "https://id.example", Subject: "1", Name: "eve", Email: "eve@example.org"}
	first, err := s.AccountOf(ctx, who, auth.Reader)
	if err != nil || first.Name == "eve" || first.Role != auth.Reader {
		t.Fatalf("a name of a local account is taken over: %+v %v", first, err)
	}
	who.Role, who.Email = auth.Operator, "eve@example.com"
	again, err := s.AccountOf(ctx, who, auth.Reader)
	if err != nil || again.ID != first.ID || again.Role != auth.Operator || again.Email != "eve@example.com" {
		t.Errorf("%+v %v", again, err)
	}
	who.Role = auth.Nobody
	if again, err = s.AccountOf(ctx, who, auth.Reader); err != nil || again.Role != auth.Operator {
		t.Errorf("an issuer that says nothing of roles: %+v %v", again, err)
	}
	who.Issuer = "https://other.example"
	if other, err := s.AccountOf(ctx, who, auth.Reader); err != nil || other.ID == first.ID {
		t.Errorf("the same subject of another issuer: %+v %v", other, err)
	}
}

func TestPrivateCollections(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	ada := add(t, s, auth.Account{Name: "ada", Role: auth.Reader})
	wants(t, "grant of a public one", s.Grant(ctx, auth.Grant{Collection: "c", Account: ada.ID}), fault.NotFound)
	for range 2 { // it may be said twice
		for _, err := range []error{s.MakePrivate(ctx, "c"), s.MakePrivate(ctx, "b"), s.Grant(ctx, auth.Grant{Collection: "c", Account: ada.ID}), s.Grant(ctx, auth.Grant{Collection: "c", Role: auth.Centre})} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if all, err := s.Privates(ctx); err != nil || fmt.Sprint(all) != fmt.Sprintf("[{b []} {c [{c  centre} {c %s nobody}]}]", ada.ID) {
		t.Errorf("%v %v", all, err)
	}
	if err := s.Withdraw(ctx, auth.Grant{Collection: "c", Role: auth.Centre}); err != nil {
		t.Error(err)
	}
	wants(t, "withdraw again", s.Withdraw(ctx, auth.Grant{Collection: "c", Role: auth.Centre}), fault.NotFound)
	if err := s.MakePublic(ctx, "c"); err != nil {
		t.Error(err)
	}
	if all, err := s.Privates(ctx); err != nil || fmt.Sprint(all) != "[{b []}]" {
		t.Errorf("%v %v", all, err)
	}
}

func TestUse(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	ada := add(t, s, auth.Account{Name: "ada", Role: auth.Reader})
	hour := time.Now().UTC().Truncate(time.Hour)
	long := hour.Add(-90 * day).Truncate(day)
	for _, at := range []time.Time{hour, hour, hour.Add(-time.Hour), long, long.Add(time.Hour), long.Add(23 * time.Hour)} {
		got, err := s.AddUse(ctx, []auth.Use{{Account: ada.ID, At: at, Requests: 2, Downloads: 1, Bytes: 10}, {At: at, Requests: 1}}, hour.Add(-day))
		if err != nil || len(got) == 0 {
			t.Fatal(got, err)
		}
	}
	got, err := s.AddUse(ctx, []auth.Use{{Account: ada.ID, At: hour, Bytes: 5}}, hour.Add(-day))
	if want := []auth.Use{use(ada.ID, hour.Add(-time.Hour), 2, 1, 10), use(ada.ID, hour, 4, 2, 25)}; err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v (%v)", got, want, err)
	}
	for range 2 {
		if err := s.Tidy(ctx); err != nil {
			t.Fatal(err)
		}
	}
	got, err = s.Used(ctx, ada.ID, long)
	if want := []auth.Use{use(ada.ID, long, 6, 3, 30), use(ada.ID, hour.Add(-time.Hour), 2, 1, 10), use(ada.ID, hour, 4, 2, 25)}; err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("folded: %v, want %v (%v)", got, want, err)
	}
	if a, err := s.Account(ctx, ada.ID); err != nil || a.Seen == nil {
		t.Errorf("not seen: %+v %v", a, err)
	}
}

const day = 24 * time.Hour

func use(account string, at time.Time, requests, downloads, bytes int64) auth.Use {
	return auth.Use{Account: account, At: at, Requests: requests, Downloads: downloads, Bytes: bytes}
}

// TestErase: after a person is erased, no table has a word of it, and what was used is still counted.
func TestErase(t *testing.T) {
	s, url := newStore(t)
	ctx := t.Context()
	ada, err := s.AccountOf(ctx, auth.Identity{Issuer: "https://id.example", Subject: "lovelace-7", Name: "lovelace", Email: "lovelace@example.org", Country: "UK"}, auth.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := auth.NewKey(ada.ID)
	k.Name = "lovelace's laptop"
	if _, err := s.AddKey(ctx, k); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{s.AddSession(ctx, auth.Session{Digest: []byte("c"), Account: ada.ID, Expires: time.Now().Add(time.Hour)}), s.MakePrivate(ctx, "c"), s.Grant(ctx, auth.Grant{Collection: "c", Account: ada.ID})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AddUse(ctx, []auth.Use{{Account: ada.ID, At: time.Now(), Bytes: 10}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := s.AddDownloads(ctx, []auth.Download{{Account: ada.ID, Key: k.ID, At: time.Now(), Collection: "c", Item: "fetched", Asset: "B04", Status: 206, Requests: 3, Bytes: 77, Seconds: 1.5}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(ctx, "with c as (insert into cart (id, owner, title) values ('k', $1, 'lovelace''s fields') returning id) insert into cart_item (cart, collection, item) select id, 'c', 'wanted' from c", ada.ID); err != nil {
		t.Fatal(err)
	}
	export, err := s.Export(ctx, ada.ID)
	for _, word := range []string{"lovelace@example.org", "lovelace-7", "lovelace's laptop", `"bytes": 10`, `"c"`, "UK", `"item": "fetched"`, `"bytes": 77`, "lovelace's fields", `"wanted"`} {
		if err != nil || !strings.Contains(string(export), word) {
			t.Errorf("the export lacks %q: %s %v", word, export, err)
		}
	}
	if strings.Contains(string(export), "igest") {
		t.Errorf("the export tells sums of secrets: %s", export)
	}
	if n := mentions(t, url, "lovelace"); n == 0 {
		t.Error("the search for mentions finds none before")
	}
	if err := s.Erase(ctx, ada.ID); err != nil {
		t.Fatal(err)
	}
	if n := mentions(t, url, "lovelace"); n != 0 {
		t.Errorf("%d rows still mention the person", n)
	}
	if used, err := s.Used(ctx, ada.ID, time.Now().Add(-day)); err != nil || len(used) != 1 || used[0].Bytes != 10 {
		t.Errorf("what was used: %v %v", used, err)
	}
	if a, err := s.AccountOf(ctx, auth.Identity{Issuer: "https://id.example", Subject: "lovelace-7"}, auth.Reader); err != nil || a.ID == ada.ID {
		t.Errorf("who comes back is known: %+v %v", a, err)
	}
	wants(t, "erase nobody", s.Erase(ctx, "none"), fault.NotFound)
}

// TestDownloadsGo: downloads are kept for thirteen months.
func TestDownloadsGo(t *testing.T) {
	s, _ := newStore(t)
	ctx, now := t.Context(), time.Now().UTC().Truncate(time.Microsecond)
	one := auth.Download{Account: "a", Key: "k", Collection: "c", Item: "i", Asset: "x", Status: 200, Requests: 1, Bytes: 1 << 40, Seconds: 0.25}
	old, young := one, one
	old.At, young.At = now.AddDate(0, -13, -2), now.AddDate(0, -13, 2)
	if err := s.AddDownloads(ctx, []auth.Download{young, old}); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]auth.Download{{old, young}, {young}} {
		if got, err := s.Downloads(ctx, "a"); err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		if err := s.Tidy(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// mentions counts the rows of all tables that have a word in them.
func mentions(t *testing.T, url, word string) (n int) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "select quote_ident(table_name) from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 10 {
		t.Fatal(tables, err)
	}
	for _, table := range tables {
		var here int
		if err := conn.QueryRow(ctx, "select count(*) from "+table+" t where t::text ilike '%' || $1 || '%'", word).Scan(&here); err != nil {
			t.Fatal(table, err)
		}
		n += here
	}
	return n
}

func TestSecretIsOne(t *testing.T) {
	s, _ := newStore(t)
	a, err := s.Secret(t.Context())
	b, err2 := s.Secret(t.Context())
	if err != nil || err2 != nil || len(a) != 32 || string(a) != string(b) {
		t.Errorf("%x %x %v %v", a, b, err, err2)
	}
}
