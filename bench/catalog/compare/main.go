package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// server is one side of the comparison.
type server struct {
	name  string
	base  string
	pids  []int // roots of its process trees
	peers bool  // it is the peer: counts have to be asked for
}

func main() {
	var (
		peerURL   = flag.String("peer", "", "address of the peer; empty: Swath alone")
		peerPIDs  = flag.String("peer-pids", "", "process ids of the peer, with a comma between them")
		swathURL  = flag.String("swath", "", "address of Swath")
		swathPIDs = flag.String("swath-pids", "", "process ids of Swath")
		sample    = flag.String("sample", "", "items of the archive, one a line")
		fresh     = flag.String("fresh", "", "items that are not in the archive, for question k; empty: not asked")
		setting   = flag.String("setting", "plain", "the peer's setting, for the report")
		only      = flag.String("only", "", "questions, with a comma between them; empty: all")
		clients   = flag.String("clients", "1,8,32", "clients at a time")
		rounds    = flag.Int("rounds", 3, "rounds of all steps")
		step      = flag.Duration("step", 2*time.Second, "length of a step")
		most      = flag.Int("most", 4000, "requests of a step at most")
		seed      = flag.Uint64("seed", 1, "another seed asks about other places and times")
		answers   = flag.Int("answers", 20, "answers of each question that are compared")
		out       = flag.String("out", "", "report to write")
		tables    = flag.Bool("table", false, "print the table of the reports that are named instead")
	)
	flag.Parse()
	var err error
	if *tables {
		err = printTables(os.Stdout, flag.Args())
	} else {
		var s []server
		if *peerURL != "" {
			s = append(s, server{"peer", *peerURL, numbers(*peerPIDs), true})
		}
		s = append(s, server{"swath", *swathURL, numbers(*swathPIDs), false})
		err = run(s, plan{
			sample: *sample, fresh: *fresh, setting: *setting, only: *only, clients: numbers(*clients), rounds: *rounds,
			step: *step, most: *most, seed: *seed, answers: *answers,
		}, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func numbers(list string) (all []int) {
	for part := range strings.SplitSeq(list, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(part)); err == nil {
			all = append(all, n)
		}
	}
	return all
}

// plan is what a run does.
type plan struct {
	sample, fresh, setting, only string
	clients                      []int
	rounds, most, answers        int
	step                         time.Duration
	seed                         uint64
}

// report is what a run found.
type report struct {
	Setting string
	Load    string // of the machine, before and after
	Steps   []stepResult
	Answers []comparison
	Walks   map[string]float64 // seconds for the pages before the one that g asks for
	Probes  []probeResult
	RSSMiB  map[string]int // the largest seen after a step, of the API's processes without PostgreSQL
}

func run(servers []server, p plan, out string) error {
	for _, s := range servers {
		u, err := url.Parse(s.base)
		if err != nil || u.Hostname() != "127.0.0.1" {
			return fmt.Errorf("%q is not an http address on 127.0.0.1", s.base)
		}
	}
	items, err := readSample(p.sample)
	if err != nil {
		return err
	}
	var fresh []sampleItem
	if p.fresh != "" {
		if fresh, err = readSample(p.fresh); err != nil {
			return err
		}
	}
	r := report{Setting: p.setting, Load: load(), Walks: map[string]float64{}, RSSMiB: map[string]int{}}
	questions := newQuestions(items, fresh, p.seed)
	if p.only != "" {
		questions = choose(questions, p.only)
	}
	for _, s := range servers {
		for i := range questions {
			if questions[i].prepare == nil {
				continue
			}
			took, err := questions[i].prepare(s)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", s.name, questions[i].name, err)
			}
			r.Walks[s.name] = took.Seconds()
		}
	}
	if len(servers) == 2 {
		for _, q := range questions {
			r.Answers = append(r.Answers, compareAnswers(q, servers, p.answers))
		}
	}
	for _, s := range servers {
		r.Probes = append(r.Probes, probe(s)...)
	}
	for round := range p.rounds {
		for _, q := range questions {
			for j, n := range p.clients {
				for i := range servers {
					s := servers[(i+round)%len(servers)] // whoever was first is second in the next round
					result := drive(s, q, n, round, (round*len(p.clients)+j)*p.most, p)
					r.Steps = append(r.Steps, result)
					r.RSSMiB[s.name] = max(r.RSSMiB[s.name], rssMiB(s.pids))
					fmt.Fprintf(os.Stderr, "round %d  %-3s %2d clients  %-5s %8.1f/s  p50 %8.1f  p99 %8.1f ms  CPU %7.2f ms%s\n",
						round+1, q.name, n, s.name, result.rate(), result.quantile(0.5), result.quantile(0.99), result.CPUms, result.trouble())
				}
			}
		}
	}
	r.Load += " → " + load()
	for _, s := range servers {
		for _, q := range questions {
			if q.tidy == nil {
				continue
			}
			if err := q.tidy(s); err != nil {
				fmt.Fprintf(os.Stderr, "compare: %s: %v\n", s.name, err)
			}
		}
	}
	body, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if out == "" {
		_, err = os.Stdout.Write(body)
		return err
	}
	return os.WriteFile(out, body, 0o644)
}

func choose(questions []question, only string) (chosen []question) {
	for _, q := range questions {
		for name := range strings.SplitSeq(only, ",") {
			if q.name == name {
				chosen = append(chosen, q)
			}
		}
	}
	return chosen
}
