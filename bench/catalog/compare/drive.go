package main

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// request is one question with its parameters, as both servers are asked.
type request struct {
	method, path string
	body         []byte
	status       int
	empty        bool // an answer without items is right
}

// client keeps as many connections as there are clients and does nothing else for an answer than read it. It gives an idle
// connection up before uvicorn does, after five seconds.
var client = &fasthttp.Client{MaxConnsPerHost: 64, MaxIdleConnDuration: 2 * time.Second, ReadTimeout: 180 * time.Second, WriteTimeout: 10 * time.Second, MaxResponseBodySize: 64 << 20}

// ask sends a request and returns the status and the body, which is good until the response is released.
func ask(s server, r request, response *fasthttp.Response) (int, []byte, error) {
	q := fasthttp.AcquireRequest()
	defer fasthttp.ReleaseRequest(q)
	q.SetRequestURI(s.base + r.path)
	q.Header.SetMethod(r.method)
	if r.body != nil {
		q.Header.SetContentType("application/json")
		q.SetBodyRaw(r.body)
	}
	if err := client.Do(q, response); err != nil {
		return 0, nil, err
	}
	return response.StatusCode(), response.Body(), nil
}

// stepResult is one question for one server in one round.
type stepResult struct {
	Question, Server string
	Clients, Round   int
	Seconds          float64
	MS               []float64 // of each answer
	CPUms            float64   // of all server processes, an answer
	Bytes            int64
	Failures         int
	Failure          string // the first
}

func (r *stepResult) rate() float64 { return float64(len(r.MS)) / r.Seconds }

func (r *stepResult) trouble() string {
	if r.Failures == 0 {
		return ""
	}
	return fmt.Sprintf("  %d FAILED: %.200s", r.Failures, r.Failure)
}

func (r *stepResult) quantile(q float64) float64 { return quantile(r.MS, q) }

func quantile(ms []float64, q float64) float64 {
	if len(ms) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(ms))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// tooMany failures end a step: a server that refuses at once is not fast.
const tooMany = 5

// drive runs one step, with the questions from number first on: no step repeats those of another.
func drive(s server, q question, clients, round, first int, p plan) stepResult {
	result := stepResult{Question: q.name, Server: s.name, Clients: clients, Round: round}
	var mu sync.Mutex
	var group sync.WaitGroup
	next := 0
	cpu, begin := cpuSeconds(s.pids), time.Now()
	deadline := begin.Add(p.step)
	for range clients {
		group.Go(func() {
			response := fasthttp.AcquireResponse()
			defer fasthttp.ReleaseResponse(response)
			var ms []float64
			var bytes int64
			for {
				mu.Lock()
				n := next
				next++
				failed := result.Failures
				mu.Unlock()
				if failed > tooMany || len(ms) > 0 && (n >= p.most || !time.Now().Before(deadline)) {
					break
				}
				r, ok := q.make(s, first+n)
				if !ok {
					break // questions that can be asked once have run out
				}
				asked := time.Now()
				status, body, err := ask(s, r, response)
				ms = append(ms, float64(time.Since(asked).Microseconds())/1000)
				bytes += int64(len(body))
				if err = check(r, status, body, err); err != nil {
					mu.Lock()
					if result.Failures++; result.Failures == 1 {
						result.Failure = err.Error()
					}
					mu.Unlock()
				}
			}
			mu.Lock()
			result.MS, result.Bytes = append(result.MS, ms...), result.Bytes+bytes
			mu.Unlock()
		})
	}
	group.Wait()
	result.Seconds = time.Since(begin).Seconds()
	result.CPUms = 1000 * (cpuSeconds(s.pids) - cpu) / float64(max(1, len(result.MS)))
	return result
}

// check tells what is wrong with an answer.
func check(r request, status int, body []byte, err error) error {
	switch {
	case err != nil:
		return err
	case status != r.status:
		return fmt.Errorf("%s %s: status %d, want %d: %.300s", r.method, r.path, status, r.status, body)
	case r.status == 200 && !r.empty && !hasItem(body):
		return fmt.Errorf("%s %s %s: no item", r.method, r.path, r.body)
	}
	return nil
}
