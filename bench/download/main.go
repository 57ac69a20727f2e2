// Command download compares how swath and nginx (sendfile) send a large file from the same disk on this machine, one after the other in turns.
//
//	go run ./bench/download -swath bin/swath [-nginx nginx] [-mib 1024] [-rounds 3]
//
// Each round reads the file whole, over loopback, by one connection and by four at once; the client throws the bytes away. Printed are the
// medians of bytes per second and of the server's CPU time for each GiB, with swath's share of nginx's rate.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"swath/objects"
)

// The file, and what the catalog says of it.
const (
	key        = "c/i/r1/file.bin"
	collection = `{"type":"Collection","stac_version":"1.1.0","id":"c","description":"d","license":"other","links":[],"extent":{"spatial":{"bbox":[[-180,-90,180,90]]},"temporal":{"interval":[[null,null]]}}}`
	item       = `{"type":"Feature","stac_version":"1.1.0","id":"i","collection":"c","geometry":{"type":"Point","coordinates":[5,45]},"bbox":[5,45,5,45],"links":[],"properties":{"datetime":"2020-01-01T00:00:00Z"},` +
		`"assets":{"file":{"href":"swath:/collections/c/items/i/assets/file","swath:object":"` + key + `"}}}`
)

func main() {
	log.SetFlags(0)
	swath, nginx := flag.String("swath", "bin/swath", "the program"), flag.String("nginx", "nginx", "the program; without it swath is measured alone")
	mib, rounds := flag.Int64("mib", 1024, "size of the file"), flag.Int("rounds", 3, "of each server")
	flag.Parse()
	if err := run(context.Background(), *swath, *nginx, *mib<<20, *rounds); err != nil {
		log.Fatal(err)
	}
}

// server is one that has the file.
type server struct {
	name, address, path string
	pid                 int
}

func run(ctx context.Context, swath, nginx string, size int64, rounds int) (err error) {
	dir, err := os.MkdirTemp("", "bench-download-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil { // the database runs as another user
		return err
	}
	store, err := objects.OpenFolder(filepath.Join(dir, "objects"))
	if err != nil {
		return err
	}
	noise := rand.NewChaCha8([32]byte{})
	if _, err := store.Put(ctx, key, "application/octet-stream", io.LimitReader(noise, size)); err != nil {
		return err
	}
	servers, stop, err := start(dir, swath, nginx)
	defer stop()
	if err != nil {
		return err
	}
	fmt.Printf("%d MiB over loopback, %d rounds, medians\n", size>>20, rounds)
	for _, connections := range []int{1, 4} {
		rates, costs := map[string][]float64{}, map[string][]float64{}
		for range rounds {
			for _, s := range servers {
				rate, cost, err := s.measure(connections, size)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				rates[s.name], costs[s.name] = append(rates[s.name], rate), append(costs[s.name], cost)
			}
		}
		for _, s := range servers {
			fmt.Printf("%d connections  %-6s %7.0f MB/s  %.3f s CPU a GiB\n", connections, s.name, median(rates[s.name])/1e6, median(costs[s.name]))
		}
		if len(servers) == 2 {
			fmt.Printf("%d connections  swath reaches %.0f %% of nginx\n", connections, 100*median(rates["swath"])/median(rates["nginx"]))
		}
	}
	return nil
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}

// start runs both servers; stop ends what has begun.
func start(dir, swath, nginx string) (servers []server, stop func(), err error) {
	var running []*exec.Cmd
	stop = func() {
		for _, cmd := range running {
			cmd.Process.Signal(os.Interrupt) //nolint:errcheck // it may have ended
			cmd.Wait()                       //nolint:errcheck // likewise
		}
	}
	begin := func(name, address, path string, program string, args ...string) error {
		cmd := exec.Command(program, args...)
		cmd.Stderr, cmd.Stdout = os.Stderr, io.Discard
		if err := cmd.Start(); err != nil {
			return err
		}
		running = append(running, cmd)
		servers = append(servers, server{name, address, path, cmd.Process.Pid})
		return await(address)
	}
	address, err := free()
	if err != nil {
		return nil, stop, err
	}
	config := filepath.Join(dir, "swath.yaml")
	if err := os.WriteFile(config, []byte("log: {level: error}\n"), 0o644); err != nil {
		return nil, stop, err
	}
	items := filepath.Join(dir, "items.ndjson")
	if err := os.WriteFile(items, []byte(collection+"\n"+item+"\n"), 0o644); err != nil {
		return nil, stop, err
	}
	if out, err := exec.Command(swath, "load", "--config", config, "--data", dir, items).CombinedOutput(); err != nil {
		return nil, stop, fmt.Errorf("swath load: %w: %s", err, out)
	}
	if err := begin("swath", address, "/collections/c/items/i/assets/file", swath, "serve", "--config", config, "--data", dir, "--listen", address); err != nil {
		return nil, stop, err
	}
	program, err := exec.LookPath(nginx)
	if err != nil {
		log.Print("nginx is not installed: swath alone")
		return servers, stop, nil
	}
	if address, err = free(); err != nil {
		return nil, stop, err
	}
	text := "daemon off; worker_processes 2; pid DIR/pid; error_log stderr error;\nevents {}\nhttp { access_log off; sendfile on; tcp_nopush on;\n"
	if os.Getuid() == 0 {
		text = "user root;\n" + text
	}
	for _, folder := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		text += folder + "_temp_path DIR/nginx_" + folder + ";\n"
	}
	text += "server { listen " + address + "; root DIR/objects/bytes; } }\n"
	config = filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(text, "DIR", dir)), 0o644); err != nil {
		return nil, stop, err
	}
	return servers, stop, begin("nginx", address, "/"+key, program, "-p", dir, "-e", "stderr", "-c", config)
}

func free() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// await waits until somebody listens.
func await(address string) error {
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(end) {
			return fmt.Errorf("nobody answers at %s", address)
		}
	}
}

// measure reads the file by several connections at once: bytes per second of them all, and seconds of CPU for each GiB.
func (s server) measure(connections int, size int64) (rate, cost float64, err error) {
	before, err := cpu(s.pid)
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	var group sync.WaitGroup
	failed := make([]error, connections)
	for i := range connections {
		group.Go(func() { failed[i] = s.read(size) })
	}
	group.Wait()
	took := time.Since(begin).Seconds()
	after, err := cpu(s.pid)
	total := float64(size) * float64(connections)
	return total / took, (after - before) / (total / (1 << 30)), errors.Join(append(failed, err)...)
}

// read takes the file off a socket with as little work as there can be, so that the server is what is measured.
func (s server) read(size int64) error {
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", s.path, s.address); err != nil {
		return err
	}
	head := bufio.NewReader(conn)
	answer, err := http.ReadResponse(head, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || answer.ContentLength != size {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
		return fmt.Errorf("%s with %d bytes: %s", answer.Status, answer.ContentLength, text)
	}
	left, buffer := size-int64(head.Buffered()), make([]byte, 1<<20)
	for left > 0 {
		n, err := conn.Read(buffer)
		if left -= int64(n); err != nil && left > 0 {
			return err
		}
	}
	return nil
}

// cpu returns the seconds that a process and its children that live have taken. Those of swath are its database, which does nothing here.
func cpu(pid int) (seconds float64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+2:])) // from the third on (proc(5))
	for _, at := range []int{14, 15} {                                        // utime, stime
		ticks, err := strconv.ParseFloat(fields[at-3], 64)
		if err != nil {
			return 0, err
		}
		seconds += ticks / 100 // USER_HZ
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	for child := range strings.FieldsSeq(string(children)) {
		n, err := strconv.Atoi(child)
		if err != nil {
			return 0, err
		}
		more, err := cpu(n)
		if err != nil {
			return 0, err
		}
		seconds += more
	}
	return seconds, nil
}
