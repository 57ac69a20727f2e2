package hubtest

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// keys sign the tokens.
type keys struct{ private *rsa.PrivateKey }

const keyID = "hub-1"

// newKeys are the same for all hubs of a process: making one takes long.
var newKeys = sync.OnceValue(func() keys {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // randomness never fails
	}
	return keys{private}
})

// public are the keys by which tokens are checked.
func (k keys) public() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: k.private.Public(), KeyID: keyID, Algorithm: string(jose.RS256), Use: "sig"}}}
}

// sign makes a token of a type that is good for a while.
func (k keys) sign(kind, id string, life time.Duration) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: k.private, KeyID: keyID}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	now := time.Now() // dates of tokens are whole seconds: none ends before it was said to
	return jwt.Signed(signer).Claims(jwt.Claims{ID: id, Subject: User, IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(life + 999*time.Millisecond))}).Claims(map[string]any{"typ": kind}).Serialize()
}

// valid reports whether a token is of a type, ours and not over.
func (k keys) valid(kind, text string) bool {
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return false
	}
	var claims jwt.Claims
	var more struct {
		Typ string `json:"typ"`
	}
	return token.Claims(k.private.Public(), &claims, &more) == nil && more.Typ == kind && claims.ValidateWithLeeway(jwt.Expected{Time: time.Now()}, 0) == nil
}

// good reports whether a request has a good token.
func (k keys) good(r *http.Request) bool {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && k.valid("Bearer", text)
}

// token answers as the token endpoint: RS256, whose key is at /certs.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	err := r.ParseForm()
	known := r.PostForm.Get("username") == User && r.PostForm.Get("password") == Password
	if r.PostForm.Get("grant_type") == "refresh_token" {
		known = s.keys.valid("Refresh", r.PostForm.Get("refresh_token"))
	}
	if err != nil || r.Method != http.MethodPost || r.PostForm.Get("client_id") == "" || !known {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusUnauthorized)
		return
	}
	n := s.tokens.Add(1)
	access, err := s.keys.sign("Bearer", fmt.Sprint("a", n), s.options.TokenLife)
	refresh, again := s.keys.sign("Refresh", fmt.Sprint("r", n), 6*s.options.TokenLife)
	if err != nil || again != nil {
		http.Error(w, "no token", http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{"access_token": access, "expires_in": s.options.TokenLife.Seconds(), "refresh_token": refresh, "refresh_expires_in": 6 * s.options.TokenLife.Seconds(), "token_type": "Bearer"})
}
