package cluster

import (
	_ "embed"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// settings is swath.conf, written anew at every start.
//
//go:embed swath.conf
var settings string

// include ends a new cluster's postgresql.conf.
const include = `
# Swath's own settings. They are written anew at every start: to change one, set it again below this line.
include 'swath.conf'
`

// writeSettings puts swath.conf in place for this machine and this start.
func (l layout) writeSettings(a account) error {
	text := strings.NewReplacer("{{run}}", strings.ReplaceAll(l.run, "'", "''"), "{{shared}}", sharedMemory("/dev/shm")).Replace(settings)
	draft := filepath.Join(l.root, "swath.conf.new") // beside the cluster, where only we can write
	if err := os.WriteFile(draft, []byte(text), 0o600); err != nil {
		return err
	}
	if a.lent {
		if err := os.Lchown(draft, a.uid, a.gid); err != nil {
			return err
		}
	}
	return os.Rename(draft, filepath.Join(l.data, "swath.conf"))
}

// sharedMemory returns how backends share memory: in files of the cluster where a container has no /dev/shm.
func sharedMemory(shm string) string {
	if unix.Access(shm, unix.W_OK) != nil {
		return "mmap"
	}
	return "posix"
}
