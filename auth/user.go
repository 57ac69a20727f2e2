// Package auth knows who asks and what they may do: users, roles, keys, quotas, private collections. It knows nothing of HTTP.
//
//	door: key, password, session, token ─▶ Principal ─▶ context ─▶ auth.From(ctx) in every door and every room above
//	                                          └─ Policy.Scope ─▶ stac.Scope ─▶ context ─▶ the catalog leaves out what is hidden
//
// Every request has a Principal before its handler runs; the zero Principal is a stranger. A handler asks
//
//	p := auth.From(c.UserContext())
//	if err := p.Require(auth.Processor); err != nil { // fault.Unauthenticated (401) of a stranger, fault.Forbidden (403) of others
//		return err
//	}
//	job.Owner = p.User // opaque, stable, unique; "" of a stranger; it stays when the person's name and address are erased
//
// and never looks at headers. What a Principal may use is in p.Quotas, where 0 is no limit; whoever finds a limit passed returns
// fault.OverQuota (429) with After, when asking again may help. Collections need no thought: those that a principal may not see
// do not exist for it, because the catalog reads the scope from the same context.
package auth

import (
	"context"
	"fmt"
	"strings"

	"swath/fault"
)

// Role says what a principal may do. Each may do what those before it may.
type Role int

// The roles. Nobody is the zero value: a stranger, who reads what is public where the configuration lets strangers in.
const (
	Nobody    Role = iota
	Reader         // searches, looks, downloads
	Processor      // runs processes, orders what is on tape
	Centre         // a thematic centre: large exports, its own quotas
	Operator       // changes the catalog, sees every collection and every job
	Admin          // and the accounts of others
)

var roleNames = [...]string{"nobody", "reader", "processor", "centre", "operator", "admin"}

// Roles returns the names of the roles that an account can have, the least first.
func Roles() []string { return append([]string(nil), roleNames[Reader:]...) }

// String returns the role's name in lower case.
func (r Role) String() string {
	if r < Nobody || r > Admin {
		return fmt.Sprintf("auth.Role(%d)", int(r))
	}
	return roleNames[r]
}

// ParseRole reads the name of a role that an account can have.
func ParseRole(name string) (Role, error) {
	for r := Reader; r <= Admin; r++ {
		if roleNames[r] == name {
			return r, nil
		}
	}
	return Nobody, fault.New(fault.Invalid, "%.40q is not a role; roles are %s", name, strings.Join(Roles(), ", "))
}

// MarshalText writes the role's name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the name of a role; "" and nobody are Nobody.
func (r *Role) UnmarshalText(text []byte) (err error) {
	*r = Nobody
	if len(text) > 0 && string(text) != roleNames[Nobody] {
		*r, err = ParseRole(string(text))
	}
	return err
}

// Quotas limit what one account may use. 0 is no limit.
type Quotas struct {
	BytesADay   int64 `json:"bytes_a_day" yaml:"bytes_a_day"`   // sent to it in any 24 hours
	Downloads   int   `json:"downloads" yaml:"downloads"`       // files under way at once
	StagedBytes int64 `json:"staged_bytes" yaml:"staged_bytes"` // brought from cold storage for it in any 24 hours
	Jobs        int   `json:"jobs" yaml:"jobs"`                 // processes waiting or running at once

	UploadedBytes int64 `json:"uploaded_bytes" yaml:"uploaded_bytes"` // of files that came with these
}

// Principal is who a request is for. It is a value: compare and copy it freely.
type Principal struct {
	User   string // id of the account: opaque, stable; "" of a stranger
	Name   string // what the person is called here: a sign-in name or an e-mail address; never for keys, logs or metrics
	Role   Role
	Key    string // id of the API key that was used; "" of a session, a token of an issuer, or a password
	Link   bool   // it came by a signed link, which is for one file and no more
	Quotas Quotas
}

// Known reports whether the principal has an account.
func (p Principal) Known() bool { return p.User != "" }

// Require returns nil when the principal has at least this role: else fault.Unauthenticated of a stranger, who may sign in, and
// fault.Forbidden of others.
func (p Principal) Require(role Role) error {
	switch {
	case p.Role >= role:
		return nil
	case !p.Known():
		return fault.New(fault.Unauthenticated, "sign in, or send a key: this needs an account with the role %s", role)
	}
	return fault.New(fault.Forbidden, "this needs the role %s; the account is a %s", role, p.Role)
}

type principalKey struct{}

// With returns a context that carries a principal.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, &p)
}

// From returns the principal of a request; a stranger where nobody has been recognised.
func From(ctx context.Context) Principal {
	if p, ok := ctx.Value(principalKey{}).(*Principal); ok {
		return *p
	}
	return Principal{}
}
