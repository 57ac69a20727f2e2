package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"

	"swath/fault"
)

// The names by which a cluster is reached; the port is only a part of the socket's name.
const (
	superuser  = "swath"
	database   = "swath"
	port       = "5432"
	socketName = ".s.PGSQL." + port
	// longestSocket is what a unix socket's address can hold (108 bytes, the last of them zero: unix(7)).
	longestSocket = 107
)

// layout is where a cluster keeps its things.
type layout struct {
	root string // <data>/postgres
	data string // the cluster
	run  string // the folder of the socket
	lock string
	log  string
}

// layoutOf resolves the data folder, which must exist, so that two names of one folder have one lock and one socket.
func layoutOf(dataDir string) (layout, error) {
	resolved, err := filepath.EvalSymlinks(dataDir)
	if err != nil {
		return layout{}, err
	}
	if resolved, err = filepath.Abs(resolved); err != nil {
		return layout{}, err
	}
	root := filepath.Join(resolved, "postgres")
	run, err := socketDir(root, os.TempDir())
	return layout{root: root, data: filepath.Join(root, "data"), run: run, lock: filepath.Join(root, "lock"), log: filepath.Join(root, "log")}, err
}

// socketDir returns root/run or, when a socket's address can't hold that, a folder with a short name elsewhere.
func socketDir(root, temp string) (string, error) {
	sum := sha256.Sum256([]byte(root))
	short := "swath-" + hex.EncodeToString(sum[:8])
	for _, dir := range []string{filepath.Join(root, "run"), filepath.Join(temp, short), filepath.Join("/tmp", short)} {
		if len(filepath.Join(dir, socketName)) <= longestSocket {
			return dir, nil
		}
	}
	return "", fault.New(fault.Invalid, "no folder for the database's socket: the paths of %s and %s are too long", root, temp)
}

func (l layout) socket() string { return filepath.Join(l.run, socketName) }

// url returns the address of one database of the cluster.
func (l layout) url(name string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + name}
	u.RawQuery = url.Values{"host": {l.run}, "port": {port}, "sslmode": {"disable"}}.Encode()
	return u.String()
}
