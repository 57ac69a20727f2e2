package main

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"time"

	"swath/auth"
	"swath/auth/authhttp"
)

// Accounts says who is let in, and how people sign in. Without it strangers read everything that is public, and keys are taken.
type Accounts struct {
	Anonymous string                 `yaml:"anonymous"` // read: strangers read what is public; none: they read nothing
	Passwords *bool                  `yaml:"passwords"` // of local accounts are taken; unless said, where no issuer is configured
	OIDC      OIDC                   `yaml:"oidc"`      // whose people sign in
	Role      auth.Role              `yaml:"role"`      // of people whom an issuer names for the first time; reader
	Quotas    map[string]auth.Quotas `yaml:"quotas"`    // by role
	Session   time.Duration          `yaml:"session"`   // how long a browser stays signed in; 12h
}

// OIDC is an issuer of OpenID Connect.
type OIDC struct {
	Issuer    string            `yaml:"issuer"`     // its address, as it is in tokens
	Client    string            `yaml:"client_id"`  // by which it knows this server
	SecretEnv string            `yaml:"secret_env"` // environment variable that holds the client's secret; empty: a public client
	Audience  string            `yaml:"audience"`   // of tokens that programs send; the client id
	Scopes    []string          `yaml:"scopes"`     // openid, profile, email
	RoleClaim string            `yaml:"role_claim"` // claim that holds groups, such as realm_access.roles
	Roles     map[string]string `yaml:"roles"`      // role by group
}

// The ways to treat strangers.
const (
	anonymousRead = "read"
	anonymousNone = "none"
)

// mistakes names every mistake with its key.
func (a Accounts) mistakes() (wrong []string) {
	bad := func(key, format string, args ...any) {
		wrong = append(wrong, "accounts."+key+": "+fmt.Sprintf(format, args...))
	}
	if a.Anonymous != anonymousRead && a.Anonymous != anonymousNone {
		bad("anonymous", "%q is neither %s nor %s", a.Anonymous, anonymousRead, anonymousNone)
	}
	if a.Session < 0 {
		bad("session", "must be longer than nothing")
	}
	for name, q := range a.Quotas {
		if _, err := auth.ParseRole(name); err != nil {
			bad("quotas", "%v", err)
		}
		if q.BytesADay < 0 || q.Downloads < 0 || q.StagedBytes < 0 || q.Jobs < 0 || q.UploadedBytes < 0 {
			bad("quotas."+name, "a quota is at least 0, which is no limit")
		}
	}
	o := a.OIDC
	if o.Issuer == "" {
		if o.Client != "" || len(o.Roles) > 0 {
			bad("oidc.issuer", "is missing")
		}
		return wrong
	}
	if u, err := url.Parse(o.Issuer); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		bad("oidc.issuer", "%q is not an http address", o.Issuer)
	}
	if o.Client == "" {
		bad("oidc.client_id", "is missing")
	}
	if o.SecretEnv != "" && os.Getenv(o.SecretEnv) == "" {
		bad("oidc.secret_env", "the environment variable %s is empty", o.SecretEnv)
	}
	for group, role := range o.Roles {
		if _, err := auth.ParseRole(role); err != nil {
			bad("oidc.roles", "%s: %v", group, err)
		}
	}
	if len(o.Roles) > 0 && o.RoleClaim == "" {
		bad("oidc.role_claim", "is missing: where do tokens hold what oidc.roles names?")
	}
	slices.Sort(wrong)
	return wrong
}

// keeper returns how accounts are kept.
func (a Accounts) keeper() auth.Config {
	cfg := auth.Config{Role: a.Role, Session: a.Session, Quotas: map[auth.Role]auth.Quotas{}}
	for name, q := range a.Quotas {
		role, _ := auth.ParseRole(name) // checked by mistakes
		cfg.Quotas[role] = q
	}
	return cfg
}

// issuer returns whose people sign in; nil for none.
func (a Accounts) issuer() *authhttp.Issuer {
	if a.OIDC.Issuer == "" {
		return nil
	}
	i := &authhttp.Issuer{URL: a.OIDC.Issuer, ClientID: a.OIDC.Client, Audience: a.OIDC.Audience, Scopes: a.OIDC.Scopes,
		RoleClaim: a.OIDC.RoleClaim, Roles: map[string]auth.Role{}, Otherwise: max(a.Role, auth.Reader)}
	if a.OIDC.SecretEnv != "" {
		i.ClientSecret = os.Getenv(a.OIDC.SecretEnv)
	}
	for group, name := range a.OIDC.Roles {
		i.Roles[group], _ = auth.ParseRole(name) // checked by mistakes
	}
	return i
}

// passwords reports whether those of local accounts are taken.
func (a Accounts) passwords() bool {
	if a.Passwords != nil {
		return *a.Passwords
	}
	return a.OIDC.Issuer == ""
}

// used reports whether the configuration speaks of accounts.
func (a Accounts) used() bool {
	return a.Anonymous != anonymousRead || a.Passwords != nil || a.OIDC.Issuer != "" || a.Role != auth.Nobody || len(a.Quotas) > 0 || a.Session != 0
}
