package auth

import (
	"context"
	"time"
)

// Account is a person or a machine that may ask.
type Account struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Role     Role       `json:"role"`
	Email    string     `json:"email,omitempty"`
	Country  string     `json:"country,omitempty"` // ISO 3166-1, two letters
	Issuer   string     `json:"issuer,omitempty"`  // of OpenID Connect, and the person's name there
	Subject  string     `json:"subject,omitempty"`
	Quotas   *Quotas    `json:"quotas,omitempty"` // its own; nil: those of its role
	Disabled bool       `json:"disabled,omitempty"`
	Created  time.Time  `json:"created"`
	Seen     *time.Time `json:"seen,omitempty"` // a day
	Erased   *time.Time `json:"erased,omitempty"`
	Password string     `json:"-"` // as HashPassword made it; empty: none
}

// Key is what is known of an API key. Its secret part nobody knows but its holder.
type Key struct {
	ID      string     `json:"id"`
	Account string     `json:"account"`
	Name    string     `json:"name,omitempty"`
	Role    Role       `json:"role,omitempty"` // it may do no more than this; Nobody: what its account may
	Created time.Time  `json:"created"`
	Expires *time.Time `json:"expires,omitempty"`
	Used    *time.Time `json:"used,omitempty"` // a day
	Revoked *time.Time `json:"revoked,omitempty"`
	Digest  []byte     `json:"-"`
}

// Session is a person's browser that has signed in.
type Session struct {
	Digest  []byte    `json:"-"` // of its cookie
	Account string    `json:"account"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Identity is who somebody is by the word of an issuer.
type Identity struct {
	Issuer, Subject string
	Name            string // that the issuer calls the person by; may be empty
	Email, Country  string
	Role            Role // that the issuer gives; Nobody: it says nothing, and the account keeps its own
}

// Use is what an account used in the hour that begins at At, or in a day that is long gone.
type Use struct {
	Account   string    `json:"account,omitempty"` // "" is strangers, together
	At        time.Time `json:"at"`
	Requests  int64     `json:"requests"`
	Downloads int64     `json:"downloads"` // files that were begun
	Bytes     int64     `json:"bytes"`     // really sent, also of what was broken off
}

// Download tells of requests for one file that ended much the same way within a few seconds.
type Download struct {
	Account    string    `json:"account,omitempty"` // "" of a stranger
	Key        string    `json:"key,omitempty"`     // id of the API key that was used
	At         time.Time `json:"at"`                // the last of them ended
	Collection string    `json:"collection"`
	Item       string    `json:"item"`
	Asset      string    `json:"asset,omitempty"` // "" of all files as one
	Status     int       `json:"status"`
	Requests   int64     `json:"requests"`
	Bytes      int64     `json:"bytes"`   // really sent, also of what was broken off
	Seconds    float64   `json:"seconds"` // until the last byte, of all requests together
}

// Grant lets one account, or all of a role and above, know of a private collection.
type Grant struct {
	Collection string `json:"collection"`
	Account    string `json:"account,omitempty"` // id; "" where a role is meant
	Role       Role   `json:"role,omitempty"`
}

// Private is a collection that only some may know of. Operators and admins always may.
type Private struct {
	Collection string  `json:"collection"`
	Grants     []Grant `json:"grants"`
}

// Accounts keeps them. It is implemented by package auth/store in PostgreSQL. What is not there is fault.NotFound.
type Accounts interface {
	Account(ctx context.Context, id string) (Account, error)
	AccountNamed(ctx context.Context, name string) (Account, error)
	// Accounts returns all, by name.
	Accounts(ctx context.Context) ([]Account, error)
	// ChangeAccount stores role, password, quotas and whether it is disabled.
	ChangeAccount(ctx context.Context, a Account) error
	AccountWithKey(ctx context.Context, keyID string) (Account, Key, error)
	AccountWithSession(ctx context.Context, digest []byte) (Account, Session, error)
	// AccountOf returns the account of an identity, which it makes or brings up to date.
	AccountOf(ctx context.Context, who Identity, otherwise Role) (Account, error)

	Keys(ctx context.Context, account string) ([]Key, error)
	AddKey(ctx context.Context, k Key) (Key, error)
	RevokeKey(ctx context.Context, id string) error
	AddSession(ctx context.Context, s Session) error
	EndSession(ctx context.Context, digest []byte) error

	// Export returns all that is known of an account, as JSON; Erase forgets who it was, and keeps what it used under its id alone.
	Export(ctx context.Context, account string) ([]byte, error)
	Erase(ctx context.Context, account string) error

	Privates(ctx context.Context) ([]Private, error)
	// AddUse adds to what was used, and returns what those accounts used since.
	AddUse(ctx context.Context, used []Use, since time.Time) ([]Use, error)
	// AddDownloads writes downloads down. They are kept for thirteen months.
	AddDownloads(ctx context.Context, all []Download) error
	// Used returns what an account used since then, by hour.
	Used(ctx context.Context, account string, since time.Time) ([]Use, error)
	// Tidy makes one row a day of the hours that are long gone, and forgets keys and sessions that have long ended.
	Tidy(ctx context.Context) error
	// Secret returns what the servers of this installation share.
	Secret(ctx context.Context) ([]byte, error)
}
