package auth

import (
	"context"
	"time"

	"swath/fault"
)

// SignIn opens a session of somebody who was recognised, and returns its cookie.
func (k *Keeper) SignIn(ctx context.Context, p Principal) (cookie string, expires time.Time, err error) {
	cookie, expires = random(secretChars), time.Now().Add(k.cfg.Session)
	return cookie, expires, k.accounts.AddSession(ctx, Session{Digest: digest(cookie), Account: p.User, Expires: expires})
}

// SignOut ends the session of a cookie.
func (k *Keeper) SignOut(ctx context.Context, cookie string) error {
	k.known.clear()
	return k.accounts.EndSession(ctx, digest(cookie))
}

// FormToken is what a page of ours sends along with a change, so that a page of others, which has the browser's cookie sent but can't
// read it, changes nothing.
func (k *Keeper) FormToken(cookie string) string { return sign(k.secret, "form", cookie)[:32] }

// LinkSecret is what the holder of an access key signs links with: the id of an API key, or of the account itself.
func (k *Keeper) LinkSecret(access string) string { return sign(k.secret, "link", access) }

// ByAccess recognises whose an access key is. Only who signed a link by its LinkSecret may be taken for that.
func (k *Keeper) ByAccess(ctx context.Context, access string) (Principal, error) {
	p, err := k.recognise(proofOf("access", access), func() (Principal, time.Time, error) {
		until := time.Now().Add(believedFor)
		a, key, err := k.accounts.AccountWithKey(ctx, access)
		if err == nil {
			until, err = key.good(time.Now())
		} else if fault.Is(err, fault.NotFound) {
			a, err = k.accounts.Account(ctx, access)
		}
		if err != nil {
			return Principal{}, until, err
		}
		p, err := k.principal(a, key)
		p.Link = true
		return p, until, err
	})
	return p, err
}

// Used returns what an account used since then, by hour, the oldest first, as far as it is written down.
func (k *Keeper) Used(ctx context.Context, account string, since time.Time) ([]Use, error) {
	return k.accounts.Used(ctx, account, since)
}

// Keys returns the keys of an account, the newest first.
func (k *Keeper) Keys(ctx context.Context, account string) ([]Key, error) {
	return k.accounts.Keys(ctx, account)
}

// MakeKey makes a key of an account, which may do no more than role where that is given, and returns it, to be shown once.
func (k *Keeper) MakeKey(ctx context.Context, account, name string, role Role, expires *time.Time) (made Key, key string, err error) {
	made, key = NewKey(account)
	if expires != nil && !expires.After(time.Now()) {
		return made, "", fault.New(fault.Invalid, "the key would be expired before it is used")
	}
	made.Name, made.Role, made.Expires = name, role, expires
	made, err = k.accounts.AddKey(ctx, made)
	return made, key, err
}

// RevokeKey ends a key of an account; fault.NotFound when it is another's.
func (k *Keeper) RevokeKey(ctx context.Context, account, id string) error {
	keys, err := k.accounts.Keys(ctx, account)
	if err != nil {
		return err
	}
	for _, one := range keys {
		if one.ID == id {
			defer k.known.clear()
			return k.accounts.RevokeKey(ctx, id)
		}
	}
	return fault.New(fault.NotFound, "the account has no key %.40q", id)
}

// Export returns all that is known of an account.
func (k *Keeper) Export(ctx context.Context, account string) ([]byte, error) {
	return k.accounts.Export(ctx, account)
}

// Erase forgets who an account was; see Accounts.
func (k *Keeper) Erase(ctx context.Context, account string) error {
	defer k.known.clear()
	return k.accounts.Erase(ctx, account)
}

// Accounts returns all, by name.
func (k *Keeper) Accounts(ctx context.Context) ([]Account, error) {
	return k.accounts.Accounts(ctx)
}

// ChangeAccount lets an admin change the account of somebody else: nobody shuts himself out.
func (k *Keeper) ChangeAccount(ctx context.Context, by Principal, id string, change func(*Account)) (Account, error) {
	a, err := k.accounts.Account(ctx, id)
	if err != nil {
		return a, err
	}
	before := a
	change(&a)
	if id == by.User && (a.Disabled || a.Role != before.Role) {
		return before, fault.New(fault.Conflict, "an admin's own role is another admin's to change")
	}
	defer k.known.clear()
	return a, k.accounts.ChangeAccount(ctx, a)
}

// ByAccount returns who an account is, for work that is done in its name. Fault.Unauthenticated when it is disabled or gone.
func (k *Keeper) ByAccount(ctx context.Context, id string) (Principal, error) {
	a, err := k.accounts.Account(ctx, id)
	if err != nil {
		return Principal{}, err
	}
	return k.principal(a, Key{})
}
