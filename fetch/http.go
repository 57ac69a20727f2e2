package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"swath/fault"
)

// Passing is a failure that a later try may not meet.
type Passing struct {
	Err   error
	After time.Duration // that the server asks for; 0: nothing
}

func (p *Passing) Error() string { return p.Err.Error() }
func (p *Passing) Unwrap() error { return p.Err }

// Retry is an error of a source that wants to be left alone for a while.
type Retry struct {
	After time.Duration
	Err   error
}

func (r *Retry) Error() string { return fmt.Sprintf("%v (again in %v)", r.Err, r.After) }
func (r *Retry) Unwrap() error { return r.Err }

// Ask puts a range and its condition into a request's header.
func Ask(header http.Header, from int64, tag string) {
	header.Set("Accept-Encoding", "identity")
	if from > 0 && tag != "" {
		header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		header.Set("If-Range", tag)
	}
}

// BodyOf reads the head of a download that was asked for from a byte on. The body of a response that is an error stays to be closed.
func BodyOf(r *http.Response, from int64) (*Body, error) {
	b := &Body{ReadCloser: r.Body, Total: r.ContentLength}
	if tag := r.Header.Get("ETag"); strings.HasPrefix(tag, `"`) { // a weak one says nothing of bytes
		b.Tag = tag
	}
	switch r.StatusCode {
	case http.StatusOK:
	case http.StatusPartialContent:
		first, total, err := contentRange(r.Header.Get("Content-Range"))
		if err != nil || first != from {
			return nil, &Passing{Err: fmt.Errorf("asked for bytes from %d, got Content-Range %q", from, r.Header.Get("Content-Range"))}
		}
		b.From, b.Total = first, total
	case http.StatusRequestedRangeNotSatisfiable:
		return nil, fault.New(fault.Stale, "there is no byte %d", from)
	case http.StatusAccepted:
		return nil, &Retry{After: RetryAfter(r), Err: fault.New(fault.Offline, "it is being brought from cold storage")}
	default:
		return nil, StatusError(r)
	}
	return b, nil
}

// IsPage reports whether an answer is a page that says what is wrong: some gateways send one with 200 in the place of a file.
func IsPage(r *http.Response) (kind string, is bool) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind, err == nil && (kind == "text/html" || kind == "application/json" || kind == "application/problem+json")
}

var errRange = errors.New("a Content-Range is wrong")

// contentRange reads "bytes 5-9/10"; total is -1 for *.
func contentRange(text string) (first, total int64, err error) {
	span, isBytes := strings.CutPrefix(text, "bytes ")
	span, whole, hasTotal := strings.Cut(span, "/")
	begin, end, both := strings.Cut(span, "-")
	if !isBytes || !hasTotal || !both {
		return 0, 0, errRange
	}
	if first, err = strconv.ParseInt(begin, 10, 64); err != nil || first < 0 {
		return 0, 0, errRange
	}
	last, err := strconv.ParseInt(end, 10, 64)
	if err != nil || last < first {
		return 0, 0, errRange
	}
	if whole == "*" {
		return first, -1, nil
	}
	if total, err = strconv.ParseInt(whole, 10, 64); err != nil || total <= last {
		return 0, 0, errRange
	}
	return first, total, nil
}

// StatusError says what a status means. What may pass is a *Passing.
func StatusError(r *http.Response) error {
	err := fmt.Errorf("%s %s: %s", r.Request.URL.Redacted(), r.Status, said(r.Body))
	switch {
	case r.StatusCode == http.StatusNotFound || r.StatusCode == http.StatusGone:
		return fault.Wrap(fault.NotFound, err, "there is no such thing")
	case r.StatusCode == http.StatusUnauthorized:
		return fault.Wrap(fault.Forbidden, err, "the log-in is refused")
	case r.StatusCode == http.StatusForbidden:
		return fault.Wrap(fault.Forbidden, err, "the account may not do this")
	case r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusServiceUnavailable:
		return &Passing{Err: err, After: RetryAfter(r)}
	case r.StatusCode == http.StatusNotImplemented: // nor will it be soon
	case r.StatusCode >= 500 || r.StatusCode == http.StatusRequestTimeout:
		return &Passing{Err: err}
	}
	return fault.Wrap(fault.Invalid, err, "the request is refused with %d", r.StatusCode)
}

// said is what an answer says went wrong: in words of RFC 9457, of the OGC, or as it is.
func said(body io.Reader) string {
	text, _ := io.ReadAll(io.LimitReader(body, 4096))
	var problem struct{ Detail, Description string }
	if json.Unmarshal(text, &problem) == nil && problem.Detail+problem.Description != "" {
		return problem.Detail + problem.Description
	}
	return strings.TrimSpace(string(text[:min(len(text), 500)]))
}

// RetryAfter reads seconds or a date; 0 without.
func RetryAfter(r *http.Response) time.Duration {
	text := r.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(0, seconds)) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now := time.Now()
	if date, err := http.ParseTime(r.Header.Get("Date")); err == nil { // the server's clock
		now = date
	}
	return max(0, at.Sub(now))
}
