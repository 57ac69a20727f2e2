package authhttp

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/fault"
	"swath/httpkit"
)

// account serves GET /account: who one is here, and what one has used.
func (a API) account(c *fiber.Ctx) error {
	p := auth.From(c.UserContext())
	now := time.Now()
	used, err := a.Keeper.Used(c.UserContext(), p.User, now.AddDate(0, 0, -30))
	if err != nil {
		return err
	}
	type day struct {
		Day       string `json:"day"`
		Requests  int64  `json:"requests"`
		Downloads int64  `json:"downloads"`
		Bytes     int64  `json:"bytes"`
	}
	days, last := []day{}, int64(0)
	for _, u := range used {
		name := u.At.Format(time.DateOnly)
		if len(days) == 0 || days[len(days)-1].Day != name {
			days = append(days, day{Day: name})
		}
		d := &days[len(days)-1]
		d.Requests, d.Downloads, d.Bytes = d.Requests+u.Requests, d.Downloads+u.Downloads, d.Bytes+u.Bytes
		if u.At.After(now.Add(-25 * time.Hour)) {
			last += u.Bytes
		}
	}
	token := a.FormToken(c)
	if httpkit.WantsHTML(c) {
		return a.accountPage(c, p, token, fiber.Map{"Days": days, "Last": last})
	}
	out := fiber.Map{"id": p.User, "name": p.Name, "role": p.Role, "quotas": p.Quotas, "bytes_last_day": last, "use": days}
	if p.Key != "" {
		out["key"] = p.Key
	}
	if token != "" {
		out["csrf_token"] = token
	}
	return c.JSON(out)
}

// FormToken is what a form sends along to change something for the session of a browser, in its field csrf_token; "" where nobody came by
// a session.
func (a API) FormToken(c *fiber.Ctx) string {
	p, cookie := auth.From(c.UserContext()), c.Cookies(sessionCookie)
	if !p.Known() || p.Key != "" || cookie == "" || c.Get(fiber.HeaderAuthorization) != "" {
		return ""
	}
	return a.Keeper.FormToken(cookie)
}

// accountPage is the account for people, with what was just done.
func (a API) accountPage(c *fiber.Ctx, p auth.Principal, token string, data fiber.Map) error {
	keys, err := a.Keeper.Keys(c.UserContext(), p.User)
	if err != nil {
		return err
	}
	data["Who"], data["Token"], data["Keys"], data["Now"] = p, token, keys, time.Now()
	return page(c, fiber.StatusOK, "account.html", data)
}

// keys serves GET /account/keys.
func (a API) keys(c *fiber.Ctx) error {
	keys, err := a.Keeper.Keys(c.UserContext(), auth.From(c.UserContext()).User)
	if err != nil {
		return err
	}
	if keys == nil {
		keys = []auth.Key{}
	}
	return c.JSON(fiber.Map{"keys": keys})
}

const (
	longestKeyName = 100
	usualKeyDays   = 365
	mostKeyDays    = 10 * 365
)

// makeKey serves POST /account/keys, as JSON or from the form of the page.
func (a API) makeKey(c *fiber.Ctx) error {
	p := auth.From(c.UserContext())
	asked := struct {
		Name string    `json:"name"`
		Days int       `json:"expires_days"`
		Role auth.Role `json:"role"`
	}{Days: usualKeyDays}
	byForm := strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEApplicationForm)
	if byForm {
		asked.Name = httpkit.FormValue(c, "name")
	} else if len(c.Body()) > 0 {
		if err := json.Unmarshal(c.Body(), &asked); err != nil {
			return fault.New(fault.Invalid, `the body is not {"name": text, "expires_days": whole number, "role": one of %s}`, strings.Join(auth.Roles(), ", "))
		}
	}
	if len(asked.Name) > longestKeyName || asked.Days < 1 || asked.Days > mostKeyDays {
		return fault.New(fault.Invalid, "a key has a name of at most %d bytes, and is good for 1 to %d days", longestKeyName, mostKeyDays)
	}
	if p.Key != "" && (asked.Role == auth.Nobody || asked.Role > p.Role) {
		asked.Role = p.Role // a key makes no key that may do more than itself
	}
	expires := time.Now().AddDate(0, 0, asked.Days).UTC().Truncate(time.Second)
	made, key, err := a.Keeper.MakeKey(c.UserContext(), p.User, asked.Name, asked.Role, &expires)
	if err != nil {
		return err
	}
	if byForm {
		return a.accountPage(c, p, a.Keeper.FormToken(c.Cookies(sessionCookie)), fiber.Map{"Made": key})
	}
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{"key": key, "id": made.ID, "expires": expires, "link_secret": a.Keeper.LinkSecret(made.ID)})
}

// revokeKey serves DELETE /account/keys/{key} and POST /account/keys/{key}/revoke.
func (a API) revokeKey(c *fiber.Ctx) error {
	if err := a.Keeper.RevokeKey(c.UserContext(), auth.From(c.UserContext()).User, c.Params("key")); err != nil {
		return err
	}
	if c.Method() == fiber.MethodPost {
		return c.Redirect("/account?f=html", fiber.StatusSeeOther)
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// export serves GET /account/export.
func (a API) export(c *fiber.Ctx) error {
	body, err := a.Keeper.Export(c.UserContext(), auth.From(c.UserContext()).User)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(body)
}

// erase serves DELETE /account: the name must be said once more, because nothing brings an account back.
func (a API) erase(c *fiber.Ctx) error {
	p := auth.From(c.UserContext())
	if c.Query("name") != p.Name {
		return fault.New(fault.Invalid, "say the name of the account that is to be erased: DELETE /account?name=…")
	}
	if p.Key != "" {
		return fault.New(fault.Forbidden, "an account is erased by who signs in, not by a key")
	}
	if err := a.Keeper.Erase(c.UserContext(), p.User); err != nil {
		return err
	}
	setCookie(c, sessionCookie, "/", "", time.Time{}, a.secure(c))
	return c.SendStatus(fiber.StatusNoContent)
}
