package catalog

import (
	"encoding/binary"
	"io"
	"math"
	"strings"
	"time"
)

// copyRows is the statement that takes tuples: the columns are those of row.values.
var copyRows = "copy item (" + strings.Join(itemColumns, ", ") + ") from stdin binary"

// The head and the end of what COPY takes in its binary form (PostgreSQL's manual, COPY, "Binary Format").
var (
	copyHead = append([]byte("PGCOPY\n\xff\r\n\x00"), make([]byte, 8)...)
	copyEnd  = []byte{0xff, 0xff}
)

// copyStream makes what COPY takes of rows while it is read.
type copyStream struct {
	rows  []*loadRow // that are still to be read
	tuple []byte
	rest  []byte // of the tuple, of the head or of the end
	ended bool
}

func (s *copyStream) Read(p []byte) (n int, err error) {
	for n < len(p) {
		switch {
		case len(s.rest) > 0:
		case len(s.rows) > 0:
			s.tuple = appendTuple(s.tuple[:0], s.rows[0].row, s.rows[0].collection)
			s.rows, s.rest = s.rows[1:], s.tuple
		case !s.ended:
			s.rest, s.ended = copyEnd, true
		case n > 0:
			return n, nil
		default:
			return 0, io.EOF
		}
		part := copy(p[n:], s.rest)
		n, s.rest = n+part, s.rest[part:]
	}
	return n, nil
}

// epoch2000 is where PostgreSQL's times begin, in seconds of Unix.
var epoch2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

// tuple is a row in COPY's binary form, as it grows.
type tuple []byte

func (t tuple) null() tuple { return binary.BigEndian.AppendUint32(t, math.MaxUint32) }

func (t tuple) int8(v int64) tuple {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(t, 8), uint64(v))
}

func (t tuple) int4(v int32) tuple {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(t, 4), uint32(v))
}

func (t tuple) int2(v int16) tuple {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(t, 2), uint16(v))
}

func (t tuple) bytes(v []byte) tuple {
	return append(binary.BigEndian.AppendUint32(t, uint32(len(v))), v...)
}

// time is microseconds since 2000.
func (t tuple) time(at *time.Time) tuple {
	if at == nil {
		return t.null()
	}
	return t.int8(at.UnixMicro() - epoch2000*1e6)
}

func (t tuple) float8(v *float64) tuple {
	if v == nil {
		return t.null()
	}
	return t.int8(int64(math.Float64bits(*v)))
}

// int4s is an array: dimensions, whether it has nulls, the element's type, its length, and its first index.
func (t tuple) int4s(all []int32) tuple {
	const int4Type = 23
	size, dimensions := 12, uint32(0)
	if len(all) > 0 {
		size, dimensions = 20+8*len(all), 1
	}
	t = binary.BigEndian.AppendUint32(t, uint32(size))
	t = binary.BigEndian.AppendUint32(t, dimensions)
	t = binary.BigEndian.AppendUint32(t, 0)
	t = binary.BigEndian.AppendUint32(t, int4Type)
	if len(all) == 0 {
		return t
	}
	t = binary.BigEndian.AppendUint32(t, uint32(len(all)))
	t = binary.BigEndian.AppendUint32(t, 1)
	for _, v := range all {
		t = t.int4(v)
	}
	return t
}

// appendTuple appends a row to what COPY takes.
func appendTuple(out []byte, r row, collection int16) []byte {
	t := tuple(binary.BigEndian.AppendUint16(out, uint16(len(itemColumns))))
	t = t.int8(r.hash).int8(r.key).time(&r.at).time(r.begins).time(r.ends).float8(r.cc)
	t = t.int4(r.cell).int4(r.box.x0).int4(r.box.x1).int4(r.box.y0).int4(r.box.y1)
	if r.grid == nil {
		t = t.null()
	} else {
		t = t.int4(*r.grid)
	}
	t = t.int2(collection).int2(r.dict)
	for _, v := range []*int16{r.orbit, r.plat} {
		if v == nil {
			t = t.null()
		} else {
			t = t.int2(*v)
		}
	}
	t = t.int4s(r.terms).bytes(r.geom).bytes(r.body)
	if r.product == nil {
		return t.null()
	}
	return t.int8(*r.product)
}
