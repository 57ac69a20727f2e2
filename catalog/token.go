package catalog

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/jackc/pgx/v5/pgtype"

	"swath/fault"
	"swath/stac"
)

// place is a row in the order of a search; the page after it is everything beyond. It carries how many rows match, which
// the first page has counted.
type place struct {
	micros  int64 // datetime, microseconds since 1970
	pk      int64
	matched int64 // unknown when not counted
}

const unknown = -1

// start is before every row.
var start = place{micros: math.MaxInt64, pk: math.MaxInt64, matched: unknown}

func (p place) datetime() pgtype.Timestamptz {
	if p.micros == math.MaxInt64 {
		return pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	}
	return pgtype.Timestamptz{Time: time.UnixMicro(p.micros), Valid: true}
}

const (
	tokenVersion = 1
	tokenBytes   = 1 + 3*8 + 8
)

// token writes a place so that only the same search takes it back: the last eight bytes are a checksum of both. It keeps
// mistakes out, not people: a place is no secret.
func (p place) token(s stac.Search) string {
	out := make([]byte, 0, tokenBytes)
	out = append(out, tokenVersion)
	for _, n := range []int64{p.micros, p.pk, p.matched} {
		out = binary.BigEndian.AppendUint64(out, uint64(n))
	}
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(out, checksum(s, out)))
}

// parseToken returns the place that a token of this search means; the empty token is the start.
func parseToken(s stac.Search) (place, error) {
	if s.Token == "" {
		return start, nil
	}
	in, err := base64.RawURLEncoding.Strict().DecodeString(s.Token)
	if err != nil || len(in) != tokenBytes || in[0] != tokenVersion {
		return place{}, fault.New(fault.Invalid, "the token is damaged, or of another server")
	}
	payload := in[:tokenBytes-8]
	if binary.BigEndian.Uint64(in[tokenBytes-8:]) != checksum(s, payload) {
		return place{}, fault.New(fault.Invalid, "the token belongs to another search: follow the next link as it is")
	}
	number := func(i int) int64 { return int64(binary.BigEndian.Uint64(payload[1+8*i:])) }
	return place{number(0), number(1), number(2)}, nil
}

// checksum is of what is asked, page size and token aside, and of where.
func checksum(s stac.Search, payload []byte) uint64 {
	s.Limit, s.Token = 0, ""
	asked, _ := json.Marshal(s) // finite numbers and valid JSON, see validate
	sum := xxhash.New()
	_, _ = sum.Write(asked) // never fails
	_, _ = sum.Write(payload)
	return sum.Sum64()
}
