package parcel

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/objects"
)

// Sums keeps the CRC-32 of contents by their SHA-256, in PostgreSQL and as far as they were used in memory. It is safe for concurrent use.
type Sums struct {
	pool *pgxpool.Pool
	mu   sync.Mutex
	of   map[string]*sum // by SHA-256
}

// sum is one that is known, or is being found out.
type sum struct {
	found chan struct{} // closed when it is
	crc   uint32
	err   error
}

// mostSums are kept in memory: 20 MB.
const mostSums = 100_000

// OpenSums connects.
func OpenSums(ctx context.Context, url string) (*Sums, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("parcel: %w", err)
	}
	return &Sums{pool: pool, of: map[string]*sum{}}, nil
}

// Close ends it.
func (s *Sums) Close() { s.pool.Close() }

// CRC32 returns that of an object, which is read when it is asked for the first time.
func (s *Sums) CRC32(ctx context.Context, o objects.Object) (uint32, error) {
	key := o.Info().SHA256
	s.mu.Lock()
	one, known := s.of[key]
	if !known {
		if len(s.of) >= mostSums {
			clear(s.of)
		}
		one = &sum{found: make(chan struct{})}
		s.of[key] = one
	}
	s.mu.Unlock()
	if !known {
		one.crc, one.err = s.find(ctx, key, o)
		if one.err != nil { // who asks next tries again
			s.mu.Lock()
			if s.of[key] == one {
				delete(s.of, key)
			}
			s.mu.Unlock()
		}
		close(one.found)
	}
	select {
	case <-one.found:
		return one.crc, one.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// find looks into the table, and else into the object.
func (s *Sums) find(ctx context.Context, key string, o objects.Object) (uint32, error) {
	sha, err := hex.DecodeString(key)
	if err != nil {
		return 0, fmt.Errorf("%q is no SHA-256: %w", key, err)
	}
	var kept int64
	err = s.pool.QueryRow(ctx, "select crc32 from content_crc where sha256 = $1", sha).Scan(&kept)
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return uint32(kept), err
	}
	h := crc32.NewIEEE()
	r := objects.Stream(o, 0, o.Info().Size)
	defer r.Close()
	if n, err := io.Copy(h, r); err != nil || n != o.Info().Size {
		return 0, errors.Join(err, fmt.Errorf("%d of %d bytes were read", n, o.Info().Size))
	}
	_, err = s.pool.Exec(ctx, "insert into content_crc (sha256, crc32) values ($1, $2) on conflict do nothing", sha, int64(h.Sum32()))
	return h.Sum32(), err
}
