package authhttp

import (
	"encoding/base64"
	"regexp"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/fault"
	"swath/httpkit"
	"swath/stac"
)

// keyHeader carries an API key.
const keyHeader = "X-API-Key"

// formHeader carries the form token of a session; a form carries it in its field formField.
const (
	formHeader = "X-CSRF-Token"
	formField  = "csrf_token"
)

// refused is said of every credential that can't be read.
var refused = fault.New(fault.Unauthenticated, "the key, password or token is not good: it may be mistyped, expired or revoked")

// identify finds out who asks, and what they may know of, before any other handler.
func (a API) identify(c *fiber.Ctx) error {
	p, cookie, err := a.who(c)
	if err != nil {
		return err
	}
	ctx := auth.With(c.UserContext(), p)
	if scope := a.Keeper.Scope(p); scope.Key() != "" {
		ctx = stac.WithScope(ctx, scope)
	}
	c.SetUserContext(ctx)
	if !p.Known() && !a.Strangers && !a.open(c) {
		return p.Require(auth.Reader)
	}
	if cookie != "" && changes(c) && formToken(c) != a.Keeper.FormToken(cookie) {
		return fault.New(fault.Forbidden, "a change by a browser that is signed in needs the session's token in %s: GET /account says it", formHeader)
	}
	if err := c.Next(); err != nil {
		return err
	}
	a.sayWhoMayKeep(c, p)
	return nil
}

// who recognises by the first credential that a request has. Cookie is that of the session, when it was that.
func (a API) who(c *fiber.Ctx) (p auth.Principal, cookie string, err error) {
	ctx := c.UserContext()
	if key := c.Get(keyHeader); key != "" {
		p, err = a.Keeper.ByKey(ctx, key)
		return p, "", err
	}
	if header := c.Get(fiber.HeaderAuthorization); header != "" {
		p, err = a.byAuthorization(c, header)
		return p, "", err
	}
	if isLink(c) {
		p, err = a.byLink(c)
		return p, "", err
	}
	if len(c.Request().Header.Peek(fiber.HeaderCookie)) == 0 {
		return p, "", nil
	}
	if cookie = c.Cookies(sessionCookie); cookie == "" {
		return p, "", nil
	}
	p, err = a.Keeper.BySession(ctx, cookie)
	if fault.Is(err, fault.Unauthenticated) { // it has ended: who was signed in is a stranger again, and told so by what they can't do
		setCookie(c, sessionCookie, "/", "", time.Time{}, a.secure(c))
		return auth.Principal{}, "", nil
	}
	return p, cookie, err
}

// byAuthorization recognises by the header of that name (RFC 9110, 11.6.2).
func (a API) byAuthorization(c *fiber.Ctx, header string) (auth.Principal, error) {
	scheme, rest, _ := strings.Cut(header, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		if auth.IsKey(rest) {
			return a.Keeper.ByKey(c.UserContext(), rest)
		}
		if a.Issuer == nil {
			return auth.Principal{}, refused
		}
		return a.Keeper.ByToken(c.UserContext(), rest, func() (auth.Identity, time.Time, error) {
			return a.Issuer.verify(c.UserContext(), rest)
		})
	case strings.EqualFold(scheme, "Basic"):
		raw, err := base64.StdEncoding.DecodeString(rest)
		name, password, ok := strings.Cut(string(raw), ":")
		if err != nil || !ok || !a.Passwords && !auth.IsKey(password) {
			return auth.Principal{}, refused
		}
		return a.Keeper.ByPassword(c.UserContext(), name, password, c.IP())
	}
	return auth.Principal{}, refused
}

// open reports whether strangers may come here although nothing is public.
func (a API) open(c *fiber.Ctx) bool {
	path := c.Path()
	for _, one := range a.Open {
		if path == one || strings.HasSuffix(one, "/") && one != "/" && strings.HasPrefix(path, one) {
			return true
		}
	}
	return path == "/" && httpkit.WantsHTML(c) // the page, which tells nothing; the catalog's own landing page lists collections
}

// asking are the routes that are asked by POST and change nothing.
var asking = regexp.MustCompile(`^/searches/register$|/(search|aggregate|statistics|feature(/[^/]+)?(\.\w+)?|data\.\w+|timeseries/polygon)$`)

// changes reports whether a request may change something.
func changes(c *fiber.Ctx) bool {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return false
	case fiber.MethodPost:
		return !asking.MatchString(c.Path())
	}
	return true
}

func formToken(c *fiber.Ctx) string {
	if token := c.Get(formHeader); token != "" {
		return token
	}
	return httpkit.FormValue(c, formField)
}

// sayWhoMayKeep tells caches what depends on who asked. Where everybody gets the same, and may, nothing is said; ETags stay as they are.
func (a API) sayWhoMayKeep(c *fiber.Ctx, p auth.Principal) {
	if a.Strangers && !a.Keeper.AnyPrivate() {
		return
	}
	c.Vary(fiber.HeaderAuthorization, keyHeader, fiber.HeaderCookie)
	if !p.Known() {
		return // what strangers get anybody may have
	}
	const public = "public"
	if control := string(c.Response().Header.Peek(fiber.HeaderCacheControl)); strings.HasPrefix(control, public) {
		c.Set(fiber.HeaderCacheControl, "private"+control[len(public):])
	} else if control == "" {
		c.Set(fiber.HeaderCacheControl, "private")
	}
}

// secure reports whether the client comes by TLS, so that its cookies must not travel without.
func (a API) secure(c *fiber.Ctx) bool {
	return strings.HasPrefix(a.PublicURL, "https:") || c.Secure()
}
