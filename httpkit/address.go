package httpkit

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// BaseURL returns the address under which the client sees this server, without a trailing slash: the configured one, else
// what a trusted proxy says, else the Host header. A request without a usable Host gets "", which makes links relative.
func BaseURL(c *fiber.Ctx) string {
	cfg := frameOf(c).cfg
	if cfg.PublicURL != "" {
		return strings.TrimRight(cfg.PublicURL, "/")
	}
	scheme, host := "http", string(c.Context().Host())
	if c.Context().IsTLS() {
		scheme = "https"
	}
	if cfg.TrustProxy {
		if proto := firstOf(c.Get(fiber.HeaderXForwardedProto)); proto == "http" || proto == "https" {
			scheme = proto
		}
		if forwarded := firstOf(c.Get(fiber.HeaderXForwardedHost)); forwarded != "" {
			host = forwarded
		}
	}
	if !plainHost(host) {
		return ""
	}
	return scheme + "://" + host
}

// firstOf returns the first of a comma list: the proxy nearest to the client.
func firstOf(header string) string {
	first, _, _ := strings.Cut(header, ",")
	return strings.TrimSpace(first)
}

// plainHost reports whether a host may be written into links: letters, digits and what names, ports and IPv6 need.
func plainHost(host string) bool {
	for _, b := range []byte(host) {
		if (b < '0' || b > '9') && (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && !strings.ContainsRune(".-_:[]", rune(b)) {
			return false
		}
	}
	return host != ""
}
