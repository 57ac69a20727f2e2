package catalog

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// statements remembers how statements with named arguments are written with numbered ones.
type statements struct {
	mu    sync.RWMutex
	known map[string]numbered
}

// numbered is a statement with the names of its arguments in their order.
type numbered struct {
	sql   string
	names []string
}

// mostStatements bounds what is remembered: filters have many shapes.
const mostStatements = 1000

// numbered returns a statement that names its arguments as one that numbers them.
func (s *statements) numbered(sql string) numbered {
	s.mu.RLock()
	n, ok := s.known[sql]
	s.mu.RUnlock()
	if ok {
		return n
	}
	n = numberArguments(sql)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= mostStatements {
		s.known = map[string]numbered{}
	}
	s.known[sql] = n
	return n
}

// numberArguments replaces each @name. Our statements have no other @.
func numberArguments(sql string) (n numbered) {
	var out strings.Builder
	places := map[string]int{}
	for {
		before, rest, found := strings.Cut(sql, "@")
		out.WriteString(before)
		if !found {
			n.sql = out.String()
			return n
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
		if end < 0 {
			end = len(rest)
		}
		name := rest[:end]
		if places[name] == 0 {
			n.names = append(n.names, name)
			places[name] = len(n.names)
		}
		out.WriteString("$" + strconv.Itoa(places[name]))
		sql = rest[end:]
	}
}

// query asks with named arguments.
func (s *Store) query(ctx context.Context, conn *pgxpool.Conn, sql string, args pgx.NamedArgs) (pgx.Rows, error) {
	n := s.shapes.numbered(sql)
	values := make([]any, len(n.names))
	for i, name := range n.names {
		values[i] = args[name]
	}
	return conn.Query(ctx, n.sql, values...)
}
