package cluster

import (
	"bytes"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Bounds of what is kept of postgres' words.
const (
	logBytes  = 4 << 20 // of one file; there are two
	tailBytes = 4 << 10 // for the text of an error
)

// output is where postgres writes: a file that starts anew when it is full, and the last words in memory. A full disk does
// not stop postgres: what can't be written is dropped.
type output struct {
	path string

	mu   sync.Mutex
	file *os.File
	size int64
	last []byte
}

// openOutput appends to the log at path.
func openOutput(path string) (*output, error) {
	o := &output{path: path}
	return o, o.open()
}

func (o *output) open() error {
	file, err := os.OpenFile(o.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	o.file, o.size = file, info.Size()
	return nil
}

// Write never fails, so that postgres is never held up.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = append(o.last, p...)
	o.last = o.last[max(0, len(o.last)-tailBytes):]
	if o.file != nil && o.size+int64(len(p)) > logBytes {
		o.file.Close()
		o.file = nil
		if os.Rename(o.path, o.path+".1") == nil {
			_ = o.open() // without it the log ends here
		}
	}
	if o.file != nil {
		n, _ := o.file.Write(p)
		o.size += int64(n)
	}
	return len(p), nil
}

// begin forgets the last words, before a new process speaks.
func (o *output) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = nil
}

// tail returns the last words.
func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(bytes.TrimSpace(o.last))
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file != nil {
		o.file.Close()
		o.file = nil
	}
}
