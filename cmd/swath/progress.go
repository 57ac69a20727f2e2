package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	drawEvery = 200 * time.Millisecond // on a terminal
	logEvery  = 10 * time.Second       // elsewhere
	barWidth  = 30
)

// progress shows how far a long work came: as a bar on a terminal, as log lines elsewhere.
type progress struct {
	out      io.Writer
	log      *slog.Logger
	terminal bool
	begin    time.Time
	shown    time.Time
	drawn    bool
}

func newProgress(out io.Writer, log *slog.Logger) *progress {
	p := &progress{out: out, log: log, begin: time.Now(), shown: time.Now()}
	if f, ok := out.(*os.File); ok {
		_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
		p.terminal = err == nil
	}
	return p
}

// show says that so many bytes of size are done, and how many things that was; size is -1 when nobody knows it.
func (p *progress) show(name string, done, size, things int64) {
	every := logEvery
	if p.terminal {
		every = drawEvery
	}
	if time.Since(p.shown) < every {
		return
	}
	p.shown = time.Now()
	took := time.Since(p.begin)
	rate := float64(things) / took.Seconds()
	left := "?"
	part := 0.0
	if size > 0 {
		part = min(float64(done)/float64(size), 1)
		left = (time.Duration(float64(took) * (1/max(part, 1e-9) - 1))).Round(time.Second).String()
	}
	switch {
	case !p.terminal:
		p.log.Info("working", "file", name, "percent", int(part*100), "count", things, "per_s", int(rate), "left", left)
	case size > 0:
		full := int(part * barWidth)
		fmt.Fprintf(p.out, "\r\x1b[K%s [%s%s] %3.0f %%  %d  %.0f/s  %s left", name, strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), part*100, things, rate, left)
	default:
		fmt.Fprintf(p.out, "\r\x1b[K%s  %d  %.0f/s", name, things, rate)
	}
	p.drawn = p.terminal
}

// percent says how far something is of which only that is known.
func (p *progress) percent(name string, done int, words string) {
	if !p.terminal {
		if time.Since(p.shown) >= logEvery {
			p.shown = time.Now()
			p.log.Info("waiting", "for", name, "percent", done, "state", words)
		}
		return
	}
	full := done * barWidth / 100
	fmt.Fprintf(p.out, "\r\x1b[K%s [%s%s] %3d %%  %s", name, strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), done, words)
	p.drawn = true
}

// end clears the bar, so that other lines can be printed.
func (p *progress) end() {
	if p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = false
	}
}
