package objects

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path"
	"time"
)

// schedule gives a file its turn at the drive that is ready first, and returns when it will be read.
func (t *tape) schedule(drives []tapeDrive, f tapeFile) time.Time {
	now, best, at := t.cfg.Now(), 0, time.Time{}
	for i, d := range drives {
		ready := d.Busy
		if ready.Before(now) {
			ready = now
		}
		if d.Volume != f.Volume {
			ready = ready.Add(t.cfg.Mount)
		}
		if i == 0 || ready.Before(at) {
			best, at = i, ready
		}
	}
	at = at.Add(t.cfg.Seek)
	if t.cfg.BytesPerS > 0 {
		at = at.Add(time.Duration(float64(f.Bytes) / t.cfg.BytesPerS * float64(time.Second)))
	}
	drives[best] = tapeDrive{f.Volume, at}
	return at
}

// chance is a number that depends on the seed, a key and how often it was tried.
func (t *tape) chance(key string, attempt int) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %d %s", t.cfg.Seed, attempt, key)
	return h.Sum64() >> 16
}

func (t *tape) log(line string) error {
	f, err := os.OpenFile(path.Join(t.root, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, line)
	return errors.Join(err, f.Close())
}
