package catalog

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// found is one row of page.sql as it came, in PostgreSQL's binary form. What is not copied is valid until the next row.
type found struct {
	col     int16
	updated time.Time
	created time.Time
	dict    int16
	packed  []byte
	related []bool // nil for unknown
	clouded bool   // it has a cloud cover
	place          // but for its place among those without a cloud cover
	sight
}

var errRow = errors.New("a row of a page has another form than its statement says")

// secondsTo2000 is PostgreSQL's epoch in Unix time.
const secondsTo2000 = 946_684_800

// readRow reads the columns of page.sql. It is what pgx would do, without looking up how for each value.
func readRow(v [][]byte) (r found, err error) {
	if len(v) != 11 || len(v[0]) != 2 || len(v[1]) != 8 || len(v[2]) != 2 || len(v[4]) != 8 || len(v[5]) != 8 || v[6] != nil && len(v[6]) != 8 || v[7] != nil && len(v[7]) != 8 || len(v[10]) != 8 {
		return r, errRow
	}
	big := binary.BigEndian
	micros := func(raw []byte) int64 { return int64(big.Uint64(raw)) + secondsTo2000*1e6 }
	r.col, r.updated, r.dict, r.packed = int16(big.Uint16(v[0])), time.UnixMicro(micros(v[1])).UTC(), int16(big.Uint16(v[2])), v[3]
	r.micros, r.pk = micros(v[4]), int64(big.Uint64(v[5]))
	if v[6] != nil {
		r.clouded, r.cloud = true, math.Float64frombits(big.Uint64(v[6]))
	}
	r.rows = unknown
	if v[7] != nil {
		r.rows = int64(big.Uint64(v[7]))
	}
	if r.related, err = readBools(v[8]); err != nil {
		return r, err
	}
	r.at, r.created = snapshot(v[9]), time.UnixMicro(micros(v[10])).UTC()
	return r, nil
}

// readBools reads an array of one dimension; an element that is null makes an error, for none can be.
func readBools(raw []byte) ([]bool, error) {
	const head, element = 20, 5 // dimensions, flags, type, length, lower bound; then a length and a byte each
	if raw == nil {
		return nil, nil
	}
	if len(raw) < head || (len(raw)-head)%element != 0 {
		return nil, errRow
	}
	var out []bool
	for rest := raw[head:]; len(rest) > 0; rest = rest[element:] {
		if binary.BigEndian.Uint32(rest) != 1 {
			return nil, errRow
		}
		out = append(out, rest[4] != 0)
	}
	return out, nil
}
