package catalog

import "strings"

// snapshot is a moment of the database: which transactions could be seen (pg_current_snapshot).
type snapshot string

// quiet reports whether nobody was writing: every transaction had ended that had begun.
func (s snapshot) quiet() bool {
	least, rest, ok := strings.Cut(string(s), ":")
	next, _, ok2 := strings.Cut(rest, ":")
	return ok && ok2 && least == next
}

// same reports whether the database holds what it held at another moment: no transaction that writes has begun in between, and
// none was under way.
func (s snapshot) same(other snapshot) bool { return s == other && s.quiet() }
