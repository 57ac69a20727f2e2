package authhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"swath/auth"
	"swath/fault"
)

// Issuer is a provider of OpenID Connect whose people may sign in, and whose tokens are taken.
type Issuer struct {
	URL          string // as it is in tokens; its discovery document is below
	ClientID     string
	ClientSecret string // empty: a public client
	Audience     string // of tokens that programs send; empty: ClientID
	Scopes       []string
	RoleClaim    string               // "groups", "realm_access.roles"; empty: the issuer gives no roles
	Roles        map[string]auth.Role // by value of the claim
	Otherwise    auth.Role            // of who has no value that is known, where there is a claim

	mu       sync.Mutex
	provider *oidc.Provider
	keys     *keySet
	asked    time.Time // for the discovery document, in vain
}

const (
	skew          = 60 * time.Second // by which clocks may differ
	discoverAgain = 10 * time.Second // after it failed
	refetchAgain  = time.Minute      // a key that is not known makes us ask for the keys, but not more often
	keysGood      = time.Hour        // then they are asked for in any case: a key that was taken back is obeyed
	issuerTimeout = 10 * time.Second
	issuerBytes   = 1 << 20
)

// algorithms are those that are taken, whatever a token or the issuer says: each with a key of its own kind, and none by a shared secret.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA}

// client asks the issuer.
var client = &http.Client{Timeout: issuerTimeout}

// discover returns what the issuer says of itself.
func (i *Issuer) discover() (*oidc.Provider, *keySet, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.provider != nil {
		return i.provider, i.keys, nil
	}
	down := fault.New(fault.Unavailable, "the issuer of accounts does not answer")
	if time.Since(i.asked) < discoverAgain {
		return nil, nil, down
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(context.Background(), client), issuerTimeout) // for all who wait, not for one
	defer cancel()
	provider, err := oidc.NewProvider(ctx, i.URL)
	var doc struct {
		Keys string `json:"jwks_uri"`
	}
	if err == nil {
		err = provider.Claims(&doc)
	}
	if err != nil {
		i.asked = time.Now()
		return nil, nil, fault.Wrap(fault.Unavailable, err, "%s", down.Public)
	}
	i.provider, i.keys = provider, &keySet{url: doc.Keys, now: time.Now}
	return i.provider, i.keys, nil
}

// claims are what is read of a token, beside the claim of roles.
type claims struct {
	Name      string   `json:"preferred_username"`
	Email     string   `json:"email"`
	Country   string   `json:"country"`
	NotBefore *float64 `json:"nbf"`
	Expires   *float64 `json:"exp"`
}

// verify returns who a token is of, and until when it is good. Fault.Unauthenticated when it is not.
func (i *Issuer) verify(ctx context.Context, token string) (auth.Identity, time.Time, error) {
	audience := i.Audience
	if audience == "" {
		audience = i.ClientID
	}
	who, _, until, err := i.verifyFor(ctx, token, audience)
	return who, until, err
}

func (i *Issuer) verifyFor(ctx context.Context, token, audience string) (who auth.Identity, nonce string, until time.Time, err error) {
	_, keys, err := i.discover()
	if err != nil {
		return who, "", until, err
	}
	named := make([]string, len(algorithms))
	for n, alg := range algorithms {
		named[n] = string(alg)
	}
	verifier := oidc.NewVerifier(i.URL, keys, &oidc.Config{ClientID: audience, SupportedSigningAlgs: named, SkipExpiryCheck: true}) // expiry: see below
	good, err := verifier.Verify(ctx, token)
	if err != nil {
		if known := (*fault.Error)(nil); errors.As(err, &known) {
			return who, "", until, known
		}
		return who, "", until, fault.Wrap(fault.Unauthenticated, err, "%s", refused.Public)
	}
	var c claims
	all := map[string]any{}
	if err := errors.Join(good.Claims(&c), good.Claims(&all)); err != nil || c.Expires == nil || good.Subject == "" {
		return who, "", until, fault.Wrap(fault.Unauthenticated, err, "the token lacks sub or exp, or has claims of another kind")
	}
	now := time.Now()
	until = time.Unix(int64(*c.Expires), 0).Add(skew)
	if !now.Before(until) {
		return who, "", until, fault.New(fault.Unauthenticated, "the token has expired")
	}
	if c.NotBefore != nil && now.Add(skew).Before(time.Unix(int64(*c.NotBefore), 0)) {
		return who, "", until, fault.New(fault.Unauthenticated, "the token is not good yet")
	}
	who = auth.Identity{Issuer: i.URL, Subject: good.Subject, Name: c.Name, Email: c.Email, Country: c.Country, Role: i.roleIn(all)}
	if who.Name == "" {
		who.Name = c.Email
	}
	return who, good.Nonce, until, nil
}

// roleIn is the highest role that a claim gives; Nobody where the issuer gives none.
func (i *Issuer) roleIn(all map[string]any) auth.Role {
	if i.RoleClaim == "" {
		return auth.Nobody
	}
	var at any = all
	for _, name := range strings.Split(i.RoleClaim, ".") {
		object, _ := at.(map[string]any)
		at = object[name]
	}
	role := i.Otherwise
	list, ok := at.([]any)
	if !ok {
		list = []any{at}
	}
	for _, value := range list {
		if text, ok := value.(string); ok {
			role = max(role, i.Roles[text])
		}
	}
	return role
}

// config is how people sign in.
func (i *Issuer) config(provider *oidc.Provider, base string) *oauth2.Config {
	scopes := i.Scopes
	if len(scopes) == 0 {
		scopes = []string{oidc.ScopeOpenID, "profile", "email"}
	}
	return &oauth2.Config{ClientID: i.ClientID, ClientSecret: i.ClientSecret, Endpoint: provider.Endpoint(), RedirectURL: base + "/auth/callback", Scopes: scopes}
}

// keySet is the public keys of an issuer. It implements oidc.KeySet, and asks the issuer at most once a minute, whatever comes in.
type keySet struct {
	url string
	now func() time.Time

	mu    sync.Mutex
	known []jose.JSONWebKey
	since time.Time // they are known
	asked time.Time // the last time, perhaps in vain
}

// types of tokens (RFC 7519, 5.1; RFC 9068, 2.1): one that was made for something else says so.
var types = []string{"", "jwt", "at+jwt", "application/at+jwt"}

// VerifySignature returns the payload of a token that one of the keys has signed.
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, err
	}
	if len(jws.Signatures) != 1 {
		return nil, errors.New("a token has one signature")
	}
	head := jws.Signatures[0].Header
	if typ, _ := head.ExtraHeaders[jose.HeaderType].(string); !slices.Contains(types, strings.ToLower(typ)) {
		return nil, fmt.Errorf("a token of type %.40q", typ)
	}
	for _, again := range []bool{false, true} {
		keys, err := k.get(ctx, again)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			if !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" || head.KeyID != "" && key.KeyID != head.KeyID ||
				key.Algorithm != "" && key.Algorithm != head.Algorithm {
				continue
			}
			if payload, err := jws.Verify(key); err == nil {
				return payload, nil
			}
		}
	}
	return nil, errors.New("no key of the issuer has signed it")
}

// get returns the keys; those that the issuer has now where it was not asked a moment ago.
func (k *keySet) get(ctx context.Context, again bool) ([]jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	age, pause := now.Sub(k.since), now.Sub(k.asked)
	if k.known != nil && (pause < refetchAgain || !again && age < keysGood) {
		return k.known, nil
	}
	const silent = "the issuer of accounts does not say its keys"
	if k.known == nil && pause < discoverAgain {
		return nil, fault.New(fault.Unavailable, silent)
	}
	k.asked = now
	set, err := fetchKeys(context.WithoutCancel(ctx), k.url)
	if err == nil {
		k.known, k.since = set.Keys, now
	} else if k.known == nil || age >= 2*keysGood {
		k.known = nil
		return nil, fault.Wrap(fault.Unavailable, err, silent)
	}
	return k.known, nil
}

func fetchKeys(ctx context.Context, url string) (set jose.JSONWebKeySet, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return set, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return set, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return set, fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return set, json.NewDecoder(io.LimitReader(resp.Body, issuerBytes)).Decode(&set)
}
