// Package issuertest is a provider of OpenID Connect for tests, on loopback: discovery, keys, and the code flow with PKCE for one person,
// who is always willing.
//
//	/authorize?… ─▶ back to redirect_uri with a code ─▶ /token checks code and verifier ─▶ ID token
//	Token(claims) ─▶ a token as programs send it; Sign makes one that is wrong in a way of the test's choice
package issuertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// ClientID is the one client that the issuer knows, and Audience who its tokens for programs are for.
const (
	ClientID = "swath"
	Audience = "swath-api"
)

// Issuer is one provider.
type Issuer struct {
	URL    string
	Person map[string]any // claims of who signs in

	KeysAsked atomic.Int64 // how often the keys were asked for

	t    testing.TB
	mu   sync.Mutex
	keys map[jose.SignatureAlgorithm]jose.JSONWebKey // private
	code map[string]url.Values                       // what was asked for it
}

// New starts an issuer that ends with the test.
func New(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{t: t, Person: map[string]any{"sub": "person-1", "preferred_username": "grace", "email": "grace@example.org"}, code: map[string]url.Values{}}
	i.Rotate()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.json(w, map[string]any{"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "EdDSA", "HS256", "none"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.KeysAsked.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		set := jose.JSONWebKeySet{}
		for _, k := range i.keys {
			set.Keys = append(set.Keys, k.Public())
		}
		i.json(w, set)
	})
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

func (i *Issuer) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		i.t.Error(err)
	}
}

// Rotate replaces all keys by new ones, with new names.
func (i *Issuer) Rotate() {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		i.t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	_, d, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = map[jose.SignatureAlgorithm]jose.JSONWebKey{}
	for alg, key := range map[jose.SignatureAlgorithm]any{jose.RS256: r, jose.ES256: e, jose.EdDSA: d} {
		i.keys[alg] = jose.JSONWebKey{Key: key, KeyID: rand.Text(), Algorithm: string(alg), Use: "sig"}
	}
}

// authorize is what a browser sees: this issuer asks no questions.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" {
		http.Error(w, "not the code flow with PKCE", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	i.mu.Lock()
	i.code[code] = q
	i.mu.Unlock()
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	asked, ok := i.code[r.PostFormValue("code")]
	delete(i.code, r.PostFormValue("code"))
	i.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") || r.PostFormValue("redirect_uri") != asked.Get("redirect_uri") {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := maps.Clone(i.Person)
	claims["aud"], claims["nonce"] = ClientID, asked.Get("nonce")
	i.json(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "id_token": i.Token(jose.RS256, claims)})
}

// Claims are those of a good token for programs, with others in their place.
func (i *Issuer) Claims(other map[string]any) map[string]any {
	now := time.Now().Unix()
	all := map[string]any{"iss": i.URL, "aud": Audience, "sub": "program-1", "iat": now, "exp": now + 600}
	maps.Copy(all, other)
	return all
}

// Token signs claims by the issuer's key of an algorithm.
func (i *Issuer) Token(alg jose.SignatureAlgorithm, claims map[string]any) string {
	return i.Typed(alg, "JWT", claims)
}

// Typed is Token of another type.
func (i *Issuer) Typed(alg jose.SignatureAlgorithm, typ string, claims map[string]any) string {
	i.mu.Lock()
	key := i.keys[alg]
	i.mu.Unlock()
	return sign(i.t, alg, typ, key, i.Claims(claims))
}

// PublicPEM is the public RSA key as text: what a verifier that confuses algorithms would take for a shared secret.
func (i *Issuer) PublicPEM() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	der, err := x509.MarshalPKIXPublicKey(i.keys[jose.RS256].Key.(crypto.Signer).Public())
	if err != nil {
		i.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// KeyID is the name of the key of an algorithm.
func (i *Issuer) KeyID(alg jose.SignatureAlgorithm) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[alg].KeyID
}

// Sign makes a token by any key and algorithm.
func Sign(t testing.TB, alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	return sign(t, alg, "JWT", key, claims)
}

func sign(t testing.TB, alg jose.SignatureAlgorithm, typ string, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Unsigned makes a token of algorithm "none".
func Unsigned(t testing.TB, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	return text([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + text(body) + "."
}
