package cschttp

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
	"swath/httpkit"
)

// token serves POST …/protocol/openid-connect/token (RFC 6749, 4.3 and 6): the forms that the hub's clients send.
func (a API) token(c *fiber.Ctx) error {
	form, err := url.ParseQuery(string(c.Body()))
	refuse := func(status int, code, text string) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.Status(status).JSON(map[string]string{"error": code, "error_description": text})
	}
	if err != nil {
		return refuse(fiber.StatusBadRequest, "invalid_request", "the body is not a form")
	}
	name, password := form.Get("username"), form.Get("password")
	switch form.Get("grant_type") {
	case "password":
	case "refresh_token":
		name, password = "", carried(form.Get("refresh_token"))
	default:
		return refuse(fiber.StatusBadRequest, "unsupported_grant_type", "grant_type is password or refresh_token")
	}
	key, life, err := a.SignIn(c.UserContext(), name, password, c.IP())
	if fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Forbidden) || fault.Is(err, fault.NotFound) {
		return refuse(fiber.StatusUnauthorized, "invalid_grant", "Invalid user credentials")
	} else if err != nil {
		return err
	}
	token, err := sign(httpkit.BaseURL(c)+realm, key, life)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	seconds := int(life.Seconds())
	return c.JSON(map[string]any{"access_token": token, "expires_in": seconds, "refresh_token": token, "refresh_expires_in": seconds, "token_type": "Bearer",
		"not-before-policy": 0, "scope": "openid"})
}
