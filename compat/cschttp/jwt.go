package cschttp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/httpkit"
)

// Clients of the hub want to read in a token when it ends, and verify its signature (RFC 7515, 7519). Ours carries the key by which the
// server recognises them; the signature is for them alone, and its key lives as long as the process.
var signingKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// audience is that of the hub, which EODAG looks for.
const audience = "CLOUDFERRO_PUBLIC"

const keyID = "swath"

// realm is where the hub's identity server is.
const realm = "/auth/realms/CDSE"

type claims struct {
	Issuer  string `json:"iss"`
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
	Type    string `json:"typ"`
	For     string `json:"aud"`
	Key     string `json:"swath_key"`
}

var encoding = base64.RawURLEncoding

// sign makes a token that carries a key.
func sign(issuer, key string, life time.Duration) (string, error) {
	private, err := signingKey()
	if err != nil {
		return "", err
	}
	now := time.Now()
	body, err := json.Marshal(claims{issuer, now.Unix(), now.Add(life).Unix(), "Bearer", audience, key})
	if err != nil {
		return "", err
	}
	text := encoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT","kid":"`+keyID+`"}`)) + "." + encoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, sum[:])
	return text + "." + encoding.EncodeToString(signature), err
}

// carried returns the key that a token of ours carries; "" of other texts.
func carried(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	body, err := encoding.DecodeString(parts[1])
	var c claims
	if err != nil || json.Unmarshal(body, &c) != nil {
		return ""
	}
	return c.Key
}

// Frame lets requests be recognised by the tokens that the token endpoint gives: the key inside is what counts, and is looked at as every
// key is. It comes before what recognises.
func (API) Frame(app *fiber.App) {
	app.Use(func(c *fiber.Ctx) error {
		if token := c.Query("token"); token != "" && strings.HasPrefix(c.Path(), "/odata/") && c.Get(fiber.HeaderAuthorization) == "" { // as EODAG sends it
			if key := carried(token); key != "" {
				c.Request().Header.Set(fiber.HeaderAuthorization, "Bearer "+key)
			}
		}
		if scheme, token, ok := strings.Cut(c.Get(fiber.HeaderAuthorization), " "); ok && strings.EqualFold(scheme, "Bearer") {
			if key := carried(strings.TrimSpace(token)); key != "" {
				c.Request().Header.Set(fiber.HeaderAuthorization, "Bearer "+key)
			}
		}
		return c.Next()
	})
}

// discovery serves GET …/.well-known/openid-configuration: as much of OpenID Connect Discovery as clients of the hub read.
func (a API) discovery(c *fiber.Ctx) error {
	base := httpkit.BaseURL(c)
	return c.JSON(map[string]any{"issuer": base + realm, "token_endpoint": base + TokenPath, "jwks_uri": base + realm + "/protocol/openid-connect/certs",
		"authorization_endpoint": base + "/auth/login", "grant_types_supported": []string{"password", "refresh_token"}, "response_types_supported": []string{"none"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"}})
}

// certificates serves GET …/certs: the key that tokens are signed by (RFC 7517).
func (a API) certificates(c *fiber.Ctx) error {
	private, err := signingKey()
	if err != nil {
		return err
	}
	public := private.PublicKey
	return c.JSON(map[string]any{"keys": []any{map[string]string{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": encoding.EncodeToString(public.N.Bytes()), "e": encoding.EncodeToString(big.NewInt(int64(public.E)).Bytes())}}})
}
