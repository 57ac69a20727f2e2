// Package fault is the closed set of ways in which Swath fails.
//
//	what went wrong ──▶ Kind ──▶ one status code at the HTTP door, one exit code at the shell
//
// A Kind is decided where the trouble is found; everything above only wraps.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what a caller can do about a failure.
type Kind int

// The kinds. Internal is the zero value, so that a forgotten kind hides its text from strangers.
const (
	Internal        Kind = iota // our mistake: nothing the caller can change
	Invalid                     // the request or the product is wrong; the text says where
	NotFound                    // no such thing
	Conflict                    // the thing exists already, or is in use
	Forbidden                   // known, and not allowed
	Offline                     // on cold storage, being staged; ask again later
	Timeout                     // took longer than allowed
	Unavailable                 // too busy, or a part is starting; ask again soon
	TooLarge                    // the answer would cost more than one request may
	Stale                       // the thing has changed since the caller saw it
	Unauthenticated             // nobody is known to ask, or by a key that is not good
	OverQuota                   // known and allowed, but too much of it; ask again later

	kinds int = iota
)

// Kinds returns every kind, for tables that must be complete.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// String returns the kind's name in lower case.
func (k Kind) String() string {
	names := [...]string{"internal", "invalid", "not found", "conflict", "forbidden", "offline", "timeout", "unavailable", "too large", "stale",
		"unauthenticated", "over quota"}
	if int(k) < 0 || int(k) >= len(names) {
		return fmt.Sprintf("fault.Kind(%d)", int(k))
	}
	return names[k]
}

// Error is a failure of a known Kind. Public is safe to show to a stranger; Err is for the log alone.
type Error struct {
	Kind   Kind
	Public string
	Err    error
	After  time.Duration // when asking again may help; 0 is what is usual for the kind
}

// Error returns the public text followed by the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Public
	}
	return e.Public + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns a failure whose text may be shown to a stranger.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Public: fmt.Sprintf(format, args...)}
}

// Wrap returns a failure with a public text and a private cause.
func Wrap(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Public: fmt.Sprintf(format, args...), Err: cause}
}

// Later returns how long to wait before asking again may help; 0 is what is usual.
func Later(err error) time.Duration {
	var f *Error
	if errors.As(err, &f) {
		return f.After
	}
	return 0
}

// Of returns the kind and the public text of err. An error that is not a fault is Internal and keeps its text to itself.
func Of(err error) (Kind, string) {
	var f *Error
	if errors.As(err, &f) && f.Kind != Internal {
		return f.Kind, f.Public
	}
	return Internal, "internal error"
}

// Is reports whether err is a failure of this kind.
func Is(err error, kind Kind) bool {
	var f *Error
	return errors.As(err, &f) && f.Kind == kind
}
