package s3test

import (
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Vault gives a real S3 server the cold storage class that it lacks: objects that are copied onto themselves with a cold class, or that were
// put into it, can't be read before they were restored (Amazon S3 API Reference: CopyObject, RestoreObject, HeadObject, GetObject).
type Vault struct {
	mu       sync.Mutex
	cold     map[string]string // class by /bucket/key
	restored map[string]string // x-amz-restore
	uploads  map[string]string // class by upload id
	Restores int               // that were accepted
	Days     int               // of the last
	Tier     string
	Refuse   string // error code of the next restores; empty: none
}

// StartCold returns a server with a vault before it.
func StartCold(t testing.TB) (Server, *Vault) {
	t.Helper()
	s := Start(t)
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	v := &Vault{cold: map[string]string{}, restored: map[string]string{}, uploads: map[string]string{}}
	real := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // the signature covers it
	}, ErrorLog: log.New(io.Discard, "", 0)}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { v.serve(w, r, real) }))
	t.Cleanup(proxy.Close)
	s.Endpoint = proxy.URL
	return s, v
}

// Archive gives an object a cold class, as a rule of the bucket does.
func (v *Vault) Archive(bucket, key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cold["/"+bucket+"/"+key] = "GLACIER"
}

// Finish lets all restores end.
func (v *Vault) Finish() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for name := range v.restored {
		v.restored[name] = fmt.Sprintf(`ongoing-request="false", expiry-date="%s"`, time.Now().Add(24*time.Hour).UTC().Format(http.TimeFormat))
	}
}

// Expire takes back what was restored.
func (v *Vault) Expire() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.restored)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>as asked for</Message></Error>", code)
}

func (v *Vault) serve(w http.ResponseWriter, r *http.Request, real http.Handler) {
	v.mu.Lock()
	class, name, query := r.Header.Get("X-Amz-Storage-Class"), r.URL.Path, r.URL.Query()
	cold, restore := v.cold[name], v.restored[name]
	v.mu.Unlock()
	switch {
	case r.Method == http.MethodPost && query.Has("restore"):
		v.restore(w, r, name)
		return
	case r.Method == http.MethodGet && cold != "" && len(query) <= 1 && !strings.Contains(restore, `"false"`):
		refuse(w, http.StatusForbidden, "InvalidObjectState")
		return
	case r.Method == http.MethodPut && class != "" && r.Header.Get("X-Amz-Copy-Source") != "" && !query.Has("uploadId"):
		v.mu.Lock()
		v.cold[name] = class
		v.mu.Unlock()
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, `<CopyObjectResult><ETag>"x"</ETag><LastModified>2024-01-01T00:00:00.000Z</LastModified></CopyObjectResult>`)
		return
	case r.Method == http.MethodPost && query.Has("uploads") && class != "":
		v.mu.Lock()
		v.uploads[name] = class
		v.mu.Unlock()
	case r.Method == http.MethodPost && query.Has("uploadId"):
		v.mu.Lock()
		if class, ok := v.uploads[name]; ok {
			v.cold[name] = class
		}
		v.mu.Unlock()
	case r.Method == http.MethodHead && cold != "":
		w.Header().Set("X-Amz-Storage-Class", cold)
		if restore != "" {
			w.Header().Set("X-Amz-Restore", restore)
		}
		w = keepClass{w, cold}
	case r.Method == http.MethodDelete:
		v.mu.Lock()
		delete(v.cold, name)
		delete(v.restored, name)
		v.mu.Unlock()
	}
	real.ServeHTTP(w, r)
}

// keepClass holds the class that the real server would overwrite.
type keepClass struct {
	http.ResponseWriter
	class string
}

func (k keepClass) WriteHeader(status int) {
	k.Header().Set("X-Amz-Storage-Class", k.class)
	k.ResponseWriter.WriteHeader(status)
}

func (v *Vault) restore(w http.ResponseWriter, r *http.Request, name string) {
	var body struct {
		Days                 int
		GlacierJobParameters struct{ Tier string }
	}
	if err := xml.NewDecoder(r.Body).Decode(&body); err != nil || body.Days < 1 || body.GlacierJobParameters.Tier == "" {
		refuse(w, http.StatusBadRequest, "MalformedXML")
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch have := v.restored[name]; {
	case v.Refuse != "":
		refuse(w, http.StatusServiceUnavailable, v.Refuse)
	case v.cold[name] == "":
		refuse(w, http.StatusForbidden, "InvalidObjectState")
	case strings.Contains(have, `"true"`):
		refuse(w, http.StatusConflict, "RestoreAlreadyInProgress")
	case have != "":
		w.WriteHeader(http.StatusOK) // its days begin anew
	default:
		v.Restores++
		v.Days, v.Tier = body.Days, body.GlacierJobParameters.Tier
		v.restored[name] = `ongoing-request="true"`
		w.WriteHeader(http.StatusAccepted)
	}
}
