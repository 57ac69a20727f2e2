package hubtest

import (
	"cmp"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// Options say how a hub is served. What is zero is not limited.
type Options struct {
	Seed              uint64
	Profile           Profile
	MaxConnections    int     // downloads at a time; more are 429
	RequestsPerMinute float64 // more are 429
	BytesPerS         float64 // of each download
	TokenLife         time.Duration
}

// Server serves an archive: catalogue and downloads under two host names, and a token.
type Server struct {
	Archive   *Archive
	Catalogue string // address
	Download  string // host:port, to which downloads are redirected
	Token     string // address
	Requests  atomic.Int64
	Lists     atomic.Int64 // of them, lists and counts
	Days      atomic.Int64 // of them, of days of acquisition
	Rows      atomic.Int64 // that lists were answered with
	Refused   atomic.Int64 // because a client asked more often than it may
	Crowded   atomic.Int64 // because it wanted more downloads at a time than it may
	Bytes     atomic.Int64 // of products, that were sent
	Skew      time.Duration

	options   Options
	keys      keys
	slots     chan struct{} // of downloads; nil: any number
	allowed   *rate.Limiter
	outage    int64 // the request with which it begins
	tokens    atomic.Int64
	handlers  [2]*httptest.Server
	ordered   sync.Map // ids of orders
	subscribe subscriptions

	mu      sync.Mutex
	strikes map[string]int
	asked   map[string]int
}

// Asked returns how many requests there were of each kind, with the status of the answer: "value 206", "token 200", "list 503".
func (s *Server) Asked() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.asked)
}

// counted serves requests and counts them by kind and status; 0 is an answer that was broken off.
func (s *Server) counted(serve http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &seen{ResponseWriter: w}
		defer func() {
			kind := "other"
			switch m := productOf.FindStringSubmatch(r.URL.Path); {
			case strings.HasPrefix(r.URL.Path, "/control/"):
				return
			case r.URL.Path == "/token":
				kind = "token"
			case m != nil && m[2] == "/$value":
				kind = "value"
			case m != nil && m[2] == "":
				kind = "row"
			case m != nil:
				kind = "order"
			case strings.Contains(r.URL.RawQuery, "ContentDate"):
				kind = "day"
			case strings.HasSuffix(r.URL.Path, "Products"):
				kind = "list"
			}
			s.mu.Lock()
			s.asked[fmt.Sprintf("%s %d", kind, seen.status)]++
			s.mu.Unlock()
		}()
		serve(seen, r)
	})
}

// seen notes the status of an answer.
type seen struct {
	http.ResponseWriter
	status int
}

func (s *seen) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (s *seen) Write(p []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(p)
}

// Unwrap lets a ResponseController reach what it needs.
func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// The account.
const User, Password = "mirror@example.org", "it's a secret&more"

// outageLast is for how many requests nothing is answered.
const outageLast = 12

// Serve starts it for a test.
func Serve(t testing.TB, a *Archive, o Options) *Server {
	s := Start(a, o)
	t.Cleanup(s.Close)
	return s
}

// Start starts it, until it is closed.
func Start(a *Archive, o Options) *Server {
	s := &Server{Archive: a, options: o, keys: newKeys(), allowed: rate.NewLimiter(rate.Inf, 1), outage: -1, strikes: map[string]int{}, asked: map[string]int{}}
	if o.RequestsPerMinute > 0 {
		s.allowed = rate.NewLimiter(rate.Limit(o.RequestsPerMinute/60), 2*max(1, int(o.RequestsPerMinute/60))) // requests don't arrive as evenly as they were sent
	}
	if o.MaxConnections > 0 {
		s.slots = make(chan struct{}, o.MaxConnections)
	}
	if o.TokenLife == 0 {
		s.options.TokenLife = 10 * time.Minute
	}
	if o.Profile >= Nasty {
		s.Skew = 40 * time.Minute
		s.outage = 20 + int64(o.Seed%50)
	}
	catalogue, download := httptest.NewServer(s.counted(s.catalogue)), httptest.NewServer(s.counted(s.download))
	s.handlers = [2]*httptest.Server{catalogue, download}
	s.Catalogue, s.Token, s.Download = catalogue.URL, catalogue.URL+"/token", strings.TrimPrefix(download.URL, "http://")
	return s
}

// Close ends it.
func (s *Server) Close() {
	for _, h := range s.handlers {
		h.CloseClientConnections()
		h.Close()
	}
}

// mild are the faults of the mild profile. The others are in the worse ones.
var mild = []string{"429", "503", "500", "drop", "truncate", "slow"}

// fault returns which of some faults strikes a subject now; empty for none.
func (s *Server) fault(subject string, among ...string) string {
	switch s.options.Profile {
	case None:
		return ""
	case Mild:
		among = slices.DeleteFunc(among, func(name string) bool { return !slices.Contains(mild, name) })
	}
	sum := fnv.New64a()
	fmt.Fprint(sum, s.options.Seed, subject)
	n := sum.Sum64()
	if n%100 >= 45 || len(among) == 0 { // of a hundred subjects
		return ""
	}
	if !s.strike(subject, 1+int(n>>32%2)) {
		return ""
	}
	return among[n/100%uint64(len(among))]
}

// strike counts a fault of a subject, and reports whether it may have so many.
func (s *Server) strike(subject string, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strikes[subject]++
	return s.strikes[subject] <= most
}

// now is what the hub's clock says.
func (s *Server) now() time.Time { return time.Now().Add(s.Skew).UTC() }

// admit begins an answer, and reports false when the request is to have no other.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) bool {
	n := s.Requests.Add(1)
	s.Archive.tick()
	w.Header().Set("Date", s.now().Format(http.TimeFormat))
	if s.outage >= 0 && n >= s.outage && n < s.outage+outageLast && s.strike("outage "+r.URL.String(), 2) {
		plainly(w, "503", s.now())
		return false
	}
	if !s.allowed.Allow() {
		s.Refused.Add(1)
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return false
	}
	return true
}

// plainly answers with the faults that any request may meet, and reports whether it did.
func plainly(w http.ResponseWriter, fault string, now time.Time) bool {
	switch fault {
	case "429":
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
	case "503":
		w.Header().Set("Retry-After", now.Format(http.TimeFormat))
		w.WriteHeader(http.StatusServiceUnavailable)
	case "500":
		w.WriteHeader(http.StatusBadGateway)
	case "drop":
		panic(http.ErrAbortHandler)
	case "html200":
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html>Service is under maintenance")
	default:
		return false
	}
	return true
}

var (
	filterDate = regexp.MustCompile(`(PublicationDate|ModificationDate|DeletionDate|ContentDate/Start) (ge|lt) (\S+Z)`)
	productOf  = regexp.MustCompile(`^/odata/v1/Products\(([^)]+)\)(/\$value|/OData\.CSC\.Order|/Nodes.*)?$`)
	orderOf    = regexp.MustCompile(`^/odata/v1/Orders\(order-([^)]+)\)$`)
)

// rowDates are the columns that are filtered and ordered by.
var rowDates = map[string]func(*row) time.Time{
	"PublicationDate":   func(r *row) time.Time { return r.published },
	"ModificationDate":  func(r *row) time.Time { return r.modified },
	"DeletionDate":      func(r *row) time.Time { return r.deleted },
	"ContentDate/Start": func(r *row) time.Time { return r.acquired },
}

func (s *Server) catalogue(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/control/") {
		s.control(w, r)
		return
	}
	if !s.admit(w, r) {
		return
	}
	m := productOf.FindStringSubmatch(r.URL.Path)
	order := orderOf.FindStringSubmatch(r.URL.Path)
	switch {
	case r.URL.Path == "/token":
		s.token(w, r)
	case r.URL.Path == "/certs":
		answer(w, s.keys.public())
	case strings.HasPrefix(r.URL.Path, "/stac"):
		s.stac(w, r)
	case strings.HasPrefix(r.URL.Path, "/eodata"):
		s.s3(w, r)
	case strings.HasPrefix(r.URL.Path, "/odata/v1/Subscriptions"):
		s.subscriptions(w, r)
	case r.URL.Path == "/odata/v1/Products/OData.CSC.FilterList" && r.Method == http.MethodPost:
		s.filterList(w, r)
	case order != nil:
		s.order(w, r, order[1])
	case m != nil && m[2] == "/OData.CSC.Order":
		s.order(w, r, m[1])
	case m != nil && (m[2] == "/$value" || strings.HasPrefix(m[2], "/Nodes")):
		if s.loops(w, r, "to "+m[1]) {
			return
		}
		http.Redirect(w, r, "http://"+s.Download+r.URL.EscapedPath(), http.StatusMovedPermanently)
	case m != nil:
		if plainly(w, s.fault("row "+m[1], "429", "503", "500", "drop"), s.now()) {
			return
		}
		one, _, ok := s.Archive.find(m[1])
		if !ok {
			http.Error(w, `{"detail":"not found"}`, http.StatusNotFound)
			return
		}
		answer(w, rowJSON(one))
	case r.URL.Path == "/odata/v1/Products" || r.URL.Path == "/odata/v1/DeletedProducts":
		s.list(w, r)
	default:
		http.NotFound(w, r)
	}
}

// loops redirects for ever whoever meets the fault.
func (s *Server) loops(w http.ResponseWriter, r *http.Request, subject string) bool {
	n, _ := strconv.Atoi(r.URL.Query().Get("loop"))
	if n == 0 && s.fault(subject, "redirectloop", "", "", "", "") == "" {
		return false
	}
	http.Redirect(w, r, fmt.Sprintf("%s?loop=%d", r.URL.EscapedPath(), n+1), http.StatusFound)
	return true
}

// list answers with rows.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	s.Lists.Add(1)
	q := r.URL.Query()
	if strings.Contains(q.Get("$filter"), "ContentDate/Start") {
		s.Days.Add(1)
	}
	deleted := r.URL.Path == "/odata/v1/DeletedProducts"
	var conditions []func(*row) bool
	for _, m := range filterDate.FindAllStringSubmatch(q.Get("$filter"), -1) {
		at, err := time.Parse(time.RFC3339Nano, m[3])
		if err != nil {
			http.Error(w, `{"detail":"a date is wrong"}`, http.StatusBadRequest)
			return
		}
		date := rowDates[m[1]]
		conditions = append(conditions, func(r *row) bool { return date(r).Before(at) == (m[2] == "lt") })
	}
	date := rowDates["PublicationDate"]
	if by, _, ok := strings.Cut(q.Get("$orderby"), " "); ok && rowDates[by] != nil {
		date = rowDates[by]
	}
	top, _ := strconv.Atoi(q.Get("$top"))
	skip, _ := strconv.Atoi(q.Get("$skip"))
	if top > 1000 || skip > 10_000 || q.Get("$orderby") == "" && q.Get("$count") == "" {
		http.Error(w, `{"detail":["out of bounds"]}`, http.StatusUnprocessableEntity)
		return
	}
	fault := s.fault("list "+r.URL.Path+s.Archive.undated(q.Get("$filter"))+q.Get("$skip"), "429", "503", "500", "drop", "badjson", "html200", "pagedup", "slowpage")
	if plainly(w, fault, s.now()) {
		return
	}
	rows := s.Archive.list(date, deleted, conditions)
	from := min(skip, len(rows))
	switch fault {
	case "badjson":
		fmt.Fprint(w, `{"value":[{"Id":`)
		return
	case "pagedup": // some rows of the page before come again
		from = max(0, from-3)
	case "slowpage":
		time.Sleep(200 * time.Millisecond)
	}
	out := map[string]any{"@odata.count": len(rows)}
	page := rows[from:min(skip+top, len(rows))]
	if skip+top < len(rows) {
		out["@odata.nextLink"] = "more"
	}
	values := make([]any, len(page))
	for i, one := range page {
		values[i] = rowJSON(one)
	}
	s.Rows.Add(int64(len(page)))
	out["value"] = values
	answer(w, out)
}

// filterList answers with the rows of some names.
func (s *Server) filterList(w http.ResponseWriter, r *http.Request) {
	var body struct{ FilterProducts []struct{ Name string } }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, `{"detail":"not a list of names"}`, http.StatusUnprocessableEntity)
		return
	}
	named := func(r *row) bool {
		return slices.ContainsFunc(body.FilterProducts, func(p struct{ Name string }) bool { return p.Name == r.listed })
	}
	values := []any{}
	for _, one := range s.Archive.list(rowDates["PublicationDate"], false, []func(*row) bool{named}) {
		values = append(values, rowJSON(one))
	}
	answer(w, map[string]any{"value": values})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the client sees it
}

func rowJSON(r row) map[string]any {
	sums := []any{map[string]any{}}
	if r.listedSum != "" {
		sums = []any{map[string]any{"Algorithm": "MD5", "Value": strings.ToUpper(r.listedSum)}}
	}
	out := map[string]any{"Id": r.id, "Name": r.listed, "Online": !r.offline, "Checksum": sums, "PublicationDate": r.published.Format("2006-01-02T15:04:05.000Z"),
		"ModificationDate": r.modified.Format("2006-01-02T15:04:05.000000+00:00"), "S3Path": "/eodata/" + r.id + "/" + r.name, "ContentDate": map[string]any{"Start": r.acquired.Format("2006-01-02T15:04:05.000Z")},
		"Footprint": nil, "GeoFootprint": nil}
	if r.kind != "nofootprint" {
		out["Footprint"] = "geography'SRID=4326;POLYGON ((1 43, 2 43, 2 44, 1 44, 1 43))'"
		out["GeoFootprint"] = map[string]any{"type": "Polygon", "coordinates": [][][2]int{{{1, 43}, {2, 43}, {2, 44}, {1, 44}, {1, 43}}}}
	}
	if r.listedBytes > 0 {
		out["ContentLength"] = r.listedBytes
	}
	if !r.deleted.IsZero() {
		out["DeletionDate"], out["DeletionCause"] = r.deleted.Format("2006-01-02T15:04:05.000Z"), "Obsolete product"
	}
	return out
}

// download serves the bytes of a product, under another host name, to those who have the token.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r) {
		return
	}
	m := productOf.FindStringSubmatch(r.URL.Path)
	switch {
	case m == nil:
		http.NotFound(w, r)
		return
	case strings.HasPrefix(m[2], "/Nodes") && !strings.HasSuffix(m[2], "/$value"): // anybody may
		s.nodes(w, m[1], m[2])
		return
	case !s.keys.good(r):
		w.WriteHeader(http.StatusUnauthorized)
		return
	case strings.HasPrefix(m[2], "/Nodes"):
		s.nodes(w, m[1], m[2])
		return
	}
	if s.slots != nil {
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		case <-time.After(300 * time.Millisecond): // one that has just ended may not have been noticed
			s.Crowded.Add(1)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
	}
	if s.loops(w, r, "for "+m[1]) {
		return
	}
	s.value(w, r, m[1])
}

// value sends a product.
func (s *Server) value(w http.ResponseWriter, r *http.Request, id string) {
	one, body, ok := s.Archive.find(id)
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	if one.offline {
		if s.Archive.Ordering == "dhus" {
			s.Archive.ask(id)
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusAccepted)
			return
		}
		http.Error(w, `{"detail":"the product is offline"}`, http.StatusNotFound)
		return
	}
	fault := s.fault("bytes "+id, "429", "503", "500", "drop", "html200", "truncate", "corrupt", "norange", "badrange", "etag", "401", "short", "chunked", "slow", "stall")
	if plainly(w, fault, s.now()) {
		return
	}
	tag := fmt.Sprintf(`"%x"`, md5.Sum(body))
	from, status := 0, http.StatusOK
	if begin, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && r.Header.Get("If-Range") == tag && fault != "norange" {
		from, _ = strconv.Atoi(strings.TrimSuffix(begin, "-"))
		if status = http.StatusPartialContent; from >= len(body) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		shown := from
		if fault == "badrange" {
			shown++
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", shown, len(body)-1, len(body)))
	}
	send := body[from:]
	w.Header().Set("ETag", tag)
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Length", strconv.Itoa(len(send)))
	switch fault {
	case "401":
		w.Header().Del("Content-Length")
		w.WriteHeader(http.StatusUnauthorized)
		return
	case "truncate", "badrange", "norange", "etag", "stall": // it breaks off, so that it is resumed
		if fault == "etag" {
			w.Header().Set("ETag", `"changed"`)
		}
		w.WriteHeader(status)
		s.send(w, r, send[:len(send)/2], false)
		if fault == "stall" {
			http.NewResponseController(w).Flush() //nolint:errcheck // it breaks off anyway
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
		}
		panic(http.ErrAbortHandler)
	case "corrupt":
		send = append([]byte{}, send...)
		send[len(send)/3] ^= 0x55
	case "short": // it says that it is whole
		send = send[:len(send)-100]
		w.Header().Set("Content-Length", strconv.Itoa(len(send)))
	case "chunked":
		w.Header().Del("Content-Length")
	}
	w.WriteHeader(status)
	s.send(w, r, send, fault == "slow")
}

// send writes bytes as fast as it may, and counts them.
func (s *Server) send(w http.ResponseWriter, r *http.Request, body []byte, slowly bool) {
	pause, piece := time.Duration(0), len(body)
	if slowly {
		pause, piece = 15*time.Millisecond, len(body)/8+1
	} else if s.options.BytesPerS > 0 {
		pause, piece = 10*time.Millisecond, max(1, int(s.options.BytesPerS/100))
	}
	for len(body) > 0 && r.Context().Err() == nil {
		n, err := w.Write(body[:min(piece, len(body))])
		s.Bytes.Add(int64(n))
		if body = body[n:]; err != nil {
			return
		}
		if pause > 0 && len(body) > 0 {
			http.NewResponseController(w).Flush() //nolint:errcheck // the client sees it
			time.Sleep(pause)
		}
	}
}

// control is for the test alone: the truth, and what may happen to it.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/control/truth":
		sums, size := s.Archive.Truth()
		answer(w, map[string]any{"products": sums, "bytes": size, "unsafe": s.Archive.Unsafe(), "kinds": s.Archive.Kinds()})
	case r.URL.Path == "/control/live" && r.Method == http.MethodPost:
		s.Archive.Live()
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Path == "/control/spent":
		answer(w, map[string]int64{"requests": s.Requests.Load(), "lists": s.Lists.Load(), "days": s.Days.Load(), "refused": s.Refused.Load() + s.Crowded.Load(), "bytes": s.Bytes.Load()})
	default:
		http.NotFound(w, r)
	}
}

// Host is the host of an address.
func Host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return cmp.Or(u.Host, address)
}
