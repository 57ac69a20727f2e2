package authhttp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/auth"
	"swath/fault"
	"swath/httpkit"
)

// A signed link is an address with who signed it, when, for how long, and a signature over all of that: AWS Signature Version 4 by query
// (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html), so that S3 clients make links to our files by themselves.

const (
	linkAlgorithm = "AWS4-HMAC-SHA256"
	linkTime      = "20060102T150405Z"
	linkRegion    = "us-east-1"
	longestLink   = 7 * 24 * time.Hour // AWS's own limit
	linkEarly     = 15 * time.Minute   // by which the clock of who signs may be ahead: AWS's own limit too
)

// isLink reports whether a request comes by a signed link.
func isLink(c *fiber.Ctx) bool { return len(c.Context().QueryArgs().Peek("X-Amz-Signature")) > 0 }

// byLink recognises who signed the link, and takes the signature out of the query that the routes see.
func (a API) byLink(c *fiber.Ctx) (auth.Principal, error) {
	if c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
		return auth.Principal{}, fault.New(fault.Unauthenticated, "a link is for reading")
	}
	q, err := url.ParseQuery(string(c.Context().URI().QueryString()))
	if err != nil {
		return auth.Principal{}, fault.New(fault.Invalid, "the query is not well formed")
	}
	scope := strings.Split(q.Get("X-Amz-Credential"), "/") // access key, day, region, service, aws4_request
	at, err := time.Parse(linkTime, q.Get("X-Amz-Date"))
	seconds, err2 := strconv.Atoi(q.Get("X-Amz-Expires"))
	life := time.Duration(seconds) * time.Second
	if err != nil || err2 != nil || len(scope) != 5 || scope[1] != at.Format("20060102") || q.Get("X-Amz-Algorithm") != linkAlgorithm ||
		q.Get("X-Amz-SignedHeaders") != "host" || seconds < 1 || life > longestLink {
		return auth.Principal{}, fault.New(fault.Unauthenticated, "the link is not signed as AWS Signature Version 4 signs: over the host alone, for at most %s", longestLink)
	}
	if now := time.Now(); now.After(at.Add(life)) || now.Before(at.Add(-linkEarly)) {
		return auth.Principal{}, fault.New(fault.Unauthenticated, "the link has expired")
	}
	given, err := hex.DecodeString(q.Get("X-Amz-Signature"))
	if err != nil {
		return auth.Principal{}, refused
	}
	path, good := string(c.Request().URI().PathOriginal()), false
	for _, host := range a.hosts(c) {
		want := signature(a.Keeper.LinkSecret(scope[0]), scope, host, path, q)
		good = good || hmac.Equal(given, want)
	}
	if !good {
		return auth.Principal{}, fault.New(fault.Unauthenticated, "the signature of the link is not that of this address")
	}
	p, err := a.Keeper.ByAccess(c.UserContext(), scope[0])
	if err != nil {
		return p, err
	}
	for name := range q {
		if strings.HasPrefix(name, "X-Amz-") {
			q.Del(name)
		}
	}
	c.Context().URI().SetQueryString(q.Encode())
	return p, nil
}

// hosts are the names under which a client may know this server.
func (a API) hosts(c *fiber.Ctx) []string {
	all := []string{string(c.Request().Host())}
	if u, err := url.Parse(a.PublicURL); err == nil && u.Host != "" && u.Host != all[0] {
		all = append(all, u.Host)
	}
	return all
}

// signature is that of a GET of an address, whose query has all but the signature.
func signature(secret string, scope []string, host, path string, q url.Values) []byte {
	var parts []string
	for name, values := range q {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, value := range values {
			parts = append(parts, escape(name)+"="+escape(value))
		}
	}
	slices.Sort(parts)
	request := strings.Join([]string{fiber.MethodGet, path, strings.Join(parts, "&"), "host:" + host + "\n", "host", "UNSIGNED-PAYLOAD"}, "\n")
	sum := sha256.Sum256([]byte(request))
	text := strings.Join([]string{linkAlgorithm, q.Get("X-Amz-Date"), strings.Join(scope[1:], "/"), hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range scope[1:] {
		key = mac(key, part)
	}
	return mac(key, text)
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text)) //nolint:errcheck // it never fails
	return m.Sum(nil)
}

// escape writes what is not unreserved (RFC 3986, 2.3) as %XX.
func escape(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(text), "+", "%20"), "%7E", "~")
}

// usualLink is how long a link is good of which nothing is said.
const usualLink = time.Hour

// makeLink serves POST /account/links: an address by which somebody without an account reads one file, until it expires.
func (a API) makeLink(c *fiber.Ctx) error {
	p := auth.From(c.UserContext())
	asked := struct {
		Href    string `json:"href"`
		Seconds int    `json:"expires_s"`
	}{Seconds: int(usualLink / time.Second)}
	if err := json.Unmarshal(c.Body(), &asked); err != nil {
		return fault.New(fault.Invalid, `the body is not {"href": address of a file here, "expires_s": whole number}`)
	}
	base := httpkit.BaseURL(c)
	address, err := url.Parse(strings.TrimPrefix(asked.Href, base))
	if err != nil || address.Host != "" || !strings.HasPrefix(address.Path, "/") || asked.Seconds < 1 || time.Duration(asked.Seconds)*time.Second > longestLink {
		return fault.New(fault.Invalid, "href %.200q is not an address of this server (%s/…), or expires_s is not 1 to %.0f", asked.Href, base, longestLink.Seconds())
	}
	host := string(c.Request().Host())
	if u, err := url.Parse(base); err == nil && u.Host != "" {
		host = u.Host
	}
	access := p.Key
	if access == "" {
		access = p.User
	}
	now := time.Now().UTC()
	scope := []string{access, now.Format("20060102"), linkRegion, "s3", "aws4_request"}
	q := address.Query()
	for name, value := range map[string]string{"Algorithm": linkAlgorithm, "Credential": strings.Join(scope, "/"), "Date": now.Format(linkTime),
		"Expires": strconv.Itoa(asked.Seconds), "SignedHeaders": "host"} {
		q.Set("X-Amz-"+name, value)
	}
	path := address.EscapedPath()
	sum := signature(a.Keeper.LinkSecret(access), scope, host, path, q)
	return c.Status(fiber.StatusCreated).JSON(fiber.Map{
		"href": base + path + "?" + q.Encode() + "&X-Amz-Signature=" + hex.EncodeToString(sum), "expires": now.Add(time.Duration(asked.Seconds) * time.Second).Truncate(time.Second),
	})
}
