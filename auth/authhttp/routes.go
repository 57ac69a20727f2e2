// Package authhttp is where requests say who asks: it recognises them before any other handler runs, signs people in, and lets them
// look after their own account.
//
//	X-API-Key · Authorization: Bearer, Basic · a signed link · the cookie of a session
//	     └─▶ auth.Keeper ─▶ Principal, stac.Scope ─▶ context ─▶ the routes of all doors
//	/auth/login ─▶ issuer (OpenID Connect, code flow with PKCE) or a password ─▶ session, kept by the server; the cookie is only its name
//
// A credential that is not good is 401, also where a stranger could read. A page of another site changes nothing: what changes something by
// a cookie needs the form token of its session.
package authhttp

import (
	"embed"
	"html/template"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/auth"
)

//go:embed templates/*.html
var files embed.FS

var templates = template.Must(template.New("").ParseFS(files, "templates/*.html"))

// API recognises who asks, and serves /auth and /account.
type API struct {
	Keeper    *auth.Keeper
	Strangers bool     // may read what is public without an account
	Passwords bool     // of local accounts are taken
	Issuer    *Issuer  // whose people may sign in; nil: none
	Open      []string // paths, or beginnings of them with "/" at the end, that strangers reach whatever Strangers says
	PublicURL string   // that clients use, when it is not in their Host header
}

// Frame lets every request of an app pass by. It comes before the routes of others.
func (a API) Frame(app *fiber.App) { app.Use(a.identify) }

// Mount adds the routes.
func (a API) Mount(r fiber.Router) {
	r.Get("/auth/login", a.login)
	r.Post("/auth/login", a.loginByPassword)
	r.Get("/auth/callback", a.callback)
	r.Post("/auth/logout", a.logout)
	r.Get("/account", a.known, a.account)
	r.Delete("/account", a.known, a.erase)
	r.Get("/account/export", a.known, a.export)
	r.Get("/account/keys", a.known, a.keys)
	r.Post("/account/keys", a.known, a.makeKey)
	r.Delete("/account/keys/:key", a.known, a.revokeKey)
	r.Post("/account/keys/:key/revoke", a.known, a.revokeKey) // for forms, which know no DELETE
	r.Post("/account/links", a.known, a.makeLink)
	r.Get("/accounts", a.admin, a.accounts)
	r.Patch("/accounts/:account", a.admin, a.changeAccount)
}

// known lets nobody pass who has no account, or came by a link that was signed for a file.
func (API) known(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	p := auth.From(c.UserContext())
	if p.Link {
		p = auth.Principal{}
	}
	if err := p.Require(auth.Reader); err != nil {
		return err
	}
	return c.Next()
}

// admin lets admins pass alone.
func (a API) admin(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if err := auth.From(c.UserContext()).Require(auth.Admin); err != nil {
		return err
	}
	return c.Next()
}

// sessionCookie is the name of the cookie of a session.
const sessionCookie = "swath_session"

// setCookie sends a cookie that scripts can't read and other sites don't send along with a change; without a value it is taken back.
func setCookie(c *fiber.Ctx, name, path, value string, expires time.Time, secure bool) {
	if value == "" {
		expires = time.Unix(1, 0)
	}
	c.Cookie(&fiber.Cookie{Name: name, Value: value, Path: path, Expires: expires, HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, Secure: secure})
}
