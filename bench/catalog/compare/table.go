package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
)

// goals are what a question must reach as a ratio of requests a second, and what is aimed at.
var goals = map[string][2]float64{
	"a": {40, 80}, "b": {10, 20}, "c": {60, 100}, "d": {40, 60}, "e": {6, 12}, "f1": {20, 40}, "f2": {40, 100}, "g": {250, 350}, "h": {150, 300}, "i": {60, 80}, "j": {15, 30}, "k": {15, 25},
}

// cell is all rounds of one question for one server and number of clients.
type cell struct {
	rates []float64 // by round
	ms    []float64
	cpu   float64
	fails int
}

func (c *cell) rate() float64 {
	if c == nil || len(c.rates) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, r := range c.rates {
		sum += r
	}
	return sum / float64(len(c.rates))
}

// requests, latencies and cpu are what the table says of a cell.
func (c *cell) requests() string {
	if c != nil && c.fails > 0 {
		return fmt.Sprintf("%d of %d fail", c.fails, len(c.ms))
	}
	return short(c.rate())
}

func (c *cell) latencies() string {
	return short(quantile(c.ms, 0.5)) + " / " + short(quantile(c.ms, 0.99))
}

// short writes three digits.
func short(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "–"
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

type cellKey struct {
	setting, server, question string
	clients                   int
}

func printTables(out io.Writer, paths []string) error {
	cells := map[cellKey]*cell{}
	var keys []cellKey // questions and clients
	var reports []report
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var r report
		if err := json.Unmarshal(body, &r); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		reports = append(reports, r)
		for _, s := range r.Steps {
			k := cellKey{r.Setting, s.Server, s.Question, s.Clients}
			c := cells[k]
			if c == nil {
				c = &cell{}
				cells[k] = c
				row := cellKey{question: s.Question, clients: s.Clients}
				if !has(keys, row) {
					keys = append(keys, row)
				}
			}
			c.cpu = (c.cpu*float64(len(c.rates)) + s.CPUms) / float64(len(c.rates)+1)
			c.rates, c.ms, c.fails = append(c.rates, s.rate()), append(c.ms, s.MS...), c.fails+s.Failures
		}
	}
	titles, place := map[string]string{}, map[string]int{}
	for i, q := range newQuestions([]sampleItem{{}}, []sampleItem{{}}, 0) {
		titles[q.name], place[q.name] = q.title, i
	}
	slices.SortFunc(keys, func(a, b cellKey) int {
		return cmp.Or(cmp.Compare(place[a.question], place[b.question]), cmp.Compare(a.clients, b.clients))
	})
	if len(reports) == 1 && reports[0].Setting == "alone" {
		fmt.Fprintln(out, "| question | clients | requests/s | p50 / p99 ms | CPU ms |\n|---|---|---|---|---|")
		for _, k := range keys {
			c := cells[cellKey{"alone", "swath", k.question, k.clients}]
			fmt.Fprintf(out, "| %s %s | %d | %s | %s | %s |\n", k.question, titles[k.question], k.clients, c.requests(), c.latencies(), short(c.cpu))
		}
	} else {
		fmt.Fprintln(out, "| question | clients | requests/s: peer, default | peer, best | Swath | p50 / p99 ms: peer | Swath | CPU ms: peer | Swath | ratio of requests/s [rounds] | required / aimed at |")
		fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|---|")
		for _, k := range keys {
			printRow(out, k, titles[k.question], cells)
		}
	}
	for _, r := range reports {
		printRest(out, r)
	}
	return nil
}

func has(keys []cellKey, k cellKey) bool {
	for _, other := range keys {
		if other == k {
			return true
		}
	}
	return false
}

// printRow compares Swath with the better of the peer's settings, in the run where both took turns.
func printRow(out io.Writer, k cellKey, title string, cells map[cellKey]*cell) {
	at := func(setting, server string) *cell { return cells[cellKey{setting, server, k.question, k.clients}] }
	setting := "best"
	if p, b := at("plain", "peer"), at("best", "peer"); b == nil || p != nil && p.rate() > b.rate() {
		setting = "plain"
	}
	peer, ours := at(setting, "peer"), at(setting, "swath")
	if peer == nil || ours == nil {
		return
	}
	low, high := math.Inf(1), math.Inf(-1)
	for i := range min(len(peer.rates), len(ours.rates)) {
		low, high = min(low, ours.rates[i]/peer.rates[i]), max(high, ours.rates[i]/peer.rates[i])
	}
	ratio := "–"
	if peer.fails+ours.fails == 0 {
		ratio = fmt.Sprintf("**%s** [%s..%s]", short(ours.rate()/peer.rate()), short(low), short(high))
	}
	goal := goals[k.question]
	fmt.Fprintf(out, "| %s %s | %d | %s | %s | %s | %s | %s | %s | %s | %s | %g / %g |\n", k.question, title, k.clients, at("plain", "peer").requests(), at("best", "peer").requests(), ours.requests(),
		peer.latencies(), ours.latencies(), short(peer.cpu), short(ours.cpu), ratio, goal[0], goal[1])
}

func printRest(out io.Writer, r report) {
	fmt.Fprintf(out, "\nSetting %s: machine's load %s; resident MiB of the API %v; seconds for 49 pages of 100 %v.\n\n", r.Setting, r.Load, r.RSSMiB, r.Walks)
	for _, c := range r.Answers {
		if c.Asked == 0 {
			continue
		}
		fmt.Fprintf(out, "- %s: %d of %d answers the same", c.Question, c.Same, c.Asked)
		if c.Order > 0 {
			fmt.Fprintf(out, ", %d in another order", c.Order)
		}
		if c.CountsDiffer > 0 {
			fmt.Fprintf(out, ", %d counts differ", c.CountsDiffer)
		}
		if c.Example != "" {
			fmt.Fprintf(out, ": %s", strings.ReplaceAll(c.Example, "\n", " "))
		}
		fmt.Fprintln(out)
	}
	for _, p := range r.Probes {
		verdict := "right"
		if p.Wrong != "" {
			verdict = "WRONG: " + p.Wrong
		}
		fmt.Fprintf(out, "- %s, %s: %s\n", p.Server, p.Probe, verdict)
	}
}
