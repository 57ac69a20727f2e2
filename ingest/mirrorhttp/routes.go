// Package mirrorhttp is where hubs tell that something is new, so that a mirror looks at their lists at once.
//
//	POST /hooks/{secret}, Basic ─▶ known? ─▶ Hint: a look at the lists
//
// What a hub says is not read: the lists tell, so that a hook that is forged, repeated or lost costs a look or a poll's time. The path is a
// secret, and in no log.
package mirrorhttp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
)

// Hook is where the hub of a mirror may tell.
type Hook struct {
	Mirror         string
	Secret         string // the last part of the path
	User, Password string
}

// API is the door.
type API struct {
	Hooks []Hook
	// Hint lets the lists of a mirror be looked at soon, whoever keeps it.
	Hint func(ctx context.Context, mirror string) error
}

const prefix = "/hooks/"

// Frame takes the calls that know a hook's secrets, whose account is none of this server's. It comes before what recognises who asks.
func (a API) Frame(app *fiber.App) {
	app.Use(prefix, func(c *fiber.Ctx) error {
		httpkit.HidePath(c)
		if hook, known := a.hook(c); c.Method() == fiber.MethodPost && known && hook.knows(c) {
			if err := a.Hint(c.UserContext(), hook.Mirror); err != nil {
				return err
			}
			c.Status(fiber.StatusNoContent)
			return nil
		}
		return c.Next()
	})
}

// Mount adds the route, where only those arrive who don't know the secrets.
func (a API) Mount(r fiber.Router) { r.Post(prefix+":hook", a.refuse) }

func (a API) refuse(c *fiber.Ctx) error {
	if _, known := a.hook(c); known {
		return fault.New(fault.Unauthenticated, "this address needs its own user and password")
	}
	return fault.New(fault.NotFound, "there is no such address")
}

// hook finds the one whose secret is the path. It takes as long whatever the path is.
func (a API) hook(c *fiber.Ctx) (found Hook, known bool) {
	secret := strings.TrimPrefix(c.Path(), prefix)
	for _, h := range a.Hooks {
		if same(secret, h.Secret) {
			found, known = h, true
		}
	}
	return found, known
}

// knows reports whether a request has a hook's user and password.
func (h Hook) knows(c *fiber.Ctx) bool {
	scheme, rest, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	return err == nil && strings.EqualFold(scheme, "Basic") && same(string(raw), h.User+":"+h.Password)
}

// same compares without telling where they differ, or how long they are.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
