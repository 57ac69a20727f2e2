package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"swath/download"
)

// board shows how a download comes along: on a terminal a line for each file that comes and one for all of them, elsewhere a plain line
// every ten seconds.
type board struct {
	out   io.Writer
	width int // of the terminal; 0: there is none
	quiet bool
	begin time.Time

	mu      sync.Mutex
	files   []*coming // in the order in which they began
	total   int64     // bytes to fetch; 0: nobody says
	count   int       // files to fetch
	whole   int64     // bytes of files that are whole now
	came    int64     // bytes that came
	done    int
	failed  int
	drawn   int // lines on the terminal
	stopped chan struct{}
	ended   chan struct{}
}

// coming is a file on its way.
type coming struct {
	file download.File
	had  int64
	came int64
	at   time.Time
}

// newBoard shows on a writer what happens, until end.
func newBoard(out io.Writer, quiet bool) *board {
	b := &board{out: out, quiet: quiet, begin: time.Now()}
	if f, ok := out.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil {
			b.width = max(int(size.Col), 40)
		}
	}
	return b
}

// start begins to show a plan.
func (b *board) start(p *download.Plan) {
	b.total, b.count, b.begin = p.Bytes, len(p.Files)-p.Have, time.Now()
	if b.quiet {
		return
	}
	every := logEvery
	if b.width > 0 {
		every = drawEvery
	}
	b.stopped, b.ended = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(b.ended)
		for {
			select {
			case <-b.stopped:
				return
			case <-time.After(every):
				b.show()
			}
		}
	}()
}

// end shows nothing any more, and takes the lines of the terminal away.
func (b *board) end() {
	if b.stopped == nil {
		return
	}
	close(b.stopped)
	<-b.ended
	b.stopped = nil
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wipe()
}

func (b *board) began(f download.File, had int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.files = append(b.files, &coming{file: f, had: had, at: time.Now()})
}

func (b *board) arrived(f download.File, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.came += int64(n)
	for _, one := range b.files {
		if one.file.Path == f.Path {
			one.came += int64(n)
		}
	}
}

// finished notes a file that is whole or given up; a line says so, above what is drawn.
func (b *board) finished(f download.File, err error, out io.Writer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	bytes := b.left(f)
	b.wipe()
	if err != nil {
		b.failed++
		fmt.Fprintf(b.out, "failed     %s: %v\n", f.Path, err)
		return
	}
	b.whole += bytes
	if b.done++; out != nil {
		fmt.Fprintf(out, "downloaded %s\n", f.Path)
	}
}

// leave takes a file off the board that comes again later.
func (b *board) leave(f download.File) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left(f)
}

// left returns how many bytes of the file are here.
func (b *board) left(f download.File) (bytes int64) {
	for i, one := range b.files {
		if one.file.Path == f.Path {
			b.files = append(b.files[:i], b.files[i+1:]...)
			return one.had + one.came
		}
	}
	return 0
}

// bytes is how many came.
func (b *board) bytes() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.came
}

func (b *board) wipe() {
	if b.drawn > 0 {
		fmt.Fprintf(b.out, "\x1b[%dF\x1b[J", b.drawn)
		b.drawn = 0
	}
}

func (b *board) show() {
	b.mu.Lock()
	defer b.mu.Unlock()
	took, here := time.Since(b.begin).Seconds(), b.whole
	for _, one := range b.files {
		here += one.had + one.came
	}
	all := fmt.Sprintf("%d of %d files, %s", b.done, b.count, size(here))
	if b.total > 0 {
		all += fmt.Sprintf(" of %s, %.0f %%", size(b.total), min(100*float64(here)/float64(b.total), 100))
	}
	all += fmt.Sprintf(", %s/s", size(int64(float64(b.came)/max(took, 0.001))))
	if left := b.total - here; left > 0 && b.came > 0 {
		all += fmt.Sprintf(", %s left", time.Duration(float64(left)/float64(b.came)*took*1e9).Round(time.Second))
	}
	if b.failed > 0 {
		all += fmt.Sprintf(", %d failed", b.failed)
	}
	if b.width == 0 {
		fmt.Fprintln(b.out, all)
		return
	}
	var lines strings.Builder
	for _, one := range b.files {
		lines.WriteString(b.line(one) + "\n")
	}
	b.wipe()
	fmt.Fprintf(b.out, "%s%s\n", lines.String(), fit(all, b.width-1))
	b.drawn = len(b.files) + 1
}

const barWide = 20 // characters

// line is that of a file: its name, a bar, and how fast it comes.
func (b *board) line(one *coming) string {
	here, speed := one.had+one.came, float64(one.came)/max(time.Since(one.at).Seconds(), 0.001)
	bar, part := strings.Repeat(" ", barWide), "    "
	if one.file.Bytes > 0 {
		share := min(float64(here)/float64(one.file.Bytes), 1)
		full := int(share * barWide)
		bar, part = strings.Repeat("=", full)+strings.Repeat(" ", barWide-full), fmt.Sprintf("%3.0f%%", 100*share)
	}
	end := fmt.Sprintf(" [%s] %s %9s %9s/s", bar, part, size(here), size(int64(speed)))
	name := path.Join(one.file.Item, path.Base(one.file.Path))
	room := b.width - 1 - len(end)
	return fit(fmt.Sprintf("%-*s", room, fit(name, room))+end, b.width-1)
}

// fit cuts a text to so many characters, at its beginning.
func fit(text string, room int) string {
	if runes := []rune(text); len(runes) > room {
		return "…" + string(runes[len(runes)-max(room-1, 0):])
	}
	return text
}

// size writes a number of bytes.
func size(n int64) string {
	v, unit := float64(n), " B"
	for _, next := range []string{" kB", " MB", " GB", " TB"} {
		if v < 1000 {
			break
		}
		v, unit = v/1000, next
	}
	if unit == " B" {
		return fmt.Sprint(n, unit)
	}
	return fmt.Sprintf("%.1f%s", v, unit)
}
