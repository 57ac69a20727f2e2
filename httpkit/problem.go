package httpkit

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"swath/fault"
)

// statusOf is the one table from kinds to status codes; a test fails when a kind is missing.
var statusOf = map[fault.Kind]int{
	fault.Internal:    http.StatusInternalServerError,
	fault.Invalid:     http.StatusBadRequest,
	fault.NotFound:    http.StatusNotFound,
	fault.Conflict:    http.StatusConflict,
	fault.Forbidden:   http.StatusForbidden,
	fault.Offline:     http.StatusAccepted, // being staged
	fault.Timeout:     http.StatusGatewayTimeout,
	fault.Unavailable: http.StatusServiceUnavailable,
	fault.Stale:       http.StatusPreconditionFailed,
	fault.TooLarge:    http.StatusRequestEntityTooLarge, // not 400: a client may shrink its question and ask again

	fault.Unauthenticated: http.StatusUnauthorized,
	fault.OverQuota:       http.StatusTooManyRequests,
}

// retryAfterS says when to ask again, in seconds, where asking again may help.
var retryAfterS = map[int]int{http.StatusAccepted: 60, http.StatusServiceUnavailable: 5, http.StatusTooManyRequests: 60}

// How a request can say who asks (RFC 9110, 11.6.1).
const (
	bearer = `Bearer realm="swath"`
	basic  = `Basic realm="swath", charset="UTF-8"`
)

// statusClientGone is the code that servers log for a request whose client left before the answer. Nobody receives it.
const statusClientGone = 499

// ProblemType is the media type of every error body.
const ProblemType = "application/problem+json"

// problem is an error body (RFC 9457). Its type is "about:blank" unless a standard has a name for it: title and status say what kind it is.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Instance  string `json:"instance"`
	RequestID string `json:"request_id,omitempty"`
}

// typed is an error that a standard has a name for.
type typed struct {
	error
	uri string
}

func (t typed) Unwrap() error { return t.error }

// OfType gives an error the type by which a standard knows it; nil stays nil.
func OfType(uri string, err error) error {
	if err == nil {
		return nil
	}
	return typed{err, uri}
}

// Problem is the only place where an error becomes a response; it is fiber's ErrorHandler.
func Problem(c *fiber.Ctx, err error) error {
	kind := typed{uri: "about:blank"}
	errors.As(err, &kind)
	status, title, detail := head(c, err)
	body, err := json.Marshal(problem{kind.uri, title, status, detail, c.Path(), frameOf(c).requestID})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, ProblemType)
	return c.Send(body)
}

// PlainProblem is Problem as application/json, for those who take nothing else.
func PlainProblem(c *fiber.Ctx, err error) error {
	if err := Problem(c, err); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return nil
}

// Worded answers with an error as an older protocol says it, in JSON. What is being brought from the archive has no body: clients
// take one for the product.
func Worded(c *fiber.Ctx, err error, words func(status int, detail string) any) error {
	status, _, detail := head(c, err)
	if status == http.StatusAccepted {
		c.Response().ResetBody()
		return nil
	}
	return c.JSON(words(status, detail))
}

// WordedXML answers with an error as an older protocol says it, in XML.
func WordedXML(c *fiber.Ctx, err error, words func(status int, kind fault.Kind, detail string) ([]byte, error)) error {
	kind, _ := fault.Of(err)
	status, _, detail := head(c, err)
	body, err := words(status, kind, detail)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, XMLType)
	return c.Send(body)
}

// XMLType is the media type of XML that we write.
const XMLType = "text/xml; charset=utf-8"

// head sets the status and the headers of an error.
func head(c *fiber.Ctx, err error) (status int, title, detail string) {
	status, title, detail = explain(err)
	f := frameOf(c)
	if status >= 500 {
		f.cfg.Log.ErrorContext(c.UserContext(), "request failed", "id", f.requestID, "path", loggedPath(c), "err", err)
	}
	if s, ok := retryAfterS[status]; ok && len(c.Response().Header.Peek(fiber.HeaderRetryAfter)) == 0 {
		if later := fault.Later(err); later > 0 {
			s = int((later + time.Second - 1) / time.Second)
		}
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(s))
	}
	if status == http.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, bearer)
		if c.Get("Sec-Fetch-Mode") == "" { // a browser would ask for a password where a page wants to
			c.Append(fiber.HeaderWWWAuthenticate, basic)
		}
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Response().Header.Del(fiber.HeaderETag)
	c.Status(status)
	return status, title, detail
}

// explain returns the status of err and the words that a stranger may read.
func explain(err error) (status int, title, detail string) {
	kind, detail := fault.Of(err)
	status = statusOf[kind]
	if fe := (*fiber.Error)(nil); errors.As(err, &fe) { // the router's own: 404, 405, 413, 431 …
		status, detail = fe.Code, fe.Message
	} else if kind == fault.Internal && errors.Is(err, context.DeadlineExceeded) {
		status, detail = statusOf[fault.Timeout], "the answer took longer than a request may"
	} else if kind == fault.Internal && errors.Is(err, context.Canceled) {
		return statusClientGone, "Client Closed Request", "the client went away"
	}
	return status, http.StatusText(status), detail
}
