package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"sync/atomic"
	"time"

	"swath/fault"
)

// Config is how accounts are kept. Zero values work.
type Config struct {
	Quotas  map[Role]Quotas // of accounts that have none of their own
	Role    Role            // of people whom an issuer names for the first time; Nobody: Reader
	Session time.Duration   // how long a browser stays signed in; 0: 12 hours
	Log     *slog.Logger    // nil is slog.Default()
}

const (
	// believedFor is how long somebody who was recognised is believed: a key that is revoked, an account that is disabled or has
	// another role is obeyed after this, by every server.
	believedFor  = 30 * time.Second
	usualSession = 12 * time.Hour
)

// Keeper recognises who asks. It is safe for concurrent use, and costs a look into memory where it knows the answer.
type Keeper struct {
	accounts Accounts
	cfg      Config
	secret   []byte // of the installation
	known    memory
	tries    tries
	policy   atomic.Pointer[policy]
	meter    meter
}

// NewKeeper reads what is private and what the servers share.
func NewKeeper(ctx context.Context, accounts Accounts, cfg Config) (*Keeper, error) {
	if cfg.Role == Nobody {
		cfg.Role = Reader
	}
	if cfg.Session <= 0 {
		cfg.Session = usualSession
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	secret, err := accounts.Secret(ctx)
	if err != nil {
		return nil, err
	}
	k := &Keeper{accounts: accounts, cfg: cfg, secret: secret, tries: newTries()}
	k.meter.accounts = accounts
	return k, k.Refresh(ctx)
}

const (
	refreshEvery = 5 * time.Second  // what is private
	flushEvery   = 10 * time.Second // what was used
	tidyEvery    = time.Hour        // what has long ended
)

// Keep looks what has become private, and writes down what was used, until the context ends; then once more.
func (k *Keeper) Keep(ctx context.Context) {
	refresh, flush, tidy := time.NewTicker(refreshEvery), time.NewTicker(flushEvery), time.NewTicker(tidyEvery)
	defer refresh.Stop()
	defer flush.Stop()
	defer tidy.Stop()
	for {
		select {
		case <-refresh.C:
			if err := k.Refresh(ctx); err != nil && ctx.Err() == nil {
				k.cfg.Log.Warn("what is private can't be read; what was known stays", "err", err)
			}
		case <-flush.C:
			if err := k.Flush(ctx); err != nil && ctx.Err() == nil {
				k.cfg.Log.Warn("what was used can't be written; it is tried again", "err", err)
			}
		case <-tidy.C:
			if err := k.accounts.Tidy(ctx); err != nil && ctx.Err() == nil {
				k.cfg.Log.Warn("the accounts can't be tidied; it is tried again", "err", err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushEvery)
			defer cancel()
			if err := k.Flush(last); err != nil {
				k.cfg.Log.Warn("what was used last is lost", "err", err)
			}
			return
		}
	}
}

// errUnknown is the answer to every credential that is not good, whatever is wrong with it.
var errUnknown = fault.New(fault.Unauthenticated, "the key, password or token is not good: it may be mistyped, expired or revoked")

// principal is an account that was recognised, by a key where it has an id.
func (k *Keeper) principal(a Account, key Key) (Principal, error) {
	if a.Disabled || a.Erased != nil {
		return Principal{}, errUnknown
	}
	p := Principal{User: a.ID, Name: a.Name, Role: a.Role, Key: key.ID, Quotas: k.cfg.Quotas[a.Role]}
	if a.Quotas != nil {
		p.Quotas = *a.Quotas
	}
	if key.Role != Nobody {
		p.Role = min(p.Role, key.Role)
	}
	return p, nil
}

// good returns until when a key is good, or that it is not.
func (key Key) good(now time.Time) (until time.Time, err error) {
	until = now.Add(believedFor)
	if key.Revoked != nil || key.Expires != nil && !key.Expires.After(now) {
		return until, errUnknown
	}
	if key.Expires != nil && key.Expires.Before(until) {
		until = *key.Expires
	}
	return until, nil
}

// ByKey recognises an API key. Fault.Unauthenticated when it is not good.
func (k *Keeper) ByKey(ctx context.Context, key string) (Principal, error) {
	id, secret, ok := splitKey(key)
	if !ok {
		return Principal{}, errUnknown
	}
	return k.recognise(proofOf("key", key), func() (Principal, time.Time, error) {
		a, kept, err := k.accounts.AccountWithKey(ctx, id)
		if err != nil {
			return Principal{}, time.Time{}, err
		}
		until, err := kept.good(time.Now())
		if err != nil || subtle.ConstantTimeCompare(kept.Digest, digest(secret)) != 1 {
			return Principal{}, until, errUnknown
		}
		p, err := k.principal(a, kept)
		return p, until, err
	})
}

// ByPassword recognises a name and a password. From is where the request comes from: whoever guesses is made to wait there.
func (k *Keeper) ByPassword(ctx context.Context, name, password, from string) (Principal, error) {
	if IsKey(password) { // as clients send it that know Basic alone
		return k.ByKey(ctx, password)
	}
	return k.recognise(proofOf("password", name+"\x00"+password), func() (p Principal, until time.Time, err error) {
		until = time.Now().Add(believedFor)
		a, err := k.accounts.AccountNamed(ctx, name)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return p, until, err
		}
		kept := a.Password
		if kept == "" {
			kept = nobodysPassword
		}
		err = k.tries.do(ctx, name+"\x00"+from, func() bool { return samePassword(kept, password) && a.Password != "" })
		if err != nil {
			return p, until, err
		}
		p, err = k.principal(a, Key{})
		return p, until, err
	})
}

// BySession recognises the cookie of a browser that has signed in.
func (k *Keeper) BySession(ctx context.Context, cookie string) (Principal, error) {
	return k.recognise(proofOf("session", cookie), func() (Principal, time.Time, error) {
		until := time.Now().Add(believedFor)
		a, s, err := k.accounts.AccountWithSession(ctx, digest(cookie))
		if err != nil {
			return Principal{}, until, err
		}
		if !s.Expires.After(time.Now()) {
			return Principal{}, until, errUnknown
		}
		if s.Expires.Before(until) {
			until = s.Expires
		}
		p, err := k.principal(a, Key{})
		return p, until, err
	})
}

// ByIdentity recognises whom an issuer named in a token that is good until then; somebody new gets an account.
func (k *Keeper) ByIdentity(ctx context.Context, who Identity, until time.Time) (Principal, error) {
	if who.Issuer == "" || who.Subject == "" {
		return Principal{}, errUnknown
	}
	a, err := k.accounts.AccountOf(ctx, who, k.cfg.Role)
	if err != nil {
		return Principal{}, err
	}
	return k.principal(a, Key{})
}

// ByToken recognises a token that was good before, or lets verify say who it is of, and until when.
func (k *Keeper) ByToken(ctx context.Context, token string, verify func() (Identity, time.Time, error)) (Principal, error) {
	return k.recognise(proofOf("token", token), func() (Principal, time.Time, error) {
		who, until, err := verify()
		if err != nil {
			return Principal{}, time.Now().Add(believedFor), err
		}
		if soon := time.Now().Add(believedFor); until.After(soon) {
			until = soon
		}
		p, err := k.ByIdentity(ctx, who, until)
		return p, until, err
	})
}

// proof is a sum over a credential and its kind: the credentials themselves are not kept.
type proof [sha256.Size]byte

func proofOf(kind, credential string) proof { return sha256.Sum256([]byte(kind + "\x00" + credential)) }

// recognise answers from memory, or looks, and remembers what it saw: that a credential is not good as well.
func (k *Keeper) recognise(by proof, look func() (Principal, time.Time, error)) (Principal, error) {
	now := time.Now()
	if p, known := k.known.get(by, now); known {
		if !p.Known() {
			return p, errUnknown
		}
		return p, nil
	}
	generation := k.known.generation.Load()
	p, until, err := look()
	switch {
	case err == nil:
	case fault.Is(err, fault.NotFound):
		p, until, err = Principal{}, now.Add(believedFor), errUnknown
	case fault.Is(err, fault.Unauthenticated):
		p, until = Principal{}, now.Add(believedFor)
	default:
		return Principal{}, err // the database does not answer, or too many guess
	}
	k.known.put(by, p, until, generation)
	return p, err
}

// Forget makes the keeper look anew, after an account, a key or a session was changed by this server.
func (k *Keeper) Forget() { k.known.clear() }
