package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"swath/auth"
	"swath/auth/store"
	"swath/fault"
	"swath/internal/testdb"
)

// counting is a store that counts how often it is asked for keys, and fails when it is told to.
type counting struct {
	*store.Store
	mu    sync.Mutex
	asked int
	down  bool
}

func (c *counting) AddDownloads(ctx context.Context, all []auth.Download) error {
	if c.down {
		return fault.New(fault.Unavailable, "down")
	}
	return c.Store.AddDownloads(ctx, all)
}

func (c *counting) AccountWithKey(ctx context.Context, id string) (auth.Account, auth.Key, error) {
	c.mu.Lock()
	c.asked++
	down := c.down
	c.mu.Unlock()
	if down {
		return auth.Account{}, auth.Key{}, fault.New(fault.Unavailable, "down")
	}
	return c.Store.AccountWithKey(ctx, id)
}

func newKeeper(t testing.TB, cfg auth.Config) (*auth.Keeper, *counting) {
	t.Helper()
	s, err := store.Open(t.Context(), testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	cfg.Log = slog.New(slog.DiscardHandler)
	c := &counting{Store: s}
	k, err := auth.NewKeeper(t.Context(), c, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return k, c
}

func account(t testing.TB, s *counting, a auth.Account) auth.Account {
	t.Helper()
	a, err := s.AddAccount(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestKeys(t *testing.T) {
	k, s := newKeeper(t, auth.Config{Quotas: map[auth.Role]auth.Quotas{auth.Centre: {Jobs: 9}}})
	ctx := t.Context()
	ada := account(t, s, auth.Account{Name: "ada", Role: auth.Centre})
	_, key, err := k.MakeKey(ctx, ada.ID, "laptop", auth.Nobody, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		p, err := k.ByKey(ctx, key)
		if err != nil || p.User != ada.ID || p.Role != auth.Centre || p.Quotas.Jobs != 9 || p.Key == "" {
			t.Fatal(p, err)
		}
	}
	if s.asked != 1 {
		t.Errorf("the database was asked %d times for 100 requests", s.asked)
	}
	wrong := key[:len(key)-1] + map[bool]string{true: "b", false: "a"}[key[len(key)-1] == 'a']
	for range 50 {
		if _, err := k.ByKey(ctx, wrong); !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
	}
	if s.asked != 2 {
		t.Errorf("the database was asked %d times, and once more for a wrong key", s.asked)
	}
	for _, bad := range []string{"", "sw_", "sw_x_y", key + "x", "xx" + key[2:], "sw_" + key} {
		if _, err := k.ByKey(ctx, bad); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if p, err := k.ByPassword(ctx, "whoever", key, "here"); err != nil || p.User != ada.ID {
		t.Errorf("a key as password: %+v %v", p, err)
	}
	_, small, err := k.MakeKey(ctx, ada.ID, "", auth.Reader, nil)
	if p, err2 := k.ByKey(ctx, small); err != nil || err2 != nil || p.Role != auth.Reader {
		t.Errorf("a key that may do less: %+v %v %v", p, err, err2)
	}
	_, large, err := k.MakeKey(ctx, ada.ID, "", auth.Admin, nil)
	if p, err2 := k.ByKey(ctx, large); err != nil || err2 != nil || p.Role != auth.Centre {
		t.Errorf("a key that may do more than its account: %+v %v %v", p, err, err2)
	}
	soon := time.Now().Add(400 * time.Millisecond)
	_, brief, err := k.MakeKey(ctx, ada.ID, "", auth.Nobody, &soon)
	if _, err2 := k.ByKey(ctx, brief); err != nil || err2 != nil {
		t.Error(err, err2)
	}
	time.Sleep(time.Until(soon) + 10*time.Millisecond)
	if _, err := k.ByKey(ctx, brief); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("an expired key is believed: %v", err)
	}
	past := time.Now().Add(-time.Second)
	if _, _, err := k.MakeKey(ctx, ada.ID, "", auth.Nobody, &past); !fault.Is(err, fault.Invalid) {
		t.Errorf("a key of the past: %v", err)
	}
}

// TestRevoked: this server obeys at once, the others when what they believe is half a minute old; who can't ask believes no longer.
func TestRevoked(t *testing.T) {
	k, s := newKeeper(t, auth.Config{})
	other, err := auth.NewKeeper(t.Context(), s, auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	ada := account(t, s, auth.Account{Name: "ada", Role: auth.Reader})
	made, key, err := k.MakeKey(ctx, ada.ID, "", auth.Nobody, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range []*auth.Keeper{k, other} {
		if _, err := each.ByKey(ctx, key); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.RevokeKey(ctx, "another", made.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("who revokes another's key: %v", err)
	}
	if err := k.RevokeKey(ctx, ada.ID, made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := k.ByKey(ctx, key); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("here: %v", err)
	}
	if _, err := other.ByKey(ctx, key); err != nil {
		t.Errorf("elsewhere, a moment later: %v", err)
	}
	other.Grow(31 * time.Second)
	s.down = true
	if _, err := other.ByKey(ctx, key); !fault.Is(err, fault.Unavailable) {
		t.Errorf("elsewhere, while the database is down: %v", err)
	}
	s.down = false
	if _, err := other.ByKey(ctx, key); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("elsewhere, half a minute later: %v", err)
	}
}

func TestPasswords(t *testing.T) {
	k, s := newKeeper(t, auth.Config{})
	ctx := t.Context()
	hash, err := auth.HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	ada := account(t, s, auth.Account{Name: "ada", Role: auth.Reader, Password: hash})
	account(t, s, auth.Account{Name: "machine", Role: auth.Admin})
	if p, err := k.ByPassword(ctx, "ada", "correct horse", "a"); err != nil || p.User != ada.ID {
		t.Fatal(p, err)
	}
	for i := range 6 {
		if _, err := k.ByPassword(ctx, "ada", fmt.Sprint("wrong horse ", i), "b"); (i < 5) != fault.Is(err, fault.Unauthenticated) || (i == 5) != fault.Is(err, fault.OverQuota) {
			t.Errorf("try %d: %v", i, err)
		} else if i == 5 && (fault.Later(err) <= 0 || fault.Later(err) > time.Second) {
			t.Errorf("try %d: later is %v", i, fault.Later(err))
		}
	}
	if _, err := k.ByPassword(ctx, "ada", "correct horse", "b"); err != nil {
		t.Errorf("who is known is kept out by who guesses: %v", err)
	}
	for _, who := range [][2]string{{"nobody", "correct horse"}, {"machine", ""}, {"machine", "correct horse"}, {"", ""}} {
		if _, err := k.ByPassword(ctx, who[0], who[1], "c"); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%v: %v", who, err)
		}
	}
	for _, bad := range []string{"", "short", string(make([]byte, 300))} {
		if _, err := auth.HashPassword(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("password of %d bytes: %v", len(bad), err)
		}
	}
}

func TestSessions(t *testing.T) {
	k, s := newKeeper(t, auth.Config{Session: 300 * time.Millisecond})
	ctx := t.Context()
	ada := account(t, s, auth.Account{Name: "ada", Role: auth.Reader})
	cookie, expires, err := k.SignIn(ctx, auth.Principal{User: ada.ID})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := k.BySession(ctx, cookie); err != nil || p.User != ada.ID {
		t.Fatal(p, err)
	}
	if k.FormToken(cookie) == k.FormToken(cookie+"x") || len(k.FormToken(cookie)) != 32 {
		t.Error("form tokens are not of their sessions")
	}
	time.Sleep(time.Until(expires) + 10*time.Millisecond)
	if _, err := k.BySession(ctx, cookie); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a session that has ended: %v", err)
	}
	cookie, _, err = k.SignIn(ctx, auth.Principal{User: ada.ID})
	if err = errors.Join(err, k.SignOut(ctx, cookie)); err != nil {
		t.Fatal(err)
	}
	if _, err := k.BySession(ctx, cookie); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("who has signed out: %v", err)
	}
}

func TestScope(t *testing.T) {
	k, s := newKeeper(t, auth.Config{})
	ctx := t.Context()
	ada := account(t, s, auth.Account{Name: "ada", Role: auth.Reader})
	if k.AnyPrivate() || k.Scope(auth.Principal{}).Key() != "" {
		t.Error("something is private where nothing is")
	}
	for _, err := range []error{s.MakePrivate(ctx, "a"), s.MakePrivate(ctx, "b"), s.MakePrivate(ctx, "c"), s.Grant(ctx, auth.Grant{Collection: "a", Account: ada.ID}),
		s.Grant(ctx, auth.Grant{Collection: "b", Role: auth.Processor}), k.Refresh(ctx)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		who    auth.Principal
		hidden string
	}{
		{auth.Principal{}, "[a b c]"}, {auth.Principal{User: ada.ID, Role: auth.Reader}, "[b c]"}, {auth.Principal{User: "x", Role: auth.Reader}, "[a b c]"},
		{auth.Principal{User: ada.ID, Role: auth.Processor}, "[c]"}, {auth.Principal{User: "x", Role: auth.Centre}, "[a c]"}, {auth.Principal{User: "x", Role: auth.Operator}, "[]"},
		{auth.Principal{Role: auth.Centre}, "[a b c]"}, // nobody is no centre
	} {
		for range 2 { // looked up, and remembered
			if got := fmt.Sprint(k.Scope(tc.who).Hidden()); got != tc.hidden {
				t.Errorf("%+v: %s is hidden, want %s", tc.who, got, tc.hidden)
			}
		}
	}
}

// TestExposed: what is made of a private collection may go where nobody sees it who does not see that collection.
func TestExposed(t *testing.T) {
	k, s := newKeeper(t, auth.Config{})
	ctx := t.Context()
	ada, bob := account(t, s, auth.Account{Name: "ada", Role: auth.Operator}), account(t, s, auth.Account{Name: "bob", Role: auth.Reader})
	for name, grants := range map[string][]auth.Grant{
		"nobody": nil, "ada": {{Account: ada.ID}}, "ada and bob": {{Account: ada.ID}, {Account: bob.ID}}, "centres": {{Role: auth.Centre}}, "processors": {{Role: auth.Processor}}, "centres and bob": {{Role: auth.Centre}, {Account: bob.ID}},
	} {
		if err := s.MakePrivate(ctx, name); err != nil {
			t.Fatal(err)
		}
		for _, g := range grants {
			g.Collection = name
			if err := s.Grant(ctx, g); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := k.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	all := []string{"public", "nobody", "ada", "ada and bob", "centres", "processors", "centres and bob"}
	for into, want := range map[string]string{
		"public": "[nobody ada ada and bob centres processors centres and bob]", "nobody": "[]", "ada": "[nobody centres processors centres and bob]",
		"ada and bob": "[nobody ada centres processors centres and bob]", "centres": "[nobody ada ada and bob]", "processors": "[nobody ada ada and bob centres centres and bob]",
		"centres and bob": "[nobody ada ada and bob centres processors]",
	} {
		if got := fmt.Sprint(k.Exposed(all, into)); got != want {
			t.Errorf("into %s: %s, want %s", into, got, want)
		}
	}
}

func TestQuotas(t *testing.T) {
	k, s := newKeeper(t, auth.Config{})
	ctx := t.Context()
	ada := account(t, s, auth.Account{Name: "ada", Role: auth.Reader})
	p := auth.Principal{User: ada.ID, Quotas: auth.Quotas{Downloads: 2, BytesADay: 1000}}
	end1, err1 := k.Download(ctx, p)
	end2, err2 := k.Download(ctx, p)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if _, err := k.Download(ctx, p); !fault.Is(err, fault.OverQuota) || fault.Later(err) <= 0 {
		t.Errorf("a third at once: %v", err)
	}
	if left := k.Allowances(p); len(left) != 2 || left[0] != (auth.Allowance{Name: "bytes", Unit: "content-bytes", Quota: 1000, Left: 1000, Window: 24 * time.Hour, Reset: 24 * time.Hour}) ||
		left[1] != (auth.Allowance{Name: "downloads", Unit: "concurrent-requests", Quota: 2}) {
		t.Errorf("left: %+v", left)
	}
	if left := k.Allowances(auth.Principal{User: ada.ID}); len(left) != 0 {
		t.Errorf("without quotas there is left %+v", left)
	}
	end1()
	end1() // twice counts once
	end3, err := k.Download(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Download(ctx, p); !fault.Is(err, fault.OverQuota) {
		t.Errorf("one that ended twice makes room for two: %v", err)
	}
	end2()
	end3()

	k.Count(p, 1, 999)
	if end, err := k.Download(ctx, p); err != nil {
		t.Errorf("a byte below the quota: %v", err)
	} else {
		end()
	}
	k.Count(p, 1, 1)
	for range 2 { // before and after it was written down
		_, err := k.Download(ctx, p)
		if after := fault.Later(err); !fault.Is(err, fault.OverQuota) || after < 23*time.Hour || after > 26*time.Hour {
			t.Errorf("at the quota: %v, later %v", err, after)
		}
		if err := k.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	other, err := auth.NewKeeper(ctx, s, auth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Download(ctx, p); !fault.Is(err, fault.OverQuota) {
		t.Errorf("another server: %v", err)
	}
	hour := time.Now().UTC().Truncate(time.Hour)
	grace := auth.Principal{User: account(t, s, auth.Account{Name: "grace", Role: auth.Reader}).ID, Quotas: p.Quotas}
	if _, err := s.AddUse(ctx, []auth.Use{{Account: grace.User, At: hour.Add(-30 * time.Hour), Bytes: 5000}, {Account: grace.User, At: hour.Add(-20 * time.Hour), Bytes: 600}, {Account: grace.User, At: hour.Add(-2 * time.Hour), Bytes: 500}}, hour); err != nil {
		t.Fatal(err)
	}
	_, err = k.Download(ctx, grace)
	if after := fault.Later(err); !fault.Is(err, fault.OverQuota) || after < 4*time.Hour || after > 5*time.Hour {
		t.Errorf("when the hour before 19 hours leaves the day: %v, later %v", err, after)
	}
	if left := k.Allowances(grace); left[0].Left != 0 || left[0].Reset < 4*time.Hour || left[0].Reset > 5*time.Hour {
		t.Errorf("left when nothing is: %+v", left)
	}
	used, err := k.Used(ctx, ada.ID, hour)
	if err != nil || len(used) == 0 || used[len(used)-1].Bytes != 1000 || used[len(used)-1].Requests != 2 || used[len(used)-1].Downloads != 4 {
		t.Errorf("used: %+v %v", used, err)
	}
	if err := errors.Join(k.Flush(ctx), k.Flush(ctx)); err != nil {
		t.Error(err)
	}
}

// TestDownloadsAreNoted: what is alike within one flush is one row; what can't be written is written the next time.
func TestDownloadsAreNoted(t *testing.T) {
	k, s := newKeeper(t, auth.Config{})
	ctx := t.Context()
	p := auth.Principal{User: "u", Key: "k"}
	note := func() {
		for range 3 {
			k.Downloaded(p, "c", "i", "B04", 206, 10, time.Second)
		}
		k.Downloaded(p, "c", "i", "", 200, 1000, time.Second/2)
	}
	note()
	s.down = true
	if err := k.Flush(ctx); err == nil {
		t.Error("it was written while the database is down")
	}
	s.down = false
	note()
	for range 2 { // the second has nothing more to write
		if err := k.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Downloads(ctx, "u")
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, d := range got {
		want := auth.Download{Account: "u", Key: "k", At: d.At, Collection: "c", Item: "i", Asset: "B04", Status: 206, Requests: 6, Bytes: 60, Seconds: 6}
		if d.Asset == "" {
			want.Asset, want.Status, want.Requests, want.Bytes, want.Seconds = "", 200, 2, 2000, 1
		}
		if d != want || time.Since(d.At) > time.Minute {
			t.Errorf("%+v, want %+v", d, want)
		}
	}
}

func TestIdentities(t *testing.T) {
	k, _ := newKeeper(t, auth.Config{Role: auth.Processor})
	ctx := t.Context()
	asked := 0
	verify := func() (auth.Identity, time.Time, error) {
		asked++
		return auth.Identity{Issuer: "https://id", Subject: "1", Name: "ada"}, time.Now().Add(time.Hour), nil
	}
	for range 10 {
		if p, err := k.ByToken(ctx, "token", verify); err != nil || p.Role != auth.Processor || p.Name != "ada" {
			t.Fatal(p, err)
		}
	}
	if asked != 1 {
		t.Errorf("a token was verified %d times", asked)
	}
	bad := func() (auth.Identity, time.Time, error) {
		asked++
		return auth.Identity{}, time.Time{}, fault.New(fault.Unauthenticated, "no")
	}
	for range 10 {
		if _, err := k.ByToken(ctx, "bad", bad); !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
	}
	if asked != 2 {
		t.Errorf("a bad token was verified %d times", asked-1)
	}
	if _, err := k.ByIdentity(ctx, auth.Identity{Issuer: "https://id"}, time.Now()); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("nobody of an issuer: %v", err)
	}
}

// BenchmarkByKey is what recognising a key costs that was seen before.
func BenchmarkByKey(b *testing.B) {
	k, s := newKeeper(b, auth.Config{})
	_, key, err := k.MakeKey(b.Context(), account(b, s, auth.Account{Name: "ada", Role: auth.Reader}).ID, "", auth.Nobody, nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p, err := k.ByKey(b.Context(), key)
		if err != nil {
			b.Fatal(err)
		}
		k.Scope(p)
		k.Count(p, 1, 1000)
	}
}
