package hubtest

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// order answers with the order of a product, which is made where there is none: queued, in progress, completed, one after the other.
func (s *Server) order(w http.ResponseWriter, r *http.Request, id string) {
	_, ordered := s.ordered.Load(id)
	one, _, ok := s.Archive.find(id)
	switch {
	case !s.keys.good(r):
		w.WriteHeader(http.StatusUnauthorized)
		return
	case !ok || s.Archive.Ordering != "odata" || r.Method == http.MethodGet && !ordered:
		http.NotFound(w, r)
		return
	case r.Method == http.MethodPost && !one.offline && !ordered:
		http.Error(w, `{"detail":"the product is online"}`, http.StatusBadRequest)
		return
	}
	if plainly(w, s.fault("order "+id, "429", "503", "500", "drop"), s.now()) {
		return
	}
	s.ordered.Store(id, true)
	times, online := s.Archive.ask(id)
	status := []string{"queued", "in_progress"}[min(times-1, 1)]
	out := map[string]any{"Id": "order-" + id, "Status": status, "SubmissionDate": s.now().Format(time.RFC3339), "EstimatedDate": s.now().Add(time.Hour).Format(time.RFC3339)}
	if online {
		out["Status"], out["CompletedDate"] = "completed", s.now().Format(time.RFC3339)
	} else {
		w.Header().Set("Retry-After", "0")
	}
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusCreated)
	}
	json.NewEncoder(w).Encode(out) //nolint:errcheck // the client sees it
}

var nodeNames = regexp.MustCompile(`Nodes(?:\(([^)]*)\))?`)

// nodes lists a folder of a product, or sends a file of it.
func (s *Server) nodes(w http.ResponseWriter, id, rest string) {
	inside := ""
	for _, m := range nodeNames.FindAllStringSubmatch(rest, -1) {
		inside = path.Join(inside, m[1])
	}
	one, _, ok := s.Archive.find(id)
	if !ok || one.offline {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	files := map[string][]byte{}
	for name, body := range s.s3Files(id) {
		files[name] = body
	}
	if body, is := files[inside]; is && strings.HasSuffix(rest, "/$value") {
		w.Write(body) //nolint:errcheck // the client sees it
		s.Bytes.Add(int64(len(body)))
		return
	}
	type node struct {
		ID             string `json:"Id"`
		Name           string
		ContentLength  int
		ChildrenNumber int
		Nodes          map[string]string
	}
	children := map[string]*node{}
	for name, body := range files {
		below, is := name, inside == ""
		if !is {
			below, is = strings.CutPrefix(name, inside+"/")
		}
		if !is || below == "" {
			continue
		}
		first, deeper, folder := strings.Cut(below, "/")
		if children[first] == nil {
			children[first] = &node{ID: first, Name: first, Nodes: map[string]string{"uri": fmt.Sprintf("http://%s/odata/v1/Products(%s)%s(%s)/Nodes", s.Download, id, strings.TrimSuffix(rest, "/$value"), first)}}
		}
		if folder && deeper != "" {
			children[first].ChildrenNumber++
		} else {
			children[first].ContentLength = len(body)
		}
	}
	if len(children) == 0 {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	var all []node
	for _, n := range children {
		all = append(all, *n)
	}
	slices.SortFunc(all, func(a, b node) int { return strings.Compare(a.Name, b.Name) })
	answer(w, map[string]any{"result": all})
}

// subscription is one of the user.
type subscription struct {
	ID                   string `json:"Id"`
	SubscriptionType     string
	FilterParam          string
	SubscriptionEvent    []string
	Status               string
	NotificationEndpoint string `json:",omitempty"`
	SubmissionDate       string
	read                 int // of the archive's events, that were acknowledged
}

// subscriptions are those of the user.
type subscriptions struct {
	mu    sync.Mutex
	all   []*subscription
	Drops bool
}

var subscriptionOf = regexp.MustCompile(`^/odata/v1/Subscriptions\(([^)]+)\)(/Read|/Ack)?$`)

// DropEvents lets the queue of subscriptions lose everything from now on.
func (s *Server) DropEvents() {
	s.subscribe.mu.Lock()
	defer s.subscribe.mu.Unlock()
	s.subscribe.Drops = true
}

// Subscriptions returns how many there are, and how many of their events were acknowledged.
func (s *Server) Subscriptions() (n, acknowledged int) {
	s.subscribe.mu.Lock()
	defer s.subscribe.mu.Unlock()
	for _, one := range s.subscribe.all {
		acknowledged += one.read
	}
	return len(s.subscribe.all), acknowledged
}

// subscriptions answers: Info, create, one, change, cancel, Read, Ack. One subscription may run.
func (s *Server) subscriptions(w http.ResponseWriter, r *http.Request) {
	if !s.keys.good(r) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if plainly(w, s.fault("subscriptions "+r.Method+r.URL.Path, "429", "503", "500", "drop"), s.now()) {
		return
	}
	all := &s.subscribe
	all.mu.Lock()
	defer all.mu.Unlock()
	running := func() bool {
		return slices.ContainsFunc(all.all, func(one *subscription) bool { return one.Status == "running" })
	}
	switch {
	case r.URL.Path == "/odata/v1/Subscriptions/Info":
		answer(w, append([]*subscription{}, all.all...))
		return
	case r.URL.Path == "/odata/v1/Subscriptions" && r.Method == http.MethodPost:
		one := &subscription{}
		if err := json.NewDecoder(r.Body).Decode(one); err != nil || one.SubscriptionType != "pull" && one.SubscriptionType != "push" || len(one.SubscriptionEvent) == 0 {
			http.Error(w, `{"detail":"not a subscription"}`, http.StatusUnprocessableEntity)
			return
		}
		if one.Status == "" {
			one.Status = "running"
		}
		if one.Status == "running" && running() {
			http.Error(w, `{"detail":"one running subscription a user"}`, http.StatusForbidden)
			return
		}
		one.ID, one.SubmissionDate, one.read = fmt.Sprintf("subscription-%d", len(all.all)+1), s.now().Format(time.RFC3339), s.Archive.told()
		all.all = append(all.all, one)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(one) //nolint:errcheck // the client sees it
		return
	}
	m := subscriptionOf.FindStringSubmatch(r.URL.Path)
	at := -1
	if m != nil {
		at = slices.IndexFunc(all.all, func(one *subscription) bool { return one.ID == m[1] })
	}
	if at < 0 {
		http.NotFound(w, r)
		return
	}
	one := all.all[at]
	switch {
	case m[2] == "/Read" && r.Method == http.MethodGet:
		top, _ := strconv.Atoi(r.URL.Query().Get("$top"))
		if top < 1 || top > 20 || one.Status != "running" {
			http.Error(w, `{"detail":"1 to 20, of one that runs"}`, http.StatusUnprocessableEntity)
			return
		}
		events := []map[string]any{}
		for i, e := range s.Archive.eventsFrom(one.read) {
			if len(events) < top && slices.Contains(one.SubscriptionEvent, e.kind) && !all.Drops && !s.drops(e) {
				events = append(events, map[string]any{"SubscriptionEvent": e.kind, "ProductId": e.id, "ProductName": e.name, "SubscriptionId": one.ID, "NotificationDate": e.at.Format(time.RFC3339Nano), "AckId": fmt.Sprint(one.read + i + 1)})
			}
		}
		answer(w, events)
	case m[2] == "/Ack" && r.Method == http.MethodPost:
		n, err := strconv.Atoi(r.URL.Query().Get("$ackid"))
		if err != nil || n > s.Archive.told() {
			http.Error(w, `{"detail":"no such event"}`, http.StatusNotFound)
			return
		}
		acknowledged := max(0, n-one.read)
		one.read += acknowledged
		answer(w, map[string]int{"AckMessagesNum": acknowledged, "CurrentQueueLength": s.Archive.told() - one.read, "MaxQueueLength": 100_000})
	case m[2] == "" && r.Method == http.MethodGet:
		answer(w, one)
	case m[2] == "" && r.Method == http.MethodPatch:
		var change struct{ Status string }
		if err := json.NewDecoder(r.Body).Decode(&change); err != nil || !slices.Contains([]string{"running", "paused", "canceled"}, change.Status) {
			http.Error(w, `{"detail":"not a status"}`, http.StatusUnprocessableEntity)
			return
		}
		if change.Status == "running" && one.Status != "running" && running() {
			http.Error(w, `{"detail":"one running subscription a user"}`, http.StatusForbidden)
			return
		}
		one.Status = change.Status
		answer(w, one)
	case m[2] == "" && r.Method == http.MethodDelete:
		all.all = slices.Delete(all.all, at, at+1)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// drops reports whether the queue of a nasty hub loses an event.
func (s *Server) drops(e event) bool {
	sum := fnv.New64a()
	fmt.Fprint(sum, s.options.Seed, e.id)
	return s.options.Profile >= Nasty && sum.Sum64()%3 == 0
}

// told is how many events there were.
func (a *Archive) told() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.events)
}

// eventsFrom returns those behind the first n.
func (a *Archive) eventsFrom(n int) []event {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.events[min(n, len(a.events)):])
}
