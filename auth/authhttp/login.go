package authhttp

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/oauth2"

	"swath/auth"
	"swath/fault"
	"swath/httpkit"
)

const (
	signInCookie = "swath_signin"   // of a browser that is at the issuer
	signInTime   = 10 * time.Minute // that somebody may take there
)

// signIn is what a browser brings back from the issuer: only who set out with this cookie comes back by it.
type signIn struct {
	State, Nonce, Verifier, To string
}

// ways are those to sign in here, and who has done so.
type ways struct {
	Passwords bool    `json:"passwords"`
	Issuer    bool    `json:"issuer"`
	Account   *person `json:"account"`
}

type person struct {
	Name  string    `json:"name"`
	Role  auth.Role `json:"role"`
	Token string    `json:"csrf_token,omitempty"` // of a session: with it one signs out
}

// login serves GET /auth/login: it sends a browser to the issuer, or asks for a password, or tells the page what there is (f=json).
func (a API) login(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	to := local(c.Query("to"))
	if c.Query("f") == "json" {
		w := ways{Passwords: a.Passwords, Issuer: a.Issuer != nil}
		if p := auth.From(c.UserContext()); p.Known() && !p.Link {
			w.Account = &person{p.Name, p.Role, a.FormToken(c)}
		}
		return c.JSON(w)
	}
	if a.Issuer == nil && !a.Passwords {
		return fault.New(fault.NotFound, "nobody signs in here: no issuer is configured, and passwords are not taken")
	}
	if a.Passwords && c.Query("by") != "issuer" {
		return a.form(c, fiber.StatusOK, to, "")
	}
	if a.Issuer == nil {
		return fault.New(fault.NotFound, "no issuer is configured")
	}
	provider, _, err := a.Issuer.discover()
	if err != nil {
		return err
	}
	s := signIn{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), To: to}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	setCookie(c, signInCookie, "/auth", base64.RawURLEncoding.EncodeToString(text), time.Now().Add(signInTime), a.secure(c))
	address := a.Issuer.config(provider, httpkit.BaseURL(c)).AuthCodeURL(s.State, oidc.Nonce(s.Nonce), oauth2.S256ChallengeOption(s.Verifier))
	return c.Redirect(address, fiber.StatusFound)
}

// callback serves GET /auth/callback: the browser is back, with a code for which the issuer says who it is.
func (a API) callback(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if a.Issuer == nil {
		return fault.New(fault.NotFound, "no issuer is configured")
	}
	var s signIn
	text, err := base64.RawURLEncoding.DecodeString(c.Cookies(signInCookie))
	if err != nil || json.Unmarshal(text, &s) != nil || s.State == "" {
		return fault.New(fault.Invalid, "this browser has not set out to sign in, or %s ago: begin at /auth/login", signInTime)
	}
	setCookie(c, signInCookie, "/auth", "", time.Time{}, a.secure(c))
	if subtle.ConstantTimeCompare([]byte(c.Query("state")), []byte(s.State)) != 1 {
		return fault.New(fault.Invalid, "the answer of the issuer is to another question: begin at /auth/login")
	}
	if said := c.Query("error"); said != "" {
		return fault.New(fault.Forbidden, "the issuer did not sign you in: %.100q", said)
	}
	provider, _, err := a.Issuer.discover()
	if err != nil {
		return err
	}
	token, err := a.Issuer.config(provider, httpkit.BaseURL(c)).Exchange(oidc.ClientContext(c.UserContext(), client), c.Query("code"), oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return fault.Wrap(fault.Forbidden, err, "the issuer does not take the code")
	}
	raw, _ := token.Extra("id_token").(string)
	who, nonce, until, err := a.Issuer.verifyFor(c.UserContext(), raw, a.Issuer.ClientID)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(nonce), []byte(s.Nonce)) != 1 {
		return fault.New(fault.Forbidden, "the token of the issuer is not for this sign-in")
	}
	p, err := a.Keeper.ByIdentity(c.UserContext(), who, until)
	if err != nil {
		return err
	}
	return a.signedIn(c, p, s.To)
}

// loginByPassword serves POST /auth/login, which the form sends.
func (a API) loginByPassword(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if !a.Passwords {
		return fault.New(fault.NotFound, "passwords are not taken here")
	}
	if origin := c.Get(fiber.HeaderOrigin); origin != "" && origin != "null" {
		if u, err := url.Parse(origin); err != nil || u.Host != string(c.Request().Host()) {
			return fault.New(fault.Forbidden, "pages of other sites may not sign in")
		}
	}
	to := local(httpkit.FormValue(c, "to"))
	p, err := a.Keeper.ByPassword(c.UserContext(), httpkit.FormValue(c, "name"), httpkit.FormValue(c, "password"), c.IP())
	switch {
	case fault.Is(err, fault.Unauthenticated):
		return a.form(c, fiber.StatusUnauthorized, to, "Name or password is wrong.")
	case fault.Is(err, fault.OverQuota):
		return a.form(c, fiber.StatusTooManyRequests, to, "Too many wrong passwords. Try again later.")
	case err != nil:
		return err
	}
	return a.signedIn(c, p, to)
}

// signedIn opens a session, and sends the browser to where it wanted to go.
func (a API) signedIn(c *fiber.Ctx, p auth.Principal, to string) error {
	if old := c.Cookies(sessionCookie); old != "" {
		if err := a.Keeper.SignOut(c.UserContext(), old); err != nil {
			return err
		}
	}
	cookie, expires, err := a.Keeper.SignIn(c.UserContext(), p)
	if err != nil {
		return err
	}
	setCookie(c, sessionCookie, "/", cookie, expires, a.secure(c))
	return c.Redirect(to, fiber.StatusSeeOther)
}

// logout serves POST /auth/logout.
func (a API) logout(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if cookie := c.Cookies(sessionCookie); cookie != "" {
		if err := a.Keeper.SignOut(c.UserContext(), cookie); err != nil {
			return err
		}
	}
	setCookie(c, sessionCookie, "/", "", time.Time{}, a.secure(c))
	return c.Redirect("/", fiber.StatusSeeOther)
}

// form sends the page that asks for name and password.
func (a API) form(c *fiber.Ctx, status int, to, trouble string) error {
	issuer := ""
	if a.Issuer != nil {
		issuer = "/auth/login?" + url.Values{"by": {"issuer"}, "to": {to}}.Encode()
	}
	return page(c, status, "login.html", fiber.Map{"To": to, "Trouble": trouble, "Issuer": issuer})
}

// page renders a page for people.
func page(c *fiber.Ctx, status int, name string, data fiber.Map) error {
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, data); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(status).Send(out.Bytes())
}

// local is an address of this server to go to; what leads elsewhere leads to the page.
func local(to string) string {
	if u, err := url.Parse(to); err != nil || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\t\r\n") || u.Host != "" {
		return "/"
	}
	return to
}
