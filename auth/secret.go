package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"swath/fault"
)

// keyPrefix begins every API key, so that people and scanners of repositories know what they found.
const keyPrefix = "sw_"

// Sizes in characters of base 32, of 5 bits each.
const (
	idChars     = 16 // 80 bits: unique
	secretChars = 40 // 200 bits: not to be guessed
)

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// random returns a text that nobody can guess.
func random(chars int) string {
	raw := make([]byte, (chars*5+7)/8)
	rand.Read(raw) //nolint:errcheck // it never fails
	return base32Lower.EncodeToString(raw)[:chars]
}

// NewID returns an id that nothing else has.
func NewID() string { return random(idChars) }

// NewKey makes an API key of an account: what is kept of it, and the key itself, to be shown once.
func NewKey(account string) (k Key, key string) {
	k = Key{ID: NewID(), Account: account}
	secret := random(secretChars)
	k.Digest = digest(secret)
	return k, keyPrefix + k.ID + "_" + secret
}

// IsKey reports whether a text looks like an API key.
func IsKey(text string) bool {
	_, _, ok := splitKey(text)
	return ok
}

func splitKey(text string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(text, keyPrefix)
	id, secret, cut := strings.Cut(rest, "_")
	return id, secret, ok && cut && len(id) == idChars && len(secret) == secretChars
}

// digest is what is kept of a secret: it has too many bits to be tried, so that one fast sum is enough.
func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Cost of a password (OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane).
const (
	argonKiB    = 19 << 10
	argonPasses = 2
	argonLanes  = 1
	argonBytes  = 32
)

const (
	minPassword = 10  // characters
	maxPassword = 256 // bytes: more would only cost time
)

// HashPassword returns what is kept of a password.
func HashPassword(password string) (string, error) {
	if len([]rune(password)) < minPassword || len(password) > maxPassword {
		return "", fault.New(fault.Invalid, "a password has at least %d characters, and at most %d bytes", minPassword, maxPassword)
	}
	salt := make([]byte, 16)
	rand.Read(salt) //nolint:errcheck // it never fails
	sum := argon2.IDKey([]byte(password), salt, argonPasses, argonKiB, argonLanes, argonBytes)
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonKiB, argonPasses, argonLanes, text(salt), text(sum)), nil
}

// nobodysPassword is compared with where there is no account, so that the time tells nothing.
const nobodysPassword = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// samePassword reports whether a password is the one of which kept was made.
func samePassword(kept, password string) bool {
	var version, kib, passes, lanes int
	head, rest, ok := cutAt(kept, 4)
	if _, err := fmt.Sscanf(head, "$argon2id$v=%d$m=%d,t=%d,p=%d", &version, &kib, &passes, &lanes); !ok || err != nil ||
		version != argon2.Version || kib < 8 || kib > 1<<20 || passes < 1 || passes > 64 || lanes < 1 || lanes > 64 || len(password) > maxPassword {
		return false
	}
	saltText, sumText, _ := strings.Cut(rest, "$")
	salt, err := base64.RawStdEncoding.DecodeString(saltText)
	sum, err2 := base64.RawStdEncoding.DecodeString(sumText)
	if err != nil || err2 != nil || len(sum) < 16 || len(sum) > 64 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(kib), uint8(lanes), uint32(len(sum)))
	return subtle.ConstantTimeCompare(got, sum) == 1
}

// cutAt cuts a text at its n-th "$".
func cutAt(text string, n int) (head, rest string, ok bool) {
	at := 0
	for range n {
		i := strings.IndexByte(text[at:], '$')
		if i < 0 {
			return "", "", false
		}
		at += i + 1
	}
	return text[:at-1], text[at:], true
}

// sign returns a text that only who knows the secret can make, of what is signed and what for.
func sign(secret []byte, purpose, text string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(purpose + "\x00" + text)) //nolint:errcheck // it never fails
	return base32Lower.EncodeToString(mac.Sum(nil))
}
