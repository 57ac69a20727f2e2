package httpkit

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// acceptedCoding returns the index in codings of what an Accept-Encoding header likes most, or -1 for the bare body.
// Codings liked equally are taken in our order.
func acceptedCoding(header string) int {
	best, bestQ := -1, 0.0
	for i, coding := range codings {
		if q := quality(header, coding.name); q > bestQ {
			best, bestQ = i, q
		}
	}
	return best
}

// quality returns the weight (RFC 9110, 12.4.2) that a header gives to a coding, 0 when it does not want it. "*" means
// gzip alone: clients write it that know no other (stac-api-validator through requests).
func quality(header, name string) float64 {
	var q float64
	for part := range strings.SplitSeq(header, ",") {
		token, params, _ := strings.Cut(part, ";")
		token = strings.TrimSpace(token)
		if strings.EqualFold(token, name) {
			return weight(params)
		}
		if token == "*" && name == "gzip" {
			q = weight(params)
		}
	}
	return q
}

// weight reads "q=0.5"; no weight is 1, a broken one is 0.
func weight(params string) float64 {
	text, given := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q=")
	if !given {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}

// WantsHTML reports whether the client is a person's browser: ?f=html says so, ?f=json denies it, otherwise the Accept
// header decides, and a tie is JSON.
func WantsHTML(c *fiber.Ctx) bool {
	switch c.Query("f") {
	case "html":
		return true
	case "json":
		return false
	}
	c.Vary(fiber.HeaderAccept)
	accept := c.Get(fiber.HeaderAccept)
	if !strings.Contains(accept, "text/html") {
		return false
	}
	return c.Accepts(fiber.MIMEApplicationJSON, fiber.MIMETextHTML) == fiber.MIMETextHTML
}
