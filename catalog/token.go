package catalog

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"swath/fault"
	"swath/stac"
	"swath/stac/cql2"
)

// place is a row in the order of a search; the page after it is everything beyond. It carries how many rows match, which
// the first page has counted.
type place struct {
	first   bool    // before all rows; of those without cloud cover where that orders and clouded is false
	micros  int64   // datetime, microseconds since 1970
	pk      int64   //
	clouded bool    // whether it has a cloud cover
	cloud   float64 // percent
	values  []any   // of the order's further keys
	matched total
}

// total is how many rows match; unknown when not counted.
type total struct {
	n         int64
	estimated bool
}

const unknown = -1

// start is before every row.
var start = place{first: true, micros: math.MaxInt64, pk: math.MaxInt64, clouded: true, matched: total{n: unknown}}

// bind gives the values that order.after names.
func (p place) bind(args pgx.NamedArgs) {
	at := pgtype.Timestamptz{Time: time.UnixMicro(p.micros), Valid: true}
	if p.micros == math.MaxInt64 {
		at = pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}
	}
	args["at"], args["pk"], args["cc"] = at, p.pk, p.cloud
}

const (
	tokenVersion = 2
	tokenHead    = 1 + 1 + 4*8 // version, flags, numbers; behind it come values and a checksum of 8 bytes
	tokenClouded = 1 << 0
	tokenGuess   = 1 << 1
)

// token writes a place so that only the same search takes it back: the last eight bytes are a checksum of both. It keeps
// mistakes out, not people: a place is no secret.
func (p place) token(s stac.Search) string {
	flags := byte(0)
	if p.clouded {
		flags |= tokenClouded
	}
	if p.matched.estimated {
		flags |= tokenGuess
	}
	out := []byte{tokenVersion, flags}
	for _, n := range []uint64{uint64(p.micros), uint64(p.pk), uint64(p.matched.n), math.Float64bits(p.cloud)} {
		out = binary.BigEndian.AppendUint64(out, n)
	}
	if p.values != nil {
		out = append(out, p.valuesJSON()...)
	}
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(out, checksum(s, out)))
}

// parseToken returns the place that a token of this search means; the empty token is the start.
func parseToken(s stac.Search) (place, error) {
	if s.Token == "" {
		return start, nil
	}
	damaged := fault.New(fault.Invalid, "the token is damaged, or of another server")
	in, err := base64.RawURLEncoding.Strict().DecodeString(s.Token)
	if err != nil || len(in) < tokenHead+8 || in[0] != tokenVersion || in[1] >= tokenGuess<<1 {
		return place{}, damaged
	}
	payload := in[:len(in)-8]
	if binary.BigEndian.Uint64(in[len(in)-8:]) != checksum(s, payload) {
		return place{}, fault.New(fault.Invalid, "the token belongs to another search: follow the next link as it is")
	}
	number := func(i int) uint64 { return binary.BigEndian.Uint64(payload[2+8*i:]) }
	p := place{micros: int64(number(0)), pk: int64(number(1)), cloud: math.Float64frombits(number(3)), clouded: in[1]&tokenClouded != 0,
		matched: total{int64(number(2)), in[1]&tokenGuess != 0}}
	if len(payload) > tokenHead && json.Unmarshal(payload[tokenHead:], &p.values) != nil {
		return place{}, damaged
	}
	return p, nil
}

// checksum is of what is asked, page size and token aside, and of where.
func checksum(s stac.Search, payload []byte) uint64 {
	filter, text := "", fmt.Sprintf("%#v", s.Text)
	if s.Filter != nil {
		filter = cql2.String(s.Filter)
	}
	s.Limit, s.Token, s.Filter, s.Text = 0, "", nil, nil
	asked, _ := json.Marshal(s) // finite numbers and valid JSON, see validate
	sum := xxhash.New()
	_, _ = sum.Write(asked) // never fails
	_, _ = sum.WriteString(filter + "\x00" + text)
	_, _ = sum.Write(payload)
	return sum.Sum64()
}
