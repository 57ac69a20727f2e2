package catalog

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"swath/fault"
)

// sqlStates are PostgreSQL's error codes, or their first two letters, that are not our mistake (appendix A of its manual).
var sqlStates = []struct {
	prefix string
	kind   fault.Kind
	public string
}{
	{"57014", fault.Timeout, "the catalog took longer than allowed"}, // query_canceled: the statement timeout, or ours
	{"57P", fault.Unavailable, "the catalog is starting or stopping"},
	{"08", fault.Unavailable, "the catalog lost its connection"},
	{"53", fault.Unavailable, "the catalog has no room left"}, // connections, memory, disk
	{"40", fault.Unavailable, "the catalog is too busy"},      // serialization failures, deadlocks
	{"22021", fault.Invalid, "text with a character that is not allowed"},
	{"22P05", fault.Invalid, "text with a character that is not allowed"},
}

// classify gives an error of the database the kind that a caller can act on. Other errors stay as they are.
func classify(err error) error {
	if known := (*fault.Error)(nil); err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(fault.Timeout, err, "the catalog took longer than allowed")
	}
	if failure := (*pgconn.PgError)(nil); errors.As(err, &failure) {
		for _, s := range sqlStates {
			if strings.HasPrefix(failure.Code, s.prefix) {
				return fault.Wrap(s.kind, err, "%s", s.public)
			}
		}
		return err
	}
	connect, network := (*pgconn.ConnectError)(nil), net.Error(nil)
	if errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) {
		return fault.Wrap(fault.Unavailable, err, "the catalog does not answer")
	}
	return err
}
