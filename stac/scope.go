package stac

import (
	"context"
	"slices"
	"strings"

	"swath/fault"
)

// Scope is which collections a request may know of. The zero Scope is all. What is hidden is as if it were not there, in what is
// found, counted, drawn and said. It is small and never changed: pass it by value.
type Scope struct{ of *hidden }

type hidden struct {
	names []string // in order, each once
	key   string
}

// Hiding returns the scope of all collections but these.
func Hiding(collections ...string) Scope {
	if len(collections) == 0 {
		return Scope{}
	}
	names := slices.Clone(collections)
	slices.Sort(names)
	names = slices.Compact(names)
	return Scope{&hidden{names, strings.Join(names, "\x00")}}
}

// Sees reports whether a collection may be known of.
func (s Scope) Sees(collection string) bool {
	if s.of == nil {
		return true
	}
	_, hides := slices.BinarySearch(s.of.names, collection)
	return !hides
}

// Hidden returns the names of what is hidden, in order. They must not be changed.
func (s Scope) Hidden() []string {
	if s.of == nil {
		return nil
	}
	return s.of.names
}

// Key names the scope: equal scopes have equal keys, and that of all collections is "".
func (s Scope) Key() string {
	if s.of == nil {
		return ""
	}
	return s.of.key
}

type scopeKey struct{}

// WithScope returns a context whose requests know of a scope's collections alone.
func WithScope(ctx context.Context, s Scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, s)
}

// ScopeOf returns the scope of a context; all where none was given, as for a mirror or a command.
func ScopeOf(ctx context.Context) Scope {
	s, _ := ctx.Value(scopeKey{}).(Scope)
	return s
}

// NoCollection is the error of a collection that is not there, and of one that is hidden.
func NoCollection(id string) error {
	return fault.New(fault.NotFound, "there is no collection %q", id)
}
