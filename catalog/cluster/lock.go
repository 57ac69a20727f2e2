package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"swath/fault"
)

// owner is what the lock file says of the process that holds it.
type owner struct {
	PID int    `json:"pid"`
	URL string `json:"url,omitempty"` // where the database answers; empty until it does
}

// lockFile is the exclusive right to a data folder. The kernel lets go of it when the process ends.
type lockFile struct{ file *os.File }

// acquire takes the lock, or returns fault.Conflict naming the process that has it.
func acquire(path, dataDir string) (lockFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return lockFile{}, err
	}
	err = unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		holder, _ := readOwner(file)
		file.Close()
		return lockFile{}, fault.New(fault.Conflict, "the data folder %s is in use by process %d: stop it first, or let this command join it", dataDir, holder.PID)
	} else if err != nil {
		file.Close()
		return lockFile{}, fmt.Errorf("lock %s: %w", path, err)
	}
	l := lockFile{file}
	return l, l.write(owner{PID: os.Getpid()})
}

// write replaces the content. A reader may meet half of it, and then reads again.
func (l lockFile) write(o owner) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err = l.file.WriteAt(append(text, '\n'), 0)
	return err
}

func (l lockFile) release() {
	_ = l.file.Truncate(0) // a reader that comes now finds no stale owner; the lock itself ends with the close
	_ = l.file.Close()
}

// holder returns who holds the lock at path. It asks the kernel and takes nothing, so it never stands in an owner's way.
func holder(path string) (o owner, held bool, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return owner{}, false, nil
	} else if err != nil {
		return owner{}, false, err
	}
	defer file.Close()
	asked := unix.Flock_t{Type: unix.F_RDLCK}
	if err := unix.FcntlFlock(file.Fd(), unix.F_OFD_GETLK, &asked); err != nil {
		return owner{}, false, fmt.Errorf("lock %s: %w", path, err)
	}
	if asked.Type == unix.F_UNLCK {
		return owner{}, false, nil
	}
	o, err = readOwner(file)
	return o, true, err
}

// readOwner reads the content of the lock; half-written content is an owner that is not known yet.
func readOwner(file *os.File) (o owner, err error) {
	text, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<16))
	if err != nil || json.Unmarshal(text, &o) != nil {
		return owner{}, err
	}
	return o, nil
}
