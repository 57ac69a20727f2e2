package hubtest

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Server serves an archive: catalogue and downloads under two host names, and a token.
type Server struct {
	Archive   *Archive
	Catalogue string // address
	Download  string // host:port, to which downloads are redirected
	Token     string // address
	Requests  atomic.Int64
	Lists     atomic.Int64 // of them, lists and counts
	Bytes     atomic.Int64 // of products, that were sent
	Skew      time.Duration

	nasty  bool
	seed   uint64
	tokens atomic.Int64

	mu      sync.Mutex
	strikes map[string]int
}

// The account.
const User, Password = "mirror@example.org", "it's a secret&more"

// Serve starts it for a test. A nasty one fails in every way; each fault strikes one subject twice at most.
func Serve(t testing.TB, a *Archive, seed uint64, nasty bool) *Server {
	s := &Server{Archive: a, nasty: nasty, seed: seed, strikes: map[string]int{}}
	catalogue, download := httptest.NewServer(http.HandlerFunc(s.catalogue)), httptest.NewServer(http.HandlerFunc(s.download))
	t.Cleanup(catalogue.Close)
	t.Cleanup(download.Close)
	s.Catalogue, s.Token, s.Download = catalogue.URL, catalogue.URL+"/token", strings.TrimPrefix(download.URL, "http://")
	return s
}

// fault returns which of some faults strikes a subject now; empty for none.
func (s *Server) fault(subject string, among ...string) string {
	if !s.nasty {
		return ""
	}
	sum := fnv.New64a()
	fmt.Fprint(sum, s.seed, subject)
	n := sum.Sum64()
	if n%100 >= 45 { // of a hundred subjects
		return ""
	}
	name := among[n/100%uint64(len(among))]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.strikes[subject]++; s.strikes[subject] > 1+int(n>>32%2) {
		return ""
	}
	return name
}

func (s *Server) head(w http.ResponseWriter) {
	s.Requests.Add(1)
	w.Header().Set("Date", time.Now().Add(s.Skew).UTC().Format(http.TimeFormat))
}

// plainly answers with the faults that any request may meet, and reports whether it did.
func plainly(w http.ResponseWriter, fault string) bool {
	switch fault {
	case "429":
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
	case "503":
		w.Header().Set("Retry-After", time.Now().UTC().Format(http.TimeFormat))
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
	productOf  = regexp.MustCompile(`^/odata/v1/Products\(([^)]+)\)(/\$value)?$`)
)

// rowDates are the columns that are filtered and ordered by.
var rowDates = map[string]func(*row) time.Time{
	"PublicationDate":   func(r *row) time.Time { return r.published },
	"ModificationDate":  func(r *row) time.Time { return r.modified },
	"DeletionDate":      func(r *row) time.Time { return r.deleted },
	"ContentDate/Start": func(r *row) time.Time { return r.acquired },
}

func (s *Server) catalogue(w http.ResponseWriter, r *http.Request) {
	s.head(w)
	switch {
	case r.URL.Path == "/token":
		s.token(w, r)
		return
	case strings.HasPrefix(r.URL.Path, "/stac"):
		s.stac(w, r)
		return
	case strings.HasPrefix(r.URL.Path, "/eodata"):
		s.s3(w, r)
		return
	}
	if m := productOf.FindStringSubmatch(r.URL.Path); m != nil && m[2] != "" {
		http.Redirect(w, r, "http://"+s.Download+r.URL.Path, http.StatusMovedPermanently)
		return
	} else if m != nil {
		if plainly(w, s.fault("row "+m[1], "429", "503", "500", "drop")) {
			return
		}
		one, _, ok := s.Archive.find(m[1])
		if !ok {
			http.Error(w, `{"detail":"not found"}`, http.StatusNotFound)
			return
		}
		answer(w, rowJSON(one))
		return
	}
	s.Lists.Add(1)
	q := r.URL.Query()
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
	fault := s.fault("list "+q.Get("$filter")+q.Get("$skip"), "429", "503", "500", "drop", "badjson", "html200")
	if plainly(w, fault) {
		return
	}
	rows := s.Archive.list(date, deleted, conditions)
	out := map[string]any{"@odata.count": len(rows)}
	page := rows[min(skip, len(rows)):min(skip+top, len(rows))]
	if skip+top < len(rows) {
		out["@odata.nextLink"] = "more"
	}
	values := make([]any, len(page))
	for i, one := range page {
		values[i] = rowJSON(one)
	}
	out["value"] = values
	if fault == "badjson" {
		fmt.Fprint(w, `{"value":[{"Id":`)
		return
	}
	answer(w, out)
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
	out := map[string]any{"Id": r.id, "Name": r.name, "Online": true, "Checksum": sums, "PublicationDate": r.published.Format("2006-01-02T15:04:05.000Z"),
		"ModificationDate": r.modified.Format("2006-01-02T15:04:05.000000+00:00"), "S3Path": "/eodata/" + r.id + "/" + r.name, "ContentDate": map[string]any{"Start": r.acquired.Format("2006-01-02T15:04:05.000Z")}}
	if r.listedBytes > 0 {
		out["ContentLength"] = r.listedBytes
	}
	if !r.deleted.IsZero() {
		out["DeletionDate"], out["DeletionCause"] = r.deleted.Format("2006-01-02T15:04:05.000Z"), "Obsolete product"
	}
	return out
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.PostForm.Get("client_id") == "" ||
		r.PostForm.Get("grant_type") != "refresh_token" && (r.PostForm.Get("username") != User || r.PostForm.Get("password") != Password) {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusUnauthorized)
		return
	}
	n := s.tokens.Add(1)
	answer(w, map[string]any{"access_token": fmt.Sprintf("token-%d", n), "expires_in": 600, "refresh_token": fmt.Sprintf("refresh-%d", n), "refresh_expires_in": 3600})
}

// download serves the bytes of a product, under another host name, to those who have the token.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	s.head(w)
	m := productOf.FindStringSubmatch(r.URL.Path)
	if m == nil {
		http.NotFound(w, r)
		return
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer token-") {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	fault := s.fault("bytes "+m[1], "429", "503", "500", "drop", "html200", "truncate", "corrupt", "norange", "badrange", "etag", "401", "short", "chunked")
	if plainly(w, fault) {
		return
	}
	_, body, ok := s.Archive.find(m[1])
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
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
	case "truncate", "badrange", "norange", "etag": // it breaks off, so that it is resumed
		if fault == "etag" {
			w.Header().Set("ETag", `"changed"`)
		}
		w.WriteHeader(status)
		n, _ := w.Write(send[:len(send)/2])
		s.Bytes.Add(int64(n))
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
	n, _ := w.Write(send)
	s.Bytes.Add(int64(n))
}

// Host is the host of an address.
func Host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u.Host
}
