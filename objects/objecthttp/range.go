package objecthttp

import (
	"crypto/rand"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"swath/objects"
)

// span is one range of a file, never empty.
type span struct{ off, n int64 } // bytes

func (s span) contentRange(size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", s.off, s.off+s.n-1, size)
}

// maxSpans is far more than readers of rasters ask for at once.
const maxSpans = 256

// parseRange reads a Range header (RFC 9110, 14.2) for a file of size bytes; false means that no range lies inside the file.
// A header that is absent, malformed or asks for more bytes than the file has gives no spans: the whole file is the answer.
func parseRange(header string, size int64) (spans []span, ok bool) {
	unit, list, _ := strings.Cut(header, "=")
	if !strings.EqualFold(strings.TrimSpace(unit), "bytes") || size == 0 || strings.Count(list, ",") >= maxSpans {
		return nil, true
	}
	asked, total := 0, int64(0)
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.Trim(text, " \t"); text == "" {
			continue // RFC 9110, 5.6.1.2: empty list elements
		}
		first, last, ok := parseSpan(text, size)
		if !ok {
			return nil, true
		}
		asked++
		if first <= last {
			spans = append(spans, span{first, last - first + 1})
			total += last - first + 1
		}
	}
	if total > size {
		return nil, true
	}
	return spans, asked == 0 || len(spans) > 0
}

// parseSpan reads "first-last", "first-" or "-length"; a range outside the file has first > last.
func parseSpan(text string, size int64) (first, last int64, ok bool) {
	from, to, dash := strings.Cut(text, "-")
	first, fromOK := position(from)
	last, toOK := position(to)
	switch {
	case !dash:
		return 0, 0, false
	case from == "" && toOK:
		return max(0, size-last), size - 1, true
	case fromOK && to == "":
		return first, size - 1, true
	case fromOK && toOK && first <= last:
		return first, min(last, size-1), true
	}
	return 0, 0, false
}

// position reads digits alone; what no file can have is as good as the largest number.
func position(text string) (int64, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		n = math.MaxInt64
	}
	return n, true
}

// byteranges returns several ranges as one body of known size (RFC 9110, 14.6).
func byteranges(o objects.Object, spans []span, contentType string) (b *body, boundary string) {
	boundary = rand.Text()
	var readers []io.Reader
	b = new(body)
	text := func(s string) {
		readers = append(readers, strings.NewReader(s))
		b.size += int64(len(s))
	}
	for i, s := range spans {
		if i > 0 {
			text("\r\n")
		}
		text(fmt.Sprintf("--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n", boundary, contentType, s.contentRange(o.Info().Size)))
		stream := objects.Stream(o, s.off, s.n)
		readers, b.closers = append(readers, stream), append(b.closers, stream)
		b.size += s.n
	}
	text("\r\n--" + boundary + "--\r\n")
	b.Reader, b.closers = io.MultiReader(readers...), append(b.closers, o)
	return b, boundary
}
